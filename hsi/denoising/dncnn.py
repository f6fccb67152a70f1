"""DnCNN, the network that predicts the noise in an image.

Zhang, Zuo, Chen, Meng and Zhang (2017), "Beyond a Gaussian Denoiser: Residual Learning of Deep CNN
for Image Denoising", IEEE Transactions on Image Processing 26 (7), https://arxiv.org/abs/1608.03981.
"""

from __future__ import annotations

from torch import nn

from hsi.errors import UsageError, check_whole_number

WIDTH, SIZE = 64, 3
# The paper's networks for one level of noise, and for a range of them (section IV-A).
FIXED_DEPTH, BLIND_DEPTH = 17, 20


class DnCNN(nn.Sequential):
    """A stack of 3x3 convolutions, ``(N, channels, rows, cols)`` noisy to the same shape of noise.

    ======= ============================ ===================
    layer   what                         channels
    ======= ============================ ===================
    1       convolution, ReLU            channels to 64
    2..D-1  convolution, batch norm,     64 to 64
            ReLU
    D       convolution                  64 to channels
    ======= ============================ ===================

    Every convolution is padded with zeros, so that the size stays, and has no bias: within, batch
    norms have one. Its parameters, those of the batch norms counted, are ``1152 channels + 36992
    (D - 2)``: for one channel 556,032 with 17 layers and 667,008 with 20. Each output sees `depth`
    pixels in every direction.

    Initial weights are those of He et al. (2015), as in the paper, but for the last layer: it
    begins with zeros, so that an untrained network leaves an image as it is.

    Parameters
    ----------
    channels : int
        Images that are denoised together, such as neighbouring bands.
    depth : int
        Number of convolutions D, 3 or more; 17 and 20 in the paper.

    Raises
    ------
    UsageError
        If a number is none, or too small.

    Examples
    --------
    >>> sum(weight.numel() for weight in DnCNN(channels=1, depth=17).parameters())
    556032
    """

    def __init__(self, *, channels: int, depth: int) -> None:
        for what, value, least in (("channels", channels, 1), ("depth", depth, 3)):
            check_whole_number(what, value)
            if value < least:
                raise UsageError(f"{what} is {value}; expected {least} or more")
        inner = [layer for _ in range(depth - 2) for layer in _inner()]
        last = _conv(WIDTH, channels)
        nn.init.zeros_(last.weight)
        super().__init__(_conv(channels, WIDTH), nn.ReLU(), *inner, last)
        self.channels, self.depth = channels, depth

    @property
    def halo(self) -> int:
        """How many pixels in each direction an output depends on."""
        return self.depth * (SIZE // 2)


def _inner() -> list[nn.Module]:
    return [_conv(WIDTH, WIDTH), nn.BatchNorm2d(WIDTH), nn.ReLU()]


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, SIZE, padding=SIZE // 2, bias=False)
    nn.init.kaiming_normal_(layer.weight)
    return layer
