"""What a reader promises, whoever wrote it: shown on a file that it reads."""

from __future__ import annotations

import os
import pickle
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsi.errors import HsiError, SceneError, UsageError
from hsi.scenes import Scene, load_scene
from hsi.sums import sum_of
from hsi.testing.battery import require, run_all
from hsi.testing.mutations import mutate

# As many values are compared with each other.
COMPARED = 2**22
MUTATIONS, SECONDS, MOST_LINES = 200, 10.0, 5
PAGE = b"<!DOCTYPE html>\n<html><title>404 Not Found</title></html>\n"


def check_reader(path: str | os.PathLike[str], *, mutations: int = MUTATIONS, **named: Any) -> None:
    """Check the reader of a file of one's own on it, and on damaged copies of it.

    Parameters
    ----------
    path : path
        A valid file, the smaller the better; what lies beside it is copied along.
    mutations : int
        How many damaged copies are read, the same ones each time.
    **named
        For `hsi.load_scene`, such as `key`.

    Raises
    ------
    UsageError
        If there is no such file.
    CheckFailedError
        An `AssertionError` with the promise that is not kept:

        - the cube has three axes of real numbers, and what is known of its bands fits their number;
        - nothing on disk is changed or added;
        - a part of it is that part of the whole, and reading it twice gives the same;
        - a cube can be sent to another process;
        - a file that is missing, empty, a web page, cut off, or damaged in any way is read or
          refused with an `HsiError` of at most five lines that names it, within ten seconds.

    Examples
    --------
    >>> import numpy as np
    >>> from hsi.testing import check_reader
    >>> np.save("plain.npy", np.arange(60.0).reshape(3, 4, 5))
    >>> check_reader("plain.npy", mutations=20)
    """
    if not Path(path).is_file():
        raise UsageError(f"there is no file {path}; give a small one that the reader can read")
    file = _File(Path(path), named)
    run_all(
        f"the reader of {Path(path).name}",
        [
            ("the file becomes a cube", file.becomes_a_cube),
            ("nothing on disk is changed", file.leaves_the_disk),
            ("what is known of bands fits their number", file.knows_its_bands),
            ("a part is that part of the whole", file.is_sliced),
            ("a cube can be sent to another process", file.travels),
            ("what is no such file is refused in words", file.refuses_others),
            ("a file that is cut off is read or refused in words", file.survives_cuts),
            ("a damaged file is read or refused in words", lambda: file.survives(mutations)),
        ],
    )


class _File:
    """A valid file and what it is opened with."""

    def __init__(self, path: Path, named: dict[str, Any]) -> None:
        self.path, self.named = path, named

    def load(self, path: Path | None = None) -> Scene:
        return load_scene(path or self.path, **self.named)

    def becomes_a_cube(self) -> None:
        with self._copy() as path:  # what is made beside the file itself would not be seen later
            cube = self.load(path).cube
            shape, kind = tuple(cube.shape), np.dtype(cube.dtype)
            require(len(shape) == 3 and 0 not in shape, f"the cube has the shape {shape}")
            require(kind.kind in "iuf", f"the cube is of type {kind}")
            first = np.asarray(cube[:1])
            require(
                first.shape == (1, *shape[1:]) and first.dtype == kind,
                f"its first row is {first.dtype} of {first.shape}, the cube {kind} of {shape}",
            )

    def knows_its_bands(self) -> None:
        scene = self.load()
        for name in ("wavelengths", "fwhm"):
            values = getattr(scene, name)
            if values is None:
                continue
            require(values.shape == (scene.bands,), f"{name} has the shape {values.shape}")
            require(bool(np.isfinite(values).all()), f"{name} holds what is no number")
        if scene.wavelengths is not None:
            low, high = float(scene.wavelengths.min()), float(scene.wavelengths.max())
            require(
                low >= 100 and high <= 100_000,
                f"wavelengths are {low:g} to {high:g}; expected nanometres",
            )

    def is_sliced(self) -> None:
        cube = self.load().cube
        rows, cols, bands = cube.shape
        whole = np.asarray(cube[: max(1, COMPARED // (cols * bands))])
        rows = len(whole)
        again = np.asarray(self.load().cube[:rows])
        require(_same(whole, again), "reading it twice gave different values")
        rng = np.random.default_rng(0)
        for _ in range(20):
            row, col, band = (_slice(rng, size) for size in (rows, cols, bands))
            require(
                _same(np.asarray(cube[row, col, band]), whole[row, col, band]),
                f"cube[{_text(row)}, {_text(col)}, {_text(band)}] is not that part of the whole",
            )

    def leaves_the_disk(self) -> None:
        with self._copy() as path:
            before = {each: sum_of(each) for each in path.parent.iterdir() if each.is_file()}
            np.asarray(self.load(path).cube[:1])
            after = {each: sum_of(each) for each in path.parent.iterdir() if each.is_file()}
            changed = {each.name for each in before.keys() ^ after.keys()}
            changed |= {each.name for each in before if before[each] != after.get(each)}
            require(not changed, f"reading changed or made {', '.join(sorted(changed))}")

    def travels(self) -> None:
        cube = self.load().cube
        again = pickle.loads(pickle.dumps(cube))  # noqa: S301 - made just here
        require(_same(np.asarray(again[:1]), np.asarray(cube[:1])), "its copy has other values")

    def refuses_others(self) -> None:
        with self._copy() as path:
            for what, content in (("an empty file", b""), ("a web page", PAGE)):
                path.write_bytes(content)
                require(not self._is_read(path, what), f"{what} was read as a cube")
            path.unlink()
            require(not self._is_read(path, "a missing file"), "a missing file was read as a cube")

    def survives_cuts(self) -> None:
        whole = self.path.read_bytes()
        with self._copy() as path:
            for keep in np.linspace(1, len(whole) - 1, 25).astype(int).tolist():
                path.write_bytes(whole[:keep])
                self._is_read(path, f"the first {keep:,} of {len(whole):,} bytes")

    def survives(self, mutations: int) -> None:
        whole = self.path.read_bytes()
        text = b"\x00" not in whole
        with self._copy() as path:
            for seed in range(mutations):
                path.unlink(missing_ok=True)  # a library may know what it had open
                path.write_bytes(mutate(whole, seed=seed, text=text))
                self._is_read(path, f"mutation {seed}")

    def _is_read(self, path: Path, what: str) -> bool:
        """Return whether all of a file is read; require that it is, or is refused in words."""
        began = time.monotonic()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                cube = self.load(path).cube
                np.asarray(cube[: max(1, COMPARED // max(1, cube.shape[1] * cube.shape[2]))])
        except HsiError as error:
            said = str(error)
            require(path.stem in said, f"{what}: the message names no file: {said[:300]}")
            lines = said.count("\n") + 1
            require(lines <= MOST_LINES, f"{what}: the message has {lines} lines: {said[:300]}")
            return False
        except Exception as error:
            raise AssertionError(
                f"{what} led to {type(error).__name__}: {str(error)[:300]}\n"
                f"expected a cube, or a {SceneError.__name__}"
            ) from error
        finally:
            seconds = time.monotonic() - began
        require(seconds < SECONDS, f"{what} took {seconds:.0f} s; expected at most {SECONDS:.0f}")
        return True

    @contextmanager
    def _copy(self) -> Iterator[Path]:
        """Yield a copy of the file, with what lies beside it."""
        with tempfile.TemporaryDirectory() as folder:
            for each in self.path.parent.iterdir():
                if each.is_file():
                    shutil.copy(each, folder)
            yield Path(folder) / self.path.name


def _slice(rng: np.random.Generator, size: int) -> slice:
    start, stop = sorted(rng.integers(0, size + 1, 2).tolist())
    return slice(start, stop, int(rng.integers(1, 4)))


def _text(part: slice) -> str:
    return f"{part.start}:{part.stop}:{part.step}"


def _same(one: NDArray[Any], two: NDArray[Any]) -> bool:
    return one.shape == two.shape and bool(
        np.array_equal(one, two, equal_nan=one.dtype.kind == "f" and two.dtype.kind == "f")
    )
