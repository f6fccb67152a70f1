"""The splits of a benchmark: each is made once, and all models have it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hsi.errors import HsiError
from hsi.evaluation import Cell
from hsi.sampling import Split
from hsi.scenes import Scene
from hsi.training import Run
from hsi.workflows.bench.cells import folder_of, is_finished
from hsi.workflows.bench.plan import Plan
from hsi.workflows.splitting import check_patches, split_for, with_split


class Splits:
    """Makes the split of a scene, kind, amount and seed, or takes it from a run that has it.

    Parameters
    ----------
    out : Path
        The benchmark's folder.
    plan : Plan
        Its plan.
    scenes : mapping of str to Scene
        By the names in the plan.
    """

    def __init__(self, out: Path, plan: Plan, scenes: Mapping[str, Scene]) -> None:
        self.out, self.plan, self.scenes = out, plan, scenes
        self._last: tuple[tuple[object, ...], Split | HsiError] | None = None

    def of(self, cell: Cell) -> Split:
        """Return the split of a cell, which is that of all cells that differ in the model only.

        Raises
        ------
        UsageError
            If the scene cannot be split so, or the patches of the model do not fit into it.
        """
        split = self._split(cell)
        if isinstance(split, HsiError):
            raise split
        check_patches(self.scenes[cell.scene], self.plan.side_of(cell.model))
        return split

    def why_none(self, cell: Cell) -> HsiError | None:
        """Return why the scene of a cell cannot be split so, for whatever model; None if it can."""
        split = self._split(cell)
        return split if isinstance(split, HsiError) else None

    def _split(self, cell: Cell) -> Split | HsiError:
        which = (*cell.group, cell.seed)
        if self._last is None or self._last[0] != which:
            try:
                self._last = (which, self._found(cell) or self.made(cell))
            except HsiError as error:
                self._last = (which, error)
        return self._last[1]

    def _found(self, cell: Cell) -> Split | None:
        """Return the split of a run that is finished: another version may draw another one."""
        for model in self.plan.models:
            twin = cell._replace(model=model)
            if is_finished(self.out, twin):
                return Run(folder_of(self.out, twin)).split
        return None

    def made(self, cell: Cell) -> Split:
        """Split the scene anew, whatever is finished; raises as `of`."""
        scene = self.scenes[cell.scene]
        # Nothing but the distance that is kept depends on patches, and that is the guard's; so
        # models whose patches are too large for the scene are no hindrance for the others.
        smallest = min(self.plan.models, key=self.plan.side_of)
        settings = self.plan.settings_of(cell._replace(model=smallest))
        return split_for(scene, with_split(settings, scene))
