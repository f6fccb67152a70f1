"""Accuracies, all of them from one confusion matrix; and what chance explains of them."""

from hsi.evaluation.chance import Guessing, against_guessing
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
    "Guessing",
    "aa",
    "accuracy_gap",
    "against_guessing",
    "confusion_matrix",
    "kappa",
    "oa",
    "per_class_accuracy",
    "per_class_f1",
    "summarise",
]
