"""Peak memory of maps of whole scenes under `max_memory`.

    python benchmarks/memory.py

Each row is a process of its own that maps a memory-mapped cube of zeros and says by how much its
memory grew beyond what it was with the network in place (Linux only). Pages of the cube, which the
kernel can drop at any time, are not counted.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from common import report

CASES = (
    # model, rows, cols, components, classes, max_memory
    ("hybridsn-dw", 610, 340, 15, 9, "1G"),
    ("hybridsn-dw", 2000, 2000, 30, 16, "2G"),
    ("hybridsn-dw", 2000, 2000, 30, 16, "1G"),
    ("hybridsn-2d3d", 145, 145, 30, 16, "2G"),
)

WORK = """
import sys, threading, time
import numpy as np, torch
from hsi.inference import predict_scene
from hsi.models import build_model
path, name, rows, cols, bands, classes, memory = sys.argv[1:]
rows, cols, bands, classes = int(rows), int(cols), int(bands), int(classes)

def resident():
    with open("/proc/self/status") as file:
        fields = dict(line.split(":", 1) for line in file)
    return sum(int(fields[name].split()[0]) for name in ("RssAnon", "RssShmem")) * 1024

torch.manual_seed(0)
model = build_model(name, bands=bands, classes=classes)
predict_scene(model, np.zeros((3, 3, bands), np.float32), device="cpu")
cube = np.memmap(path, np.float32, mode="r", shape=(rows, cols, bands))
before, peak, done = resident(), 0, False

def watch():
    global peak
    while not done:
        peak = max(peak, resident())
        time.sleep(0.005)

watcher = threading.Thread(target=watch)
watcher.start()
start = time.perf_counter()
predict_scene(model, cube, method="dense", device="cpu", max_memory=memory)
seconds = time.perf_counter() - start
done = True
watcher.join()
print(peak - before, seconds)
"""


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    rows = []
    for name, height, width, bands, classes, memory in CASES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "cube"
            with path.open("wb") as file:
                file.truncate(4 * height * width * bands)
            sizes = map(str, (name, height, width, bands, classes, memory))
            printed = subprocess.run(
                [sys.executable, "-c", WORK, str(path), *sizes],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        growth, seconds = printed.split()
        rows.append(
            {
                "model": name,
                "rows": height,
                "cols": width,
                "components": bands,
                "max_memory": memory,
                "peak MB": round(int(growth) / 2**20),
                "cube MB": round(4 * height * width * bands / 2**20),
                "s": round(float(seconds), 1),
            }
        )
        print(rows[-1], flush=True)
    report("memory", rows)


if __name__ == "__main__":
    main()
