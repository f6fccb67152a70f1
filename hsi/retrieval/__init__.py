"""Finding in one kind of data what goes with another: two branches, one space, and its measure.

Nothing here knows scenes: a modality is a batch of arrays, and what is found is rows of another.
"""

from hsi.retrieval.loss import LossTerms, cross_modal_loss
from hsi.retrieval.network import (
    MODALITIES,
    CrossModalNetwork,
    Modality,
    PatchBranch,
    cross_modal_network,
    other_modality,
)
from hsi.retrieval.precision import (
    average_precisions,
    chance_precision,
    chance_precisions,
    cosines,
)

__all__ = [
    "MODALITIES",
    "CrossModalNetwork",
    "LossTerms",
    "Modality",
    "PatchBranch",
    "average_precisions",
    "chance_precision",
    "chance_precisions",
    "cosines",
    "cross_modal_loss",
    "cross_modal_network",
    "other_modality",
]
