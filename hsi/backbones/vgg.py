"""VGG: nothing but 3x3 convolutions, five times halved.

Simonyan, Zisserman (2015), "Very Deep Convolutional Networks for Large-Scale Image Recognition",
https://arxiv.org/abs/1409.1556; batch norm by Ioffe, Szegedy (2015),
https://arxiv.org/abs/1502.03167. Convolutions in each stage, the paper's columns A, B, D and E::

    channels   output of 224x224     11   13   16   19
    64         224x224               1    2    2    2
    128        112x112               1    2    2    2
    256        56x56                 2    2    3    4
    512        28x28                 2    2    3    4
    512        14x14                 2    2    3    4
    linear     4096, 4096, classes, with dropout 0.5 between

Each stage ends with a 2x2 maximum of stride 2. What the last leaves is averaged to 7x7 before the
linear layers where it has another size. Attention comes before each pooling. The small stem has no
pooling after the first stage.
"""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from hsi.backbones.network import AttentionFactory, Backbone
from hsi.layers.placing import attention_before

STAGES = (64, 128, 256, 512, 512)
HIDDEN = 4096
SIDE = 7
DROPOUT = 0.5


class VGG(Backbone):
    """A VGG network; state-dict keys are torchvision's.

    Parameters
    ----------
    depths : tuple of int
        Convolutions in each of the five stages.
    batch_norm : bool
        Whether a batch norm follows each convolution.
    channels, classes : int
        Sizes of input and output.
    attention : AttentionFactory, optional
        Makes the attention block of each stage.
    small_stem : bool
        For images much smaller than 224x224.
    """

    first_layer = "features.0"
    last_layer = "classifier.6"

    def __init__(
        self,
        *,
        depths: tuple[int, int, int, int, int],
        batch_norm: bool = False,
        channels: int = 3,
        classes: int = 1000,
        attention: AttentionFactory | None = None,
        small_stem: bool = False,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential()
        before = channels
        for stage, (width, depth) in enumerate(zip(STAGES, depths, strict=True)):
            for _ in range(depth):
                self.features.append(_convolution(before, width))
                if batch_norm:
                    self.features.append(nn.BatchNorm2d(width))
                self.features.append(nn.ReLU(inplace=True))
                before = width
            pooling = nn.Identity() if small_stem and stage == 0 else nn.MaxPool2d(2)
            self.features.append(attention_before(pooling, attention, width))
        self.avgpool = nn.AdaptiveAvgPool2d(SIDE)
        self.classifier = nn.Sequential(
            _linear(before * SIDE**2, HIDDEN),
            nn.ReLU(inplace=True),
            nn.Dropout(DROPOUT),
            _linear(HIDDEN, HIDDEN),
            nn.ReLU(inplace=True),
            nn.Dropout(DROPOUT),
            _linear(HIDDEN, classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits ``(N, classes)`` of `images` ``(N, channels, h, w)``."""
        x = self.avgpool(self.features(images))  # (N, 512, 7, 7)
        return self.classifier(x.flatten(1))


def _convolution(in_channels: int, out_channels: int) -> nn.Conv2d:
    layer = nn.Conv2d(in_channels, out_channels, 3, padding=1)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer


def _linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=0.01)
    nn.init.zeros_(layer.bias)
    return layer


DEPTHS = {
    "vgg11": (1, 1, 2, 2, 2),
    "vgg13": (2, 2, 2, 2, 2),
    "vgg16": (2, 2, 3, 3, 3),
    "vgg19": (2, 2, 4, 4, 4),
}
VARIANTS = {
    "vgg11": partial(VGG, depths=DEPTHS["vgg11"]),
    "vgg11_bn": partial(VGG, depths=DEPTHS["vgg11"], batch_norm=True),
    "vgg13": partial(VGG, depths=DEPTHS["vgg13"]),
    "vgg13_bn": partial(VGG, depths=DEPTHS["vgg13"], batch_norm=True),
    "vgg16": partial(VGG, depths=DEPTHS["vgg16"]),
    "vgg16_bn": partial(VGG, depths=DEPTHS["vgg16"], batch_norm=True),
    "vgg19": partial(VGG, depths=DEPTHS["vgg19"]),
    "vgg19_bn": partial(VGG, depths=DEPTHS["vgg19"], batch_norm=True),
}
