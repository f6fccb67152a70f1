"""What a retrieval comes to: mean average precision both ways, by class, and what it is held to."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.retrieval import Modality, average_precisions, chance_precisions
from hsi.retrieval.correlation import CanonicalCorrelation
from hsi.training.retriever import PatchSource

DIRECTIONS = ("first_to_second", "second_to_first")
# Of canonical correlation; the first of them correlate most.
MOST_DIMENSIONS = 10
# Patches that are flattened at a time.
BATCH = 1024

Places = NDArray[np.int64]


def both_ways(
    first: NDArray[np.float32], second: NDArray[np.float32], classes: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the average precisions ``(N,)`` of queries from the first, and from the second."""
    return (
        average_precisions(first, second, classes=classes),
        average_precisions(second, first, classes=classes),
    )


def mean_precision(found: tuple[NDArray[np.float64], NDArray[np.float64]]) -> dict[str, float]:
    """Return the mean of each direction, and of both."""
    means = [float(np.nanmean(each)) for each in found]
    return dict(zip(DIRECTIONS, means, strict=True)) | {"mean": sum(means) / 2}


def by_class(
    found: tuple[NDArray[np.float64], NDArray[np.float64]],
    classes: NDArray[np.int32],
    names: dict[int, str],
) -> list[dict[str, Any]]:
    """Return the mean average precisions of the places of each class, and that by chance."""
    chance = chance_precisions(classes)
    rows = []
    for each in np.unique(classes).tolist():
        own = classes == each
        alone = own.sum() == 1
        figures = {
            name: None if alone else float(precisions[own].mean())
            for name, precisions in zip((*DIRECTIONS, "chance"), (*found, chance), strict=True)
        }
        rows.append({"id": each, "name": names[each], "pixels": int(own.sum())} | figures)
    return rows


def correlation_baseline(
    sources: dict[Modality, PatchSource],
    *,
    train: Places,
    validation: Places,
    validation_classes: NDArray[np.integer],
    test: Places,
    test_classes: NDArray[np.integer],
) -> dict[str, Any] | None:
    """Return what canonical correlation comes to on the same split.

    It looks at the central pixels, at the means of patches, or at whole patches, and takes its
    first dimensions: both as validation says.

    Returns
    -------
    dict or None
        As `mean_precision`; with ``looks_at``, ``dimensions`` and ``validation``. None where three
        training pairs are not there.
    """
    if len(train) < 3:
        return None
    best: tuple[float, str, int, CanonicalCorrelation] | None = None
    views = ("patch",) if sources["first"].patch_size == 1 else ("centre", "mean", "patch")
    for view in views:
        fitted = CanonicalCorrelation(MOST_DIMENSIONS).fit(
            *(_looked_at(sources[modality], train, view) for modality in sources)
        )
        placed = [
            fitted.embed(modality, _looked_at(sources[modality], validation, view))
            for modality in sources
        ]
        for dimensions in range(1, fitted.dimensions_ + 1):
            one, other = (rows[:, :dimensions] for rows in placed)
            found = mean_precision(both_ways(one, other, validation_classes))["mean"]
            if best is None or found > best[0]:
                best = found, view, dimensions, fitted
    assert best is not None
    score, view, dimensions, fitted = best
    one, other = (
        fitted.embed(modality, _looked_at(sources[modality], test, view))[:, :dimensions]
        for modality in sources
    )
    return mean_precision(both_ways(one, other, test_classes)) | {
        "looks_at": view,
        "dimensions": dimensions,
        "validation": score,
    }


def _looked_at(source: PatchSource, places: Places, view: str) -> NDArray[np.float32]:
    """Return ``(N, values)``: the central pixels, the means, or all of the patches."""
    rows = []
    for start in range(0, len(places), BATCH):
        patches = source[places[start : start + BATCH]].cpu().numpy()
        margin = source.patch_size // 2
        if view == "centre":
            rows.append(patches[:, :, margin, margin])
        elif view == "mean":
            rows.append(patches.mean(axis=(2, 3)))
        else:
            rows.append(patches.reshape(len(patches), -1))
    return np.concatenate(rows)
