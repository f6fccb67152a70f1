"""Accuracies and areas, all of them from one confusion matrix; comparisons; what chance does."""

from hsi.evaluation.area import AdjustedAreas, adjusted_areas, summarise_area
from hsi.evaluation.area_notes import ALL_LABELLED, grid_notes, sampling_notes
from hsi.evaluation.chance import Guessing, against_guessing
from hsi.evaluation.counts import count_ids
from hsi.evaluation.gap import Gap, accuracy_gap
from hsi.evaluation.leads import SimpleLead, best_model, simple_leads
from hsi.evaluation.metrics import (
    aa,
    confusion_matrix,
    kappa,
    oa,
    per_class_accuracy,
    per_class_f1,
    summarise,
)
from hsi.evaluation.paired import McNemar, PairedDifference, holm, mcnemar, paired_difference
from hsi.evaluation.results import (
    Cell,
    ClassResult,
    Group,
    Repeated,
    Result,
    Summary,
    repeated,
    summarise_results,
)
from hsi.evaluation.standings import (
    Drop,
    PixelTest,
    Standing,
    compare_models,
    drops,
)
from hsi.evaluation.unpaired import UnpairedDifference, unpaired_difference

__all__ = [
    "ALL_LABELLED",
    "AdjustedAreas",
    "Cell",
    "ClassResult",
    "Drop",
    "Gap",
    "Group",
    "Guessing",
    "McNemar",
    "PairedDifference",
    "PixelTest",
    "Repeated",
    "Result",
    "SimpleLead",
    "Standing",
    "Summary",
    "UnpairedDifference",
    "aa",
    "accuracy_gap",
    "adjusted_areas",
    "against_guessing",
    "best_model",
    "compare_models",
    "confusion_matrix",
    "count_ids",
    "drops",
    "grid_notes",
    "holm",
    "kappa",
    "mcnemar",
    "oa",
    "paired_difference",
    "per_class_accuracy",
    "per_class_f1",
    "repeated",
    "sampling_notes",
    "simple_leads",
    "summarise",
    "summarise_area",
    "summarise_results",
    "unpaired_difference",
]
