"""A scene within a mosaic of several."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from hsi.scenes.grid import Grid

Role = Literal["train", "validation", "test"]
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True, kw_only=True)
class Part:
    """Where a scene lies in a mosaic, and what it is there for.

    Attributes
    ----------
    name : str
        Of the scene.
    rows, cols : slice
        Its pixels in the mosaic.
    grid : Grid or None
        Its own georeference.
    role : {"train", "validation", "test"} or None
        The set that its labelled pixels are for; None where a split decides pixel by pixel.
    source : dict
        Arguments with which `load_scene` gives the scene; empty where it was made in memory.
    """

    name: str
    rows: slice
    cols: slice
    grid: Grid | None = None
    role: Role | None = None
    source: dict[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """``(rows, cols)``."""
        return self.rows.stop - self.rows.start, self.cols.stop - self.cols.start

    def distance(self, other: Part) -> int:
        """Return how many rows or columns lie between the two, whichever are more."""
        return max(
            0,
            self.rows.start - other.rows.stop,
            other.rows.start - self.rows.stop,
            self.cols.start - other.cols.stop,
            other.cols.start - self.cols.stop,
        )

    def shares_ground(self, other: Part) -> bool:
        """Return whether both show the same place, as far as their georeferences tell.

        Edges that touch do not count. Scenes that are turned, or in different coordinate systems,
        are not compared.
        """
        if self.grid is None or other.grid is None or self.grid.crs != other.grid.crs:
            return False
        for grid in (self.grid, other.grid):
            if grid.transform[1] or grid.transform[3]:
                return False
        one, two = self.grid.bounds(*self.shape), other.grid.bounds(*other.shape)
        width, height = abs(self.grid.transform[0]), abs(self.grid.transform[4])
        across = min(one.right, two.right) - max(one.left, two.left)
        along = min(one.top, two.top) - max(one.bottom, two.bottom)
        # A hundredth of a pixel is what georeferences are rounded by.
        return across > width / 100 and along > height / 100
