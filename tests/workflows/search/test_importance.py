"""How much settings matter, of trials whose truth is known."""

import numpy as np
import pytest

from hsi.training import Settings
from hsi.workflows.search.choosing import Chooser
from hsi.workflows.search.importance import FEWEST_TRIALS, find_importances
from hsi.workflows.search.rows import Row
from hsi.workflows.search.space import space_from_table

TABLE = {
    "model": ["hybridsn", "hybridsn-dw", "lenet5"],
    "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
    "dropout": {"low": 0.0, "high": 0.5},
    "batch_size": [32, 64, 128],
}


@pytest.fixture
def rows():
    """Return a function that makes trials at random, with the values that a formula gives."""

    def make(count, value, seed=0, outcome="complete"):
        random = np.random.default_rng(seed)
        made = []
        for number in range(count):
            settings = Settings().changed(
                model=str(random.choice(TABLE["model"])),
                learning_rate=float(10 ** random.uniform(-4, -1)),
                dropout=float(random.uniform(0, 0.5)),
                batch_size=int(random.choice(TABLE["batch_size"])),
            )
            made.append(
                Row(
                    number=number, outcome=outcome,
                    value=value(settings, random) if outcome == "complete" else None,
                    spread=None, accuracies={}, settings=settings, epochs=1, seconds=1.0,
                    reason=None, usual=False,
                )
            )  # fmt: skip
        return made

    return make


@pytest.fixture
def importances(scene):
    space, _ = space_from_table(TABLE)
    chooser = Chooser(space=space, base=Settings(), scene=scene)
    return lambda trials: find_importances(trials, chooser)


def test_what_alone_matters_has_nearly_all(rows, importances):
    found = importances(rows(60, lambda s, r: 0.5 + 0.4 * s.recipe.dropout + r.normal(0, 0.005)))
    assert next(iter(found.shares)) == "dropout"
    assert found.shares["dropout"] > 0.85
    assert sum(found.shares.values()) == pytest.approx(1, abs=1e-3)
    assert found.explained > 0.8
    assert found.trials == 60


def test_names_matter_as_numbers_do_and_rates_by_their_magnitude(rows, importances):
    def value(settings, random):
        of_model = {"hybridsn": 0.0, "hybridsn-dw": 0.1, "lenet5": 0.2}[settings.model]
        return 0.5 + of_model + 0.05 * np.log10(settings.recipe.learning_rate)

    shares = importances(rows(120, value)).shares
    assert list(shares)[:2] == ["model", "learning_rate"]
    assert shares["model"] + shares["learning_rate"] > 0.9
    # 0.2 / sqrt(6) and 0.05 * 3 / sqrt(12) are their standard deviations.
    assert shares["model"] / shares["learning_rate"] == pytest.approx(0.0067 / 0.0019, rel=0.4)


def test_of_noise_there_are_no_numbers(rows, importances):
    found = importances(rows(60, lambda s, r: r.uniform(0.5, 0.9)))
    assert found.shares == {}
    assert "do not tell how good a trial is that was not seen" in found.reason
    assert found.explained < 0.1


def test_few_trials_are_too_few_and_those_without_a_value_do_not_count(rows, importances):
    def by_dropout(settings, random):
        return settings.recipe.dropout

    few = rows(FEWEST_TRIALS - 1, by_dropout) + rows(40, by_dropout, outcome="pruned")
    found = importances(few)
    assert found.shares == {}
    assert f"{FEWEST_TRIALS - 1} complete trials are too few" in found.reason
    assert importances(rows(60, by_dropout)).shares


def test_equal_trials_tell_nothing(rows, importances):
    assert "equally good" in importances(rows(30, lambda s, r: 0.5)).reason
    same = [rows(1, lambda s, r: 0.5)[0] for _ in range(20)]
    varied = [type(row)(**(vars(row) | {"value": 0.5 + 0.01 * n})) for n, row in enumerate(same)]
    assert "no setting has two values" in importances(varied).reason


def test_the_same_trials_give_the_same_numbers(rows, importances):
    trials = rows(40, lambda s, r: 0.5 + s.recipe.dropout)
    assert importances(trials) == importances(trials)
