"""The paths that a user walks from end to end: train, evaluate, map."""

from hsi.workflows.assess import evaluate
from hsi.workflows.mapping import SavedMap, map_scene
from hsi.workflows.train import train

__all__ = ["SavedMap", "evaluate", "map_scene", "train"]
