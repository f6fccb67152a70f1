"""Accuracy of recipes and models on the stand-in for Indian Pines, as a mean over seeds.

    python benchmarks/accuracy.py --model hybridsn-dw --recipe default --seeds 3

10 % of each class at random for training, the rest for the test: the setting of most papers, in
which every test pixel has training pixels in its patch. Compare recipes with it, not papers.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from common import report, stand_in

import hsi


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", nargs="+", default=["hybridsn-dw"])
    parser.add_argument("--recipe", nargs="+", default=["default"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--train", type=float, default=0.1)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="other settings")
    parser.add_argument("--out", default="accuracy", help="name of the file of results")
    arguments = parser.parse_args()
    changes = dict(each.split("=") for each in arguments.set)
    changes = {name: float(v) if "." in v or "e" in v else int(v) for name, v in changes.items()}

    scene = stand_in()
    rows = []
    for model in arguments.model:
        for recipe in arguments.recipe:
            figures = []
            for seed in range(arguments.seeds):
                with tempfile.TemporaryDirectory() as folder:
                    run = hsi.train(
                        scene,
                        model=model,
                        recipe=recipe,
                        train=arguments.train,
                        seed=seed,
                        out=Path(folder) / "run",
                        **changes,
                    )
                    figures.append(run.metrics)
                print(model, recipe, seed, f"OA {figures[-1]['oa']:.4f}", flush=True)
            row = {"model": model, "recipe": recipe, "seeds": arguments.seeds}
            for name, digits in (("oa", 4), ("aa", 4), ("kappa", 4), ("train_seconds", 1)):
                values = [each[name] for each in figures]
                row[name] = round(float(np.mean(values)), digits)
                spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
                row[f"{name} sd"] = None if spread is None else round(spread, digits)
            rows.append(row)
    report(arguments.out, rows, scene=scene.name, train=arguments.train, **changes)


if __name__ == "__main__":
    main()
