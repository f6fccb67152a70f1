"""How long the rest of a benchmark will take, from what is done."""

from __future__ import annotations

from collections.abc import Iterable

from hsi.evaluation import Cell, Result


class Pace:
    """Knows how long trainings took: the nearest like each one tells how long it will take.

    Parameters
    ----------
    results : iterable of Result
        What is done so far.
    """

    def __init__(self, results: Iterable[Result] = ()) -> None:
        self._seconds: dict[tuple[object, ...], list[float]] = {}
        for result in results:
            self.add(result)

    def add(self, result: Result) -> None:
        """Take note of a finished training."""
        parts = (result.figures[name] for name in ("train_seconds", "test_seconds"))
        seconds = sum(part for part in parts if part is not None)
        for like in _likenesses(result.cell):
            self._seconds.setdefault(like, []).append(seconds)

    def of(self, cell: Cell) -> float | None:
        """Return the seconds that a training will take; None where nothing is known."""
        for like in _likenesses(cell):
            if like in self._seconds:
                known = self._seconds[like]
                return sum(known) / len(known)
        return None

    def left(self, cells: Iterable[Cell], *, jobs: int = 1) -> float | None:
        """Return the seconds that these will take in so many processes; None if one is unknown."""
        each = [self.of(cell) for cell in cells]
        known = [seconds for seconds in each if seconds is not None]
        return sum(known) / jobs if len(known) == len(each) else None


def _likenesses(cell: Cell) -> list[tuple[object, ...]]:
    """Return what trainings of about the same length have in common, the most alike first.

    Of other models nothing is learned: one may take a thousand times as long as another.
    """
    return [
        (cell.scene, cell.split, cell.train, cell.model),
        (cell.scene, cell.train, cell.model),
        (cell.scene, cell.model),
        (cell.model,),
    ]
