"""A training step on whole regions against the same step patch by patch.

    python benchmarks/training.py

512 training pixels at random in a scene of 145 x 145, as Indian Pines at 5 %: forward, backward
and optimiser, on the same weights, in turn. The patches of the baseline have their channels last
where that is faster. `bf16` is the region's step in mixed precision (patches are float32).
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from common import report

from hsi.inference import reusing_memory
from hsi.layers import gather_windows, pad_scene
from hsi.models import PatchNetwork, build_model
from hsi.training.batches import Batch, Region
from hsi.training.step import batch_loss, region_scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", nargs="+", default=["hybridsn", "hybridsn-dw", "hybridsn-2d3d"])
    parser.add_argument("--pixels", type=int, default=512)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    rng = np.random.default_rng(0)
    cube = torch.from_numpy(rng.standard_normal((30, 145, 145), dtype=np.float32)).to(device)
    targets = rng.integers(0, 16, (145, 145))
    places = rng.choice(145 * 145, arguments.pixels, replace=False)
    pixels = np.stack(np.unravel_index(np.sort(places), (145, 145)), axis=1)
    batches = Region(pixels, targets, batch_size=len(pixels), class_balance=0.0, device=device)
    batch = next(batches.epoch(torch.Generator().manual_seed(0)))

    rows = []
    for name in arguments.model:
        torch.manual_seed(0)
        model = build_model(name, bands=30, classes=16, dropout=0.0).to(device)
        padded = pad_scene(cube, model.patch_size)
        with reusing_memory():
            times = in_turn(
                {
                    "patches": step(copy.deepcopy(model), patchwise, padded, batch),
                    "patches, channels last": step(
                        copy.deepcopy(model), patchwise_last, padded, batch
                    ),
                    "region": step(model, region_scores, padded, batch),
                    "region, bf16": step(copy.deepcopy(model), in_bf16, padded, batch),
                },
                arguments.repeat,
            )
        patches = min(times["patches"], times["patches, channels last"])
        rows.append(
            {"model": name}
            | {f"{way} s": round(seconds, 3) for way, seconds in times.items()}
            | {"times faster": round(patches / times["region"], 2)}
        )
        print(rows[-1], flush=True)
    report("training", rows, seed=0, **vars(arguments))


def patchwise(model: PatchNetwork, padded: torch.Tensor, batch: Batch) -> torch.Tensor:
    assert batch.corners is not None
    rows, cols = batch.rows + batch.corners[0, 0], batch.cols + batch.corners[0, 1]
    return model(gather_windows(padded, rows, cols, model.patch_size).contiguous())


def patchwise_last(model: PatchNetwork, padded: torch.Tensor, batch: Batch) -> torch.Tensor:
    assert batch.corners is not None
    rows, cols = batch.rows + batch.corners[0, 0], batch.cols + batch.corners[0, 1]
    return model(gather_windows(padded, rows, cols, model.patch_size))


def in_bf16(model: PatchNetwork, padded: torch.Tensor, batch: Batch) -> torch.Tensor:
    with torch.autocast(padded.device.type, torch.bfloat16):
        return region_scores(model, padded, batch)


def step(
    model: PatchNetwork, scores_of: Callable[..., torch.Tensor], padded: torch.Tensor, batch: Batch
) -> Callable[[], None]:
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)

    def work() -> None:
        loss = batch_loss(scores_of(model, padded, batch), batch, label_smoothing=0.0)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if padded.device.type == "cuda":
            torch.cuda.synchronize()

    return work


def in_turn(works: dict[str, Callable[[], None]], repeat: int) -> dict[str, float]:
    """Return the median time of each in seconds; they take turns, and the first turn is free."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(repeat + 1):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            if turn:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(each) for name, each in times.items()}


if __name__ == "__main__":
    main()
