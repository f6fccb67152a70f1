"""What the benchmarks share: the stand-in for Indian Pines, facts of the machine, results."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from hsi.scenes import Scene
from hsi.scenes.readers import read_file

RESULTS = Path(__file__).parent / "results"


def data_folder() -> Path:
    """Return ``$HSI_DATA``, or end with a message."""
    folder = os.environ.get("HSI_DATA")
    if not folder:
        raise SystemExit("set HSI_DATA to the folder that holds indian_pines/")
    return Path(folder)


def stand_in(seed: int = 0) -> Scene:
    """Return a stand-in for Indian Pines: its ground truth, and a cube that is only like it.

    The cube is the product of a non-negative factorisation of rank 16, with white noise of a
    300th of each band's mean. Accuracies on it are not those of Indian Pines.
    """
    folder = data_folder() / "indian_pines"
    with np.load(folder / "Indian_pines_rank16.npz", allow_pickle=False) as file:
        cube = 500 * (file["W_list"][0] @ file["H_list"][0]).reshape(145, 145, 200)
    noise = np.random.default_rng(seed).standard_normal(cube.shape)
    cube = cube + noise * cube.mean(axis=(0, 1)) / 300
    labels = read_file(folder / "Indian_pines_gt.mat", key=None, purpose="labels").array
    return Scene(
        name="indian_pines_rank16", cube=cube.astype(np.float32), labels=labels.astype(np.int32)
    )


def machine() -> dict[str, Any]:
    """Return what figures depend on: processor, threads, versions, date."""
    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
        processor = names[0] if names else processor
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": processor,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in ("hsi", "torch", "numpy")},
    }


def report(name: str, rows: list[dict[str, Any]], **settings: Any) -> None:
    """Print `rows` as a table and write them to ``results/NAME.json`` with the machine."""
    facts = machine()
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    content = {"machine": facts, "settings": settings, "rows": rows}
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    table = Table()
    columns = list(dict.fromkeys(key for row in rows for key in row))
    for column in columns:
        table.add_column(column, justify="left" if column == columns[0] else "right")
    for row in rows:
        table.add_row(*(_shown(row.get(column)) for column in columns))
    Console(width=160).print(table)
    print(f"{facts['processor']}, {facts['threads']} threads, torch {facts['torch']} -> {path}")


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return "-" if value is None else str(value)
