"""A cube as GeoTIFF, with what is known of its bands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hsi.files import atomic_path
from hsi.report.cube_facts import CubeFacts
from hsi.report.geotiff import Layout, check_shape, write_cog

# All bands of a tile are compressed together, and together held in memory.
_TILE = 256
_EXPECTED = "values, (bands, rows, columns) of real numbers"


def write_cube_tif(path: Path | str, pixels: Any, *, facts: CubeFacts) -> None:
    """Write a cube as cloud-optimised GeoTIFF, all of it or nothing.

    Centres, widths and marks of bad bands are tags of each band, as `hsi.load_scene` reads them.
    What `facts` keep word for word goes before.

    Parameters
    ----------
    path : path
        Where to, ``NAME.tif``; its folder exists. A ``NAME.tif.aux.xml`` beside it, which describes
        the former file, is removed.
    pixels : array_like
        ``(bands, rows, cols)`` stored values; sliced, never read as a whole.
    facts : CubeFacts
        What is known of it.

    Raises
    ------
    UsageError
        If `pixels` is no array of numbers.
    OSError
        If the file cannot be written; one that was there is still there.
    """
    path = Path(path)
    check_shape(pixels, what="a cube", axes=3, kinds="iuf", expected=_EXPECTED)
    layout = Layout(
        dtype=str(pixels.dtype.name),
        nodata=facts.nodata,
        overviews="AVERAGE",
        predictor=True,
        bands=facts.descriptions,
        tags={**facts.tags, "HSI_HISTORY": facts.history},
        band_tags=_band_tags(facts, pixels.shape[0]),
        scales=facts.scale.tolist() if facts.scaled else (),
        offsets=facts.offset.tolist() if facts.scaled else (),
        tile=_TILE,
    )
    with atomic_path(path) as temporary:
        write_cog(temporary, pixels, layout=layout, grid=facts.grid)
    path.with_name(path.name + ".aux.xml").unlink(missing_ok=True)


def _band_tags(facts: CubeFacts, bands: int) -> list[dict[str, str]]:
    tags = [dict(each) for each in facts.band_tags] or [{} for _ in range(bands)]
    known = {name.lower() for each in (facts.tags, *tags) for name in each}
    # Centres are told once: in the file's own words, if it has any.
    if facts.wavelengths is not None and not any("wavelength" in name for name in known):
        for each, centre in zip(tags, facts.wavelengths, strict=True):
            each |= {"wavelength": f"{centre:.10g}", "wavelength_units": "Nanometers"}
        if facts.fwhm is not None:
            for each, width in zip(tags, facts.fwhm, strict=True):
                each["fwhm"] = f"{width:.10g}"
    if facts.good is not None:
        for each, good in zip(tags, facts.good, strict=True):
            for name in [name for name in each if name.lower() == "bbl"]:
                del each[name]
            each["bbl"] = str(int(good))
    return tags
