"""Maps of any size, whatever scores their pixels: strips that are kept, and the files of a map."""

from hsi.mapping.confidence import top_probability
from hsi.mapping.job import RECORD, MapJob, Progress
from hsi.mapping.place import check_format, check_map_folder
from hsi.mapping.products import Format, SavedMap, save_map, save_raster

__all__ = [
    "RECORD",
    "Format",
    "MapJob",
    "Progress",
    "SavedMap",
    "check_format",
    "check_map_folder",
    "save_map",
    "save_raster",
    "top_probability",
]
