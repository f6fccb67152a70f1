"""A scene of any size as files: mixtures of spectra in squares, made strip by strip."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np


def make_files(folder: Path, side: int, bands: int, seed: int, *, steepest: float = 250) -> None:
    """Write mixtures of eight spectra with noise, in squares of 50 pixels, in three formats.

    From band to band, spectra rise by `steepest` at most; many bands of steep ones are saturated.
    """
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning
    from rasterio.windows import Window

    warnings.simplefilter("ignore", NotGeoreferencedWarning)
    rng = np.random.default_rng(seed)
    spectra = rng.uniform(steepest / 10, steepest, (8, bands)).cumsum(axis=1)
    shares = rng.random((side // 50 + 1, side // 50 + 1, 8))
    shape = {"width": side, "height": side, "count": bands, "dtype": "uint16", "driver": "GTiff"}
    tiles = {"tiled": True, "blockxsize": 256, "blockysize": 256}
    packed = {"compress": "deflate", "zlevel": 1, "bigtiff": "if_safer"}
    header = (
        f"ENVI\nsamples = {side}\nlines = {side}\nbands = {bands}\nheader offset = 0\n"
        "file type = ENVI Standard\ndata type = 12\ninterleave = bsq\nbyte order = 0\n"
    )
    (folder / "bsq.hdr").write_text(header)
    with (
        rasterio.open(
            folder / "tiled.tif", "w", interleave="pixel", **shape, **tiles, **packed
        ) as t,
        rasterio.open(folder / "striped.tif", "w", interleave="pixel", bigtiff="yes", **shape) as s,
        (folder / "bsq.img").open("wb") as envi,
    ):
        for row in range(0, side, 256):
            height = min(256, side - row)
            places = np.ix_(np.arange(row, row + height) // 50, np.arange(side) // 50)
            block = shares[places] @ spectra
            block += rng.normal(0, 20, block.shape)
            stored = block.clip(0, 65535).astype("<u2").transpose(2, 0, 1)
            window = Window(0, row, side, height)
            t.write(stored, window=window)
            s.write(stored, window=window)
            for band in range(bands):
                envi.seek((band * side + row) * side * 2)
                envi.write(stored[band].tobytes())
