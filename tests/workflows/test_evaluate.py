"""`hsi.evaluate`: always in evaluation mode, always on the pixels of the split."""

import dataclasses
import shutil

import numpy as np
import pytest
from torch import nn

import hsi
from hsi.errors import RunError, SceneError
from hsi.workflows.assess import accuracy

FIGURES = (
    "oa", "aa", "kappa", "per_class", "confusion", "area", "test_pixels", "train_oa",
    "overlap", "notes",
)  # fmt: skip


def test_it_finds_what_the_training_found(run):
    metrics = hsi.evaluate(run, device="cpu")
    assert metrics == {name: run.metrics[name] for name in FIGURES}


def test_two_evaluations_are_bitwise_equal(run, scene):
    fresh = hsi.Run(run.path)
    assert hsi.evaluate(run, device="cpu") == hsi.evaluate(fresh, device="cpu")
    one = run.classifier.scores(scene, device="cpu")
    assert np.array_equal(one, fresh.classifier.scores(scene, device="cpu"))


def test_without_evaluation_mode_two_evaluations_would_differ(run, scene, monkeypatch):
    """The test above can fail: it does where `eval` puts networks into training mode."""
    forgetful = hsi.Run(run.path)
    monkeypatch.setattr(nn.Module, "eval", lambda self: self.train())
    one = forgetful.classifier.scores(scene, device="cpu", method="patches")
    other = forgetful.classifier.scores(scene, device="cpu", method="patches")
    assert not np.array_equal(one, other)


def test_a_network_left_in_training_mode_is_evaluated_all_the_same(run):
    fresh = hsi.Run(run.path)
    fresh.classifier.network.train()
    assert hsi.evaluate(fresh, device="cpu") == hsi.evaluate(run, device="cpu")


def test_a_scene_that_was_made_in_memory_is_handed_over(scene, tmp_path, small):
    made = dataclasses.replace(scene, source={})
    run = hsi.train(made, out=tmp_path / "run", **(small | {"epochs": 1}))
    with pytest.raises(RunError, match="cannot be opened again"):
        hsi.evaluate(run)
    assert hsi.evaluate(run, made, device="cpu")["oa"] == run.metrics["oa"]


@pytest.fixture
def moved(scene, files, tmp_path, small):
    """A run whose files may be changed."""
    shutil.copytree(files, tmp_path / "scene")
    scene = hsi.load_scene(tmp_path / "scene" / "cube.npy", labels=tmp_path / "scene" / "truth.npy")
    return hsi.train(scene, out=tmp_path / "run", **(small | {"epochs": 1}))


def test_labels_that_were_changed_since_are_refused(moved, tmp_path):
    path = tmp_path / "scene" / "truth.npy"
    labels = np.load(path)
    row, col = np.argwhere(moved.split.test)[0]
    for value in (1, 2, 0, 9):
        if value == labels[row, col]:
            continue
        changed = labels.copy()
        changed[row, col] = value
        np.save(path, changed)
        with pytest.raises(RunError, match=r"the labels .* was split on"):
            hsi.evaluate(moved, device="cpu")
    np.save(path, labels)
    hsi.evaluate(moved, device="cpu")
    path.unlink()
    with pytest.raises(SceneError, match=r"truth\.npy does not exist"):
        hsi.evaluate(moved, device="cpu")


@pytest.mark.parametrize("name", ["split.npz", "model.safetensors", "config.toml"])
def test_damaged_files_of_a_run(run, tmp_path, name):
    shutil.copytree(run.path, tmp_path / "run")
    (tmp_path / "run" / name).write_bytes(b"\xff not this")
    with pytest.raises(RunError, match=name):
        hsi.evaluate(hsi.Run(tmp_path / "run"), device="cpu")


def test_values_that_were_changed_since_are_refused(moved, tmp_path):
    path = tmp_path / "scene" / "cube.npy"
    cube = np.load(path)
    row, col = np.argwhere(moved.split.test)[7]
    for value in (np.nan, cube[row, col, 4] + 1):
        changed = cube.copy()
        changed[row, col, 4] = value
        np.save(path, changed)
        with pytest.raises(RunError, match=r"the values of cube are not those .* was its file"):
            hsi.evaluate(moved, device="cpu")
    np.save(path, cube)
    hsi.evaluate(moved, device="cpu")


def test_a_map_of_one_class_alone_is_said_to_be_useless(run, scene):
    one = np.full(scene.shape[:2], 14, dtype=np.int32)
    split = run.split
    notes = accuracy(run.classifier, scene, split, one)["notes"]
    assert notes[:-1] == list(split.notes)
    assert (
        f"all {split.test.sum():,} test pixels are mapped as {run.classifier.class_names[14]}"
        in (notes[-1])
    )


def test_a_map_no_better_than_one_class_is_said_to_be_so(run, scene):
    """The class that the test has most of may be mapped everywhere; that needs no learning."""
    split = run.split
    tested = scene.labels[split.test]
    ids, counts = np.unique(tested, return_counts=True)
    largest = int(ids[counts.argmax()])
    found = np.full(scene.shape[:2], largest, dtype=np.int32)
    others = np.argwhere(split.test & (scene.labels != largest))
    row, col = others[0]
    found[row, col] = next(i for i in ids if i not in (largest, scene.labels[row, col]))
    notes = accuracy(run.classifier, scene, split, found)["notes"]
    assert notes[:-1] == list(split.notes)
    share = f"{100 * counts.max() / counts.sum():.1f} %"
    assert notes[-1].startswith(f"{share} of the test pixels are right, no more than if all were")
    assert f"called {run.classifier.class_names[largest]} ({share})" in notes[-1]
    # One pixel more is right.
    found[row, col] = scene.labels[row, col]
    assert accuracy(run.classifier, scene, split, found)["notes"] == list(split.notes)
