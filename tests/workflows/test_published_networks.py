"""The published networks of all bands go the whole way: training, map, test, and being opened."""

import numpy as np
import pytest
import torch

import hsi
from hsi.models import usual

# In the least time in which each learns three classes of a made scene.
RECIPES = {
    "cnn1d-hu": {"epochs": 60, "learning_rate": 0.01},
    "rnn-mou": {"epochs": 6},
    "cnn3d-hamida": {"epochs": 4},
    "cnn3d-li": {"epochs": 20, "learning_rate": 0.01},
    "cnn3d-chen": {"epochs": 3, "batch_size": 8, "learning_rate": 0.001},
    "contextual-lee": {"epochs": 6},
    "m3d-he": {"epochs": 14},
}


@pytest.fixture(scope="module")
def field(tmp_path_factory, write_scene):
    folder = write_scene(tmp_path_factory.mktemp("field") / "scene", bands=30)
    return hsi.load_scene(folder / "cube.npy", labels=folder / "truth.npy")


@pytest.mark.parametrize("name", RECIPES)
def test_a_network_is_trained_on_what_it_is_usually_given(name, field, tmp_path):
    recipe = {"train": 0.15, "batch_size": 32} | RECIPES[name]
    run = hsi.train(field, out=tmp_path / "run", model=name, device="cpu", report=False, **recipe)
    assert run.metrics["patch_size"] == usual(name).patch_size
    assert run.metrics["reduction"] == "bands"
    network = run.classifier.network
    assert network.bands == 30
    assert run.metrics["oa"] > 0.75
    again = hsi.Run(run.path).classifier.network
    for key, value in network.state_dict().items():
        assert torch.equal(again.state_dict()[key], value), key
    scores = hsi.predict_scene(again, np.zeros((3, 4, 30), np.float32), device="cpu")
    assert scores.shape == (3, 3, 4)
