"""AlexNet, in the version that fits one processor.

Krizhevsky (2014), "One weird trick for parallelizing convolutional neural networks",
https://arxiv.org/abs/1404.5997; after Krizhevsky, Sutskever, Hinton (2012), "ImageNet
Classification with Deep Convolutional Neural Networks". Output sizes for 224x224::

    layers                                     output (channels, h, w)
    11x11 convolution, stride 4                64, 55, 55
    3x3 maximum, stride 2                      64, 27, 27
    5x5 convolution                            192, 27, 27
    3x3 maximum, stride 2                      192, 13, 13
    3x3 convolutions                           384, 256, 256 channels
    3x3 maximum, stride 2                      256, 6, 6
    linear                                     4096, 4096, classes, with dropout before the hidden

Maps of another size are averaged to 6x6 before the linear layers. Attention comes before each
pooling. In the small stem the first layer is a 3x3 convolution of stride 1 without pooling.
"""

from __future__ import annotations

from torch import Tensor, nn

from hsi.backbones.network import AttentionFactory, Backbone
from hsi.layers.placing import attention_before

# (channels, size, stride, padding, whether pooling follows)
CONVOLUTIONS = (
    (64, 11, 4, 2, True),
    (192, 5, 1, 2, True),
    (384, 3, 1, 1, False),
    (256, 3, 1, 1, False),
    (256, 3, 1, 1, True),
)
HIDDEN = 4096
SIDE = 6
DROPOUT = 0.5


class AlexNet(Backbone):
    """AlexNet; state-dict keys are torchvision's.

    Parameters
    ----------
    channels, classes : int
        Sizes of input and output.
    attention : AttentionFactory, optional
        Makes the three attention blocks.
    small_stem : bool
        For images much smaller than 224x224.
    """

    first_layer = "features.0"
    last_layer = "classifier.6"

    def __init__(
        self,
        *,
        channels: int = 3,
        classes: int = 1000,
        attention: AttentionFactory | None = None,
        small_stem: bool = False,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential()
        before = channels
        for i, (after, size, stride, padding, pooled) in enumerate(CONVOLUTIONS):
            small = small_stem and i == 0
            if small:
                size, stride, padding = 3, 1, 1
            self.features.append(nn.Conv2d(before, after, size, stride, padding))
            self.features.append(nn.ReLU(inplace=True))
            if pooled:
                pooling = nn.Identity() if small else nn.MaxPool2d(3, 2)
                self.features.append(attention_before(pooling, attention, after))
            before = after
        self.avgpool = nn.AdaptiveAvgPool2d(SIDE)
        self.classifier = nn.Sequential(
            nn.Dropout(DROPOUT),
            nn.Linear(before * SIDE**2, HIDDEN),
            nn.ReLU(inplace=True),
            nn.Dropout(DROPOUT),
            nn.Linear(HIDDEN, HIDDEN),
            nn.ReLU(inplace=True),
            nn.Linear(HIDDEN, classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits ``(N, classes)`` of `images` ``(N, channels, h, w)``."""
        x = self.avgpool(self.features(images))  # (N, 256, 6, 6)
        return self.classifier(x.flatten(1))


VARIANTS = {"alexnet": AlexNet}
