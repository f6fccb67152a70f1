"""Numbers that are none, and batches and memory that do not suffice, while a network is trained."""

import importlib

import numpy as np
import pytest
import torch

import hsi
from hsi.errors import DivergedError, HsiError, OutOfMemoryError, RunError
from hsi.files import make_folder_with_sums, write_text
from hsi.training.state_file import States

# The package exports a function of this name.
fit = importlib.import_module("hsi.training.fit")
BRIEF = {
    "patch_size": 9, "components": 13, "train": 0.15, "epochs": 4, "batch_size": 16,
    "device": "cpu", "report": False,
}  # fmt: skip


@pytest.fixture
def losing(monkeypatch):
    """Return a function that lets a step of the training go wrong."""
    own = fit.batch_loss

    def lose(at, how):
        steps = []

        def loss(scores, batch, **options):
            steps.append(1)
            right = own(scores, batch, **options)
            return how(right) if len(steps) == at else right

        monkeypatch.setattr(fit, "batch_loss", loss)

    return lose


def steps_of_an_epoch(scene):
    return int(np.ceil(scene.labels[scene.labels > 0].size * 0.15 / BRIEF["batch_size"]))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (lambda loss: loss * float("nan"), "the loss is nan in epoch 3"),
        (lambda loss: loss / 0, "the loss is inf in epoch 3"),
        # The loss is finite, its gradient is not, and the weights are not afterwards.
        (lambda loss: loss + (loss.detach() - loss).abs().sqrt(), "in epoch 3"),
    ],
)
def test_the_last_finite_weights_are_kept(
    scene, tmp_path, losing, monkeypatch, counted, how, words
):
    monkeypatch.setattr("hsi.workflows.kept.CHECKPOINT_SECONDS", 0.0)
    losing(2 * steps_of_an_epoch(scene) + 2, how)
    with pytest.raises(DivergedError) as raised:
        hsi.train(scene, out=tmp_path / "run", **BRIEF)
    said = str(raised.value)
    assert words in said
    assert "Lower --learning-rate (now 0.002)" in said
    assert "The weights of epoch 2, all finite, are kept: `hsi map" in said
    assert said.count("\n") < 5
    run = hsi.Run(tmp_path / "run")
    assert not run.states
    assert all(weight.isfinite().all() for weight in run.classifier.network.state_dict().values())
    hsi.map_scene(run, out=tmp_path / "map", device="cpu")
    counted("numbers", "trainings whose loss or weights were no longer finite")


def test_nothing_is_left_of_a_training_that_never_was_finite(scene, tmp_path, losing):
    losing(1, lambda loss: loss * float("nan"))
    with pytest.raises(DivergedError, match="in epoch 1"):
        hsi.train(scene, out=tmp_path / "run", **BRIEF)
    assert not (tmp_path / "run").exists()


def test_states_are_finite(scene, tmp_path, losing, monkeypatch):
    """An interrupt after a step that went wrong writes no state of it."""
    monkeypatch.setattr("hsi.workflows.kept.CHECKPOINT_SECONDS", 0.0)
    losing(3, lambda loss: loss * float("nan"))
    seen = []

    class Watching:
        def step(self, done, total):
            seen.append(done)

        def epoch(self, epoch, total):
            pass

    with pytest.raises(DivergedError):
        hsi.train(scene, out=tmp_path / "run", progress=Watching(), **BRIEF)
    assert seen == [1, 2, 3]  # it stopped at once


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        MemoryError(),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory"
        ),
    ],
)
def test_out_of_memory_says_what_to_lower(scene, tmp_path, losing, monkeypatch, counted, error):
    monkeypatch.setattr("hsi.workflows.kept.CHECKPOINT_SECONDS", 0.0)

    def fail(loss):
        raise error

    losing(5, fail)
    with pytest.raises(OutOfMemoryError) as raised:
        hsi.train(scene, out=tmp_path / "run", **BRIEF)
    assert (
        "Lower --batch-size (now 16); if that is not enough, --patch-size (now 9) or --components "
        "(now 13); or compute elsewhere: --device cpu."
    ) in str(raised.value)
    # With more memory, it goes on.
    assert f"hsi train --resume {tmp_path / 'run'}" in raised.value.__notes__[0]
    hsi.resume(tmp_path / "run", scene, device="cpu", report=False)
    assert hsi.Run(tmp_path / "run").finished
    counted("memory", "trainings that ran out of memory")


def test_a_full_disk_leaves_what_one_can_go_on_from(scene, tmp_path, monkeypatch):
    monkeypatch.setattr("hsi.workflows.kept.CHECKPOINT_SECONDS", 0.0)
    expected = hsi.train(scene, out=tmp_path / "whole", **BRIEF)

    def full(path, *arguments, **options):
        if path.name == "history.csv":
            raise OSError(28, "No space left on device")
        return write_text(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr("hsi.training.run_folder.write_text", full)
        with pytest.raises(RunError, match=r"cannot write into .*No space left") as raised:
            hsi.train(scene, out=tmp_path / "run", **BRIEF)
    assert f"hsi train --resume {tmp_path / 'run'}" in raised.value.__notes__[0]
    hsi.resume(tmp_path / "run", scene, device="cpu", report=False)
    assert hsi.Run(tmp_path / "run").metrics["oa"] == expected.metrics["oa"]


def test_a_disk_too_full_for_what_follows_the_training(scene, tmp_path, monkeypatch):
    out = tmp_path / "run"

    def full(path, *arguments, **options):
        if path.name == "metrics.json":
            raise OSError(28, "No space left on device", str(path))
        return write_text(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr("hsi.training.run_folder.write_text", full)
        with pytest.raises(RunError, match=r"cannot write into .*No space left") as raised:
            hsi.train(scene, out=out, **BRIEF)
    assert raised.value.__notes__ == [
        f"The training was finished: `hsi map {out}` and `hsi evaluate {out}` work with it."
    ]
    assert hsi.Run(out).classifier.class_map(scene, device="cpu").any()


@pytest.mark.parametrize("epoch", [0, 1])
def test_a_disk_too_full_for_a_state(scene, tmp_path, monkeypatch, epoch):
    """What the last epoch came to is kept where there is room for that; else nothing is left."""
    monkeypatch.setattr("hsi.workflows.kept.CHECKPOINT_SECONDS", 0.0)
    out = tmp_path / "run"

    def full(states, state):
        make_folder_with_sums(states.folder)
        if state.place.epoch > epoch:
            raise OSError(28, "No space left on device", str(states.paths[0]))

    with monkeypatch.context() as patch:
        patch.setattr(States, "write", full)
        with pytest.raises(
            RunError, match=r"cannot write into .*No space left.*\n.*--out"
        ) as raised:
            hsi.train(scene, out=out, **BRIEF | {"epochs": 2})
    if epoch:
        assert "The weights of epoch 1 are kept" in raised.value.__notes__[0]
        assert hsi.Run(out).classifier.class_map(scene, device="cpu").any()
    else:
        assert not out.exists()
        hsi.train(scene, out=out, **BRIEF)


@pytest.mark.parametrize("rest", [0, 1, 2])
def test_a_last_batch_of_one_is_merged(scene, rest):
    """Of one pixel, a batch norm has no variance to divide by."""
    train = np.zeros(scene.labels.shape, dtype=bool)
    places = np.argwhere(scene.labels > 0)[: 32 + rest]
    train[tuple(places.T)] = True
    model = hsi.build_model("hybridsn-dw", bands=13, classes=15, patch_size=9)
    targets = np.where(train, scene.labels, 0).astype(np.int64)
    sizes = []
    own = fit.batch_loss
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "batch_loss", lambda s, b, **o: sizes.append(len(s)) or own(s, b, **o))
        recipe = hsi.Settings().changed(epochs=1, batch_size=16).recipe
        fit.fit(
            model, np.zeros((*train.shape, 13), np.float32), targets,
            train=train, validation=np.zeros_like(train), recipe=recipe, seed=0,
            device=torch.device("cpu"),
        )  # fmt: skip
    assert sorted(sizes) == {0: [16, 16], 1: [16, 17], 2: [17, 17]}[rest]


def test_what_is_no_number_is_masked_and_counted(tmp_path, scene, counted):
    cube = np.asarray(scene.cube).copy()
    cube[5, 6, 3], cube[7, 8, :] = np.inf, -9999
    np.save(tmp_path / "cube.npy", cube)
    found = hsi.load_scene(tmp_path / "cube.npy", nodata=-9999)
    missing = np.isnan(cube).any(axis=2) | np.isinf(cube).any(axis=2) | (cube == -9999).any(axis=2)
    assert np.array_equal(~found.valid, missing)
    counted("numbers", "pixels without data that were masked and counted", int(missing.sum()))


def test_a_constant_band_is_left_out_and_said(tmp_path, scene, files):
    cube = np.asarray(scene.cube).copy()
    cube[..., 4] = np.where(np.isnan(cube[..., 4]), np.nan, 7)
    np.save(tmp_path / "cube.npy", cube)
    found = hsi.load_scene(tmp_path / "cube.npy", labels=files / "truth.npy")
    assert found.bands == cube.shape[2] - 1
    assert found.metadata["constant_bands"] == 1


def test_errors_of_its_own_are_not_taken_for_lack_of_memory(scene, tmp_path, losing):
    def fail(loss):
        raise HsiError("something else")

    losing(2, fail)
    with pytest.raises(HsiError, match=r"^something else$"):
        hsi.train(scene, out=tmp_path / "run", **BRIEF)
    assert not (tmp_path / "run").exists()
