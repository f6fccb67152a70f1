"""What a finished retrieval leaves in its folder: metrics and a figure of queries."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch

from hsi.models import count_parameters
from hsi.report import save_figure
from hsi.report.retrieved import retrieved_figure
from hsi.retrieval import Modality, chance_precisions
from hsi.training import Epoch
from hsi.training.retrieval_run import RetrievalRun
from hsi.training.retriever import PatchSource, Retriever
from hsi.workflows.products import versions
from hsi.workflows.retrieve.measures import (
    both_ways,
    by_class,
    correlation_baseline,
    mean_precision,
)
from hsi.workflows.retrieve.pair import Pair
from hsi.workflows.retrieve.pictures import some_queries


def save_retrieval_products(
    run: RetrievalRun,
    pair: Pair,
    retriever: Retriever,
    sources: dict[Modality, PatchSource],
    history: list[Epoch],
    *,
    device: torch.device,
    report: bool = True,
) -> None:
    """Test what was learned, and write what follows from it. The test is looked at here first."""
    split, labels, settings = run.split_file.split, pair.first.labels, run.settings
    assert labels is not None
    train, validation, test = (
        np.argwhere(mask) for mask in (split.train, split.validation, split.test)
    )
    classes = labels[split.test]
    start = time.perf_counter()
    placed = {modality: retriever.embed(modality, sources[modality], test) for modality in sources}
    found = both_ways(placed["first"], placed["second"], classes)
    chance = float(np.nanmean(chance_precisions(classes)))
    test_seconds = time.perf_counter() - start
    correlation = correlation_baseline(
        sources,
        train=train,
        validation=validation,
        validation_classes=labels[split.validation],
        test=test,
        test_classes=classes,
    )
    best = max(history, key=lambda each: (each.validation_accuracy or 0.0, each.epoch))
    metrics: dict[str, Any] = {
        "first": pair.first.name,
        "second": pair.second.name,
        "map": mean_precision(found),
        "chance": {"first_to_second": chance, "second_to_first": chance, "mean": chance},
        "canonical_correlation": correlation,
        "per_class": by_class(found, classes, pair.first.class_names),
        "chosen_by": "mean average precision of the validation pixels",
        "kept_epoch": best.epoch,
        "validation_map": best.validation_accuracy,
        "epochs": len(history),
        "train_pixels": len(train),
        "validation_pixels": len(validation),
        "test_pixels": len(test),
        "overlap": {"contains": split.overlap.contains, "shares": split.overlap.shares},
        "notes": list(split.notes),
        "patch_size": retriever.patch_size,
        "parameters": count_parameters(retriever.network),
        "train_seconds": round(history[-1].seconds, 3),
        "test_seconds": round(test_seconds, 3),
        "versions": versions("scikit-learn"),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "threads": torch.get_num_threads(),
        "seed": settings.seed,
    }
    if report and pair.rasters:
        rows = some_queries(pair, placed, test, patch_size=retriever.patch_size, seed=settings.seed)
        save_figure(retrieved_figure(rows), run.path / "queries.png")
    # Last: a run with metrics is a finished one.
    run.save_metrics(metrics)
