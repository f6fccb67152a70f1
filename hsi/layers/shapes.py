"""Networks as shapes alone: built in an instant, to be counted or compared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


@contextmanager
def shapes_alone() -> Iterator[None]:
    """Build networks without memory and without random numbers, to count or compare them."""
    with _Unfilled():
        yield


class _Unfilled(TorchFunctionMode):
    """Makes tensors that are shapes alone, and leaves out what would fill weights."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func in _FILLING:
            return args[0] if args else kwargs["tensor"]
        if func in _MAKING:
            kwargs = {"device": "meta"} | (kwargs or {})
            if kwargs["device"] is None:
                kwargs["device"] = "meta"
        return func(*args, **(kwargs or {}))


_FILLING = {
    Tensor.normal_,
    Tensor.uniform_,
    Tensor.fill_,
    Tensor.zero_,
    nn.init.kaiming_uniform_,
    nn.init.uniform_,
    nn.init.normal_,
    nn.init.constant_,
}
_MAKING = {torch.empty, torch.zeros, torch.ones, torch.full, torch.tensor, torch.arange}
