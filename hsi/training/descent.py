"""How weights follow the gradient: optimiser, its rates, and the precision it is computed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

# Share of a one-cycle schedule in which the rate rises, from a tenth of its peak.
WARM_UP, START_BELOW = 0.2, 10

Precision = Literal["auto", "full", "bf16"]
"""``"full"`` is float32 throughout; ``"bf16"`` is mixed: convolutions and products in bfloat16,
weights, norms and loss in float32. ``"auto"`` is full on a CPU and mixed on CUDA devices, there in
float16 where bfloat16 is not known. On CPUs with AVX512-BF16 or AMX mixed precision is faster, on
others slower."""


@dataclass(frozen=True, kw_only=True)
class Descent:
    """How weights follow the gradient: the part of the settings that the loop reads."""

    optimizer: Literal["adam", "adamw"]
    learning_rate: float
    """The constant rate, or the highest one of the one-cycle schedule."""
    schedule: Literal["constant", "one-cycle"]
    weight_decay: float
    precision: Precision = "auto"
    betas: tuple[float, float] = (0.9, 0.999)
    """How much of its running means of gradient and square Adam keeps in a step. A one-cycle
    schedule moves the first of them."""


def optimizer_of(
    model: nn.Module, descent: Descent, steps: int, device: torch.device
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """Return what moves the weights of `model` that ask for gradients, and its rates in `steps`."""
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[descent.optimizer]
    optimizer = kind(
        [weight for weight in model.parameters() if weight.requires_grad],
        lr=descent.learning_rate,
        betas=descent.betas,
        weight_decay=descent.weight_decay,
        fused=device.type in ("cpu", "cuda"),
    )
    schedule: torch.optim.lr_scheduler.LRScheduler
    if is_cycle(descent, steps):
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=descent.learning_rate,
            total_steps=steps + 1,
            pct_start=WARM_UP,
            div_factor=START_BELOW,
        )
    else:
        schedule = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0, total_iters=0)
    return optimizer, schedule


def is_cycle(descent: Descent, steps: int) -> bool:
    """Return whether the rate follows a cycle, which needs a way up, of one step at least."""
    return descent.schedule == "one-cycle" and WARM_UP * (steps + 1) > 1


def half_precision(precision: Precision, device: torch.device) -> torch.dtype | None:
    """Return the type for mixed precision, or None for full precision."""
    if precision == "full" or (precision == "auto" and device.type != "cuda"):
        return None
    if precision == "auto" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.float16
    return torch.bfloat16
