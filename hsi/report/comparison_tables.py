"""Tables of models that are compared in pairs, seed by seed."""

from __future__ import annotations

from collections.abc import Sequence

from hsi.evaluation.standings import Standing
from hsi.report.comparison_words import p_words
from hsi.report.numbers import with_interval
from hsi.report.result_tables import MEASURE_NAMES, amount_name, group_title, seeds_words
from hsi.report.table import Table


def standings_table(found: Sequence[Standing], *, measure: str) -> Table:
    """Return the comparisons of one group with one reference."""
    first = found[0]
    rows = []
    for each in found:
        difference, pixels = each.difference, each.pixels
        counts = ["–", "–"]
        if pixels is not None:
            test = pixels.mcnemar
            counts = [f"{test.only_first:,} / {test.only_second:,}", _p(pixels.p_holm)]
        rows.append(
            (
                each.model,
                with_interval(difference.mean, difference.low, difference.high),
                str(difference.seeds),
                *(("–", "–") if difference.seeds < 2 else (_p(difference.p), _p(each.p_holm))),
                *counts,
            )
        )
    notes = [
        f"Differences of {MEASURE_NAMES[measure]} to {first.reference} in points, seed by seed, "
        "with the 95 % interval of their mean."
    ]
    tested = sorted({each.pixels.seed for each in found if each.pixels is not None})
    if tested:
        notes.append(
            f"Pixels: of the test of {seeds_words(tested)}, those that the model alone, and that "
            f"{first.reference} alone has right."
        )
    return Table(
        title=f"{group_title(first.group)}: compared with {first.reference}",
        head=(
            "model", "difference", "seeds", "p Wilcoxon", "p (Holm)", "pixels", "p McNemar (Holm)",
        ),
        rows=tuple(rows),
        notes=tuple(notes),
    )  # fmt: skip


def side_by_side_table(
    found: Sequence[tuple[str, Standing]], names: tuple[str, str], *, measure: str
) -> Table:
    """Return the comparisons of models with themselves in another benchmark.

    Parameters
    ----------
    found : sequence of (str, Standing)
        Each with the model.
    names : tuple of str
        Of the benchmarks; differences are the first minus the second.
    measure : str
        One of `hsi.evaluation.results.MEASURES`.
    """
    rows = []
    for model, standing in found:
        group, difference = standing.group, standing.difference
        ps = (_p(difference.p), _p(standing.p_holm)) if difference.seeds > 1 else ("–", "–")
        rows.append(
            (
                group.scene,
                group.split,
                amount_name(group.train),
                model,
                with_interval(difference.mean, difference.low, difference.high),
                str(difference.seeds),
                *ps,
            )
        )
    return Table(
        title=f"{names[0]} compared with {names[1]}",
        head=("scene", "split", "train", "model", "difference", "seeds", "p Wilcoxon", "p (Holm)"),
        rows=tuple(rows),
        texts=4,
        notes=(
            f"Differences of {MEASURE_NAMES[measure]} in points, {names[0]} minus {names[1]}, seed "
            "by seed on equal splits, with the 95 % interval of their mean.",
        ),
    )


def _p(p: float) -> str:
    return p_words(p).removeprefix("= ")
