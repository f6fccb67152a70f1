"""Settings, training loop, trained classifier, run folder."""

from hsi.scenes.trained_bands import TrainedBands, match_bands
from hsi.training.classifier import Classifier
from hsi.training.data_array import to_data_array
from hsi.training.denoise_run import DenoiseRun, read_denoise_config
from hsi.training.denoise_settings import DenoiseSettings
from hsi.training.denoiser import Denoiser
from hsi.training.epochs import Epoch, Progress
from hsi.training.fit import fit, settle
from hsi.training.fit_denoiser import fit_denoiser
from hsi.training.fit_photographs import fit_photographs
from hsi.training.photograph_classifier import (
    PhotographClassifier,
    Prediction,
    probabilities,
    stored_side,
)
from hsi.training.recipe import RECIPES, Recipe
from hsi.training.run import Run, read_config
from hsi.training.run_folder import RunFolder
from hsi.training.run_place import check_free
from hsi.training.settings import Settings
from hsi.training.transfer_run import TransferRun, read_transfer_config
from hsi.training.transfer_settings import TransferSettings

__all__ = [
    "RECIPES",
    "Classifier",
    "DenoiseRun",
    "DenoiseSettings",
    "Denoiser",
    "Epoch",
    "PhotographClassifier",
    "Prediction",
    "Progress",
    "Recipe",
    "Run",
    "RunFolder",
    "Settings",
    "TrainedBands",
    "TransferRun",
    "TransferSettings",
    "check_free",
    "fit",
    "fit_denoiser",
    "fit_photographs",
    "match_bands",
    "probabilities",
    "read_config",
    "read_denoise_config",
    "read_transfer_config",
    "settle",
    "stored_side",
    "to_data_array",
]
