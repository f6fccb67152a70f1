"""Confusion matrix and learning curve: the numbers that are drawn."""

import math

import numpy as np
import pytest

from hsi.errors import UsageError
from hsi.report import confusion_figure, learning_curve_figure

CONFUSION = [[90, 10, 0], [0, 0, 0], [1, 0, 3999]]
NAMES = ["Corn", r"Oats $\oops$", "Wheat"]  # as a formula, the second could not be drawn


def texts_by_cell(figure):
    axes = figure.axes[0]
    cells = {}
    for text in axes.texts:
        x, y = getattr(text, "xy", text.get_position())
        if 0 < x < 3 and 0 < y < 3:
            cells.setdefault((int(y), int(x)), []).append(text.get_text())
    return cells


def test_cells_hold_the_share_of_the_true_class_and_the_pixels():
    assert texts_by_cell(confusion_figure(CONFUSION, names=NAMES)) == {
        (0, 0): ["90.0", "90"],
        (0, 1): ["10.0", "10"],
        (2, 0): ["<0.1", "1"],
        (2, 2): ["99.9", "3,999"],  # not 100.0: one pixel is wrong
    }


def test_a_class_without_test_pixels_has_no_share_and_no_nan():
    figure = confusion_figure(CONFUSION, names=NAMES)
    shares = figure.axes[0].collections[0].get_array().reshape(3, 3)
    assert np.isfinite(shares.data).all()
    np.testing.assert_array_equal(np.ma.getmaskarray(shares).all(axis=1), [False, True, False])
    np.testing.assert_allclose(shares[[0, 2]], [[0.9, 0.1, 0], [0.00025, 0, 0.99975]])


def test_truth_runs_down_and_prediction_across(picture):
    figure = confusion_figure([[0, 50, 0], [0, 50, 0], [0, 50, 0]], names=NAMES)
    axes = figure.axes[0]
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("True class", "Predicted class")
    assert [label.get_text() for label in axes.get_yticklabels()] == NAMES
    # The middle column is dark from top to bottom, its neighbours are light.
    page = picture(figure).astype(int)
    first, middle, last = (
        [_brightness(page, axes, col + 0.1, row + 0.1) for row in range(3)] for col in range(3)
    )
    assert max(middle) < 300 < 700 < min(first + last)


def _brightness(page, axes, x, y):
    col, row = axes.transData.transform((x, y))
    return page[round(len(page) - row), round(col)].sum()


def test_rows_are_drawn_from_the_top():
    axes = confusion_figure(CONFUSION, names=NAMES).axes[0]
    assert axes.transData.transform((0, 0))[1] > axes.transData.transform((0, 3))[1]


@pytest.mark.parametrize("K", [1, 2, 12, 13, 24])
def test_numbers_fit_into_their_cells_and_names_on_the_page(K):
    names = [f"{k} Buildings-Grass-Trees-Drives" for k in range(K)]
    figure = confusion_figure(np.full((K, K), 12_345), names=names)
    figure.draw_without_rendering()  # labels find their place when drawn
    axes, page = figure.axes[0], figure.bbox
    side = axes.get_window_extent().width / K
    inside = [t for t in axes.texts if getattr(t, "xy", t.get_position())[0] < K]
    assert len(inside) == (K * K if K > 12 else 2 * K * K)
    assert all(text.get_window_extent().width < side for text in inside)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels(), *axes.texts, axes.yaxis.label):
        box = label.get_window_extent()
        assert page.x0 <= box.x0 <= box.x1 <= page.x1
        assert page.y0 <= box.y0 <= box.y1 <= page.y1


def test_names_must_match_the_matrix():
    with pytest.raises(UsageError, match="2 names"):
        confusion_figure(CONFUSION, names=NAMES[:2])


def epoch(number, loss, train, validation):
    return {
        "epoch": number, "loss": loss, "train_accuracy": train, "validation_accuracy": validation,
        "learning_rate": 1e-3, "seconds": 1.5 * number,
    }  # fmt: skip


def lines(axes):
    return {line.get_label(): line.get_xydata().tolist() for line in axes.lines}


def test_the_curve_holds_loss_and_accuracies_in_percent():
    rows = [epoch(1, 2.0, 0.5, None), epoch(2, 1.0, 0.75, 0.25), epoch(3, 0.5, 0.875, None)]
    loss, accuracy = learning_curve_figure(rows).axes
    assert loss.lines[0].get_xydata().tolist() == [[1, 2], [2, 1], [3, 0.5]]
    assert lines(accuracy) == {
        "Training": [[1, 50], [2, 75], [3, 87.5]],
        "Validation": [[2, 25]],
    }
    assert loss.get_xlim() == accuracy.get_xlim()


def test_without_validation_there_is_no_such_line():
    _, accuracy = learning_curve_figure([epoch(1, 2.0, 0.5, None), epoch(2, 1, 0.6, None)]).axes
    assert list(lines(accuracy)) == ["Training"]
    assert [text.get_text() for text in accuracy.get_legend().get_texts()] == ["Training"]


@pytest.mark.parametrize("row", [epoch(1, 2.0, 0.5, 0.4), epoch(7, 0.0, 1.0, None)])
def test_one_epoch_is_a_point_that_shows(row, picture):
    figure = learning_curve_figure([row])
    page = picture(figure)
    blue = np.array([0, 114, 178])  # of training
    points = np.argwhere((page == blue).all(axis=2))
    x, y = figure.axes[1].transData.transform((row["epoch"], 100 * row["train_accuracy"]))
    assert np.hypot(*(points - (len(page) - y, x)).T).min() < 3
    (tick,) = [t for t in figure.axes[1].get_xticks() if t == row["epoch"]]
    assert tick == row["epoch"]


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_diverged_training_is_drawn(loss, picture):
    picture(learning_curve_figure([epoch(1, 2.0, 0.5, 0.5), epoch(2, loss, 0.1, math.nan)]))
    picture(learning_curve_figure([epoch(1, loss, math.nan, None)]))


def test_a_curve_needs_an_epoch():
    with pytest.raises(UsageError, match="no epochs"):
        learning_curve_figure([])
