"""What an interrupted training leaves."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import torch
from torch import nn

from hsi.errors import DivergedError, HsiError, OutOfMemoryError, RunError
from hsi.inference import is_out_of_memory
from hsi.interrupts import Stop
from hsi.training import Epoch, RunFolder
from hsi.training.run_folder import Savable
from hsi.training.state import Capture

# Between two checkpoints: long enough that writing them is no burden, short enough that little is
# lost. Those of the largest networks, gigabytes, take longer than this to write, and are as much
# further apart.
CHECKPOINT_SECONDS = 30.0
WRITING_SECONDS = 1.5
# What a disk says of itself, of no file in particular.
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG, errno.EROFS)


class Trainable(Savable, Protocol):
    """A classifier whose network is trained."""

    @property
    def network(self) -> nn.Module:
        """The network."""


class Kept:
    """The weights worth keeping so far: those of a whole epoch, in memory and now and then saved.

    The training loop calls it after an epoch; an interrupt finds the network itself in the middle
    of a step.

    Parameters
    ----------
    run : RunFolder
        Where they are saved.
    classifier : Trainable
        Whose they are.
    works : str
        What the run can be used for then: ends in "work with" or "works with".
    settle : callable, optional
        Makes the classifier's network fit for evaluation where training leaves it behind, before it
        is saved.
    stop : Stop, optional
        Says whether to stop after a step.
    less_memory : str
        What to do where memory does not suffice.
    command : str, optional
        What goes on with such a run, where that is not the command that made it.
    """

    def __init__(
        self,
        run: RunFolder,
        classifier: Trainable,
        *,
        works: str,
        settle: Callable[[], None] | None = None,
        stop: Stop | None = None,
        less_memory: str,
        command: str | None = None,
    ) -> None:
        self.run, self.classifier, self.works, self.settle = run, classifier, works, settle
        self.stop, self.less_memory = stop, less_memory
        self.command = command or run.COMMAND
        self.epoch = 0
        self.weights: dict[str, torch.Tensor] = {}
        self._save_next = self._state_next = time.monotonic() + CHECKPOINT_SECONDS

    def __call__(self, network: nn.Module, epoch: Epoch) -> None:
        """Take the weights of `network` as they are after `epoch`."""
        weights = {name: value.clone() for name, value in network.state_dict().items()}
        self.weights, self.epoch = weights, epoch.epoch
        if time.monotonic() > self._save_next:
            self._save_next = _after(self._save)

    def after_step(self, capture: Capture) -> None:
        """Write the state of the training now and then, and before it stops.

        Raises
        ------
        KeyboardInterrupt
            If that was requested.
        """
        if self.stop:
            self.stop.confer()
        stopping = self.stop is not None and self.stop.requested is not None
        if stopping or time.monotonic() > self._state_next:
            self._state_next = _after(lambda: self.run.states.write(capture()))
        if self.stop:
            self.stop.check()

    def save(self) -> str:
        """Save them as checkpoint, or remove the run if there are none; say what was done."""
        if self.run.trained:
            return self._finished()
        if not self.epoch and self.run.states:
            return f"No epoch was finished.{self._how_to_go_on()}"
        if not self.epoch:
            self.run.discard_if_untrained()
            return f"No epoch was finished, so nothing is left in {self.run.path}."
        return f"{self._keep_weights()}{self._how_to_go_on()}"

    def _keep_weights(self) -> str:
        """Save the weights of the last whole epoch; say so."""
        self.classifier.network.load_state_dict(self.weights)
        # Settling takes a while, and whoever interrupts twice is not to be left with nothing.
        self.run.save_checkpoint(self.classifier)
        if self.settle:
            self._save()
        return f"The weights of epoch {self.epoch} are kept: {self.works} them."

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Whatever ends the block early: keep what can be used, and say so.

        Raises
        ------
        KeyboardInterrupt
            With a note that says what the run is good for.
        HsiError
            If the training diverged, or memory does not suffice; and whatever else came.
        """
        try:
            yield
        except KeyboardInterrupt as interrupt:
            interrupt.add_note(self.save())
            raise
        except Exception as error:
            said = self.after(error)
            if said is error:
                raise
            raise said from error
        except BaseException:
            self.run.discard_if_untrained()
            raise

    def after(self, error: Exception) -> Exception:
        """Keep or remove what a training that failed leaves; return the error that says so."""
        if isinstance(error, DivergedError):
            # Whatever it goes on from, it would come to the same.
            self.run.states.remove()
            if not self.epoch:
                self.run.discard_if_untrained()
                return error
            self.classifier.network.load_state_dict(self.weights)
            self._save()
            return DivergedError(
                f"{error}\nTo train anew: {self.run.COMMAND} --config "
                f"{self.run.path / 'config.toml'}, with what you change.\n"
                f"The weights of epoch {self.epoch}, all finite, are kept: {self.works} them."
            )
        kept = f"The weights of an earlier epoch are kept: {self.works} them."
        if self.epoch and not self.run.trained and not self.run.states:
            # What broke the training may break this, too; then an earlier checkpoint stays, if any.
            with suppress(HsiError, OSError, RuntimeError, MemoryError):
                kept = self._keep_weights()
        self.run.discard_if_untrained()
        how = self._how_to_go_on().strip()
        if isinstance(error, OSError) and error.errno in _DISK and self._is_mine(error.filename):
            error = RunError(
                f"cannot write into {self.run.path}: {error.strerror}\n"
                "Make room there, or write elsewhere: --out."
            )
        if is_out_of_memory(error) and not isinstance(error, OutOfMemoryError):
            error = OutOfMemoryError(
                f"there is not enough memory for this training: "
                f"{' '.join(str(error).split())[:200]}\n{self.less_memory}"
            )
        if self.run.trained:
            error.add_note(self._finished())
        elif how:
            error.add_note(how)
        elif self.run.checkpoint.is_file():
            error.add_note(kept)
        return error

    def _finished(self) -> str:
        return f"The training was finished: {self.works} it.{self._how_to_go_on()}"

    def _is_mine(self, name: str | None) -> bool:
        """Return whether a file is one of the run's; those of nobody in particular are."""
        return name is None or Path(name).is_relative_to(self.run.path)

    def _how_to_go_on(self) -> str:
        if not self.run.states:
            return ""
        return f" `{self.command} --resume {self.run.path}` goes on as if nothing had happened."

    def _save(self) -> None:
        if self.settle:
            self.settle()
        self.run.save_checkpoint(self.classifier)


def _after(write: Callable[[], None]) -> float:
    """Write a checkpoint; return when the next one is due."""
    began = time.monotonic()
    write()
    ended = time.monotonic()
    return ended + CHECKPOINT_SECONDS * max(1.0, (ended - began) / WRITING_SECONDS)
