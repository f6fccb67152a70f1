"""What is amiss with photographs and their folders, in plain words; None where nothing is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hsi.photographs.counted import counted
from hsi.report.numbers import percent, percents

_NAMED = 20


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
            f"({counted(left_out, 'photograph')}, left out)."
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
    them = "it" if copies == 1 else "them"
    if without is None:
        effect = "No other remains to test on."
    elif without == accuracy:
        effect = f"Without {them}, the accuracy is the same: {percent(accuracy, digits=1)} %."
    else:
        shares = percents(without, accuracy, digits=1)
        effect = f"Without {them}, the accuracy is {shares[0]} % instead of {shares[1]} %."
    return (
        f"{copies:,} of {counted(total, f'{name} photograph')} had a part in the training, too "
        f"(equal pixels), for example {example[0]}, which is {example[1]}. {effect}"
    )


def conflicts_sentence(groups: Sequence[Sequence[str]]) -> str | None:
    """Say which photographs lie in the folders of several classes; `groups` are equal ones."""
    if not groups:
        return None
    shown = "; ".join(" = ".join(group) for group in groups[:_NAMED])
    return (
        f"{counted(len(groups), 'photograph')} in the training {_is(len(groups))} in the folders "
        f"of several classes (equal pixels), so that the network is taught both: "
        f"{shown}{_more(len(groups))}."
    )


def copies_within_sentence(copies: int) -> str | None:
    """Say how many training photographs only repeat others."""
    if not copies:
        return None
    return (
        f"{counted(copies, 'training photograph')} only {'repeats' if copies == 1 else 'repeat'} "
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
        f"{counted(len(files), 'file')} could not be read and {were} skipped: "
        f"{shown}{_more(len(files))}."
    )


def enlarged_sentence(*, small: int, total: int, side: int) -> str | None:
    """Say how many photographs have fewer pixels than the network sees."""
    if not small:
        return None
    return (
        f"{small:,} of {counted(total, 'photograph')} {_is(small)} less than {side} pixels wide or "
        f"high and {'was' if small == 1 else 'were'} enlarged; a smaller --size suits "
        f"{'it' if small == 1 else 'them'}."
    )


def aside_sentence(names: Sequence[str], *, folder: str) -> str | None:
    """Say which photographs lie beside the folders of classes, and so have none."""
    if not names:
        return None
    return (
        f"{counted(len(names), 'photograph')} in {folder} {_is(len(names))} in no folder of a "
        f"class, and not used: {_names(names)}."
    )


def not_entered_sentence(folders: Mapping[str, str]) -> str | None:
    """Name the folders that were not looked into; `folders` has the reason for each name."""
    if not folders:
        return None
    shown = "; ".join(f"{name} ({reason})" for name, reason in list(folders.items())[:_NAMED])
    were = "was" if len(folders) == 1 else "were"
    return (
        f"{counted(len(folders), 'folder')} {were} not looked into: {shown}{_more(len(folders))}."
    )


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + _more(len(names))


def _more(number: int) -> str:
    return f" and {number - _NAMED:,} more" if number > _NAMED else ""


def _is(number: int) -> str:
    return "is" if number == 1 else "are"
