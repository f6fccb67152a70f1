"""Transfers that were interrupted go on to the same bits."""

import shutil

import pytest
import torch
from PIL import Image

import hsi
from hsi.errors import RunError, UsageError

TIMES = ("train_seconds", "read_seconds")


@pytest.fixture
def stopped(photographs, tmp_path, quick, monkeypatch, interrupting):
    """Return a function that makes a run which was interrupted after a step."""
    monkeypatch.setattr("hsi.workflows.kept.CHECKPOINT_SECONDS", 0.0)

    def stop(*, at, images=photographs, **changes):
        path = tmp_path / f"stopped{at}"
        with pytest.raises(KeyboardInterrupt) as stopped:
            hsi.transfer(images, out=path, progress=interrupting(at), **(quick | changes))
        said = " ".join(stopped.value.__notes__)
        assert f"`hsi transfer --resume {path}` goes on" in said
        return path

    return stop


def contents(run):
    metrics = {name: value for name, value in run.metrics.items() if name not in TIMES}
    files = ("model.safetensors", "photographs.csv")
    return metrics, [(run.path / name).read_bytes() for name in files]


@pytest.mark.parametrize("changes", [{}, {"augmentation": "crop-flip", "epochs": 3}])
def test_it_goes_on_to_the_same_bits(stopped, photographs, tmp_path, quick, counted, changes):
    whole = hsi.transfer(photographs, out=tmp_path / "whole", **(quick | changes))
    expected = contents(whole)
    for at in (2, 5, 7):
        run = hsi.resume_transfer(stopped(at=at, **changes), device="cpu")
        assert contents(run) == expected
        assert {each.name for each in run.path.iterdir()} == {
            each.name for each in whole.path.iterdir()
        }
        counted("resume", "transfers that were interrupted")


def test_other_photographs_are_refused(stopped, photographs, tmp_path):
    images = tmp_path / "images"
    shutil.copytree(photographs, images)
    path = stopped(at=3, images=images)
    changed = images / "train" / "sea" / "003.png"
    whole = changed.read_bytes()
    Image.new("RGB", (40, 48), "red").save(changed)
    with pytest.raises(RunError, match=r"the photographs in .* are not those"):
        hsi.resume_transfer(path, device="cpu")
    changed.write_bytes(whole)
    assert hsi.resume_transfer(path, device="cpu").finished


def test_other_conditions_are_refused_or_accepted(stopped, monkeypatch):
    path = stopped(at=3)
    with monkeypatch.context() as patch:
        patch.setattr(torch, "get_num_threads", lambda: 77)
        with pytest.raises(RunError, match=r"threads was \d+, is 77\n.*\n?.*--not-bitwise"):
            hsi.resume_transfer(path, device="cpu")
        assert hsi.resume_transfer(path, device="cpu", bitwise=False).finished
    with pytest.raises(UsageError, match="is finished"):
        hsi.resume_transfer(path)
