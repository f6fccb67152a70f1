"""Accuracy of a run on its test pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hsi.evaluation import (
    confusion_matrix,
    count_ids,
    grid_notes,
    sampling_notes,
    summarise,
    summarise_area,
)
from hsi.report.numbers import percents
from hsi.sampling import Split, to_targets
from hsi.scenes import Scene, open_scene
from hsi.scenes.grid import Grid
from hsi.training import Classifier, Run


def evaluate(
    run: Run, scene: Scene | None = None, *, device: str | torch.device = "auto"
) -> dict[str, Any]:
    """Map the scene of `run` anew and compare the map with the labels of the test pixels.

    Parameters
    ----------
    run : Run
        Whose classifier is tested.
    scene : Scene, optional
        The scene of the run. Without, it is opened from where it was; a scene that was made in
        memory has to be handed over.
    device : str or torch.device
        As for `hsi.predict_scene`.

    Returns
    -------
    dict
        ``oa``, ``aa``, ``kappa`` (fractions), ``per_class``, ``confusion``, ``test_pixels``;
        ``train_oa``, the fraction of the training pixels that the map has right; ``area``, what is
        mapped and what is estimated of each class, as `hsi.evaluation.summarise_area` returns it;
        and what one must know to judge them: ``overlap`` (``contains`` and ``shares``, see
        `hsi.overlap_audit`) and the ``notes`` of the split.

    Raises
    ------
    RunError
        If the run is damaged, or labels or values of the scene are no longer those of its training.
    """
    scene = run.labelled(scene or open_scene(run.source))
    class_map = run.classifier.class_map(scene, device=device)
    return accuracy(run.classifier, scene, run.split, class_map)


def accuracy(
    classifier: Classifier, scene: Scene, split: Split, class_map: NDArray[np.int32]
) -> dict[str, Any]:
    """Return the figures that follow from `class_map` and the labels of the test pixels.

    With them comes what one must know of the split to judge them.
    """
    assert scene.labels is not None
    labels = scene.labels[split.test]
    cm = confusion_matrix(
        to_targets(labels, classifier.class_ids),
        to_targets(class_map[split.test], classifier.class_ids),
        classes=len(classifier.class_ids),
    )
    names = [classifier.class_names[i] for i in classifier.class_ids.tolist()]
    figures = summarise(cm, ids=classifier.class_ids.tolist(), names=names)
    return figures | {
        "area": _area(cm, scene, split, class_map, ids=classifier.class_ids.tolist(), names=names),
        "test_pixels": int(split.test.sum()),
        "train_oa": _share_right(class_map, scene.labels, split.train),
        "overlap": {"contains": split.overlap.contains, "shares": split.overlap.shares},
        "notes": [*split.notes, *_useless(cm, names, here=bool(split.train.any()))],
    }


def remarks(metrics: Mapping[str, Any], split: Split) -> list[str]:
    """Return the notes of `accuracy` that are not the split's: what to know of what was learned."""
    return [note for note in metrics["notes"] if note not in split.notes]


def _share_right(
    class_map: NDArray[np.int32], labels: NDArray[np.int32], pixels: NDArray[np.bool_]
) -> float | None:
    """Return which fraction of `pixels` is mapped as labelled; None if there are none."""
    right = class_map[pixels] == labels[pixels]
    return float(right.mean()) if right.size else None


def _useless(cm: NDArray[np.int64], names: list[str], *, here: bool) -> list[str]:
    """Return a note on a map that is no better than one of a single class.

    Where nothing was learned `here`, in this scene, training may have done well elsewhere.
    """
    mapped, tested = np.flatnonzero(cm.sum(axis=0)), cm.sum(axis=1)
    if np.count_nonzero(tested) < 2:
        return []
    if mapped.size == 1:
        learned = (
            "nothing was learned that tells classes apart; a network may need more --epochs or a "
            "lower --learning-rate"
        )
        why = learned if here else "what was learned tells no classes apart there"
        return [f"all {cm.sum():,} test pixels are mapped as {names[mapped[0]]}: {why}"]
    if np.trace(cm) > tested.max():
        return []
    found, alone = percents(np.trace(cm) / cm.sum(), tested.max() / cm.sum(), digits=1)
    return [
        f"{found} % of the test pixels are right, no more than if all were called "
        f"{names[tested.argmax()]} ({alone} %): hardly anything was learned that holds there"
    ]


def _area(
    cm: NDArray[np.int64],
    scene: Scene,
    split: Split,
    class_map: NDArray[np.int32],
    *,
    ids: list[int],
    names: list[str],
) -> dict[str, Any]:
    """Return the areas of the classes, with what one must know to judge them."""
    assert scene.labels is not None
    grid, rows, cols = _grid_of_areas(scene)
    pixels = count_ids(class_map)
    # Only of what is mapped: elsewhere, ground truth tells nothing of the map.
    known = scene.labels[class_map > 0]
    by_class = count_ids(known[np.newaxis]) if known.size else {}
    figures = summarise_area(
        cm,
        pixels,
        ids=ids,
        names=names,
        pixel_m2=None if grid is None else grid.pixel_area_m2(rows, cols),
    )
    figures["notes"] += sampling_notes(
        method=split.method,
        labelled=int(np.count_nonzero(known)),
        mapped=int(figures["mapped"]["pixels"]),
        labelled_by_class=[by_class.get(each, 0) for each in ids],
        tests=cm.sum(axis=1),
    )
    figures["notes"] += grid_notes(grid, rows, cols)
    return figures


def _grid_of_areas(scene: Scene) -> tuple[Grid | None, int, int]:
    """Return the grid that tells the size of a pixel, and the rows and columns that it is for.

    A mosaic has that of its first scene, if pixels are of one size in all of them.
    """
    if not scene.parts:
        return scene.grid, scene.rows, scene.cols
    first = scene.parts[0]
    shapes = [(p.rows.stop - p.rows.start, p.cols.stop - p.cols.start) for p in scene.parts]
    sizes = [
        None if part.grid is None else part.grid.pixel_area_m2(*shape)
        for part, shape in zip(scene.parts, shapes, strict=True)
    ]
    if sizes[0] is None or any(size is None or abs(size / sizes[0] - 1) > 1e-6 for size in sizes):
        return None, scene.rows, scene.cols
    return first.grid, *shapes[0]
