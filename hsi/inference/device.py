"""Where to compute."""

from __future__ import annotations

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
        # Only an allocation tells whether the device is really there.
        torch.empty(0, device=resolved)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(
            f"device '{device}' cannot be used: {str(error).splitlines()[0]}\n"
            "Use auto, cpu, or cuda (cuda:1, ...) on a machine that has such a device."
        ) from error
    if resolved.type == "meta":
        raise UsageError("device 'meta' holds no values; use auto, cpu or cuda")
    return resolved
