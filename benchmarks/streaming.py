"""Maps of a scene that is read from its file strip by strip, against the same scene in memory.

    python benchmarks/streaming.py

Makes a scene of `--side` x `--side` pixels and `--bands` bands of uint16 in three kinds of file.
Each row is a process of its own: what it does, how many pixels a second, and the most memory that
it ever had (Linux only; pages of mapped files count). What is not the work, opening and fitting
the reduction to the upper left corner, is not timed; the memory of all of it counts.

- `read`: every pixel once, in the blocks in which it is reduced.
- `reduce`: to `--components` components in float32.
- `map`: `hsi.map_scene`, with a network of random weights; files included. From memory, it is the
  cube that is there before, and not counted as work to get there.
- `usual reduce`, `usual patches`: what is done without this package: blocks by rasterio, PCA by
  scikit-learn on each, components of the whole scene in memory, then patches in batches of 256
  through the same network in PyTorch. Patches are timed on `--patch-pixels` pixels.
- `spectral`: the same PCA by Spectral Python, whose transform takes the whole image.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from common import report
from large_scene import make_files

FILES = {"tiled GeoTIFF": "tiled.tif", "striped GeoTIFF": "striped.tif", "ENVI (bsq)": "bsq.hdr"}
CLASSES = 16
MODEL = "hybridsn-dw"
CORNER = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=3000)
    parser.add_argument("--bands", type=int, default=100)
    parser.add_argument("--components", type=int, default=15)
    parser.add_argument("--max-memory")
    parser.add_argument("--patch-pixels", type=int, default=4096)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--file", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    import torch

    torch.set_num_threads(arguments.threads)
    if arguments.work:
        print(json.dumps(WORK[arguments.work](arguments)))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        make_files(Path(folder), arguments.side, arguments.bands, arguments.seed)
        tasks = [
            (work, kind) for work in ("read", "reduce", "map") for kind in (*FILES, "memory")
        ] + [("usual reduce", "tiled GeoTIFF"), ("usual patches", "tiled GeoTIFF"),
             ("spectral", "ENVI (bsq)")]  # fmt: skip
        for work, kind in tasks:
            file = str(Path(folder) / FILES.get(kind, "bsq.hdr")) + (
                "*" if kind == "memory" else ""
            )
            measured = in_process(work, file)
            pixels = arguments.side**2
            rows.append(
                {
                    "work": work,
                    "scene": kind,
                    "s": round(measured["seconds"], 1),
                    "cpu s": round(measured["busy"], 1),
                    "pixels/s": round(pixels / measured["seconds"]),
                    "peak MB": round(measured["peak"] / 2**20),
                }
            )
            print(rows[-1], flush=True)
    settings = {name: value for name, value in vars(arguments).items() if name not in HIDDEN}
    report("streaming", rows, model=MODEL, **settings)


HIDDEN = ("work", "file")


def in_process(work: str, file: str) -> dict[str, float]:
    """Return what this script measures of one piece of work in a process of its own."""
    done = subprocess.run(
        [sys.executable, *sys.argv, "--work", work, "--file", file],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def opened(arguments: argparse.Namespace) -> Any:
    """Return the scene; a star after its name has its cube in memory, pixel by pixel."""
    import dataclasses

    from hsi.scenes import load_scene
    from hsi.scenes.storage import release_pages

    scene = load_scene(arguments.file.removesuffix("*"))
    if not arguments.file.endswith("*"):
        return scene
    cube = np.empty(scene.shape, scene.cube.dtype)
    for row in range(0, scene.rows, 64):
        cube[row : row + 64] = scene.cube[row : row + 64]
        release_pages(scene.cube)
    return dataclasses.replace(scene, cube=cube)


def fitted(scene: Any, components: int) -> Any:
    from hsi.sampling import BandPCA

    return BandPCA(components, whiten=True).fit(scene.cube[:CORNER, :CORNER])


def network(components: int, seed: int) -> Any:
    import torch

    from hsi.models import build_model

    torch.manual_seed(seed)
    return build_model(MODEL, bands=components, classes=CLASSES).eval()


def measure(work: Callable[[], object], share: float = 1.0) -> dict[str, float]:
    """Return seconds, for the whole of which `work` does a share, and the peak memory in bytes.

    With them those that processors were busy with it, which tell more where others are at work.
    """
    start, busy = time.perf_counter(), time.process_time()
    work()
    seconds, busy = (time.perf_counter() - start) / share, (time.process_time() - busy) / share
    # Not ru_maxrss, which begins with that of the process from which this one was started.
    status = Path("/proc/self/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    return {"seconds": seconds, "busy": busy, "peak": 1024 * int(peak[1]) if peak else math.nan}


def read(arguments: argparse.Namespace) -> dict[str, float]:
    from hsi.scenes.storage import release_pages
    from hsi.training.components import ComponentCube

    scene = opened(arguments)
    blocks = ComponentCube(scene, fitted(scene, arguments.components))

    def work() -> None:
        for row in range(0, scene.rows, blocks.step):
            for col in range(0, scene.cols, blocks.width):
                scene.cube[row : row + blocks.step, col : col + blocks.width].max()
                release_pages(scene.cube)

    return measure(work)


def reduce(arguments: argparse.Namespace) -> dict[str, float]:
    from hsi.training.components import ComponentCube

    scene = opened(arguments)
    cube = ComponentCube(scene, fitted(scene, arguments.components))

    def work() -> None:
        for _ in cube.blocks():
            pass

    return measure(work)


def map_(arguments: argparse.Namespace) -> dict[str, float]:
    import hsi
    from hsi.training import Classifier

    scene = opened(arguments)
    ids = np.arange(1, CLASSES + 1, dtype=np.int32)
    classifier = Classifier(
        network=network(arguments.components, arguments.seed),
        options={"name": MODEL, "bands": arguments.components, "classes": CLASSES},
        reduction=fitted(scene, arguments.components),
        class_ids=ids,
        class_names={each: f"class {each}" for each in ids.tolist()},
        class_colors={each: (10 * each, 255 - 10 * each, 99) for each in ids.tolist()},
    )
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder)
        (run / "config.toml").write_text("[scene]\n[settings]\n")
        classifier.save(run / "model.safetensors")
        return measure(
            lambda: hsi.map_scene(
                hsi.Run(run), scene, out=run / "map", device="cpu", max_memory=arguments.max_memory
            )
        )


def usual_components(arguments: argparse.Namespace) -> tuple[Any, Callable[[], np.ndarray]]:
    """Return a scikit-learn PCA, and what reduces the scene with it block by block."""
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning
    from rasterio.windows import Window
    from sklearn.decomposition import PCA

    warnings.simplefilter("ignore", NotGeoreferencedWarning)
    raster = rasterio.open(arguments.file)
    corner = raster.read(window=Window(0, 0, CORNER, CORNER)).reshape(raster.count, -1).T
    pca = PCA(arguments.components, whiten=True).fit(corner.astype(np.float32))

    def work() -> np.ndarray:
        whole = np.empty((raster.height, raster.width, arguments.components), np.float32)
        for _, window in raster.block_windows(1):
            block = raster.read(window=window).transpose(1, 2, 0)
            rows, cols = window.toslices()
            reduced = pca.transform(block.reshape(-1, raster.count).astype(np.float32))
            whole[rows, cols] = reduced.reshape(*block.shape[:2], -1)
        return whole

    return raster, work


def usual_reduce(arguments: argparse.Namespace) -> dict[str, float]:
    return measure(usual_components(arguments)[1])


def usual_patches(arguments: argparse.Namespace) -> dict[str, float]:
    import torch

    model = network(arguments.components, arguments.seed)
    whole = usual_components(arguments)[1]()
    margin = model.patch_size // 2
    padded = np.pad(whole, ((margin, margin), (margin, margin), (0, 0)))
    places = np.argwhere(np.ones(whole.shape[:2], bool)[:CORNER])[: arguments.patch_pixels]

    @torch.no_grad()
    def work() -> None:
        for start in range(0, len(places), 256):
            patches = [
                padded[row : row + model.patch_size, col : col + model.patch_size]
                for row, col in places[start : start + 256]
            ]
            model(torch.from_numpy(np.stack(patches).transpose(0, 3, 1, 2)).contiguous()).argmax(1)

    return measure(work, share=len(places) / (whole.shape[0] * whole.shape[1]))


def spectral_(arguments: argparse.Namespace) -> dict[str, float]:
    import spectral

    image = spectral.open_image(arguments.file)

    def work() -> None:
        components = spectral.principal_components(image[:CORNER, :CORNER])
        components.reduce(num=arguments.components).transform(image.load())

    return measure(work)


WORK = {
    "read": read,
    "reduce": reduce,
    "map": map_,
    "usual reduce": usual_reduce,
    "usual patches": usual_patches,
    "spectral": spectral_,
}

if __name__ == "__main__":
    main()
