"""How well spectra find colour patches of the same class, and colour patches spectra.

    python benchmarks/retrieval.py [--work FOLDER]

Salinas-A with its own colour composite as second modality, 10 % of each class for training and 10 %
for validation, drawn at random or in blocks that share no patch with the test; beside it chance,
and canonical correlation analysis on the same split. Then, on the blocks: the label term alone
(alpha and beta 0), and spectra without the bands of visible light, which the composite is made of.
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
from hsi.scenes.second import colour_composite
from hsi.training.retrieval_run import RetrievalRun
from hsi.workflows.retrieve import Pair, find, raster_pair, train_retrieval

NAME = "retrieval"
IMAGES = Path(__file__).parents[1] / "docs" / "images"
SEEDS = (0, 1, 2)
# The first 36 of the 204 bands end at about 0.72 micrometres.
VISIBLE = "1-36"
WAYS: dict[str, dict[str, Any]] = {
    "all terms": {},
    "label term alone": {"alpha": 0.0, "beta": 0.0},
    "without visible bands": {},
}
ASKED = [
    *((split, "all terms", seed) for seed in SEEDS for split in ("random", "blocks")),
    *(("blocks", way, seed) for way in list(WAYS)[1:] for seed in SEEDS),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=Path("runs") / "benchmark-retrieval")
    parser.add_argument("--again", action="store_true", help="forget what was measured before")
    arguments = parser.parse_args()
    path = RESULTS / f"{NAME}.json"
    rows = [] if arguments.again or not path.exists() else json.loads(path.read_text())["rows"]
    for split, way, seed in ASKED:
        cell = {"split": split, "way": way, "seed": seed}
        if not any(cell.items() <= row.items() for row in rows):
            folder = arguments.work / f"{split}-{way.replace(' ', '-')}-{seed}"
            rows.append(cell | measured(pair_for(way), folder, cell))
            report(NAME, rows, train=0.1, validation=0.1)
    draw(arguments.work / "blocks-all-terms-0")


def pair_for(way: str) -> Pair:
    """Return Salinas-A, perhaps without some bands, with the composite of all its bands."""
    whole = hsi.load_scene("salinas_a")
    if way != "without visible bands":
        return raster_pair(whole, "rgb")
    return raster_pair(hsi.load_scene("salinas_a", drop_bands=VISIBLE), colour_composite(whole))


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
        "seconds": metrics["train_seconds"],
    }


def draw(folder: Path) -> None:
    """Draw the pictures of the page from a run."""
    if not (folder / "metrics.json").exists():
        raise SystemExit(f"{folder} is not there, which pictures are drawn from: take --again")
    shutil.copy(folder / "queries.png", IMAGES / "retrieve_queries.png")
    found = find(RetrievalRun(folder), (30, 41), source="second", device="cpu")
    found.save_figure(IMAGES / "retrieve_query.png")


if __name__ == "__main__":
    main()
