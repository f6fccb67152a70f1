"""How far exported networks are from what they were exported from, and how large the files are.

Each network for scenes and a small image network, with fresh weights and few bands:

    python benchmarks/exported_networks.py [NETWORK ...]
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import report

import hsi
from hsi.models import PatchNetwork
from hsi.models.estimator import SpectralEstimator
from hsi.sampling import BandPCA
from hsi.scenes.synthetic import synthetic_scene
from hsi.training import Classifier
from hsi.workflows.export.exporting import FORMATS, write_checked

# Components, and side of a patch; with attention after a plus sign.
SIZES = {
    "hybridsn": (14, 11), "hybridsn-dw": (14, 11), "hybridsn-2d3d": (14, 11),
    "hybridsn-se": (14, 11), "hybridsn-eca": (14, 11), "hybridsn-dw+mhsa": (14, 11),
    "hybridsn-dw+cbam": (14, 11), "cnn1d-hu": (20, 1), "rnn-mou": (9, 1), "cnn3d-hamida": (14, 5),
    "cnn3d-li": (14, 5), "cnn3d-chen": (8, 27), "contextual-lee": (14, 5), "m3d-he": (29, 7),
    "ssrn": (14, 7), "a2s2k": (14, 5), "ssftt": (6, 9), "spectralformer": (9, 3), "svm": (9, 1),
    "random-forest": (9, 1), "knn": (9, 1), "logistic-regression": (9, 1), "lenet5": (6, 33),
}  # fmt: skip
SEED = 0


def trained(name: str, components: int, patch_size: int, scene: hsi.Scene) -> Classifier:
    """Return a classifier with weights as they are before a training, and statistics as after."""
    base, _, attention = name.partition("+")
    reduction = BandPCA(components, whiten=True).fit(scene.cube)
    options: dict[str, Any] = {
        "name": base, "bands": components, "classes": len(scene.class_ids),
        "patch_size": patch_size,
    }  # fmt: skip
    options |= {"attention": attention} if attention else {}
    torch.manual_seed(SEED)
    network = hsi.build_model(**options)
    if isinstance(network, SpectralEstimator):
        known = reduction.transform(scene.cube)[scene.labels > 0][::7]
        targets = np.searchsorted(scene.class_ids, scene.labels[scene.labels > 0][::7])
        network.learn(known, targets, validation=None, seed=SEED)
    else:
        warmed(network)
    return Classifier(
        network=network.eval(),
        options=options,
        reduction=reduction,
        class_ids=scene.class_ids,
        class_names=scene.class_names,
        class_colors=scene.class_colors,
    )


@torch.no_grad()
def warmed(network: PatchNetwork) -> None:
    """Let batch norms see some patches."""
    for _ in range(3):
        network.train()(torch.randn(16, network.bands, network.patch_size, network.patch_size))


def main() -> None:
    scene = synthetic_scene(rows=70, cols=70, bands=36, classes=4, seed=SEED)
    rows = []
    for name in sys.argv[1:] or SIZES:
        components, patch_size = SIZES[name]
        classifier = trained(name, components, patch_size, scene)
        row: dict[str, Any] = {"network": name, "patch": patch_size, "components": components}
        for format_ in FORMATS:
            start = time.perf_counter()
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"model{FORMATS[format_]}"
                about, checked = write_checked(path, classifier, scene, format=format_)
                row |= {
                    "form": about.form,
                    f"{format_} difference": checked.difference,
                    f"{format_} bytes": path.stat().st_size,
                    f"{format_} seconds": round(time.perf_counter() - start, 1),
                }
        rows.append(row)
        print(json.dumps(row), flush=True)
    if len(sys.argv) == 1:
        versions = {each: version(each) for each in ("onnx", "onnxscript", "onnxruntime")}
        report("exported_networks", rows, seed=SEED, **versions)


if __name__ == "__main__":
    main()
