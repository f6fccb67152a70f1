"""Everything that follows from the results of a benchmark."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from hsi.evaluation.leads import SimpleLead, best_model, simple_leads
from hsi.evaluation.results import Group, Result, Summary, summarise_results
from hsi.evaluation.standings import (
    Drop,
    Right,
    Standing,
    compare_models,
    drops,
)

FIRST, BEST = "first", "best"


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Summaries and comparisons of results.

    Attributes
    ----------
    measure : str
        One of `hsi.evaluation.results.MEASURES`: what is compared.
    against : str
        The model that others are compared with: ``"first"``, ``"best"`` (of each group), or a name.
    results : tuple of Result
        As they came.
    summaries : tuple of Summary
        Of each group and model.
    standings : dict
        By group: the comparisons of its models with one of them.
    drops : tuple of Drop
        From random splits to the others.
    leads : tuple
        Where a simple baseline leads, and how it compares with the best of the others.
    """

    measure: str
    against: str
    results: tuple[Result, ...]
    summaries: tuple[Summary, ...]
    standings: dict[Group, list[Standing]]
    drops: tuple[Drop, ...]
    leads: tuple[tuple[SimpleLead, Standing | None], ...]

    def of_group(self, group: Group) -> list[Summary]:
        """Return the summaries of one group."""
        return [summary for summary in self.summaries if summary.group == group]

    @property
    def groups(self) -> list[Group]:
        """All groups, in the order of their results."""
        return list(dict.fromkeys(summary.group for summary in self.summaries))


def find(
    results: Sequence[Result],
    *,
    right: Right,
    measure: str = "oa",
    against: str = FIRST,
    simple: Collection[str] = (),
) -> Findings:
    """Summarise and compare results.

    Parameters
    ----------
    results : sequence of Result
        In the order in which tables have scenes, splits and models.
    right : callable
        As for `hsi.evaluation.compare_models`.
    measure, against
        See `Findings`. A model that has no result in a group leaves it without comparisons.
    simple : collection of str
        Models that are simple baselines.
    """
    summaries = summarise_results(results)
    together: dict[Group, list[Result]] = {}
    for result in results:
        together.setdefault(result.cell.group, []).append(result)

    def compared(members: Sequence[Result], reference: str) -> list[Standing]:
        return compare_models(members, reference=reference, measure=measure, right=right)

    leads = simple_leads(results, simple=simple, measure=measure)
    return Findings(
        measure=measure,
        against=against,
        results=tuple(results),
        summaries=tuple(summaries),
        standings={
            group: compared(members, reference)
            for group, members in together.items()
            if (reference := _reference(members, measure, against)) is not None
        },
        drops=tuple(drops(results, measure=measure)),
        leads=tuple((lead, _of_lead(lead, together[lead.group], compared)) for lead in leads),
    )


def _reference(members: Sequence[Result], measure: str, against: str) -> str | None:
    if against == BEST:
        return best_model(members, measure=measure)
    return members[0].cell.model if against == FIRST else against


def _of_lead(
    lead: SimpleLead,
    members: Sequence[Result],
    compared: Callable[[Sequence[Result], str], list[Standing]],
) -> Standing | None:
    both = [each for each in members if each.cell.model in (lead.model, lead.other)]
    found = compared(both, lead.other)
    if not found:
        return None
    # Of all pairs of a baseline and another model, these two were chosen by what they came to.
    p = min(1.0, lead.pairs * found[0].p_holm)
    return dataclasses.replace(found[0], p_holm=p, comparisons=lead.pairs)
