"""What a battery of checks is: promises in words, each with what tests it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

Check = tuple[str, Callable[[], None]]


class CheckFailedError(AssertionError):
    """A promise that was not kept: whose, which one, and what came."""


def run_all(what: str, checks: Sequence[Check]) -> None:
    """Run checks one after the other.

    Parameters
    ----------
    what : str
        What is checked.
    checks : sequence of (str, callable)
        A promise, and what raises `AssertionError` if it is not kept.

    Raises
    ------
    CheckFailedError
        At the first that fails; also if what is checked raises what it should not.
    """
    for promise, check in checks:
        try:
            check()
        except CheckFailedError:
            raise
        except Exception as error:
            came = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
            raise CheckFailedError(f"{what} breaks a promise: {promise}\n{came}{error}") from error


def require(holds: bool, came: str) -> None:
    """Raise AssertionError, which tells what came, unless something holds."""
    if not holds:
        raise AssertionError(came)


def require_near(found: Tensor, expected: Tensor, share: float, came: str) -> None:
    """Require two tensors to differ by at most a share of the range of the second."""
    require(
        found.shape == expected.shape,
        f"{came}: a shape {tuple(found.shape)} instead of {tuple(expected.shape)}",
    )
    require(bool(found.isfinite().all()), f"{came}: values that are no numbers")
    found, expected = found.detach(), expected.detach()
    spread = float((expected.max() - expected.min()).clamp(min=1e-300))
    largest = float((found - expected).abs().max())
    require(
        largest <= share * spread,
        f"{came}: they differ by {largest / spread:.1e} of the range; expected at most {share:.0e}",
    )


def draw_state(module: nn.Module) -> None:
    """Draw all single values and lists: scales, shifts and statistics are not at their start."""
    for value in (*module.parameters(), *module.buffers()):
        if value.is_floating_point() and value.ndim < 2:
            nn.init.uniform_(value, 0.2, 1.2)


def learns(module: nn.Module, loss: Tensor) -> None:
    """Require a finite gradient of `loss` for every weight, and one that is not zero everywhere."""
    if not any(weight.requires_grad for weight in module.parameters()):
        return
    loss.backward()
    for name, weight in module.named_parameters():
        if not weight.requires_grad:
            continue
        require(weight.grad is not None, f"the weight {name} is not used")
        assert weight.grad is not None
        require(bool(weight.grad.isfinite().all()), f"the gradient of {name} is not finite")
        require(bool(weight.grad.any()), f"the gradient of {name} is zero")


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let PyTorch's generator start from `seed` within the block; the caller's goes on after."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
