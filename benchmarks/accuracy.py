"""Accuracy of recipes and models on the stand-in for Indian Pines, as a mean over seeds.

    python benchmarks/accuracy.py --model hybridsn-dw --recipe default --seeds 3

10 % of each class at random for training, the rest for the test: the setting of most papers, in
which every test pixel has training pixels in its patch. Compare recipes with it, not papers.
`whole s` is all that `hsi.train` does, the map, the test and the figures included. With `--patches`
each step cuts the patches of its pixels, where otherwise the cheaper way is taken.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np
from common import report, stand_in

import hsi
from hsi.training.batches import Patches


def number_or_text(text: str) -> int | float | str:
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", nargs="+", default=["hybridsn-dw"])
    parser.add_argument("--recipe", nargs="+", default=["default"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--train", type=float, default=0.1)
    parser.add_argument("--patches", action="store_true", help="train patch by patch")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="other settings")
    parser.add_argument("--out", default="accuracy", help="name of the file of results")
    arguments = parser.parse_args()
    changes = dict(each.split("=") for each in arguments.set)
    changes = {name: number_or_text(value) for name, value in changes.items()}

    scene = stand_in()
    rows = []
    for model in arguments.model:
        for recipe in arguments.recipe:
            figures = []
            for seed in range(arguments.seeds):
                start = time.perf_counter()
                with tempfile.TemporaryDirectory() as folder, batches_of(arguments.patches):
                    run = hsi.train(
                        scene,
                        model=model,
                        recipe=recipe,
                        train=arguments.train,
                        seed=seed,
                        out=Path(folder) / "run",
                        **changes,
                    )
                    figures.append(run.metrics | {"whole": time.perf_counter() - start})
                print(model, recipe, seed, f"OA {figures[-1]['oa']:.4f}", flush=True)
            row = {"model": model, "recipe": recipe, "seeds": arguments.seeds}
            for name, factor in (("oa", 100), ("aa", 100), ("kappa", 100)):
                values = [factor * each[name] for each in figures]
                row[f"{name} %"] = round(float(np.mean(values)), 2)
                row[f"{name} sd"] = (
                    round(float(np.std(values, ddof=1)), 2) if len(values) > 1 else None
                )
            row["training s"] = round(float(np.mean([e["train_seconds"] for e in figures])), 1)
            row["whole s"] = round(float(np.mean([e["whole"] for e in figures])), 1)
            rows.append(row)
    report(
        arguments.out,
        rows,
        scene=scene.name,
        train=arguments.train,
        patches=arguments.patches,
        **changes,
    )


def batches_of(patches: bool) -> contextlib.AbstractContextManager[object]:
    """Return a context in which trainings go patch by patch, if that is wanted."""
    if not patches:
        return contextlib.nullcontext()
    return mock.patch(
        "hsi.training.fit.plan_batches", lambda _model, *pixels, **kw: Patches(*pixels, **kw)
    )


if __name__ == "__main__":
    main()
