"""What can go wrong, in words for the user.

::

    HsiError                exit code 1: the work could not be done
    ├── UsageError          exit code 2: a name, option or value that cannot be meant
    ├── SceneError          a scene or label file that is missing, damaged or not what it seems
    │   └── DownloadError   a file that could not be fetched
    ├── WeightsError        weights of a network that are missing, damaged or of another network
    ├── PhotographError     a photograph, or a folder of them, that is missing or damaged
    └── RunError            a run folder that is missing, unfinished, damaged or already taken

A message says what came, what was expected and what to do, in five lines at most. The command line
prints it without a traceback; every other exception is a defect of this package.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class HsiError(Exception):
    """Base of all errors that this package raises on purpose."""

    exit_code = 1


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


class RunError(HsiError):
    """A run folder that is missing, unfinished, damaged or already taken."""


# Longer lists of names are cut short.
LISTED, NEAREST = 32, 5


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """Return the error for a misspelt name, with the nearest known one as a suggestion.

    Examples
    --------
    >>> print(unknown_name("model", "hybridsm", ["hybridsn", "hybridsn-dw"]))
    unknown model 'hybridsm'; did you mean 'hybridsn'?
    Known: hybridsn, hybridsn-dw

    Of many names, the nearest are listed:

    >>> print(unknown_name("class", "clas7", [f"class{n}" for n in range(40)]))
    unknown class 'clas7'; did you mean 'class7'?
    Known: class7, class37, class27, class17, class9 and 35 others
    """
    known = sorted(known)
    near = difflib.get_close_matches(name.lower(), known, n=NEAREST)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    listed = ", ".join(known)
    if len(known) > LISTED:
        some = near or known[:NEAREST]
        listed = f"{', '.join(some)} and {len(known) - len(some)} others"
    return UsageError(f"unknown {kind} '{name}'{hint}\nKnown: {listed}")
