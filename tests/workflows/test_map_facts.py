"""By what a map knows its scene."""

import dataclasses

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


def test_five_pixels_stand_for_all(path):
    scene = hsi.load_scene(path)
    scene = dataclasses.replace(scene, cube=Counting(scene.cube))
    first = scene_facts(scene)
    assert scene.cube.reads == 5
    scene.cube.cube = scene.cube.cube + 1
    assert scene_facts(scene)["pixels"] != first["pixels"]


def test_what_is_changed_in_memory_is_noticed(path):
    cube = np.load(path)
    scene = dataclasses.replace(hsi.load_scene(path), cube=cube)
    before = scene_facts(scene)["pixels"]
    cube[-1, -1, 0] += 1
    assert scene_facts(scene)["pixels"] != before
