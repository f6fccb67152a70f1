"""ResNeXt: ResNet whose 3x3 convolutions work in 32 groups.

Xie, Girshick, Dollár, Tu, He (2017), "Aggregated Residual Transformations for Deep Neural
Networks", https://arxiv.org/abs/1611.05431. "32x4d" are 32 groups of 4 channels each in the first
stage, and of twice as many in each that follows. All else is as in `hsi.backbones.resnet`.
"""

from __future__ import annotations

from functools import partial

from hsi.backbones.resnet import ResNet

VARIANTS = {
    "resnext50_32x4d": partial(
        ResNet, block="bottleneck", depths=(3, 4, 6, 3), groups=32, group_width=4
    ),
    "resnext101_32x8d": partial(
        ResNet, block="bottleneck", depths=(3, 4, 23, 3), groups=32, group_width=8
    ),
}
