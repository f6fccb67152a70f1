"""``hsi compare``."""

import json

import pytest

import hsi
from hsi.workflows import compare_runs


@pytest.fixture(scope="module")
def other(scene, tmp_path_factory):
    """A shorter training on the same split."""
    return hsi.train(
        scene, out=tmp_path_factory.mktemp("other") / "other", patch_size=9, components=13,
        train=0.15, validation=0.05, epochs=1, batch_size=16, device="cpu",
    )  # fmt: skip


def test_the_command_line(hsi_command, run, other):
    done = hsi_command("compare", run.path, other.path, "--device", "cpu")
    assert done.code == 0, done.err
    assert "McNemar's test, p " in done.out
    assert "Picture: compare.png" in done.out
    printed = json.loads(
        hsi_command("compare", run.path, other.path, "--device", "cpu", "--json").out
    )
    # A picture that is there already is left alone.
    assert printed["picture"] == "compare-2.png"
    assert printed["mcnemar"]["only_first"] == compare_runs(run, other).mcnemar.only_first
    failed = hsi_command("compare", run.path, run.path)
    assert failed.code == 2
    assert "Traceback" not in failed.err
