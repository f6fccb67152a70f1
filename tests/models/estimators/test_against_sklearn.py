"""Without scikit-learn, the classifiers of spectra say what scikit-learn's say."""

import numpy as np
import pytest
from scipy.special import softmax

import hsi
from hsi.models import build_model
from hsi.models.random_forest import _below
from hsi.sampling import BandScaler, to_targets


def check_scores(name, scores, fitted, spectra):
    """Compare scores ``(n, classes)`` with those that scikit-learn defines."""
    if name != "svm":
        tolerance = 1e-5 if name == "logistic-regression" else 1e-12
        np.testing.assert_allclose(
            softmax(scores.astype(np.float64), axis=1), fitted.predict_proba(spectra),
            rtol=0, atol=tolerance,
        )  # fmt: skip
    elif scores.shape[1] == 2:
        np.testing.assert_allclose(
            scores[:, 1] - scores[:, 0], fitted.decision_function(spectra), rtol=1e-9, atol=1e-9
        )
    else:
        np.testing.assert_allclose(scores, fitted.decision_function(spectra), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_predictions_and_scores_are_scikit_learns(
    estimator_name, classes, overlapping, learned, scores_of, reference
):
    data = overlapping(classes=classes, seed=classes)
    network, chosen = learned(estimator_name, data)
    fitted = reference(estimator_name, chosen, data.spectra, data.targets)
    scores = scores_of(network, data.others)
    np.testing.assert_array_equal(scores.argmax(axis=1), fitted.predict(data.others))
    check_scores(estimator_name, scores, fitted, data.others)


@pytest.mark.parametrize("gap", [0, 2])
def test_classes_without_training_pixels_are_never_predicted(
    estimator_name, gap, overlapping, learned, scores_of, reference
):
    """scikit-learn does not know that there are more classes; the others are as it says."""
    data = overlapping(classes=3)
    present = np.delete(np.arange(4), gap)
    fitted_to = data.targets
    data.targets, data.classes = present[data.targets], 4
    network, chosen = learned(estimator_name, data)
    scores = scores_of(network, data.others)
    assert np.isfinite(scores).all()
    fitted = reference(estimator_name, chosen, data.spectra, fitted_to)
    np.testing.assert_array_equal(scores.argmax(axis=1), present[fitted.predict(data.others)])
    assert (scores[:, gap] < scores.max(axis=1)).all()
    if estimator_name != "svm":
        assert softmax(scores.astype(np.float64), axis=1)[:, gap].max() < 1e-30
    check_scores(estimator_name, scores[:, present], fitted, data.others)


def test_of_three_classes_two_with_training_pixels(
    estimator_name, overlapping, learned, scores_of, reference
):
    data = overlapping(classes=2)
    fitted_to = data.targets
    data.targets, data.classes = 2 * data.targets, 3
    network, chosen = learned(estimator_name, data)
    scores = scores_of(network, data.others)
    fitted = reference(estimator_name, chosen, data.spectra, fitted_to)
    np.testing.assert_array_equal(scores.argmax(axis=1), 2 * fitted.predict(data.others))


@pytest.mark.parametrize("scale", ["integers", "huge", "tiny", "far from zero"])
def test_spectra_of_any_scale(estimator_name, scale, overlapping, learned, scores_of, reference):
    data = overlapping(classes=3)
    factor, offset = {
        "integers": (300, 4000), "huge": (1e7, 3e8), "tiny": (1e-6, 0), "far from zero": (1, 1e4),
    }[scale]  # fmt: skip
    for name in ("spectra", "others"):
        values = getattr(data, name) * factor + offset
        setattr(data, name, (values.round() if scale == "integers" else values).astype(np.float32))
    scaler = BandScaler().fit(data.spectra)
    data.spectra, data.others = scaler.transform(data.spectra), scaler.transform(data.others)
    network, chosen = learned(estimator_name, data)
    fitted = reference(estimator_name, chosen, data.spectra, data.targets)
    scores = scores_of(network, data.others)
    np.testing.assert_array_equal(scores.argmax(axis=1), fitted.predict(data.others))


def test_constant_bands_change_nothing(estimator_name, overlapping, learned, scores_of, reference):
    data = overlapping(classes=3)
    for name in ("spectra", "others"):
        values = getattr(data, name)
        setattr(data, name, np.insert(values, [0, 4], np.float32(0.0), axis=1))
    data.bands += 2
    network, chosen = learned(estimator_name, data)
    fitted = reference(estimator_name, chosen, data.spectra, data.targets)
    scores = scores_of(network, data.others)
    np.testing.assert_array_equal(scores.argmax(axis=1), fitted.predict(data.others))


def test_a_threshold_in_float32_parts_float32_values_alike():
    """Rounded to the nearest, it would send values that lie in between the other way."""
    rng = np.random.default_rng(0)
    near = rng.standard_normal(2000).astype(np.float32)
    following = np.nextafter(near, np.float32(np.inf))
    thresholds = np.concatenate(
        [near + f * (following.astype(np.float64) - near) for f in (0, 0.2, 0.5, 0.9)]
    )
    for values in (near, following):
        values = np.tile(values, 4)
        np.testing.assert_array_equal(values <= thresholds, values <= _below(thresholds))


@pytest.mark.slow
def test_all_pixels_of_salinas_a(estimator_name, real_data, scores_of, reference):
    if not (real_data / "salinas_a").is_dir():
        pytest.skip("HSI_DATA has no folder salinas_a")
    scene = hsi.load_scene("salinas_a")
    split = hsi.split_pixels(scene.labels, train=0.05, seed=0, patch_size=1)
    cube = BandScaler().fit(scene.cube, mask=split.train).transform(scene.cube)
    targets = to_targets(scene.labels, scene.class_ids)
    network = build_model(estimator_name, bands=scene.bands, classes=6, patch_size=1).eval()
    training = cube[split.train], targets[split.train]
    chosen = network.learn(*training, validation=None, seed=0)
    fitted = reference(estimator_name, chosen, *training)
    every = cube.reshape(-1, scene.bands)
    scores = scores_of(network, every)
    np.testing.assert_array_equal(scores.argmax(axis=1), fitted.predict(every))
    check_scores(estimator_name, scores, fitted, every)
    score_map = hsi.predict_scene(network, cube, device="cpu")
    np.testing.assert_array_equal(score_map.argmax(axis=0).ravel(), scores.argmax(axis=1))
    right = scores.argmax(axis=1)[split.test.ravel()] == targets[split.test]
    assert right.mean() > 0.9
