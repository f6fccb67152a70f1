"""What torchrun tells each of the processes that it starts; read without PyTorch."""

from __future__ import annotations

import os
from dataclasses import dataclass

from hsi.errors import UsageError

# torchrun alone sets the first of these; containers and job schedulers set some of the others.
_SET = ("TORCHELASTIC_RUN_ID", "RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True, kw_only=True)
class Launched:
    """One of the processes that torchrun has started.

    Attributes
    ----------
    rank : int
        Its number among all, from 0.
    size : int
        How many there are.
    local_rank, local_size : int
        The same, on its machine.
    address : tuple of str and int
        Where what all processes know is stored.
    kept : bool
        Whether torchrun itself keeps that store, also while it starts the processes again.
    restarts : int
        How often it has done that.
    """

    rank: int
    size: int
    local_rank: int
    local_size: int
    address: tuple[str, int]
    kept: bool
    restarts: int

    @property
    def command(self) -> str:
        """How ``python`` is written to start as many processes again."""
        alone = self.size == self.local_size
        return f"torchrun {f'--nproc-per-node {self.size}' if alone else '...'}"


def launched() -> Launched | None:
    """Return what torchrun says of this process; None if it was started otherwise."""
    if any(name not in os.environ for name in _SET):
        return None
    return Launched(
        rank=int(os.environ["RANK"]),
        size=int(os.environ["WORLD_SIZE"]),
        local_rank=int(os.environ["LOCAL_RANK"]),
        local_size=int(os.environ.get("LOCAL_WORLD_SIZE", "1")),
        address=(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])),
        kept=os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == str(True),
        restarts=int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")),
    )


def check_one_process(command: str) -> None:
    """Refuse a command that several processes would do once each.

    Raises
    ------
    UsageError
        If torchrun has started more than this one.
    """
    started = launched()
    if started is not None and started.size > 1:
        raise UsageError(
            f"torchrun started {started.size} processes of `hsi {command}`, which is the work of "
            "one\nOnly `hsi train` is shared among processes: call this without torchrun."
        )
