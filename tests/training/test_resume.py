"""A training that goes on from a state ends with the same bits."""

import dataclasses

import numpy as np
import pytest
import torch

from hsi.errors import RunError
from hsi.models import build_model
from hsi.training import RECIPES, fit
from hsi.training.state_file import States, computing_with

CPU = torch.device("cpu")
SIDE, BANDS = 9, 13
RECIPE = RECIPES["default"].model_copy(
    update={"steps": None, "epochs": 3, "batch_size": 24, "dropout": 0.3}
)


class StoppedError(Exception):
    pass


@pytest.fixture(scope="module")
def field():
    rng = np.random.default_rng(0)
    targets = np.add.outer(np.arange(22) // 8, np.arange(20) // 9) % 3
    cube = rng.normal(size=(22, 20, BANDS)) + rng.normal(size=(3, BANDS))[targets]
    train = rng.random(targets.shape) < 0.2
    return cube.astype(np.float32), targets.astype(np.int64), train, ~train


def trained(field, *, validation=True, recipe=RECIPE, **keywords):
    """Return weights and history of a training, with fresh weights of its own."""
    cube, targets, train, rest = field
    torch.manual_seed(3)
    model = build_model("hybridsn-dw", bands=BANDS, classes=3, patch_size=SIDE, dropout=0.3)
    mask = rest if validation else np.zeros_like(rest)
    history = fit(
        model, cube, targets, train=train, validation=mask, recipe=recipe, seed=5, device=CPU,
        **keywords,
    )  # fmt: skip
    return model.state_dict(), [dataclasses.replace(each, seconds=0.0) for each in history]


def stopped(field, step, folder, **keywords):
    """Train up to a step and return what was written of it."""
    states, steps = States(folder), 0

    def after_step(capture):
        nonlocal steps
        steps += 1
        if steps == step:
            states.write(capture())
            raise StoppedError

    with pytest.raises(StoppedError):
        trained(field, after_step=after_step, **keywords)
    return States(folder).read().state


def assert_same(one, two):
    assert one[1] == two[1]
    assert one[0].keys() == two[0].keys()
    for name, value in one[0].items():
        assert torch.equal(value, two[0][name]), name


STEPS = round(3 * 88 / 24)
OTHERS = {
    "adam without a schedule": {"optimizer": "adam", "schedule": "constant"},
    "patches": {"augmentation": "none", "class_balance": 0.0},
    "mixed": {"precision": "bf16"},
}


@pytest.fixture(scope="module")
def whole(field):
    return trained(field)


def test_watching_changes_nothing(field, whole):
    seen = []
    assert_same(trained(field, after_step=lambda capture: seen.append(capture().place)), whole)
    assert [(each.epoch, each.done) for each in seen[:5]] == [
        (1, 1), (1, 2), (1, 3), (1, 4), (2, 1)
    ]  # fmt: skip
    assert len(seen) == 12


@pytest.mark.parametrize("step", range(1, 13))
def test_it_goes_on_from_any_step_to_the_same_bits(field, whole, tmp_path, counted, step):
    state = stopped(field, step, tmp_path)
    assert_same(trained(field, resume=state), whole)
    counted("resume", "steps of a training, each gone on from")


@pytest.mark.parametrize("what", OTHERS)
def test_with_other_recipes(field, tmp_path, what):
    recipe = RECIPE.model_copy(update=OTHERS[what])
    how = {"recipe": recipe, "validation": False}
    state = stopped(field, 7, tmp_path, **how)
    assert_same(trained(field, resume=state, **how), trained(field, **how))


@pytest.fixture
def half(monkeypatch):
    """Compute in float16, as older CUDA devices do, whose gradients are scaled."""
    monkeypatch.setattr("hsi.training.loop.half_precision", lambda *_: torch.float16)
    # Gradients are infinite under the first of these scales, so that they change.
    kind = torch.amp.GradScaler
    monkeypatch.setattr(
        "torch.amp.GradScaler",
        lambda device, enabled: kind(
            device, init_scale=2.0**20, growth_interval=2, enabled=enabled
        ),
    )


def test_the_scale_of_gradients_is_part_of_the_state(field, half, tmp_path, counted):
    state = stopped(field, 8, tmp_path, validation=False)
    assert 1 < state.plain["scaler"]["scale"] < 2.0**20
    whole = trained(field, validation=False)
    assert_same(trained(field, validation=False, resume=state), whole)
    for name, value in {"scale": 2.0**40, "_growth_tracker": 0}.items():
        lacking = state.plain | {"scaler": state.plain["scaler"] | {name: value}}
        other = trained(field, validation=False, resume=dataclasses.replace(state, plain=lacking))
        with pytest.raises(AssertionError):
            assert_same(other, whole)
    counted("resume", "parts of the state, each missed when it is left out", 2)


def test_it_may_be_stopped_more_than_once(field, whole, tmp_path):
    first = stopped(field, 3, tmp_path)
    second = stopped(field, 4, tmp_path / "again", resume=first)
    assert (second.place.epoch, second.place.done) == (2, 3)
    assert_same(trained(field, resume=second), whole)


def lacking(state, part, *, value=None):
    """Return a state in which some tensors are as if nobody had kept them: zero, or `value`."""
    changed = {
        name: torch.zeros_like(kept) if value is None else value
        for name, kept in state.tensors.items()
        if part in name
    }
    assert changed or part == "best."
    return dataclasses.replace(state, tensors=state.tensors | changed)


FRESH = torch.Generator().manual_seed(99).get_state()


PARTS = {
    "weights": lambda state: lacking(state, "model.head"),
    "batches that norms have seen": lambda state: lacking(state, "num_batches_tracked"),
    "first moments": lambda state: lacking(state, "exp_avg"),
    "second moments": lambda state: lacking(state, "exp_avg_sq"),
    "steps of the optimiser": lambda state: lacking(state, ".step"),
    "generator of the task": lambda state: lacking(state, "draws.task", value=FRESH),
    "global generator": lambda state: lacking(state, "draws.global", value=FRESH),
    "order of the epoch": lambda state: lacking(state, "epoch.draws", value=FRESH),
    "losses of the epoch": lambda state: lacking(state, "epoch.losses"),
    "right ones of the epoch": lambda state: lacking(state, "epoch.right"),
    "best weights": lambda state: lacking(state, "best."),
    "best accuracy": lambda state: dataclasses.replace(state, best=state.best and 0.0),
    "history": lambda state: dataclasses.replace(state, history=()),
    "rates": lambda state: dataclasses.replace(
        state,
        plain=state.plain | {"rates": state.plain["rates"] | {"last_epoch": 0, "_step_count": 1}},
    ),
    "settings of the optimiser": lambda state: dataclasses.replace(
        state,
        plain=state.plain
        | {"optimizer": [group | {"weight_decay": 0.5} for group in state.plain["optimizer"]]},
    ),
    **{
        f"place: {name}": lambda state, name=name: dataclasses.replace(
            state,
            place=dataclasses.replace(state.place, **{name: getattr(state.place, name) - 1}),
        )
        for name in ("epoch", "done", "seen")
    },
    "place: rate": lambda state: dataclasses.replace(
        state, place=dataclasses.replace(state.place, rate=0.0)
    ),
}


# With these, the second of three epochs is the best: its weights are the result.
SECOND_IS_BEST = RECIPE.model_copy(update={"learning_rate": 0.01, "optimizer": "adam"})
WAYS = {
    "the best weights": ({"recipe": SECOND_IS_BEST}, 10),
    "the last weights": ({"recipe": RECIPE, "validation": False}, 6),
}


@pytest.fixture(scope="module")
def known(field, tmp_path_factory):
    """Return arguments, a state and the result of two trainings."""
    found = []
    for how, step in WAYS.values():
        state = stopped(field, step, tmp_path_factory.mktemp("state"), **how)
        found.append((how, state, trained(field, **how)))
        assert_same(trained(field, resume=state, **how), found[-1][-1])
    history = found[0][-1][1]
    assert history[1].validation_accuracy > max(
        history[0].validation_accuracy, history[2].validation_accuracy
    )
    return found


@pytest.mark.parametrize("part", PARTS)
def test_no_part_of_the_state_can_be_left_out(field, known, counted, part):
    differs = 0
    for how, state, whole in known:
        try:
            assert_same(trained(field, resume=PARTS[part](state), **how), whole)
        except (AssertionError, ValueError):
            differs += 1
    assert differs
    counted("resume", "parts of the state, each missed when it is left out")


def test_the_newer_of_two_states_is_taken_unless_it_is_damaged(field, tmp_path):
    states, kept = States(tmp_path), []

    def after_step(capture):
        kept.append(capture())
        states.write(kept[-1])

    trained(field, after_step=after_step)
    assert len(list(tmp_path.glob("*.safetensors"))) == 2
    found = States(tmp_path).read()
    assert found.state.place == kept[-1].place
    assert found.notes == ()
    assert found.computed_with == computing_with(CPU)
    newer = max(tmp_path.glob("*.safetensors"), key=lambda path: path.stat().st_mtime_ns)
    content = bytearray(newer.read_bytes())
    content[len(content) // 2] ^= 8
    newer.write_bytes(content)
    found = States(tmp_path).read()
    assert found.state.place == kept[-2].place
    assert len(found.notes) == 1
    assert "is damaged" in found.notes[0]
    assert "the state before" in found.notes[0]
    for path in tmp_path.glob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(RunError, match="No state of the training is left to go on from"):
        States(tmp_path).read()
    States(tmp_path).remove()
    assert not tmp_path.exists()


def test_without_a_state_there_is_none(tmp_path):
    assert States(tmp_path / "checkpoint").read() is None
    assert not States(tmp_path / "checkpoint")
