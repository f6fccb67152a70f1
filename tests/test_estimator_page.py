"""The page on scikit-learn's manner shows what runs, and grids as they are."""

import re
from pathlib import Path

import numpy as np
import pytest

from hsi.models import build_model, choice, random_forest

PAGE = Path(__file__).parents[1] / "docs" / "estimator.md"
BANDS = 100


@pytest.mark.slow
def test_what_the_page_shows_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names = {}
    exec(code, names)  # noqa: S102
    assert names["class_map"].shape == (96, 96)
    assert names["shares"].shape == (96, 96, 8)
    assert len(names["y"]) == len(names["pixels"]) == np.count_nonzero(names["few"])
    said = capsys.readouterr().out
    assert float(re.search(r"accuracy ([0-9.]+)", said)[1]) > 0.5
    ours, theirs = ([float(n) for n in each.split()] for each in re.findall(r"\[(.*)\]", said))
    assert len(ours) == len(theirs) == 3


@pytest.mark.parametrize(
    ("name", "chosen", "values"),
    [
        ("svm", "C", {1, 10, 100, 1000, 10_000}),
        ("svm", "gamma", {1 / 1600, 1 / 400, 1 / 100, 4 / 100}),
        ("random-forest", "max_features", {5, 10, 20}),
        ("knn", "n_neighbors", {1, 3, 5, 7, 9, 11, 15, 21}),
        ("logistic-regression", "C", {0.01, 0.1, 1, 10, 100, 1000, 10_000}),
    ],
)
def test_the_grids_are_those_of_the_page(name, chosen, values):
    candidates = build_model(name, bands=BANDS, classes=3, patch_size=1).rule.candidates(1000)
    assert {each[chosen] for each in candidates} == values
    (row,) = re.findall(rf"\| `{name}` \|.*", PAGE.read_text(encoding="utf-8"))
    assert f"`{chosen}`" in row


def test_numbers_in_the_text():
    text = PAGE.read_text(encoding="utf-8")
    assert f"{random_forest.TREES} trees" in text
    assert f"more than {choice.ENOUGH:,}" in text
    assert choice.FOLDS == 5
    assert "five folds" in text
