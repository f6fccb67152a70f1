"""Accuracies and areas, all of them from one confusion matrix; and what chance explains of them."""

from hsi.evaluation.area import AdjustedAreas, adjusted_areas, summarise_area
from hsi.evaluation.area_notes import grid_notes, sampling_notes
from hsi.evaluation.chance import Guessing, against_guessing
from hsi.evaluation.counts import count_ids
from hsi.evaluation.gap import Gap, accuracy_gap
from hsi.evaluation.metrics import (
    aa,
    confusion_matrix,
    kappa,
    oa,
    per_class_accuracy,
    per_class_f1,
    summarise,
)

__all__ = [
    "AdjustedAreas",
    "Gap",
    "Guessing",
    "aa",
    "accuracy_gap",
    "adjusted_areas",
    "against_guessing",
    "confusion_matrix",
    "count_ids",
    "grid_notes",
    "kappa",
    "oa",
    "per_class_accuracy",
    "per_class_f1",
    "sampling_notes",
    "summarise",
    "summarise_area",
]
