"""Settings, training loop, trained classifier, run folder."""

from hsi.training.classifier import Classifier
from hsi.training.fit import Epoch, Progress, fit
from hsi.training.run import Run, check_free, read_config
from hsi.training.settings import RECIPES, Recipe, Settings

__all__ = [
    "RECIPES",
    "Classifier",
    "Epoch",
    "Progress",
    "Recipe",
    "Run",
    "Settings",
    "check_free",
    "fit",
    "read_config",
]
