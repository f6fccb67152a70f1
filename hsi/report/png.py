"""A figure as the bytes of a PNG file, for pages."""

from __future__ import annotations

import io

from matplotlib.figure import Figure


def figure_png(figure: Figure) -> bytes:
    """Return what `save_figure` writes into a file."""
    file = io.BytesIO()
    figure.savefig(
        file,
        format="png",
        dpi="figure",
        facecolor=figure.get_facecolor(),
        metadata={"Software": None},
    )
    return file.getvalue()
