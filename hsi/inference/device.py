"""Where to compute."""

from __future__ import annotations

import difflib

import torch

from hsi.errors import UsageError


def resolve_device(device: str | torch.device = "auto") -> torch.device:
    """Return the device that `device` names; ``"auto"`` is the first CUDA device or else the CPU.

    Raises
    ------
    UsageError
        If the name is none of PyTorch's or the device is not there.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except RuntimeError as error:
        raise UsageError(
            f"device '{device}' cannot be used: there is none of that name{_suggestion(device)}\n"
            f"{_ADVICE}"
        ) from error
    try:
        # Only an allocation tells whether the device is really there.
        torch.empty(0, device=resolved)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        # PyTorch goes on with advice for its own developers.
        reason = str(error).splitlines()[0].split(". ")[0]
        raise UsageError(f"device '{device}' cannot be used: {reason}\n{_ADVICE}") from error
    if resolved.type == "meta":
        raise UsageError("device 'meta' holds no values; use auto, cpu or cuda")
    return resolved


_ADVICE = "Use auto, cpu, or cuda (cuda:1, ...) on a machine that has such a device."


def _suggestion(device: str | torch.device) -> str:
    name = str(device).lower()
    # The nearest name in letters is cpu, the last that is meant.
    near = ["cuda"] if "gpu" in name else difflib.get_close_matches(name, ("auto", "cpu", "cuda"))
    return f"; did you mean '{near[0]}'?" if near else ""
