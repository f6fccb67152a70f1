"""Image networks as classifiers of patches: one after the other, from training to the map."""

import numpy as np
import pytest
import torch
from torch import nn

import hsi
from hsi.backbones import BACKBONES
from hsi.backbones.registry import FOR_SCENES
from hsi.errors import UsageError
from hsi.inference import predict_scene
from hsi.models import MODELS, build_model, check_trunk, count_parameters
from hsi.models.cost import shapes_alone
from hsi.scenes import Scene

# One that pools to a fixed size, one with batch norms, one with dropout of its own.
SAMPLES = ["lenet5", "resnet18", "mobilenet_v2"]


@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_is_a_model_without_a_trunk(name):
    with shapes_alone():
        model = build_model(name, bands=5, classes=4, patch_size=25)
    assert not model.has_trunk
    assert model.window_size == model.patch_size
    assert model.head.get_submodule(model.head.first_layer).in_channels == 5
    assert model.head.get_submodule(model.head.last_layer).out_features == 4
    check_trunk(model)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_map_is_that_of_patches_cut_by_hand(name):
    torch.manual_seed(0)
    model = build_model(name, bands=4, classes=3, patch_size=13)
    model.train()
    with torch.no_grad():
        model(torch.randn(16, 4, 13, 13))  # running statistics other than those at the start
    cube = np.random.default_rng(0).normal(size=(3, 4, 4)).astype(np.float32)
    padded = np.pad(cube, ((6, 6), (6, 6), (0, 0)))
    patches = [padded[r : r + 13, c : c + 13].transpose(2, 0, 1) for r, c in np.ndindex(3, 4)]
    with torch.no_grad():
        expected = model.eval()(torch.tensor(np.stack(patches))).T.reshape(3, 3, 4).numpy()
    for method in ("auto", "patches"):
        scores = predict_scene(model, cube, method=method, device="cpu")
        np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-5 * np.ptp(expected))
    with pytest.raises(UsageError, match="trunk"):
        predict_scene(model, cube, method="dense", device="cpu")


def test_the_small_stem_is_used():
    model = build_model("resnet18", bands=3, classes=3)
    assert model.head.conv1.stride == (1, 1)
    assert isinstance(model.head.maxpool, nn.Identity)


@pytest.mark.parametrize(("name", "layers"), [("lenet5", 1), ("resnet18", 1), ("vgg11", 2)])
def test_dropout_is_that_which_was_asked_for(name, layers):
    with shapes_alone():
        model = build_model(name, bands=3, classes=3, dropout=0.3)
        plain = hsi.build_backbone(name, channels=3, classes=3, small_stem=True)
    found = [each.p for each in model.modules() if isinstance(each, nn.Dropout)]
    assert found == [0.3] * layers
    assert count_parameters(model) == count_parameters(plain)


def test_dropout_acts_before_the_last_layer():
    torch.manual_seed(0)
    model = build_model("lenet5", bands=2, classes=3, dropout=0.9).train()
    patches = torch.randn(2, 2, 25, 25)
    assert not torch.equal(model(patches), model(patches))
    model.eval()
    assert torch.equal(model(patches), model(patches))


@pytest.mark.parametrize("name", ["resnet18", "vgg11_bn", "efficientnet_b0"])
def test_a_network_does_not_go_without_its_norms(name):
    with shapes_alone(), pytest.raises(UsageError, match=f"{name} has batch norms.*\n.*norm batch"):
        build_model(name, bands=4, classes=3, norm="none")


@pytest.mark.parametrize("name", ["lenet5", "vgg11", "alexnet"])
def test_networks_without_norms_take_either_word(name):
    with shapes_alone():
        sizes = {count_parameters(build_model(name, bands=4, classes=3, norm=norm))
                 for norm in ("batch", "none")}  # fmt: skip
    assert len(sizes) == 1


def test_attention_goes_into_the_network():
    with shapes_alone():
        model = build_model("resnet18", bands=4, classes=3, attention="eca")
        plain = build_model("resnet18", bands=4, classes=3)
    # Two blocks of each of 64, 128, 256 and 512 channels, kernels by the paper's formula.
    assert count_parameters(model) - count_parameters(plain) == 2 * (3 + 5 + 5 + 5)
    with pytest.raises(UsageError, match="take resnet50 for another"):
        build_model("se_resnet50", bands=4, classes=3, attention="eca")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"bands": 0}, "at least one band"),
        ({"classes": 1}, "at least 2 classes"),
        ({"patch_size": 24}, "must be odd"),
        ({"name": "alexnet", "patch_size": 3}, "cannot work on patches of side 3"),
        ({"name": "vgg11", "patch_size": 9}, "cannot work on patches of side 9.*\n25 is large"),
        ({"norm": "bach"}, "did you mean 'batch'"),
        ({"dropout": 1.0}, r"\[0, 1\)"),
        ({"attention": "ecca"}, "did you mean 'eca'"),
    ],
)
def test_impossible_sizes_are_refused(arguments, words):
    with shapes_alone(), pytest.raises(UsageError, match=words):
        build_model(**({"name": "resnet18", "bands": 4, "classes": 3} | arguments))


@pytest.fixture(scope="module")
def field(scene):
    """A corner of the scene, so small that mapping it patch by patch takes a second."""
    return Scene(name="field", cube=scene.cube[8:22, 6:24], labels=scene.labels[8:22, 6:24])


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_from_training_to_the_map_and_back_from_the_file(name, field, tmp_path, small):
    options = small | {"steps": 2, "batch_size": 8, "components": 3, "train": 0.3}
    del options["epochs"]
    run = hsi.train(field, out=tmp_path / "run", model=name, **options)
    trained = run.classifier.network
    assert run.metrics["parameters"] == count_parameters(trained)
    again = hsi.Run(run.path)
    assert again.settings.model == name
    for key, value in trained.state_dict().items():
        assert torch.equal(again.classifier.network.state_dict()[key], value), key
    first = (run.path / "class_map.tif").read_bytes()
    saved = hsi.map_scene(again, field, out=tmp_path / "map", device="cpu")
    assert saved.raster.read_bytes() == first


def test_names_are_not_taken_twice():
    assert len(MODELS) == len(BACKBONES) + len(set(FOR_SCENES))


@pytest.fixture
def photograph_weights(tmp_path):
    """A file as if it had been learned on photographs, and the network that it is of."""
    torch.manual_seed(5)
    network = hsi.build_backbone("mobilenet_v1_x0_25", classes=7)
    torch.save(network.state_dict(), tmp_path / "photographs.pth")
    return tmp_path / "photographs.pth", network


def test_weights_of_photographs_are_fitted_to_components(photograph_weights):
    file, network = photograph_weights
    model = build_model("mobilenet_v1_x0_25", bands=5, classes=3, patch_size=13, weights=file)
    first = network.get_submodule(network.first_layer).weight.detach()
    adapted = model.head.get_submodule(network.first_layer).weight.detach()
    for channel in range(5):
        torch.testing.assert_close(adapted[:, channel], first.mean(dim=1) * 3 / 5)
    assert model.loaded.left == ("classifier.weight", "classifier.bias")
    assert model.loaded.adapted == (f"{network.first_layer}.weight",)
    for name in set(model.loaded.loaded) - set(model.loaded.adapted):
        assert torch.equal(model.head.state_dict()[name], network.state_dict()[name]), name
    assert build_model("mobilenet_v1_x0_25", bands=5, classes=3, patch_size=13).loaded is None


def test_a_first_layer_that_the_small_stem_lacks_counts_as_fresh():
    with torch.device("meta"):
        shapes = hsi.build_backbone("resnet18").state_dict()
    state = {name: torch.zeros(value.shape) for name, value in shapes.items()}
    loaded = build_model("resnet18", bands=4, classes=3, patch_size=9, weights=state).loaded
    assert loaded.left == ("conv1.weight", "fc.weight", "fc.bias")
    assert "99 of 102 tensors" in str(loaded)
    assert "conv1.weight, fc.weight, fc.bias fresh" in str(loaded)


@pytest.mark.parametrize("name", FOR_SCENES)
def test_networks_for_scenes_have_no_weights_to_start_from(name):
    with pytest.raises(UsageError, match=rf"'{name}' starts from fresh weights.*\n.*none\)"):
        build_model(name, bands=30, classes=3, weights="imagenet")


def test_a_run_starts_from_weights_and_needs_them_no_more(
    photograph_weights, field, tmp_path, small, monkeypatch
):
    file, _ = photograph_weights
    options = small | {"steps": 1, "batch_size": 8, "components": 4, "train": 0.3}
    del options["epochs"]
    options |= {"model": "mobilenet_v1_x0_25", "patch_size": 13}
    monkeypatch.chdir(tmp_path)
    run = hsi.train(field, out="run", weights=file.name, report=False, **options)
    said = run.metrics["weights"]
    assert "tensors from photographs.pth; features.0.0.weight adapted to the number" in said
    # Where the file is, from anywhere.
    assert run.settings.weights == str(file)
    again = hsi.train(field, run.settings, out="again", device="cpu", report=False)
    fresh = hsi.train(field, run.settings, out="fresh", device="cpu", weights="none", report=False)
    file.unlink()
    for key, value in run.classifier.network.state_dict().items():
        assert torch.equal(hsi.Run("run").classifier.network.state_dict()[key], value), key
        assert torch.equal(again.classifier.network.state_dict()[key], value), key
    assert fresh.metrics["weights"] is None
    one, other = (dict(each.classifier.network.named_parameters()) for each in (run, fresh))
    assert not any(torch.equal(one[name], other[name]) for name in one if one[name].ndim == 4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"bands": "3"}, "bands must be a whole number, not '3'"),
        ({"classes": True}, "classes must be a whole number, not True"),
        ({"patch_size": 25.0}, "patch_size must be a whole number, not 25.0"),
        ({"dropout": "a"}, "dropout must be a number, not 'a'"),
        ({"dropout": None}, "dropout must be a number, not None"),
        ({"norm": None}, "norm must be a name, not None\nKnown: batch, none"),
        ({"attention": 5}, "attention must be a name or a function from a number of channels"),
        ({"attention": nn.Identity()}, "to a module, not a Identity"),
        ({"weights": 5}, "weights must be 'imagenet', the path of a file, or a mapping"),
        ({"name": 5}, "model must be a name, not 5"),
        ({"name": ["resnet18"]}, "model must be a name, not"),
        ({"name": "quagmire"}, "unknown model 'quagmire'\n`hsi models` lists all"),
    ],
)
@pytest.mark.parametrize("name", ["lenet5", "hybridsn"])
def test_arguments_of_another_type_are_told_what_was_expected(name, arguments, words):
    if name == "hybridsn" and arguments.get("weights"):
        words = "starts from fresh weights"
    with shapes_alone(), pytest.raises(UsageError, match=words) as caught:
        build_model(**({"name": name, "bands": 30, "classes": 3} | arguments))
    assert len(str(caught.value).splitlines()) <= 5


def test_numbers_of_numpy_are_numbers():
    sizes = {"bands": np.int64(4), "classes": np.uint8(3), "patch_size": np.int32(25)}
    with shapes_alone():
        assert build_model("lenet5", dropout=np.float32(0.5), attention="se", **sizes)
