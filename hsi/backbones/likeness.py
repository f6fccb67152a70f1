"""Which network a file of weights is of."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from hsi.backbones.network import Backbone
from hsi.layers.shapes import shapes_alone

# Counts steps and has no part in the result; files from before PyTorch 0.4.1 lack it.
COUNTER = ".num_batches_tracked"


def own_tensors(network: Backbone) -> dict[str, Tensor]:
    """Return weights and running statistics of a network by name."""
    state = network.state_dict()
    return {name: value for name, value in state.items() if not name.endswith(COUNTER)}


def optional_tensors(network: Backbone) -> tuple[str, ...]:
    """Return what the beginnings of those names have in common that weights may lack.

    They are those of its classifier, and of the attention that was asked for.
    """
    classifier = network.last_layer.partition(".")[0]
    return tuple(f"{name}." for name in (classifier, *network.attention_blocks))


def looks_like(given: Mapping[str, Tensor]) -> str | None:
    """Return the name of the network that has these tensors, if one has.

    Numbers of channels and classes do not matter.
    """
    # The registry loads weights and so imports this module.
    from hsi.backbones.registry import BACKBONES

    shapes = {name: tuple(value.shape) for name, value in given.items()}
    for name, build in BACKBONES.items():
        with shapes_alone():
            network = build()
        own = own_tensors(network)
        free = (f"{network.first_layer}.", f"{network.last_layer}.")
        if all(
            key in shapes and (key.startswith(free) or shapes[key] == tuple(value.shape))
            for key, value in own.items()
        ):
            return name
    return None
