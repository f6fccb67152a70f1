"""From what a user asks for to what all trials of a search have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hsi.backbones.weights import lasting
from hsi.errors import UsageError
from hsi.sampling import Split, overlap_audit
from hsi.scenes import Scene
from hsi.training import Settings
from hsi.workflows.search.choosing import Chooser
from hsi.workflows.search.objective import without_test_labels
from hsi.workflows.search.record import Searched, describe_scene, describe_split
from hsi.workflows.search.room import choices, with_guard
from hsi.workflows.search.space import Space
from hsi.workflows.splitting import with_split

# The splits that have no validation pixels but those that are asked for.
DRAWN = ("random", "blocks", "folds")
NO_VALIDATION = "a search judges by validation pixels"
ASK = "Ask for some: --validation 0.1 (validation=0.1)."
# In the validation, of a class: fewer say little.
FEW = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """What a search begins with.

    Attributes
    ----------
    scene : Scene
        Without labels of test pixels.
    split : Split
        The same for all trials.
    searched : Searched
        What they have in common.
    notes : tuple of str
        What one must know to read the results.
    """

    scene: Scene
    split: Split
    searched: Searched
    notes: tuple[str, ...]

    @property
    def chooser(self) -> Chooser:
        """What makes settings of trials."""
        return Chooser(space=self.searched.space, base=self.searched.settings, scene=self.scene)


def prepare(
    scene: Scene,
    settings: Settings,
    *,
    space: Space | None,
    models: Sequence[str],
    fixed: dict[str, Any],
    objective: str,
    seeds: int,
    prune: bool,
) -> Prepared:
    """Split the scene for the largest patch of the space, and hide the test.

    Parameters
    ----------
    scene : Scene
        With labels.
    settings : Settings
        All that is not chosen, and the split.
    space : dict, optional
        What may be chosen; without, the default space.
    models : sequence of str
        The networks to choose from; of the default space if there are none.
    fixed : dict
        Settings that are given, and therefore not chosen.
    objective, seeds, prune
        See `Searched`.

    Raises
    ------
    UsageError
        If the settings do not fit each other or the scene, or nothing is left to choose.
    """
    settings = with_split(settings.changed(**fixed), scene, asked=fixed.get("split"))
    settings = settings.changed(weights=lasting(settings.weights))
    if not settings.validation and settings.split in DRAWN:
        raise UsageError(f"{NO_VALIDATION}, and there are to be none\n{ASK}")
    chooser, split, room = choices(scene, settings, space=space, models=models, fixed=fixed)
    _check_validation(scene, settings, split)
    settings = with_guard(chooser.base, chooser.largest_side)
    searched = Searched(
        scene=describe_scene(scene),
        split=describe_split(split),
        settings=settings,
        space=chooser.space,
        objective=objective,
        seeds=seeds,
        prune=prune,
    )
    return Prepared(
        scene=without_test_labels(scene, split),
        split=split,
        searched=searched,
        notes=(*split.notes, *room, *_notes(scene, split)),
    )


def _check_validation(scene: Scene, settings: Settings, split: Split) -> None:
    """Refuse validation pixels by which nothing can be judged."""
    assert scene.labels is not None
    if not split.validation.any():
        raise UsageError(f"{NO_VALIDATION}, and the split '{settings.split}' has none\n{ASK}")
    counts = split.summary(scene.labels)
    learned = sum(each.train > 0 for each in counts)
    judged = [each.id for each in counts if each.validation]
    if len(judged) == 1 and learned > 1:
        raise UsageError(
            f"all validation pixels are of class {judged[0]}, but {learned} classes are learned: "
            "nothing can be judged by them\n"
            "Smaller patches in the space, other amounts (--train, --validation) or another seed "
            "leave more room."
        )


def _notes(scene: Scene, split: Split) -> list[str]:
    assert scene.labels is not None
    notes = []
    overlap = overlap_audit(split.train, split.validation, split.patch_size)
    if overlap.contains > 0:
        notes.append(
            f"{overlap.contains:.0%} of the validation pixels have a training pixel inside the "
            f"largest patch ({split.patch_size}x{split.patch_size}): the search finds what is good "
            "beside the training pixels, and perhaps not elsewhere (--split blocks)."
        )
    few = [each for each in split.summary(scene.labels) if 0 < each.validation < FEW]
    if few:
        ids = ", ".join(f"{each.id} ({each.validation})" for each in few)
        notes.append(f"Fewer than {FEW} validation pixels of class {ids}: chance plays a part.")
    return notes
