"""Files that make a library crash, or work without end: an error, and the next file is read."""

import contextlib
import functools
import gc
import os
import pickle
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
import rasterio

from hsi.contained import HELPER, CrashedError
from hsi.errors import SceneError
from hsi.scenes import load_scene
from hsi.scenes.readers import contained
from hsi.scenes.readers.contained import ContainedCube, read_contained

CUBE = np.random.default_rng(1).integers(0, 999, (30, 20, 6)).astype(np.int16)
CRASHING = """
    import os, signal, time
    from hsi.scenes.contents import Contents
    from hsi.scenes.lazy import LazyCube

    class Cube(LazyCube):
        def read(self, rows, cols, bands):
            signal.raise_signal(signal.SIGSEGV)

    def read_crashing(path):
        signal.raise_signal(signal.SIGSEGV)

    def read_endless(path):
        time.sleep(600)

    def read_crashing_later(path):
        return Contents(array=Cube((4, 5, 6), "float32"))
"""


@pytest.fixture
def crashing(tmp_path, monkeypatch):
    """A module of readers whose libraries crash."""
    (tmp_path / "crashing.py").write_text(textwrap.dedent(CRASHING))
    monkeypatch.syspath_prepend(tmp_path)
    HELPER.close()  # the next one knows the folder
    import crashing

    return crashing


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.tif"
    write(path, CUBE)
    return path


def write(path, cube):
    rows, cols, bands = cube.shape
    with rasterio.open(
        path, "w", driver="GTiff", height=rows, width=cols, count=bands, dtype=cube.dtype,
        crs="EPSG:32632", transform=rasterio.Affine(30, 0, 0, 0, -30, 0),
    ) as file:  # fmt: skip
        file.write(cube.transpose(2, 0, 1))


def crash():
    with pytest.raises(CrashedError):
        HELPER.call(os.abort, seconds=60)


def test_a_crash_is_an_error_that_names_the_file(crashing, path):
    with pytest.raises(SceneError) as raised:
        read_contained(crashing.read_crashing, path)
    lines = str(raised.value).splitlines()
    assert lines[0] == f"{path} cannot be read: it crashed (SIGSEGV) while reading it"
    assert len(lines) <= 5
    assert np.array_equal(load_scene(path).cube, CUBE)


def test_work_without_end_is_ended(crashing, path, monkeypatch):
    monkeypatch.setattr(contained, "_PATIENCE", 0.5)
    with pytest.raises(SceneError, match="took more than 1 s"):
        read_contained(crashing.read_endless, path)


def test_a_crash_where_pixels_are_read(crashing, path):
    cube = read_contained(crashing.read_crashing_later, path).array
    assert cube.shape == (4, 5, 6)
    for _ in range(2):
        with pytest.raises(SceneError, match="SIGSEGV"):
            cube[1]


def test_other_cubes_outlive_a_crash(path):
    cube = load_scene(path).cube
    assert isinstance(cube, ContainedCube)
    crash()
    assert np.array_equal(cube[3:9, ::2], CUBE[3:9, ::2])


def test_a_cube_that_was_changed_meanwhile_is_refused(path):
    cube = load_scene(path).cube
    crash()
    write(path, CUBE[:-1])
    with pytest.raises(SceneError, match="was changed while it was in use"):
        cube[0]


def test_a_cube_that_was_sent_elsewhere_opens_its_file_there(path):
    again = pickle.loads(pickle.dumps(load_scene(path).cube))  # noqa: S301
    assert np.array_equal(again, CUBE)


def test_the_process_keeps_no_cube_that_nobody_has(path):
    HELPER.close()
    for _ in range(5):
        load_scene(path)
        gc.collect()
    cube = load_scene(path).cube
    assert cube[0, 0, 0] == CUBE[0, 0, 0]
    assert contained._asked(path, contained.kept) == [cube._kept.key]


def test_the_file_of_a_cube_and_its_blocks_are_known(path):
    cube = load_scene(path).cube
    assert cube.path == path
    assert len(cube.chunks) == 3


def test_threads_that_read_while_others_crash_get_their_own_values(crashing, tmp_path):
    paths = [tmp_path / f"{name}.tif" for name in "ab"]
    cubes = [CUBE, CUBE + 1000]
    for path, cube in zip(paths, cubes, strict=True):
        write(path, cube)
    wrong, stop = [], threading.Event()

    def read(path, expected):
        while not stop.is_set():
            try:
                found = load_scene(path).cube[3:6]
            except SceneError as error:
                # The crash of another's call may end this one; it says so.
                if "crashed" not in str(error) and "make its process crash" not in str(error):
                    wrong.append(error)
                continue
            except Exception as error:  # noqa: BLE001 - it is shown
                wrong.append(error)
                return
            if not np.array_equal(found, expected[3:6]):
                wrong.append(found)

    def crash():
        while not stop.is_set():
            with contextlib.suppress(SceneError):
                read_contained(crashing.read_crashing, paths[0])

    threads = [threading.Thread(target=read, args=pair) for pair in zip(paths, cubes, strict=True)]
    threads.append(threading.Thread(target=crash))
    for each in threads:
        each.start()
    time.sleep(6)
    stop.set()
    for each in threads:
        each.join()
    assert not wrong


@pytest.mark.parametrize("kind", ["partial", "lambda"])
def test_a_reader_that_cannot_be_sent_is_called_here(path, kind):
    def read(path, *, scale=1):
        return scale * os.getpid()

    reader = functools.partial(read, scale=1) if kind == "partial" else (lambda path: os.getpid())
    assert read_contained(reader, path) == os.getpid()


def test_a_path_in_the_search_path_is_no_damage(path, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", [tmp_path, *sys.path])
    HELPER.close()
    assert np.array_equal(load_scene(path).cube, CUBE)
    assert HELPER.alive
