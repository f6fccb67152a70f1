"""`load_scene`: from a name or a path to a scene."""

from __future__ import annotations

import math
import os
from numbers import Real
from pathlib import Path
from typing import Any

from hsi.errors import UsageError, unknown_name
from hsi.files import expand_home, usable_path
from hsi.scenes.address import Place, address_of
from hsi.scenes.assemble import ArrayAt, assemble
from hsi.scenes.catalogue import SYNTHETIC, Card, find_card, list_cards, plain_name, read_card
from hsi.scenes.fetch import locate
from hsi.scenes.scene import Scene


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
        EnMAP or DESIS (image or metadata), HDF5, ``.npy`` or ``.npz``. Or the address of a GeoTIFF
        on a server or in object storage (``https://``, ``s3://``, ``gs://``, ``az://``, or what
        GDAL calls them), of which only what is needed is fetched.
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

    _refuse_labels_at_addresses(text, labels=labels, labels_key=labels_key)
    card, place = _meant(text)
    source: dict[str, Any] = {"dataset": card.name if card and place is None else str(place)}
    if labels is not None:
        source["labels"] = str(expand_home(usable_path(labels, "labels"), "labels"))
    named = ("key", "labels_key", "label_field", "drop_bands", "keep_bad_bands")
    source |= {name: given[name] for name in named if given[name] is not None}
    if nodata is not None:
        source["nodata"] = nodata

    truth = None
    if card is not None:
        cube = ArrayAt(locate(card, card.cube), key=key or card.cube.key)
        if card.labels is not None and labels is None:
            found = locate(card, card.labels)
            truth = ArrayAt(found, key=labels_key or card.labels.key, field=label_field)
    else:
        assert place is not None
        cube = ArrayAt(place, key=key, field=label_field if labels is None else None)
    if labels is not None:
        truth = ArrayAt(Path(source["labels"]), key=labels_key, field=label_field)
    elif truth is None and labels_key is not None:
        truth = ArrayAt(cube.place, key=labels_key)
    return assemble(card, cube, truth, source=source)


def _meant(text: str) -> tuple[Card | None, Place | None]:
    """Return the card that is meant, if one is, and where it or the image lies, if it has no name.

    Raises
    ------
    UsageError
        If there is no such name, and no such file.
    """
    address = address_of(text)
    if address is not None:
        return None, address
    card = find_card(text)
    if card is not None:
        return card, None
    path = expand_home(usable_path(text, "dataset"), "dataset")
    if not path.exists():
        raise _neither_name_nor_file(text)
    return (read_card(path) if path.suffix.lower() == ".toml" else None), path


def _refuse_labels_at_addresses(
    dataset: str, *, labels: str | os.PathLike[str] | None, labels_key: str | None
) -> None:
    if labels is not None and address_of(os.fspath(labels)):
        raise UsageError(f"labels are read from files; bring {labels} here (--labels)")
    if labels_key is not None and labels is None and address_of(dataset):
        raise UsageError(
            f"labels_key='{labels_key}' (--labels-key): {dataset} is an image; name a file with "
            "its labels (--labels)"
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
