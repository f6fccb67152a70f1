"""The results that docs/results.md publishes: `hsi bench` on the scenes at hand, made into pages.

    python benchmarks/results_page.py --work FOLDER                    # go on where it stopped
    python benchmarks/results_page.py --work FOLDER --scene salinas_a  # of one scene
    python benchmarks/results_page.py --work FOLDER --page-only        # of what is finished

Salinas-A is real. Beside it stands a stand-in for Indian Pines: its real ground truth on a cube
that is only like it (see `common.stand_in`), written into FOLDER as a scene with a card. All
figures come from `hsi bench`; this script only names the cells. It takes hours; cheap models come
first. Each scene has a page with its reports, and docs/results.md sums them up by the accuracies in
results/results_page.json. There, and on its page, a scene stays as it was measured until FOLDER
holds all of those cells and more.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from common import RESULTS, report, stand_in

from hsi.scenes.catalogue import load_card
from hsi.training.recipe import usual_recipe
from hsi.workflows.bench.model_names import split_model_name

DOCS = Path(__file__).parent.parent / "docs"
NAME = "results_page"
STAND_IN = "indian_pines_rank16"
AMOUNTS = "0.01,0.05,0.1"
SIMPLE = "svm,random-forest,knn,logistic-regression"
HYBRID = "hybridsn-dw,hybridsn,hybridsn-dw+eca"
SMALL = "cnn1d-hu,rnn-mou,cnn3d-hamida,cnn3d-li,contextual-lee,m3d-he,ssftt"
LARGE = "ssrn,a2s2k,spectralformer,cnn3d-chen"
# A training of it takes most of an hour on one core.
SLOW = "hybridsn-2d3d"
# The guard that patches of the largest model, cnn3d-chen, need; fixed, so that models can be added.
GUARD = "26"
SALINAS_A = "salinas_a"
SCENES = (SALINAS_A, STAND_IN)
TITLES = {SALINAS_A: "Salinas-A", STAND_IN: "The stand-in for Indian Pines"}
# All cells of a benchmark share their settings: a folder for each scene and recipe.
UNSEEN = "-unseen"
# What the page tells of each cell, by the names that summaries have for it.
FIGURES = {"oa": "oa %", "aa": "aa %", "kappa": "kappa x 100", "train_oa": "learned %"}


def commands(work: Path, scene: str) -> list[list[str]]:
    """Return the arguments of `hsi bench`, in the order of what they tell for their cost."""
    asked = [
        ("", SIMPLE, AMOUNTS, "10"),
        (UNSEEN, "svm,hybridsn-dw", AMOUNTS, "0,"),
        ("", f"{HYBRID},{SMALL}", AMOUNTS, "0,"),
        (UNSEEN, "svm,hybridsn-dw", AMOUNTS, "10"),
        ("", LARGE, AMOUNTS, "0,"),
        ("", f"hybridsn-dw,{SMALL}", AMOUNTS, "3"),
        ("", f"{HYBRID},{SMALL},{LARGE}", AMOUNTS, "10"),
        (UNSEEN, f"svm,{HYBRID}", AMOUNTS, "10"),
        ("", SLOW, AMOUNTS, "10"),
    ]
    card = scene if scene == SALINAS_A else str(work / "scenes" / f"{STAND_IN}.toml")
    return [
        [
            "bench", "--dataset", card, "--model", models, "--split", "random,blocks",
            "--train", train, "--seeds", seeds, "--guard", GUARD,
            *(["--recipe", "unseen"] if recipe == UNSEEN else []),
            "--out", str(work / f"{scene}{recipe}"),
        ]
        for recipe, models, train, seeds in asked
    ]  # fmt: skip


def write_stand_in(folder: Path) -> None:
    """Write the stand-in as cube, labels and card, unless it is there."""
    card = folder / f"{STAND_IN}.toml"
    if card.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    scene, known = stand_in(), load_card("indian_pines")
    np.save(folder / f"{STAND_IN}.npy", scene.cube)
    np.save(folder / f"{STAND_IN}_gt.npy", scene.labels)
    table = {
        "title": "Stand-in for Indian Pines: a factorisation of rank 16 with noise",
        "shape": list(scene.shape),
        "wavelengths": list(known.wavelengths or ()),
        "rgb_bands": list(known.rgb_bands or ()),
        "components": known.components,
        "cube": {"name": f"{STAND_IN}.npy"},
        "labels": {"name": f"{STAND_IN}_gt.npy"},
        "classes": [
            {"id": each.id, "name": each.name, "color": "#{:02x}{:02x}{:02x}".format(*each.color)}
            for each in known.classes
        ],
    }
    card.write_text(tomli_w.dumps(table), encoding="utf-8")


def measured(work: Path, scene: str) -> list[dict[str, Any]]:
    """Return the mean accuracies of each cell of a scene that FOLDER holds, in percent."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for recipe in ("", UNSEEN):
        path = work / f"{scene}{recipe}" / "results.json"
        if not path.exists():
            continue
        when = datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()
        table = json.loads(path.read_text(encoding="utf-8"))
        for mean in table["summary"]:
            name = FIGURES.get(mean["figure"])
            if name is None or mean["mean"] is None:
                continue
            cell = {"recipe": recipe.strip("-") or "default"}
            cell |= {key: mean[key] for key in ("split", "train", "model")}
            row = rows.setdefault(tuple(cell.values()), {"scene": scene} | cell)
            row[name] = round(100 * mean["mean"], 4)  # shown with one digit, and rounded once
            if name == "oa %":
                row["seeds"] = mean["trainings"]
                spread = mean["standard_deviation"]
                row["oa sd"] = None if spread is None else round(100 * spread, 3)
            row["measured"] = when
    return list(rows.values())


def in_short(rows: list[dict[str, Any]]) -> str:
    """Return a table of overall accuracies: the best of each kind, and what the recipe changes."""
    found: dict[tuple[str, float, str], dict[str, dict[str, Any]]] = {}
    for row in rows:
        model = row["model"] + (UNSEEN if row["recipe"] == "unseen" else "")
        found.setdefault((row["scene"], row["train"], row["split"]), {})[model] = row
    simple = SIMPLE.split(",")
    lines = [
        "| scene | training | split | best simple classifier | hybridsn-dw | hybridsn-dw, unseen | "
        "best other network |",
        "|---|---|---|---|---|---|---|",
    ]
    for (scene, train, split), models in sorted(found.items()):
        others = [
            name
            for name in models
            if name not in simple
            and not name.startswith("hybridsn-dw")
            and not name.endswith(UNSEEN)
        ]
        cells = [
            _best(models, simple), _best(models, ["hybridsn-dw"], named=False),
            _best(models, [f"hybridsn-dw{UNSEEN}"], named=False), _best(models, others),
        ]  # fmt: skip
        lines.append(f"| {scene} | {train:.0%} | {split} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _best(models: dict[str, dict[str, Any]], names: list[str], *, named: bool = True) -> str:
    """Return the highest mean among `names`, with its deviation, its model and its seeds."""
    rows = [models[name] for name in names if name in models]
    if not rows:
        return "–"
    row = max(rows, key=lambda row: row["oa %"])
    text = f"{row['oa %']:.1f}" + (f" ± {row['oa sd']:.1f}" if row["oa sd"] is not None else "")
    name = f" {row['model']}" if named else ""
    seeds = row["seeds"]
    return f"{text}{name} ({seeds} {'seed' if seeds == 1 else 'seeds'})"


def how_many(rows: list[dict[str, Any]]) -> str:
    """Return a table of how many seeds there are of each model, and where it is not measured."""
    lines = [
        "| scene | recipe | model | steps x patches | learned, % | "
        "seeds of each split and amount | not measured |",
        "|---|---|---|---|---|---|---|",
    ]
    amounts = [float(amount) for amount in AMOUNTS.split(",")]
    places = [(split, amount) for split in ("random", "blocks") for amount in amounts]
    for scene in SCENES:
        for recipe, models in (
            ("default", f"{SIMPLE},{HYBRID},{SMALL},{LARGE},{SLOW}"),
            ("unseen", "hybridsn-dw"),
        ):
            for model in models.split(","):
                own = [
                    row
                    for row in rows
                    if (row["scene"], row["recipe"], row["model"]) == (scene, recipe, model)
                ]
                found = {(row["split"], row["train"]): row["seeds"] for row in own}
                seeds = sorted({found[place] for place in places if place in found})
                said = " to ".join(str(number) for number in dict.fromkeys(seeds[:1] + seeds[-1:]))
                missing = [place for place in places if place not in found]
                lacks = ", ".join(f"{split} {train:.0%}" for split, train in missing)
                lacks = lacks if found else "nothing is"
                cells = (
                    scene, recipe, model, _length(model), _range_learned(own), said or "–",
                    lacks or "–",
                )  # fmt: skip
                lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _range_learned(rows: list[dict[str, Any]]) -> str:
    """Return the least and the most that maps of a model have right of its training pixels."""
    known = sorted(row["learned %"] for row in rows if "learned %" in row)
    least, most = (f"{value:.0f}" for value in (known[0], known[-1])) if known else ("–", "–")
    return least if least == most else f"{least} to {most}"


def _length(model: str) -> str:
    """Return how many steps a network learns in, and from how many patches in each."""
    if model in SIMPLE.split(","):
        return "–"
    recipe = usual_recipe(split_model_name(model)[0])
    return f"{recipe['steps']} x {recipe['batch_size']}"


def report_of(work: Path, folder: str) -> str:
    """Return the report of a benchmark, what sums it up first, without paths of this machine."""
    path = work / folder / "results.md"
    if not path.exists():
        return "Nothing has been measured yet."
    # Where it was run, now or before it was moved here, says nothing to others.
    text = re.sub(r"(?<= )/\S*/(?=[^/\s]+)", "", path.read_text(encoding="utf-8"))
    before, *sections = text.split("\n## ")
    sums = [each for each in sections if _sums_up(each)]
    sections = [*sums, *(each for each in sections if each not in sums)]
    body = "\n## ".join([before.split("\n", 1)[1], *sections])
    body = re.sub(
        r"\]\(<splits/(.+?)>\)", lambda found: f"]({_shown(path.parent, found[1])})", body
    )
    return re.sub(r"^#+(?= )", lambda marks: marks[0] + "#", body, flags=re.M).strip()


def _shown(bench: Path, name: str) -> str:
    """Copy a picture of a split beside the other pictures; return its address from the page."""
    # Recipes have the same splits, but other patches.
    recipe = UNSEEN if bench.name.endswith(UNSEEN) else ""
    picture = DOCS / "images" / f"split{recipe}-{name}"
    shutil.copyfile(bench / "splits" / name, picture)
    return f"images/{picture.name}"


def _sums_up(section: str) -> bool:
    heading = section.split("\n", 1)[0]
    return heading.endswith(("side by side", "of all models"))


def page_of(work: Path, scene: str) -> str:
    """Return the page of a scene: the reports of its benchmarks."""
    return f"""# {TITLES[scene]}: results

What this scene is, and what the figures are worth: [results.md](results.md). How tables are read: \
[bench.md](bench.md). The recipe `unseen` is that of [unseen.md](unseen.md).

## With the default recipe

{report_of(work, scene)}

## With the recipe for unseen places

{report_of(work, f"{scene}{UNSEEN}")}
"""


def overview(rows: list[dict[str, Any]]) -> str:
    """Return the page that sums up those of the scenes."""
    real = "\n".join(
        f"hsi bench --dataset {scene} --model {SIMPLE},{HYBRID},{SMALL},{LARGE} \\\n"
        f"    --split random,blocks --train {AMOUNTS} --seeds 10 --guard {GUARD} --out bench"
        for scene in ("indian_pines", "pavia_university", "salinas")
    )
    empty = "\n".join(
        f"| {title} | – | – | – |" for title in ("Indian Pines", "Pavia University", "Salinas")
    )
    return f"""# Results

Made by `hsi bench` through `benchmarks/results_page.py`. All tables, per class, with comparisons \
and pictures of the splits, and the machine, versions and seeds that give them again: \
[Salinas-A](results_{SALINAS_A}.md), [the stand-in for Indian Pines](results_{STAND_IN}.md). How \
they are read is in [bench.md](bench.md).

- **Salinas-A** is the real scene. Each of its six classes is a single field or two: on blocks, a \
model is tested in another part of the fields that it learned in.
- **{STAND_IN}** is not Indian Pines. Its ground truth is real; its cube is a non-negative \
factorisation of rank 16 with white noise. Its figures compare models with each other, and with \
nothing published.
- Seeds are ten where a CPU allows it and fewer where it does not: the last table says how many. A \
single seed has no deviation and proves nothing.
- Times were taken beside other work, so they are too long and tell orders of magnitude.
- Blocks keep {GUARD} pixels between training and test, what the largest patches need, for all \
models alike.
- Networks learn in about the number of steps that the last table says, of so many patches at \
most, or in one pass over the training pixels if that takes more. Most of their papers have them \
learn for longer. "Learned" is what their maps have right of their training pixels, where it was \
least and where it was most: a network that has not learned those can do better than here.
- The recipe `unseen` has small patches, and components that are not whitened \
([unseen.md](unseen.md)). Splits, and classifiers of single spectra, are those of the default.

The real Indian Pines, Pavia University and Salinas are not here yet. Their rows are filled in by

```
{real}
```

| scene | random, OA | blocks, OA | difference |
|---|---|---|---|
{empty}

## In short

Overall accuracy in %, mean ± deviation over the seeds that there are. The best of several is \
chosen on these same figures, which flatters it. A mean over ten seeds and the figure of one are \
of other splits: the pages of the scenes compare models on the seeds that both have.

{in_short(rows)}

## What has been measured

{how_many(rows)}

A training of {SLOW} takes most of an hour on one core. The usual training of cnn3d-chen is too \
short for the stand-in, as the table shows.
"""


def kept_rows() -> list[dict[str, Any]]:
    path = RESULTS / f"{NAME}.json"
    rows: list[dict[str, Any]] = json.loads(path.read_text())["rows"] if path.exists() else []
    return rows


def is_covered(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> bool:
    """Return whether each cell that was measured before has been measured, by as many seeds."""
    key = ("recipe", "split", "train", "model")
    seeds = {tuple(row[name] for name in key): row["seeds"] for row in now}
    return all(seeds.get(tuple(row[name] for name in key), 0) >= row["seeds"] for row in before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder for scene and runs")
    parser.add_argument("--page-only", action="store_true", help="train nothing more")
    parser.add_argument("--scene", nargs="+", default=list(SCENES), choices=list(SCENES))
    parser.add_argument("--first", type=int, help="of each scene, only so many of the commands")
    arguments = parser.parse_args()
    work = arguments.work.absolute()
    write_stand_in(work / "scenes")
    rows = kept_rows()
    for scene in arguments.scene:
        for words in [] if arguments.page_only else commands(work, scene)[: arguments.first]:
            print("hsi", shlex.join(words), flush=True)
            subprocess.run([sys.executable, "-m", "hsi", *words], check=False)
        before = [row for row in rows if row["scene"] == scene]
        now = measured(work, scene)
        if not is_covered(before, now):
            print(f"{scene} stays as it is: {work} lacks cells that were measured before")
            continue
        rows = [*(row for row in rows if row["scene"] != scene), *now]
        (DOCS / f"results_{scene}.md").write_text(page_of(work, scene), encoding="utf-8")
    report(NAME, rows)
    (DOCS / "results.md").write_text(overview(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
