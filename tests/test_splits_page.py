"""The page about splits: its Python runs, and its figures are those of the benchmark."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "splits.md").read_text(encoding="utf-8")
RESULTS = json.loads((ROOT / "benchmarks" / "results" / "splits.json").read_text(encoding="utf-8"))
ROWS = {(row["scene"], row["split"]): row for row in RESULTS["rows"]}

TITLES = {
    "botswana": "Botswana",
    "houston_2013": "Houston 2013",
    "indian_pines": "Indian Pines",
    "ksc": "KSC",
    "pavia_centre": "Pavia Centre",
    "pavia_university": "Pavia University",
    "salinas": "Salinas",
    "salinas_a": "Salinas-A",
}


def test_folds_as_the_page_shows_them():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {}
    exec(code, names)  # noqa: S102
    np.testing.assert_array_equal(names["tested"], names["scene"].labels > 0)
    assert names["worst"] == 0
    assert names["folds"].get_n_splits() == 4


def line_of(scene):
    """Return the nine cells of a scene's line in the table of figures."""
    title = TITLES[scene]
    lines = [line for line in PAGE.splitlines() if line.startswith(f"| {title} |")]
    (line,) = [line for line in lines if line.count("|") == 10]
    return [cell.strip().strip("*") for cell in line.split("|")[1:-1]]


@pytest.mark.parametrize("scene", sorted({scene for scene, _ in ROWS}))
def test_the_figures_are_those_of_the_benchmark(scene):
    cells = line_of(scene)
    for kind, counts, overlap in (("random", 1, 2), ("blocks", 3, None), ("official", 7, 8)):
        row = ROWS.get((scene, kind))
        if row is None:
            assert cells[counts] == cells[overlap] == ""
            continue
        assert cells[counts] == f"{row['train']:,} / {row['test']:,}"
        if overlap is None:
            assert row["contains"] == row["shares"] == 0
            assert cells[4] == f"{row['in both']} of {row['classes']}"
        else:
            shares = [100 * row[name] for name in ("contains", "shares")]
            said = [float(part) for part in cells[overlap].split("/")]
            assert said == pytest.approx(shares, abs=0.051)
    folds = ROWS[scene, "folds"]
    assert cells[5] == f"{folds['train']:,} / {folds['test']:,}"
    assert folds["shares"] == 0
    said = float(cells[6].removesuffix("%"))
    assert said == pytest.approx(100 * folds["unlearned"], abs=0.051)
