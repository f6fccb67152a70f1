"""The results that docs/results.md publishes: `hsi bench` on the scenes at hand, made into a page.

    python benchmarks/results_page.py --work FOLDER                    # go on where it stopped
    python benchmarks/results_page.py --work FOLDER --scene salinas_a  # of one scene
    python benchmarks/results_page.py --work FOLDER --page-only        # of what is finished

Salinas-A is real. Beside it stands a stand-in for Indian Pines: its real ground truth on a cube
that is only like it (see `common.stand_in`), written into FOLDER as a scene with a card. All
figures come from `hsi bench`; this script only names the cells. It takes hours; cheap models come
first.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from common import machine, stand_in

from hsi.scenes.catalogue import load_card

PAGE = Path(__file__).parent.parent / "docs" / "results.md"
STAND_IN = "indian_pines_rank16"
AMOUNTS = "0.01,0.05,0.1"
SIMPLE = "svm,random-forest,knn,logistic-regression"
HYBRID = "hybridsn-dw,hybridsn,hybridsn-dw+eca"
SMALL = "cnn1d-hu,rnn-mou,cnn3d-hamida,cnn3d-li,contextual-lee,m3d-he,ssftt"
LARGE = "ssrn,a2s2k,spectralformer"
# A training of these takes most of an hour on one core.
SLOW = "hybridsn-2d3d,cnn3d-chen"
# The guard that patches of the largest model, cnn3d-chen, need; fixed, so that models can be added.
GUARD = "26"
SALINAS_A = "salinas_a"
SCENES = (SALINAS_A, STAND_IN)
# All cells of a benchmark share their settings: a folder for each scene and recipe.
UNSEEN = "-unseen"


def commands(work: Path, scene: str) -> list[list[str]]:
    """Return the arguments of `hsi bench`, in the order of what they tell for their cost."""
    asked = [
        ("", f"{SIMPLE},hybridsn-dw,{SMALL},hybridsn,hybridsn-dw+eca", "0.1", "0,"),
        (UNSEEN, "svm,hybridsn-dw", "0.1", "0,"),
        ("", SIMPLE, AMOUNTS, "5"),
        ("", LARGE, "0.1", "0,"),
        (UNSEEN, "svm,hybridsn-dw", AMOUNTS, "0,"),
        ("", f"{SIMPLE},{HYBRID},{SMALL}", AMOUNTS, "0,"),
        ("", LARGE, AMOUNTS, "0,"),
        (UNSEEN, "svm,hybridsn-dw", AMOUNTS, "3"),
        ("", f"hybridsn-dw,{SMALL}", AMOUNTS, "3"),
        ("", f"{SIMPLE},{HYBRID},{SMALL},{LARGE}", AMOUNTS, "10"),
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


def in_short(work: Path) -> str:
    """Return a table of overall accuracies: the best of each kind, and what the recipe changes."""
    found: dict[tuple[str, float, str], dict[str, dict[str, Any]]] = {}
    for scene in SCENES:
        for recipe in ("", UNSEEN):
            path = work / f"{scene}{recipe}" / "results.json"
            rows = json.loads(path.read_text(encoding="utf-8"))["summary"] if path.exists() else []
            for row in rows:
                if row["figure"] == "oa" and row["mean"] is not None:
                    place = (scene, row["train"], row["split"])
                    found.setdefault(place, {})[f"{row['model']}{recipe}"] = row
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
            _best(models, simple), _best(models, ["hybridsn-dw"]),
            _best(models, [f"hybridsn-dw{UNSEEN}"]), _best(models, others),
        ]  # fmt: skip
        lines.append(f"| {scene} | {train:.0%} | {split} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _best(models: dict[str, dict[str, Any]], names: list[str]) -> str:
    """Return the highest mean among `names`, with its deviation, its model and its seeds."""
    rows = [models[name] for name in names if name in models]
    if not rows:
        return "–"
    row = max(rows, key=lambda row: row["mean"])
    spread = row["standard_deviation"]
    text = f"{100 * row['mean']:.1f}" + (f" ± {100 * spread:.1f}" if spread is not None else "")
    name = f" {row['model']}" if len(names) > 1 else ""
    seeds = row["trainings"]
    return f"{text}{name} ({seeds} {'seed' if seeds == 1 else 'seeds'})"


def report(work: Path, folder: str, *, level: int) -> str:
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
    return re.sub(r"^#+(?= )", lambda marks: marks[0] + "#" * (level - 2), body, flags=re.M).strip()


def _shown(bench: Path, name: str) -> str:
    """Copy a picture of a split beside the other pictures; return its address from the page."""
    # Recipes have the same splits.
    picture = PAGE.parent / "images" / f"split-{name}"
    shutil.copyfile(bench / "splits" / name, picture)
    return f"images/{picture.name}"


def _sums_up(section: str) -> bool:
    heading = section.split("\n", 1)[0]
    return heading.endswith(("side by side", "of all models"))


def page(work: Path) -> str:
    """Return the page: what it is, what it is not, and the reports of the benchmarks."""
    facts = machine()
    real = "\n".join(
        f"hsi bench --dataset {scene} --model {SIMPLE},{HYBRID},{SMALL},{LARGE} \\\n"
        f"    --split random,blocks --train {AMOUNTS} --seeds 10 --guard {GUARD} --out bench"
        for scene in ("indian_pines", "pavia_university", "salinas")
    )
    rows = "\n".join(
        f"| {title} | – | – | – |" for title in ("Indian Pines", "Pavia University", "Salinas")
    )
    return f"""# Results

Made by `hsi bench` through `benchmarks/results_page.py` on {facts["processor"]}, one thread \
(PyTorch {facts["torch"]}, {facts["date"]}). What the tables hold and how they are read is in \
[bench.md](bench.md).

- **Salinas-A** is the real scene. Each of its six classes is a single field or two: on blocks, a \
model is tested in another part of the fields that it learned in.
- **{STAND_IN}** is not Indian Pines. Its ground truth is real; its cube is a non-negative \
factorisation of rank 16 with white noise. Its figures compare models with each other, and with \
nothing published.
- Seeds are as many as the tables say. Those of slow networks are few, since all of this was \
computed on a CPU; a single seed has no deviation and proves nothing. The script goes on to ten.
- A model, an amount or a split that a table lacks has not been measured there yet. Networks have \
one seed; on Salinas-A, simple classifiers have five.
- Nothing is here of {SLOW.replace(",", " and ")}: on one core, a single training with its map \
takes most of an hour. The script comes to them last.
- Times were taken beside other work, so they are too long and tell orders of magnitude.
- Blocks keep {GUARD} pixels between training and test, what the largest patches need, for all \
models alike.
- The recipe `unseen` has small patches, and components that are not whitened \
([unseen.md](unseen.md)). Splits, and classifiers of single spectra, are those of the default.

The real Indian Pines, Pavia University and Salinas are not here yet. Their rows are filled in by

```
{real}
```

| scene | random, OA | blocks, OA | difference |
|---|---|---|---|
{rows}

## In short

Overall accuracy in %, mean ± deviation over the seeds that there are. The best of several is \
chosen on these same figures, which flatters it.

{in_short(work)}

## Salinas-A

### With the default recipe

{report(work, SALINAS_A, level=4)}

### With the recipe for unseen places

{report(work, f"{SALINAS_A}{UNSEEN}", level=4)}

## The stand-in for Indian Pines

### With the default recipe

{report(work, STAND_IN, level=4)}

### With the recipe for unseen places

{report(work, f"{STAND_IN}{UNSEEN}", level=4)}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder for scene and runs")
    parser.add_argument("--page-only", action="store_true", help="train nothing more")
    parser.add_argument("--scene", nargs="+", default=list(SCENES), choices=list(SCENES))
    parser.add_argument("--first", type=int, help="of each scene, only so many of the commands")
    arguments = parser.parse_args()
    work = arguments.work.absolute()
    write_stand_in(work / "scenes")
    if not arguments.page_only:
        for scene in arguments.scene:
            for words in commands(work, scene)[: arguments.first]:
                print("hsi", shlex.join(words), flush=True)
                subprocess.run([sys.executable, "-m", "hsi", *words], check=False)
    PAGE.write_text(page(work), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
