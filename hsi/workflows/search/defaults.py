"""The space that is searched if none is given: a few networks, and what matters for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hsi.models import usual
from hsi.scenes import Scene
from hsi.training import Settings
from hsi.workflows.search.space import Space, space_from_table

MODELS = ("hybridsn", "hybridsn-dw", "hybridsn-2d3d")
ATTENTIONS = ("none", "se", "eca", "cbam")
# Sides that divide the way from the smallest that all of them take to the usual one.
SIDES = (9, 13, 17, 21, 25)
COMPONENTS = (15, 20, 25, 30, 40)
RECIPE = {
    "steps": [100, 200, 400],
    "batch_size": [64, 128, 256, 512],
    "learning_rate": {"low": 3e-4, "high": 1e-2, "log": True},
    "weight_decay": {"low": 1e-4, "high": 1e-1, "log": True},
    "dropout": {"low": 0.0, "high": 0.6, "step": 0.1},
    "augmentation": ["none", "dihedral"],
    "class_balance": {"low": 0.0, "high": 1.0, "step": 0.25},
    "label_smoothing": [0.0, 0.05, 0.1],
}


def default_space(
    scene: Scene, *, models: Sequence[str] = (), widest: int | None = None
) -> tuple[Space, dict[str, Any]]:
    """Return the space for a scene, and the settings that have one value only.

    Parameters
    ----------
    scene : Scene
        Whose size and bands limit patches and components.
    models : sequence of str
        The networks to choose from; without, some that differ and are not slow.
    widest : int, optional
        Side of the largest patch.
    """
    rows, cols = max([part.shape for part in scene.parts] or [scene.shape[:2]], key=min)
    limit = min(rows, cols, widest or SIDES[-1])
    sides = [side for side in SIDES if side <= limit] or [SIDES[0]]
    components = [each for each in COMPONENTS if each <= scene.bands] or [scene.bands]
    return space_from_table(
        {
            "model": list(models or MODELS),
            "attention": list(ATTENTIONS),
            "patch_size": sides,
            "components": components,
            "whiten": [True, False],
            **RECIPE,
        }
    )


def widest_side(
    space: Mapping[str, Any] | None, *, models: Sequence[str], settings: Settings
) -> int:
    """Return the side of the largest patch that a search may come to, before its scene is opened.

    Parameters
    ----------
    space : mapping, optional
        As `hsi.workflows.search.search` takes it.
    models : sequence of str
        Networks that are named.
    settings : Settings
        What is not chosen.
    """
    sides = [settings.side]
    if settings.patch_size is None:
        own = None if space is None else space.get("patch_size", [])
        sides += SIDES if own is None else own
        named = models or (MODELS if space is None else space.get("model", []))
        sides += [usual(model).patch_size for model in named]
    return max(sides)
