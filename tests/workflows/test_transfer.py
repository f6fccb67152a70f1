"""`hsi.transfer`: what a finished run holds, what it says of itself, what misuse leaves."""

import csv
import json
import re
import shutil
from html import unescape
from importlib import import_module

import numpy as np
import pytest
import torch
from PIL import Image

import hsi
from hsi.errors import HsiError, PhotographError, RunError, UsageError

# Under `hsi.workflows`, the name is that of the function.
MODULE = import_module("hsi.workflows.transfer")


def table(run, name):
    with (run.path / name).open(newline="") as file:
        return list(csv.DictReader(file))


def notes_in_page(run):
    page = unescape((run.path / "report.html").read_text())
    return re.findall(r"<li>(.*)</li>", page.partition("in mind</h2>")[2].partition("</ul>")[0])


def note(run, start):
    (found,) = (each for each in run.metrics["notes"] if each.startswith(start))
    return found


def test_a_finished_run_holds_everything(transferred):
    assert {each.name for each in transferred.path.iterdir()} >= {
        "config.toml", "model.safetensors", "history.csv", "photographs.csv", "metrics.json",
        "report.html",
    }  # fmt: skip
    assert transferred.trained
    assert not (transferred.path / "checkpoint").exists()
    for name in ("confusion.png", "learning_curve.png"):
        with Image.open(transferred.path / name) as picture:
            assert min(picture.size) > 100
    assert transferred.classifier.class_names == ("fire", "moss", "sea")
    assert transferred.settings.backbone == "lenet5"
    assert notes_in_page(transferred) == transferred.metrics["notes"]
    assert "hsi transfer" in (transferred.path / "report.html").read_text()


def test_it_learns(transferred):
    assert transferred.metrics["oa"] > 0.9
    assert transferred.metrics["tested_on"] == "test"
    assert not transferred.metrics["overfit"]
    # Twelve are right, and would be so by chance if the network were right for three of four.
    said = note(transferred, "48 training photographs and 12 for validation cannot tell")
    assert "whether there is an overfit gap" in said
    assert transferred.metrics["guessing"]["test"]["p_value"] < 1e-6
    assert not any("guessing" in each for each in transferred.metrics["notes"])


def test_names_of_files_need_not_be_in_utf8(tmp_path, take_photographs, quick):
    root = take_photographs(tmp_path / "photographs", 4)
    (root / "sea" / "000.png").rename(root / "sea" / "\udcff.png")
    (root / "sea" / "\udcfe.png").write_bytes(b"damaged")
    run = hsi.transfer(root, out=tmp_path / "run", **(quick | {"epochs": 1}))
    assert any("\\udcff.png" in row["photograph"] for row in table(run, "photographs.csv"))
    assert "\\udcfe.png" in unescape((run.path / "report.html").read_text())
    predictions, unreadable = hsi.predict_photographs(run, root)
    assert len(predictions) == 12
    assert len(unreadable) == 1


def test_metrics_follow_from_the_predictions_of_each_photograph(transferred):
    metrics, rows = transferred.metrics, table(transferred, "photographs.csv")
    assert len(rows) == 90
    for name, number in (("train", 48), ("validation", 12), ("test", 30)):
        of_set = [row for row in rows if row["set"] == name]
        right = [row["class"] == row["prediction"] for row in of_set]
        assert metrics[f"{name}_photographs"] == len(of_set) == number
        assert metrics["accuracy"][name] == pytest.approx(np.mean(right))
    assert metrics["oa"] == metrics["accuracy"]["test"]
    assert np.sum(metrics["confusion"]) == 30
    assert [each["photographs"] for each in metrics["per_class"]] == [10, 10, 10]
    json.dumps(metrics, allow_nan=False)
    assert metrics["parameters"] == metrics["trained_parameters"] == 61_411


def test_validation_is_drawn_from_each_class(transferred):
    rows = [row for row in table(transferred, "photographs.csv") if row["set"] == "validation"]
    assert [row["class"] for row in rows] == ["fire"] * 4 + ["moss"] * 4 + ["sea"] * 4
    assert all(row["photograph"].startswith("train/") for row in rows)


def test_other_photographs_are_classified_as_those_of_the_run(transferred, photographs):
    """One transform and one mode for all; and nothing depends on what else is in a batch."""
    rows = {row["photograph"]: row for row in table(transferred, "photographs.csv")}
    given = [photographs / "train" / "sea", photographs / "test" / "fire" / "003.png"]
    predictions, unreadable = hsi.predict_photographs(transferred, given, device="cpu")
    assert unreadable == []
    assert len(predictions) == 21
    for each in predictions:
        row = rows[each.path.relative_to(photographs).as_posix()]
        assert each.name == row["prediction"]
        assert each.probability == pytest.approx(float(row["probability"]), abs=2e-6)
        assert sum(each.probabilities.values()) == pytest.approx(1)
        assert max(each.probabilities, key=each.probabilities.get) == each.name


@pytest.mark.parametrize("folder", [".", "train"])
def test_the_test_is_not_seen_before_the_end(photographs, quick, tmp_path, monkeypatch, folder):
    """And only with a test does the validation choose."""
    seen = {}
    original = MODULE.fit_photographs

    def fit(classifier, images, targets, **options):
        seen.update(images=len(images), targets=len(targets), choose=options["choose"])
        return original(classifier, images, targets, **options)

    monkeypatch.setattr(MODULE, "fit_photographs", fit)
    hsi.transfer(photographs / folder, out=tmp_path / "run", **(quick | {"epochs": 1}))
    assert seen == {"images": 60, "targets": 60, "choose": folder == "."}


def test_the_epoch_that_did_best_on_validation_is_kept_if_there_is_a_test(transferred):
    best = max(float(row["validation_accuracy"]) for row in table(transferred, "history.csv"))
    assert transferred.metrics["accuracy"]["validation"] == pytest.approx(best)


def test_without_a_test_the_validation_chooses_nothing(photographs, quick, tmp_path):
    run = hsi.transfer(
        photographs / "train", out=tmp_path / "run", **(quick | {"epochs": 3, "validation": 0.5})
    )
    metrics, history = run.metrics, table(run, "history.csv")
    assert metrics["tested_on"] == "validation"
    assert metrics["accuracy"]["test"] is None
    assert (metrics["train_photographs"], metrics["validation_photographs"]) == (30, 30)
    # The last epoch, be it better or worse than those before.
    assert metrics["oa"] == pytest.approx(float(history[-1]["validation_accuracy"]))
    assert note(run, "There is no test folder")


def test_validation_photographs_of_their_own(photographs, take_photographs, quick, tmp_path):
    shutil.copytree(photographs, tmp_path / "images")
    take_photographs(tmp_path / "images" / "val", 3, seed=5)
    run = hsi.transfer(tmp_path / "images", out=tmp_path / "run", **(quick | {"epochs": 1}))
    rows = table(run, "photographs.csv")
    of_set = {row["photograph"].partition("/")[0]: row["set"] for row in rows}
    assert of_set == {"train": "train", "val": "validation", "test": "test"}
    with pytest.raises(UsageError, match="val holds the validation photographs"):
        hsi.transfer(tmp_path / "images", out=tmp_path / "b", **(quick | {"validation": 0.3}))
    # A run can be run again from its own settings.
    again = hsi.transfer(tmp_path / "images", run.settings, out=tmp_path / "b", device="cpu")
    assert again.metrics["confusion"] == run.metrics["confusion"]


@pytest.fixture(scope="module")
def learned(transferred, tmp_path_factory):
    """A file with the weights of a network of ten classes that tells colours apart."""
    state = transferred.classifier.network.state_dict()
    last = transferred.classifier.network.last_layer
    state[f"{last}.weight"], state[f"{last}.bias"] = torch.zeros(10, 84), torch.zeros(10)
    path = tmp_path_factory.mktemp("weights") / "lenet5.pth"
    torch.save(state, path)
    return path


def test_frozen_features_of_a_file_of_weights(photographs, learned, quick, tmp_path, monkeypatch):
    monkeypatch.chdir(learned.parent)
    run = hsi.transfer(
        photographs, out=tmp_path / "run",
        **(quick | {"weights": "lenet5.pth", "freeze": "features", "learning_rate": 0.05}),
    )  # fmt: skip
    metrics = run.metrics
    assert metrics["oa"] > 0.9
    assert metrics["trained_parameters"] == 84 * 3 + 3
    assert metrics["parameters"] == 61_411
    assert metrics["weights"].startswith("8 of 10 tensors from lenet5.pth")
    page = (run.path / "report.html").read_text()
    assert "255 of 61,411 parameters trained" in page
    assert "8 of 10 tensors from lenet5.pth" in page
    last = run.classifier.network.last_layer
    given = torch.load(learned)
    for name, value in run.classifier.network.state_dict().items():
        assert name.startswith(last) or torch.equal(value, given[name])
    # The file is found again from anywhere.
    assert run.settings.weights == str(learned)


def test_what_the_weights_lack_is_not_frozen(photographs, learned, quick, tmp_path):
    changes = quick | {"weights": learned, "freeze": "features", "attention": "se"}
    with pytest.raises(UsageError, match=r"(?s)the weights lack .*--freeze none"):
        hsi.transfer(photographs, out=tmp_path / "run", **changes)
    assert list(tmp_path.iterdir()) == []


def test_published_weights_are_standardised_as_they_were_learned(
    photographs, learned, quick, tmp_path, monkeypatch
):
    monkeypatch.setattr("hsi.backbones.weights.locate_weights", lambda name: learned)
    run = hsi.transfer(
        photographs, out=tmp_path / "run", **(quick | {"weights": "imagenet", "epochs": 1})
    )
    assert run.settings.weights == "imagenet"
    assert (run.classifier.mean, run.classifier.std) == (
        (0.485, 0.456, 0.406), (0.229, 0.224, 0.225),
    )  # fmt: skip


@pytest.mark.parametrize("augmentation", ["none", "crop-flip-color"])
def test_equal_seeds_give_equal_bits(photographs, quick, tmp_path, augmentation):
    changes = quick | {"epochs": 2, "augmentation": augmentation}
    weights = {}
    for name, seed in (("one", 3), ("same", 3), ("other", 4)):
        torch.manual_seed(len(name))  # which is nobody's business
        run = hsi.transfer(photographs, out=tmp_path / name, seed=seed, **changes)
        weights[name] = run.classifier.network.state_dict()
    assert all(torch.equal(value, weights["same"][name]) for name, value in weights["one"].items())
    assert not all(
        torch.equal(value, weights["other"][name]) for name, value in weights["one"].items()
    )
    assert (tmp_path / "one" / "photographs.csv").read_text() == (
        tmp_path / "same" / "photographs.csv"
    ).read_text()


def test_a_network_that_learned_by_heart_is_told(take_photographs, quick, tmp_path):
    """Noise of one colour: what is learned of it cannot hold for other noise."""
    grey = ("left", "right")
    take_photographs(tmp_path / "images" / "train", 20, classes=grey)
    take_photographs(tmp_path / "images" / "test", 40, classes=grey, seed=1)
    run = hsi.transfer(
        tmp_path / "images", out=tmp_path / "run", **(quick | {"epochs": 60, "validation": 0.0})
    )
    metrics = run.metrics
    assert metrics["overfit"]
    assert metrics["accuracy"]["train"] - metrics["oa"] > 0.3
    assert metrics["guessing"]["test"]["p_value"] > 0.05
    (guessed,) = (each for each in metrics["notes"] if "better than guessing" in each)
    assert "fresh weights on few photographs" in guessed
    said = note(run, "Overfit:")
    assert f"{100 * metrics['accuracy']['train']:.1f} % of the training" in said
    assert f"{100 * metrics['oa']:.1f} % of the test photographs are right" in said
    assert "measured in the same way" in said
    gap = metrics["gaps"]["train-test"]
    assert 0 < gap["low"] < gap["difference"] < gap["high"]


def test_a_test_of_another_kind_is_told_apart_from_overfitting(
    photographs, take_photographs, quick, tmp_path
):
    images = tmp_path / "images"
    shutil.copytree(photographs / "train", images / "train")
    # Whoever made the test confused two classes.
    shutil.copytree(photographs / "test" / "fire", images / "test" / "sea")
    shutil.copytree(photographs / "test" / "sea", images / "test" / "fire")
    run = hsi.transfer(images, out=tmp_path / "run", **quick)
    assert run.metrics["oa"] < 0.2
    assert not run.metrics["overfit"]
    assert note(run, "48 training photographs and 12 for validation cannot tell")
    assert "always answering" in note(run, "No better than guessing:")
    assert "of another kind" in note(run, "The test differs:")
    assert "moss" in note(run, "The classes of test are not those of train.")
    # The surest mistakes are shown.
    with Image.open(run.path / "mistakes.png") as picture:
        assert picture.size[0] > 5 * 256
    assert "taken for another class" in (run.path / "report.html").read_text()


def test_batch_norms_that_do_not_fit_yet_are_told(photographs, quick, tmp_path):
    """In training mode, each batch is its own measure; the running statistics come late."""
    run = hsi.transfer(
        photographs,
        out=tmp_path / "run",
        **(quick | {"backbone": "mobilenet_v1_x0_25", "size": 32, "small_stem": True, "epochs": 8}),
    )
    assert float(table(run, "history.csv")[-1]["loss"]) < 0.8
    assert run.metrics["accuracy"]["train"] < 0.6
    assert note(run, "The network does worse in evaluation mode")


@pytest.fixture(scope="module")
def faulty(tmp_path_factory, photographs):
    """A folder with every fault that the report knows, and its run."""
    images = tmp_path_factory.mktemp("faulty") / "images"
    shutil.copytree(photographs, images)
    train, test = images / "train", images / "test"
    (train / "rust").mkdir()
    shutil.rmtree(test / "moss")
    shutil.copytree(photographs / "test" / "moss", test / "weed")
    for place in range(3):
        shutil.copy(train / "sea" / f"00{place}.png", test / "sea" / f"copy {place}.png")
    # The same pixels in another format, under another name.
    Image.open(train / "fire" / "000.png").save(test / "fire" / "other.bmp")
    shutil.copy(train / "fire" / "001.png", train / "moss" / "wrong.png")
    shutil.copy(train / "fire" / "002.png", train / "fire" / "twice.png")
    whole = (train / "fire" / "003.png").read_bytes()
    (train / "fire" / "003.png").write_bytes(whole[: len(whole) // 2])
    (test / "sea" / "page.jpg").write_text("<html>404</html>")
    (images / "notes").mkdir()
    settings = {"backbone": "lenet5", "size": 44, "augmentation": "none", "epochs": 2}
    run = hsi.transfer(images, out=images.parent / "run", device="cpu", **settings)
    return run, run.metrics


def test_classes_that_differ_are_named_with_both_lists(faulty):
    run, metrics = faulty
    assert metrics["class_differences"] == {
        "test": {
            "train": ["fire", "moss", "sea"], "other": ["fire", "sea", "weed"],
            "missing": ["moss"], "extra": ["weed"], "shifted": ["sea"], "left_out": 10,
        }
    }  # fmt: skip
    said = note(run, "The classes of test are not those of train.")
    assert "In train: fire, moss, sea. In test: fire, sea, weed." in said
    assert "not tested: moss" in said
    assert "weed (10 photographs, left out)" in said
    assert "would take another class for sea" in said
    assert metrics["test_photographs"] == 20 + 4
    assert metrics["per_class"][1]["accuracy"] is None
    left_out = [row for row in table(run, "photographs.csv") if row["class"] == "weed"]
    assert len(left_out) == 10
    assert {row["prediction"] for row in left_out} <= {"fire", "moss", "sea"}


def test_copies_are_found_by_their_pixels(faulty):
    run, metrics = faulty
    assert metrics["copies_of_training"] == {
        "validation": [],
        "test": ["test/fire/other.bmp", *(f"test/sea/copy {place}.png" for place in range(3))],
    }
    said = note(run, "4 of 24 test photographs had a part in the training")
    assert "test/fire/other.bmp, which is train/fire/000.png" in said
    rows = [row for row in table(run, "photographs.csv") if row["set"] == "test"]
    known = [row for row in rows if row["class"] != "weed"]
    others = [
        row for row in known if row["photograph"] not in metrics["copies_of_training"]["test"]
    ]
    right = np.mean([row["class"] == row["prediction"] for row in others])
    assert len(others) == 20
    same = "the same: " if right == metrics["oa"] else ""
    assert f"Without them, the accuracy is {same}{100 * right:.1f} %" in said


def test_copies_within_the_training(faulty):
    run, metrics = faulty
    assert metrics["conflicting_copies"] == [["train/fire/001.png", "train/moss/wrong.png"]]
    assert "train/fire/001.png = train/moss/wrong.png" in note(run, "1 photograph in the training")
    assert metrics["repeated_in_training"] == 1
    sets = {row["photograph"]: row["set"] for row in table(run, "photographs.csv")}
    assert sets["train/fire/002.png"] == sets["train/fire/twice.png"]
    assert sets["train/fire/001.png"] == sets["train/moss/wrong.png"] == "train"


def test_files_that_cannot_be_read_are_skipped_counted_and_named(faulty):
    run, metrics = faulty
    assert [each["photograph"] for each in metrics["unreadable"]] == [
        "train/fire/003.png", "test/sea/page.jpg",
    ]  # fmt: skip
    said = note(run, "2 files could not be read and were skipped: ")
    assert "train/fire/003.png (" in said
    assert "test/sea/page.jpg (it is no photograph" in said
    assert len(table(run, "photographs.csv")) == 90 + 4 + 2 - 1


def test_the_rest_that_is_odd(faulty):
    run, metrics = faulty
    assert any("notes is neither train" in each for each in metrics["notes"])
    assert note(run, "Folders without photographs make no class: train/rust.")
    assert metrics["enlarged"] == len(table(run, "photographs.csv"))  # they are 40 high
    assert "less than 44 pixels" in note(run, "95 of 95 photographs")
    assert notes_in_page(run) == metrics["notes"]


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"backbone": "lenet"}, UsageError, "did you mean 'lenet5'"),
        ({"backbne": "lenet5"}, UsageError, "did you mean 'backbone'"),
        ({"freeze": "all"}, UsageError, r"'freeze' \(--freeze\)"),
        ({"freeze": "features"}, UsageError, "add weights"),
        ({"size": 4}, UsageError, r"'size' \(--size\)"),
        ({"backbone": "vgg11", "size": 16}, UsageError, "16x16 pixels do not go through vgg11"),
        ({"size": 10**8}, UsageError, "do not go through lenet5.*\nChoose another size"),
        ({"validation": 1.0}, UsageError, "validation"),
        ({"augmentation": "flip"}, UsageError, "'crop-flip'"),
        ({"attention": "sse"}, UsageError, "did you mean 'se'"),
        ({"device": "gpu"}, UsageError, "device 'gpu'"),
        ({"out": ""}, UsageError, "out is empty"),
        ({"learning_rate": 1e30, "schedule": "constant"}, HsiError, "Lower --learning-rate"),
    ],
)
def test_settings_that_do_not_fit_leave_nothing(
    photographs, quick, tmp_path, changes, error, words
):
    with pytest.raises(error, match=words) as caught:
        hsi.transfer(photographs, **({"out": tmp_path / "run"} | quick | {"epochs": 2} | changes))
    assert str(caught.value).count("\n") < 5
    assert list(tmp_path.iterdir()) == []


def test_folders_that_do_not_fit_leave_nothing(photographs, quick, tmp_path):
    images = tmp_path / "images"
    cases = [(images, PhotographError, "not there")]
    shutil.copytree(photographs / "train", images / "train")
    shutil.copytree(photographs / "test" / "sea", images / "test" / "lake")
    cases += [(images, UsageError, "have no class in common")]
    broken = tmp_path / "broken"
    shutil.copytree(photographs / "train", broken)
    for path in (broken / "sea").iterdir():
        path.write_bytes(b"")
    cases += [(broken, PhotographError, "no photograph in .*sea could be read")]
    for name in ("validation", "test"):
        folder = tmp_path / f"broken-{name}"
        shutil.copytree(photographs / "train", folder / "train")
        shutil.copytree(photographs / "test", folder / name)
        for path in (folder / name).rglob("*.png"):
            path.write_bytes(b"")
        cases += [(folder, PhotographError, f"nothing can be tested on .*{name}")]
    single = tmp_path / "single"
    shutil.copytree(photographs / "train", single)
    for path in sorted((single / "sea").iterdir())[1:]:
        path.unlink()
    cases += [(single, UsageError, "'sea' has 1 photograph to choose")]
    cases[0] = (tmp_path / "none", PhotographError, "not there")
    for folder, error, words in cases:
        with pytest.raises(error, match=words) as caught:
            hsi.transfer(folder, out=tmp_path / "run", **quick)
        assert str(caught.value).count("\n") < 5
        assert not (tmp_path / "run").exists()
    with pytest.raises(UsageError, match="nothing would be left to test on"):
        hsi.transfer(single, out=tmp_path / "run", **(quick | {"validation": 0.0}))


def test_a_run_folder_that_is_taken_is_refused(transferred, photographs, quick):
    with pytest.raises(RunError, match="already holds a run"):
        hsi.transfer(photographs, out=transferred.path, **quick)


class Stop:
    """Interrupts a training in the middle of an epoch."""

    def __init__(self, *, after):
        self.after = after

    def step(self, done, total):
        if done / total > self.after:
            raise KeyboardInterrupt

    def epoch(self, epoch, total):
        pass


def test_a_training_that_is_stopped(photographs, quick, tmp_path):
    with pytest.raises(KeyboardInterrupt) as caught:
        hsi.transfer(photographs, out=tmp_path / "a", progress=Stop(after=0), **quick)
    assert "nothing is left" in caught.value.__notes__[0]
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyboardInterrupt) as caught:
        hsi.transfer(photographs, out=tmp_path / "b", progress=Stop(after=0.5), **quick)
    assert "`hsi transfer predict" in caught.value.__notes__[0]
    run = hsi.TransferRun(tmp_path / "b")
    assert not run.trained
    predictions, _ = hsi.predict_photographs(run, photographs / "test", device="cpu")
    assert len(predictions) == 30
    with pytest.raises(RunError, match="did not finish"):
        _ = run.metrics


def test_runs_of_scenes_and_of_photographs_are_told_apart(run, transferred, photographs):
    with pytest.raises(RunError, match=r"lacks the table \[scene\].*`hsi transfer`"):
        hsi.map_scene(hsi.Run(transferred.path))
    with pytest.raises(RunError, match=r"lacks the table \[photographs\].*`hsi train`"):
        hsi.predict_photographs(hsi.TransferRun(run.path), photographs)


def test_photographs_to_classify_that_are_not_there(transferred, tmp_path):
    with pytest.raises(PhotographError, match="none: it is not there"):
        hsi.predict_photographs(transferred, tmp_path / "none")
    with pytest.raises(PhotographError, match="no photographs in"):
        hsi.predict_photographs(transferred, tmp_path)


def test_what_is_not_there_is_skipped_and_the_rest_is_named_as_given(
    transferred, photographs, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(photographs / "test" / "sea", "sea")
    (tmp_path / "sea" / "more").symlink_to(photographs / "test" / "moss")
    given = ["sea/001.png", "none.png", "sea", photographs / "test" / "fire" / "000.png"]
    predictions, unreadable = hsi.predict_photographs(transferred, given, device="cpu")
    assert [str(each.path) for each in predictions] == [
        "sea/001.png", *(f"sea/00{i}.png" for i in range(10)), str(given[-1]),
    ]  # fmt: skip
    assert [(str(each.path), each.reason) for each in unreadable] == [
        ("none.png", "it is not there"), ("sea/more", "a link, which is not followed"),
    ]  # fmt: skip
    monkeypatch.setenv("HOME", str(tmp_path))
    predictions, _ = hsi.predict_photographs(transferred, "~/sea/001.png", device="cpu")
    assert predictions[0].path == tmp_path / "sea" / "001.png"


def test_the_report_has_the_whole_recipe(transferred):
    recipe, history = transferred.metrics["recipe"], table(transferred, "history.csv")
    assert recipe == {
        "optimizer": "adamw", "learning_rate": 5e-3, "schedule": "one-cycle", "weight_decay": 0.01,
        "label_smoothing": 0.0, "epochs": 12, "batch_size": 16, "largest_batch": 16, "steps": 36,
        "precision": "full (float32)", "augmentation": "none", "freeze": "none", "size": 28,
        "seed": 0,
    }  # fmt: skip
    assert float(history[0]["learning_rate"]) == pytest.approx(5e-4)
    page = unescape((transferred.path / "report.html").read_text())
    for label, value in (
        ("Optimizer", "AdamW, weight decay 0.01, cross-entropy with labels as they are"),
        ("Learning rate", "one cycle: from 0.0005 up to 0.005 in the first 20 % of the steps"),
        ("Batches", "3 steps an epoch, of 16 photographs at most (batch size 16"),
        ("Precision", "full (float32)"),
        ("Augmentation", "none"),
        ("Validation", "drawn from the training folder, a share of 0.2 of each class"),
        ("Training", "12 epochs in "),
    ):
        assert f'<th scope="row">{label}</th><td>{value}' in page
    kept = transferred.metrics["kept_epoch"]
    assert f"those of epoch {kept}, best on the validation" in page
    accuracies = [float(row["validation_accuracy"]) for row in history]
    assert accuracies[kept - 1] == max(accuracies)


def test_mistakes_are_shown_as_the_network_sees_them(photographs, quick, tmp_path, monkeypatch):
    """Not with the margin that photographs are kept with; and with the folder of their class."""
    drawn = []
    module = import_module("hsi.workflows.photograph_products")
    original = module.contact_sheet
    monkeypatch.setattr(
        module, "contact_sheet", lambda shown: drawn.extend(shown) or original(shown)
    )
    images = tmp_path / "images"
    shutil.copytree(photographs / "train", images / "train")
    shutil.copytree(photographs / "test" / "fire", images / "test" / "sea")
    hsi.transfer(images, out=tmp_path / "run", **(quick | {"size": 70, "epochs": 1}))
    assert drawn
    for each in drawn:
        assert each.image.shape == (70, 70, 3)
        assert each.source.startswith("sea/0")


def test_what_lies_aside_is_told(take_photographs, quick, tmp_path):
    images = take_photographs(tmp_path / "images", 6)
    shutil.copy(images / "sea" / "000.png", images / "stray.png")
    take_photographs(tmp_path / "more", 2)
    (images / "sea" / "link").symlink_to(tmp_path / "more")
    run = hsi.transfer(images, out=tmp_path / "run", **(quick | {"epochs": 1}))
    assert note(
        run, f"1 photograph in {images} is in no folder of a class, and not used: stray.png."
    )
    assert note(run, "1 folder was not looked into: sea/link (a link, which is not followed).")
    assert run.metrics["not_entered"] == [
        {"folder": "sea/link", "reason": "a link, which is not followed"}
    ]
    assert len(table(run, "photographs.csv")) == 18


def test_without_a_folder_one_is_made(photographs, quick, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = hsi.transfer(photographs, **(quick | {"epochs": 1}))
    assert run.path.as_posix() == f"runs/{photographs.name}-lenet5-seed0"
