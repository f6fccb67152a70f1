"""Batch, layer and instance norm on the same batch: which values each averages.

    python examples/norms.py

A batch ``(N, C, h, w)`` has N images of C channels. All three subtract a mean and divide by a
deviation; they differ in the axes over which these are taken:

    batch norm      N, h, w     a mean for each channel, over all images
    layer norm      C, h, w     a mean for each image, over all channels
    instance norm   h, w        a mean for each channel of each image

A batch norm therefore needs the batch: in evaluation mode it uses averages that it kept while it
was trained. The others give each image the same result, whatever else is in the batch.
"""

import torch
from torch import nn

N, C, H, W = 4, 3, 5, 6
AXES = {"batch": (0, 2, 3), "layer": (1, 2, 3), "instance": (2, 3)}
EPSILON = 1e-5


def norms() -> dict[str, nn.Module]:
    """Return PyTorch's norms, as they are before they have learned a scale and an offset."""
    return {
        "batch": nn.BatchNorm2d(C, eps=EPSILON),
        "layer": nn.LayerNorm((C, H, W), eps=EPSILON),
        "instance": nn.InstanceNorm2d(C, eps=EPSILON),
    }


def by_hand(x: torch.Tensor, axes: tuple[int, ...]) -> torch.Tensor:
    """Standardise `x` over `axes`."""
    mean = x.mean(dim=axes, keepdim=True)
    variance = x.var(dim=axes, keepdim=True, correction=0)
    return (x - mean) / torch.sqrt(variance + EPSILON)


def main() -> None:
    """Compare each norm with its formula, and say what it depends on."""
    torch.manual_seed(0)
    # Images of different brightness, channels of different contrast.
    brightness, contrast = torch.randn(N, 1, 1, 1), torch.rand(1, C, 1, 1) + 0.5
    x = brightness + contrast * torch.randn(N, C, H, W)
    print(f"x has shape {tuple(x.shape)}: images, channels, rows, columns\n")
    for name, norm in norms().items():
        y = norm(x)
        difference = float((y - by_hand(x, AXES[name])).abs().max().detach())
        means = int(
            torch.tensor(x.shape).prod() / torch.tensor([x.shape[i] for i in AXES[name]]).prod()
        )
        alone = float((norm(x[:1]) - y[:1]).abs().max().detach())
        print(f"{name} norm: {means} means, over the axes {AXES[name]}")
        print(f"  furthest from the formula: {difference:.1e}")
        print(f"  an image alone instead of in the batch changes by {alone:.1e}")
        if difference > 1e-5:
            raise SystemExit(f"{name} norm does not average over the axes {AXES[name]}")

    norm = nn.BatchNorm2d(C, eps=EPSILON, momentum=None)  # None: the mean over all batches so far
    norm(x)
    norm.eval()
    alone = float((norm(x[:1]) - norm(x)[:1]).abs().max().detach())
    print(f"batch norm in evaluation mode: an image alone changes by {alone:.1e}")


if __name__ == "__main__":
    main()
