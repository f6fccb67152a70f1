"""The tables of a benchmark: those that papers print, and what they should print beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hsi.evaluation.results import Amount, Group, Repeated, Summary, is_all
from hsi.evaluation.standings import Drop
from hsi.report.numbers import percent, with_interval
from hsi.report.table import Table, count_text, percent_text, seconds_text

ALL = "all"
MEASURE_NAMES = {"oa": "OA %", "aa": "AA %", "kappa": "kappa × 100"}


def amount_name(train: Amount) -> str:
    """Return an amount of training pixels as rows and folders have it.

    Examples
    --------
    >>> amount_name(0.05), amount_name(50), amount_name(1.0)
    ('0.05', '50', 'all')
    """
    return ALL if is_all(train) else f"{train:.10g}"


def amount_words(train: Amount) -> str:
    """Return an amount of training pixels in words.

    Examples
    --------
    >>> amount_words(0.1), amount_words(50), amount_words(1.0)
    ('10 % of each class', '50 pixels of each class', 'all of its training pixels')
    """
    if amount_name(train) == ALL:
        return "all of its training pixels"
    if isinstance(train, int):
        return f"{train:,} pixel{'' if train == 1 else 's'} of each class"
    return f"{float(f'{100 * train:.10g}'):g} % of each class"


def seeds_words(seeds: Sequence[int]) -> str:
    """Return seeds in ranges.

    Examples
    --------
    >>> seeds_words([0, 1, 2, 5]), seeds_words([3])
    ('seeds 0-2, 5', 'seed 3')
    """
    runs: list[list[int]] = []
    for seed in sorted(seeds):
        if runs and seed == runs[-1][-1] + 1:
            runs[-1].append(seed)
        else:
            runs.append([seed])
    texts = [f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    return f"seed{'' if len(seeds) == 1 else 's'} {', '.join(texts)}"


def group_title(group: Group) -> str:
    """Return what a group is, as a heading."""
    return f"{group.scene}, {group.split} split, training on {amount_words(group.train)}"


def accuracy_table(summaries: Sequence[Summary]) -> Table:
    """Return accuracies by class and over all, times and sizes: a column for each model.

    Parameters
    ----------
    summaries : sequence of Summary
        All of one group.
    """
    known = {each.id: each.name for summary in summaries for each in summary.classes}
    by_model = [{each.id: each for each in summary.classes} for summary in summaries]
    rows: list[tuple[str, ...]] = []
    bold: set[tuple[int, int]] = set()

    def add(label: tuple[str, str], figures: Sequence[Repeated | None]) -> None:
        bold.update((len(rows), 2 + column) for column in _highest(figures))
        rows.append((*label, *(percent_text(figure) for figure in figures)))

    for each_id, name in sorted(known.items()):
        found = [classes.get(each_id) for classes in by_model]
        add((str(each_id), name), [each and each.accuracy for each in found])
    overall = len(rows)
    for measure, name in MEASURE_NAMES.items():
        add(("", name), [summary.figures.get(measure) for summary in summaries])
    costs = len(rows)
    for name, figure, text in (
        ("training OA %", "train_oa", percent_text),
        ("training (s)", "train_seconds", seconds_text),
        ("test (s)", "test_seconds", seconds_text),
        ("parameters", "parameters", count_text),
        ("multiply-adds", "macs", count_text),
    ):
        rows.append(("", name, *(text(summary.figures.get(figure)) for summary in summaries)))
    patches = (" or ".join(map(str, summary.patch_sizes)) for summary in summaries)
    rows.append(("", "patch (pixels)", *patches))
    return Table(
        title=group_title(summaries[0].group),
        head=("id", "class", *(summary.model for summary in summaries)),
        rows=tuple(rows),
        texts=2,
        rules=frozenset({overall, costs}),
        bold=frozenset(bold),
        notes=_of_accuracies(summaries),
    )


def _of_accuracies(summaries: Sequence[Summary]) -> tuple[str, ...]:
    by_seeds: dict[tuple[int, ...], list[str]] = {}
    for summary in summaries:
        by_seeds.setdefault(summary.seeds, []).append(summary.model)
    several = any(len(seeds) > 1 for seeds in by_seeds)
    figures = "Mean ± sample standard deviation" if several else "A single training each"
    if len(by_seeds) == 1:
        [seeds] = by_seeds
        said = f"{figures}, {seeds_words(seeds)}."
    else:
        parts = (f"{', '.join(models)}: {seeds_words(s)}" for s, models in by_seeds.items())
        said = f"{figures}; {'; '.join(parts)}. Means over other seeds are of other splits."
    notes = [f"Accuracies in percent. {said}"]
    tested = [
        (each.name, each.accuracy.number if each.accuracy else 0, len(summary.seeds))
        for summary in summaries
        for each in summary.classes
    ]
    ever = {name for name, number, _ in tested if number}
    rarely = {name for name, number, seeds in tested if number < seeds} & ever
    for how, names in (
        ("at all", {name for name, *_ in tested} - ever),
        ("with every seed", rarely),
    ):
        if names:
            notes.append(
                f"Not tested {how}, since the split leaves none to test: "
                f"{', '.join(sorted(names))}."
            )
    return tuple(notes)


def overview_table(summaries: Sequence[Summary], *, measure: str) -> Table:
    """Return one figure: a row for each group, a column for each model."""
    models = list(dict.fromkeys(summary.model for summary in summaries))
    groups = dict.fromkeys(summary.group for summary in summaries)
    figures = {(each.group, each.model): each.figures.get(measure) for each in summaries}
    rows: list[tuple[str, ...]] = []
    bold: set[tuple[int, int]] = set()
    for group in groups:
        found = [figures.get((group, model)) for model in models]
        bold.update((len(rows), 3 + column) for column in _highest(found))
        texts = (percent_text(figure) for figure in found)
        rows.append((group.scene, group.split, amount_name(group.train), *texts))
    scenes = [row[0] for row in rows]
    starts = {place for place in range(1, len(rows)) if scenes[place] != scenes[place - 1]}
    return Table(
        title=f"{MEASURE_NAMES[measure]} of all models",
        head=("scene", "split", "train", *models),
        rows=tuple(rows),
        texts=3,
        rules=frozenset(starts),
        bold=frozenset(bold),
    )


def splits_table(summaries: Sequence[Summary], found: Sequence[Drop], *, measure: str) -> Table:
    """Return one figure on all splits side by side, with what the test has seen of the training.

    Parameters
    ----------
    summaries : sequence of Summary
        All of one scene and one amount, the first of them; and those of splits that have their own.
    found : sequence of Drop
        Of these, too.
    measure : str
        One of `hsi.evaluation.results.MEASURES`.
    """
    group = summaries[0].group
    splits = list(dict.fromkeys(summary.group.split for summary in summaries))
    models = list(dict.fromkeys(summary.model for summary in summaries))
    by_place: Mapping[tuple[str, str], Summary] = {
        (each.group.split, each.model): each for each in summaries
    }
    losses = {(each.split, each.model): each for each in found}
    others = [split for split in splits if any(each.split == split for each in found)]
    head = ["model"]
    for split in splits:
        head += [f"{split}: {MEASURE_NAMES[measure]}", "contains / shares %"]
    head += [f"drop to {split}" for split in others]
    rows = []
    for model in models:
        row = [model]
        for split in splits:
            summary = by_place.get((split, model))
            row += ["–"] * 2 if summary is None else _with_overlap(summary, measure)
        for split in others:
            row.append(_drop(losses.get((split, model))))
        rows.append(tuple(row))
    return Table(
        title=f"{group.scene}, training on {amount_words(group.train)}: the splits side by side",
        head=tuple(head),
        rows=tuple(rows),
        notes=("Drop: points lost from the random split, with its 95 % interval.",)
        if others
        else (),
    )


def _with_overlap(summary: Summary, measure: str) -> list[str]:
    seen = (summary.figures.get("contains"), summary.figures.get("shares"))
    shares = (percent(None if each is None else each.mean, digits=1) for each in seen)
    return [percent_text(summary.figures.get(measure)), " / ".join(shares)]


def _drop(drop: Drop | None) -> str:
    found = None if drop is None else drop.difference
    return "–" if found is None else with_interval(found.mean, found.low, found.high)


def _highest(figures: Sequence[Repeated | None]) -> list[int]:
    """Return the places of the highest mean, if there is something to choose from."""
    means = [None if figure is None else figure.mean for figure in figures]
    known = [mean for mean in means if mean is not None]
    if len(known) < 2 or min(known) == max(known):
        return []
    return [place for place, mean in enumerate(means) if mean == max(known)]
