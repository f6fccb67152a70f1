"""A device that has less memory than it said: the same map, in smaller pieces."""

import subprocess
import sys

import numpy as np
import pytest
import torch

import hsi
from hsi.errors import OutOfMemoryError
from hsi.inference import dense, patchwise, predict_pixels, predict_scene

CUBE = np.random.default_rng(0).normal(size=(70, 90, 14)).astype(np.float32)


@pytest.fixture
def model():
    return hsi.build_model("hybridsn-dw", bands=14, classes=4, patch_size=9).eval()


class Full:
    """Fails as long as a region is larger, or a batch longer, than the device can take."""

    def __init__(self, monkeypatch, *, positions=None, batch=None):
        self.failures, self.largest = 0, 0
        own = dense.DenseNetwork._features

        def features(network, region):
            if positions and region.shape[1] * region.shape[2] > positions:
                self.fail()
            self.largest = max(self.largest, region.shape[1] * region.shape[2])
            return own(network, region)

        batches = patchwise.in_batches

        def in_batches(network, region, corners, size, count):
            if batch and count > batch:
                self.fail()
            self.largest = max(self.largest, count)
            return batches(network, region, corners, size, count)

        monkeypatch.setattr(dense.DenseNetwork, "_features", features)
        monkeypatch.setattr(patchwise, "in_batches", in_batches)

    def fail(self):
        self.failures += 1
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


@pytest.mark.parametrize("method", ["dense", "patches"])
def test_the_map_is_the_same_in_smaller_pieces(model, monkeypatch, counted, method):
    expected = predict_scene(model, CUBE, method=method, device="cpu")
    full = Full(monkeypatch, positions=900, batch=20)
    found = predict_scene(model, CUBE, method=method, device="cpu")
    assert full.failures >= 2
    assert 0 < full.largest <= 900
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    counted("memory", "tiles that did not fit while predicting", full.failures)


@pytest.mark.parametrize("method", ["dense", "patches"])
def test_so_are_the_scores_of_some_pixels(model, monkeypatch, method):
    pixels = np.argwhere(np.random.default_rng(1).random(CUBE.shape[:2]) < 0.03)
    expected = predict_pixels(model, CUBE, pixels, method=method, device="cpu")
    full = Full(monkeypatch, positions=900, batch=20)
    found = predict_pixels(model, CUBE, pixels, method=method, device="cpu")
    assert full.failures >= 2
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", ["dense", "patches"])
def test_what_never_fits_is_said(model, monkeypatch, method):
    Full(monkeypatch, positions=1, batch=-1)
    with pytest.raises(OutOfMemoryError, match=r"cpu has not enough memory.*\n.*--device cpu"):
        predict_scene(model, CUBE, method=method, device="cpu")


REAL = """
import re, resource
import numpy as np, torch, hsi
from hsi.inference import predict_scene, tiled

torch.set_num_threads(1)
torch.manual_seed(0)
cube = np.random.default_rng(0).normal(size=(340, 340, 30)).astype(np.float32)
model = hsi.build_model("hybridsn-dw", bands=30, classes=9, patch_size=25).eval()
predict_scene(model, cube[:60, :60], device="cpu", method="dense")
own, failures = tiled.TiledNetwork._take_less, []
tiled.TiledNetwork._take_less = lambda self, error: (failures.append(error), own(self, error))
_, most = resource.getrlimit(resource.RLIMIT_AS)
for spare in (300, 150, 75):  # how much a tile takes, and how much is mapped and free, differs
    used = int(re.search(r"VmSize:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
    resource.setrlimit(resource.RLIMIT_AS, (used + spare * 2**20, most))
    found = predict_scene(model, cube, device="cpu", method="dense", max_memory="8G")
    if failures:
        break
assert failures
resource.setrlimit(resource.RLIMIT_AS, (most, most))
expected = predict_scene(model, cube, device="cpu", method="dense")
assert np.allclose(found, expected, rtol=1e-4, atol=1e-4), abs(found - expected).max()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are those of Linux")
def test_a_process_that_may_have_no_more_memory(counted):
    done = subprocess.run([sys.executable, "-c", REAL], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    counted("memory", "processes that were given less memory than they planned with")


def test_other_errors_are_no_lack_of_memory(model, monkeypatch):
    def broken(network, region):
        raise RuntimeError("sizes of tensors must match")

    monkeypatch.setattr(dense.DenseNetwork, "_features", broken)
    with pytest.raises(RuntimeError, match="must match"):
        predict_scene(model, CUBE, method="dense", device="cpu")
