"""What is different where GDAL reads a raster at an address: settings, and what can go wrong."""

from __future__ import annotations

import logging
import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from hsi.errors import SceneError
from hsi.scenes.address import Address

# What the user has set in the environment goes before.
_PATIENCE = {
    "GDAL_HTTP_CONNECTTIMEOUT": "20", "GDAL_HTTP_LOW_SPEED_LIMIT": "1000",
    "GDAL_HTTP_LOW_SPEED_TIME": "30", "GDAL_HTTP_MAX_RETRY": "3", "GDAL_HTTP_RETRY_DELAY": "1",
}  # fmt: skip
# Blocks that are asked how large they are.
_SAMPLED = 16


def address_options(address: Address) -> dict[str, Any]:
    """Return the settings with which GDAL reads there: that one file, as it is now."""
    import requests.certs

    options: dict[str, Any] = {
        name: value for name, value in _PATIENCE.items() if name not in os.environ
    }
    own = os.environ.get("CURL_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
    if own and os.environ.get("GDAL_CURL_CA_BUNDLE") == requests.certs.where():
        # Rasterio's wheels set that, where nobody else has: it knows no authority of one's own.
        options["GDAL_CURL_CA_BUNDLE"] = own
    return options | {
        # Else some forty files are asked for that could lie beside it.
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        "CPL_VSIL_CURL_ALLOWED_FILENAME": address.gdal_name,
        # What is opened anew is not what was there before.
        "CPL_VSIL_CURL_NON_CACHED": address.gdal_name,
    }


def open_at(address: Address) -> Any:
    """Return an open rasterio dataset.

    Raises
    ------
    SceneError
        If the server sends no GeoTIFF, or not in parts.
    """
    import rasterio
    from rasterio.errors import RasterioIOError

    with _what_gdal_says() as said:
        try:
            return rasterio.open(address.gdal_name, driver="GTiff")
        except RasterioIOError as error:
            if "not recognized" not in str(error):
                raise
            reasons = [each for each in said if "not recognized" not in each]
            if any("Range downloading" in each for each in reasons):
                text = (
                    "cannot be read where it is: its server does not send parts of files\n"
                    "Download it, and name the file."
                )
            elif reasons:
                text = f"cannot be read\nGDAL: {reasons[0].replace(address.gdal_name, 'it')}"
            else:
                text = (
                    "is no TIFF file, or its server is busy and sends none\n"
                    "Open the address in a browser: there may be a page in its place."
                )
            raise SceneError(f"{address} {text}") from error


def check_claim(
    address: Address,
    dataset: Any,
    claimed: int,
    *,
    chunks: tuple[int, int, int],
    least: int,
    most: int,
) -> None:
    """Refuse an image that claims to hold far more bytes than the blocks in its file do.

    GDAL does not tell how large the file is; some of the blocks, evenly spread, stand for all.

    Parameters
    ----------
    address : Address
        Where it is.
    dataset : rasterio.DatasetReader
        Open.
    claimed : int
        Bytes of all its pixels.
    chunks : tuple of int
        ``(rows, cols, bands)`` of a block.
    least, most : int
        So many bytes are never too many; and so many for each byte in the file.
    """
    if claimed <= least:
        return
    height, width, together = chunks
    across = math.ceil(dataset.width / width)
    blocks = across * math.ceil(dataset.height / height)
    sizes = []
    for number in np.unique(np.linspace(0, blocks - 1, _SAMPLED).astype(np.int64)).tolist():
        place = f"BLOCK_SIZE_{number % across}_{number // across}"
        sizes.append(int(dataset.get_tag_item(place, "TIFF", bidx=dataset.count) or 0))
    held = sum(sizes) / len(sizes) * blocks * dataset.count / together
    if claimed > held * most:
        raise SceneError(
            f"{address} claims {dataset.height} x {dataset.width} pixels of {dataset.count} bands, "
            f"{claimed:,} bytes; its blocks seem to hold {held:,.0f}: it is damaged"
        )


@contextmanager
def _what_gdal_says() -> Iterator[list[str]]:
    """Yield a list for what GDAL says on its way to an error, which rasterio only logs."""
    said: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found = re.search(r"GDAL signalled an error.*?msg=(['\"])(.*)\1", record.getMessage())
            if found:
                said.append(found[2])

    logger, handler = logging.getLogger("rasterio"), Kept()
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield said
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]
