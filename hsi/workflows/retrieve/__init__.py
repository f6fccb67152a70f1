"""Cross-modal retrieval: pairs of two modalities are learned, tested and searched."""

from hsi.workflows.retrieve.pair import Pair, feature_pair, open_pair, raster_pair
from hsi.workflows.retrieve.query import Found, Hit, figure_path, find
from hsi.workflows.retrieve.train import resume_retrieval, train_retrieval

__all__ = [
    "Found",
    "Hit",
    "Pair",
    "feature_pair",
    "figure_path",
    "find",
    "open_pair",
    "raster_pair",
    "resume_retrieval",
    "train_retrieval",
]
