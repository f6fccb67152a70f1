"""How long the rest of a benchmark will take."""

import pytest

from hsi.evaluation import Cell, Result
from hsi.workflows.bench.pace import Pace


def cell(model, *, scene="fields", split="random", train=0.1, seed=0):
    return Cell(scene, split, train, seed, model)


def result(cell, seconds, mapped=None):
    return Result(
        cell=cell,
        figures={"train_seconds": seconds, "test_seconds": mapped},
        classes=(),
        split_hash="",
        patch_size=9,
        device="cpu",
        threads=1,
        versions={},
        notes=(),
        folder="",
    )


@pytest.fixture
def pace():
    return Pace(
        [
            result(cell("quick"), 1.0, 0.5),
            result(cell("quick", seed=1), 2.0, 0.5),
            result(cell("quick", train=0.5), 10.0),
            result(cell("quick", scene="valley"), 100.0),
        ]
    )


def test_the_trainings_that_are_most_alike_tell(pace):
    assert pace.of(cell("quick", seed=7)) == pytest.approx(2.0)
    assert pace.of(cell("quick", split="blocks")) == pytest.approx(2.0)
    assert pace.of(cell("quick", train=0.5, split="blocks")) == 10
    assert pace.of(cell("quick", train=0.3)) == pytest.approx((1.5 + 2.5 + 10) / 3)
    assert pace.of(cell("quick", scene="hill")) == pytest.approx((1.5 + 2.5 + 10 + 100) / 4)


def test_other_models_tell_nothing(pace):
    assert pace.of(cell("slow")) is None
    assert pace.left([cell("quick", seed=7), cell("slow")]) is None
    assert pace.left([cell("quick", seed=7), cell("quick", train=0.5)], jobs=2) == 6
