"""How sure a map is, as rasters: one figure for each pixel, or one for each class and pixel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hsi.errors import UsageError
from hsi.files import atomic_path
from hsi.report.geotiff import Layout, blocks, check_shape, write_cog
from hsi.report.legend import plain_text
from hsi.scenes.grid import Grid

NO_CONFIDENCE = 255
# All bands of a tile are compressed together, and together held in memory.
_SCORE_TILE = 256


def as_percent(probability: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return probabilities in percent for `write_confidence_tif`.

    Parameters
    ----------
    probability : ndarray
        0..1, in any shape; NaN where no data is.

    Examples
    --------
    >>> as_percent(np.array([0.0, 0.126, 0.999, 1.0, np.nan]))
    array([  0,  13,  99, 100, 255], dtype=uint8)
    """
    percent = np.rint(100 * np.asarray(probability, dtype=np.float32))
    # Only what is certain is shown as 100.
    percent = np.where((percent == 100) & (probability < 1), 99, percent)
    return np.where(np.isnan(percent), NO_CONFIDENCE, percent.clip(0, 100)).astype(np.uint8)


def write_confidence_tif(path: Path | str, confidence: Any, *, grid: Grid | None = None) -> None:
    """Write the probability of the mapped class as cloud-optimised GeoTIFF, all of it or nothing.

    Parameters
    ----------
    path : path
        Where to, ``NAME.tif``; its folder exists. A ``NAME.tif.aux.xml`` beside it, the statistics
        that other programs keep of the former file, is removed.
    confidence : array_like of uint8
        ``(rows, cols)``: percent, 0..100, as `as_percent` makes it; 255 where no data is. An array,
        a memmap or anything that slices like one; it is read in blocks.
    grid : Grid, optional
        Where the pixels lie on the Earth.

    Raises
    ------
    UsageError
        If `confidence` is no array of percentages.
    OSError
        If the file cannot be written; one that was there is still there.
    """
    expected = "percent, (rows, columns) of uint8"
    check_shape(confidence, what="a confidence", axes=2, kinds="u", expected=expected)
    for part in blocks(confidence):
        block = np.asarray(confidence[part])
        wrong = (block > 100) & (block != NO_CONFIDENCE)
        if wrong.any():
            raise UsageError(
                f"the confidence holds {block[wrong][0]}; expected percent, 0 to 100, "
                f"or {NO_CONFIDENCE} where no data is"
            )
    layout = Layout(
        dtype="uint8",
        nodata=NO_CONFIDENCE,
        overviews="AVERAGE",
        predictor=True,
        bands=("Probability of the mapped class in percent",),
    )
    _write(Path(path), confidence, layout=layout, grid=grid)


def write_scores_tif(
    path: Path | str,
    scores: Any,
    *,
    names: Sequence[str],
    quantity: Literal["logit", "probability"],
    grid: Grid | None = None,
) -> None:
    """Write the scores of all classes as cloud-optimised GeoTIFF, all of it or nothing.

    Parameters
    ----------
    path : path
        Where to, ``NAME.tif``; its folder exists. A ``NAME.tif.aux.xml`` beside it, the statistics
        that other programs keep of the former file, is removed.
    scores : array_like of float
        ``(classes, rows, cols)``, NaN where no data is; stored as float32, one band a class. An
        array, a memmap or anything that slices like one; it is read in blocks.
    names : sequence of str
        Class names in the order of `scores`; they become the descriptions of the bands.
    quantity : {"logit", "probability"}
        What the scores are; it becomes the tag ``QUANTITY``.
    grid : Grid, optional
        Where the pixels lie on the Earth.

    Raises
    ------
    UsageError
        If `scores` is no such array, or there is not one name for each class.
    OSError
        If the file cannot be written; one that was there is still there.
    """
    expected = "(classes, rows, columns) of fractions"
    check_shape(scores, what="scores", axes=3, kinds="f", expected=expected)
    if len(names) != scores.shape[0]:
        raise UsageError(f"scores of {scores.shape[0]} classes, but {len(names)} names")
    if quantity not in ("logit", "probability"):
        raise UsageError(f"scores of the quantity {quantity!r}; expected 'logit' or 'probability'")
    layout = Layout(
        dtype="float32",
        nodata=float("nan"),
        overviews="AVERAGE",
        predictor=True,
        bands=tuple(plain_text(name) for name in names),
        tags={"QUANTITY": quantity},
        tile=_SCORE_TILE,
    )
    _write(Path(path), scores, layout=layout, grid=grid)


def _write(path: Path, pixels: Any, *, layout: Layout, grid: Grid | None) -> None:
    with atomic_path(path) as temporary:
        write_cog(temporary, pixels, layout=layout, grid=grid)
        path.with_name(path.name + ".aux.xml").unlink(missing_ok=True)
