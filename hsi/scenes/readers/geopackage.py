"""A look at a GeoPackage before GDAL reads it.

It is an SQLite database. A layer may be a view, which is a query that need not end, or a virtual
table, which may be another file; neither is opened. OGC 12-128r18 is the format's description.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from hsi.errors import SceneError

_NO_TABLE = """
SELECT contents.table_name FROM gpkg_contents AS contents
LEFT JOIN sqlite_master AS known ON lower(known.name) = lower(contents.table_name)
WHERE known.type IS NOT 'table' OR known.sql LIKE 'CREATE VIRTUAL%'
"""


def check_tables(path: Path) -> None:
    """Refuse a GeoPackage with a layer that is no table.

    Raises
    ------
    SceneError
        If there is one, or the file is damaged.
    """
    # Without a log beside it, nothing has to be written to read it.
    how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)) as base:
            found = base.execute(_NO_TABLE).fetchone()
    except (sqlite3.Error, OverflowError, ValueError) as error:
        raise SceneError(f"{path} is damaged, or no file of shapes ({error})") from error
    if found is not None:
        raise SceneError(
            f"{path}: the layer '{found[0]}' is no table but a query or another file, which is not "
            "followed\nSave what it shows as a layer of its own."
        )
