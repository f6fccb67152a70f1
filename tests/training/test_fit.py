"""The training loop: what it learns, what is random in it, and what it leaves behind."""

import math
import random

import numpy as np
import pytest
import torch

from hsi.errors import HsiError, UsageError
from hsi.inference import predict_scene
from hsi.training.loop import is_finite


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def learned(model):
    """Return what gradients change: running statistics are computed anew in the end."""
    return {name: value.clone() for name, value in model.named_parameters()}


def same(one, other):
    return all(torch.equal(value, other[name]) for name, value in one.items())


def accuracy(model, easy, pixels):
    found = predict_scene(model, easy.cube, device="cpu").argmax(0)
    return (found[pixels] == easy.targets[pixels]).mean()


def test_an_easy_scene_is_learned(train_on, easy):
    model, history = train_on(epochs=15, batch_size=16)
    assert history[-1].loss < 0.2 * history[0].loss
    assert history[-1].train_accuracy > 0.9
    # Chance is a third; what is missed lies where stripes meet.
    assert accuracy(model, easy, ~easy.train) > 0.8


@pytest.mark.parametrize("recipe", [{}, {"optimizer": "adam", "schedule": "constant"}])
def test_a_seed_gives_the_same_bits_and_another_seed_does_not(train_on, recipe):
    first, first_history = train_on(seed=4, **recipe)
    torch.rand(3)  # what others draw does not matter
    again, again_history = train_on(seed=4, **recipe)
    other, _ = train_on(seed=5, **recipe)
    assert same(weights(first), weights(again))
    assert [each.loss for each in first_history] == [each.loss for each in again_history]
    assert not same(weights(first), weights(other))


@pytest.mark.parametrize("what", ["augmentation", "dropout", "order"])
def test_each_random_part_comes_from_the_seed(train_on, easy, what):
    """With the other two at rest, another seed still gives other weights."""
    still = {"augmentation": "none", "dropout": 0.0, "batch_size": 1000, "epochs": 2}
    moved = {"augmentation": "dihedral", "dropout": 0.5, "batch_size": 16}
    name = "batch_size" if what == "order" else what
    one, _ = train_on(seed=0, **still)
    same_up_to_sums, _ = train_on(seed=1, **still)
    for value, other in zip(weights(one).values(), weights(same_up_to_sums).values(), strict=True):
        torch.testing.assert_close(value, other, rtol=0.05, atol=5e-3)
    changed = still | {name: moved[name]}
    one, first = train_on(seed=0, **changed)
    other, second = train_on(seed=1, **changed)
    assert abs(first[-1].loss - second[-1].loss) > 1e-4
    assert not same(weights(one), weights(other))


def test_the_callers_generators_are_left_alone(train_on):
    def state():
        return (
            torch.random.get_rng_state().tolist(),
            np.random.get_state()[1].tolist(),  # noqa: NPY002
            random.getstate(),
        )

    before = state()
    train_on(epochs=1)
    assert state() == before


def test_arrays_of_the_caller_are_left_alone(train_on, easy):
    before = [array.copy() for array in vars(easy).values()]
    train_on(epochs=1, validation=easy.validation)
    for array, old in zip(vars(easy).values(), before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_the_epoch_that_did_best_on_validation_pixels_is_kept(train_on, easy):
    """Labels of validation pixels that are all wrong make every epoch worse than those before."""
    easy.targets[easy.validation] = (easy.targets[easy.validation] + 1) % 3
    kept = []
    model, history = train_on(
        validation=easy.validation,
        epochs=8,
        batch_size=16,
        keep=lambda model, epoch: kept.append((epoch.epoch, weights(model))),
    )
    figures = [each.validation_accuracy for each in history]
    best = max(figures)
    assert figures[-1] < best
    last_best = max(each.epoch for each in history if each.validation_accuracy == best)
    number, stored = kept[-1]
    assert number == last_best
    assert same(weights(model), stored)
    assert accuracy(model, easy, easy.validation) == pytest.approx(best)


def test_without_validation_pixels_the_last_epoch_is_kept(train_on):
    kept = []
    model, history = train_on(
        epochs=3, keep=lambda model, epoch: kept.append((epoch.epoch, learned(model)))
    )
    assert [number for number, _ in kept] == [1, 2, 3]
    assert same(learned(model), kept[-1][1])
    assert all(each.validation_accuracy is None for each in history)


def test_validation_pixels_are_never_learned_from(train_on, easy):
    """Wrong answers there change which epoch is kept, and nothing else."""
    _, honest = train_on(validation=easy.validation)
    easy.targets[easy.validation] = (easy.targets[easy.validation] + 1) % 3
    _, misled = train_on(validation=easy.validation)
    assert [each.loss for each in honest] == [each.loss for each in misled]
    assert honest[-1].validation_accuracy != misled[-1].validation_accuracy


def some(pixels, shape):
    mask = np.zeros(shape, dtype=bool)
    mask.ravel()[np.linspace(0, mask.size - 1, pixels).astype(int)] = True
    return mask


@pytest.mark.parametrize("patch_size", [9, 11])
@pytest.mark.parametrize(("pixels", "batch"), [(65, 64), (2, 64), (3, 2), (33, 32), (5, 2)])
def test_no_batch_of_one_pixel_stops_a_batch_norm(train_on, easy, pixels, batch, patch_size):
    """Windows of 9x9 patches have one position: a batch norm then sees one value per pixel."""
    train = some(pixels, easy.train.shape)
    assert train.sum() == pixels
    model, history = train_on(train=train, batch_size=batch, patch_size=patch_size, epochs=2)
    assert all(math.isfinite(each.loss) for each in history)
    assert all(value.isfinite().all() for value in model.state_dict().values())


@pytest.mark.parametrize("pixels", [0, 1])
def test_fewer_than_two_training_pixels_are_refused(train_on, easy, pixels):
    with pytest.raises(UsageError, match=f"{pixels} training pixel"):
        train_on(train=some(pixels, easy.train.shape), patch_size=9)


def test_one_step_is_enough(train_on, easy):
    """A one-cycle schedule has no room for a way up and a way down here."""
    _, history = train_on(epochs=1, batch_size=1000)
    assert len(history) == 1
    assert history[0].learning_rate > 0


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_the_training_and_names_the_epoch(train_on, easy, value):
    easy.cube[0, 0] = value
    with pytest.raises(HsiError, match="in epoch 1,") as caught:
        train_on()
    assert "--learning-rate" in str(caught.value)
    assert not isinstance(caught.value, UsageError)


def test_a_training_that_diverges_later_names_that_epoch(train_on):
    with pytest.raises(HsiError, match=r"loss is (nan|inf) in epoch \d+, so training stopped"):
        train_on(learning_rate=1e30, schedule="constant", optimizer="adam", epochs=5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_single_weight_that_is_not_finite_is_found(value, dtype):
    weight = torch.full((3, 50), torch.finfo(dtype).max, dtype=dtype)
    weight[1] = torch.finfo(dtype).min
    assert is_finite(weight)
    weight[2, 7] = value
    assert not is_finite(weight)
    assert is_finite(weight[:0])
    assert is_finite(torch.ones(3, dtype=torch.int64))


def test_the_model_is_left_in_evaluation_mode_with_its_gradients_on(train_on, easy):
    model, _ = train_on(epochs=1, validation=easy.validation)
    assert not any(module.training for module in model.modules())
    assert all(weight.requires_grad for weight in model.parameters())


def test_dropout_and_batch_statistics_are_at_work_while_training(train_on):
    """In evaluation mode, neither would change anything."""
    model, _ = train_on(epochs=1, dropout=0.0)
    dropped, _ = train_on(epochs=1, dropout=0.9)
    assert not same(weights(model), weights(dropped))
    running = [value for name, value in weights(model).items() if name.endswith("running_mean")]
    assert running
    assert all(value.any() for value in running)


class Log:
    """Progress that keeps what it is told."""

    def __init__(self):
        self.steps, self.epochs = [], []

    def step(self, done, total):
        self.steps.append((done, total))

    def epoch(self, epoch, total):
        self.epochs.append((epoch, total))


def test_progress_is_told_of_every_step_and_epoch(train_on, easy):
    log = Log()
    _, history = train_on(epochs=3, batch_size=32, validation=easy.validation, progress=log)
    done = [each for each, _ in log.steps]
    totals = {total for _, total in log.steps}
    assert totals == {done[-1]}
    assert done == sorted(set(done))
    assert len(done) % 3 == 0
    assert log.epochs == [(each, 3) for each in history]


def test_history_has_a_row_for_each_epoch(train_on, easy):
    _, history = train_on(epochs=8, validation=easy.validation, learning_rate=0.01)
    assert [each.epoch for each in history] == [1, 2, 3, 4, 5, 6, 7, 8]
    rows = [each.as_row() for each in history]
    assert rows[0].keys() == {
        "epoch", "loss", "train_accuracy", "validation_accuracy", "learning_rate", "seconds",
    }  # fmt: skip
    for row in rows:
        assert 0 <= row["train_accuracy"] <= 1
        assert 0 <= row["validation_accuracy"] <= 1
        assert 0 < row["learning_rate"] <= 0.01
    seconds = [row["seconds"] for row in rows]
    assert seconds == sorted(seconds)
    # one cycle: up, and then down to nearly nothing
    rates = [row["learning_rate"] for row in rows]
    assert max(rates) > rates[0]
    assert max(rates) > rates[-1]


def test_a_constant_rate_is_constant(train_on):
    _, history = train_on(schedule="constant", learning_rate=0.003)
    assert {each.learning_rate for each in history} == {0.003}


def test_weight_decay_shrinks_weights(train_on):
    def size(model):
        return sum(value.square().sum() for value in model.head.parameters())

    free, _ = train_on(weight_decay=0.0)
    held, _ = train_on(weight_decay=10.0)
    assert size(held) < 0.9 * size(free)
