"""Libraries of spectra with names: a scene of one column, a spectrum in each row.

ENVI libraries (``file type = ENVI Spectral Library``) name each spectrum. Vector libraries, as the
EnMAP-Box keeps them, are tables with a spectrum in each row's profile field (a JSON object with
``x``, ``y`` and ``xUnit``) and attributes of text that tell classes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import SceneError, UsageError
from hsi.scenes.contents import Contents
from hsi.scenes.readers.vector import class_ids
from hsi.scenes.readers.vector_table import read_table
from hsi.scenes.readers.wavelengths import in_nanometres

# Spectra of one instrument as different programs round their wavelengths lie closer than this.
SAME_BAND_NM = 0.01


def read_vector_library(path: Path, *, key: str | None, field: str | None) -> Contents:
    """Read the spectra of a vector file.

    Parameters
    ----------
    path : Path
        A GeoPackage or another table with profiles.
    key : str or None
        The layer, in a file of several.
    field : str or None
        The attribute that tells the class. None: ``name``, or the only one of text.

    Returns
    -------
    Contents
        The array is ``(spectra, 1, bands)``, with labels.

    Raises
    ------
    SceneError
        If there is no field of profiles, one is damaged, or they have different bands.
    UsageError
        If `field` is none of the file's.
    """
    table = read_table(path, key)
    profiles = [name for name in table.columns if _holds_profiles(table[name])]
    if not profiles:
        raise SceneError(
            f"{path} holds no spectra; expected an image, or a library with a profile field\n"
            "Shapes with classes are labels: --labels."
        )
    rows = table[table[profiles[0]].notna()]
    spectra = [_profile(path, number, value) for number, value in enumerate(rows[profiles[0]])]
    centres = spectra[0][0]
    for number, (own, _) in enumerate(spectra):
        if own.shape != centres.shape or np.abs(own - centres).max() > SAME_BAND_NM:
            raise SceneError(
                f"{path}: spectrum {number + 1} has {own.size} bands from {own[0]:.1f} to "
                f"{own[-1]:.1f} nm, the first one {centres.size} from {centres[0]:.1f} to "
                f"{centres[-1]:.1f} nm\nA scene has the same bands everywhere: select the spectra "
                "of one sensor."
            )
    texts = [
        str(name)
        for name in rows.columns
        if name not in (table.geometry.name, *profiles)
        and all(isinstance(value, str) for value in rows[name].dropna())
        and rows[name].notna().any()
    ]
    chosen = _choose(path, texts, field)
    named = rows[chosen].notna().to_numpy()
    ids = np.zeros(len(rows), dtype=np.int32)
    ids[named], names = class_ids(path, chosen, rows[chosen][named])
    return Contents(
        array=np.stack([values for _, values in spectra])[:, None, :],
        wavelengths=centres,
        labels=ids[:, None],
        class_names=names,
        metadata={"spectral_library": chosen},
    )


def classes_of_spectra(
    header: dict[str, Any], spectra: int
) -> tuple[NDArray[np.int32] | None, dict[int, str]]:
    """Return labels ``(spectra, 1)`` and names by id of an ENVI library: equal names, one class.

    Without a name for each spectrum there are no labels.
    """
    names = header.get("spectra names", [])
    names = [names] if isinstance(names, str) else names
    if len(names) != spectra or not all(names):
        return None, {}
    known = sorted(set(names))
    ids = np.array([[known.index(name) + 1] for name in names], dtype=np.int32)
    return ids, dict(enumerate(known, start=1))


def _choose(path: Path, texts: list[str], field: str | None) -> str:
    if field is not None:
        if field not in texts:
            raise UsageError(
                f"{path} has no field of text '{field}'; it has {', '.join(texts) or 'none'}"
            )
        return field
    if "name" in texts:
        return "name"
    if len(texts) != 1:
        raise UsageError(
            f"{path} has {len(texts)} fields that could tell the class: {', '.join(texts)}\n"
            "Choose one: label_field=, or --label-field."
        )
    return texts[0]


def _holds_profiles(column: Any) -> bool:
    values = column.dropna()
    return bool(len(values)) and _as_object(values.iloc[0]) is not None


def _as_object(value: Any) -> dict[str, Any] | None:
    """Return the JSON object of a field's value, or None if it is something else."""
    if not isinstance(value, str | bytes):
        return None
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):  # not JSON; pickled profiles are never opened
        return None
    return found if isinstance(found, dict) and "y" in found else None


def _profile(
    path: Path, number: int, value: Any
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return band centres in nanometres and values of one spectrum."""
    profile = _as_object(value)
    try:
        if profile is None:
            raise ValueError("no JSON object with 'x' and 'y'")
        centres = np.array(profile["x"], dtype=np.float64)
        values = np.array(profile["y"], dtype=np.float64)
        if centres.ndim != 1 or centres.size == 0 or centres.shape != values.shape:
            raise ValueError(f"{centres.shape} wavelengths for {values.shape} values")
        return in_nanometres(centres, str(profile.get("xUnit") or "")), values
    except (KeyError, TypeError, ValueError) as error:
        raise SceneError(
            f"{path}: the profile of spectrum {number + 1} cannot be read ({error})"
        ) from error
