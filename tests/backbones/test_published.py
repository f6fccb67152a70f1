"""Published weights: addresses, cache, downloads. Nothing leaves the loopback interface."""

import hashlib
import io

import pytest
import torch

from hsi.backbones import BACKBONES, build_backbone, published, standardization
from hsi.errors import UsageError, WeightsError


@pytest.fixture
def content():
    """The bytes of a file with weights of LeNet-5."""
    torch.manual_seed(0)
    with io.BytesIO() as file:
        torch.save(build_backbone("lenet5", classes=4).state_dict(), file)
        return file.getvalue()


@pytest.fixture
def lenet(server, content, monkeypatch, tmp_path):
    """Name of a file that the server has, as if weights of LeNet-5 were published."""
    name = f"lenet5-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    server.pages[f"/{name}"] = (200, content, None)
    monkeypatch.setattr(published, "SERVER", f"{server.address}/")
    monkeypatch.setitem(published.FILES, "lenet5", name)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return name


def test_addresses_are_torchvisions(torchvision):
    for name, file in published.FILES.items():
        weights = torchvision.models.get_model_weights(name)
        assert weights.IMAGENET1K_V1.url == published.SERVER + file


def test_all_that_torchvision_publishes_is_there(torchvision):
    available = set(torchvision.models.list_models(module=torchvision.models))
    assert published.FILES.keys() == available & BACKBONES.keys()


@pytest.mark.parametrize("name", published.FILES)
def test_photographs_are_scaled_as_torchvision_does(torchvision, name):
    """GoogLeNet of torchvision scales its input once more, when it has these weights."""
    transform = torchvision.models.get_model_weights(name).IMAGENET1K_V1.transforms()
    image = torch.rand(1, 3, 4, 5)
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (transform.mean, transform.std))
    expected = (image - mean) / std
    if name == "googlenet":
        with torch.device("meta"):
            theirs = torchvision.models.GoogLeNet(
                transform_input=True, aux_logits=False, init_weights=False
            )
        expected = theirs._transform_input(expected)
    ours = standardization(name)
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in ours)
    torch.testing.assert_close((image - mean) / std, expected, rtol=1e-5, atol=1e-5)


def test_weights_are_downloaded_once_into_the_cache(server, lenet, bare_machine, content):
    network = build_backbone("lenet5", classes=4, weights="imagenet")
    assert len(network.loaded.loaded) == network.loaded.tensors == 10
    assert (bare_machine / "weights" / lenet).read_bytes() == content
    build_backbone("lenet5", classes=2, weights="imagenet")
    assert server.asked == [f"/{lenet}"]


@pytest.mark.parametrize("place", ["data/weights", "data", "torch/hub/checkpoints"])
def test_weights_that_are_here_are_not_downloaded(
    server, lenet, content, place, tmp_path, monkeypatch
):
    monkeypatch.setenv("HSI_DATA", str(tmp_path / "data"))
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / lenet).write_bytes(content)
    assert build_backbone("lenet5", classes=4, weights="imagenet").loaded.source == lenet
    assert server.asked == []


def test_another_content_is_not_kept(server, lenet, bare_machine):
    server.pages[f"/{lenet}"] = (200, b"something else", None)
    with pytest.raises(WeightsError, match="sent another file, whose sha256 begins with"):
        build_backbone("lenet5", weights="imagenet")
    assert not [path for path in bare_machine.rglob("*") if path.is_file()]


def test_a_damaged_file_in_the_cache_is_not_used(server, lenet, bare_machine, content):
    path = bare_machine / "weights" / lenet
    path.parent.mkdir(parents=True)
    path.write_bytes(content[:-1])
    with pytest.raises(WeightsError, match="is damaged: its sha256 begins with"):
        build_backbone("lenet5", weights="imagenet")
    path.unlink()
    build_backbone("lenet5", weights="imagenet")


def test_without_a_network_it_says_where_the_file_is_and_goes(lenet, monkeypatch):
    monkeypatch.setattr(published, "reachable_addresses", lambda addresses: [])
    with pytest.raises(WeightsError, match="does not answer") as caught:
        build_backbone("lenet5", weights="imagenet")
    assert published.SERVER + lenet in str(caught.value)
    assert "$HSI_DATA/weights/" in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 5


def test_a_server_that_has_it_no_more(server, lenet):
    del server.pages[f"/{lenet}"]
    with pytest.raises(WeightsError, match="answers 404"):
        build_backbone("lenet5", weights="imagenet")


def test_a_cache_that_cannot_be_written(lenet, bare_machine):
    bare_machine.parent.mkdir()
    bare_machine.write_text("a file where the folder should be")
    with pytest.raises(WeightsError, match="cannot be stored"):
        build_backbone("lenet5", weights="imagenet")


@pytest.mark.parametrize("name", ["preresnet18", "se_resnet50", "lenet5"])
def test_what_is_not_published_is_said_with_what_is(name):
    with pytest.raises(UsageError, match=f"no published weights for {name}\n.*resnet18, "):
        build_backbone(name, weights="imagenet")
