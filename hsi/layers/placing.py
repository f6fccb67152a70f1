"""Placing attention in networks without changing the names of the layers that they have."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

# From a number of channels to a block ``(N, C, h, w) -> (N, C, h, w)``.
AttentionFactory = Callable[[int], nn.Module]


def attention_or_nothing(attention: AttentionFactory | None, channels: int) -> nn.Module:
    """Return the attention block for `channels`, or an identity, which has no weights."""
    return attention(channels) if attention else nn.Identity()


def attention_before(
    layer: nn.Module, attention: AttentionFactory | None, channels: int
) -> nn.Module:
    """Return `layer`, preceded by attention if there is any.

    For layers without weights in a numbered sequence: they take one place there with and without
    attention, so that weights trained without are found by the same names.
    """
    return nn.Sequential(attention(channels), layer) if attention else layer
