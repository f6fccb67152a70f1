"""From a real scene to its map with one command, against a support-vector machine."""

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import hsi
from hsi.cli.main import main

COMMAND = "hsi train --dataset salinas_a --train 0.05 --seed 0 --out run"


def tuned_svm(spectra, labels):
    """Return an RBF machine, its C and gamma found by cross-validation on these pixels alone."""
    grid = {"svc__C": 10.0 ** np.arange(-1, 6), "svc__gamma": 10.0 ** np.arange(-5, 1)}
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    search = GridSearchCV(make_pipeline(StandardScaler(), SVC(kernel="rbf")), grid, cv=folds)
    return search.fit(spectra, labels)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The run that the command makes."""
    if not os.environ.get("HSI_DATA"):
        pytest.skip("HSI_DATA is not set: no real scenes on this machine")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("salinas_a"))
        patch.setattr("sys.argv", COMMAND.split())
        main()
        return hsi.Run(Path("run").absolute())


@pytest.mark.slow
def test_salinas_a_is_mapped_better_than_by_a_tuned_svm(run):
    scene = hsi.load_scene("salinas_a")
    assert run.metrics["oa"] >= 0.99

    train, test = run.split.train, run.split.test
    assert train.sum() == pytest.approx(0.05 * 5348, abs=3)
    assert test.sum() == 5348 - train.sum()
    svm = tuned_svm(scene.cube[train].astype(float), scene.labels[train])
    right = svm.predict(scene.cube[test].astype(float)) == scene.labels[test]
    assert 0.9 < right.mean() < run.metrics["oa"]


@pytest.mark.slow
def test_one_trunk_pass_and_patches_agree_on_every_pixel(run):
    """Trained weights, 25 x 25 patches, borders included: no label differs."""
    cube = run.classifier.components(hsi.load_scene("salinas_a"))[:, :40]
    dense, patches = (
        hsi.predict_scene(run.classifier.network, cube, method=method, device="cpu")
        for method in ("dense", "patches")
    )
    assert np.abs(dense - patches).max() <= 1e-4 * np.ptp(patches)
    assert np.array_equal(dense.argmax(0), patches.argmax(0))
