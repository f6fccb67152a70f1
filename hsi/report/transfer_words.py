"""Why a classifier of photographs does as it does, in plain words.

Each function answers one question that its numbers raise, in a sentence or two; those that look
for something amiss return None where nothing is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hsi.evaluation import Gap
from hsi.report.numbers import percent

# An accuracy that is lower by so much, and by more than chance explains, is worth a warning.
LARGE_GAP = 0.10
# So much more loss in evaluation mode than in training mode is no matter of chance.
LARGE_LOSS = 0.5
_NAMED = 20
VALIDATION_IS_THE_TEST = (
    "There is no test folder: the accuracies are those of the validation photographs, which had no "
    "part in the training and chose nothing. Whoever changes settings until they are high has "
    "chosen by them, and needs others for a test."
)


def is_large(gap: Gap) -> bool:
    """Return whether a difference is large, and surely there."""
    return gap.difference > LARGE_GAP and gap.low > 0


def gap_sentence(*, train: float, held_out: float, name: str, gap: Gap) -> str:
    """Say whether the network does better on what it was trained on.

    Parameters
    ----------
    train, held_out : float
        Accuracies, measured in the same way.
    name : str
        Of the set that was held out.
    gap : Gap
        By how much `train` is higher.
    """
    measured = (
        f"{_share(train)} of the training and {_share(held_out)} of the {name} photographs are "
        "right, measured in the same way (evaluation mode, no augmentation)"
    )
    if is_large(gap):
        return (
            f"Overfit: {measured}. The difference of {_points(gap)} is more than chance explains: "
            "the network knows these training photographs rather than the classes. More and more "
            "varied photographs help, frozen features (--freeze features), more augmentation, "
            "fewer epochs."
        )
    if gap.low > 0:
        return f"A small overfit gap: {measured}, a difference of {_points(gap)}."
    return f"No overfit gap: {measured}; the difference of {_points(gap)} may be chance."


def shift_sentence(*, validation: float, test: float, drawn: bool, gap: Gap) -> str | None:
    """Say whether the test is another matter than the validation.

    Parameters
    ----------
    validation, test : float
        Accuracies.
    drawn : bool
        Whether the validation photographs were drawn from those in the training folder.
    gap : Gap
        By how much `validation` is higher.
    """
    if not is_large(gap):
        return None
    origin = (
        "The validation photographs were drawn from the training folder and not trained on. Either "
        "they resemble the training photographs too much (the same series, subject or place, in "
        "several photographs), or those for the test are of another kind: other cameras, subjects "
        "or labels."
        if drawn
        else "The test photographs are of another kind: other cameras, subjects or labels."
    )
    return (
        f"The test differs: {_share(validation)} of the validation photographs are right, but "
        f"{_share(test)} of the test photographs, {_points(gap)} less. {origin}"
    )


def learned_sentence(*, train: float, most_frequent: float, name: str) -> str | None:
    """Say so if hardly anything was learned.

    Parameters
    ----------
    train : float
        Accuracy on the training photographs.
    most_frequent : float
        Share of the most frequent class among them.
    name : str
        Of that class.
    """
    if train > most_frequent + (1 - most_frequent) / 5:
        return None
    return (
        f"Hardly anything was learned: {_share(train)} of the training photographs are right, and "
        f"always answering '{name}' would be for {_share(most_frequent)}. More epochs, learned "
        "weights (--weights), or another learning rate may help; so may a look at the photographs."
    )


def mode_sentence(*, learning: float, evaluated: float) -> str | None:
    """Say so if the network does worse in evaluation mode on what it was trained on.

    Parameters
    ----------
    learning : float
        Mean cross-entropy of an epoch of training, with its augmentation and dropout, which make
        it higher; and of the weights before the epoch was over, which do so, too.
    evaluated : float
        That of the same photographs in evaluation mode after the epoch.
    """
    if evaluated < learning + LARGE_LOSS:
        return None
    return (
        "The network does worse in evaluation mode than it did while it was trained: on the same "
        f"photographs, its loss is {evaluated:.2f} instead of {learning:.2f}. The running "
        "statistics of its batch norms do not fit, as after few steps or with small batches. "
        "More epochs, larger batches (--batch-size) or frozen features (--freeze features) help."
    )


def class_sentence(
    *,
    folders: tuple[str, str],
    train: Sequence[str],
    other: Sequence[str],
    missing: Sequence[str],
    extra: Sequence[str],
    shifted: Sequence[str],
    left_out: int,
) -> str:
    """Say how the classes of two folders differ, and what was done about it.

    Parameters
    ----------
    folders : tuple of str
        Names of the training folder and the other.
    train, other, missing, extra, shifted : sequence of str
        As in `hsi.photographs.ClassDifference`.
    left_out : int
        Photographs of `extra`.
    """
    own, others = folders
    said = [
        f"The classes of {others} are not those of {own}. In {own}: {_names(train)}. "
        f"In {others}: {_names(other)}."
    ]
    if missing:
        said.append(f"Not in {others}, and so not tested: {_names(missing)}.")
    if extra:
        said.append(
            f"Not in {own}, so that no answer could be right: {_names(extra)} "
            f"({_number(left_out, 'photograph')}, left out)."
        )
    if shifted:
        said.append(
            "A program that numbers folders in their order would take another class for "
            f"{_names(shifted)}."
        )
    said.append("Here, classes are matched by name, regardless of order and case.")
    return " ".join(said)


def copies_sentence(
    *,
    name: str,
    copies: int,
    total: int,
    example: tuple[str, str],
    accuracy: float,
    without: float | None,
) -> str:
    """Say how many held-out photographs are training photographs, too, and what that is worth.

    Parameters
    ----------
    name : str
        Of the set.
    copies, total : int
        How many of how many are copies.
    example : tuple of str
        A copy, and the photograph in the training that it equals.
    accuracy, without : float
        Of all, and of those that are no copies; None if there are none.
    """
    effect = (
        "No other remains to test on."
        if without is None
        else f"Without them, the accuracy is {_share(without)} instead of {_share(accuracy)}."
    )
    return (
        f"{copies:,} of {total:,} {name} photographs had a part in the training, too (equal "
        f"pixels), for example {example[0]}, which is {example[1]}. {effect}"
    )


def conflicts_sentence(groups: Sequence[Sequence[str]]) -> str | None:
    """Say which photographs lie in the folders of several classes; `groups` are equal ones."""
    if not groups:
        return None
    shown = "; ".join(" = ".join(group) for group in groups[:_NAMED])
    return (
        f"{_number(len(groups), 'photograph')} in the training {_is(len(groups))} in the folders "
        f"of several classes (equal pixels), so that the network is taught both: "
        f"{shown}{_more(len(groups))}."
    )


def copies_within_sentence(copies: int) -> str | None:
    """Say how many training photographs only repeat others."""
    if not copies:
        return None
    return (
        f"{_number(copies, 'training photograph')} only {'repeats' if copies == 1 else 'repeat'} "
        "another of the same class (equal pixels). Copies were not divided between training and "
        "validation."
    )


def unreadable_sentence(files: Mapping[str, str]) -> str | None:
    """Name the files that were skipped; `files` has the reason for each name."""
    if not files:
        return None
    shown = "; ".join(f"{name} ({reason})" for name, reason in list(files.items())[:_NAMED])
    were = "was" if len(files) == 1 else "were"
    return (
        f"{_number(len(files), 'file')} could not be read and {were} skipped: "
        f"{shown}{_more(len(files))}."
    )


def enlarged_sentence(*, small: int, total: int, side: int) -> str | None:
    """Say how many photographs have fewer pixels than the network sees."""
    if not small:
        return None
    return (
        f"{small:,} of {total:,} photographs are less than {side} pixels wide or high and were "
        "enlarged; a smaller --size suits them."
    )


def _points(gap: Gap) -> str:
    low, high = 100 * gap.low, 100 * gap.high
    return f"{100 * gap.difference:.1f} points (95 % interval: {low:.1f} to {high:.1f})"


def _share(share: float) -> str:
    return f"{percent(share, digits=1)} %"


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + _more(len(names))


def _more(number: int) -> str:
    return f" and {number - _NAMED:,} more" if number > _NAMED else ""


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"
