"""By what a map knows its scene."""

import dataclasses
import os

import numpy as np
import pytest

import hsi
from hsi.mapping.facts import scene_facts


@pytest.fixture
def path(tmp_path):
    values = np.random.default_rng(0).normal(1000, 300, (9, 8, 5)).astype(np.float32)
    np.save(tmp_path / "cube.npy", values)
    return tmp_path / "cube.npy"


class Counting:
    """A cube that counts how often it is read."""

    def __init__(self, cube):
        self.cube, self.reads = cube, 0

    def __getattr__(self, name):
        return getattr(self.cube, name)

    def __getitem__(self, key):
        self.reads += 1
        return self.cube[key]


def test_the_pixels_of_a_file_are_read_once_until_it_changes(path, monkeypatch):
    monkeypatch.setattr("hsi.mapping.facts.stored_file", lambda cube: path)
    scene = hsi.load_scene(path)
    scene = dataclasses.replace(scene, cube=Counting(scene.cube))
    first = scene_facts(scene)
    assert scene.cube.reads == 5
    assert scene_facts(scene) == first
    assert scene.cube.reads == 5
    status = path.stat()
    scene.cube.cube = scene.cube.cube + 1
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert scene_facts(scene)["pixels"] != first["pixels"]
    assert scene.cube.reads == 10


def test_what_is_changed_in_memory_is_noticed(path):
    cube = np.load(path)
    scene = dataclasses.replace(hsi.load_scene(path), cube=cube)
    before = scene_facts(scene)["pixels"]
    cube[-1, -1, 0] += 1
    assert scene_facts(scene)["pixels"] != before
