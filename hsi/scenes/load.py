"""`load_scene`: from a name or a path to a scene."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from hsi.errors import SceneError, UsageError, unknown_name
from hsi.files import expand_home, usable_path
from hsi.scenes.bands import usable_bands
from hsi.scenes.catalogue import SYNTHETIC, Card, find_card, list_cards, plain_name, read_card
from hsi.scenes.common import BY_NAME
from hsi.scenes.contents import HARMLESS_BYTES, Contents, Purpose
from hsi.scenes.fetch import locate
from hsi.scenes.labels import as_labels
from hsi.scenes.lazy import ScaledCube
from hsi.scenes.official import card_ground_truth
from hsi.scenes.palette import Color
from hsi.scenes.readers import check_file, read_file
from hsi.scenes.readers.contained import read_contained
from hsi.scenes.readers.spectral_library import read_vector_library
from hsi.scenes.readers.vector import read_vector
from hsi.scenes.readers.vector_table import VECTOR_SUFFIXES
from hsi.scenes.regrid import on_grid
from hsi.scenes.scene import Scene


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A file and the name of the array in it."""

    path: Path
    key: str | None
    field: str | None = None

    @property
    def is_vector(self) -> bool:
        return self.path.suffix.lower() in VECTOR_SUFFIXES

    def read(self, purpose: Purpose) -> Contents:
        if self.is_vector:
            check_file(self.path)
            library: Contents = read_contained(
                read_vector_library, self.path, key=self.key, field=self.field
            )
            return library
        if self.field is not None:
            raise UsageError(
                f"label_field='{self.field}' (--label-field) tells the class of shapes or of "
                f"spectra in a library; {self.path} holds neither"
            )
        return read_file(self.path, key=self.key, purpose=purpose)


def load_scene(
    dataset: str | os.PathLike[str],
    *,
    labels: str | os.PathLike[str] | None = None,
    key: str | None = None,
    labels_key: str | None = None,
    nodata: float | None = None,
    label_field: str | None = None,
    drop_bands: str | None = None,
    keep_bad_bands: bool = False,
) -> Scene:
    """Open a scene.

    Parameters
    ----------
    dataset : str or path
        The name of a scene with a card (``hsi scenes list``; case does not matter, nor ``-`` or
        ``_``), ``"synthetic"``, the path of a card, or the path of an image: MATLAB (``.mat``,
        level 5 or 7.3), ENVI (the header or the data file beside it), GeoTIFF and other rasters,
        EnMAP or DESIS (image or metadata), HDF5, ``.npy`` or ``.npz``.
    labels : str or path, optional
        File with the ground truth, in any of these formats, or polygons and points (GeoPackage,
        GeoJSON, Shapefile, FlatGeobuf). Where image and labels are both georeferenced, labels are
        brought to the image's pixels. Default: the card's, if there is one.
    key, labels_key : str, optional
        Names of the arrays in files that hold several. `labels_key` without `labels` means an
        array in the image's file. Of a file of shapes, `labels_key` is the layer.
    nodata : float, optional
        The value of pixels without data, where file and card do not say it. NaN and infinite
        values are no data in any case.
    label_field : str, optional
        The attribute of shapes, or of a library of spectra, that tells the class.
    drop_bands : str, optional
        Bands to leave out, both ends of a range included: wavelengths, or numbers of the file's
        bands from 1, such as ``"1340-1460nm,1.8-1.96um,1-5"``.
    keep_bad_bands : bool
        Whether to keep bands that the file marks as bad.

    Returns
    -------
    Scene
        With the file's values: an image of an ENVI or ``.npy`` file is memory-mapped. Bands without
        a value in any pixel, those that the file marks as bad, and those with the same value in
        every pixel are left out, and counted in ``metadata`` (``"empty_bands"``, ``"bad_bands"``,
        ``"constant_bands"``; ``"dropped_bands"`` for what `drop_bands` names). To know the last,
        the file is read up to where every band has varied.

    Raises
    ------
    UsageError
        If `dataset` is neither a name nor a file, a key is wrong or missing, or `nodata` is no
        finite number.
    SceneError
        If a file is missing, damaged, or not what it should be.
    DownloadError
        If a file of a card is not on this machine and cannot be fetched.

    Examples
    --------
    >>> scene = load_scene("synthetic")
    >>> scene.cube.shape
    (96, 96, 120)
    """
    text = os.fspath(dataset)
    given = {
        "labels": labels,
        "key": key,
        "labels_key": labels_key,
        "nodata": nodata,
        "label_field": label_field,
        "drop_bands": drop_bands,
        "keep_bad_bands": keep_bad_bands or None,
    }
    if plain_name(text) == SYNTHETIC:
        _refuse(given)
        from hsi.scenes.synthetic import synthetic_scene

        return synthetic_scene()
    if nodata is not None:
        nodata = _finite(nodata)

    card = find_card(text)
    source: dict[str, Any] = {"dataset": card.name if card else None}
    if card is None:
        path = expand_home(usable_path(text, "dataset"), "dataset")
        if not path.exists():
            raise _neither_name_nor_file(text)
        source["dataset"] = str(path)
        if path.suffix.lower() == ".toml":
            card = read_card(path)
    if labels is not None:
        source["labels"] = str(expand_home(usable_path(labels, "labels"), "labels"))
    named = ("key", "labels_key", "label_field", "drop_bands", "keep_bad_bands")
    source |= {name: given[name] for name in named if given[name] is not None}
    if nodata is not None:
        source["nodata"] = nodata

    if card is not None:
        cube = _Place(path=locate(card, card.cube), key=key or card.cube.key)
        truth = None
        if card.labels is not None and labels is None:
            found = locate(card, card.labels)
            truth = _Place(path=found, key=labels_key or card.labels.key, field=label_field)
    else:
        cube, truth = _Place(path=path, key=key), None
        if labels is None:
            cube = _Place(path=path, key=key, field=label_field)
    if labels is not None:
        truth = _Place(path=Path(source["labels"]), key=labels_key, field=label_field)
    elif truth is None and labels_key is not None:
        truth = _Place(path=cube.path, key=labels_key)
    return _assemble(card, cube, truth, source=source)


def _assemble(
    card: Card | None, cube: _Place, truth: _Place | None, *, source: dict[str, Any]
) -> Scene:
    """Read both files and put them together with what the card knows."""
    contents = cube.read("cube")
    shape = tuple(contents.array.shape)
    if card is not None and card.shape is not None and shape != card.shape:
        raise SceneError(
            f"{cube.path} holds an image of {shape}; the card of {card.name} says {card.shape} "
            "(rows, cols, bands)"
        )
    names, colors = dict(contents.class_names), dict(contents.class_colors)
    label_map = contents.labels
    label_notes: dict[str, Any] = {} if label_map is None else {BY_NAME: True}
    if truth is not None and truth.is_vector:
        check_file(truth.path)
        drawn = read_contained(
            read_vector,
            truth.path,
            field=truth.field,
            layer=truth.key,
            grid=contents.grid,
            rows=shape[0],
            cols=shape[1],
        )
        label_map, label_notes = drawn.ids, dict[str, Any](drawn.notes)
        if drawn.class_names:
            label_notes[BY_NAME] = True
        names |= drawn.class_names
    elif truth is not None:
        read = truth.read("labels")
        if read.grid is None or contents.grid is None:
            _check_pixels(truth.path, read.array.shape, shape)
        label_map = on_grid(
            as_labels(read.array, path=truth.path, nodata=read.nodata),
            own=read.grid,
            grid=contents.grid,
            shape=shape[:2],
            path=truth.path,
        )
        names |= read.class_names
        colors |= read.class_colors
    elif label_map is None and card is not None and card.official is not None:
        label_map = card_ground_truth(card, card.official)
    # What a label file says of its classes goes before the card: it may be another ground truth.
    if card is not None and not names:
        names, colors = _classes(card)
    nodata, metadata = source.get("nodata", contents.nodata), contents.metadata | label_notes
    wavelengths, rgb_bands = contents.wavelengths, contents.rgb_bands
    if label_map is None and contents.label_arrays:
        metadata["label_arrays"] = list(contents.label_arrays)
    if card is not None:
        if wavelengths is None and card.wavelengths is not None:
            wavelengths = np.array(card.wavelengths, dtype=np.float64)
        rgb_bands = card.rgb_bands or rgb_bands
        nodata = card.nodata if nodata is None else nodata
        metadata |= card.metadata
    array = contents.array
    if np.any(contents.scale != 1) or np.any(contents.offset != 0):
        array = ScaledCube(array, scale=contents.scale, offset=contents.offset, nodata=nodata)
        nodata = None
    bands = usable_bands(
        cube.path,
        array,
        nodata=nodata,
        bad=None if source.get("keep_bad_bands") else contents.bad_bands,
        wavelengths=wavelengths,
        drop=source.get("drop_bands"),
    )
    if bands is not None:
        array = bands.choose(array, wavelengths=wavelengths, fwhm=contents.fwhm)
        rgb_bands = bands.nearest(rgb_bands)
        metadata |= bands.counts
    return Scene(
        name=card.name if card else cube.path.stem,
        cube=array,
        labels=label_map,
        class_names=names,
        class_colors=colors,
        wavelengths=wavelengths if bands is None else bands.of(wavelengths),
        fwhm=contents.fwhm if bands is None else bands.of(contents.fwhm),
        file_bands=None if bands is None else bands.mask,
        rgb_bands=rgb_bands,  # type: ignore[arg-type]
        nodata=nodata,
        grid=contents.grid,
        components=card.components if card else 30,
        source=source,
        metadata=metadata,
    )


def _check_pixels(path: Path, labels: tuple[int, ...], cube: tuple[int, ...]) -> None:
    """Refuse labels that cannot be those of the image before they are read, where they are many."""
    if math.prod(labels) > max(HARMLESS_BYTES, math.prod(cube[:2])):
        raise SceneError(
            f"{path}: the labels have the shape {labels}, the image has {cube[0]} rows and "
            f"{cube[1]} columns"
        )


def _classes(card: Card) -> tuple[dict[int, str], dict[int, Color]]:
    return (
        {each.id: each.name for each in card.classes},
        {each.id: each.color for each in card.classes},
    )


def _refuse(given: dict[str, Any]) -> None:
    for name, value in given.items():
        if value is not None:
            raise UsageError(f"the synthetic scene takes no {name}; it is made, not read")


def _finite(nodata: Any) -> float:
    if isinstance(nodata, bool) or not isinstance(nodata, Real) or not math.isfinite(nodata):
        raise UsageError(
            f"nodata={nodata!r}; expected a finite number (NaN and infinite values are no data in "
            "any case)"
        )
    return float(nodata)


def _neither_name_nor_file(text: str) -> UsageError:
    if os.sep in text or Path(text).suffix:
        return UsageError(
            f"there is no file {Path(text).expanduser().absolute()}\n"
            "`hsi scenes list` shows the scenes that are known by name."
        )
    error = unknown_name("scene", text, (*list_cards(), SYNTHETIC))
    return UsageError(f"{error}\nNor is there a file of that name in {Path.cwd()}")
