"""Figures, the class map as raster, and the report page, from arrays and metrics alone.

Nothing here knows networks or run folders, and nothing touches pyplot: figures are plain objects,
need no display and may be made in any thread.
"""

from hsi.report.canvas import save_figure
from hsi.report.charts import confusion_figure, learning_curve_figure
from hsi.report.maps import class_map_figure, split_figure
from hsi.report.page import render_report
from hsi.report.raster import write_class_map_tif

__all__ = [
    "class_map_figure",
    "confusion_figure",
    "learning_curve_figure",
    "render_report",
    "save_figure",
    "split_figure",
    "write_class_map_tif",
]
