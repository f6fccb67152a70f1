"""Classifiers of spectra go through the same commands as networks."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.metrics import accuracy_score

import hsi
from hsi.cli.main import cli
from hsi.workflows import evaluate
from hsi.workflows.learn import Learning


@pytest.fixture
def few(monkeypatch):
    """Little to choose from, so that it takes little time."""
    monkeypatch.setattr("hsi.models.random_forest.TREES", 20)
    monkeypatch.setattr("hsi.models.choice.FOLDS", 2)
    monkeypatch.setattr("hsi.models.logistic_regression.C", (1.0, 10.0))


def test_a_run_of_each(estimator_name, scene, few, tmp_path):
    run = hsi.train(scene, model=estimator_name, train=0.1, out=tmp_path / "run", device="cpu")
    metrics = run.metrics
    assert metrics["oa"] > 0.8
    assert metrics["chosen"]["how"].startswith("best of")
    assert (metrics["patch_size"], metrics["reduction"]) == (1, "bands")
    assert metrics["overlap"] == {"contains": 0.0, "shares": 0.0}
    assert metrics["chosen_by"] == "cross-validation within the training pixels"
    again = hsi.Run(run.path)
    class_map = again.classifier.class_map(scene, device="cpu")
    test = again.split.test
    assert metrics["oa"] == pytest.approx(accuracy_score(scene.labels[test], class_map[test]))
    assert (class_map[~scene.valid] == 0).all()
    assert evaluate(again, scene, device="cpu")["oa"] == metrics["oa"]
    page = (run.path / "report.html").read_text(encoding="utf-8")
    assert metrics["chosen"]["how"] in page
    assert not (run.path / "history.csv").exists()


def test_validation_pixels_choose(scene, few, tmp_path):
    run = hsi.train(
        scene, model="knn", train=0.1, validation=0.1, out=tmp_path / "run", device="cpu"
    )
    assert "validation pixels" in run.metrics["chosen"]["how"]
    assert run.metrics["chosen_by"] == "validation pixels"
    stored = run.classifier.network.rule.known
    assert len(stored) == run.metrics["train_pixels"]


def test_labels_of_test_pixels_have_no_part_in_it(estimator_name, scene, few):
    """Neither in what is chosen nor in what is learned."""
    split = hsi.split_pixels(scene.labels, train=0.1, seed=0, patch_size=1, valid=scene.valid)
    shuffled = scene.labels.copy()
    shuffled[split.test] = np.random.default_rng(0).permutation(shuffled[split.test])
    settings = hsi.Settings(model=estimator_name)
    learned = []
    for labels in (scene.labels, shuffled):
        other = hsi.Scene(name="field", cube=scene.cube, labels=labels)
        learning = Learning(other, split, settings.resolved(other), device="cpu")
        learned.append(learning.run())
    assert learned[0].chosen == learned[1].chosen
    for name, value in learned[0].classifier.network.state_dict().items():
        np.testing.assert_array_equal(value, learned[1].classifier.network.state_dict()[name])


def test_the_command_says_what_was_chosen(files, few, tmp_path):
    where = ["--dataset", str(files / "cube.npy"), "--labels", str(files / "truth.npy")]
    how = ["--model", "svm", "--device", "cpu", "--out", str(tmp_path / "run")]
    done = CliRunner().invoke(cli, ["train", *where, *how])
    assert done.exit_code == 0, done.output
    chosen = json.loads((tmp_path / "run" / "metrics.json").read_text())["chosen"]
    assert f"support vectors {chosen['support_vectors']}" in done.output
    assert "chosen as best of 20 in 2-fold cross-validation" in done.output


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--model", "svm", "--patch-size", "9"], "must be 1, not 9"),
        (["--model", "knn", "--attention", "se"], "takes no attention"),
        (["--model", "random-forest", "--weights", "imagenet"], "fresh weights"),
    ],
)
def test_what_has_no_meaning_for_single_spectra_is_refused(files, tmp_path, options, words):
    where = ["--dataset", str(files / "cube.npy"), "--labels", str(files / "truth.npy")]
    done = CliRunner().invoke(cli, ["train", *where, *options, "--out", str(tmp_path / "run")])
    assert done.exit_code != 0
    assert words in str(done.exception or "") + done.output
    assert not (tmp_path / "run").exists()
