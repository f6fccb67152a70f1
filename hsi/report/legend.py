"""Names and colours of a class map, in the files that programs look for beside a raster.

GDAL, and with it QGIS and rasterio, keeps what a TIFF has no place for in ``NAME.tif.aux.xml``
("Persistent Auxiliary Metadata"); QGIS takes the style of a layer from ``NAME.qml``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from xml.etree import ElementTree

from hsi.scenes.palette import Color, complete_colors

# Category names are a list without gaps; beyond this, names stand in the attribute table alone.
_LAST_CATEGORY = 4095
_NOT_SHOWN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u2028-\u202e\u2066-\u2069]")
# GDAL's codes for types and usages of columns (gdal_rat.h).
_INTEGER, _TEXT = 0, 2
_COLUMNS = (
    ("Value", _INTEGER, 5),
    ("Class_Name", _TEXT, 2),
    ("Red", _INTEGER, 6),
    ("Green", _INTEGER, 7),
    ("Blue", _INTEGER, 8),
)


class LegendClass(NamedTuple):
    """A class of a map."""

    id: int
    name: str
    color: Color
    pixels: int


@dataclass(frozen=True, kw_only=True)
class Legend:
    """All classes of a map, ids ascending, and its pixels without data."""

    classes: tuple[LegendClass, ...]
    nodata_pixels: int

    @property
    def colors(self) -> dict[int, Color]:
        """Colour by id."""
        return {each.id: each.color for each in self.classes}


def make_legend(
    counts: Mapping[int, int], *, names: Mapping[int, str], colors: Mapping[int, Color]
) -> Legend:
    """Return the legend of a map: its classes, and those that have a name but no pixel.

    Parameters
    ----------
    counts : mapping
        Number of pixels by id, as `hsi.evaluation.count_ids` returns it.
    names, colors : mapping
        By id. What lacks is completed as in `hsi.Scene`.
    """
    ids = sorted({each for each in (*counts, *names) if each > 0})
    given = {each: colors[each] for each in ids if each in colors}
    complete = complete_colors([each for each in ids if each not in given], given)
    classes = tuple(
        LegendClass(
            id=each,
            name=names.get(each, f"class {each}"),
            # Two classes of one colour are what the caller wants.
            color=given.get(each, complete[each]),
            pixels=counts.get(each, 0),
        )
        for each in ids
    )
    return Legend(classes=classes, nodata_pixels=counts.get(0, 0))


def legend_json(legend: Legend) -> str:
    """Return the legend for programs that read neither XML nor TIFF."""
    content = {
        "nodata": {"id": 0, "pixels": legend.nodata_pixels},
        "classes": [
            {
                "id": each.id,
                "name": each.name,
                "color": hex_color(each.color),
                "pixels": each.pixels,
            }
            for each in legend.classes
        ],
    }
    return json.dumps(content, indent=2) + "\n"


def names_json(legend: Legend) -> str:
    """Return names by id in ASCII, as a tag of a TIFF wants it."""
    return json.dumps({str(each.id): each.name for each in legend.classes})


def gdal_metadata(legend: Legend, *, crs: str | None) -> str:
    """Return the content of ``NAME.tif.aux.xml``: category names and an attribute table.

    Parameters
    ----------
    legend : Legend
        The classes.
    crs : str, optional
        The coordinate system as WKT, where the raster itself could not hold it.
    """
    root = ElementTree.Element("PAMDataset")
    if crs is not None:
        _add(root, "SRS", crs)
    band = _add(root, "PAMRasterBand", band="1")
    names = {each.id: each.name for each in legend.classes}
    last = max(names, default=0)
    if last <= _LAST_CATEGORY:
        categories = _add(band, "CategoryNames")
        for number in range(last + 1):
            _add(categories, "Category", names.get(number, "" if number else "no data"))
    table = _add(band, "GDALRasterAttributeTable", tableType="thematic")
    for place, (name, kind, usage) in enumerate(_COLUMNS):
        column = _add(table, "FieldDefn", index=str(place))
        _add(column, "Name", name)
        _add(column, "Type", str(kind))
        _add(column, "Usage", str(usage))
    for place, each in enumerate(legend.classes):
        row = _add(table, "Row", index=str(place))
        for value in (each.id, each.name, *each.color):
            _add(row, "F", str(value))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def qgis_style(legend: Legend) -> str:
    """Return the content of ``NAME.qml``: one colour and one label for each class."""
    root = ElementTree.Element("qgis", version="3.22.0", styleCategories="Symbology")
    pipe = _add(root, "pipe")
    renderer = _add(
        pipe, "rasterrenderer", type="paletted", band="1", opacity="1", alphaBand="-1",
        nodataColor="",
    )  # fmt: skip
    _add(renderer, "rasterTransparency")
    palette = _add(renderer, "colorPalette")
    for each in legend.classes:
        _add(
            palette, "paletteEntry", value=str(each.id), label=plain_text(each.name),
            color=hex_color(each.color), alpha="255",
        )  # fmt: skip
    _add(root, "blendMode", "0")
    ElementTree.indent(root)
    doctype = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
    return doctype + ElementTree.tostring(root, encoding="unicode") + "\n"


def plain_text(name: str) -> str:
    r"""Return a name in one line, without what no XML may hold: control codes, lone surrogates.

    Marks that turn the direction of all that follows are left out, too.

    Examples
    --------
    >>> plain_text("Wald\n und\x00Wiese ")
    'Wald und Wiese'
    """
    return " ".join(_NOT_SHOWN.sub(" ", name).split())


def hex_color(color: Iterable[int]) -> str:
    """Return red, green and blue (0..255) as ``#rrggbb``."""
    return "#" + bytes(color).hex()


def _add(
    parent: ElementTree.Element, tag: str, text: str | None = None, **attributes: str
) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, tag, attributes)
    if text is not None:
        child.text = plain_text(text)
    return child
