"""A training with attention: from the setting to the file and back."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import hsi
from hsi.errors import UsageError
from hsi.layers.attention.eca import EfficientChannelAttention
from hsi.models import MODELS
from hsi.training import Settings, read_config


@pytest.fixture(scope="module")
def finished(tmp_path_factory, scene):
    return hsi.train(
        scene, model="hybridsn-dw", attention="eca", out=tmp_path_factory.mktemp("runs") / "run",
        patch_size=9, components=13, train=0.15, epochs=2, batch_size=16, device="cpu",
    )  # fmt: skip


def test_the_network_that_was_trained_comes_back_with_its_attention(finished, scene):
    network = hsi.Run(finished.path).classifier.network
    block = network.head[0]
    assert isinstance(block, EfficientChannelAttention)
    fresh = hsi.build_model("hybridsn-dw", bands=13, classes=3, patch_size=9, attention="eca")
    parameters = sum(weight.numel() for weight in fresh.parameters())
    assert finished.metrics["parameters"] == parameters
    # It was trained and not drawn anew.
    scores = hsi.predict_scene(
        network, finished.classifier.components(scene), method="patches", device="cpu"
    )
    mapped = finished.classifier.class_map(scene, device="cpu")
    assert (finished.classifier.class_ids[scores.argmax(0)] == mapped)[scene.valid].all()


def test_the_run_says_so_and_can_be_run_again(finished, scene, tmp_path):
    stored = read_config(finished.path / "config.toml")
    assert stored["settings"]["attention"] == "eca"
    assert "hybridsn-dw-with-eca" in (finished.path / "report.html").read_text()
    again = hsi.train(
        scene, Settings.from_table(stored["settings"]), out=tmp_path / "again", device="cpu"
    )
    one, other = (run.classifier.network.state_dict() for run in (finished, again))
    assert one.keys() == other.keys()
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_a_map_from_the_file_is_the_map_of_the_training(finished, scene, tmp_path):
    hsi.map_scene(hsi.Run(finished.path), scene, out=tmp_path / "map", device="cpu")
    maps = []
    for folder in (finished.path, tmp_path / "map"):
        with Image.open(folder / "class_map.tif") as raster:
            maps.append(np.array(raster))
    assert (maps[0] == maps[1]).all()
    assert len(np.unique(maps[0])) > 1


def test_attention_in_the_trunk_is_refused_before_the_training(scene, tmp_path, monkeypatch, small):
    def build(*, bands, classes, patch_size, norm, dropout, attention=None):
        blocks = [attention(4)] if attention else []
        return hsi.PatchNetwork(
            trunk=nn.Sequential(nn.Conv2d(bands, 4, 3), *blocks),
            head=nn.Sequential(nn.Flatten(), nn.Linear(4 * (patch_size - 2) ** 2, classes)),
            bands=bands, classes=classes, patch_size=patch_size, receptive_field=3,
        )  # fmt: skip

    monkeypatch.setattr("hsi.models.registry.MODELS", dict(MODELS))
    hsi.register_model("attention-in-trunk", build)
    with pytest.raises(UsageError, match="other values on a scene than on a patch"):
        hsi.train(scene, model="attention-in-trunk", attention="se", out=tmp_path / "run", **small)
    assert not (tmp_path / "run").exists()


def test_a_misspelt_name_leaves_nothing_behind(scene, tmp_path, small):
    with pytest.raises(UsageError, match="unknown attention 'ecaa'; did you mean 'eca'"):
        hsi.train(scene, attention="ecaa", out=tmp_path / "run", **small)
    assert not (tmp_path / "run").exists()


def test_a_run_without_a_name_is_named_after_model_and_attention(
    scene, tmp_path, monkeypatch, small
):
    monkeypatch.chdir(tmp_path)
    run = hsi.train(scene, attention="se-var1", **(small | {"epochs": 1}))
    assert "hybridsn-dw-with-se-var1" in run.path.name
