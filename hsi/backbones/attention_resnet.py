"""ResNet-50 with the attention that made it known.

- ``se_resnet50``: Hu, Shen, Sun (2018), "Squeeze-and-Excitation Networks",
  https://arxiv.org/abs/1709.01507.
- ``eca_resnet50``: Wang et al. (2020), "ECA-Net", https://arxiv.org/abs/1910.03151.
- ``cbam_resnet50``: Woo et al. (2018), "CBAM", https://arxiv.org/abs/1807.06521.
- ``sk_resnet50``: Li, Wang, Hu, Yang (2019), "Selective Kernel Networks",
  https://arxiv.org/abs/1903.06586: selective kernels of 32 groups in place of the 3x3 convolutions,
  which have half as many channels as their block's output instead of a quarter.

The first three are ``resnet50`` with ``attention="se"`` and so on. The last takes ``attention``
besides, on the residual of each block.
"""

from __future__ import annotations

from functools import partial

from torch import nn

from hsi.backbones.network import AttentionFactory
from hsi.backbones.resnet import VARIANTS as RESNETS
from hsi.backbones.resnet import ResNet
from hsi.errors import UsageError
from hsi.layers.attention import attention_factory, build_attention

GROUPS = 32
GROUP_WIDTH = 128


def attention_resnet50(
    *,
    own: str,
    channels: int = 3,
    classes: int = 1000,
    attention: AttentionFactory | None = None,
    small_stem: bool = False,
) -> ResNet:
    """Build ResNet-50 with the attention `own` on each residual.

    Raises
    ------
    UsageError
        If `attention` is given: the place is taken.
    """
    if attention is not None:
        raise UsageError(
            f"{own}_resnet50 has its attention already; take resnet50 for another, or leave "
            "attention out"
        )
    return RESNETS["resnet50"](
        channels=channels,
        classes=classes,
        attention=attention_factory(own),
        small_stem=small_stem,
    )


def selective_kernels(channels: int, stride: int) -> nn.Module:
    """Return the selective kernel unit of a block."""
    return build_attention("sk", channels=channels, groups=GROUPS, stride=stride)


VARIANTS = {
    "se_resnet50": partial(attention_resnet50, own="se"),
    "eca_resnet50": partial(attention_resnet50, own="eca"),
    "cbam_resnet50": partial(attention_resnet50, own="cbam"),
    "sk_resnet50": partial(
        ResNet,
        block="bottleneck",
        depths=(3, 4, 6, 3),
        group_width=GROUP_WIDTH,
        middle=selective_kernels,
    ),
}
