"""Accuracies, all of them from one confusion matrix; and whether two of them differ."""

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
    "Gap",
    "aa",
    "accuracy_gap",
    "confusion_matrix",
    "kappa",
    "oa",
    "per_class_accuracy",
    "per_class_f1",
    "summarise",
]
