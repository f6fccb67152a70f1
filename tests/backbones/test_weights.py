"""What becomes of the weights in a file."""

import os
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from hsi.backbones import build_backbone
from hsi.backbones.googlenet import GoogLeNet
from hsi.backbones.weights import load_weights, read_weights, with_channels
from hsi.errors import UsageError, WeightsError


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
    with pytest.raises(WeightsError, match="code, for one, which is not run"):
        build_backbone("lenet5", weights=tmp_path / "w.pth")
    assert not (tmp_path / "ran").exists()
    torch.load(tmp_path / "w.pth", weights_only=False)  # it is one that would run
    assert (tmp_path / "ran").exists()


def test_a_bare_pickle_does_not_run(tmp_path):
    (tmp_path / "w.pth").write_bytes(pickle.dumps(Malicious(tmp_path / "ran")))
    with pytest.raises(WeightsError):
        build_backbone("lenet5", weights=tmp_path / "w.pth")
    assert not (tmp_path / "ran").exists()


def test_a_whole_module_is_refused(tmp_path):
    torch.save(nn.Linear(2, 2), tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"torch.save\(network.state_dict\(\), PATH\)"):
        build_backbone("lenet5", weights=tmp_path / "w.pth")


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
    messages = []
    for variant in variants:
        path.write_bytes(variant)
        try:
            read_weights(path)
        except WeightsError as error:
            messages.append(str(error))
    assert len(messages) >= 12
    assert all(message.startswith(f"{path} is damaged") for message in messages)


@pytest.mark.parametrize(
    ("weights", "words"),
    [("imagnet", "no such file"), ("", "empty"), ("missing.pth", "or 'imagenet'")],
)
def test_what_is_no_file(weights, words):
    with pytest.raises(UsageError, match=words):
        build_backbone("lenet5", weights=weights)
