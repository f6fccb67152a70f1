"""A look at a GeoJSON before GDAL reads it.

Its coordinate system may be a link (section 3.2 of the GeoJSON Format Specification of 2008), which
GDAL follows, be it to a server.
"""

from __future__ import annotations

import json
import mmap
import re
from pathlib import Path

from hsi.errors import SceneError

# The member's name, its letters perhaps as escapes, in any case: so GDAL finds it.
_MEMBER = re.compile(rb"\"(?:c|\\u00[46]3)(?:r|\\u00[57]2)(?:s|\\u00[57]3)\"\s*:\s*", re.IGNORECASE)
# A coordinate system by name takes a hundred bytes.
_LONGEST = 2**16


def check_crs(path: Path) -> None:
    """Refuse a file whose coordinate system is anything but a name or a code.

    Raises
    ------
    SceneError
        If it is a link, or damaged.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for found in _MEMBER.finditer(content):
            text = content[found.end() : found.end() + _LONGEST].decode("utf-8", "replace")
            try:
                crs, _ = json.JSONDecoder().raw_decode(text)
            except (ValueError, RecursionError) as error:
                raise SceneError(f"{path} is damaged: its 'crs' is no JSON ({error})") from error
            if isinstance(crs, dict) and _kind(crs) not in ("name", "epsg"):
                raise SceneError(
                    f"{path}: its coordinate system is no name but a {_kind(crs) or 'riddle'}, "
                    "which is not followed\nSave it anew, with a coordinate system such as "
                    "EPSG:32633."
                )


def _kind(crs: dict[str, object]) -> str:
    kinds = [str(value).lower() for name, value in crs.items() if name.lower() == "type"]
    return kinds[0] if len(kinds) == 1 else ""
