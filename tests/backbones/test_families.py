"""What is particular to a family, and what torchvision cannot tell."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from hsi.backbones import build_backbone
from hsi.backbones.googlenet import GoogLeNet
from hsi.backbones.preresnet import PreBlock
from hsi.errors import UsageError
from hsi.layers.residual import BasicBlock, Bottleneck


def randomise(network):
    """Give norms and everything else values that are not their start."""
    torch.manual_seed(0)
    with torch.no_grad():
        for value in network.state_dict().values():
            if value.is_floating_point() and value.ndim == 1:
                value.uniform_(0.5, 1.5)
    return network.eval()


def same_with_other_names(ours, theirs, *renamed):
    """Load the weights of `ours` into `theirs` and compare their scores."""
    state = ours.state_dict()
    for here, there in renamed:
        state = {key.replace(here, there): value for key, value in state.items()}
    theirs.load_state_dict(state)
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        got, expected = ours(images), theirs(images)
    assert (expected[0] - expected[1]).abs().max() > 1e-3 * expected.abs().max()
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("name", ["se", "eca"])
def test_attention_stands_where_timm_has_it(timm, name):
    theirs = timm.models.resnet.ResNet(
        timm.models.resnet.Bottleneck, (3, 4, 6, 3), block_args={"attn_layer": name}
    )
    ours = randomise(build_backbone(f"{name}_resnet50"))
    same_with_other_names(ours, theirs.eval(), (".attention.", ".se."))


def test_lenet_equals_numpy():
    network = randomise(build_backbone("lenet5", channels=2, classes=3)).double()
    image = torch.randn(2, 28, 28, dtype=torch.float64)
    weights = {key: value.numpy() for key, value in network.state_dict().items()}
    x = np.pad(image.numpy(), ((0, 0), (2, 2), (2, 2)))
    for layer in ("features.0", "features.3"):
        windows = np.lib.stride_tricks.sliding_window_view(x, (5, 5), axis=(1, 2))
        x = np.einsum("chwij,ocij->ohw", windows, weights[f"{layer}.weight"])
        x = np.tanh(x + weights[f"{layer}.bias"][:, None, None])
        x = x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2).mean(axis=(2, 4))
    assert x.shape == (16, 5, 5)
    x = x.reshape(-1)
    for layer in ("classifier.0", "classifier.2"):
        x = np.tanh(weights[f"{layer}.weight"] @ x + weights[f"{layer}.bias"])
    scores = weights["classifier.4.weight"] @ x + weights["classifier.4.bias"]
    with torch.no_grad():
        np.testing.assert_allclose(network(image[None])[0].numpy(), scores, rtol=1e-10)


def test_a_preactivated_block_passes_its_input_on_as_it_is():
    """The point of the paper: nothing stands in the way, not even a ReLU."""
    block = PreBlock(8, convolutions=((4, 1, 1), (4, 3, 1), (8, 1, 1)))
    torch.nn.init.zeros_(block.residual[-1].weight)
    x = torch.randn(2, 8, 5, 5)
    assert torch.equal(block(x), x)


def test_a_preactivated_block_is_the_formula():
    torch.manual_seed(0)
    block = PreBlock(3, convolutions=((5, 3, 2), (6, 3, 1))).eval()
    x = torch.randn(2, 3, 9, 9)
    active = F.relu(block.norm(x))
    first, norm, _, second = block.residual
    y = F.conv2d(active, first.weight, stride=2, padding=1)
    y = F.conv2d(F.relu(norm(y)), second.weight, padding=1)
    expected = y + F.conv2d(active, block.shortcut.weight, stride=2)
    torch.testing.assert_close(block(x), expected)


@pytest.mark.parametrize(
    "attention", [None, lambda channels: torch.nn.Conv2d(channels, channels, 1)]
)
def test_residual_blocks_leave_their_input_alone(attention):
    """They add in place, to what they made themselves."""
    x = torch.randn(2, 8, 6, 6)
    before = x.clone()
    blocks = [
        BasicBlock(8, 8, attention=attention),
        BasicBlock(8, 16, stride=2, attention=attention),
        Bottleneck(8, 8, width=4, attention=attention),
        PreBlock(8, convolutions=((8, 3, 1), (8, 3, 1)), attention=attention),
    ]
    for block in blocks:
        y = block(x)
        assert torch.equal(x, before)
        y.sum().backward()


def test_selective_kernels_do_the_halving_of_their_block():
    network = build_backbone("sk_resnet50", small_stem=True).eval()
    with torch.no_grad():
        x = network.layer1(torch.randn(1, 64, 12, 12))
        assert network.layer2(x).shape == (1, 512, 6, 6)
    assert network.layer2[0].conv2.branches[0][0].groups == 32


def test_auxiliary_heads_must_be_asked_for():
    with torch.device("meta"):
        plain, full = GoogLeNet(), GoogLeNet(auxiliary=True, classes=10)
    with pytest.raises(UsageError, match="auxiliary=True"):
        plain.with_auxiliary(torch.empty(1, 3, 64, 64))
    scores = full.eval().with_auxiliary(torch.empty(2, 3, 64, 64, device="meta"))
    assert [each.shape for each in scores] == [(2, 10)] * 3


def test_auxiliary_heads_teach_the_modules_below_them():
    """As docs/backbones.md has it: the loops of hsi train the network without."""
    torch.manual_seed(0)
    network = GoogLeNet(classes=3, auxiliary=True)
    scores = network.with_auxiliary(torch.randn(2, 3, 64, 64))
    truth = torch.tensor([0, 2])
    (0.3 * sum(F.cross_entropy(each, truth) for each in scores[1:])).backward()
    reached = {name.partition(".")[0] for name, weight in network.named_parameters()
               if weight.grad is not None}  # fmt: skip
    assert {"conv1", "inception4a", "inception4d", "aux1", "aux2"} <= reached
    assert not reached & {"inception4e", "inception5a", "inception5b", "fc"}
    assert not build_backbone("googlenet", classes=3).auxiliary
