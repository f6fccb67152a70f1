"""How well spectra find colour patches of the same class, and colour patches spectra.

    python benchmarks/retrieval.py [--work FOLDER]

Salinas-A with its own colour composite as second modality, 10 % of each class for training and 10 %
for validation, drawn at random or in blocks that share no patch with the test; beside it chance,
and canonical correlation analysis on the same split. Then, on the blocks: the label term alone
(alpha and beta 0).
Needs Salinas-A: from ``$HSI_DATA``, or downloaded. Draws the pictures of docs/retrieve.md. What is
done is kept in the results, and in the folder; ``--again`` starts anew.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from common import RESULTS, report

import hsi
from hsi.training.retrieval_run import RetrievalRun
from hsi.workflows.retrieve import Pair, find, raster_pair, train_retrieval

NAME = "retrieval"
IMAGES = Path(__file__).parents[1] / "docs" / "images"
SEEDS = (0, 1, 2)
WAYS: dict[str, dict[str, Any]] = {
    "all terms": {},
    "label term alone": {"alpha": 0.0, "beta": 0.0},
}
ASKED = [
    *((split, "all terms", seed) for seed in SEEDS for split in ("random", "blocks")),
    *(("blocks", "label term alone", seed) for seed in SEEDS),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=Path("runs") / "benchmark-retrieval")
    parser.add_argument("--again", action="store_true", help="forget what was measured before")
    arguments = parser.parse_args()
    path = RESULTS / f"{NAME}.json"
    rows = [] if arguments.again or not path.exists() else json.loads(path.read_text())["rows"]
    pair = raster_pair(hsi.load_scene("salinas_a"), "rgb")
    for split, way, seed in ASKED:
        cell = {"split": split, "way": way, "seed": seed}
        if not any(cell.items() <= row.items() for row in rows):
            folder = arguments.work / f"{split}-{way.replace(' ', '-')}-{seed}"
            rows.append(cell | measured(pair, folder, cell))
            report(NAME, rows, train=0.1, validation=0.1)
    draw(*(arguments.work / f"blocks-all-terms-{seed}" for seed in (0, 2)))


def measured(pair: Pair, folder: Path, cell: dict[str, Any]) -> dict[str, Any]:
    """Return mean average precisions on the test pixels in percent."""
    if folder.exists():
        shutil.rmtree(folder)
    run = train_retrieval(
        pair, out=folder, device="cpu", split=cell["split"], seed=cell["seed"], **WAYS[cell["way"]]
    )
    metrics = run.metrics
    figures = {}
    for name, key in (("map", "map"), ("cca", "canonical_correlation"), ("chance", "chance")):
        for way, short in (
            ("first_to_second", "spectra_find"),
            ("second_to_first", "colours_find"),
        ):
            figures[f"{name}_{short}"] = round(100 * metrics[key][way], 2)
    cca = metrics["canonical_correlation"]
    return figures | {
        "validation": round(100 * metrics["validation_map"], 2),
        "test_pixels": metrics["test_pixels"],
        "kept_epoch": metrics["kept_epoch"],
        "cca_looks_at": f"{cca['looks_at']}, {cca['dimensions']}",
    }


def draw(folder: Path, worst: Path) -> None:
    """Draw the pictures of the page from two runs."""
    for each in (folder, worst):
        if not (each / "metrics.json").exists():
            raise SystemExit(f"{each} is not there, which pictures are drawn from: take --again")
    # Of the split on which it did worst, so that mistakes are seen.
    shutil.copy(worst / "queries.png", IMAGES / "retrieve_queries.png")
    found = find(RetrievalRun(folder), (30, 41), source="second", device="cpu")
    found.save_figure(IMAGES / "retrieve_query.png")


if __name__ == "__main__":
    main()
