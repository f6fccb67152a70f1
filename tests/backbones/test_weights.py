"""What becomes of the weights in a file."""

import os
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import hsi
from hsi.backbones import BACKBONES, build_backbone
from hsi.backbones.googlenet import GoogLeNet
from hsi.backbones.registry import FOR_SCENES
from hsi.backbones.weights import load_weights, read_weights, with_channels
from hsi.errors import UsageError, WeightsError
from hsi.models import MODELS


@pytest.fixture(scope="module")
def source():
    """A network whose running statistics are not those of a fresh one, either."""
    torch.manual_seed(0)
    network = build_backbone("mobilenet_v1_x0_25", classes=5)
    for value in network.state_dict().values():
        if value.is_floating_point() and value.ndim == 1:
            value.uniform_(0.5, 1.5)
    return network.eval()


@pytest.fixture(scope="module")
def file(source, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "source.pth"
    torch.save(source.state_dict(), path)
    return path


def rebuild(file, **changes):
    options = {"name": "mobilenet_v1_x0_25", "classes": 5, "weights": file}
    return build_backbone(**(options | changes))


def counted(network):
    return [key for key in network.state_dict() if not key.endswith("num_batches_tracked")]


def save_plain(state, path):
    torch.save(state, path)


def save_old(state, path):
    torch.save(state, path, _use_new_zipfile_serialization=False)


def save_parallel(state, path):
    torch.save({f"module.{key}": value for key, value in state.items()}, path)


def save_checkpoint(state, path):
    nested = {f"model.module.{key}": value for key, value in state.items()}
    torch.save({"epoch": 3, "optimizer": {"lr": 0.1}, "state_dict": nested}, path)


def save_half(state, path):
    torch.save({key: value.double() for key, value in state.items()}, path)


@pytest.mark.parametrize(
    "save", [save_plain, save_old, save_parallel, save_checkpoint, save_half, save_file]
)
def test_every_way_of_saving_gives_the_same_network(source, save, tmp_path):
    path = tmp_path / ("w.safetensors" if save is save_file else "w.pth")
    save(source.state_dict(), path)
    network = rebuild(path).eval()
    images = torch.randn(2, 3, 40, 40)
    with torch.no_grad():
        assert torch.equal(network(images), source(images))
    assert network.loaded.tensors == len(network.loaded.loaded) == len(counted(source))
    assert not network.loaded.left
    assert str(network.loaded) == f"{len(counted(source))} of {len(counted(source))} " + (
        f"tensors from {path.name}"
    )


def test_a_fresh_network_says_so():
    assert build_backbone("lenet5").loaded is None


@pytest.mark.parametrize("channels", [1, 2, 3, 30])
def test_a_grey_image_gives_the_same_response_in_any_number_of_channels(source, file, channels):
    network = rebuild(file, channels=channels).eval()
    grey = torch.randn(2, 1, 40, 40)
    with torch.no_grad():
        got = network(grey.expand(-1, channels, -1, -1))
        expected = source(grey.expand(-1, 3, -1, -1))
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)
    assert network.loaded.adapted == (() if channels == 3 else ("features.0.0.weight",))


def test_channels_are_adapted_by_the_formula():
    weight = torch.randn(4, 3, 5, 5)
    mean = weight.numpy().mean(axis=1) * 3 / 7
    adapted = with_channels(weight, 7).numpy()
    for channel in range(7):
        np.testing.assert_allclose(adapted[:, channel], mean, rtol=1e-5, atol=1e-7)


def test_another_number_of_classes_leaves_the_classifier_fresh(source, file):
    torch.manual_seed(3)
    fresh = build_backbone("mobilenet_v1_x0_25", classes=2).state_dict()
    torch.manual_seed(3)
    network = rebuild(file, classes=2)
    last = (f"{network.last_layer}.weight", f"{network.last_layer}.bias")
    assert network.loaded.left == last
    for key, value in network.state_dict().items():
        assert torch.equal(value, fresh[key] if key in last else source.state_dict()[key]), key
    everything = len(counted(source))
    assert str(network.loaded) == (
        f"{everything - 2} of {everything} tensors from source.pth; {last[0]}, {last[1]} fresh"
    )


def test_attention_is_left_fresh_and_counted(file):
    network = rebuild(file, attention="se")
    assert len(network.loaded.loaded) == len(counted(build_backbone("mobilenet_v1_x0_25")))
    assert len(network.loaded.left) == network.loaded.tensors - len(network.loaded.loaded) > 0
    assert all(".fc1." in key or ".fc2." in key for key in network.loaded.left)


def test_a_stem_of_another_size_is_left_fresh(tmp_path):
    torch.save(build_backbone("resnet18").state_dict(), tmp_path / "w.pth")
    network = build_backbone("resnet18", small_stem=True, weights=tmp_path / "w.pth")
    assert network.loaded.left == ("conv1.weight",)
    assert len(network.loaded.loaded) == 101  # of 20 convolutions and norms, and a linear layer


def test_what_the_file_has_besides_is_named(tmp_path):
    torch.save(GoogLeNet(auxiliary=True, classes=4).state_dict(), tmp_path / "w.pth")
    loaded = build_backbone("googlenet", classes=4, weights=tmp_path / "w.pth").loaded
    assert not loaded.left
    assert {key.partition(".")[0] for key in loaded.unused} == {"aux1", "aux2"}
    assert "aux1.conv.conv.weight" in str(loaded)
    assert "and 14 more of the file not used" in str(loaded)


def test_the_names_of_the_published_densenets_are_understood(tmp_path):
    network = build_backbone("densenet121").eval()
    network.classifier.bias.data.fill_(3.0)
    old = {}
    for key, value in network.state_dict().items():
        for layer in ("norm1", "norm2", "conv1", "conv2"):
            key = key.replace(f".{layer}.", f".{layer[:-1]}.{layer[-1]}.")
        if not key.endswith("num_batches_tracked"):
            old[key] = value
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    save_old(old, tmp_path / "w.pth")
    loaded = build_backbone("densenet121", weights=tmp_path / "w.pth").loaded
    assert len(loaded.loaded) == loaded.tensors == 606
    assert not loaded.unused


def test_weights_of_another_network_are_refused_by_name(tmp_path):
    with torch.device("meta"):
        shapes = build_backbone("resnet50", classes=3).state_dict()
    torch.save({key: torch.zeros(value.shape) for key, value in shapes.items()}, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="another network than resnet18") as caught:
        build_backbone("resnet18", classes=3, weights=tmp_path / "w.pth")
    assert "layer1.0.conv1.weight (64, 64, 1, 1) instead of (64, 64, 3, 3)" in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 5


def test_a_refused_file_leaves_the_network_as_it_was(tmp_path):
    network = build_backbone("lenet5")
    before = {key: value.clone() for key, value in network.state_dict().items()}
    state = {key: torch.zeros_like(value) for key, value in before.items()}
    torch.save(state | {"classifier.0.bias": torch.zeros(7)}, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"classifier.0.bias \(7,\)"):
        load_weights(network, tmp_path / "w.pth", name="lenet5")
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_a_file_of_a_smaller_network_is_refused_and_recognised(tmp_path):
    """All that the file has fits: what it lacks are whole blocks."""
    torch.save(build_backbone("resnet18").state_dict(), tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="lacks 80 of the 182 tensors of resnet34") as caught:
        build_backbone("resnet34", weights=tmp_path / "w.pth", classes=4, channels=5)
    message = str(caught.value)
    assert "layer1.2.conv1.weight" in message
    assert "and 76 more" in message
    assert "weights of resnet18;" in message
    assert len(message.splitlines()) <= 5


def test_a_file_without_one_layer_is_refused(source, tmp_path):
    name = [key for key in source.state_dict() if key.endswith("running_var")][7]
    state = {key: value for key, value in source.state_dict().items() if key != name}
    assert len(state) == len(source.state_dict()) - 1
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=f"lacks 1 of the .*\n  {name}\n.*as a whole"):
        rebuild(tmp_path / "w.pth")


@pytest.mark.parametrize(("name", "classifier"), [("resnet18", "fc."), ("vgg11", "classifier.")])
def test_features_without_a_classifier_are_taken(name, classifier, tmp_path):
    with torch.device("meta"):
        shapes = build_backbone(name, classes=2).state_dict()
    state = {
        key: torch.zeros(value.shape)
        for key, value in shapes.items()
        if not key.startswith(classifier)
    }
    loaded = build_backbone(name, classes=2, weights=state).loaded
    assert loaded.left
    assert all(key.startswith(classifier) for key in loaded.left)


def test_attention_of_the_network_itself_must_be_in_the_file(tmp_path):
    with torch.device("meta"):
        shapes = build_backbone("efficientnet_b0", attention="eca").state_dict()
    state = {key: torch.zeros(value.shape) for key, value in shapes.items()}
    assert build_backbone("efficientnet_b0", attention="eca", weights=state).loaded.left == ()
    without = {key: value for key, value in state.items() if not key.endswith("conv.weight")}
    assert build_backbone("efficientnet_b0", attention="eca", weights=without).loaded.left
    with pytest.raises(WeightsError, match=r"lacks .* of efficientnet_b0"):
        build_backbone("efficientnet_b0", weights=state)


def test_tensors_by_name_are_weights(source):
    network = rebuild(source.state_dict()).eval()
    images = torch.randn(2, 3, 40, 40)
    with torch.no_grad():
        assert torch.equal(network(images), source(images))
    assert str(network.loaded).endswith("tensors from a mapping")
    assert rebuild({"state_dict": source.state_dict()}).loaded.loaded == network.loaded.loaded


@pytest.mark.parametrize("weights", [5, True, [torch.zeros(3)], torch.zeros(3), b"w.pth"])
def test_weights_of_another_type_are_refused(weights):
    with pytest.raises(UsageError, match="weights must be 'imagenet', the path of a file, or a ma"):
        build_backbone("lenet5", weights=weights)


@pytest.mark.parametrize(
    "content", [{}, {"a.b": torch.zeros(3)}, {"epoch": 3}, [torch.zeros(3)], torch.zeros(3), 7]
)
def test_nothing_loaded_is_an_error(content, tmp_path):
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="holds nothing for lenet5") as caught:
        build_backbone("lenet5", weights=tmp_path / "w.pth")
    assert "features.0.weight" in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 5


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("among", [True, False])
def test_code_in_a_file_does_not_run(tmp_path, zipped, among):
    payload = Malicious(tmp_path / "ran")
    content = {"features.0.bias": torch.zeros(6), "more": payload} if among else payload
    torch.save(content, tmp_path / "w.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match=rf"{os.mkdir.__module__}.mkdir\), which is not opened"):
        build_backbone("lenet5", weights=tmp_path / "w.pth")
    assert not (tmp_path / "ran").exists()
    torch.load(tmp_path / "w.pth", weights_only=False)  # it is one that would run
    assert (tmp_path / "ran").exists()


def test_a_bare_pickle_does_not_run(tmp_path):
    (tmp_path / "w.pth").write_bytes(pickle.dumps(Malicious(tmp_path / "ran")))
    with pytest.raises(WeightsError, match="holds pickled objects besides tensors"):
        build_backbone("lenet5", weights=tmp_path / "w.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("among", [True, False])
def test_a_whole_module_is_not_called_damaged(tmp_path, zipped, among):
    module = nn.Sequential(nn.Linear(2, 2))
    content = {"epoch": 3, "state_dict": module.state_dict(), "net": module} if among else module
    torch.save(content, tmp_path / "w.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match="holds a pickled module") as caught:
        build_backbone("lenet5", weights=tmp_path / "w.pth")
    message = str(caught.value)
    assert "damaged" not in message
    assert "torch.nn.modules.container.Sequential" in message
    assert "would run code" in message
    assert message.endswith("torch.save(network.state_dict(), PATH)")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda weight: weight.to_sparse(), "is sparse_coo; expected dense"),
        (lambda weight: weight.to(torch.complex64), "is complex64; expected dense floating"),
        (lambda weight: (100 * weight).to(torch.int8), "is int8; expected dense floating"),
        (lambda weight: weight.to("meta"), "has a shape, but no values"),
        (lambda weight: weight.log(), "holds NaN or infinity"),
    ],
)
def test_tensors_that_are_no_weights_are_named(source, tmp_path, change, words):
    path = tmp_path / "odd.pth"
    name = f"{source.first_layer}.weight"
    torch.save(source.state_dict() | {name: change(source.state_dict()[name])}, path)
    for channels in (3, 5):
        with pytest.raises(WeightsError, match=f"{name} {words}"):
            rebuild(path, channels=channels)


@pytest.mark.parametrize("suffix", [".pth", ".old.pth", ".safetensors"])
def test_damaged_files_are_a_message(tmp_path, suffix):
    path = tmp_path / f"w{suffix}"
    state = {"a.weight": torch.arange(12.0).view(3, 4), "a.bias": torch.zeros(3)}
    save = {".pth": save_plain, ".old.pth": save_old, ".safetensors": save_file}[suffix]
    save(state, path)
    whole = path.read_bytes()
    generator = np.random.default_rng(0)
    variants = [whole[: len(whole) * i // 12] for i in range(12)]
    for _ in range(60):
        bytes_ = bytearray(whole)
        for place in generator.integers(0, len(whole), 3):
            bytes_[place] ^= 1 << generator.integers(8)
        variants.append(bytes(bytes_))
    messages = {}
    for number, variant in enumerate(variants):
        path.write_bytes(variant)
        try:
            read_weights(path)
        except WeightsError as error:
            messages[number] = str(error)
    others = {
        number: message
        for number, message in messages.items()
        if not message.startswith(f"{path} is damaged")
    }
    assert messages.keys() >= {*range(12)}  # what ends too early
    if suffix == ".old.pth":
        # Without check sums, a name in which a bit has changed may pass for that of another class.
        # Of how many variants, differs: the file holds addresses of the process that wrote it.
        assert others.keys().isdisjoint(range(12))
        others = {
            number: message
            for number, message in others.items()
            if "holds pickled objects besides tensors" not in message
        }
    assert not others


@pytest.mark.parametrize("method", [8, 9, 12, 14])
def test_a_pickle_that_is_falsely_said_to_be_packed(tmp_path, method):
    """Of an archive as `torch.save` writes it, whose members are all as they are."""
    path = tmp_path / "w.pth"
    save_plain({"a.weight": torch.arange(12.0)}, path)
    content = bytearray(path.read_bytes())
    # In the directory at the end, a name follows 46 bytes, of which the tenth is the method.
    entry = content.rindex(b"w/data.pkl") - 46
    assert content[entry : entry + 4] == b"PK\x01\x02"
    content[entry + 10] = method
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="is damaged"):
        read_weights(path)


@pytest.mark.parametrize(
    ("weights", "words"),
    [("imagnet", "no such file"), ("", "empty"), ("missing.pth", "or 'imagenet'")],
)
def test_what_is_no_file(weights, words):
    with pytest.raises(UsageError, match=words):
        build_backbone("lenet5", weights=weights)


def test_networks_for_scenes_are_no_backbones_and_said_to_be():
    assert set(FOR_SCENES) == MODELS.keys() - BACKBONES.keys()
    for name in FOR_SCENES:
        with pytest.raises(UsageError, match=f"network for scenes: `hsi train --model {name}`"):
            build_backbone(name)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"channels": "3"}, "channels must be a whole number, not '3'"),
        ({"channels": 3.0}, "channels must be a whole number, not 3.0"),
        ({"classes": True}, "classes must be a whole number, not True"),
        ({"small_stem": "yes"}, "small_stem must be True or False, not 'yes'"),
        ({"attention": 5}, "attention must be a name or a function"),
        ({"name": None}, "backbone must be a name, not None"),
        ({"name": "forest"}, "unknown backbone 'forest'\n`hsi models` lists all"),
    ],
)
def test_arguments_of_another_type_are_told_what_was_expected(arguments, words):
    with pytest.raises(UsageError, match=words) as caught:
        build_backbone(**({"name": "lenet5"} | arguments))
    assert len(str(caught.value).splitlines()) <= 5


@pytest.mark.parametrize("name", [None, 5, ["se"]])
def test_names_of_attention_are_text(name):
    with pytest.raises(UsageError, match="attention must be a name, not"):
        hsi.build_attention(name, channels=8)
