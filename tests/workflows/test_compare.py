"""Two runs of one scene, against what NumPy counts."""

import dataclasses
import shutil

import numpy as np
import pytest

import hsi
from hsi.errors import RunError, UsageError
from hsi.workflows import compare_runs


@pytest.fixture(scope="module")
def other(scene, tmp_path_factory):
    """A shorter training on the same split."""
    return hsi.train(
        scene, out=tmp_path_factory.mktemp("other") / "other", patch_size=9, components=13,
        train=0.15, validation=0.05, epochs=1, batch_size=16, device="cpu",
    )  # fmt: skip


def test_counts_are_those_of_the_maps(run, other, scene):
    found = compare_runs(run, other, device="cpu")
    one, two = (each.classifier.class_map(scene, device="cpu") for each in (run, other))
    test, truth = run.split.test, scene.labels
    assert found.same_split
    assert found.test_pixels == test.sum()
    assert found.right == (run.metrics["oa"], pytest.approx(other.metrics["oa"]))
    first, second = (one == truth)[test], (two == truth)[test]
    assert found.mcnemar.only_first == (first & ~second).sum() > 0
    assert found.mcnemar.only_second == (second & ~first).sum()
    assert found.both_wrong == (~first & ~second).sum()
    assert found.agreement == pytest.approx((one == two)[one > 0].mean())
    ids = found.differences
    assert ((ids == 0) == (one == 0)).all()
    assert np.isin(ids[test], (1, 2, 3, 4)).all()
    assert (ids[test] == 3).sum() == found.mcnemar.only_second
    assert ((ids == 6) == (~test & (one != two))).all()


def test_the_order_of_the_runs_does_not_matter(run, other):
    one, two = compare_runs(run, other, device="cpu"), compare_runs(other, run, device="cpu")
    assert one.agreement == two.agreement
    assert one.mcnemar.p == two.mcnemar.p
    assert one.mcnemar.only_first == two.mcnemar.only_second
    assert one.names == two.names[::-1] == ("run", "other")


def test_runs_of_one_name_are_told_apart_by_the_folders_above(run, other, tmp_path):
    copies = [
        hsi.Run(shutil.copytree(each.path, tmp_path / name / "seed0"))
        for name, each in (("svm", run), ("net", other))
    ]
    assert compare_runs(*copies, device="cpu").names == ("svm/seed0", "net/seed0")


def test_pixels_that_either_learned_from_are_left_out(run, scene, tmp_path, small):
    third = hsi.train(scene, out=tmp_path / "third", **(small | {"epochs": 1, "seed": 7}))
    found = compare_runs(run, third, device="cpu")
    assert not found.same_split
    assert found.test_pixels == (run.split.test & third.split.test).sum() < run.split.test.sum()


def test_the_same_test_pixels_are_not_the_same_split(run, scene, tmp_path, small):
    train = run.split.train.copy()
    train[tuple(np.argwhere(train)[:5].T)] = False
    np.savez(tmp_path / "fewer.npz", train=train, test=run.split.test)
    given = {"split": "file", "split_file": str(tmp_path / "fewer.npz"), "train": None}
    fewer = hsi.train(
        scene, out=tmp_path / "fewer", **(small | {"epochs": 1, "validation": 0} | given)
    )
    found = compare_runs(run, fewer, device="cpu")
    assert found.test_pixels == run.split.test.sum() == fewer.split.test.sum()
    assert not found.same_split
    assert found.train_pixels == (run.split.train.sum(), run.split.train.sum() - 5)


def test_what_cannot_be_compared(run, other, scene, tmp_path, small):
    with pytest.raises(UsageError, match="compared with itself"):
        compare_runs(run, hsi.Run(run.path))
    half = dataclasses.replace(scene, labels=np.where(scene.labels == 14, 0, scene.labels))
    third = hsi.train(half, out=tmp_path / "third", **(small | {"epochs": 1}))
    third.config["scene"]["dataset"] = "elsewhere.tif"
    with pytest.raises(UsageError, match=r"different scenes.*cube\.npy.* and elsewhere\.tif"):
        compare_runs(run, third, device="cpu")
    cube = np.asarray(scene.cube).copy()
    cube[5, 6, 7] += 1
    fourth = hsi.train(
        dataclasses.replace(scene, cube=cube), out=tmp_path / "fourth", **(small | {"epochs": 1})
    )
    with pytest.raises(RunError, match=r"the values of cube are not those that .*fourth was"):
        compare_runs(run, fourth, device="cpu")
    fourth.config["scene"]["dataset"] = "elsewhere.tif"
    with pytest.raises(UsageError, match=r"different scenes.*cube\.npy.* and elsewhere\.tif"):
        compare_runs(run, fourth, device="cpu")
    # Not only names and paths may differ.
    fourth.config["scene"] |= {"dataset": run.config["scene"]["dataset"], "drop_bands": "1-4"}
    with pytest.raises(UsageError, match=r"drop_bands not set and .*cube\.npy.* drop_bands 1-4"):
        compare_runs(run, fourth, device="cpu")
    labels = scene.labels.copy()
    labels[tuple(np.argwhere(labels > 0)[0])] = 0
    changed = dataclasses.replace(scene, labels=labels)
    with pytest.raises(RunError, match="are not those that"):
        compare_runs(run, other, changed)


def test_runs_of_a_benchmark_are_called_by_more_than_their_seeds(run, other, tmp_path):
    places = [tmp_path / "bench" / place for place in ("svm/seed0", "knn/seed1")]
    one, two = (
        hsi.Run(shutil.copytree(each.path, place))
        for each, place in zip((run, other), places, strict=True)
    )
    assert compare_runs(one, two, device="cpu").names == ("svm/seed0", "knn/seed1")
