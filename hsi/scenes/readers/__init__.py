"""A reader for each format: from a file to `Contents`, whose array is sliced, not loaded.

A product of one sensor has a file of its own; what several of them need of a format (ENVI's header,
the door to HDF5, GDAL's rasters) has one, too. Readers know nothing of cards, labels or scenes.
"""

from hsi.scenes.readers.registry import READERS, check_file, read_file, register_reader

__all__ = ["READERS", "check_file", "read_file", "register_reader"]
