"""The ways to a head's first layer: measured, and as the cost model estimates them.

    python benchmarks/heads.py

For some sizes of windows, channels and tiles: the time of each way, the plan that `plan_head` would
choose, and how much longer that takes than the best that was measured.
"""

from __future__ import annotations

import argparse

import torch
from common import report
from full_scene import measure
from torch import nn

from hsi.inference.heads import DirectLinear, FourierLinear
from hsi.inference.plan import HeadPlan, plan_layer
from hsi.inference.tiles import in_batches

SIZES = (
    # window, channels, outputs, tile
    (1, 64, 256, 145),
    (3, 64, 256, 145),
    (5, 64, 256, 145),
    (7, 64, 256, 145),
    (11, 64, 256, 145),
    (17, 64, 256, 32),
    (17, 64, 256, 84),
    (17, 64, 256, 145),
    (17, 64, 256, 320),
    (17, 256, 256, 145),
)
SIDES = (21, 25, 29, 33, 37, 45, 53, 65, 81)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    rows = []
    for size, channels, outputs, tile in SIZES:
        torch.manual_seed(0)
        linear = nn.Linear(channels * size**2, outputs).to(arguments.device)
        length = tile + size - 1
        features = torch.randn(length, length, channels, device=arguments.device).permute(2, 0, 1)
        chosen = plan_layer(linear, size, tile, tile, arguments.device)
        plans = {chosen, HeadPlan("direct"), HeadPlan("windows")}
        plans |= {HeadPlan("fourier", side) for side in SIDES if size <= side <= tile + size}
        times = {
            plan: seconds(plan, linear, size, features, tile, arguments.repeat) for plan in plans
        }
        best = min(times, key=lambda plan: times[plan])
        fourier = [times[plan] for plan in times if plan.way == "fourier"]
        rows.append(
            {
                "window": size,
                "channels": channels,
                "tile": tile,
                "windows s": round(times[HeadPlan("windows")], 4),
                "direct s": round(times[HeadPlan("direct")], 4),
                "fourier s": round(min(fourier), 4) if fourier else None,
                "best": f"{best.way} {best.side or ''}".strip(),
                "chosen": f"{chosen.way} {chosen.side or ''}".strip(),
                "chosen / best": round(times[chosen] / times[best], 2),
            }
        )
        print(rows[-1], flush=True)
    report("heads", rows, seed=0, outputs=256, **vars(arguments))


@torch.inference_mode()
def seconds(
    plan: HeadPlan, linear: nn.Linear, size: int, features: torch.Tensor, tile: int, repeat: int
) -> float:
    """Return the median time of one way, preparation of the weights included."""
    if plan.way == "fourier":
        return measure(
            lambda: FourierLinear(linear, size, side=plan.side, max_bytes=2**30)(features), repeat
        )
    if plan.way == "direct":
        return measure(lambda: DirectLinear(linear, size)(features), repeat)
    corners = torch.cartesian_prod(torch.arange(tile), torch.arange(tile)).to(features.device)
    # All windows of a large tile would take minutes; a part of them takes its part of the time.
    some = corners[:2048]
    head = nn.Sequential(nn.Flatten(), linear)
    part = measure(lambda: in_batches(head, features, some, size, min(len(some), 512)), repeat)
    return part * len(corners) / len(some)


if __name__ == "__main__":
    main()
