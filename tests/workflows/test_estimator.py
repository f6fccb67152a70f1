"""`hsi.HybridSNClassifier` is a classifier as scikit-learn's tools expect one."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.svm import SVC
from sklearn.utils import estimator_checks

import hsi
from hsi import BlockKFold, HsiError, HybridSNClassifier, ScenePixels
from hsi.scenes.synthetic import synthetic_scene

QUICK = {"patch_size": 9, "components": 13, "epochs": 6, "batch_size": 64, "device": "cpu"}


@pytest.fixture(scope="module")
def made():
    """A scene with ids that leave a gap, a third unlabelled, and a corner without data."""
    made = synthetic_scene(rows=32, cols=34, bands=16, classes=3, seed=0)
    cube = made.cube.astype(np.float32)
    cube[:3, :4] = np.nan
    labels = np.where(made.labels == 3, 14, made.labels)
    return cube, labels.astype(np.int64)


@pytest.fixture(scope="module")
def fitted(made):
    """A network that was fitted to the upper half of the scene; tests read it only."""
    cube, labels = made
    upper = labels.copy()
    upper[16:] = 0
    return HybridSNClassifier(**QUICK).fit(cube, upper)


def test_a_class_map_of_label_ids(fitted, made):
    cube, labels = made
    class_map = fitted.predict(cube)
    assert class_map.shape == labels.shape
    assert class_map.dtype == labels.dtype
    assert (class_map[:3, :4] == 0).all()
    assert set(np.unique(class_map[3:])) <= {1, 2, 14}
    assert fitted.classes_.tolist() == [1, 2, 14]
    assert fitted.n_features_in_ == 16
    np.testing.assert_array_equal(
        class_map, fitted.classifier_.class_map(hsi.Scene(name="the same", cube=cube))
    )


def test_pixels_are_predicted_as_the_map_has_them(fitted, made):
    cube, labels = made
    pixels = ScenePixels(cube, np.ones(labels.shape, bool))
    chosen = pixels[np.random.default_rng(0).permutation(len(pixels))[:60]]
    places = chosen.rows, chosen.cols
    np.testing.assert_array_equal(fitted.predict(chosen), fitted.predict(cube)[places])
    np.testing.assert_allclose(
        fitted.predict_proba(chosen), fitted.predict_proba(cube)[places], atol=1e-4
    )


def test_probabilities_add_up_and_agree_with_the_map(fitted, made):
    cube, _ = made
    shares = fitted.predict_proba(cube)
    assert shares.shape == (32, 34, 3)
    assert np.isnan(shares[:3, :4]).all()
    np.testing.assert_allclose(shares[3:].sum(axis=2), 1, rtol=1e-12)
    assert (shares[3:] >= 0).all()
    np.testing.assert_array_equal(
        fitted.classes_[shares[3:].argmax(axis=2)], fitted.predict(cube)[3:]
    )


def test_the_score_is_the_accuracy_on_labelled_pixels(fitted, made):
    cube, labels = made
    labelled = labels > 0
    right = fitted.predict(cube)[labelled] == labels[labelled]
    assert fitted.score(cube, labels) == pytest.approx(right.mean())
    assert fitted.score(cube, labels) > 0.6
    pixels = ScenePixels(cube, labels)
    assert fitted.score(pixels, labels[labelled]) == pytest.approx(right.mean())
    weights = np.random.default_rng(0).random(labels.shape)
    assert fitted.score(cube, labels, sample_weight=weights) == pytest.approx(
        np.average(right, weights=weights[labelled])
    )
    strange = np.where(labels == 14, 99, labels)  # never predicted, hence wrong
    assert fitted.score(cube, strange) < fitted.score(cube, labels)


def test_a_cube_and_its_pixels_teach_the_same(made, fitted):
    cube, labels = made
    mask = labels > 0
    mask[16:] = False
    pixels = HybridSNClassifier(**QUICK).fit(ScenePixels(cube, mask), labels[mask])
    np.testing.assert_array_equal(pixels.predict(cube), fitted.predict(cube))


def test_labels_that_are_0_teach_nothing(made, fitted):
    """Pixels are left out by their labels as well as by the mask."""
    cube, labels = made
    pixels = ScenePixels(cube, np.ones(labels.shape, bool))
    y = labels[pixels.rows, pixels.cols]
    y[pixels.rows >= 16] = 0
    again = HybridSNClassifier(**QUICK).fit(pixels, y)
    np.testing.assert_array_equal(again.predict(cube), fitted.predict(cube))


def test_only_labelled_pixels_with_data_are_learned_from(made):
    """A label where no data is changes nothing."""
    cube, labels = made
    elsewhere = labels.copy()
    elsewhere[:3, :4] = 77
    one, other = (
        HybridSNClassifier(model="knn", device="cpu").fit(cube, y)
        for y in (np.where(cube[:, :, 0] > -np.inf, labels, 0), elsewhere)
    )
    assert other.classes_.tolist() == [1, 2, 14]
    np.testing.assert_array_equal(one.predict(cube), other.predict(cube))


def test_the_seed_decides(made):
    cube, labels = made

    def trained(seed):
        network = HybridSNClassifier(**QUICK | {"epochs": 1}, seed=seed).fit(cube, labels)
        return network.predict_proba(cube)

    np.testing.assert_array_equal(trained(3), trained(3))
    assert not np.array_equal(trained(3), trained(4), equal_nan=True)


def test_a_classifier_of_spectra_tells_what_it_chose(made):
    cube, labels = made
    machine = HybridSNClassifier(model="svm", device="cpu").fit(cube, labels)
    assert {"C", "gamma", "how"} <= machine.chosen_.keys()
    scaled = machine.classifier_.components(hsi.Scene(name="the same", cube=cube))
    labelled = (labels > 0) & np.isfinite(cube).all(axis=2)
    known = SVC(C=machine.chosen_["C"], gamma=machine.chosen_["gamma"], break_ties=True)
    known.fit(scaled[labelled].astype(np.float64), labels[labelled])
    right = known.predict(scaled.reshape(-1, 16)).reshape(labels.shape)
    np.testing.assert_array_equal(machine.predict(cube)[3:], right[3:])


@pytest.mark.parametrize(
    "cv",
    [BlockKFold(n_splits=2, patch_size=9), StratifiedKFold(2, shuffle=True, random_state=0)],
    ids=lambda cv: type(cv).__name__,
)
def test_cross_validation(made, cv):
    cube, labels = made
    pixels, y = ScenePixels(cube, labels), labels[labels > 0]
    network = HybridSNClassifier(**QUICK)
    scores = cross_val_score(network, pixels, y, cv=cv)
    by_hand = []
    for train, test in cv.split(pixels, y):
        known = np.zeros_like(labels)
        known[pixels.rows[train], pixels.cols[train]] = y[train]
        class_map = clone(network).fit(cube, known).predict(cube)
        by_hand.append(np.mean(class_map[pixels.rows[test], pixels.cols[test]] == y[test]))
    np.testing.assert_allclose(scores, by_hand, rtol=1e-12)


def test_predictions_in_cross_validation(made):
    """Each pixel is predicted by a classifier that did not learn from it."""
    cube, labels = made
    pixels, y = ScenePixels(cube, labels), labels[labels > 0]
    nearest = HybridSNClassifier(model="knn", device="cpu")
    predicted = cross_val_predict(nearest, pixels, y, cv=StratifiedKFold(3))
    assert predicted.shape == y.shape
    assert 0.4 < np.mean(predicted == y) < 1


def test_grid_search(made):
    """The numbers to choose from come as NumPy's."""
    cube, labels = made
    pixels, y = ScenePixels(cube, labels), labels[labels > 0]
    nearest = HybridSNClassifier(model="knn", reduction="pca", device="cpu")
    cv = BlockKFold(n_splits=2, patch_size=1, guard=2)
    search = GridSearchCV(nearest, {"components": np.array([1, 6])}, cv=cv).fit(pixels, y)
    by_hand = [
        cross_val_score(clone(nearest).set_params(components=number), pixels, y, cv=cv).mean()
        for number in (1, 6)
    ]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], by_hand, rtol=1e-12)
    assert np.ptp(by_hand) > 0
    best = (1, 6)[int(np.argmax(by_hand))]
    assert search.best_params_ == {"components": best}
    assert search.best_estimator_.classifier_.network.bands == best
    assert search.predict(pixels[:7]).shape == (7,)


def test_pixels_go_to_one_side_each(made):
    cube, labels = made
    pixels, y = ScenePixels(cube, labels), labels[labels > 0]
    train, test, y_train, y_test = train_test_split(pixels, y, train_size=0.5, random_state=0)
    machine = HybridSNClassifier(model="logistic-regression", device="cpu").fit(train, y_train)
    assert machine.score(test, y_test) > 0.6


def test_parameters_are_stored_as_they_come():
    given_ = {name: object() for name in HybridSNClassifier().get_params()}
    network = HybridSNClassifier(**given_)
    for name, value in given_.items():
        assert getattr(network, name) is value
        assert network.get_params()[name] is value


def test_parameters_are_settings_of_a_training():
    """A new setting of the recipe must not have another name here."""
    known = hsi.Settings().model_dump()
    names = set(HybridSNClassifier().get_params()) - {"device"}
    assert names <= known.keys() | known["recipe"].keys()


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "model": st.sampled_from(["hybridsn", "svm"]),
            "patch_size": st.integers(1, 99),
            "epochs": st.integers(1, 9),
            "recipe": st.sampled_from(["paper", "default"]),
            "seed": st.integers(0, 2**63 - 1),
        },
    )
)
def test_clones_and_representations_have_the_parameters(parameters):
    network = HybridSNClassifier(**parameters)
    assert clone(network).get_params() == network.get_params()
    assert HybridSNClassifier().set_params(**parameters).get_params() == network.get_params()
    for name, value in parameters.items():
        if value != HybridSNClassifier().get_params()[name]:
            assert f"{name}={value!r}" in repr(network)


def test_fitting_again_forgets_what_was_before(made):
    cube, labels = made
    nearest = HybridSNClassifier(model="knn", device="cpu").fit(cube, labels)
    assert nearest.fit(cube, np.where(labels == 14, 0, labels)) is nearest
    assert nearest.classes_.tolist() == [1, 2]


def test_neither_parameters_nor_arguments_are_changed(made):
    cube, labels = made
    before = cube.copy(), labels.copy()
    network = HybridSNClassifier(**QUICK | {"epochs": 1})
    parameters = network.get_params()
    network.fit(cube, labels).predict(cube)
    assert network.get_params() == parameters
    np.testing.assert_array_equal(cube, before[0])
    np.testing.assert_array_equal(labels, before[1])


def test_pickles(fitted, made):
    cube, _ = made
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301
    np.testing.assert_array_equal(again.predict(cube), fitted.predict(cube))
    unfitted = pickle.loads(pickle.dumps(HybridSNClassifier(seed=3)))  # noqa: S301
    assert unfitted.get_params() == HybridSNClassifier(seed=3).get_params()


@pytest.mark.parametrize("method", ["predict", "predict_proba", "score"])
def test_before_it_is_fitted(made, method):
    with pytest.raises(NotFittedError, match=r"This HybridSNClassifier .*fit\(cube, labels\)"):
        getattr(HybridSNClassifier(), method)(*made[: 1 + (method == "score")])


@pytest.mark.parametrize(
    ("change", "arguments", "words"),
    [
        ({}, lambda cube, y: (cube[0], y), r"\(34, 16\); expected a cube .*ScenePixels"),
        ({}, lambda cube, y: (cube, y.T), r"\(32, 34, 16\) and the mask \(34, 32\)"),
        ({}, lambda cube, y: (cube, 0 * y), "nothing above 0"),
        ({}, lambda cube, y: (cube, y.astype(str)), "whole numbers .* not <U"),
        ({}, lambda cube, y: (cube, y - 1), "-1 occurs"),
        ({}, lambda cube, y: (cube, np.where(y == 1, 1, 0)), "of 1 class; to tell"),
        ({}, lambda cube, y: (cube * np.nan, y), "of 0 classes"),
        ({}, lambda cube, y: (ScenePixels(cube, y), y), r"expected \(\d+,\), a label for each"),
        ({"patch_size": 33}, lambda cube, y: (cube, y), "33x33 .* larger than the cube"),
        ({"model": "hybridsm"}, lambda cube, y: (cube, y), "did you mean 'hybridsn'"),
        ({"components": 17}, lambda cube, y: (cube, y), "17 components cannot be made"),
        ({"learning_rate": -1.0}, lambda cube, y: (cube, y), "learning_rate"),
        ({"recipe": "papre"}, lambda cube, y: (cube, y), "did you mean 'paper'"),
        ({"epochs": 3, "steps": 4}, lambda cube, y: (cube, y), "epochs or steps"),
        ({"attention": "sse"}, lambda cube, y: (cube, y), "did you mean 'se'"),
        ({"device": "gpu"}, lambda cube, y: (cube, y), "device 'gpu' cannot be used"),
        ({"seed": -1}, lambda cube, y: (cube, y), "seed"),
        ({"seed": None}, lambda cube, y: (cube, y), "seed is None; expected a value such as 0"),
        ({"model": None}, lambda cube, y: (cube, y), "model is None; .* such as 'hybridsn-dw'"),
    ],
)
def test_what_cannot_be_fitted_is_said(made, change, arguments, words):
    network = HybridSNClassifier(**{"patch_size": 9, "components": 13} | change)
    with pytest.raises(HsiError, match=f"(?s){words}"):
        network.fit(*arguments(*made))
    assert not hasattr(network, "classifier_")


def test_a_cube_of_other_bands_is_refused(fitted, made):
    cube, labels = made
    for X in (cube[:, :, 1:], ScenePixels(cube[:, :, 1:], labels)):
        with pytest.raises(HsiError, match="15 bands"):
            fitted.predict(X)


def test_weights_of_another_shape_are_refused(fitted, made):
    cube, labels = made
    with pytest.raises(HsiError, match="weights have shape"):
        fitted.score(cube, labels, sample_weight=np.ones(3))


# Of scikit-learn's own checks, those that do not fit on arrays (n, features), which are no cubes.
CHECKS = (
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_mixin_order",
    "check_valid_tag_types",
    "check_estimator_tags_renamed",
    "check_estimators_unfitted",
    "check_estimators_partial_fit_n_features",
)


@pytest.mark.parametrize("name", CHECKS)
def test_checks_of_scikit_learn(name):
    check = getattr(estimator_checks, name, None)
    if check is None:
        pytest.skip(f"this scikit-learn has no {name}")
    check("HybridSNClassifier", HybridSNClassifier())


def test_it_is_known_as_a_classifier():
    assert is_classifier(HybridSNClassifier())
