"""Everything that a training goes on from, so that it ends with the same bits.

That is: the weights and statistics of the model, what the optimiser, the schedule of the rate and
the gradient scaler remember, all generators of random numbers, the place within the epoch with
what was counted in it so far, the best weights so far, and the history. It is kept as tensors and
JSON (`hsi.training.model_file`), never pickled.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from hsi.training.epochs import Epoch
from hsi.training.model_file import within

Capture = Callable[[], "State"]
"""What returns the state of a training as it is now."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where in its epochs a training is.

    Attributes
    ----------
    epoch : int
        The epoch that goes on, from 1.
    done : int
        Steps of it that are done.
    seen : int
        What was learned from in them: pixels or photographs.
    rate : float
        Learning rate with which the epoch began.
    seconds : float
        Since the start of the training, interruptions left out.
    """

    epoch: int
    done: int
    seen: int
    rate: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class State:
    """What a training goes on from.

    Attributes
    ----------
    place : Place
        Where it is.
    history : tuple of Epoch
        Of the epochs before.
    best : float or None
        The best validation accuracy so far, if validation chooses.
    plain : dict
        What of optimiser, schedule and scaler JSON can hold.
    tensors : dict of Tensor
        The rest, copied.
    """

    place: Place
    history: tuple[Epoch, ...]
    best: float | None
    plain: dict[str, Any]
    tensors: dict[str, Tensor]
    device: torch.device
    """Where it was captured, or is to be used."""

    def as_table(self) -> dict[str, Any]:
        """Return all but the tensors, for JSON."""
        return {
            "place": dataclasses.asdict(self.place),
            "history": [each.as_row() for each in self.history],
            "best": self.best,
            "plain": self.plain,
        }

    @classmethod
    def from_parts(
        cls, table: Mapping[str, Any], tensors: dict[str, Tensor], *, device: torch.device
    ) -> State:
        """Put together what `as_table` and `tensors` were; raises what comes if they do not fit."""
        return cls(
            place=Place(**table["place"]),
            history=tuple(Epoch(**row) for row in table["history"]),
            best=table["best"],
            plain=dict(table["plain"]),
            tensors=tensors,
            device=device,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Moving:
    """All that changes while a training goes on, but for the place in it.

    Attributes
    ----------
    model, optimizer, rates, scaler
        What is trained, and what trains it.
    generator : torch.Generator
        What the task draws from; dropout draws from PyTorch's global generators.
    device : torch.device
        Where the model is.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    rates: torch.optim.lr_scheduler.LRScheduler
    scaler: torch.amp.GradScaler
    generator: torch.Generator
    device: torch.device

    def capture(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Return copies of all of it: what JSON can hold, and tensors."""
        remembered = self.optimizer.state_dict()
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        for number, values in remembered["state"].items():
            tensors |= {f"optimizer.{number}.{name}": value for name, value in values.items()}
        tensors |= self._generators()
        plain = {
            "optimizer": remembered["param_groups"],
            "rates": self.rates.state_dict(),
            "scaler": self.scaler.state_dict(),
        }
        return plain, {name: value.detach().clone() for name, value in tensors.items()}

    def restore(self, plain: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Set all of it to what `capture` returned, but for the generators (`restore_draws`)."""
        self.model.load_state_dict(within(tensors, "model."))
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in within(tensors, "optimizer.").items():
            number, _, what = name.partition(".")
            # A copy: the optimiser goes on with the very tensors that it is given.
            state.setdefault(int(number), {})[what] = value.clone()
        groups = [
            # JSON knows no tuples.
            {name: tuple(value) if name == "betas" else value for name, value in group.items()}
            for group in plain["optimizer"]
        ]
        weights = [each for group in self.optimizer.param_groups for each in group["params"]]
        for place, moments in state.items():
            for what, moment in moments.items():
                if moment.shape == weights[place].shape:
                    # Fused optimisers go through weights and moments in the order of memory, which
                    # a file does not keep: channels may come last.
                    moments[what] = torch.empty_like(weights[place]).copy_(moment)
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
        self.rates.load_state_dict(dict(plain["rates"]))
        self.scaler.load_state_dict(dict(plain["scaler"]))

    def restore_draws(self, tensors: Mapping[str, Tensor]) -> None:
        """Set all generators to what they were."""
        self.generator.set_state(tensors["draws.task"])
        torch.set_rng_state(tensors["draws.global"])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(tensors["draws.device"], self.device)

    def _generators(self) -> dict[str, Tensor]:
        draws = {"draws.task": self.generator.get_state(), "draws.global": torch.get_rng_state()}
        if self.device.type == "cuda":
            draws["draws.device"] = torch.cuda.get_rng_state(self.device)
        return draws
