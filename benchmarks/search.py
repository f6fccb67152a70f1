"""What a search finds, and whether it is better on pixels that it has not seen.

    python benchmarks/search.py [--work FOLDER]

Salinas-A, 10 pixels of each class for training and 20 for validation, in blocks that are kept apart
for the largest patch. The best settings and the usual ones are then trained with three seeds on the
same pixels and tested. Needs Salinas-A: from ``$HSI_DATA``, or downloaded. Draws the pictures of
docs/search.md. With a folder, what is done is kept there, and continued.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

from common import report

import hsi
from hsi.workflows.search import search
from hsi.workflows.splitting import prepared

IMAGES = Path(__file__).parents[1] / "docs" / "images"
TRIALS, STEPS, SEEDS = 40, 50, (0, 1, 2)
SPACE = {
    "model": ["hybridsn", "hybridsn-dw", "ssftt"],
    "attention": ["none", "se", "eca"],
    "patch_size": [9, 11],
    "components": {"low": 13, "high": 30},
    "whiten": [True, False],
    "learning_rate": {"low": 3e-4, "high": 1e-2, "log": True},
    "batch_size": [32, 64, 128],
    "weight_decay": {"low": 1e-4, "high": 1e-1, "log": True},
    "dropout": {"low": 0.0, "high": 0.6, "step": 0.1},
    "augmentation": ["none", "dihedral"],
    "class_balance": [0.0, 0.25, 0.5, 1.0],
}
PIXELS = {"split": "blocks", "train": 10, "validation": 20, "seed": 0}


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--work", type=Path)
    work = arguments.parse_args().work
    scene = hsi.load_scene("salinas_a")
    with contextlib.ExitStack() as stack:
        folder = work or stack.enter_context(tempfile.TemporaryDirectory())
        result = search(
            scene, hsi.Settings().changed(**PIXELS), space=SPACE, trials=TRIALS, steps=STEPS,
            out=Path(folder) / "search", progress=Printed(),
        )  # fmt: skip
        minutes = sum(row.seconds or 0 for row in result.rows) / 60
        for name in ("history", "importance"):
            picture = result.path / f"{name}.png"
            if picture.exists():
                shutil.copy(picture, IMAGES / f"search_{name}.png")
        print(result.recipe.read_text())
        print(result.importances, result.tally)
        rows = [
            row(name, trial.settings, trial.value, scene, Path(folder))
            for name, trial in (("usual", result.usual), ("found", result.best))
        ]
    report(
        "search", rows, trials=TRIALS, steps=STEPS, **PIXELS,
        guard=result.settings["guard"], minutes=round(minutes, 1), **result.tally._asdict(),
        importances=result.importances.as_table(),
    )  # fmt: skip


def row(
    name: str, settings: hsi.Settings, validation: float, scene: hsi.Scene, folder: Path
) -> dict[str, Any]:
    """Train on the pixels of the search, with seeds of weights and order that differ, and test."""
    scene, pixels = prepared(scene, settings)
    tested = []
    for seed in SEEDS:
        out = folder / f"{name}-{seed}"
        if not (out / "metrics.json").exists():
            own = settings.changed(seed=seed)
            hsi.train(scene, own, pixels=pixels, out=out, report=False)
        tested.append(hsi.Run(out).metrics)
    figures: dict[str, Any] = {
        "settings": name,
        "model": settings.model,
        "validation_aa": validation,
    }
    for measure in ("aa", "oa"):
        values = [metrics[measure] for metrics in tested]
        figures[measure] = round(statistics.mean(values), 4)
        figures[f"{measure}_sd"] = round(statistics.stdev(values), 4)
    return figures


class Printed:
    """Progress as lines."""

    def begun(self, best: Any, tally: Any, total: int, notes: Any) -> None:
        """Print what must be known of the pixels."""
        print(*notes, sep="\n", flush=True)

    def finished(self, row: Any, tally: Any) -> None:
        """Print a line."""
        print(tally.finished, row.outcome, row.value, row.seconds, row.reason, flush=True)


if __name__ == "__main__":
    main()
