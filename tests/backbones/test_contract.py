"""What every backbone promises, whatever its family."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from hsi.backbones import BACKBONES, build_backbone
from hsi.errors import UsageError
from hsi.layers.attention import build_attention

# The smallest of each family, for what needs real weights.
SAMPLES = [
    "lenet5",
    "alexnet",
    "vgg11",
    "vgg11_bn",
    "googlenet",
    "resnet18",
    "preresnet18",
    "resnext50_32x4d",
    "sk_resnet50",
    "densenet121",
    "mobilenet_v1_x0_25",
    "mobilenet_v2",
    "shufflenet_v1_g3_x0_5",
    "shufflenet_v2_x0_5",
    "efficientnet_b0",
]
TAKEN = ("se_resnet50", "eca_resnet50", "cbam_resnet50")


@pytest.mark.parametrize(
    ("name", "small_stem", "side"),
    [(name, True, 25) for name in BACKBONES]
    + [(name, *size) for name in SAMPLES for size in ((True, 32), (False, 96), (False, 224))],
)
def test_images_of_the_usual_sizes_have_scores(name, small_stem, side):
    with torch.device("meta"):
        network = build_backbone(name, channels=30, classes=7, small_stem=small_stem).eval()
        assert network(torch.empty(2, 30, side, side)).shape == (2, 7)


@pytest.mark.parametrize("name", BACKBONES)
def test_first_and_last_layer_are_where_it_says(name):
    with torch.device("meta"):
        network = build_backbone(name, channels=5, classes=7)
    first, last = map(network.get_submodule, (network.first_layer, network.last_layer))
    assert isinstance(first, nn.Conv2d)
    assert first.in_channels == 5
    assert isinstance(last, nn.Linear)
    assert last.out_features == 7


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "vgg11_bn"])
def test_a_small_stem_learns_from_patches(name):
    torch.manual_seed(0)
    network = build_backbone(name, channels=30, classes=3, small_stem=True)
    patches = torch.randn(4, 30, 25, 25)
    before = patches.clone()
    F.cross_entropy(network(patches), torch.tensor([0, 1, 2, 0])).backward()
    assert torch.equal(patches, before)
    without = [n for n, w in network.named_parameters() if w.grad is None]
    assert without == []
    first = network.get_submodule(network.first_layer)
    assert first.weight.grad.abs().sum(dim=(0, 2, 3)).min() > 0  # every component is seen


@pytest.mark.parametrize("name", SAMPLES)
def test_a_small_stem_looks_at_full_resolution(name):
    with torch.device("meta"):
        network = build_backbone(name, small_stem=True)
    assert network.get_submodule(network.first_layer).stride == (1, 1)


@pytest.mark.parametrize("name", [name for name in BACKBONES if name not in TAKEN])
def test_attention_is_added_and_all_other_names_stay(name):
    with torch.device("meta"):
        plain = build_backbone(name).state_dict()
        added = build_backbone(name, attention="eca").state_dict()
    assert len([key for key in added if key not in plain]) >= 2
    # In EfficientNet attention stands in for the squeeze-and-excitation that it has of itself.
    gone = [key for key in plain if key not in added]
    assert all(".fc1." in key or ".fc2." in key for key in gone)
    assert bool(gone) == name.startswith("efficientnet")


class Marked(nn.Module):
    """Attention that notes the channels it was made for, and the map it got."""

    def __init__(self, channels):
        super().__init__()
        self.channels, self.seen = channels, None

    def forward(self, x):
        self.seen = x.shape
        return x


@pytest.mark.parametrize("name", SAMPLES)
def test_attention_of_ones_own_is_used_in_every_place(name):
    with torch.device("meta"):
        network = build_backbone(name, attention=Marked, small_stem=True).eval()
        network(torch.empty(1, 3, 25, 25))
    blocks = [module for module in network.modules() if isinstance(module, Marked)]
    assert len(blocks) >= 2
    assert all(block.seen is not None for block in blocks)
    assert [block.seen[1] for block in blocks] == [block.channels for block in blocks]


@pytest.mark.parametrize("name", ["lenet5", "resnet18", "preresnet18"])
def test_attention_that_keeps_everything_changes_nothing(name):
    plain = build_backbone(name).eval()
    marked = build_backbone(name, attention=Marked).eval()
    marked.load_state_dict(plain.state_dict())
    images = torch.randn(1, 3, 40, 40)
    with torch.no_grad():
        assert torch.equal(marked(images), plain(images))


@pytest.mark.parametrize("name", TAKEN)
def test_a_place_that_is_taken_is_not_given_twice(name):
    with pytest.raises(UsageError, match="take resnet50 for another"):
        build_backbone(name, attention="se")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": "resnet19"}, "did you mean 'resnet1"),
        ({"channels": 0}, "at least one channel"),
        ({"classes": 0}, "at least one class"),
        ({"attention": "ecaa"}, "did you mean 'eca'"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments, words):
    with pytest.raises(UsageError, match=words):
        build_backbone(**({"name": "resnet18"} | arguments))


def test_misspelt_options_are_errors():
    with pytest.raises(TypeError, match="chanels"):
        build_backbone("resnet18", chanels=3)


@pytest.mark.parametrize("name", ["se", "eca", "cbam"])
def test_the_named_networks_are_resnet50_with_attention(name):
    with torch.device("meta"):
        named = build_backbone(f"{name}_resnet50").state_dict()
        composed = build_backbone(
            "resnet50", attention=lambda channels: build_attention(name, channels=channels)
        ).state_dict()
    assert {key: value.shape for key, value in named.items()} == {
        key: value.shape for key, value in composed.items()
    }
