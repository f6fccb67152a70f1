"""The results that docs/results.md publishes: `hsi bench` on the scenes at hand, made into a page.

    python benchmarks/results_page.py --work FOLDER              # go on where it was stopped
    python benchmarks/results_page.py --work FOLDER --page-only  # of what is finished

Salinas-A is real. Beside it stands a stand-in for Indian Pines: its real ground truth on a cube
that is only like it (see `common.stand_in`), written into FOLDER as a scene with a card. All
figures come from `hsi bench`; this script only names the cells. It takes hours; cheap models come
first.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import tomli_w
from common import machine, stand_in

from hsi.scenes.catalogue import load_card

PAGE = Path(__file__).parent.parent / "docs" / "results.md"
STAND_IN = "indian_pines_rank16"
AMOUNTS = "0.01,0.05,0.1"
SIMPLE = "svm,random-forest,knn,logistic-regression"
HYBRID = "hybridsn-dw,hybridsn,hybridsn-2d3d,hybridsn-dw+eca"
SMALL = "cnn1d-hu,rnn-mou,cnn3d-hamida,cnn3d-li,contextual-lee,ssftt"
LARGE = "ssrn,a2s2k,m3d-he,spectralformer,cnn3d-chen"
# The guard that patches of the largest model, cnn3d-chen, need; fixed, so that models can be added.
GUARD = "26"
# A folder for each recipe, since all cells of a benchmark share their settings.
FOLDERS = {"bench": [], "bench-unseen": ["--recipe", "unseen"]}


def commands(work: Path) -> list[list[str]]:
    """Return the arguments of `hsi bench`, in the order of what they tell for their cost."""
    card = str(work / "scenes" / f"{STAND_IN}.toml")
    asked = [
        ("bench", "salinas_a", SIMPLE, AMOUNTS, "3"),
        ("bench-unseen", "salinas_a", "svm,hybridsn-dw", AMOUNTS, "3"),
        ("bench", "salinas_a", "hybridsn-dw", AMOUNTS, "3"),
        ("bench", card, SIMPLE, AMOUNTS, "3"),
        ("bench-unseen", card, "svm,hybridsn-dw", AMOUNTS, "3"),
        ("bench", "salinas_a", f"{HYBRID},{SMALL}", "0.1", "1"),
        ("bench", card, f"hybridsn-dw,{SMALL}", "0.1", "1"),
        ("bench", "salinas_a", LARGE, "0.1", "1"),
        ("bench", "salinas_a", f"{SIMPLE},{HYBRID},{SMALL},{LARGE}", AMOUNTS, "10"),
        ("bench", card, f"{SIMPLE},{HYBRID},{SMALL},{LARGE}", AMOUNTS, "10"),
        ("bench-unseen", "salinas_a", f"svm,{HYBRID}", AMOUNTS, "10"),
        ("bench-unseen", card, f"svm,{HYBRID}", AMOUNTS, "10"),
    ]
    return [
        [
            "bench", "--dataset", scene, "--model", models, "--split", "random,blocks",
            "--train", train, "--seeds", seeds if "," in seeds or int(seeds) > 1 else "0,",
            "--guard", GUARD, *FOLDERS[folder], "--out", str(work / folder),
        ]
        for folder, scene, models, train, seeds in asked
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


def report(work: Path, folder: str) -> str:
    """Return the report of a benchmark without its title, and without paths of this machine."""
    path = work / folder / "results.md"
    if not path.exists():
        return "Nothing has been measured yet."
    text = path.read_text(encoding="utf-8")
    body = text.split("\n", 1)[1].replace(f"{work}/", "")
    return body.replace("\n### ", "\n#### ").replace("\n## ", "\n### ").strip()


def page(work: Path) -> str:
    """Return the page: what it is, what it is not, and the reports of the benchmarks."""
    facts = machine()
    real = "\n".join(
        f"hsi bench --dataset {scene} --model {SIMPLE},{HYBRID} --split random,blocks \\\n"
        f"    --train {AMOUNTS} --seeds 10 --guard {GUARD} --out bench"
        for scene in ("indian_pines", "pavia_university", "salinas")
    )
    rows = "\n".join(
        f"| {title} | – | – | – |" for title in ("Indian Pines", "Pavia University", "Salinas")
    )
    return f"""# Results

Made by `hsi bench` through `benchmarks/results_page.py` on {facts["processor"]} \
(PyTorch {facts["torch"]}, {facts["date"]}). What the tables hold \
and how they are read is in [bench.md](bench.md).

- **Salinas-A** is the real scene. Each of its six classes is a single field: on blocks, a model \
is tested in another part of the fields that it learned in.
{_about_stand_in(work)}
- Seeds are as many as the tables say. Those of slow networks are few, since all of this was \
computed on a CPU; a single seed has no deviation and proves nothing. The script goes on to ten.
- Times were taken beside other work, so they are too long and tell orders of magnitude.
- Blocks keep {GUARD} pixels between training and test, what the largest patches here need, for \
all models alike.

The real Indian Pines, Pavia University and Salinas are not here yet. Their rows are filled in by

```
{real}
```

| scene | random, OA | blocks, OA | difference |
|---|---|---|---|
{rows}

## With the default recipe

{report(work, "bench")}

## With the recipe for unseen places

Small patches, and components that are not whitened ([unseen.md](unseen.md)). Splits, and \
classifiers of single spectra, are those of above.

{report(work, "bench-unseen")}
"""


def _about_stand_in(work: Path) -> str:
    """Return what must be said of the stand-in, or that it is not there."""
    name = f"- **{STAND_IN}** is not Indian Pines. Its ground truth is real; its cube is a "
    about = f"{name}non-negative factorisation of rank 16 with white noise. "
    if any(STAND_IN in report(work, folder) for folder in FOLDERS):
        return f"{about}Its figures compare models with each other, and with nothing published."
    return f"{about}It has not been measured yet: the script goes on to it."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder for scene and runs")
    parser.add_argument("--page-only", action="store_true", help="train nothing more")
    parser.add_argument("--first", type=int, help="only so many of the commands")
    arguments = parser.parse_args()
    work = arguments.work.absolute()
    write_stand_in(work / "scenes")
    if not arguments.page_only:
        for words in commands(work)[: arguments.first]:
            print("hsi", shlex.join(words), flush=True)
            subprocess.run([sys.executable, "-m", "hsi", *words], check=False)
    PAGE.write_text(page(work), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
