"""Settings, training loop, trained classifier, run folder."""

from hsi.training.classifier import Classifier
from hsi.training.fit import fit
from hsi.training.loop import Epoch, Progress
from hsi.training.run import Run, read_config
from hsi.training.run_folder import RunFolder, check_free
from hsi.training.settings import RECIPES, Recipe, Settings

__all__ = [
    "RECIPES",
    "Classifier",
    "Epoch",
    "Progress",
    "Recipe",
    "Run",
    "RunFolder",
    "Settings",
    "check_free",
    "fit",
    "read_config",
]
