"""Functions called in a process of their own, so that what ends that process does not end this one.

Libraries in C that read files (HDF5, GDAL, decoders of images) can be brought to crash, or to work
without end, by a damaged file; a Python program cannot catch that. Here a helper process runs them:
it is started at the first call, serves all further ones, and ends with this process. If it crashes,
the call fails and the next one starts another.
"""

from hsi.contained.errors import CrashedError, NotImportableError
from hsi.contained.helper import HELPER, Helper, can_be_sent

__all__ = ["HELPER", "CrashedError", "Helper", "NotImportableError", "can_be_sent"]
