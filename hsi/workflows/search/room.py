"""The split of a search, and the largest patches that leave room for it.

Sets are kept apart for the largest patch of the space. In a small scene, large patches leave no
room for validation pixels of all classes, and what is judged by some classes is blind to the
others; so the default space gets smaller patches then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from hsi.errors import UsageError
from hsi.sampling import Split
from hsi.scenes import Scene
from hsi.training import Settings
from hsi.training.split_settings import GUARDED
from hsi.workflows.search.choosing import Chooser
from hsi.workflows.search.defaults import SIDES, default_space
from hsi.workflows.search.space import Space, without
from hsi.workflows.splitting import split_for


class Choices(NamedTuple):
    """What may be chosen, on which pixels it is judged, and what must be said of that."""

    chooser: Chooser
    split: Split
    notes: tuple[str, ...] = ()


def choices(
    scene: Scene,
    settings: Settings,
    *,
    space: Space | None,
    models: Sequence[str],
    fixed: dict[str, Any],
) -> Choices:
    """Return what chooses, and the split for it; arguments as for `prepare`.

    Raises
    ------
    UsageError
        If nothing is left to choose, or there is no such split.
    """
    if space is not None:
        return _split(scene, Chooser(space=without(space, fixed), base=settings, scene=scene))
    bound = settings.guard is not None or "patch_size" in fixed
    if settings.split not in GUARDED or bound:
        return _split(scene, _usual(scene, settings, models, fixed, SIDES[-1]))
    best: Choices | None = None
    refused: UsageError | None = None
    for widest in reversed(SIDES):
        try:
            made = _split(scene, _usual(scene, settings, models, fixed, widest))
        except UsageError as error:
            refused = error
            continue
        if best is None or _judged(scene, made.split) > _judged(scene, best.split):
            best = made
        if _judged(scene, best.split) == 1:
            break
    if best is None:
        assert refused is not None
        raise refused
    side = best.chooser.largest_side
    if side == _usual(scene, settings, models, fixed, SIDES[-1]).largest_side:
        return best
    note = (
        f"Patches are at most {side}x{side}: larger ones leave less room for validation pixels of "
        f"all classes (split '{settings.split}')."
    )
    return best._replace(notes=(note,))


def with_guard(settings: Settings, side: int) -> Settings:
    """Return settings that keep sets apart for patches of `side`, where sets are kept apart."""
    if settings.split not in GUARDED or settings.guard is not None:
        return settings
    return settings.changed(guard=side - 1)


def _usual(
    scene: Scene, settings: Settings, models: Sequence[str], fixed: dict[str, Any], widest: int
) -> Chooser:
    space, single = default_space(scene, models=models, widest=widest)
    base = settings.changed(**(single | fixed))
    return Chooser(space=without(space, fixed), base=base, scene=scene)


def _split(scene: Scene, chooser: Chooser) -> Choices:
    if not chooser.space:
        raise UsageError("nothing is left to choose: every setting has one value")
    side = chooser.largest_side
    split = split_for(scene, with_guard(chooser.base, side).changed(patch_size=side))
    if not chooser.usual()[1]:
        raise UsageError(
            f"nothing is left to choose: {', '.join(chooser.models)} has none of the settings of "
            f"the space, {', '.join(chooser.space)}\nTrain it: `hsi train`."
        )
    return Choices(chooser, split)


def _judged(scene: Scene, split: Split) -> float:
    """Return the share of the classes in the training that are in the validation as well."""
    assert scene.labels is not None
    learned = [each for each in split.summary(scene.labels) if each.train]
    return sum(each.validation > 0 for each in learned) / len(learned)
