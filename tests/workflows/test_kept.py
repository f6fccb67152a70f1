"""When checkpoints are written."""

from types import SimpleNamespace

import pytest
from torch import nn

from hsi.workflows import kept
from hsi.workflows.kept import Kept


@pytest.mark.parametrize(
    ("writing", "due"),
    [
        (0.0, [40, 80, 120, 160, 200]),  # steps of 10 s; more than 30 s apart
        (1.5, [40, 80, 120, 160, 200]),
        (6.0, [40, 170]),  # four times as long as it may be: 120 s and the writing itself
    ],
)
def test_states_that_take_long_to_write_are_further_apart(monkeypatch, writing, due):
    now, written = 0.0, []

    class States:
        def write(self, state):
            nonlocal now
            written.append(state)
            now += writing

    monkeypatch.setattr(kept, "time", SimpleNamespace(monotonic=lambda: now))
    what = Kept(
        SimpleNamespace(states=States(), COMMAND="hsi train"),
        SimpleNamespace(network=nn.Identity()),
        works="works with",
        less_memory="",
    )
    for second in range(10, 210, 10):
        now = float(second)
        what.after_step(lambda second=second: second)
    assert written == due
