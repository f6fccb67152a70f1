"""Forward and backward of each image network against torchvision's.

    python benchmarks/backbones.py [--network resnet18 ...]

The same weights in both, in training mode, photographs of 224 x 224. The two take turns, each first
in every second one; a ratio is the median over the turns of our time divided by torchvision's.
"""

from __future__ import annotations

import argparse
import statistics
import time
from importlib.metadata import version
from typing import Any

import torch
from common import report
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from hsi.backbones import BACKBONES, build_backbone
from hsi.inference import reusing_memory

SIDE = 224
# torchvision's GoogLeNet has auxiliary heads unless told otherwise.
ARGUMENTS = {"googlenet": {"aux_logits": False, "init_weights": False}}
# As many images as make about so many multiply-adds, but at least two and at most sixteen.
MULTIPLY_ADDS = 6e9


def main() -> None:
    models = torchvision_models()
    shared = [name for name in BACKBONES if name in models.list_models(module=models)]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", nargs="+", default=shared, choices=shared, metavar="NAME")
    parser.add_argument("--repeat", type=int, default=8)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    rows = []
    for name in arguments.network:
        torch.manual_seed(0)
        ours = build_backbone(name)
        theirs = models.get_model(name, weights=None, **ARGUMENTS.get(name, {}))
        theirs.load_state_dict(ours.state_dict())
        images = torch.randn(count_images(name), 3, SIDE, SIDE, device=arguments.device)
        with reusing_memory():
            rows.append(
                {"network": name, "images": len(images)}
                | compare(
                    ours.to(arguments.device).train(),
                    theirs.to(arguments.device).train(),
                    images,
                    arguments.repeat,
                )
            )
        print(rows[-1], flush=True)
    report(
        "backbones",
        rows,
        seed=0,
        side=SIDE,
        torchvision=version("torchvision"),
        repeat=arguments.repeat,
        device=arguments.device,
    )


def torchvision_models() -> Any:
    """Import torchvision, next to a PyTorch without CUDA too.

    There its own operators are missing, and it stops when it tells PyTorch more about two of them.
    """
    try:
        from torchvision import models
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        from torchvision import models
    return models


def count_images(name: str) -> int:
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        build_backbone(name).eval()(torch.empty(1, 3, SIDE, SIDE))
    return int(min(max(2 * MULTIPLY_ADDS / counter.get_total_flops(), 2), 16))


def compare(ours: nn.Module, theirs: nn.Module, images: Tensor, repeat: int) -> dict[str, float]:
    """Return median seconds of ours, and median ratios to theirs; the first turns are free."""
    times = []
    for turn in range(-2, repeat):
        if turn % 2:
            other, own = seconds(theirs, images), seconds(ours, images)
        else:
            own, other = seconds(ours, images), seconds(theirs, images)
        if turn >= 0:
            times.append((*own, *other))
    return {
        "forward s": round(statistics.median(own for own, _, _, _ in times), 4),
        "backward s": round(statistics.median(own for _, own, _, _ in times), 4),
        "forward ratio": round(statistics.median(a / c for a, _, c, _ in times), 3),
        "backward ratio": round(statistics.median(b / d for _, b, _, d in times), 3),
        "ratio": round(statistics.median((a + b) / (c + d) for a, b, c, d in times), 3),
    }


def seconds(network: nn.Module, images: Tensor) -> tuple[float, float]:
    """Return the time of forward and backward."""
    network.zero_grad(set_to_none=True)
    start = now(images)
    loss = network(images).square().mean()
    middle = now(images)
    loss.backward()
    return middle - start, now(images) - middle


def now(images: Tensor) -> float:
    if images.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter()


if __name__ == "__main__":
    main()
