"""Figures of numbers: the confusion matrix and the course of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from hsi.errors import UsageError
from hsi.report.canvas import (
    INK,
    MUTED,
    SMALL_SIZE,
    TEXT_SIZE,
    TINY_SIZE,
    fit_figure,
    new_figure,
    one_line,
)
from hsi.report.numbers import percent

# Up to so many classes a cell has room for the number under the percentage.
_CLASSES_WITH_COUNTS = 12
# Okabe and Ito's blue and vermilion.
_TRAINING, _VALIDATION = "#0072b2", "#d55e00"
_PANEL_WIDTH, _PANEL_HEIGHT, _PANEL_GAP = 560, 250, 50


def confusion_figure(
    confusion: ArrayLike, *, names: Sequence[str], counted: str = "pixels"
) -> Figure:
    """Draw a confusion matrix; the colour is the share of the true class.

    Each cell has that share in percent and, up to 12 classes, the number of pixels. Cells without
    a pixel are empty. The number of test pixels stands behind each row; a class without any is
    grey.

    Parameters
    ----------
    confusion : array_like of int
        ``(classes, classes)``: rows are the truth, columns the prediction.
    names : sequence of str
        Name of each class, in the same order.
    counted : str
        What the matrix counts.

    Raises
    ------
    UsageError
        If the matrix is not square or has not one name for each class.
    """
    counts = np.asarray(confusion)
    K = len(names)
    if K == 0 or counts.shape != (K, K):
        raise UsageError(
            f"a confusion matrix of shape {counts.shape} and {K} names; expected one row, "
            "one column and one name for each class"
        )
    totals = counts.sum(axis=1)
    untested = np.broadcast_to((totals == 0)[:, None], counts.shape)
    shares = np.ma.masked_array(counts / np.maximum(totals, 1)[:, None], mask=untested)

    figure = new_figure()
    axes = figure.add_axes((0, 0, 0.5, 0.5))
    blues = colormaps["Blues"].with_extremes(bad="#e6e6e6")
    axes.pcolormesh(shares, cmap=blues, vmin=0, vmax=1, edgecolors="#d0d0d0", linewidth=0.4)
    axes.invert_yaxis()
    with_counts = K <= _CLASSES_WITH_COUNTS
    for row, col in np.argwhere(counts > 0).tolist():
        share = float(shares[row, col])
        lines = [percent(share, digits=1)] + [f"{counts[row, col]:,}"] * with_counts
        _cell(axes, row, col, lines, color="white" if share > 0.55 else INK)
    for row, total in enumerate(totals.tolist()):
        axes.text(K + 0.15, row + 0.5, f"{total:,}", va="center", fontsize=SMALL_SIZE, color=MUTED)
    axes.annotate(
        counted.capitalize(), (K + 0.15, 0), (0, 5), textcoords="offset points",
        annotation_clip=False, fontsize=SMALL_SIZE, color=MUTED,
    )  # fmt: skip

    labels = [one_line(name) for name in names]
    axes.set_xticks(np.arange(K) + 0.5, labels=labels, rotation=90)
    axes.set_yticks(np.arange(K) + 0.5, labels=labels)
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        text.set_parse_math(False)
    axes.tick_params(length=0, labelsize=SMALL_SIZE, labelcolor=INK)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("Predicted class", fontsize=TEXT_SIZE, color=INK)
    axes.set_ylabel("True class", fontsize=TEXT_SIZE, color=INK)
    legend = "Percent of the true class" + (f", {counted} below" if with_counts else "")
    axes.set_title(legend, loc="left", fontsize=SMALL_SIZE, color=MUTED, pad=18)
    side = min(max(500 // K, 88), 140) if with_counts else 64
    fit_figure(figure, {axes: (0, 0, K * side, K * side)})
    return figure


def learning_curve_figure(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw loss and accuracy over the epochs, one above the other.

    Parameters
    ----------
    rows : sequence of mapping
        One for each epoch, with ``epoch``, ``loss``, ``train_accuracy`` and
        ``validation_accuracy`` (fractions; None where it was not measured). Other keys are
        ignored.

    Raises
    ------
    UsageError
        If there is no epoch.
    """
    if not rows:
        raise UsageError("a learning curve of no epochs; expected one row for each epoch")
    epochs = np.array([row["epoch"] for row in rows], dtype=np.int64)
    figure = new_figure()
    upper = figure.add_axes((0, 0.5, 0.5, 0.4))
    lower = figure.add_axes((0, 0, 0.5, 0.4), sharex=upper)

    losses = _column(rows, "loss")
    _line(upper, epochs, losses, color=INK)
    positive = losses[np.isfinite(losses)]
    if positive.size and positive.min() > 0 and positive.max() / positive.min() > 100:
        upper.set_yscale("log")
    upper.set_ylabel("Loss", fontsize=TEXT_SIZE, color=INK)
    upper.tick_params(labelbottom=False)

    validation = _column(rows, "validation_accuracy")
    _line(lower, epochs, 100 * _column(rows, "train_accuracy"), color=_TRAINING, label="Training")
    if np.isfinite(validation).any():
        _line(lower, epochs, 100 * validation, color=_VALIDATION, label="Validation", dashed=True)
    lower.set_ylabel("Accuracy (%)", fontsize=TEXT_SIZE, color=INK)
    lower.set_xlabel("Epoch", fontsize=TEXT_SIZE, color=INK)
    lower.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    lower.set_xlim(epochs.min() - 0.5, epochs.max() + 0.5)
    lower.legend(
        loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, frameon=False, borderaxespad=0.2,
        fontsize=SMALL_SIZE, labelcolor=INK, handlelength=1.8, columnspacing=1.2,
    )  # fmt: skip

    for axes in (upper, lower):
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set(color=MUTED, linewidth=0.6)
        axes.tick_params(which="both", labelsize=SMALL_SIZE, labelcolor=INK, color=MUTED, width=0.6)
    figure.align_ylabels([upper, lower])
    above = _PANEL_HEIGHT + _PANEL_GAP
    fit_figure(
        figure,
        {
            upper: (0, above, _PANEL_WIDTH, _PANEL_HEIGHT),
            lower: (0, 0, _PANEL_WIDTH, _PANEL_HEIGHT),
        },
    )
    return figure


def _cell(axes: Axes, row: int, col: int, lines: list[str], *, color: str) -> None:
    """Write a percentage into a cell, and the number of pixels under it if there are two lines."""
    centre = (col + 0.5, row + 0.5)
    if len(lines) == 1:
        axes.text(
            *centre, lines[0], ha="center", va="center", fontsize=TINY_SIZE + 0.5, color=color
        )
        return
    for text, size, up in zip(lines, (SMALL_SIZE, TINY_SIZE), (5, -6), strict=True):
        axes.annotate(
            text, centre, (0, up), textcoords="offset points", ha="center", va="center",
            fontsize=size, color=color,
        )  # fmt: skip


def _column(rows: Sequence[Mapping[str, Any]], key: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the values of `key`; nan for None."""
    return np.array([np.nan if row[key] is None else row[key] for row in rows], dtype=np.float64)


def _line(
    axes: Axes,
    epochs: np.ndarray[Any, Any],
    values: np.ndarray[Any, Any],
    *,
    color: str,
    label: str = "",
    dashed: bool = False,
) -> None:
    """Draw the finite values; as points, too, where they are so few that a line may not show."""
    known = np.isfinite(values)
    axes.plot(
        epochs[known],
        values[known],
        color=color,
        label=label,
        linewidth=1.1,
        linestyle=(0, (4, 1.5)) if dashed else "-",
        marker="o" if known.sum() <= 30 else "",
        markersize=2.5,
        clip_on=False,
    )
