"""How the cost of maps grows with pixels, scenes and workers, and what an archive would take.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/scaling.py

Maps compressed GeoTIFF files of random spectra with a network of random weights, files included.
Every process computes with one thread. Of each kind of measurement the median of `--repeats` is
shown; 1 and 2 workers take turns, so that what else the machine does meets both. Workers are there,
have imported everything and know the network when time begins.

- `pixels`: one scene in this process, without a cluster, of growing size.
- `scenes`: growing numbers of scenes of `--side` pixels, on two workers.
- `workers`: `--scenes` scenes on one worker and on two; `efficiency` is the seconds of one worker,
  over two times those of two.

`own cpu s` is what this process, scheduler included, is busy with: it opens the scenes, takes what
comes back and writes it. `worker MB` is the most memory that a worker and the process that reads
for it had, `read MB` what the latter read, for each scene.

Then the archive is reckoned, from the rows of `workers`: with t and c the seconds of a worker and
of this process for a scene, e the efficiency, W workers and N scenes,

    seconds = max(N t / (W e), N c)

since this process writes all maps. Beyond W = t / (c e) workers, more of them are of no use to one
`hsi map`, and the archive has to be divided between several. Memory, bytes and rates follow.

    python benchmarks/scaling.py --page

writes the tables of the last results into docs/scale.md, and measures nothing.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import RESULTS, report
from large_scene import make_files
from streaming import CLASSES, CORNER, MODEL, network

import hsi
from hsi.mapping import MapJob
from hsi.mapping.facts import scene_facts
from hsi.sampling import BandPCA
from hsi.training import Classifier
from hsi.workflows.cluster import Cluster, open_cluster
from hsi.workflows.cluster.ahead import ScenesAhead
from hsi.workflows.cluster.map_strips import strips_of_scene
from hsi.workflows.cluster.strip import strip
from hsi.workflows.mapping import prepare_map

MARKS = "<!-- figures -->", "<!-- end of figures -->"
CHOICES: dict[str, Any] = {
    "method": "auto", "device": "cpu", "precision": "full", "max_memory": None,
    "confidence": True, "scores": False, "format": "tif", "resample_bands": False, "resume": False,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=1000)
    parser.add_argument("--bands", type=int, default=224)
    parser.add_argument("--components", type=int, default=15)
    parser.add_argument("--scenes", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--archive-scenes", type=int, default=10_000)
    parser.add_argument("--archive-workers", type=int, nargs="+", default=[1, 2, 10, 50, 100])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--page", action="store_true")
    arguments = parser.parse_args()
    if arguments.page:
        write_page()
        return
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sides = sorted({arguments.side // 4, arguments.side // 2, arguments.side})
        for side in sides:
            make_scene(folder / str(side), side, arguments)
        run = make_run(folder, arguments)
        rows = [of_pixels(run, folder / str(side), side, arguments.repeats) for side in sides]
        rows += of_clusters(run, folder / str(arguments.side), arguments)
    for row in (*rows, *reckoned(rows, arguments)):
        print(row, flush=True)
    settings = {name: value for name, value in vars(arguments).items() if name != "page"}
    report("scaling", rows, model=MODEL, **settings)


def make_scene(folder: Path, side: int, arguments: argparse.Namespace) -> None:
    """Write ``scene.tif``, and nothing beside it."""
    folder.mkdir()
    make_files(folder, side, arguments.bands, arguments.seed, steepest=30)
    (folder / "tiled.tif").rename(folder / "scene.tif")
    for each in (*folder.glob("striped*"), *folder.glob("bsq*")):
        each.unlink()


def make_run(folder: Path, arguments: argparse.Namespace) -> hsi.Run:
    scene = hsi.load_scene(folder / str(arguments.side) / "scene.tif")
    ids = np.arange(1, CLASSES + 1, dtype=np.int32)
    classifier = Classifier(
        network=network(arguments.components, arguments.seed),
        options={"name": MODEL, "bands": arguments.components, "classes": CLASSES},
        reduction=BandPCA(arguments.components, whiten=True).fit(scene.cube[:CORNER, :CORNER]),
        class_ids=ids,
        class_names={each: f"class {each}" for each in ids.tolist()},
        class_colors={each: (10 * each, 255 - 10 * each, 99) for each in ids.tolist()},
    )
    path = folder / "run"
    path.mkdir()
    (path / "config.toml").write_text("[scene]\n[settings]\n")
    classifier.save(path / "model.safetensors")
    return hsi.Run(path)


def of_pixels(run: hsi.Run, folder: Path, side: int, repeats: int) -> dict[str, Any]:
    seconds = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as out:
            start = time.perf_counter()
            scene = hsi.load_scene(folder / "scene.tif")
            hsi.map_scene(run, scene, out=Path(out) / "map", **CHOICES)
            seconds.append(time.perf_counter() - start)
    return row_of("pixels", side, scenes=1, workers=0, seconds=seconds)


def of_clusters(run: hsi.Run, folder: Path, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    # Of a scene that is open, a worker would have some rows still.
    for number in range(arguments.scenes):
        (folder / f"scene{number}.tif").hardlink_to(folder / "scene.tif")
    measured: dict[tuple[int, int], list[dict[str, float]]] = {}
    most = arguments.scenes
    for _ in range(arguments.repeats):
        for workers in (1, 2):
            with open_cluster(workers=workers) as cluster:
                warm_up(cluster, run, folder)
                for scenes in (most,) if workers == 1 else sorted({1, max(most // 2, 1), most}):
                    found = on_cluster(cluster, run, folder, scenes)
                    measured.setdefault((workers, scenes), []).append(found)
    rows = []
    for (workers, scenes), each in sorted(measured.items(), key=lambda item: item[0]):
        row = row_of(
            "workers" if scenes == most else "scenes", arguments.side, scenes=scenes,
            workers=workers, seconds=[one["seconds"] for one in each],
        )  # fmt: skip
        for name, digits in (("own cpu s", 2), ("worker MB", 0), ("read MB", 0)):
            row[name] = round(statistics.median(one[name] for one in each), digits)
        rows.append(row)
    one, two = (
        next(row for row in rows if row["work"] == "workers" and row["workers"] == number)
        for number in (1, 2)
    )
    two["efficiency"] = round(one["s"] / (2 * two["s"]), 3)
    return rows


def warm_up(cluster: Cluster, run: hsi.Run, folder: Path) -> None:
    """Have every worker import all, read the network, and start the process that reads for it."""
    scene = hsi.load_scene(folder / "scene.tif")
    strips = strips_of_scene(
        cluster, run, scene, facts=scene_facts(scene), names=("class_map", "confidence"),
        device="cpu", resample_bands=False, precision="full", method="auto", max_memory=None,
    )  # fmt: skip
    futures = [
        cluster.client.submit(strip, strips.job, 0, workers=[address], pure=False)
        for address in cluster.threads
    ]
    for future in futures:
        future.result()


def on_cluster(cluster: Cluster, run: hsi.Run, folder: Path, scenes: int) -> dict[str, float]:
    """Map so many scenes as `hsi map` does."""
    choices = CHOICES | {"cluster": cluster}
    with tempfile.TemporaryDirectory() as name:
        before = {address: each["read"] for address, each in cluster.on_each(worker_facts).items()}
        out = [Path(name) / f"map{number}" for number in range(scenes)]
        start, busy = time.perf_counter(), time.process_time()

        def prepare(number: int) -> MapJob:
            scene = hsi.load_scene(folder / f"scene{number}.tif")
            return prepare_map(run, scene, out=out[number], **choices)

        ahead = ScenesAhead(cluster, prepare, scenes)
        for number in range(scenes):
            with ahead.turn(number) as job:
                job.make()
        seconds, busy = time.perf_counter() - start, time.process_time() - busy
    after = cluster.on_each(worker_facts)
    read = sum(each["read"] - before[address] for address, each in after.items())
    return {
        "seconds": seconds,
        "own cpu s": busy / scenes,
        "worker MB": max(each["peak"] for each in after.values()) / 2**20,
        "read MB": read / scenes / 2**20,
    }


def worker_facts() -> dict[str, int]:
    """Return the memory that a worker and its reading process had at most, and what that read."""
    me = Path("/proc/self")
    children = [
        Path("/proc") / child
        for task in (me / "task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    peaks = [
        int(re.search(r"VmHWM:\s+(\d+) kB", (each / "status").read_text())[1])
        for each in (me, *children)
    ]
    read = [int(re.search(r"rchar: (\d+)", (each / "io").read_text())[1]) for each in children]
    return {"peak": 1024 * sum(peaks), "read": sum(read)}


def row_of(
    work: str, side: int, *, scenes: int, workers: int, seconds: list[float]
) -> dict[str, Any]:
    median = statistics.median(seconds)
    return {
        "work": work,
        "side": side,
        "scenes": scenes,
        "workers": workers,
        "s": round(median, 2),
        "least s": round(min(seconds), 2),
        "most s": round(max(seconds), 2),
        "pixels/s": round(scenes * side**2 / median),
    }


def reckoned(rows: list[dict[str, Any]], arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Reckon an archive by the formula above."""
    one, two = (
        next(row for row in rows if row["work"] == "workers" and row["workers"] == number)
        for number in (1, 2)
    )
    t, c = one["s"] / arguments.scenes, two["own cpu s"]
    e, number = two["efficiency"], arguments.archive_scenes
    pixels = arguments.side**2
    enough = t / (c * e)
    archive = []
    for workers in sorted({*arguments.archive_workers, round(enough)}):
        # A single worker has none beside it to be in the way of.
        own = one if workers == 1 else two
        seconds = max(number * t / (workers * own.get("efficiency", 1.0)), number * c)
        archive.append(
            {
                "workers": workers,
                "hours": round(seconds / 3600, 1),
                "workers' GB": round(workers * two["worker MB"] / 1024, 1),
                "from storage MB/s": round(number * own["read MB"] / seconds, 1),
                "to hsi map MB/s": round(number * 2 * pixels / 2**20 / seconds, 2),
                "bound by": "workers" if workers < enough else "the one process that writes",
            }
        )
    return archive


def write_page() -> None:
    """Put the tables between the marks in docs/scale.md."""
    found = json.loads((RESULTS / "scaling.json").read_text(encoding="utf-8"))
    machine, settings = found["machine"], found["settings"]
    text = (
        f"On {machine['processor']}, torch {machine['torch']}; medians of "
        f"{settings['repeats']}:\n\n"
        f"{as_markdown(found['rows'])}\n"
        f"An archive of {settings['archive_scenes']:,} scenes of {settings['side']} x "
        f"{settings['side']} pixels, reckoned:\n\n"
        f"{as_markdown(reckoned(found['rows'], argparse.Namespace(**settings)))}"
    )
    path = RESULTS.parents[1] / "docs" / "scale.md"
    before, _, rest = path.read_text(encoding="utf-8").partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    page = f"{before}{MARKS[0]}\n{text}{MARKS[1]}{after}"
    path.write_text(page, encoding="utf-8")


def as_markdown(rows: list[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for row in rows:
        texts = [
            f"{value:,}" if isinstance(value := row.get(name, "–"), int | float) else value
            for name in columns
        ]
        lines.append(f"| {' | '.join(texts)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
