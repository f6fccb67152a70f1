"""What is known of a scene, as plain data for tables and JSON."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hsi.downloads import cache_folder
from hsi.scenes.bands import band_notes
from hsi.scenes.catalogue import Card, CardFile
from hsi.scenes.fetch import find_file
from hsi.scenes.grid import Grid
from hsi.scenes.lazy import ScaledCube
from hsi.scenes.scene import Scene


def card_facts(card: Card) -> dict[str, Any]:
    """Return what a card says, and where its files are, without opening them."""
    return {
        "name": card.name,
        **card.metadata,
        "shape": list(card.shape) if card.shape else None,
        "components": card.components,
        "rgb_bands": list(card.rgb_bands) if card.rgb_bands else None,
        "wavelengths": list(card.wavelengths) if card.wavelengths else None,
        "nodata": card.nodata,
        "classes": [
            {"id": each.id, "name": each.name, "color": _hex(each.color)} for each in card.classes
        ],
        "files": [_file_facts(card, file) for file in card.files],
        "official_split": card.official.title if card.official else None,
        "split_files": [_file_facts(card, file) for file in card.split_files],
    }


def _file_facts(card: Card, file: CardFile) -> dict[str, Any]:
    found = find_file(card, file)
    return {
        "name": file.name,
        "found_at": str(found) if found else None,
        "addresses": list(file.addresses),
        "downloads_to": str(cache_folder() / card.name / file.name),
        "bytes": file.bytes,
        "sha256": file.sha256,
        "sha256_recorded_by_others": file.sha256_recorded_by_others,
    }


def scene_facts(scene: Scene) -> dict[str, Any]:
    """Return what an opened scene says of itself."""
    pixels = {}
    if scene.labels is not None:
        ids, counts = np.unique(scene.labels, return_counts=True)
        pixels = dict(zip(ids.tolist(), counts.tolist(), strict=True))
    return {
        "name": scene.name,
        **scene.metadata,
        "shape": list(scene.shape),
        "values": str(np.dtype(scene.cube.dtype)),
        "scaling": _scaling(scene.cube),
        "components": scene.components,
        "rgb_bands": list(scene.rgb_bands),
        "wavelengths": None if scene.wavelengths is None else scene.wavelengths.tolist(),
        "fwhm": None if scene.fwhm is None else scene.fwhm.tolist(),
        "bands_left_out": band_notes(scene),
        "nodata": scene.nodata,
        "grid": None if scene.grid is None else grid_facts(scene.grid, scene.rows, scene.cols),
        "classes": [
            {
                "id": each,
                "name": scene.class_names[each],
                "color": _hex(scene.class_colors[each]),
                "pixels": pixels[each],
            }
            for each in scene.class_ids.tolist()
        ],
        "files": [],
        "official_split": None,
        "split_files": [],
    }


def grid_facts(grid: Grid, rows: int, cols: int) -> dict[str, Any]:
    """Return where so many pixels lie.

    Examples
    --------
    >>> facts = grid_facts(Grid(crs="EPSG:32633", transform=(30, 0, 5e5, 0, -30, 4e6)), 10, 20)
    >>> facts["crs"], facts["pixel_size"], facts["unit"], facts["rotation"]
    ('EPSG:32633', [30.0, 30.0], 'metre', 0.0)
    >>> facts["bounds"]
    [500000.0, 3999700.0, 500600.0, 4000000.0]
    """
    a, b, _, d, e, _ = grid.transform
    crs = grid.rasterio_crs
    return {
        "crs": grid.crs_name,
        "pixel_size": [math.hypot(a, d), math.hypot(b, e)],
        "unit": None if crs is None else str(crs.units_factor[0]),
        "rotation": math.degrees(math.atan2(d, a)),
        "bounds": list(grid.bounds(rows, cols)),
        "transform": list(grid.transform),
    }


def _scaling(cube: Any) -> dict[str, list[float]] | None:
    """Return the least and largest factor and offset, or None for values as they are stored."""
    while cube is not None and not isinstance(cube, ScaledCube):
        cube = getattr(cube, "cube", None)
    if cube is None:
        return None
    return {
        what: [float(values.min()), float(values.max())]
        for what, values in (("scale", cube.scale), ("offset", cube.offset))
    }


def _hex(color: tuple[int, int, int]) -> str:
    return "#" + bytes(color).hex()
