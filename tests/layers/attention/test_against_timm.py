"""The blocks that timm has as well: the same weights give the same values."""

import pytest
import torch

OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


@pytest.fixture(scope="module")
def layers():
    """Return timm's layers; the torchvision below it may lack two operators (without CUDA)."""
    pytest.importorskip("timm", exc_type=ModuleNotFoundError)
    import timm.layers
    import timm.layers.cbam
    import timm.layers.coord_attn

    return timm.layers


@pytest.fixture(scope="module", autouse=True)
def torchvision():
    try:
        import torchvision
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")
        for operator in OPERATORS:
            library.define(operator)
        import torchvision  # noqa: F401


def coordinate(layers):
    block = layers.coord_attn.CoordAttn(64, rd_channels=8)
    # The paper's last two layers have biases.
    block.conv_h, block.conv_w = torch.nn.Conv2d(8, 64, 1), torch.nn.Conv2d(8, 64, 1)
    return block


THEIRS = {
    "se": lambda layers: layers.SEModule(64, rd_ratio=1 / 16, rd_divisor=1),
    "eca": lambda layers: layers.EcaModule(64),
    "cbam": lambda layers: layers.cbam.CbamModule(64, mlp_bias=True),
    "sk": lambda layers: layers.SelectiveKernel(
        64, groups=32, rd_channels=32, split_input=False
    ),
    "ca": coordinate,
}  # fmt: skip


@pytest.mark.parametrize("name", THEIRS)
def test_values_equal_those_of_timm(layers, drawn, image, name):
    own, other = drawn(name, 64), THEIRS[name](layers).double().eval()
    values = own.state_dict().values()
    names = other.state_dict().keys()
    other.load_state_dict(dict(zip(names, values, strict=True)))
    x = image(2, 64, 9, 6)
    with torch.no_grad():
        torch.testing.assert_close(own(x), other(x), rtol=1e-12, atol=1e-12)
