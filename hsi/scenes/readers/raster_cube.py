"""The pixels of a raster file, read through rasterio where they are sliced.

Each format is opened with its own GDAL driver and no other: a file that merely names another place
to read from (a virtual raster, an address of a web service) is refused, whatever its suffix.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import HsiError, SceneError
from hsi.scenes.address import SUFFIXES, Address, Place
from hsi.scenes.lazy import Bands, LazyCube
from hsi.scenes.readers.jpeg2000_boxes import check_boxes
from hsi.scenes.readers.raster_address import address_options, open_at

# ENVI has its own reader. PNG serves for labels.
DRIVERS = {
    **dict.fromkeys(SUFFIXES, "GTiff"),
    ".jp2": "JP2OpenJPEG", ".img": "HFA", ".bil": "EHdr", ".png": "PNG",
}  # fmt: skip
_NAMES = {
    "GTiff": "TIFF", "JP2OpenJPEG": "JPEG 2000", "HFA": "ERDAS IMAGINE", "EHdr": "ESRI BIL",
    "PNG": "PNG",
}  # fmt: skip
# Files beside a raster may name overviews elsewhere; nothing is fetched for them.
_FILE_OPTIONS = {"CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none", "GDAL_HTTP_MAX_RETRY": "0"}


class RasterCube(LazyCube):
    """The pixels of a raster file; threads may read it, one after the other.

    Parameters
    ----------
    path : Path or Address
        The file.
    shape : tuple of int
        ``(rows, cols, bands)``.
    dtype : dtype
        Of the stored values.
    chunks : tuple of int
        ``(rows, cols, bands)`` of the blocks that the file keeps together.
    masked : bool
        Whether pixels that the file marks as without data become NaN.
    """

    def __init__(
        self,
        path: Place,
        *,
        shape: tuple[int, int, int],
        dtype: np.dtype[Any],
        chunks: tuple[int, int, int],
        masked: bool,
    ) -> None:
        if masked and dtype.kind != "f":
            # The smallest type that holds every stored value, and NaN.
            dtype = np.result_type(dtype, np.float32)
        super().__init__(shape, dtype)
        self.path, self.chunks, self.masked = path, chunks, masked
        self._close()

    def __getstate__(self) -> dict[str, Any]:
        own = ("_lock", "_dataset", "_process")
        return {name: value for name, value in self.__dict__.items() if name not in own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._close()

    def _close(self) -> None:
        self._lock = threading.Lock()
        self._dataset: Any = None
        self._process = 0

    def read(self, rows: slice, cols: slice, bands: Bands) -> NDArray[Any]:
        """Return ``(rows, cols, bands)`` of a rectangle.

        Raises
        ------
        SceneError
            If the file is cut off or damaged there, or was changed since it was opened.
        """
        from rasterio.windows import Window

        size = (rows.stop - rows.start, cols.stop - cols.start)
        if 0 in size or not len(bands):
            return np.empty((*size, len(bands)), dtype=self.dtype)
        window = Window(cols.start, rows.start, size[1], size[0])
        numbers = (bands + 1).tolist()
        with self._lock, reading(self.path):
            # A dataset must not be shared with a process that was forked from this one.
            if self._dataset is None or self._process != os.getpid():
                self._dataset, self._process = open_raster(self.path), os.getpid()
                found = (self._dataset.height, self._dataset.width, self._dataset.count)
                if found != self.shape:
                    raise SceneError(f"{self.path} was changed while it was in use; load it again")
            values = self._dataset.read(numbers, window=window, out_dtype=self.dtype)
            if self.masked:
                values[self._dataset.read_masks(numbers, window=window) == 0] = np.nan
        return np.asarray(values).transpose(1, 2, 0)


@contextmanager
def reading(path: Place) -> Iterator[None]:
    """Set how GDAL reads within the block, and turn what it says into one `SceneError`."""
    import rasterio
    from rasterio._err import CPLE_BaseError
    from rasterio.errors import RasterioError

    # What rasterio raises on damaged files, found by damaging some.
    damage = (RasterioError, CPLE_BaseError, OSError, ValueError, OverflowError, LookupError)
    try:
        with rasterio.Env(**_options(path)):
            yield
    except HsiError:  # a UsageError is also a ValueError
        raise
    except MemoryError as error:
        raise SceneError(f"{path}: not enough memory to read a part of it") from error
    except damage as error:
        reason = error.__cause__ or error
        while reason.__cause__ is not None:
            reason = reason.__cause__
        if isinstance(path, Address):
            what = "the server does not give it, or it is damaged"
            text = str(reason).replace(path.gdal_name, path.name)
        else:
            what, text = "it is cut off or damaged", str(reason).replace(str(path), path.name)
        raise SceneError(
            f"{path} cannot be read; {what}\nGDAL: {' '.join(text.split())}"
        ) from error


def _options(path: Place) -> dict[str, Any]:
    # GDAL would keep as many blocks as fit into a twentieth of the machine's memory.
    usual: dict[str, Any] = {"GDAL_CACHEMAX": 64 * 2**20}
    return usual | (address_options(path) if isinstance(path, Address) else _FILE_OPTIONS)


def open_raster(path: Place) -> Any:
    """Return an open rasterio dataset; to be called, and read, within `reading`.

    Raises
    ------
    SceneError
        If the file is of another format than its suffix says.
    """
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioIOError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        if isinstance(path, Address):
            return open_at(path)
        driver = DRIVERS[path.suffix.lower()]
        if driver == "JP2OpenJPEG":
            check_boxes(path)
        try:
            return rasterio.open(path, driver=driver)
        except RasterioIOError as error:
            if "not recognized" not in str(error):
                raise
            hint = {".img": ", nor is there an ENVI header beside it", ".bil": " with its header"}
            raise SceneError(
                f"{path} is no {_NAMES[driver]} file{hint.get(path.suffix.lower(), '')}\n"
                "Files that refer to others (virtual rasters, addresses) are not followed; "
                "save the image itself."
            ) from error
