"""``hsi compare``."""

import json
import shutil

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
    assert "did not finish" not in done.err
    failed = hsi_command("compare", run.path, run.path)
    assert failed.code == 2
    assert "Traceback" not in failed.err


def test_an_unfinished_run_is_compared_by_its_checkpoint_and_so_it_says(
    hsi_command, run, other, tmp_path
):
    copy = shutil.copytree(other.path, tmp_path / "copy")
    (copy / "checkpoint").mkdir()
    (copy / "model.safetensors").rename(copy / "checkpoint" / "model.safetensors")
    done = hsi_command("compare", run.path, copy, "--device", "cpu")
    assert done.code == 0, done.err
    assert done.err.count("did not finish; using its checkpoint") == 1
    assert str(copy) in done.err
