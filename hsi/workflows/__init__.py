"""The paths that a user walks from end to end: train, evaluate, map; transfer and predict."""

from hsi.workflows.assess import evaluate
from hsi.workflows.mapping import SavedMap, map_scene
from hsi.workflows.train import train
from hsi.workflows.transfer import predict_photographs, transfer

__all__ = ["SavedMap", "evaluate", "map_scene", "predict_photographs", "train", "transfer"]
