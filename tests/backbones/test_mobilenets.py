"""MobileNet V1 and V2: where attention stands, shortcuts, small stems, and timm's V1."""

import pytest
import torch
from torch import nn

from hsi.backbones import build_backbone
from hsi.backbones.mobilenet_v2 import Block


class Silence(nn.Module):
    """Attention that lets nothing pass."""

    def __init__(self, channels):
        super().__init__()
        self.channels = channels

    def forward(self, x):
        return 0 * x


def places(network):
    return [module.channels for module in network.modules() if isinstance(module, Silence)]


def test_attention_stands_behind_each_block():
    with torch.device("meta"):
        v1 = build_backbone("mobilenet_v1_x0_5", attention=Silence)
        v2 = build_backbone("mobilenet_v2", attention=Silence)
    assert places(v1) == [32, 64, 64, 128, 128, *[256] * 6, 512, 512]
    assert places(v2) == [
        16, 24, 24, *[32] * 3, *[64] * 4, *[96] * 3, *[160] * 3, 320,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("after", "stride", "shortcut"), [(8, 1, True), (8, 2, False), (12, 1, False)]
)
def test_attention_acts_on_the_residual_and_not_on_the_shortcut(after, stride, shortcut):
    block = Block(8, after, expansion=6, stride=stride, attention=Silence).eval()
    x = torch.randn(1, 8, 6, 6)
    y = block(x)
    assert y.shape == (1, after, 6 // stride, 6 // stride)
    assert torch.equal(y, x) if shortcut else not y.any()


def test_mobilenet_v1_is_timms(torchvision):
    """In timm its activation is the ReLU6 of later networks, unless it is told otherwise."""
    import timm  # which imports torchvision

    torch.manual_seed(0)
    ours = build_backbone("mobilenet_v1", classes=10).eval()
    theirs = timm.create_model("mobilenetv1_100", num_classes=10, act_layer="relu").eval()
    for name, value in ours.state_dict().items():
        if name.endswith("running_var") or (value.ndim == 1 and name.endswith("weight")):
            nn.init.uniform_(value, 0.5, 1.5)
    # The layers have other names, and come in the same order.
    state = dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True))
    theirs.load_state_dict(state)
    images = torch.randn(2, 3, 64, 72)
    with torch.no_grad():
        got, expected = ours(images), theirs(images)
    assert expected.std() > 1e-3
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-5 * float(expected.abs().max()))
