"""The paths that a user walks from end to end: train, evaluate, map; transfer and predict."""

from hsi.workflows.assess import evaluate
from hsi.workflows.compare import Comparison, compare_runs
from hsi.workflows.mapping import SavedMap, map_scene
from hsi.workflows.photograph_predictions import predict_photographs
from hsi.workflows.report import write_report
from hsi.workflows.train import resume, train
from hsi.workflows.transfer import resume_transfer, transfer

__all__ = [
    "Comparison",
    "SavedMap",
    "compare_runs",
    "evaluate",
    "map_scene",
    "predict_photographs",
    "resume",
    "resume_transfer",
    "train",
    "transfer",
    "write_report",
]
