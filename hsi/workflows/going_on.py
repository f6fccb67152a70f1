"""From what an interrupted training has left to what it goes on from."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import torch

from hsi.errors import RunError
from hsi.training import RunFolder
from hsi.training.state_file import Found, computing_with


def state_to_go_on_from(
    run: RunFolder,
    device: torch.device,
    *,
    bitwise: bool,
    noted: Callable[[str], None] | None,
    processes: int = 1,
) -> Found | None:
    """Return the newest state of a run; None if it has to begin anew.

    Parameters
    ----------
    run : RunFolder
        The run.
    device : torch.device
        Where it would go on.
    bitwise : bool
        Whether to refuse other conditions than those that it was last trained under.
    noted : callable, optional
        Told what is to be known of how it goes on.
    processes : int
        How many would go on together.

    Raises
    ------
    RunError
        If all states are damaged or those of another run, or conditions differ.
    """
    found = run.states.read()
    if found is None:
        return None
    # What else was learned from may follow; it is known once that is read.
    _check_belongs(run.path, (found.learned_from or "").split(" ")[0], run.begun_with)
    now = computing_with(device, processes=processes)
    _check_bits(run.path, found.computed_with, now, bitwise=bitwise)
    if noted:
        for note in (*found.notes, f"it goes on in epoch {found.state.place.epoch}"):
            noted(note)
    return found._replace(state=dataclasses.replace(found.state, device=device))


def _check_belongs(folder: Path, then: str, now: str) -> None:
    """Refuse a state that another run has left.

    Raises
    ------
    RunError
        If the sum over what was learned from, and how, is another.
    """
    if then != now:
        raise RunError(
            f"the states in {folder / 'checkpoint'} are those of a training with other settings or "
            "another split\nPut its own back, or train anew, into another folder."
        )


def _check_bits(folder: Path, then: dict[str, str], now: dict[str, str], *, bitwise: bool) -> None:
    """Refuse to go on where the last bits of the result could be others.

    Parameters
    ----------
    folder : Path
        Of the run.
    then, now : dict
        What the training was last computed with, and what it would go on with; see
        `computing_with`.
    bitwise : bool
        If not, nothing is refused.

    Raises
    ------
    RunError
        With the differences.
    """
    then = {"processes": "1"} | then  # where it is not said, nothing was shared
    differing = [
        f"{name} was {then.get(name, 'unknown')}, is {now.get(name, 'unknown')}"
        for name in dict.fromkeys([*then, *now])
        if then.get(name) != now.get(name)
    ]
    if differing and bitwise:
        raise RunError(
            f"{folder} was trained under other conditions: {'; '.join(differing)}\n"
            "Its result could differ in the last bits from that without the interruption. Go on "
            "under the same conditions, or accept it with --not-bitwise (bitwise=False)."
            + _as_before(then, now)
        )


def _as_before(then: dict[str, str], now: dict[str, str]) -> str:
    """Return how to start as many processes as there were, where that is the difference."""
    if then["processes"] in (now["processes"], "1"):
        return ""
    return f"\nAs before: torchrun --nproc-per-node {then['processes']} -m hsi train --resume RUN"
