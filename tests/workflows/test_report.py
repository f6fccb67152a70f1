"""`write_report`: the page of a run again, and that of another scene."""

import dataclasses
import json
import re
import shutil
from html import unescape

import numpy as np
import pytest
import torch

import hsi
from hsi.errors import RunError, UsageError
from hsi.mapping import top_probability
from hsi.training import Settings
from hsi.workflows import write_report
from hsi.workflows.mapped import map_and_confidence
from hsi.workflows.recipe import recipe_in_words


def text_of(page):
    return unescape(re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL))


def data_of(page):
    return json.loads(re.search(r'id="hsi-data">(.*?)</script>', page).group(1))


@pytest.fixture
def copied(run, tmp_path):
    return hsi.Run(shutil.copytree(run.path, tmp_path / "copy"))


def test_made_again_it_is_what_the_training_made(copied, run):
    before = (copied.path / "report.html").read_text()
    (copied.path / "report.html").unlink()
    path = write_report(copied, device="cpu")
    assert path == copied.path / "report.html"
    after = path.read_text()
    # It says where it lies, which is another folder, and its first picture has a title of its own.
    assert without_map(after).replace(str(copied.path), str(run.path)) == without_map(before)


def without_map(page):
    return re.sub(r'<img alt="Class map[^>]*>', "", page)


def test_nothing_else_in_the_run_is_touched(copied):
    before = {each: each.stat().st_mtime_ns for each in copied.path.iterdir()}
    write_report(copied, device="cpu")
    after = {each: each.stat().st_mtime_ns for each in copied.path.iterdir()}
    assert {each.name for each in after if after[each] != before.get(each)} == {
        "report.html", "SHA256SUMS",
    }  # fmt: skip


def test_it_has_the_whole_recipe_the_area_and_the_audit_under_the_split(run):
    text = text_of((run.path / "report.html").read_text())
    for label in (
        "Bands", "Whitening", "Attention", "Norm", "Dropout", "Length", "Batches", "Optimizer",
        "Learning rate", "Augmentation", "Label smoothing", "Class balance", "Precision", "Seed",
    ):  # fmt: skip
        assert f'<th scope="row">{label}</th>' in text
    assert "6 epochs" in text
    assert "<h2>Areas</h2>" in text
    assert "test pixels. Every test pixel has a training pixel inside its patch" in text


def test_the_data_are_those_of_the_run(run):
    data = data_of((run.path / "report.html").read_text())
    assert data["charts"]["confusion"]["counts"] == run.metrics["confusion"]
    assert len(data["charts"]["history"]) == run.metrics["epochs"]
    assert data["patch_size"] == run.settings.patch_size
    assert [each["id"] for each in data["classes"]] == [1, 2, 14]


def test_another_scene_is_tested_by_all_of_its_labels(copied, write_scene, tmp_path):
    files = write_scene(tmp_path / "other", seed=3)
    scene = hsi.load_scene(files / "cube.npy", labels=files / "truth.npy")
    path = write_report(copied, scene, device="cpu")
    assert path == copied.path / "maps" / "cube" / "report.html"
    text = text_of(path.read_text())
    assert "This is not the scene that the network was trained on." in text
    tested = int(((scene.labels > 0) & scene.valid).sum())
    assert f"On {tested:,} test pixels." in text
    found = copied.classifier.class_map(scene, device="cpu")
    assert "All labelled pixels are tested, and neighbours are alike" in text
    assert "Confusion matrix of the test pixels" in text
    right = (found == scene.labels)[(scene.labels > 0) & scene.valid].mean()
    assert f"{100 * right:.2f} %" in text
    command = re.search(r"<pre><code>(.*?)</code>", text).group(1)
    assert command == (
        f"hsi report {copied.path} --scene {files / 'cube.npy'} --labels {files / 'truth.npy'}"
    )


def test_classes_that_the_network_does_not_know_do_not_count(copied, scene):
    labels = scene.labels.copy()
    strange = (labels == 2) & (np.arange(scene.cols) < 20)
    labels[strange] = 77
    other = dataclasses.replace(scene, labels=labels, source={}, class_names={}, class_colors={})
    text = text_of(write_report(copied, other, device="cpu").read_text())
    count = int((strange & scene.valid).sum())
    assert f"{count:,} labelled pixels are of classes that it does not know" in text
    assert f"On {int(((labels > 0) & ~strange & scene.valid).sum()):,} test pixels." in text


def test_another_scene_in_which_nothing_holds(copied, scene):
    first, second, third = copied.classifier.class_ids.tolist()
    labels = scene.labels.copy()
    for known, called in ((first, second), (second, third), (third, first)):
        labels[scene.labels == known] = called
    other = dataclasses.replace(scene, labels=labels, source={}, class_names={}, class_colors={})
    text = text_of(write_report(copied, other, device="cpu").read_text())
    assert "hardly anything was learned that holds there." in text

    cube = np.broadcast_to(np.float32(scene.cube[10, 10]), scene.cube.shape)
    inner = np.zeros_like(labels)
    side = copied.settings.patch_size // 2  # at the edges, patches are others
    within = (slice(side, -side),) * 2
    inner[within] = labels[within]
    other = dataclasses.replace(other, cube=cube, labels=inner)
    text = text_of(write_report(copied, other, device="cpu").read_text())
    assert "what was learned tells no classes apart there." in text
    assert "a network may need more" not in text


def test_a_scene_without_labels_has_a_map_and_no_accuracies(copied, scene, tmp_path):
    other = dataclasses.replace(scene, labels=None, source={})
    path = write_report(copied, other, out=tmp_path / "new" / "page.html", device="cpu")
    page = path.read_text()
    assert "Overall accuracy" not in text_of(page)
    assert data_of(page)["basis"] == "mapped"
    assert "confusion" not in data_of(page)["charts"]


def test_the_scene_of_the_training_by_another_name_is_not_called_another(copied, scene, tmp_path):
    np.save(tmp_path / "copy.npy", np.asarray(scene.cube))
    other = hsi.load_scene(tmp_path / "copy.npy", labels=scene.source["labels"])
    text = text_of(write_report(copied, other, device="cpu").read_text())
    assert "These are the pixels of the scene that the network was trained on" in text
    assert "This is not the scene" not in text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.npy", "was trained on this scene"), ("b.npy", "not unseen"),
        ("c.npy", "of the run's own test"), ("d.npy", "is not the scene"),
    ],
)  # fmt: skip
def test_scenes_of_a_run_of_several_are_told_apart(copied, scene, name, expected):
    roles = {"a.npy": "train", "b.npy": "validation", "c.npy": "test"}
    parts = [{"dataset": f"/lines/{each}", "role": role} for each, role in roles.items()]
    copied.config["scene"] = {"parts": parts, "gap": 8}
    cube = np.asarray(scene.cube) + 1
    other = dataclasses.replace(scene, cube=cube, source={"dataset": f"/lines/{name}"})
    text = text_of(write_report(copied, other, device="cpu").read_text())
    assert expected in text
    assert "trained on 1 scene" in text


def test_the_run_s_own_scene_is_known_again_by_its_source(copied, scene):
    path = write_report(copied, hsi.load_scene(**scene.source), device="cpu")
    assert path == copied.path / "report.html"
    assert "hsi train --config" in text_of(path.read_text())


def test_what_cannot_be_meant_is_refused(copied, scene, tmp_path):
    with pytest.raises(UsageError, match=r"\.html"):
        write_report(copied, out=tmp_path / "page.pdf", device="cpu")
    taken = tmp_path / "file"
    taken.write_text("")
    with pytest.raises(RunError, match="file is a file, where a folder is to be"):
        write_report(copied, out=taken / "page.html", device="cpu")
    (copied.path / "history.csv").write_text("epoch,loss\n1,abc\n")
    with pytest.raises(RunError, match=r"history\.csv is damaged"):
        write_report(copied, device="cpu")
    (copied.path / "SHA256SUMS").unlink()
    with pytest.raises(RunError, match=r"history\.csv is missing or damaged"):
        write_report(copied, device="cpu")
    (copied.path / "metrics.json").unlink()
    with pytest.raises(RunError, match="did not finish"):
        write_report(copied, device="cpu")


def test_the_confidence_is_the_softmax_of_the_winner():
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 30, (4, 70, 3)).astype(np.float32)
    shares = torch.softmax(torch.from_numpy(scores).double(), dim=0).amax(dim=0)
    np.testing.assert_allclose(top_probability(scores), shares.numpy(), rtol=1e-6)


def test_map_and_confidence_are_those_of_the_classifier(run, scene):
    mapped, seconds = map_and_confidence(run.classifier, scene, device="cpu")
    np.testing.assert_array_equal(mapped.class_map, run.classifier.class_map(scene, device="cpu"))
    shares = torch.softmax(torch.from_numpy(run.classifier.scores(scene, device="cpu")), dim=0)
    expected = np.where(scene.valid, shares.amax(dim=0).numpy(), np.nan)
    np.testing.assert_allclose(mapped.confidence, expected, rtol=1e-4)
    assert seconds > 0


def words(*, pixels=1000, device="cpu", **changes):
    settings = Settings(components=15).changed(**changes)
    return dict(recipe_in_words(settings, train_pixels=pixels, device=torch.device(device)))


def test_the_recipe_says_what_was_resolved():
    said = words()
    assert said["Length"] == "200 steps: 100 epochs of 2"
    assert said["Batches"] == "500 pixels at most (batch size 512, divided evenly)"
    assert said["Learning rate"].startswith("one cycle: from 0.0002 up to 0.002 in the first 20 %")
    assert said["Precision"] == "full (float32)"
    assert said["Optimizer"] == "AdamW, weight decay 0.01"
    paper = words(recipe="paper", pca_fit="scene", whiten=False, norm="none", attention="eca")
    assert paper["Learning rate"] == "0.001, constant"
    assert "those of the test too" in paper["Bands"]
    assert paper["Whitening"].startswith("none: scaled jointly")
    assert paper["Norm"].startswith("none")
    assert paper["Attention"] == "eca"
    # A cycle needs a way up: so few steps are constant.
    assert words(pixels=100, steps=1)["Learning rate"] == "0.002, constant"
    assert words(precision="bf16")["Precision"].startswith("mixed (bfloat16")
