"""The interactive part of a page: a scene's pictures over each other, and its spectra.

Python gathers, bounds and packs what is shown (`contents.py`); the scripts in `assets/` draw it in
the browser: pictures on a canvas, so that pixels stay crisp, and charts with plotly.
"""

from hsi.report.explorer.contents import Exploration, Mapped, explore
from hsi.report.explorer.section import Explorer, render_explorer

__all__ = ["Exploration", "Explorer", "Mapped", "explore", "render_explorer"]
