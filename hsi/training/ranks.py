"""The processes that torchrun has started to train one network together.

Each is a rank. What they tell each other goes through `torch.distributed`: gloo between CPUs, and
NCCL between CUDA devices, with gloo beside it for what is not on a device.
"""

from __future__ import annotations

import platform
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from hsi.errors import HsiError, RunError, UsageError
from hsi.inference import resolve_device
from hsi.torchrun import Launched

# A rank may be waited for while it reads a large scene, or writes. One that has ended is noticed
# sooner: its connections are closed.
LONGEST_WAIT = timedelta(minutes=30)
PATIENCE_SECONDS = 8.0
_RUN = "hsi.run"

_Result = TypeVar("_Result")


class Ranks:
    """All of the processes, as one of them sees them.

    Parameters
    ----------
    launched : Launched
        What torchrun says of this process.
    device : torch.device
        Where this process computes.

    Attributes
    ----------
    rank, size : int
        The number of this process, from 0, and how many there are.
    patience : float or None
        Seconds within which a rank must take note of a signal; see `hsi.interrupts.stoppable`.
    """

    def __init__(self, launched: Launched, device: torch.device) -> None:
        self.launched, self.device = launched, device
        self.rank, self.size = launched.rank, launched.size
        # NCCL does not notice that a rank has ended. torchrun does, and says so by a signal.
        self.patience = PATIENCE_SECONDS if device.type == "cuda" else None

    @property
    def first(self) -> bool:
        """Whether this is the one that writes and prints."""
        return self.rank == 0

    def summed(self, values: Tensor) -> Tensor:
        """Add to `values`, in place, what they are in all other ranks."""
        dist.all_reduce(values)
        return values

    def whole(self, loss: Tensor, right: Tensor, pixels: int) -> tuple[Tensor, Tensor, int]:
        """Return the mean loss, and how many pixels were right and there, over all ranks."""
        both = self.summed(torch.stack([loss.double(), right.double()]))
        count = self.summed(torch.tensor(pixels))  # on the CPU: no device has to be waited for
        return both[0] / self.size, both[1].to(right.dtype), int(count)

    def highest(self, number: int) -> int:
        """Return the highest of the numbers that all ranks have."""
        highest = torch.tensor(number)
        dist.all_reduce(highest, dist.ReduceOp.MAX)
        return int(highest)

    def gathered(self, said: _Result) -> list[_Result]:
        """Return what each rank says, in their order."""
        answers: list[_Result] = [said] * self.size
        dist.all_gather_object(answers, said)
        return answers

    def agreed(self, work: Callable[[], _Result]) -> _Result:
        """Do something in every rank, and go on only if it succeeded in all of them.

        Raises
        ------
        HsiError
            In the first rank: its own error, or that of another, with its name.
        SystemExit
            In all others, with the exit code of that error.
        """
        result: list[_Result] = []
        failed: HsiError | None = None
        try:
            result.append(work())
        except HsiError as error:
            failed = error
        said = self.gathered(None if failed is None else (str(failed), failed.exit_code))
        errors = [(rank, *each) for rank, each in enumerate(said) if each is not None]
        if not errors:
            return result[0]
        rank, message, exit_code = errors[0]
        if not self.first:
            raise SystemExit(exit_code)
        if rank == 0 and failed is not None:
            raise failed
        kind = UsageError if exit_code == UsageError.exit_code else RunError
        raise kind(f"in process {rank} of {self.size}: {message}")

    def check_alike(self, facts: dict[str, str]) -> None:
        """Refuse to begin where ranks would learn from different things.

        Parameters
        ----------
        facts : dict
            What is to be the same in all of them, by its name.

        Raises
        ------
        RunError
            In the first rank; the others end with `SystemExit`.
        """
        said = self.gathered((platform.node(), facts))

        def check() -> None:
            for rank, (machine, theirs) in enumerate(said):
                differing = [name for name in facts if theirs.get(name) != facts[name]]
                if differing:
                    raise RunError(
                        f"process {rank}, on {machine}, has another "
                        f"{' and another '.join(differing)} than process 0\n"
                        "All machines need the same files, settings and versions."
                    )

        self.agreed(check if self.first else lambda: None)

    def begun(self) -> str | None:
        """Return the run that was begun before torchrun started the processes again, if any."""
        if not self.launched.kept:
            return None
        store = _store(self.launched)
        return (store.get(_RUN).decode() or None) if store.check([_RUN]) else None

    def begin(self, path: str) -> None:
        """Let `begun` return this run, none if empty, should torchrun start the processes again."""
        if self.launched.kept:
            _store(self.launched).set(_RUN, path)

    def outlast_the_first(self) -> None:
        """Wait until the first rank has ended, which says and keeps what there is.

        As soon as one process has ended with an error, torchrun ends all others.
        """
        with suppress(RuntimeError):  # nobody answers, and in the end the connection is closed
            self.highest(0)


class Unshared(NamedTuple):
    """Which device a process of several computes on, from what the user has named."""

    named: str
    local_rank: int

    def resolve(self) -> torch.device:
        """Return it: each process on a machine has a CUDA device of its own, or all its CPU.

        Raises
        ------
        UsageError
            If there are fewer devices, or one in particular was named.
        """
        kind = resolve_device(self.named)
        if kind.type != "cuda":
            return kind
        if kind.index is not None:
            raise UsageError(
                f"each process of torchrun computes on a CUDA device of its own, not all on "
                f"{self.named}\nSay --device cuda, and choose them with CUDA_VISIBLE_DEVICES."
            )
        if self.local_rank >= torch.cuda.device_count():
            raise UsageError(
                f"process {self.local_rank} on {platform.node()} would need CUDA device "
                f"{self.local_rank}, of {torch.cuda.device_count()}\nStart as many processes as "
                "there are devices (--nproc-per-node), or say --device cpu."
            )
        return torch.device("cuda", self.local_rank)


@contextmanager
def joined(launched: Launched, *, device: str) -> Iterator[Ranks]:
    """Have this process be one of those that torchrun has started.

    Parameters
    ----------
    launched : Launched
        What torchrun says of it.
    device : str
        As for `hsi.inference.resolve_device`; CUDA devices are shared out among the processes.

    Raises
    ------
    UsageError
        If a device cannot be used so.
    RunError
        If another process has ended.
    """
    try:
        where, failed = Unshared(device, launched.local_rank).resolve(), None
    except UsageError as error:
        where, failed = torch.device("cpu"), error
    if where.type == "cuda":
        torch.cuda.set_device(where)
    how: dict[str, Any] = {}
    if launched.kept:
        # What the processes before the last restart have left there must not be met.
        attempt = dist.PrefixStore(f"hsi.attempt-{launched.restarts}", _store(launched))
        how = {"store": attempt, "rank": launched.rank, "world_size": launched.size}
    backend = "cpu:gloo,cuda:nccl" if where.type == "cuda" else "gloo"
    with unbroken(launched):
        dist.init_process_group(backend, timeout=LONGEST_WAIT, **how)
    ranks = Ranks(launched, where)

    def check() -> None:
        if failed is not None:
            raise failed

    try:
        with unbroken(launched):
            ranks.agreed(check)
            yield ranks
    except BaseException:
        # It ends by itself, but says why before, which torchrun would not wait for.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise
    # Not after an error: whoever is waited for may be gone.
    dist.destroy_process_group()


@contextmanager
def unbroken(launched: Launched) -> Iterator[None]:
    """Say so, if a process that is needed within the block has ended.

    Raises
    ------
    RunError
        Then.
    """
    try:
        with warnings.catch_warnings():
            # Of a weight whose channels come last; what is added up is the same.
            warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
            yield
    except RuntimeError as error:
        if not _is_of_a_connection(error):
            raise
        # gloo puts the place in its sources before what happened, and guesses after it.
        happened = str(error).splitlines()[0].rpartition("] ")[2].split(". ")[0]
        raise RunError(
            f"another process of this training has ended, or cannot be reached: {happened}\n"
            f"Process {launched.rank} of {launched.size} ends, too."
        ) from error


def _store(launched: Launched) -> dist.TCPStore:
    """Return what torchrun keeps for all processes, also between restarts."""
    host, port = launched.address
    return dist.TCPStore(host, port, is_master=False)


def _is_of_a_connection(error: RuntimeError) -> bool:
    # gloo has no class of its own for them; its messages begin with the place in its sources.
    return isinstance(error, dist.DistError) or "gloo/" in str(error)
