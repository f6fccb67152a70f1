"""Pixel classification of hyperspectral scenes with HybridSN and its relatives.

The names below are loaded when they are first used, so that ``import hsi`` and the command line's
help do not wait for PyTorch.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hsi.backbones import build_backbone
    from hsi.deployed import map_onnx
    from hsi.errors import HsiError
    from hsi.inference import predict_scene
    from hsi.layers.attention import build_attention
    from hsi.models import PatchNetwork, build_model, register_model
    from hsi.sampling import (
        BandPCA,
        BlockKFold,
        PatchDataset,
        ScenePixels,
        Split,
        overlap_audit,
        split_folds,
        split_pixels,
    )
    from hsi.scenes import Scene, join_scenes, load_scene, load_scenes
    from hsi.training import Classifier, Recipe, Run, Settings, TransferRun, TransferSettings
    from hsi.workflows import evaluate, map_scene, predict_photographs
    from hsi.workflows.estimator import HybridSNClassifier
    from hsi.workflows.export import export_run
    from hsi.workflows.train import resume, train
    from hsi.workflows.transfer import resume_transfer, transfer

_HOMES = {
    "BandPCA": "sampling",
    "BlockKFold": "sampling",
    "Classifier": "training",
    "HsiError": "errors",
    "HybridSNClassifier": "workflows.estimator",
    "PatchDataset": "sampling",
    "PatchNetwork": "models",
    "Recipe": "training",
    "Run": "training",
    "Scene": "scenes",
    "ScenePixels": "sampling",
    "Settings": "training",
    "Split": "sampling",
    "TransferRun": "training",
    "TransferSettings": "training",
    "build_attention": "layers.attention",
    "build_backbone": "backbones",
    "build_model": "models",
    "evaluate": "workflows",
    "export_run": "workflows.export",
    "join_scenes": "scenes",
    "load_scene": "scenes",
    "load_scenes": "scenes",
    "map_onnx": "deployed",
    "map_scene": "workflows",
    "overlap_audit": "sampling",
    "predict_photographs": "workflows",
    "predict_scene": "inference",
    "register_model": "models",
    "resume": "workflows",
    "resume_transfer": "workflows",
    "split_folds": "sampling",
    "split_pixels": "sampling",
    "train": "workflows",
    "transfer": "workflows",
}

__version__ = version("hsi")
__all__ = [
    "BandPCA",
    "BlockKFold",
    "Classifier",
    "HsiError",
    "HybridSNClassifier",
    "PatchDataset",
    "PatchNetwork",
    "Recipe",
    "Run",
    "Scene",
    "ScenePixels",
    "Settings",
    "Split",
    "TransferRun",
    "TransferSettings",
    "__version__",
    "build_attention",
    "build_backbone",
    "build_model",
    "evaluate",
    "export_run",
    "join_scenes",
    "load_scene",
    "load_scenes",
    "map_onnx",
    "map_scene",
    "overlap_audit",
    "predict_photographs",
    "predict_scene",
    "register_model",
    "resume",
    "resume_transfer",
    "split_folds",
    "split_pixels",
    "train",
    "transfer",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'hsi' has no attribute '{name}'")
    value = getattr(import_module(f"hsi.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
