"""The run folder: what is written when, and what becomes of damaged files."""

import csv
import dataclasses
import os

import numpy as np
import pytest

from hsi.errors import RunError, UsageError
from hsi.sampling import split_pixels
from hsi.training import Epoch, Run, Settings, check_free, read_config

SOURCE = {"dataset": "/data/cube.mat", "labels": "/data/gt.mat", "labels_key": "gt"}


@pytest.fixture
def split(field):
    return split_pixels(
        field.labels, train=0.2, validation=3, seed=5, patch_size=9, valid=field.valid
    )


@pytest.fixture
def run(tmp_path, field, split):
    return Run.create(
        tmp_path / "runs" / "first",
        settings=Settings().changed(seed=5, train=0.2, validation=3),
        source=SOURCE,
        split=split,
        labels=field.labels,
    )


@pytest.fixture
def bare(run):
    """A run without sums, so that what reads its files has to find the damage."""
    (run.path / "SHA256SUMS").unlink()
    return run


def test_a_run_tells_what_it_started_from(run, split):
    again = Run(str(run.path))
    assert again.source == SOURCE
    assert again.settings == Settings().changed(seed=5, train=0.2, validation=3)
    for name in ("train", "validation", "test"):
        assert np.array_equal(getattr(again.split, name), getattr(split, name))
    for name in ("method", "seed", "patch_size", "notes"):
        assert getattr(again.split, name) == getattr(split, name)
    assert split.notes
    assert not again.trained


def test_a_scene_without_a_name_cannot_be_opened_again(tmp_path, field, split):
    made = Run.create(
        tmp_path / "run", settings=Settings(), source={}, split=split, labels=field.labels
    )
    with pytest.raises(RunError, match="cannot be opened again"):
        _ = Run(made.path).source


def test_labels_are_known_again(run, field):
    run.check_labels(field.labels.copy(order="F"))
    changed = field.labels.copy()
    changed[-1, -1] = field.class_ids[0]
    for labels in (changed, field.labels.T, field.labels[:-1], None):
        with pytest.raises(RunError, match=r"not those that .*first was split on"):
            Run(run.path).check_labels(labels)


def test_no_run(tmp_path):
    with pytest.raises(RunError, match="nowhere is not there"):
        Run(tmp_path / "nowhere")
    with pytest.raises(RunError, match=r"is no run \(it lacks config\.toml\)"):
        Run(tmp_path)


def create_at(path, field, split):
    return Run.create(path, settings=Settings(), source=SOURCE, split=split, labels=field.labels)


def test_what_is_there_is_never_written_over(run, tmp_path, field, split):
    before = {each: each.read_bytes() for each in run.path.iterdir()}
    with pytest.raises(RunError, match=r"first already holds a run .*\n.*out=, or --out"):
        create_at(run.path, field, split)
    assert {each: each.read_bytes() for each in run.path.iterdir()} == before

    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("mine")
    with pytest.raises(RunError, match="is not empty"):
        create_at(tmp_path / "notes", field, split)
    with pytest.raises(RunError, match="is a file"):
        create_at(tmp_path / "notes" / "a.txt", field, split)
    assert (tmp_path / "notes" / "a.txt").read_text() == "mine"


@pytest.fixture
def begin(tmp_path):
    """Return a function that makes a run with these words in its config."""

    def begin(word, *, before=lambda folder: None):
        return Run.begun(
            tmp_path / "run", {"scene": {"dataset": word}, "settings": {}}, before=before
        )

    return begin


def test_of_two_that_begin_at_once_one_is_refused(begin):
    refused = []

    def meanwhile(folder):
        mine = rf"another process is training in .*: process {os.getpid()} on "
        with pytest.raises(RunError, match=mine):
            begin("second")
        refused.append(folder)

    run = begin("first", before=meanwhile)
    assert refused == [run.path]
    assert run.source == {"dataset": "first"}
    assert {each.name for each in run.path.iterdir()} == {"SHA256SUMS", "config.toml"}


def test_who_comes_second_takes_nothing_from_the_first(begin, monkeypatch, tmp_path):
    """The first begins when the second has seen that the folder is free."""
    looks = []

    def check(path):
        check_free(path)
        looks.append(path)
        if len(looks) == 1:
            begin("first")

    monkeypatch.setattr("hsi.training.run_place.check_free", check)
    with pytest.raises(RunError, match="already holds a run"):
        begin("second")
    assert Run(tmp_path / "run").source == {"dataset": "first"}


def test_a_lock_that_a_killed_process_has_left_is_nobodys(begin, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".lock").write_text("process 1 on elsewhere")
    assert begin("first").source == {"dataset": "first"}
    assert not (tmp_path / "run" / ".lock").exists()


def test_an_empty_folder_can_be_had(tmp_path, field, split):
    (tmp_path / "empty").mkdir()
    check_free(tmp_path / "empty")
    create_at(tmp_path / "empty", field, split)


def test_a_folder_that_cannot_be_made(tmp_path, field, split):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot write the run folder"):
        create_at(tmp_path / "file" / "run", field, split)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", r"lacks the table \[scene\]"),
        ("[scene]\n", r"lacks the table \[settings\]"),
        ("scene = 3\n[settings]", r"lacks the table \[scene\]"),
        ("settings = [1]\n[scene]", r"lacks the table \[settings\]"),
        ("[scene", "no valid TOML"),
        ("[scene]\ndataset = 3\n[settings]", r"dataset = 3 in \[scene\]; expected texts"),
        ("[scene]\nfile = 'a'\n[settings]", r"file = 'a' in \[scene\].*dataset"),
        ("[scene]\nnodata = '0'\n[settings]", "a number nodata"),
        (b"\xff\xfe", "no valid TOML"),
    ],
)
def test_a_damaged_config(bare, text, words):
    content = text if isinstance(text, bytes) else text.encode()
    (bare.path / "config.toml").write_bytes(content)
    with pytest.raises(RunError, match=words):
        _ = Run(bare.path).config


def test_a_config_with_an_impossible_setting(bare):
    path = bare.path / "config.toml"
    path.write_text(path.read_text().replace("seed = 5", "seed = -5"))
    with pytest.raises(UsageError, match="setting 'seed'"):
        _ = Run(bare.path).settings


def test_a_config_that_is_not_there(tmp_path):
    with pytest.raises(RunError, match=r"cannot read .*config\.toml: No such file"):
        read_config(tmp_path / "config.toml")


def test_a_split_cut_off_or_altered_anywhere(run, split):
    path = run.path / "split.npz"
    whole = path.read_bytes()
    places = np.linspace(0, len(whole) - 1, 60).astype(int)
    altered = [
        whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :] for place in places
    ]
    for content in [*(whole[:keep] for keep in places), *altered]:
        path.write_bytes(content)
        with pytest.raises(RunError, match=r"split\.npz is damaged"):
            _ = Run(run.path).split
    # The file by itself: what can be read is what was written.
    (run.path / "SHA256SUMS").unlink()
    refused = 0
    for content in altered:
        path.write_bytes(content)
        try:
            found = Run(run.path).split
        except RunError:
            refused += 1
        else:
            assert np.array_equal(found.train, split.train)
            assert np.array_equal(found.test, split.test)
            assert (found.method, found.seed, found.notes) == (
                split.method, split.seed, split.notes
            )  # fmt: skip
    assert refused > 30


def test_a_split_that_is_not_there(run):
    (run.path / "split.npz").unlink()
    with pytest.raises(RunError, match="missing"):
        _ = Run(run.path).split


@pytest.mark.parametrize(
    "changes",
    [
        {"about": "{}"},
        {"about": "[]"},
        {"about": "nothing"},
        {"about": '{"notes": [], "labels": ""}'},
        {"train": np.zeros((2, 2), bool)},
        {"train": np.ones((12, 14), bool)},
        {"train": np.zeros((12, 14))},
    ],
)
def test_a_split_whose_parts_do_not_fit(bare, changes):
    path = bare.path / "split.npz"
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **(arrays | changes))
    with pytest.raises(RunError, match=r"split\.npz is damaged"):
        _ = Run(bare.path).split


def test_an_array_in_place_of_a_split(bare):
    with (bare.path / "split.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(RunError, match=r"split\.npz is damaged"):
        _ = Run(bare.path).split


def test_metrics_are_those_that_were_saved(run):
    with pytest.raises(RunError, match="did not finish: no metrics yet"):
        _ = run.metrics
    run.save_metrics({"oa": 0.5, "notes": ["a"]})
    assert run.metrics == {"oa": 0.5, "notes": ["a"]}


@pytest.mark.parametrize("text", ['{"oa": 0.', "", "3", "[1]", b"\xff"])
def test_damaged_metrics(run, text):
    content = text if isinstance(text, bytes) else text.encode()
    (run.path / "metrics.json").write_bytes(content)
    with pytest.raises(RunError, match=r"metrics\.json is damaged"):
        _ = run.metrics


def test_the_checkpoint_serves_until_the_training_is_finished(run, classifier):
    half = dataclasses.replace(classifier, class_names=classifier.class_names | {3: "half"})
    run.save_checkpoint(half)
    unfinished = Run(run.path)
    assert not unfinished.trained
    assert unfinished.classifier.class_names[3] == "half"
    run.save_classifier(classifier)
    assert Run(run.path).trained
    assert Run(run.path).classifier.class_names[3] == "Oats"
    assert not (run.path / "checkpoint").exists()


def test_a_run_without_weights(run):
    with pytest.raises(RunError, match="there is no "):
        _ = run.classifier


def test_history_is_a_table_with_full_precision(run):
    rows = [Epoch(1, 1 / 3, 0.5, None, 1e-3, 0.25), Epoch(2, 0.1, 0.75, 2 / 3, 1e-5, 0.5)]
    run.save_history(rows)
    with (run.path / "history.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["epoch"] for row in table] == ["1", "2"]
    assert float(table[0]["loss"]) == 1 / 3
    assert table[0]["validation_accuracy"] == ""
    assert float(table[1]["validation_accuracy"]) == 2 / 3


def test_only_an_untrained_run_can_be_discarded(run, classifier):
    run.save_checkpoint(classifier)
    run.discard_if_untrained()
    assert Run(run.path).classifier
    run.save_classifier(classifier)
    run.discard_if_untrained()
    assert Run(run.path).trained


def test_discarding_removes_the_folder_but_nothing_of_others(run):
    (run.path / "notes.txt").write_text("mine")
    run.discard_if_untrained()
    assert [each.name for each in run.path.iterdir()] == ["notes.txt"]
    (run.path / "notes.txt").unlink()
    run.discard_if_untrained()
    assert not run.path.exists()


def test_config_is_readable_by_people(run):
    text = (run.path / "config.toml").read_text()
    assert 'dataset = "/data/cube.mat"' in text
    assert "train = 0.2" in text
    assert "validation = 3\n" in text
    assert "components" not in text  # left to the scene


@pytest.mark.parametrize("source", [{"dataset": "caf\udce9.npy"}, {"dataset": object()}])
def test_a_run_that_cannot_be_written_down_leaves_nothing(tmp_path, field, split, source):
    with pytest.raises((UnicodeEncodeError, TypeError)):
        Run.create(
            tmp_path / "runs" / "new", settings=Settings(), source=source, split=split,
            labels=field.labels,
        )  # fmt: skip
    assert not list(tmp_path.iterdir())
