"""Figures of a search: what each trial came to, and how much each setting matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hsi.errors import UsageError
from hsi.report.canvas import (
    INK,
    MUTED,
    SMALL_SIZE,
    TEXT_SIZE,
    add_legend,
    fit_figure,
    new_figure,
)
from hsi.report.numbers import percent

# Okabe and Ito's.
_COMPLETE, _BEST, _FAILED = "#0072b2", "#d55e00", "#cc79a7"
_WIDTH, _HEIGHT, _STRIP, _GAP, _BAR = 700, 400, 52, 16, 44
# The strip under the figure, from top to bottom.
_WITHOUT_VALUE = {"pruned": ("Ended early", MUTED, "|"), "failed": ("Failed", _FAILED, "x")}


def history_figure(
    numbers: Sequence[int],
    values: Sequence[float | None],
    outcomes: Sequence[str],
    *,
    measure: str,
) -> Figure:
    """Draw what the trials of a search came to, in the order in which they were begun.

    Complete trials are points, and a line shows the best one so far. Those without a value, since
    they were ended early or failed, are marks in a strip below, if there are any.

    Parameters
    ----------
    numbers : sequence of int
        Of the trials, ascending.
    values : sequence of float or None
        A fraction for each trial; None for those without.
    outcomes : sequence of str
        ``"complete"``, ``"pruned"`` or ``"failed"`` for each trial.
    measure : str
        What the values are.

    Raises
    ------
    UsageError
        If there is no trial, or not one value and one outcome for each.
    """
    if not numbers or not len(numbers) == len(values) == len(outcomes):
        raise UsageError(
            f"{len(numbers)} numbers, {len(values)} values and {len(outcomes)} outcomes of trials; "
            "expected one of each for every trial, and a trial at least"
        )
    shown = 100 * np.array([np.nan if value is None else value for value in values])
    places = np.array(numbers)
    figure = new_figure()
    upper = lowest = figure.add_axes((0, 0.3, 0.5, 0.5))
    boxes = {upper: (0, 0, _WIDTH, _HEIGHT)}
    if not set(outcomes).isdisjoint(_WITHOUT_VALUE):
        lowest = figure.add_axes((0, 0, 0.5, 0.1), sharex=upper)
        boxes = {upper: (0, _STRIP + _GAP, _WIDTH, _HEIGHT), lowest: (0, 0, _WIDTH, _STRIP)}

    known = np.isfinite(shown)
    handles = [
        upper.scatter(places[known], shown[known], s=9, color=_COMPLETE, zorder=3, clip_on=False)
    ]
    labels = ["Complete"]
    if known.any():
        best = np.fmax.accumulate(shown)
        (line,) = upper.step(
            places[np.isfinite(best)], best[np.isfinite(best)], where="post", color=_BEST,
            linewidth=1.1,
        )  # fmt: skip
        handles.append(line)  # type: ignore[arg-type]
        labels.append("Best so far")
    for row, (outcome, (label, color, marker)) in enumerate(_WITHOUT_VALUE.items()):
        these = places[np.array([each == outcome for each in outcomes])]
        if len(these):
            handles.append(
                lowest.scatter(
                    these, np.full(len(these), -row), s=16, marker=marker, color=color,
                    linewidth=1.0, clip_on=False,
                )
            )  # fmt: skip
            labels.append(label)

    _spread(upper, shown[known])
    upper.set_ylabel(f"{measure} (%)", fontsize=TEXT_SIZE, color=INK)
    upper.set_xlim(places.min() - 0.5, places.max() + 0.5)
    lowest.set_xlabel("Trial", fontsize=TEXT_SIZE, color=INK)
    lowest.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for axes in boxes:
        _quiet(axes)
    if lowest is not upper:
        lowest.set_ylim(-1.7, 0.7)
        lowest.set_yticks([])
        lowest.spines["left"].set_visible(False)
        upper.tick_params(labelbottom=False)
    fit_figure(figure, boxes)
    add_legend(lowest, handles, labels, below=110, width=_WIDTH)
    fit_figure(figure, boxes)
    return figure


def importance_figure(shares: Mapping[str, float], *, title: str) -> Figure:
    """Draw how much each setting matters, as bars, the longest above.

    Parameters
    ----------
    shares : mapping
        A fraction by the name of a setting.
    title : str
        What the bars are.

    Raises
    ------
    UsageError
        If there is no setting.
    """
    if not shares:
        raise UsageError("importances of no settings; expected one share at least")
    names = sorted(shares, key=lambda name: -shares[name])
    places = np.arange(len(names))
    figure = new_figure()
    axes = figure.add_axes((0, 0, 0.5, 0.5))
    axes.barh(places, [100 * shares[name] for name in names], height=0.62, color=_COMPLETE)
    for place, name in zip(places.tolist(), names, strict=True):
        axes.annotate(
            percent(shares[name], digits=1), (100 * shares[name], place), (4, 0),
            textcoords="offset points", va="center", fontsize=SMALL_SIZE, color=INK,
        )  # fmt: skip
    axes.set_yticks(places, labels=[name.replace("_", " ") for name in names])
    axes.invert_yaxis()
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.set_xlabel("Share (%)", fontsize=TEXT_SIZE, color=INK)
    axes.set_title(title, loc="left", fontsize=SMALL_SIZE, color=MUTED, pad=10)
    _quiet(axes)
    axes.tick_params(axis="y", length=0)
    fit_figure(figure, {axes: (0, 0, _WIDTH, _BAR * len(names) + 20)})
    return figure


def _spread(axes: Axes, values: np.ndarray) -> None:
    """Leave room around the values; where they are all the same, a percent."""
    if not values.size:
        axes.set_ylim(0, 100)
        return
    low, high = float(values.min()), float(values.max())
    room = 0.06 * (high - low) or 1.0
    axes.set_ylim(low - room, min(high + room, 100))  # nothing is more than 100 %


def _quiet(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set(color=MUTED, linewidth=0.6)
    axes.tick_params(which="both", labelsize=SMALL_SIZE, labelcolor=INK, color=MUTED, width=0.6)
