"""Hyperparameters are chosen by pixels that are not learned from, and never by others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsi.models import build_model
from hsi.models.choice import FOLDS, assign_folds, choose
from hsi.models.decision_rule import DecisionRule


class Recorder(DecisionRule):
    """A rule whose candidates are right on a known share of pixels, and that notes what it sees.

    The only band is the number of the pixel.
    """

    SHARES = (0.3, 0.6, 0.9, 0.9, 0.1)

    def __init__(self, classes=3):
        super().__init__(bands=1, classes=classes)
        self.learned, self.judged = [], []

    def candidates(self, pixels):
        self.fewest = pixels
        return [{"number": number} for number in range(len(self.SHARES))]

    def fit(self, spectra, targets, hyperparameters, *, seed):
        self.learned.append((spectra[:, 0].astype(int), targets))
        return Judged(self, self.SHARES[hyperparameters["number"]])


class Judged:
    def __init__(self, rule, share):
        self.rule, self.share = rule, share

    def predict(self, spectra):
        pixels = spectra[:, 0].astype(int)
        self.rule.judged.append(pixels)
        right = pixels % 10 < 10 * self.share
        return np.where(right, self.rule.truth[pixels], -1)


def chosen_among(targets, *, validation=0, seed=0):
    """Return rule and choice; the last pixels, as many as `validation`, are for validation."""
    targets = np.asarray(targets)
    rule = Recorder()
    rule.truth = targets
    pixels = np.arange(len(targets), dtype=np.float32)[:, np.newaxis]
    train, others = slice(len(targets) - validation), slice(len(targets) - validation, None)
    judges = (pixels[others], targets[others]) if validation else None
    choice = choose(rule, pixels[train], targets[train], validation=judges, seed=seed)
    return rule, choice


def test_the_best_candidate_in_cross_validation_is_chosen_and_of_equals_the_first():
    rule, choice = chosen_among(np.arange(200) % 2)
    assert choice.hyperparameters == {"number": 2}
    assert choice.accuracy == pytest.approx(0.9)
    assert choice.how == "best of 5 in 5-fold cross-validation of 200 training pixels"
    assert rule.fewest == 160


def test_each_pixel_is_judged_once_by_what_was_learned_without_it():
    rule, _ = chosen_among(np.arange(47) % 3)
    for (learned, targets), judged in zip(rule.learned, rule.judged, strict=True):
        assert not set(learned) & set(judged)
        assert set(learned) | set(judged) == set(range(47))
        np.testing.assert_array_equal(targets, rule.truth[learned])
    of_the_first = rule.judged[:: len(rule.SHARES)]
    assert sorted(np.concatenate(of_the_first).tolist()) == list(range(47))


def test_validation_pixels_judge_if_there_are_any():
    rule, choice = chosen_among(np.arange(60) % 3, validation=20)
    assert choice.how == "best of 5 on 20 validation pixels"
    assert choice.accuracy == pytest.approx(0.9)
    assert {len(learned) for learned, _ in rule.learned} == {40}
    assert {tuple(judged) for judged in rule.judged} == {tuple(range(40, 60))}


def test_a_class_of_one_pixel_is_always_learned_from_and_never_judged():
    rule, choice = chosen_among([0] * 10 + [1] * 10 + [2])
    assert "5-fold" in choice.how
    assert all(20 in learned for learned, _ in rule.learned)
    assert all(20 not in judged for judged in rule.judged)


def test_the_smallest_class_that_can_be_judged_decides_the_number_of_folds():
    _, choice = chosen_among([0] * 10 + [1] * 3 + [2])
    assert "3-fold" in choice.how


@pytest.mark.parametrize("targets", [[0, 1, 2], [0] * 8 + [1, 2]])
def test_where_nothing_can_be_judged_the_usual_is_taken(targets):
    rule, choice = chosen_among(targets)
    assert choice.hyperparameters == {"number": 0}
    assert choice.accuracy is None
    assert choice.how == "usual ones: no two classes have training pixels to spare"
    assert rule.learned == []


@given(sizes=st.lists(st.integers(0, 23), min_size=1, max_size=7), seed=st.integers(0, 2**63 - 1))
def test_folds_hold_every_class_as_evenly_as_can_be(sizes, seed):
    targets = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    folds = assign_folds(targets, np.random.default_rng(seed))
    judged = [size for size in sizes if size >= 2]
    if len(judged) < 2:
        assert folds is None
        return
    number = min(FOLDS, *judged)
    for each, size in enumerate(sizes):
        of_class = folds[targets == each]
        if size == 1:
            assert of_class.tolist() == [-1]
        elif size:
            counts = np.bincount(of_class, minlength=number)
            assert len(counts) == number
            assert counts.min() >= 1
            assert np.ptp(counts) <= 1
    assert np.ptp(np.bincount(folds[folds >= 0])) <= 1


def test_of_very_many_pixels_a_part_of_each_class_is_enough(monkeypatch):
    monkeypatch.setattr("hsi.models.choice.ENOUGH", 100)
    rule, choice = chosen_among([0] * 900 + [1] * 99 + [2] * 2)
    assert choice.how.endswith("of 101 training pixels")
    judged = np.concatenate(rule.judged[:: len(rule.SHARES)])
    assert np.bincount(rule.truth[judged]).tolist() == [90, 10]
    assert all(np.count_nonzero(targets == 2) == 1 for _, targets in rule.learned)


def test_the_seed_decides_folds_and_nothing_else_does():
    def judged(seed):
        return [each.tolist() for each in chosen_among(np.arange(50) % 2, seed=seed)[0].judged]

    assert judged(3) == judged(3)
    assert judged(3) != judged(4)


def test_a_classifier_learns_from_training_pixels_alone(estimator_name, overlapping, learned):
    """Validation pixels choose; they are not learned from."""
    data = overlapping()
    judges = (data.spectra[:40] + 1, data.targets[:40])
    data.spectra, data.targets = data.spectra[40:], data.targets[40:]
    network, chosen = learned(estimator_name, data, validation=judges)
    assert chosen["how"].endswith("on 40 validation pixels")
    hyperparameters = {name: chosen[name] for name in network.rule.candidates(80)[0]}
    alone = build_model(estimator_name, bands=data.bands, classes=data.classes, patch_size=1)
    fitted = alone.rule.fit(data.spectra, data.targets, hyperparameters, seed=0)
    alone.rule.take(fitted, data.spectra, data.targets)
    for name, value in alone.state_dict().items():
        np.testing.assert_array_equal(value, network.state_dict()[name], err_msg=name)


@pytest.mark.parametrize(
    ("name", "first", "number"),
    [
        ("svm", {"C": 100.0, "gamma": 1 / 36}, 20),
        ("random-forest", {"max_features": 6}, 3),
        ("knn", {"n_neighbors": 1}, 8),
        ("logistic-regression", {"C": 1.0}, 7),
    ],
)
def test_the_usual_hyperparameters_come_first_and_each_once(name, first, number):
    candidates = build_model(name, bands=36, classes=3, patch_size=1).rule.candidates(100)
    assert candidates[0] == pytest.approx(first)
    assert len({tuple(each.values()) for each in candidates}) == len(candidates) == number


def test_there_are_never_more_neighbours_than_pixels():
    rule = build_model("knn", bands=4, classes=3, patch_size=1).rule
    assert [each["n_neighbors"] for each in rule.candidates(6)] == [1, 3, 5]
