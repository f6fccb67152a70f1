"""From what the files of a scene hold, and what its card knows, to the scene."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hsi.errors import SceneError, UsageError
from hsi.scenes.address import Place
from hsi.scenes.bands import usable_bands
from hsi.scenes.catalogue import Card
from hsi.scenes.common import BY_NAME
from hsi.scenes.contents import HARMLESS_BYTES, Contents, Purpose
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


@dataclass(frozen=True)
class ArrayAt:
    """Where an array lies: a file or an address, and its name there."""

    place: Place
    _: KW_ONLY
    key: str | None
    field: str | None = None

    @property
    def file(self) -> Path:
        """The file, of which it is known that it is one: only images have addresses."""
        assert isinstance(self.place, Path)
        return self.place

    @property
    def is_vector(self) -> bool:
        """Whether the file holds shapes, or a library of spectra."""
        return self.place.suffix.lower() in VECTOR_SUFFIXES

    def read(self, purpose: Purpose) -> Contents:
        """Read the array.

        Raises
        ------
        UsageError
            If `field` is of no use there, or `key` chooses nothing.
        SceneError
            If the file is damaged, or not what it should be.
        """
        if self.is_vector:
            check_file(self.file)
            library: Contents = read_contained(
                read_vector_library, self.file, key=self.key, field=self.field
            )
            return library
        if self.field is not None:
            raise UsageError(
                f"label_field='{self.field}' (--label-field) tells the class of shapes or of "
                f"spectra in a library; {self.place} holds neither"
            )
        return read_file(self.place, key=self.key, purpose=purpose)


def assemble(
    card: Card | None, cube: ArrayAt, truth: ArrayAt | None, *, source: dict[str, Any]
) -> Scene:
    """Read both files and put them together with what the card knows."""
    contents = cube.read("cube")
    shape = tuple(contents.array.shape)
    if card is not None and card.shape is not None and shape != card.shape:
        raise SceneError(
            f"{cube.place} holds an image of {shape}; the card of {card.name} says {card.shape} "
            "(rows, cols, bands)"
        )
    names, colors = dict(contents.class_names), dict(contents.class_colors)
    label_map = contents.labels
    label_notes: dict[str, Any] = {} if label_map is None else {BY_NAME: True}
    if truth is not None and truth.is_vector:
        check_file(truth.file)
        drawn = read_contained(
            read_vector,
            truth.file,
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
            _check_pixels(truth.file, read.array.shape, shape)
        label_map = on_grid(
            as_labels(read.array, path=truth.file, nodata=read.nodata),
            own=read.grid,
            grid=contents.grid,
            shape=shape[:2],
            path=truth.file,
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
        cube.place,
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
        name=card.name if card else cube.place.stem,
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
