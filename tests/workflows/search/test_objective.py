"""What trials are judged by: the validation pixels alone."""

import dataclasses

import numpy as np
import pytest
import torch

import hsi
from hsi.evaluation import confusion_matrix
from hsi.sampling import split_pixels
from hsi.training import Epoch
from hsi.workflows.learn import learn
from hsi.workflows.search import objective, room, search
from hsi.workflows.search.objective import train_and_judge, without_test_labels

CPU = torch.device("cpu")
SPACE = {"model": ["hybridsn", "logistic-regression"], "dropout": [0.0, 0.4]}


@pytest.fixture
def split(scene):
    return split_pixels(
        scene.labels, method="random", train=0.15, validation=0.2, patch_size=9, valid=scene.valid
    )


def scrambled(scene, split, seed=0):
    """Return the scene with other labels at test pixels."""
    labels = scene.labels.copy()
    others = np.random.default_rng(seed).permutation(np.unique(labels[labels > 0]))
    ids = np.unique(labels[labels > 0])
    mapping = dict(zip(ids.tolist(), np.roll(others, 1).tolist(), strict=True))
    labels[split.test] = [mapping[each] for each in labels[split.test].tolist()]
    assert (labels != scene.labels)[split.test].any()
    return dataclasses.replace(scene, labels=labels)


def test_labels_of_test_pixels_change_nothing_at_all(scene, split, base, tmp_path, monkeypatch):
    """Bit for bit: neither a value, nor what is drawn next, nor what is found."""
    # The split of other labels would be another one, so it is held.
    monkeypatch.setattr(room, "split_for", lambda *a, **k: split)
    results = [
        search(
            each, base.changed(epochs=1), space=SPACE, trials=5, device="cpu",
            out=tmp_path / name,
        )
        for name, each in (("honest", scene), ("lied", scrambled(scene, split)))
    ]  # fmt: skip
    honest, lied = (
        [(row.outcome, row.value, row.accuracies, row.settings) for row in each.rows]
        for each in results
    )
    assert honest == lied
    assert len(honest) == 5
    assert results[0].recipe.read_bytes() == results[1].recipe.read_bytes()


def test_labels_of_validation_pixels_do(scene, split, base, tmp_path):
    settings = base.changed(model="logistic-regression", patch_size=1, components=None)
    honest = train_and_judge(scene, split, settings, device=CPU)
    swapped = dataclasses.replace(split, validation=split.test, test=split.validation)
    lied = train_and_judge(scrambled(scene, swapped), split, settings, device=CPU)
    assert lied.accuracies["oa"] < honest.accuracies["oa"]


def test_labels_of_test_pixels_are_gone(scene, split):
    hidden = without_test_labels(scene, split)
    assert (hidden.labels[split.test] == 0).all()
    known = split.train | split.validation
    np.testing.assert_array_equal(hidden.labels[known], scene.labels[known])
    np.testing.assert_array_equal(hidden.class_ids, scene.class_ids)
    assert hidden.class_names == scene.class_names


def test_a_class_that_is_in_the_test_alone_stays_a_class(scene, split):
    """A network has an output for it, as it has when it is trained with what was found."""
    alone = dataclasses.replace(
        split,
        train=split.train & (scene.labels != 14),
        validation=split.validation & (scene.labels != 14),
    )
    hidden = without_test_labels(scene, alone)
    np.testing.assert_array_equal(hidden.class_ids, scene.class_ids)
    assert set(np.unique(hidden.labels[split.test])) == {0, 14}


def test_labels_that_come_with_a_split_are_those_that_are_learned(scene, split):
    more = scene.labels.copy()
    added = (scene.labels == 0) & scene.valid & (np.indices(more.shape)[0] > 30)
    more[added] = 1
    both = dataclasses.replace(
        split, labels=more, test=split.test & ~added, train=split.train | added
    )
    hidden = without_test_labels(scene, both)
    assert added.any()
    assert (hidden.labels[added] == 1).all()
    assert (hidden.labels[both.test] == 0).all()


def test_accuracies_are_those_of_the_map_at_validation_pixels(scene, split, base):
    judged = train_and_judge(scene, split, base, device=CPU)
    learned = learn(scene, split, base, device=CPU)
    class_map = learned.classifier.class_map(scene, device="cpu")
    of_target = np.searchsorted(scene.class_ids, scene.labels[split.validation])
    mapped = np.searchsorted(scene.class_ids, class_map[split.validation])
    confusion = confusion_matrix(of_target, mapped, classes=3)
    right = (of_target == mapped).mean()
    assert judged.accuracies["oa"] == pytest.approx(right)
    per_class = [(mapped[of_target == each] == each).mean() for each in range(3)]
    assert judged.accuracies["aa"] == pytest.approx(np.mean(per_class))
    assert judged.accuracies["kappa"] == pytest.approx(objective.kappa(confusion))
    assert judged.epochs == 2
    # The weights that are judged are those of the best epoch.
    assert right == pytest.approx(max(epoch.validation_accuracy for epoch in learned.history))


@pytest.mark.parametrize(
    ("epochs", "told"),
    [(1, []), (2, [5]), (3, [3, 6]), (10, list(range(1, 10))), (25, list(range(1, 10)))],
)
def test_each_tenth_of_a_training_is_told_once_with_the_best_so_far(epochs, told):
    heard = []
    progress = objective._Tenths(lambda tenth, best: heard.append((tenth, best)))
    accuracies = [0.1 + (0.5 if number == 1 else 0.01 * number) for number in range(1, epochs + 1)]
    for number, accuracy in enumerate(accuracies, start=1):
        progress.epoch(Epoch(number, 1.0, 0.5, accuracy, 1e-3, 1.0), epochs)
    assert [tenth for tenth, _ in heard] == told
    assert all(best == max(accuracies[: max(1, -(-tenth * epochs // 10))]) for tenth, best in heard)


def test_what_a_watch_raises_ends_a_training(scene, split, base):
    class Enough(Exception):  # noqa: N818
        pass

    def watch(tenth, best):
        assert tenth == 5
        raise Enough

    with pytest.raises(Enough):
        train_and_judge(scene, split, base, device=CPU, watch=watch)


def test_validation_pixels_there_must_be(scene, split, base):
    none = dataclasses.replace(split, validation=np.zeros_like(split.validation))
    classifier = learn(scene, none, base.changed(epochs=1), device=CPU).classifier
    with pytest.raises(hsi.HsiError, match="--validation"):
        objective.validation_confusion(classifier, scene, none, device=CPU)
