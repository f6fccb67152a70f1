"""Models as a list names them: ``hybridsn-dw+eca`` is a network with an attention block."""

from __future__ import annotations

from hsi.errors import UsageError, check_name
from hsi.layers.attention import ATTENTIONS
from hsi.models import MODELS
from hsi.models.registry import attention_argument


def split_model_name(name: str) -> tuple[str, str]:
    """Return the network and its attention, which may be ``"none"``.

    Raises
    ------
    UsageError
        If one of them is unknown, or the network takes no attention.

    Examples
    --------
    >>> split_model_name("hybridsn-dw+eca"), split_model_name("hybridsn")
    (('hybridsn-dw', 'eca'), ('hybridsn', 'none'))
    """
    model, plus, attention = name.partition("+")
    check_name("model", model, MODELS, listed_by="hsi models")
    if not plus:
        return model, "none"
    if not attention:
        raise UsageError(f"'{name}' names no attention after the +, for example {model}+eca")
    check_name("attention", attention, ATTENTIONS, listed_by="hsi models --blocks")
    attention_argument(model, attention)
    return model, attention
