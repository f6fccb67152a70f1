"""Maps of whole scenes: one trunk pass for the scene against batches of patches.

    python benchmarks/full_scene.py

Each row is one network with the same random weights evaluated both ways in turn on the same random
scene, after a warm-up; times are medians. Patches are timed on as many rows of the scene as
`--patch-pixels` allows, in batches of 128 and 256 and with the channels last or not, and the best
of these is taken for the whole scene. `bf16` is the dense way with `precision="bf16"`
(the patches are float32). `floor` is the time that the multiply-adds of the dense
evaluation take at the rate of a large matrix product on the same cores.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from common import report
from torch.utils.flop_counter import FlopCounterMode

from hsi.inference import evaluating, predict_scene
from hsi.inference.dense import DenseNetwork
from hsi.inference.tiles import region_of
from hsi.layers import gather_windows, pad_scene
from hsi.models import PatchNetwork, build_model, macs_per_patch
from hsi.scenes.tiles import tiles_of

SCENES = (
    ("hybridsn", 145, 145, 30, 16),
    ("hybridsn-dw", 145, 145, 30, 16),
    ("hybridsn-2d3d", 145, 145, 30, 16),
    ("hybridsn-dw", 610, 340, 15, 9),
    ("hybridsn-dw", 290, 290, 30, 16),
    ("hybridsn-dw", 580, 580, 30, 16),
    ("hybridsn-dw", 1160, 1160, 30, 16),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patch-pixels", type=int, default=1024)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    rate = matrix_product_rate(arguments.device)
    rows = []
    for name, height, width, bands, classes in SCENES:
        torch.manual_seed(0)
        model = build_model(name, bands=bands, classes=classes).to(arguments.device)
        cube = np.random.default_rng(0).standard_normal((height, width, bands), dtype=np.float32)
        pixels = height * width
        dense, half = (
            measure(
                lambda model=model, cube=cube, precision=precision: predict_scene(
                    model, cube, method="dense", device=arguments.device, precision=precision
                ),
                arguments.repeat,
            )
            for precision in ("full", "bf16")
        )
        patches = best_of_patches(model, cube, arguments.patch_pixels) * pixels
        macs = dense_macs(model, cube)
        floor = macs / rate
        rows.append(
            {
                "model": name,
                "rows": height,
                "cols": width,
                "components": bands,
                "patches s": round(patches, 2),
                "dense s": round(dense, 3),
                "times faster": round(patches / dense, 1),
                "times fewer multiply-adds": round(macs_per_patch(model) * pixels / macs, 1),
                "dense us/pixel": round(1e6 * dense / pixels, 2),
                "floor s": round(floor, 3),
                "dense / floor": round(dense / floor, 2),
                "bf16 s": round(half, 3),
            }
        )
        print(rows[-1], flush=True)
    report("full_scene", rows, seed=0, matrix_product_gmacs=round(rate / 1e9, 1), **vars(arguments))


def measure(work: Callable[[], object], repeat: int) -> float:
    """Return the median time of `work` in seconds, after one run that does not count."""
    times = []
    for _ in range(repeat + 1):
        start = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


@torch.no_grad()
def best_of_patches(model: PatchNetwork, cube: np.ndarray, pixels: int) -> float:
    """Return the seconds for one pixel of the quickest way to go patch by patch."""
    device = next(model.parameters()).device
    padded = pad_scene(torch.from_numpy(cube).permute(2, 0, 1).to(device), model.patch_size)
    places = torch.cartesian_prod(torch.arange(cube.shape[0]), torch.arange(cube.shape[1]))
    places = places[:pixels].to(device)

    def work(batch: int, memory_format: torch.memory_format) -> None:
        for some in places.split(batch):
            patches = gather_windows(padded, some[:, 0], some[:, 1], model.patch_size)
            model(patches.contiguous(memory_format=memory_format))

    with evaluating(model):
        return min(
            measure(lambda b=batch, f=memory_format: work(b, f), 2)
            for batch in (128, 256)
            for memory_format in (torch.contiguous_format, torch.channels_last)
        ) / len(places)


@torch.no_grad()
def dense_macs(model: PatchNetwork, cube: np.ndarray) -> float:
    """Return the multiply-adds of the dense evaluation, transforms of the head included."""
    counter = FlopCounterMode(display=False)
    with evaluating(model), counter:
        network = DenseNetwork(model, *cube.shape[:2], max_bytes=4 * 2**30)
        scene = torch.from_numpy(cube).permute(2, 0, 1)
        for tile in tiles_of(*cube.shape[:2], network.side):
            network.scores(region_of(scene, tile, model.patch_size).to(next(model.parameters())))
    return counter.get_total_flops() / 2


def matrix_product_rate(device: str) -> float:
    """Return the multiply-adds in a second of a large float32 matrix product."""
    one = torch.randn(2048, 2048, device=device)
    return 2048**3 / measure(lambda: one @ one, 9)


if __name__ == "__main__":
    main()
