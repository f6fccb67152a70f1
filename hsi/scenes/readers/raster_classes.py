"""Names and colours of the classes in a raster: its colour table, and the names GDAL keeps.

GDAL keeps names of classes (category names, or a raster attribute table) in a file beside the
raster, ``<name>.aux.xml``, whose layout is described in "GDAL Raster Data Model".
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from hsi.errors import SceneError
from hsi.scenes.palette import Color
from hsi.scenes.readers.xml_files import read_xml

# GDALRATFieldUsage: what a column of an attribute table is for.
_NAME, _LEAST, _VALUE, _RED, _GREEN, _BLUE = "2", "3", "5", "6", "7", "8"


def read_classes(path: Path, dataset: Any, band: int) -> tuple[dict[int, str], dict[int, Color]]:
    """Return names and colours by class id (> 0), as far as the file gives them.

    Parameters
    ----------
    path : Path
        The raster; what stands beside it is read, too.
    dataset : rasterio.DatasetReader
        The open raster.
    band : int
        Counted from 1.

    Raises
    ------
    SceneError
        If the file of names beside the raster is damaged.
    """
    names: dict[int, str] = {}
    colors = _color_table(dataset, band)
    beside = path.with_name(path.name + ".aux.xml")
    if beside.is_file():
        for element in read_xml(beside).iter("PAMRasterBand"):
            if element.get("band") == str(band):
                names |= _categories(element)
                told, colored = _attribute_table(beside, element)
                names, colors = names | told, colors | colored
    return names, colors


def _color_table(dataset: Any, band: int) -> dict[int, Color]:
    try:
        table = dataset.colormap(band)
    except ValueError:  # it has none
        return {}
    # Ids that a table of 256 entries has no colour for are black in it.
    return {
        each: (red, green, blue)
        for each, (red, green, blue, opacity) in table.items()
        if each > 0 and opacity and (red, green, blue) != (0, 0, 0)
    }


def _categories(band: Element) -> dict[int, str]:
    texts = [element.text or "" for element in band.iterfind("CategoryNames/Category")]
    return {each: text.strip() for each, text in enumerate(texts) if each > 0 and text.strip()}


def _attribute_table(path: Path, band: Element) -> tuple[dict[int, str], dict[int, Color]]:
    table = band.find("GDALRasterAttributeTable")
    if table is None:
        return {}, {}
    columns = {
        field.findtext("Usage", "").strip(): place
        for place, field in enumerate(table.iterfind("FieldDefn"))
    }
    value = columns.get(_VALUE, columns.get(_LEAST))
    if value is None:
        return {}, {}
    names: dict[int, str] = {}
    colors: dict[int, Color] = {}
    for row in table.iterfind("Row"):
        cells = [(cell.text or "").strip() for cell in row.iterfind("F")]
        try:
            each = int(float(cells[value]))
            if each <= 0:
                continue
            if _NAME in columns and cells[columns[_NAME]]:
                names[each] = cells[columns[_NAME]]
            if {_RED, _GREEN, _BLUE} <= columns.keys():
                red, green, blue = (int(cells[columns[part]]) for part in (_RED, _GREEN, _BLUE))
                if all(0 <= part <= 255 for part in (red, green, blue)):
                    colors[each] = (red, green, blue)
        except (IndexError, ValueError, OverflowError) as error:
            raise SceneError(
                f"{path}: a row of the attribute table is damaged ({error})"
            ) from error
    return names, colors
