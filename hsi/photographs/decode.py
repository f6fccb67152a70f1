"""From a file to pixels: upright, in RGB with eight bits, whatever it was stored as."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from hsi.errors import PhotographError

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jfif", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm"}
)
# Pillow goes by a file's content. Of its formats, some start other programs (EPS).
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
# What Pillow raises on files that are cut off or altered.
DAMAGE = (
    OSError, EOFError, SyntaxError, ValueError, TypeError, LookupError, AttributeError,
    ArithmeticError, struct.error, zlib.error,
)  # fmt: skip
# What shows through where a picture is transparent.
BACKGROUND = (255, 255, 255)


def read_photograph(path: Path) -> Image.Image:
    """Return the photograph as it is looked at: upright, in RGB, eight bits.

    The orientation that a camera noted is applied. Of grey values of 16 bits the upper eight are
    kept, transparent parts become white, and of a moving picture the first frame is taken.

    Raises
    ------
    PhotographError
        If the file is missing, damaged, of another format, or absurdly large: Pillow refuses
        twice ``PIL.Image.MAX_IMAGE_PIXELS``, 179 million pixels, which a small file can pretend
        to hold.
    """
    Image.init()  # else Pillow does not know all of these formats yet
    try:
        with Image.open(path, formats=FORMATS) as image:
            image.load()
            return _in_rgb(_upright(image))
    except UnidentifiedImageError as error:
        empty = path.stat().st_size == 0
        reason = "it is empty" if empty else "it is no photograph, or its beginning is damaged"
        raise PhotographError(f"cannot read {path}: {reason}") from error
    except Image.DecompressionBombError as error:
        limit = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        raise PhotographError(f"cannot read {path}: it has more than {limit:,} pixels") from error
    except DAMAGE as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise PhotographError(f"cannot read {path}: {reason.splitlines()[0]}") from error


def square(image: Image.Image, side: int) -> NDArray[np.uint8]:
    """Return the central square of a photograph, ``(side, side, 3)``.

    It is as large as the shorter side of the photograph, and averaged (not sampled) down to `side`.
    """
    return np.asarray(ImageOps.fit(image, (side, side), Image.Resampling.BILINEAR))


@contextmanager
def without_pillow_warnings() -> Iterator[None]:
    """Keep Pillow from warning of odd metadata and of sizes that it reads all the same.

    The filters of warnings belong to the process: this is not for threads that read side by side.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except DAMAGE:
        # Its pixels are there; only the note on how the camera was held is damaged.
        return image


def _in_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise ValueError("it holds floating-point values, whose white is unknown")
    if image.mode.startswith("I"):  # 16 bits, which `convert` would clip to 255
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65535:
            raise ValueError("it holds values beyond 16 bits, whose white is unknown")
        image = Image.fromarray((values >> 8).astype(np.uint8))
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        below = Image.new("RGBA", layer.size, (*BACKGROUND, 255))
        image = Image.alpha_composite(below, layer)
    return image.convert("RGB")
