"""What can go wrong, in words for the user.

::

    HsiError                exit code 1: the work could not be done
    ├── UsageError          exit code 2: a name, option or value that cannot be meant
    ├── SceneError          a scene or label file that is missing, damaged or not what it seems
    │   └── DownloadError   a file that could not be fetched
    ├── WeightsError        weights of a network that are missing, damaged or of another network
    ├── PhotographError     a photograph, or a folder of them, that is missing or damaged
    ├── DivergedError       a training whose loss or weights are no longer finite
    ├── OutOfMemoryError    more memory was needed than there is; also a MemoryError
    ├── ClusterError        a cluster that does not answer, or whose workers end or differ
    └── RunError            a run folder that is missing, unfinished, damaged or already taken

A message says what came, what was expected and what to do, in five lines at most. The command line
prints it without a traceback; every other exception is a defect of this package.
"""

from __future__ import annotations

import difflib
import numbers
import re
from collections.abc import Iterable
from typing import Any

# What a damaged file holds in place of a name can be of any length; paths are shorter.
LONGEST_LINE = 1000


class HsiError(Exception):
    """Base of all errors that this package raises on purpose.

    A message may cite what a file holds. Very long lines of it are cut in the middle, and what a
    terminal would obey is shown instead (`visible`).
    """

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__("\n".join(map(_shortened, visible(message).split("\n"))))


class UsageError(HsiError, ValueError):
    """A name, option or value that cannot be meant as it stands; also a ValueError."""

    exit_code = 2


class SceneError(HsiError):
    """A scene or label file that is missing, damaged or not what it seems."""


class DownloadError(SceneError):
    """A file that could not be fetched, or not with the expected content."""


class WeightsError(HsiError):
    """Weights that are missing, damaged or of another network."""


class PhotographError(HsiError):
    """A photograph, or a folder of them, that is missing, damaged or not what it seems."""


class DivergedError(HsiError):
    """A training whose loss or weights are no longer finite."""


class OutOfMemoryError(HsiError, MemoryError):
    """More memory was needed than there is; also a MemoryError."""


class ClusterError(HsiError):
    """A cluster that does not answer, or whose workers end or are not like this process."""


class RunError(HsiError):
    """A run folder that is missing, unfinished, damaged or already taken."""


# Control codes, and marks that turn the direction of writing; not the tabulator and line feed.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    r"""Return `text` with what a terminal would obey as escapes: names in files can hold anything.

    Examples
    --------
    >>> print(visible("Wald\x1b[2J und Wiese"))
    Wald\x1b[2J und Wiese
    """
    return _OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _shortened(line: str) -> str:
    if len(line) <= LONGEST_LINE:
        return line
    half = (LONGEST_LINE - 5) // 2
    return f"{line[:half]} ... {line[-half:]}"


# Longer lists of names are cut short.
LISTED, NEAREST = 32, 5


def unknown_name(
    kind: str, name: Any, known: Iterable[str], *, listed_by: str | None = None
) -> UsageError:
    """Return the error for a misspelt name, with the nearest known one as a suggestion.

    Parameters
    ----------
    kind : str
        What it is the name of.
    name : str
        As it came; anything but text is said to be no name at all.
    known : iterable of str
        All names.
    listed_by : str, optional
        The command that lists them, for many names of which none is near.

    Examples
    --------
    >>> print(unknown_name("model", "hybridsm", ["hybridsn", "hybridsn-dw"]))
    unknown model 'hybridsm'; did you mean 'hybridsn'?
    Known: hybridsn, hybridsn-dw

    Of many names, the nearest are listed:

    >>> many = [f"class{n}" for n in range(40)]
    >>> print(unknown_name("class", "clas7", many))
    unknown class 'clas7'; did you mean 'class7'?
    Known: class7, class37, class27, class17, class9 and 35 others
    >>> print(unknown_name("class", "forest", many, listed_by="hsi classes"))
    unknown class 'forest'
    `hsi classes` lists all 40.
    """
    known = sorted(known)
    if not isinstance(name, str):
        some = known if len(known) <= LISTED else [*known[:NEAREST], "..."]
        return UsageError(f"{kind} must be a name, not {name!r}\nKnown: {', '.join(some)}")
    near = difflib.get_close_matches(name.lower(), known, n=NEAREST)
    suggestion = f"; did you mean '{near[0]}'?" if near else ""
    listed = f"Known: {', '.join(known)}"
    if len(known) > LISTED:
        some = near or known[:NEAREST]
        listed = f"Known: {', '.join(some)} and {len(known) - len(some)} others"
        if listed_by and not near:
            listed = f"`{listed_by}` lists all {len(known)}."
    return UsageError(f"unknown {kind} '{name}'{suggestion}\n{listed}")


def check_name(kind: str, name: Any, known: Iterable[str], *, listed_by: str | None = None) -> None:
    """Refuse what is not among the known names; arguments as for `unknown_name`."""
    known = tuple(known)
    if not isinstance(name, str) or name not in known:
        raise unknown_name(kind, name, known, listed_by=listed_by)


def check_whole_number(what: str, value: Any) -> None:
    """Refuse what is no whole number; True and False are none.

    Examples
    --------
    >>> check_whole_number("channels", "3")
    Traceback (most recent call last):
    ...
    hsi.errors.UsageError: channels must be a whole number, not '3'
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise UsageError(f"{what} must be a whole number, not {value!r}")


def check_number(what: str, value: Any) -> None:
    """Refuse what is no real number; True and False are none."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise UsageError(f"{what} must be a number, not {value!r}")


def check_truth_value(what: str, value: Any) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(value, bool):
        raise UsageError(f"{what} must be True or False, not {value!r}")
