"""What `test_killed_trainings` runs in a process of its own, with its names given from outside."""

# ruff: noqa: F821

import torch

import hsi
from hsi.workflows import kept

torch.set_num_threads(1)
kept.CHECKPOINT_SECONDS = 0.02
scene = hsi.load_scene(paths[0], labels=paths[1])
if work == "train":
    hsi.train(scene, out=out, **settings)
else:
    hsi.resume(out, scene, device="cpu", report=False)
