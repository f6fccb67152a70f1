"""What must be said beside the tables of a benchmark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hsi.evaluation.findings import Findings
from hsi.evaluation.leads import SimpleLead
from hsi.evaluation.paired import fewest_seeds
from hsi.evaluation.results import Group, Result
from hsi.evaluation.standings import Standing
from hsi.report.comparison_words import PIXELS_ARE_NO_TRIALS, seeds_sentence
from hsi.report.numbers import percents, points
from hsi.report.result_tables import MEASURE_NAMES, amount_words, seeds_words

# Of these there is one split, whatever the seed.
FIXED_SPLITS = ("official", "file")
# Of what splits could not do, and of what models did not learn, so many notes are said at most.
MOST_NOTES = 3
# Where each split is one, in words.
_PLACES = {
    "blocks": "on disjoint blocks",
    "folds": "on folds of other ground",
    "official": "on the published split",
    "file": "on the split of the file",
}


def standing_sentences(found: Sequence[Standing]) -> list[str]:
    """Return what the seeds tell of each model against the reference.

    Of models with a single seed there is nothing to tell, which is said of all of them at once.
    """
    single = [each for each in found if each.difference.seeds == 1 and each.repeated == 1]
    if len(single) < 2:
        return [standing_sentence(each, of=len(found)) for each in found]
    *names, last = (each.model for each in single)
    return [
        *(standing_sentence(each, of=len(found)) for each in found if each not in single),
        f"One seed cannot tell {', '.join(names)} and {last} from {single[0].reference}: another "
        f"split or other weights may turn each of them round. {fewest_seeds(len(found))} seeds or "
        "more can.",
    ]


def standing_sentence(standing: Standing, *, of: int) -> str:
    """Return what the seeds tell of one model, which is one `of` several comparisons."""
    if standing.repeated > 1:
        return repeated_sentence(standing)
    return seeds_sentence(
        (standing.model, standing.reference),
        difference=standing.difference,
        p=standing.p_holm,
        comparisons=standing.comparisons if standing.difference.seeds > 1 else of,
    )


def repeated_sentence(standing: Standing) -> str:
    """Return that trainings which depend on no seed are one, however often they are made."""
    mean = standing.difference.mean
    ahead, behind = (standing.model, standing.reference)[:: 1 if mean >= 0 else -1]
    apart = f"{ahead} is ahead of {behind} by {points(abs(mean))} points" if mean else "they equal"
    return (
        f"Neither {standing.model} nor {standing.reference} differs between "
        f"{standing.repeated} seeds, which count as one: {apart} on this one split."
    )


def best_sentence(reference: str) -> str:
    """Return what a comparison with the best model does not say."""
    return (
        f"{reference} was chosen on these same figures, as the best of them: its lead over the "
        "others is on average a little smaller than it looks."
    )


def lead_sentence(lead: SimpleLead, *, measure: str, standing: Standing | None) -> str:
    """Return that a simple baseline beats everything else where nothing of the test was seen.

    Parameters
    ----------
    lead : SimpleLead
        Where and by how much.
    measure : str
        Of what.
    standing : Standing, optional
        The baseline compared with the best of the others; without, that is said elsewhere.

    Examples
    --------
    >>> print(lead_sentence(
    ...     SimpleLead(group=Group("salinas", "blocks", 0.1), model="svm", other="hybridsn",
    ...                mean=0.712, other_mean=0.689), measure="oa", standing=None))
    On disjoint blocks of salinas (10 % of each class), the simple svm is ahead of every network: \
OA 71.2 %, the best of the others (hybridsn) 68.9 %. Whether that is more than chance is what the \
comparison says.
    """
    own, other = percents(lead.mean, lead.other_mean, digits=1)
    where = f"{_PLACES[lead.group.split]} of {lead.group.scene}"
    of = f", with {seeds_words(lead.seeds)}, which all have" if lead.seeds is not None else ""
    name = MEASURE_NAMES[measure].split()[0]
    unit = "" if measure == "kappa" else " %"
    sentence = (
        f"{where[0].upper()}{where[1:]} ({amount_words(lead.group.train)}){of}, the simple "
        f"{lead.model} is ahead of every network: {name} {own}{unit}, the best of the others "
        f"({lead.other}) {other}{unit}."
    )
    if standing is None:
        return f"{sentence} Whether that is more than chance is what the comparison says."
    return f"{sentence} {standing_sentence(standing, of=standing.comparisons)}"


def fixed_split_sentence(split: str) -> str:
    """Return what seeds vary where there is one split only."""
    what = {"official": "the published split"}.get(split, "the split of the file")
    return (
        f"Of {what} there is one: seeds vary weights, and what is drawn to choose values by, but "
        "not the split; deviations and intervals say nothing of others."
    )


def folds_sentence() -> str:
    """Return what seeds are where the split is one of several folds."""
    return (
        "Seeds are folds in turn: their training pixels overlap, so that deviations are somewhat "
        "too small."
    )


def split_sentences(group: Group) -> list[str]:
    """Return what must be said of the seeds of a group."""
    if group.split in FIXED_SPLITS:
        return [fixed_split_sentence(group.split)]
    return [folds_sentence()] if group.split == "folds" else []


def note_sentences(results: Iterable[Result]) -> list[str]:
    """Return what the splits of one group could not do, each note once, with its seeds."""
    seeds: dict[str, set[int]] = {}
    for result in results:
        for note in result.notes:
            seeds.setdefault(note, set()).add(result.cell.seed)
    often = sorted(seeds, key=lambda note: -len(seeds[note]))
    sentences = [f"Split of {seeds_words(sorted(seeds[note]))}: {note}" for note in often]
    return _the_first(sentences, "on the splits")


def remark_sentences(results: Iterable[Result]) -> list[str]:
    """Return what must be said of what models of one group learned."""
    sentences = [
        f"{result.cell.model}, {seeds_words([result.cell.seed])}: {remark}."
        for result in results
        for remark in result.remarks
    ]
    return _the_first(sentences, "on models")


def _the_first(sentences: list[str], what: str) -> list[str]:
    more = len(sentences) - MOST_NOTES
    if more <= 0:
        return sentences
    notes = f"1 more note {what} is" if more == 1 else f"{more} more notes {what} are"
    return [*sentences[:MOST_NOTES], f"{notes} in results.json."]


def reading_sentences(findings: Findings) -> list[str]:
    """Return what words and figures of the tables mean."""
    sentences = [
        "Test (s): the time for the map of the whole scene; the first map of a process takes "
        "seconds longer, in which libraries are loaded. Multiply-adds: for one patch on its own, "
        "those of convolutions, linear layers and matrix products, an addition with its "
        "multiplication as one; other work, such as comparing along trees, is not counted.",
        "Training OA: how much of its own training pixels a map has right. Where a network is far "
        "from all of them, it may do better with a longer training than here.",
        "A highest mean need not be more than chance: the comparisons say whether it is.",
    ]
    if any(found for found in findings.standings.values()):
        sentences += [
            "Comparisons are made seed by seed on equal splits: interval of the mean difference by "
            "Student's t, p of Wilcoxon's signed-rank test, corrected for all comparisons of a "
            "table (Holm). They speak of other seeds on the same scene, not of other scenes.",
            f"McNemar's test is of the pixels of one split. {PIXELS_ARE_NO_TRIALS}: its p is too "
            "small.",
        ]
    if len({group.split for group in findings.groups}) > 1:
        sentences.append(
            "Contains: test pixels with a training pixel inside their patch; shares: those whose "
            "patch has pixels in common with a training patch, both for the patches of the model. "
            "Drop: Welch's interval."
        )
    return sentences


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"


def machine_sentences(results: Iterable[Result]) -> list[str]:
    """Say where figures come from unlike devices, threads or versions."""
    results = list(results)
    sentences = []
    computed = sorted({f"{each.device} with {_threads(each.threads)}" for each in results})
    if len(computed) > 1:
        sentences.append(
            f"Trained on {' and on '.join(computed)}: times cannot be compared, and last digits "
            "may differ."
        )
    names = dict.fromkeys(name for each in results for name in each.versions)
    differing = {
        name: sorted({each.versions.get(name, "none") for each in results}) for name in names
    }
    several = [
        f"{name} {' and '.join(found)}" for name, found in differing.items() if len(found) > 1
    ]
    if several:
        sentences.append(
            f"Trained with several versions ({'; '.join(several)}): figures may differ by more "
            "than the seeds."
        )
    return sentences
