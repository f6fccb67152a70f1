"""Attention blocks, one a file: each maps ``(N, C, h, w)`` to the same shape."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from torch import nn

from hsi.errors import UsageError, check_name
from hsi.layers.attention.ca import CoordinateAttention
from hsi.layers.attention.cbam import ConvolutionalBlockAttention
from hsi.layers.attention.da import DualAttention
from hsi.layers.attention.eca import EfficientChannelAttention
from hsi.layers.attention.mhsa import MultiHeadSelfAttention
from hsi.layers.attention.se import SqueezeExcitation
from hsi.layers.attention.se_variants import SEVar1, SEVar2, SEVar3
from hsi.layers.attention.sk import SelectiveKernels

ATTENTIONS: dict[str, Callable[..., nn.Module]] = {
    "se": SqueezeExcitation,
    "eca": EfficientChannelAttention,
    "cbam": ConvolutionalBlockAttention,
    "sk": SelectiveKernels,
    "da": DualAttention,
    "ca": CoordinateAttention,
    "mhsa": MultiHeadSelfAttention,
    "se-var1": SEVar1,
    "se-var2": SEVar2,
    "se-var3": SEVar3,
}

__all__ = ["ATTENTIONS", "attention_factory", "build_attention"]


def build_attention(name: str, *, channels: int, **options: Any) -> nn.Module:
    """Build an attention block with fresh weights.

    Parameters
    ----------
    name : str
        A key of `ATTENTIONS`, as ``hsi models`` lists them.
    channels : int
        C, at least 1.
    **options
        Of the block, such as ``reduction=16`` for ``"se"``; see its class.

    Returns
    -------
    nn.Module
        Maps ``(N, C, h, w)`` to the same shape.

    Raises
    ------
    UsageError
        If the name or an option is unknown, or a number cannot be meant.

    Examples
    --------
    >>> block = build_attention("se", channels=64)
    >>> sum(weight.numel() for weight in block.parameters())
    580
    >>> build_attention("se", channels=64, ratio=8)
    Traceback (most recent call last):
    ...
    hsi.errors.UsageError: attention 'se' has no option 'ratio'
    It takes: reduction, units, activation
    """
    check_name("attention", name, ATTENTIONS)
    block = ATTENTIONS[name]
    known = list(inspect.signature(block).parameters)[1:]
    for option in options:
        if option not in known:
            raise UsageError(
                f"attention '{name}' has no option '{option}'\n"
                f"It takes: {', '.join(known) or 'channels alone'}"
            )
    return block(channels, **options)


def attention_factory(
    attention: str | Callable[[int], nn.Module] | None,
) -> Callable[[int], nn.Module] | None:
    """Return what makes a block from a number of channels: for a name, or as it was given.

    Raises
    ------
    UsageError
        If the name is unknown, or it is neither a name nor a function.

    Examples
    --------
    >>> attention_factory("eca")(64)
    EfficientChannelAttention(
      (conv): Conv1d(1, 1, kernel_size=(3,), stride=(1,), padding=(1,), bias=False)
    )
    """
    if attention is None:
        return None
    if not isinstance(attention, str):
        if isinstance(attention, nn.Module) or not callable(attention):
            raise UsageError(
                "attention must be a name or a function from a number of channels to a module, not "
                f"a {type(attention).__name__}\nKnown: {', '.join(sorted(ATTENTIONS))}"
            )
        return attention
    check_name("attention", attention, ATTENTIONS)
    name = attention
    return lambda channels: build_attention(name, channels=channels)
