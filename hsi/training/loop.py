"""The training loop, whatever is learned: epochs, steps, the weights that are kept."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn

from hsi.errors import DivergedError
from hsi.training.descent import Descent, half_precision, optimizer_of
from hsi.training.epochs import Epoch, Progress
from hsi.training.model_file import within
from hsi.training.ranks import Ranks
from hsi.training.state import Capture, Moving, Place, State

_Batch = TypeVar("_Batch")
_Model = TypeVar("_Model", bound=nn.Module)


class Silent:
    """Progress that nobody sees."""

    def step(self, done: int, total: int) -> None:
        """Do nothing."""

    def epoch(self, epoch: Epoch, total: int) -> None:
        """Do nothing."""


class Task(Protocol[_Batch]):
    """What is learned from what, as the loop asks for it."""

    def train_mode(self) -> None:
        """Put into training mode what is trained."""

    def batches(self, generator: torch.Generator) -> Iterable[_Batch]:
        """Return the batches of one epoch."""

    def learn(self, batch: _Batch, generator: torch.Generator) -> tuple[Tensor, Tensor, int]:
        """Return the mean loss of a batch, how much of it was right, and its size.

        Or, of several ranks, of the part that is this one's; the mean of the losses is the loss.
        """

    def accuracies(self, running: float) -> tuple[float, float | None]:
        """Return training and validation accuracy after an epoch, in which `running` was right.

        The second may be any other share by which epochs are chosen.
        """


def right_of(scores: Tensor, truth: Tensor) -> Tensor:
    """Return how many of ``(N, classes)`` logits are highest for the true target ``(N,)``."""
    return (scores.detach().argmax(1) == truth).sum()


def run_epochs(
    model: _Model,
    task: Task[_Batch],
    *,
    epochs: int,
    batches: int,
    descent: Descent,
    generator: torch.Generator,
    device: torch.device,
    progress: Progress | None = None,
    keep: Callable[[_Model, Epoch], None] | None = None,
    choose: bool = True,
    after_step: Callable[[Capture], None] | None = None,
    resume: State | None = None,
    ranks: Ranks | None = None,
) -> list[Epoch]:
    """Train the weights of `model` that ask for gradients, in place, and return the history.

    If the task measures a validation accuracy, the weights of the epoch that did best, and of
    several such the last, are the result; without, those of the last epoch.

    Parameters
    ----------
    model : nn.Module
        On `device`; in evaluation mode afterwards.
    task : Task
        What to learn.
    epochs, batches : int
        Passes, and the batches of each.
    descent : Descent
        Optimiser and rate.
    generator : torch.Generator
        What the task draws from; see `seeded`.
    device : torch.device
        Where `model` is.
    progress : Progress, optional
        Told of every step and epoch.
    keep : callable, optional
        Called with model and epoch whenever the weights so far are worth keeping.
    choose : bool
        Whether the validation accuracy chooses the weights. If not, it is only told.
    after_step : callable, optional
        Called after every step with what captures the state of the training; what it raises ends
        the training.
    resume : State, optional
        Where to go on: the result is the same, to the bit, as without the interruption.
    ranks : Ranks, optional
        Who share the steps, if the task does.

    Raises
    ------
    DivergedError
        If the loss or the weights are no longer finite.
    """
    progress = progress or Silent()
    steps = epochs * batches
    optimizer, rates = optimizer_of(model, descent, steps, device)
    half = half_precision(descent.precision, device)
    # Gradients need no scaling in bfloat16, which has the range of float32.
    scaler = torch.amp.GradScaler(device.type, enabled=half == torch.float16)
    moving = Moving(
        model=model,
        optimizer=optimizer,
        rates=rates,
        scaler=scaler,
        generator=generator,
        device=device,
    )
    history: list[Epoch] = []
    best: tuple[float, dict[str, Tensor]] | None = None
    first, before = 1, 0.0
    if resume:
        moving.restore(resume.plain, resume.tensors)
        history, first, before = list(resume.history), resume.place.epoch, resume.place.seconds
        if resume.best is not None:
            best = resume.best, within(resume.tensors, "best.")
    start = time.monotonic() - before

    for number in range(first, epochs + 1):
        task.train_mode()
        rate = float(rates.get_last_lr()[0])
        losses = torch.zeros((), device=device, dtype=torch.float64)
        right = torch.zeros((), device=device, dtype=torch.float64)
        seen = done = 0
        if resume:
            generator.set_state(resume.tensors["epoch.draws"])
        order = generator.get_state()
        coming = iter(task.batches(generator))
        if resume:
            # The batches that were learned from are drawn again, and left out.
            done, seen, rate = resume.place.done, resume.place.seen, resume.place.rate
            for _ in islice(coming, done):
                pass
            losses.copy_(resume.tensors["epoch.losses"])
            right.copy_(resume.tensors["epoch.right"])
            moving.restore_draws(resume.tensors)
            resume = None
        for batch in coming:
            with torch.autocast(device.type, half, enabled=half is not None):
                loss, right_now, size = task.learn(batch, generator)
            optimizer.zero_grad(set_to_none=True)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            rates.step()
            counted = loss.detach(), right_now, size
            mean, hits, pixels = ranks.whole(*counted) if ranks else counted
            losses += mean * pixels
            right += hits
            seen += pixels
            done += 1
            progress.step((number - 1) * batches + done, steps)
            if after_step:
                place = Place(
                    epoch=number,
                    done=done,
                    seen=seen,
                    rate=rate,
                    seconds=time.monotonic() - start,
                )
                sums = {"epoch.losses": losses, "epoch.right": right, "epoch.draws": order}
                after_step(partial(_captured, moving, place, history, best, sums, descent, half))

        train_accuracy, validation_accuracy = task.accuracies(float(right) / seen)
        epoch = Epoch(
            epoch=number,
            loss=float(losses) / seen,
            train_accuracy=train_accuracy,
            validation_accuracy=validation_accuracy,
            learning_rate=rate,
            seconds=time.monotonic() - start,
        )
        _check_finite(model, epoch.loss, number, descent, half=half)
        history.append(epoch)
        progress.epoch(epoch, epochs)
        if epoch.validation_accuracy is None or not choose:
            if keep:
                keep(model, epoch)
        elif best is None or epoch.validation_accuracy >= best[0]:
            weights = {name: value.clone() for name, value in model.state_dict().items()}
            best = (epoch.validation_accuracy, weights)
            if keep:
                keep(model, epoch)

    if best is not None:
        model.load_state_dict(best[1])
    model.eval()
    return history


def _captured(
    moving: Moving,
    place: Place,
    history: list[Epoch],
    best: tuple[float, dict[str, Tensor]] | None,
    counted: dict[str, Tensor],
    descent: Descent,
    half: torch.dtype | None,
) -> State:
    # What is no longer finite must not take the place of what is.
    loss = float(counted["epoch.losses"]) / place.seen
    _check_finite(moving.model, loss, place.epoch, descent, half=half)
    plain, tensors = moving.capture()
    weights = {f"best.{name}": value for name, value in best[1].items()} if best else {}
    return State(
        place=place,
        history=tuple(history),
        best=best[0] if best else None,
        plain=plain,
        device=moving.device,
        tensors=tensors | weights | {name: value.clone() for name, value in counted.items()},
    )


def _check_finite(
    model: nn.Module, loss: float, epoch: int, descent: Descent, *, half: torch.dtype | None
) -> None:
    """Stop a training that can only go on with what is no number.

    Raises
    ------
    DivergedError
        With the likely cause.
    """
    broken = [name for name, weight in model.named_parameters() if not is_finite(weight.detach())]
    if math.isfinite(loss) and not broken:
        return
    what = f"the loss is {loss}" if not math.isfinite(loss) else f"the weights {broken[0]} are not"
    finite = "" if not math.isfinite(loss) else " finite"
    cures = [f"Lower --learning-rate (now {descent.learning_rate:g})"]
    if descent.schedule == "constant":
        cures.append("take --schedule one-cycle, which begins with small steps")
    if half is not None:
        cures.append("take --precision full")
    raise DivergedError(
        f"{what}{finite} in epoch {epoch}, so training stopped: most likely its steps are too "
        f"large for these data\n{', or '.join(cures)}."
    )


def is_finite(weight: Tensor) -> bool:
    """Return whether all values are finite; those of whole numbers are."""
    if not weight.is_floating_point() or not weight.numel():
        return True
    # Both ends are NaN if anything is. `isfinite` on every value takes thirty times as long.
    return bool(torch.stack(torch.aminmax(weight)).isfinite().all())


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[torch.Generator]:
    """Seed PyTorch's global generators, which dropout uses, for the block; yield one more."""
    devices = [device.index or 0] if device.type == "cuda" else []
    with (
        torch.random.fork_rng(devices=devices),
        torch.backends.cudnn.flags(deterministic=True, benchmark=False),
    ):
        torch.manual_seed(seed)
        yield torch.Generator().manual_seed(seed)
