"""Files that make a library crash, or work without end: an error, and the next file is read."""

import gc
import os
import pickle
import textwrap

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
    assert contained._asked(path, contained.kept) == [cube._kept.number]


def test_the_file_of_a_cube_and_its_blocks_are_known(path):
    cube = load_scene(path).cube
    assert cube.path == path
    assert len(cube.chunks) == 3
