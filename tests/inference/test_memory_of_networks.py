"""What networks with long spectra take while they map a scene is within what is asked for."""

import numpy as np
import pytest
import torch

from hsi.inference import predict_scene
from hsi.models import build_model


def peak_bytes(function):
    """Return what PyTorch had allocated at most, beside what was there before."""
    with torch.profiler.profile(profile_memory=True) as profile:
        function()
    events = profile.profiler.kineto_results.events()
    changes = sorted((e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]")
    return int(np.cumsum([size for _, size in changes]).max())


@pytest.mark.parametrize(
    ("name", "patch_size", "bands", "megabytes"),
    [("cnn3d-chen", 27, 45, 110), ("rnn-mou", 1, 100, 80)],
)
def test_a_map_takes_no_more_than_it_may(name, patch_size, bands, megabytes):
    model = build_model(name, bands=bands, classes=5, patch_size=patch_size)
    cube = np.random.default_rng(0).standard_normal((45, 60, bands)).astype(np.float32)
    predict_scene(model, cube[:5, :5], device="cpu")  # what is kept from the first time on
    enough = peak_bytes(lambda: predict_scene(model, cube, device="cpu", max_memory="4G"))
    few = megabytes * 10**6
    assert enough > few
    assert peak_bytes(lambda: predict_scene(model, cube, device="cpu", max_memory=few)) <= few
