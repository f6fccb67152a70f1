"""The page of a scene without a run: what it looks like, its labels, its spectra."""

from __future__ import annotations

import io
import shlex
from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hsi.report.explorer import explore, render_explorer
from hsi.report.explorer.layers import composite_layer, picture_step
from hsi.report.sections import command_section, figures_section, pairs_section
from hsi.report.template import EXPLORER, render_page
from hsi.scenes import Scene

# Small scenes are enlarged to about that many pixels a side.
_SIDE = 1000


def render_scene(scene: Scene, *, command: Sequence[str]) -> str:
    """Return a page that shows a scene, its labels if there are any, and all of its spectra.

    Parameters
    ----------
    scene : Scene
        Its cube is sliced, never read as a whole, if it is large.
    command : sequence of str
        Makes the page again.
    """
    step = picture_step(scene.rows, scene.cols)
    composite = composite_layer(scene, step).transpose(1, 2, 0)
    return render_page(
        scene.name,
        [
            EXPLORER,
            _classes(scene),
            figures_section([(_caption(scene), _enlarged_png(composite))]),
            pairs_section("Scene", "What is known of it", _facts(scene)),
            command_section(shlex.join(command)),
        ],
        explorer=render_explorer(explore(scene)),
    )


def _classes(scene: Scene) -> str:
    """Return a table of the classes in their colours; nothing without labels."""
    if scene.labels is None:
        return ""
    ids, counts = np.unique(scene.labels, return_counts=True)
    pixels = dict(zip(ids.tolist(), counts.tolist(), strict=True))
    rows = "\n".join(
        f'<tr><td class="number">{each}</td><th scope="row">'
        f'<span class="swatch" style="background: rgb{scene.class_colors[each]}"></span>'
        f'{escape(scene.class_names[each])}</th><td class="number">{pixels[each]:,}</td></tr>'
        for each in scene.class_ids.tolist()
    )
    return (
        '<section>\n<h2>Classes</h2>\n<div class="wide">\n<table>\n'
        f"<caption>{pixels.get(0, 0):,} pixels are unlabelled.</caption>\n"
        '<thead>\n<tr><th scope="col" class="number">Id</th><th scope="col">Class</th>'
        '<th scope="col" class="number">Pixels</th></tr>\n</thead>\n'
        f"<tbody>\n{rows}\n</tbody>\n</table>\n</div>\n</section>"
    )


def _caption(scene: Scene) -> str:
    names = ("red", "green", "blue")
    if scene.wavelengths is None:
        places = [
            f"{name} band {band + 1}" for name, band in zip(names, scene.rgb_bands, strict=True)
        ]
    else:
        places = [
            f"{name} {scene.wavelengths[band]:.0f} nm"
            for name, band in zip(names, scene.rgb_bands, strict=True)
        ]
    return f"Colour composite: {', '.join(places)}; each from its 2nd to its 98th percentile"


def _facts(scene: Scene) -> list[tuple[str, str]]:
    facts = [
        ("Size", f"{scene.rows:,} x {scene.cols:,} pixels, {scene.bands:,} bands"),
        ("Values", str(np.dtype(scene.cube.dtype))),
    ]
    if scene.wavelengths is not None:
        low, high = scene.wavelengths.min(), scene.wavelengths.max()
        facts.append(("Range", f"{low:.1f} to {high:.1f} nm"))
    if scene.grid is not None:
        facts.append(("Coordinates", scene.grid.crs_name))
        facts.append(("Bounds", str(scene.grid.bounds(scene.rows, scene.cols))))
    for name, value in scene.metadata.items():
        if isinstance(value, str | int | float) and str(value):
            facts.append((name.replace("_", " ").capitalize(), str(value)))
    return facts


def _enlarged_png(picture: NDArray[np.uint8]) -> bytes:
    """Return ``(rows, cols, 3)`` as PNG, each pixel a square of several if it is small."""
    zoom = max(1, _SIDE // max(picture.shape[:2]))
    enlarged = picture.repeat(zoom, axis=0).repeat(zoom, axis=1)
    file = io.BytesIO()
    Image.fromarray(enlarged).save(file, format="PNG")
    return file.getvalue()
