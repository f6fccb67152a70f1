"""LeNet-5, which read the digits of cheques.

LeCun, Bottou, Bengio, Haffner (1998), "Gradient-based learning applied to document recognition",
Proceedings of the IEEE 86 (11), 2278-2324, https://doi.org/10.1109/5.726791. Output sizes for
28x28, the size of a digit (the paper writes it into 32x32, which is the padding here)::

    layers                                     output (channels, h, w)
    5x5 convolution, padding 2                 6, 28, 28
    2x2 mean                                   6, 14, 14
    5x5 convolution                            16, 10, 10
    2x2 mean                                   16, 5, 5
    linear                                     120, 84, classes

With one channel and ten classes it has 61,706 parameters. The paper's is a little smaller: there,
each second map sees some of the first, and the means are scaled. Images of another size are
averaged to 5x5 before the linear layers. Attention comes before each pooling. All images are small
to this network, so that its small stem is the usual one.
"""

from __future__ import annotations

from torch import Tensor, nn

from hsi.backbones.network import AttentionFactory, Backbone
from hsi.layers.placing import attention_before

# (channels, padding) of the two convolutions
CONVOLUTIONS = ((6, 2), (16, 0))
HIDDEN = (120, 84)
SIDE = 5


class LeNet5(Backbone):
    """LeNet-5.

    Parameters
    ----------
    channels, classes : int
        Sizes of input and output.
    attention : AttentionFactory, optional
        Makes the attention blocks.
    small_stem : bool
        The same network either way.
    """

    first_layer = "features.0"
    last_layer = "classifier.4"

    def __init__(
        self,
        *,
        channels: int = 3,
        classes: int = 1000,
        attention: AttentionFactory | None = None,
        small_stem: bool = False,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width_in = channels
        for width, padding in CONVOLUTIONS:
            layers += [nn.Conv2d(width_in, width, SIDE, padding=padding), nn.Tanh()]
            layers += [attention_before(nn.AvgPool2d(2), attention, width)]
            width_in = width
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(SIDE)
        self.classifier = nn.Sequential(
            nn.Linear(width_in * SIDE**2, HIDDEN[0]),
            nn.Tanh(),
            nn.Linear(HIDDEN[0], HIDDEN[1]),
            nn.Tanh(),
            nn.Linear(HIDDEN[1], classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits ``(N, classes)`` of `images` ``(N, channels, h, w)``."""
        x = self.pool(self.features(images))  # (N, 16, 5, 5)
        return self.classifier(x.flatten(1))


VARIANTS = {"lenet5": LeNet5}
