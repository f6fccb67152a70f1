"""Areas of the classes as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class AreaTable(NamedTuple):
    """Texts of a table: one head, and rows of as many cells."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def area_table(area: Mapping[str, Any]) -> AreaTable:
    """Return what is mapped of each class, and what is estimated, with its interval.

    Parameters
    ----------
    area : mapping
        ``metrics["area"]`` of a run, as `hsi.evaluation.summarise_area` makes it.

    Returns
    -------
    AreaTable
        Id, name, mapped area, estimate and interval in hectares, or in pixels where their size is
        not known. A dash: no estimate. The last row is the whole map.
    """
    unit = area["unit"]
    percent = f"{100 * area['confidence']:.0f} % interval ({unit})"
    rows = [
        (
            str(each["id"]),
            str(each["name"]),
            _number(each["mapped"], unit),
            _number(each["estimate"], unit),
            "–"
            if each["low"] is None
            else f"{_number(each['low'], unit)} to {_number(each['high'], unit)}",
        )
        for each in area["per_class"]
    ]
    rows.append(("", "All", _number(area["mapped"], unit), _number(area["covered"], unit), ""))
    return AreaTable(
        head=("Id", "Class", f"Mapped ({unit})", f"Estimated ({unit})", percent), rows=tuple(rows)
    )


def _number(area: Mapping[str, float] | None, unit: str) -> str:
    """Return an area with three digits at least, if it is no whole number of pixels."""
    if area is None:
        return "–"
    value = area[unit]
    digits = 0 if unit == "pixels" or value >= 100 else 1 if value >= 10 else 2
    if 0 < value < 0.005:
        return "<0.01" if unit != "pixels" else "<1"
    return f"{value:,.{digits}f}"
