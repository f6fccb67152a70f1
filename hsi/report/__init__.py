"""Figures, maps as rasters, and the report page, from arrays and metrics alone.

Nothing here knows networks or run folders, and nothing touches pyplot: figures are plain objects,
need no display and may be made in any thread.
"""

from hsi.report.area_rows import AreaTable, area_table
from hsi.report.canvas import save_figure
from hsi.report.charts import confusion_figure, learning_curve_figure
from hsi.report.contact_sheet import Mistake, contact_sheet
from hsi.report.envi_classification import write_envi_classification
from hsi.report.maps import class_map_figure, split_figure
from hsi.report.page import render_report
from hsi.report.png import figure_png
from hsi.report.raster import write_class_map_tif
from hsi.report.scene_page import render_scene
from hsi.report.score_raster import as_percent, write_confidence_tif, write_scores_tif
from hsi.report.sections import PageFigure
from hsi.report.words import overlap_sentence, pixel_counts

__all__ = [
    "AreaTable",
    "Mistake",
    "PageFigure",
    "area_table",
    "as_percent",
    "class_map_figure",
    "confusion_figure",
    "contact_sheet",
    "figure_png",
    "learning_curve_figure",
    "overlap_sentence",
    "pixel_counts",
    "render_report",
    "render_scene",
    "save_figure",
    "split_figure",
    "write_class_map_tif",
    "write_confidence_tif",
    "write_envi_classification",
    "write_scores_tif",
]
