"""A scene without its noise, as a file like its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from hsi.atomic import temporary_folder
from hsi.errors import RunError, UsageError, check_name, check_whole_number
from hsi.files import free_file, usable_path
from hsi.inference import resolve_device
from hsi.mapping.raw_array import RawArray
from hsi.report.cube_facts import CubeFacts
from hsi.report.cube_files import WRITERS, writer_for
from hsi.scenes import Scene
from hsi.scenes.cube import bands_with_data
from hsi.scenes.stored import Stored, stored_of
from hsi.training import DenoiseRun
from hsi.workflows.denoise.cleaning import TILE, Cleaning

BadBands = Literal["leave", "restore"]
Values = Literal["same", "float32"]
_SMALLEST_TILE = 16
# What says that a folder is that of a run, a map or a benchmark.
_OTHERS = ("config.toml", "map.json", "bench.toml")


@dataclass(frozen=True, kw_only=True)
class Denoised:
    """A denoised scene in its file.

    Attributes
    ----------
    path : Path
        The file.
    denoised, restored, left : int
        Bands that were denoised, told from the others, and left as they were.
    images : int
        How many images the network saw: components, or bands.
    dtype : str
        Type of the values.
    """

    path: Path
    denoised: int
    restored: int
    left: int
    images: int
    dtype: str


def denoise_scene(
    run: DenoiseRun | Path | str,
    scene: Scene,
    *,
    out: Path | str | None = None,
    bad_bands: BadBands = "leave",
    values: Values = "same",
    tile: int = TILE,
    device: str | torch.device = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> Denoised:
    """Write a scene without its noise.

    The file has all bands of the scene's own, stored as they are there: scale and offset,
    georeference, wavelengths and what else is said of it are kept. Pixels that lack a value in a
    band that is denoised stay as they are in all bands, as does every band without values or with
    the same value everywhere.

    The scene may be larger than memory: it is read once to learn how its bands vary, and once in
    tiles. On disk, the result takes its size about three times while it is written.

    Parameters
    ----------
    run : DenoiseRun or path
        Of `train_denoiser`.
    scene : Scene
        To denoise.
    out : path, optional
        ``.tif``, ENVI (``.img``, ``.dat``, ``.bsq``, ``.bil``, ``.bip``, ``.hdr``), ``.npy`` or
        ``.mat``. Without, ``NAME-denoised`` in the folder one is in, in the scene's own format if
        it is one of these, and else as GeoTIFF.
    bad_bands : {"leave", "restore"}
        What becomes of bands that the file or the user calls bad: nothing, or what the denoised
        bands tell of them by linear regression; then they are no longer marked as bad.
    values : {"same", "float32"}
        ``"same"`` is the type of the file; whole numbers are rounded.
    tile : int
        Side of a tile in pixels, from 16; smaller ones need less memory and more time.
    device : str or torch.device
        Where to compute.
    progress : callable, optional
        Told how many of how many pixels are done.

    Raises
    ------
    UsageError
        If an argument cannot be meant, or the scene does not fit the network.
    SceneError
        If hardly any pixel has data in all bands.
    RunError
        If the run is not there or damaged, or the file cannot be written.
    """
    run = run if isinstance(run, DenoiseRun) else DenoiseRun(run)
    check_name("way with bad bands", bad_bands, get_args(BadBands))
    check_name("type of values", values, get_args(Values))
    check_whole_number("tile", tile)
    if tile < _SMALLEST_TILE:
        raise UsageError(f"a tile of {tile} pixels; expected a side of {_SMALLEST_TILE} or more")
    stored = stored_of(scene)
    path = _free_path(scene, stored) if out is None else usable_path(out, "out")
    if path.suffix.lower() == ".hdr":
        path = path.with_suffix(".img")  # the pixels, which the header is beside
    write = writer_for(path)
    _check_place(path, stored)
    denoiser = run.denoiser
    denoiser.network.to(resolve_device(device))
    cleaning = Cleaning(
        denoiser,
        stored.cube,
        good=stored.good,
        restore=_with_data(stored) if bad_bands == "restore" else np.zeros_like(stored.good),
        nodata=stored.nodata,
        name=scene.name,
    )
    dtype = np.dtype(np.float32 if values == "float32" else stored.cube.dtype).newbyteorder("=")
    rows, cols, bands = stored.cube.shape
    try:
        with temporary_folder(path.absolute().parent) as folder:
            pixels = RawArray(Path(folder) / "pixels.raw", (bands, rows, cols), dtype)
            pixels.path.touch()
            try:
                _fill(pixels, cleaning, stored, tile=tile, progress=progress)
            finally:
                pixels.close()
            history = _history(run, cleaning)
            write(path, pixels, facts=_facts(scene, stored, cleaning, history=history, dtype=dtype))
    except OSError as error:
        raise RunError(
            f"cannot write {path}: {error.strerror or error}\n"
            "Make room there, or write elsewhere: out=, or --out on the command line."
        ) from error
    return Denoised(
        path=path,
        denoised=len(cleaning.good),
        restored=len(cleaning.restored),
        left=bands - len(cleaning.good) - len(cleaning.restored),
        images=len(cleaning.planes),
        dtype=dtype.name,
    )


def _fill(
    pixels: RawArray,
    cleaning: Cleaning,
    stored: Stored,
    *,
    tile: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Write all tiles into `pixels`."""
    changed, done = np.concatenate([cleaning.good, cleaning.restored]), 0
    total = pixels.rows * pixels.cols
    for place, before, found in cleaning.tiles(tile):
        after = before.astype(pixels.dtype)
        after[..., changed] = np.where(
            np.isnan(found), after[..., changed], _as(pixels.dtype, found, nodata=stored.nodata)
        )
        pixels.write(*place.slices, after.transpose(2, 0, 1))
        done += place.rows * place.cols
        if progress:
            progress(done, total)


def _as(dtype: np.dtype[Any], values: NDArray[np.float64], *, nodata: float | None) -> NDArray[Any]:
    """Return values in the type of the file; none of them becomes the one without data."""
    values = np.nan_to_num(values)  # what is NaN stays as it was
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        values = np.rint(values).clip(float(limits.min), float(limits.max))
    found = values.astype(dtype)
    if nodata is None:
        return found
    if dtype.kind in "iu":
        beside = int(nodata) - 1 if nodata >= np.iinfo(dtype).max else int(nodata) + 1
        return np.where(found == nodata, dtype.type(np.clip(beside, limits.min, limits.max)), found)
    return np.where(found == dtype.type(nodata), np.nextafter(found, dtype.type(np.inf)), found)


def _with_data(stored: Stored) -> NDArray[np.bool_]:
    """Return the bands that somebody calls bad, though they hold values."""
    found = np.zeros_like(stored.good)
    found[bands_with_data(stored.cube, stored.nodata)] = True
    return found & ~stored.usable


def _history(run: DenoiseRun, cleaning: Cleaning) -> str:
    learned = cleaning.denoiser.learned
    return (
        f"denoised with DnCNN of {cleaning.denoiser.network.depth} layers on "
        f"{cleaning.denoiser.on}, trained for noise {', '.join(learned.get('noise', ['?']))} of "
        f"sigma {learned.get('sigma', '?')}; {len(cleaning.good)} bands denoised, "
        f"{len(cleaning.restored)} restored; run {run.path.name}"
    )


def _facts(
    scene: Scene, stored: Stored, cleaning: Cleaning, *, history: str, dtype: np.dtype[Any]
) -> CubeFacts:
    """Return what the file says besides its pixels."""
    good = stored.usable.copy()
    good[cleaning.restored] = True
    marked = bool(scene.metadata.get("bad_bands"))
    kept = stored.raster
    # NaN of a file without a value for it is no data in any case.
    nodata = stored.nodata
    if nodata is None and dtype.kind == "f" and stored.cube.dtype.kind == "f":
        nodata = float("nan") if kept is not None else None
    return CubeFacts(
        name=str(scene.source.get("key") or "cube"),
        history=history,
        nodata=nodata,
        scale=stored.scale,
        offset=stored.offset,
        wavelengths=stored.wavelengths,
        fwhm=stored.fwhm,
        good=good if marked else None,
        grid=scene.grid,
        header=stored.header,
        tags={} if kept is None else kept.tags,
        band_tags=[] if kept is None else kept.band_tags,
        descriptions=[] if kept is None else kept.descriptions,
    )


def _check_place(path: Path, stored: Stored) -> None:
    """Refuse to write where nothing can be written, or over the scene itself."""
    folder = path.absolute().parent
    if not folder.is_dir():
        raise RunError(f"{path} is to be written into {folder}, which is no folder\nMake it first.")
    if path.is_dir():
        raise RunError(f"{path} is a folder; expected the name of a file")
    if any((folder / name).exists() for name in _OTHERS):
        raise UsageError(
            f"{path} would lie in the folder of a run, a map or a benchmark, among the files that "
            "belong to it\nWrite elsewhere (--out)."
        )
    own = [] if stored.path is None else [stored.path, stored.path.with_suffix(".hdr")]
    written = [path, path.with_suffix(".hdr"), path.with_suffix(".img")]
    envi = path.suffix.lower() in (".hdr", ".img", ".dat", ".bsq", ".bil", ".bip")
    for each in written if envi else [path]:
        for other in own:
            if each.exists() and other.exists() and each.samefile(other):
                raise UsageError(
                    f"{path} would be written over the scene itself, {other}\n"
                    "Name another file (--out)."
                )


def _free_path(scene: Scene, stored: Stored) -> Path:
    """Return a file in this folder, in the scene's format, that is not taken."""
    suffix = ".tif" if stored.path is None else stored.path.suffix.lower()
    if stored.header and suffix not in WRITERS:
        suffix = ".img"
    return free_file(Path(f"{scene.name}-denoised{suffix if suffix in WRITERS else '.tif'}"))
