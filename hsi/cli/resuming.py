"""What subcommands share of interrupted trainings: going on with them, and using what they left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hsi.errors import UsageError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from hsi.training import RunFolder

_Command = TypeVar("_Command", bound=Callable[..., Any])


def options(command: _Command) -> _Command:
    """Add ``--resume`` and ``--not-bitwise``."""
    bits = click.option(
        "--not-bitwise",
        is_flag=True,
        help="With --resume: also under other versions or threads, with other last bits.",
    )
    run = click.option(
        "--resume",
        type=click.Path(),
        metavar="RUN",
        help="Go on with an interrupted training, to the same result as without interruption.",
    )
    return run(bits(command))


def check_none(not_bitwise: bool) -> None:
    """Refuse to say how to go on where nothing is gone on with."""
    if not_bitwise:
        raise UsageError("--not-bitwise says how to --resume a run, but none is named")


def check_nothing_beside(given: list[str], *, what: str) -> None:
    """Refuse options that say what a run itself has: `what` it learns from, settings, folder."""
    if given:
        raise UsageError(
            f"--resume goes on with the {what}, the settings and the folder of a run: leave out "
            f"{' and '.join(given)}"
        )


def check_settings(path: Path, before: BaseModel, now: BaseModel) -> None:
    """Refuse settings that are not those of the run.

    Raises
    ------
    UsageError
        With the differences.
    """
    others = [
        f"{name} is {old} there, {new} now"
        for name, old, new in _differences(before.model_dump(), now.model_dump())
    ]
    if others:
        raise UsageError(
            f"{path} was begun with other settings: {'; '.join(others)}\n"
            "Leave these options out to go on with it, or train anew with --config "
            f"{path / 'config.toml'} and these options."
        )


def note_checkpoint(run: RunFolder) -> None:
    """Print that a run is used as it stands in the middle of its training, if it is."""
    if not run.trained:
        say(f"the training of {run.path} did not finish; using its checkpoint.")


def say(note: str) -> None:
    """Print what is to be known of how it goes on."""
    click.echo(f"Note: {note}", err=True)


def _differences(before: dict[str, Any], now: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return name, old and new value of the settings that differ, those of the recipe too."""
    found = []
    for name in before:
        if isinstance(before[name], dict) and isinstance(now[name], dict):
            found += _differences(before[name], now[name])
        elif before[name] != now[name]:
            found.append((name, before[name], now[name]))
    return found
