"""What a retrieval starts from: settings with nothing left open, its pixels, a fresh network."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from hsi.errors import UsageError
from hsi.retrieval import MODALITIES, cross_modal_network
from hsi.sampling import BandPCA, BandScaler, Reduction, Split
from hsi.scenes import Scene
from hsi.training.retrieval_settings import RetrievalSettings
from hsi.training.retriever import Retriever
from hsi.workflows.retrieve.pair import Pair
from hsi.workflows.splitting import with_split


def resolved(settings: RetrievalSettings, pair: Pair, *, asked: str | None) -> RetrievalSettings:
    """Return settings with nothing left open, as a run keeps them.

    Raises
    ------
    UsageError
        If arrays of features are to have patches, or a split that needs neighbours.
    """
    if not pair.rasters:
        if settings.patch_size not in (None, 1):
            raise UsageError(
                f"patch_size={settings.patch_size} (--patch-size), but rows of arrays have no "
                "neighbours\nLeave it out."
            )
        if settings.split not in ("random", "file"):
            raise UsageError(
                f"split='{settings.split}' (--split) divides a scene by places, which rows of "
                "arrays do not have\nTake random, or a file (--split-file)."
            )
        settings = settings.changed(patch_size=1)
    else:
        usual = min(pair.first.components, pair.first.bands)
        settings = settings.changed(
            patch_size=settings.side, components=settings.components or usual
        )
    split = with_split(settings.of_split, pair.first, asked=asked)
    return settings.changed(
        train=split.train, validation=split.validation, split_file=split.split_file
    )


def with_data(split: Split, pair: Pair) -> Split:
    """Return the split with pixels where both modalities have data, and the notes of the pair.

    Published maps may label pixels that the scene has no label for, and the second no data.
    """
    masks = {name: getattr(split, name) for name in ("train", "validation", "test")}
    lost = sum(int(np.count_nonzero(mask & ~pair.valid)) for mask in masks.values())
    note = f"{lost:,} pixels of the split are left out: {pair.second.name} has no data there."
    return dataclasses.replace(
        split,
        **{name: mask & pair.valid for name, mask in masks.items()},
        notes=(*split.notes, *pair.notes, *([note] if lost else [])),
    )


def check_sets(scene: Scene, split: Split) -> None:
    """Refuse sets in which no pixel could find another of its class.

    Raises
    ------
    UsageError
        If validation or test are so.
    """
    assert scene.labels is not None
    for name in ("validation", "test"):
        classes = scene.labels[getattr(split, name)]
        if not len(classes) or np.unique(classes, return_counts=True)[1].max() < 2:
            more = "more of them (--validation)" if name == "validation" else "less of the others"
            raise UsageError(
                f"no class has two {name} pixels, so that none of them could find another\n"
                f"Take {more}."
            )


def untrained(pair: Pair, split: Split, settings: RetrievalSettings) -> Retriever:
    """Return fitted reductions with fresh weights.

    Raises
    ------
    UsageError
        If the training pixels of a modality are all the same.
    """
    for modality in MODALITIES:
        values = np.asarray(pair.scene(modality).cube[split.train])
        if (values == values[:1]).all():
            raise UsageError(
                f"{pair.scene(modality).name} has the same values in all training pixels, so that "
                "nothing can be found by it\nName another raster or other arrays."
            )
    reductions = {
        modality: _reduction(pair.scene(modality), settings).fit(
            pair.scene(modality).cube, mask=split.train
        )
        for modality in MODALITIES
    }
    options = {
        "first_bands": reductions["first"].components,
        "second_bands": reductions["second"].components,
        "patch_size": settings.side,
        "dimensions": settings.dimensions,
        "classes": len(pair.first.class_ids),
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = cross_modal_network(**options)
    return Retriever(
        network=network,
        options=options,
        reductions=reductions,
        class_ids=pair.first.class_ids,
        class_names=pair.first.class_names,
    )


def _reduction(scene: Scene, settings: RetrievalSettings) -> Reduction:
    if settings.components is not None and scene.bands > settings.components:
        return BandPCA(settings.components, whiten=True)
    return BandScaler()
