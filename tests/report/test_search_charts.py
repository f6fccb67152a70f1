"""Figures of a search: what is drawn is what was handed over, and all of it is on the page."""

import numpy as np
import pytest

from hsi.errors import UsageError
from hsi.report.search_charts import history_figure, importance_figure

NUMBERS = [0, 1, 2, 4, 5]
VALUES = [0.7, None, 0.65, 0.9, None]
OUTCOMES = ["complete", "pruned", "complete", "complete", "failed"]


def texts_are_on_the_page(figure):
    figure.draw_without_rendering()
    shown, page = figure.get_tightbbox(), figure.get_size_inches()
    return shown.x0 >= 0 and shown.y0 >= 0 and shown.x1 <= page[0] and shown.y1 <= page[1]


def test_points_are_the_complete_trials_and_the_line_the_best_until_then():
    figure = history_figure(NUMBERS, VALUES, OUTCOMES, measure="Kappa")
    upper, strip = figure.axes
    (points,) = upper.collections
    np.testing.assert_allclose(points.get_offsets(), [[0, 70], [2, 65], [4, 90]])
    (line,) = upper.lines
    np.testing.assert_allclose(line.get_xydata(), [[0, 70], [1, 70], [2, 70], [4, 90], [5, 90]])
    assert upper.get_ylabel() == "Kappa (%)"
    marks = [each.get_offsets().tolist() for each in strip.collections]
    assert marks == [[[1, 0]], [[5, -1]]]
    legend = [text.get_text() for text in strip.get_legend().get_texts()]
    assert legend == ["Complete", "Best so far", "Ended early", "Failed"]
    assert texts_are_on_the_page(figure)


@pytest.mark.parametrize("values", [[0.8, 1.0], [1.0, 1.0], [0.5, 0.999]])
def test_no_axis_goes_beyond_100_percent(values):
    (axes,) = history_figure([0, 1], values, ["complete"] * 2, measure="Kappa").axes
    low, high = axes.get_ylim()
    assert low < 100 * min(values) <= 100 * max(values) <= high <= 100


def test_where_all_trials_are_complete_there_is_no_strip():
    (axes,) = history_figure([0, 1], [0.5, 0.6], ["complete"] * 2, measure="Kappa").axes
    assert axes.get_xlabel() == "Trial"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "Complete", "Best so far",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "outcomes"),
    [
        ([0.5], ["complete"]),
        ([None], ["pruned"]),
        ([None, None], ["failed", "pruned"]),
        ([0.5] * 200, ["complete"] * 200),
    ],
)
def test_any_number_of_trials_can_be_drawn(values, outcomes):
    figure = history_figure(range(len(values)), values, outcomes, measure="Average accuracy")
    assert texts_are_on_the_page(figure)


def test_bars_are_sorted_and_as_long_as_their_shares():
    figure = importance_figure(
        {"dropout": 0.1, "learning_rate": 0.75, "model": 0.15}, title="fANOVA"
    )
    (axes,) = figure.axes
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([75, 15, 10])
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == ["learning rate", "model", "dropout"]
    assert {text.get_text() for text in axes.texts} == {"75.0", "15.0", "10.0"}
    low, high = axes.get_ylim()
    assert low > high  # the first is above
    assert texts_are_on_the_page(figure)


def test_what_cannot_be_drawn():
    with pytest.raises(UsageError, match="0 numbers"):
        history_figure([], [], [], measure="Kappa")
    with pytest.raises(UsageError, match="2 values"):
        history_figure([1], [0.5, 0.6], ["complete"], measure="Kappa")
    with pytest.raises(UsageError, match="no settings"):
        importance_figure({}, title="fANOVA")
