"""Accuracies, all of them from one confusion matrix."""

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
    "aa",
    "confusion_matrix",
    "kappa",
    "oa",
    "per_class_accuracy",
    "per_class_f1",
    "summarise",
]
