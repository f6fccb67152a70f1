"""`hsi.train`: what a finished run holds, and what an unfinished one leaves."""

import csv
import dataclasses
import re
from html import unescape
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import hsi
from hsi.errors import HsiError, RunError, UsageError
from hsi.sampling import to_targets
from hsi.scenes import Scene
from hsi.training import settle

# Under `hsi.workflows`, the name is that of the function.
MODULE = import_module("hsi.workflows.learn")
SPLITTING = import_module("hsi.workflows.splitting")
TIMES = ("train_seconds", "map_seconds", "test_first_used")


def test_a_finished_run_holds_everything(run):
    assert {each.name for each in run.path.iterdir()} >= {
        "config.toml", "split.npz", "model.safetensors", "history.csv", "metrics.json",
        "class_map.png", "class_map.tif", "report.html",
    }  # fmt: skip
    assert run.trained
    assert not (run.path / "checkpoint").exists()
    for name in ("class_map.png", "confusion.png", "learning_curve.png", "split.png"):
        with Image.open(run.path / name) as picture:
            assert min(picture.size) > 100
    page = (run.path / "report.html").read_text()
    assert "hsi train --config" in page
    assert "class 14" in page


def test_metrics_say_what_was_done(run, scene):
    metrics = run.metrics
    assert metrics.keys() >= {
        "oa", "aa", "kappa", "per_class", "confusion", "train_pixels", "test_pixels", "parameters",
        "macs_per_patch", "train_seconds", "map_seconds", "overlap", "versions", "device", "seed",
    }  # fmt: skip
    split = run.split
    assert metrics["train_pixels"] == split.train.sum()
    assert metrics["validation_pixels"] == split.validation.sum() > 0
    assert metrics["test_pixels"] == split.test.sum()
    assert metrics["overlap"] == {
        "contains": split.overlap.contains, "shares": split.overlap.shares,
    }  # fmt: skip
    assert metrics["parameters"] == sum(w.numel() for w in run.classifier.network.parameters())
    assert metrics["versions"]["torch"] == version("torch")
    assert (metrics["device"], metrics["seed"]) == ("cpu", 0)
    assert metrics["notes"] == ["15 labelled pixels without data are in none of the sets."]
    assert (scene.labels[~scene.valid] > 0).sum() == 15


def test_metrics_follow_from_the_map_and_the_labels_of_the_test_pixels(run, scene):
    with Image.open(run.path / "class_map.tif") as raster:
        class_map = np.array(raster)
    test, metrics = run.split.test, run.metrics
    right = class_map[test] == scene.labels[test]
    assert metrics["oa"] == pytest.approx(right.mean())
    for each in metrics["per_class"]:
        of_class = scene.labels[test] == each["id"]
        assert each["pixels"] == of_class.sum()
        assert each["accuracy"] == pytest.approx(right[of_class].mean())
    assert [each["id"] for each in metrics["per_class"]] == [1, 2, 14]
    train = run.split.train
    assert 0.5 < metrics["train_oa"] == (class_map == scene.labels)[train].mean()
    confusion = np.array(metrics["confusion"])
    assert confusion.sum() == test.sum()
    assert np.trace(confusion) == right.sum()


def test_it_learns(scene, tmp_path, small):
    run = hsi.train(scene, out=tmp_path / "run", **(small | {"epochs": 20, "train": 0.3}))
    assert run.metrics["oa"] > 0.85


def test_history_is_kept(run):
    with (run.path / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert all(0 <= float(row["validation_accuracy"]) <= 1 for row in rows)


def without_times(metrics):
    return {name: value for name, value in metrics.items() if name not in TIMES}


def test_the_same_seed_gives_the_same_run_and_another_does_not(run, scene, tmp_path, small):
    torch.rand(5)
    again = hsi.train(scene, out=tmp_path / "again", **small)
    assert without_times(again.metrics) == without_times(run.metrics)
    for name in ("model.safetensors", "class_map.tif", "class_map.png", "config.toml"):
        assert (again.path / name).read_bytes() == (run.path / name).read_bytes(), name
    other = hsi.train(scene, out=tmp_path / "other", seed=1, **small)
    assert (
        other.path.joinpath("model.safetensors").read_bytes()
        != (run.path / "model.safetensors").read_bytes()
    )
    assert not np.array_equal(other.split.train, run.split.train)


def test_its_config_is_enough_to_run_it_again(run, tmp_path):
    again = hsi.train(
        hsi.load_scene(**run.source), run.settings, out=tmp_path / "again", device="cpu"
    )
    assert without_times(again.metrics) == without_times(run.metrics)
    assert again.config == run.config


def test_the_callers_generator_is_left_alone(scene, tmp_path, small):
    torch.manual_seed(1234)  # a state that no training before this one can have left
    before = torch.random.get_rng_state()
    hsi.train(scene, out=tmp_path / "run", **(small | {"epochs": 1}))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_components_are_those_of_the_training_pixels_or_of_all(run, scene, tmp_path, small):
    pixels = np.asarray(scene.cube)[run.split.train].astype(np.float64)
    np.testing.assert_allclose(run.classifier.reduction.mean_, pixels.mean(0), rtol=1e-9)
    whole = hsi.train(scene, out=tmp_path / "run", pca_fit="scene", **(small | {"epochs": 1}))
    pixels = np.asarray(scene.cube)[scene.valid].astype(np.float64)
    np.testing.assert_allclose(whole.classifier.reduction.mean_, pixels.mean(0), rtol=1e-9)


def test_test_pixels_teach_nothing(scene, tmp_path, small, run):
    """Other labels at test pixels lead to the same weights."""
    labels = scene.labels.copy()
    test = run.split.test
    other = {1: 2, 2: 14, 14: 1}
    labels[test] = [other[each] for each in labels[test].tolist()]
    lied = dataclasses.replace(scene, labels=labels)
    honest = run.classifier.network.state_dict()
    # The split would be another one for these labels, so it is held.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SPLITTING, "split_pixels", lambda *a, **k: run.split)
        misled = hsi.train(lied, out=tmp_path / "run", **small)
    for name, value in misled.classifier.network.state_dict().items():
        assert torch.equal(value, honest[name])
    assert misled.metrics["oa"] != run.metrics["oa"]


def test_blocks_share_no_pixel(scene, tmp_path, small):
    run = hsi.train(scene, out=tmp_path / "run", split="blocks", **(small | {"validation": 0}))
    assert run.metrics["overlap"] == {"contains": 0.0, "shares": 0.0}


def page_of(run):
    """Return the page's text and tags without what only its scripts read."""
    page = (run.path / "report.html").read_text()
    return unescape(re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL))


def test_the_report_says_first_what_the_test_pixels_see_of_the_training(
    run, scene, tmp_path, small
):
    notes = page_of(run).partition("in mind</h2>")[2].partition("</section>")[0]
    assert run.metrics["overlap"]["contains"] == 1
    assert re.findall(r"<li>(.*)</li>", notes) == [
        "Every test pixel has a training pixel inside its patch: the accuracies speak of the "
        "neighbourhood of the training pixels.",
        *run.split.notes,
    ]
    blocks = hsi.train(
        scene, out=tmp_path / "run", split="blocks", **(small | {"validation": 0, "epochs": 1})
    )
    notes = page_of(blocks).partition("in mind</h2>")[2].partition("</section>")[0]
    own = blocks.split.notes
    learned = [note for note in blocks.metrics["notes"] if note not in own]
    assert re.findall(r"<li>(.*)</li>", notes) == [
        "No test pixel's patch shares a pixel with a training patch.", *own,
        *(f"{note[0].upper()}{note[1:]}." for note in learned),
    ]  # fmt: skip
    # There was no validation, and nothing speaks of one.
    assert "validation" in page_of(run)
    assert "validation" not in page_of(blocks)
    assert "Training and test pixels" in page_of(blocks)


def test_the_report_says_that_nothing_was_learned(scene, tmp_path, small):
    idle = small | {"epochs": 1, "learning_rate": 1e-9}
    run = hsi.train(scene, out=tmp_path / "run", **idle)
    [said] = [note for note in run.metrics["notes"] if note not in run.split.notes]
    assert "was learned that" in said
    notes = page_of(run).partition("in mind</h2>")[2].partition("</section>")[0]
    assert f"<li>{said[0].upper()}{said[1:]}.</li>" in notes


def test_the_report_can_be_followed_from_any_folder(scene, tmp_path, small, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = hsi.train(scene, out="a run", **(small | {"epochs": 1}))
    assert f"hsi train --config '{tmp_path}/a run/config.toml'" in page_of(run)


def test_without_a_folder_one_is_made_for_each_run(scene, tmp_path, small, monkeypatch):
    monkeypatch.chdir(tmp_path)
    started = []
    for _ in range(2):
        hsi.train(scene, started=started.append, **(small | {"epochs": 1}))
    first, second = (each.path.as_posix() for each in started)
    assert first == "runs/cube-hybridsn-dw-random-seed0"
    assert second == "runs/cube-hybridsn-dw-random-seed0-2"


def test_a_folder_that_holds_a_run_is_refused_before_any_work(run, scene, small):
    before = {each: each.stat().st_mtime_ns for each in run.path.iterdir()}
    with pytest.raises(RunError, match="already holds a run"):
        hsi.train(scene, out=run.path, **small)
    assert {each: each.stat().st_mtime_ns for each in run.path.iterdir()} == before


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "hybridsm"}, "did you mean 'hybridsn'"),
        ({"mdel": "hybridsn"}, "did you mean 'model'"),
        ({"recipe": "papper"}, "did you mean 'paper'"),
        ({"split": "block"}, "setting 'split'"),
        ({"device": "gpu"}, "device 'gpu' cannot be used"),
        ({"patch_size": 7}, "at least 9"),
        ({"patch_size": 35}, r"35x35 pixels is larger than the scene \(34x40\)"),
        ({"components": 12}, "at least 13"),
        ({"components": 10**9}, "1000000000 components cannot be made of the 20 bands"),
        ({"train": 1.5}, "between 0 and 1"),
        ({"train": 1}, "cannot find 13 components in 3 pixels"),
        ({"train": 5000}, "class 1 has"),
        ({"train": 0.6, "validation": 0.4}, "leave nothing to test"),
    ],
)
def test_settings_that_do_not_fit_leave_nothing_behind(scene, tmp_path, small, changes, words):
    with pytest.raises(UsageError, match=words) as caught:
        hsi.train(scene, out=tmp_path / "run", **(small | changes))
    assert str(caught.value).count("\n") < 5
    assert list(tmp_path.iterdir()) == []


def test_a_scene_without_labels_or_with_one_class(scene, tmp_path, small):
    bare = Scene(name="bare", cube=scene.cube)
    with pytest.raises(UsageError, match=r"bare has no labels to learn from.*labels_key"):
        hsi.train(bare, out=tmp_path / "run", **small)
    one = dataclasses.replace(scene, labels=np.where(scene.labels == 14, 14, 0).astype(np.int32))
    with pytest.raises(UsageError, match=r"one class only \(id 14\)"):
        hsi.train(one, out=tmp_path / "run", **small)
    assert not (tmp_path / "run").exists()


def test_a_class_with_one_pixel_is_named(scene, tmp_path, small):
    labels = scene.labels.copy()
    labels[20, 20] = 77
    with pytest.raises(UsageError, match="class 77 has 1 labelled pixel"):
        hsi.train(dataclasses.replace(scene, labels=labels), out=tmp_path / "run", **small)
    assert not (tmp_path / "run").exists()


def test_a_training_that_diverges_leaves_nothing(scene, tmp_path, small):
    with pytest.raises(HsiError, match="Lower --learning-rate"):
        hsi.train(
            scene, out=tmp_path / "run",
            **small, learning_rate=1e30, schedule="constant", optimizer="adam",
        )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


class Stop:
    """Interrupts a training in the last step of an epoch, when the network has changed again."""

    def __init__(self, *, in_epoch):
        self.in_epoch = in_epoch

    def step(self, done, total):
        if done * SMALL_EPOCHS == total * self.in_epoch:
            raise KeyboardInterrupt

    def epoch(self, epoch, total):
        pass


SMALL_EPOCHS = 6


def test_a_training_that_is_stopped_at_once_leaves_nothing(scene, tmp_path, small):
    with pytest.raises(KeyboardInterrupt) as caught:
        hsi.train(scene, out=tmp_path / "run", progress=Stop(in_epoch=1), **small)
    assert caught.value.__notes__ == [
        f"No epoch was finished, so nothing is left in {tmp_path / 'run'}."
    ]
    assert list(tmp_path.iterdir()) == []


class Snapshots:
    """Keeps the weights that are offered after each epoch of a training."""

    def __init__(self, monkeypatch):
        self.weights = {}
        original = MODULE.fit

        def fit(*arguments, keep, **options):
            def both(network, epoch):
                state = network.state_dict()
                self.weights[epoch.epoch] = {name: value.clone() for name, value in state.items()}
                keep(network, epoch)

            return original(*arguments, keep=both, **options)

        monkeypatch.setattr(MODULE, "fit", fit)


def settle_on(scene, run):
    """Give the network of a run the statistics of its training pixels."""
    settings, classifier = run.settings, run.classifier
    settle(
        classifier.network,
        classifier.components(scene),
        to_targets(scene.labels, classifier.class_ids),
        train=run.split.train,
        recipe=settings.recipe,
        seed=settings.seed,
        device=torch.device("cpu"),
    )


def test_checkpoints_on_the_way_change_nothing(scene, tmp_path, small, monkeypatch, run):
    monkeypatch.setattr("hsi.workflows.kept.CHECKPOINT_SECONDS", -1.0)
    often = hsi.train(scene, out=tmp_path / "run", **small)
    for name, value in run.classifier.network.state_dict().items():
        assert torch.equal(value, often.classifier.network.state_dict()[name]), name


@pytest.mark.parametrize("validation", [0, 0.05])
@pytest.mark.parametrize("seconds", [-1.0, 1000.0])  # saved before or not
def test_a_training_that_is_stopped_later_leaves_a_classifier(
    scene, tmp_path, small, monkeypatch, seconds, validation
):
    monkeypatch.setattr("hsi.workflows.kept.CHECKPOINT_SECONDS", seconds)
    offered = Snapshots(monkeypatch).weights
    changes = {"seed": 3, "validation": validation}
    with pytest.raises(KeyboardInterrupt) as caught:
        hsi.train(scene, out=tmp_path / "run", progress=Stop(in_epoch=3), **(small | changes))
    run = hsi.Run(tmp_path / "run")
    assert not run.trained
    # The weights of the last epoch or, with validation, of that which did best.
    best = max(offered)
    assert validation or best == 2
    network = run.classifier.network
    left = {name: value.clone() for name, value in network.state_dict().items()}
    network.load_state_dict(offered[best])
    settle_on(scene, run)
    for name, value in network.state_dict().items():
        # Weights from a file lie otherwise in memory, and convolutions round otherwise.
        margin = 1e-4 if "running" in name else 0.0
        torch.testing.assert_close(value, left[name], rtol=margin, atol=margin, msg=name)
    (note,) = caught.value.__notes__
    assert f"epoch {best} are kept" in note
    assert f"`hsi evaluate {run.path}`" in note
    with pytest.raises(RunError, match="did not finish"):
        _ = run.metrics
    assert 0 <= hsi.evaluate(run, device="cpu")["oa"] <= 1
    with pytest.raises(RunError, match="already holds a run"):
        hsi.train(scene, out=tmp_path / "run", **small)


def test_the_name_of_a_scene_does_not_lead_out_of_runs(scene, small, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    made = dataclasses.replace(scene, name="../../evil")
    run = hsi.train(made, **(small | {"epochs": 1}))
    assert run.path == Path("runs/evil-hybridsn-dw-random-seed0")
    assert [each.name for each in tmp_path.iterdir()] == ["here"]


@pytest.mark.parametrize("out", ["", "caf\udce9/run"])
def test_a_folder_that_cannot_be_written_down(scene, small, tmp_path, monkeypatch, out):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"^out is"):
        hsi.train(scene, out=out, **small)
    assert not list(tmp_path.iterdir())


def test_labels_of_test_pixels_are_never_learned_from(scene, tmp_path, small):
    """Only the map's accuracy may change when the test's labels are scrambled."""
    split = hsi.split_pixels(scene.labels, train=0.2, validation=0.1, valid=scene.valid)
    scrambled = scene.labels.copy()
    tested = scrambled[split.test]
    scrambled[split.test] = np.random.default_rng(0).permutation(tested)
    runs = [
        hsi.train(
            dataclasses.replace(scene, labels=labels), pixels=split, out=tmp_path / name, **small
        )
        for name, labels in (("right", scene.labels), ("wrong", scrambled))
    ]
    weights = [(run.path / "model.safetensors").read_bytes() for run in runs]
    assert weights[0] == weights[1]
    assert runs[0].metrics["oa"] != runs[1].metrics["oa"]


def test_a_split_that_is_handed_over_is_used_as_it_is(scene, tmp_path, small):
    split = hsi.split_pixels(scene.labels, train=0.3, seed=5, patch_size=25, valid=scene.valid)
    run = hsi.train(scene, pixels=split, out=tmp_path / "run", report=False, **small)
    for name in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(run.split, name), getattr(split, name))
    assert run.split.patch_size == small["patch_size"]
    other = hsi.Split(
        train=split.train[:9], validation=split.validation[:9], test=split.test[:9],
        method="mine", seed=0, patch_size=9,
    )  # fmt: skip
    with pytest.raises(UsageError, match="the split is of a scene of"):
        hsi.train(scene, pixels=other, out=tmp_path / "no", **small)
    other = dataclasses.replace(split, train=split.train | ~scene.valid)
    with pytest.raises(UsageError, match="15 pixels of the split are without a label or without"):
        hsi.train(scene, pixels=other, out=tmp_path / "no", **small)
    assert not (tmp_path / "no").exists()


def test_without_a_report_a_run_still_maps_and_compares(scene, tmp_path, small):
    run = hsi.train(scene, out=tmp_path / "run", report=False, **small)
    assert {each.name for each in run.path.iterdir()} == {
        "config.toml", "split.npz", "model.safetensors", "history.csv", "metrics.json",
        "class_map.tif", "class_map.tif.aux.xml", "class_map.qml", "class_map.json", "SHA256SUMS",
    }  # fmt: skip
    full = hsi.train(scene, out=tmp_path / "full", **small)
    assert without_times(full.metrics) == without_times(run.metrics)
    assert (full.path / "class_map.tif").read_bytes() == (run.path / "class_map.tif").read_bytes()


def test_all_bands_are_scaled_over_the_training_pixels(scene, tmp_path, small):
    settings = small | {"reduction": "bands", "components": None}
    run = hsi.train(scene, out=tmp_path / "run", **settings)
    pixels = scene.cube[run.split.train].astype(np.float64)
    scaler = run.classifier.reduction
    np.testing.assert_allclose(scaler.mean_, pixels.mean(0), rtol=1e-9)
    np.testing.assert_allclose(scaler.explained_variance_, pixels.var(0, ddof=1), rtol=1e-9)
    assert run.metrics["bands"] == scene.bands
    assert "all bands, scaled" in (run.path / "report.html").read_text()
    np.testing.assert_array_equal(run.map(scene), hsi.Run(run.path).map(scene))
