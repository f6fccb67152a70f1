"""Lists on the command line: ``--model svm,hybridsn``, ``--seeds 10``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from hsi.cli.options import Amount

# Longer lists of seeds are a slip of the finger.
MOST_SEEDS = 10_000


class Names(click.ParamType):
    """Names with commas between them; a path that exists may hold commas itself."""

    name = "names"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Return the names."""
        if isinstance(value, tuple):
            return value
        if "," in value and Path(value).exists():
            return (value,)
        return _parts(value, self, param)


class Amounts(click.ParamType):
    """Fractions or numbers of pixels with commas between them."""

    name = "amounts"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int | float, ...]:
        """Return the amounts."""
        if isinstance(value, tuple):
            return value
        return tuple(Amount().convert(part, param, ctx) for part in _parts(value, self, param))


class Seeds(click.ParamType):
    """A number of seeds, from 0 (``10``), or a list of seeds and ranges (``0,1,5-9``; ``3,``)."""

    name = "seeds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Return the seeds."""
        if isinstance(value, tuple):
            return value
        text = value.strip()
        if text.isdecimal():
            return self._few(range(int(text)), value, param)
        seeds: list[int] = []
        for part in _parts(text.removesuffix(","), self, param):
            first, dash, last = part.partition("-")
            if not first.isdecimal() or (dash and not last.isdecimal()):
                self.fail(
                    f"'{value}' is neither a number of seeds (10: the seeds 0 to 9) nor a list of "
                    "seeds and ranges such as 0,1,5-9",
                    param,
                )
            end = int(last) if dash else int(first)
            seeds += self._few(range(int(first), end + 1), value, param)
        return tuple(dict.fromkeys(seeds))

    def _few(self, seeds: range, value: str, param: click.Parameter | None) -> tuple[int, ...]:
        if not 1 <= len(seeds) <= MOST_SEEDS:
            self.fail(f"'{value}' means {len(seeds):,} seeds; expected 1 to {MOST_SEEDS:,}", param)
        return tuple(seeds)


def _parts(value: str, kind: click.ParamType, param: click.Parameter | None) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in value.split(","))
    if not all(parts):
        kind.fail(f"'{value}' has nothing between two commas, or is empty", param)
    return parts


def flat(given: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the names of an option that may be given several times."""
    return tuple(name for names in given for name in names)


def taken_over(
    source: click.Command, *, without: Sequence[str]
) -> Callable[[click.Command], click.Command]:
    """Return a decorator that gives a command the options of another one, but for some.

    Those that both have stay as they are.
    """

    def extend(command: click.Command) -> click.Command:
        own = {option for param in command.params for option in param.opts}
        command.params += [
            param
            for param in source.params
            if own.isdisjoint(param.opts) and param.name not in without
        ]
        return command

    return extend
