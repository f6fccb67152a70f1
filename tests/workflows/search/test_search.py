"""Searches with a formula in the place of trainings: what is tried, counted, continued, refused."""

import csv
import dataclasses
import json
import re
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import hsi
from hsi.errors import HsiError, RunError, UsageError
from hsi.sampling import split_pixels
from hsi.scenes import Scene
from hsi.workflows.search import defaults, journal, room, work
from hsi.workflows.search.work import OUT_OF_MEMORY


def told(result):
    """Return what of trials must be the same again: all but times."""
    return [(row.outcome, row.value, row.settings) for row in result.rows]


def test_it_finds_what_is_best(find, formula):
    result = find(trials=40)
    best = result.best
    assert best.value == max(row.value for row in result.rows if row.value is not None)
    assert best.value == formula.accuracy(best.settings)
    # Better than most of what chance alone finds in the first ten.
    assert best.value > np.quantile([r.value for r in result.rows[:10] if r.value], 0.7)
    assert best.value > 0.85
    assert result.tally.finished == 40
    assert best.accuracies == {
        "aa": best.value, "oa": best.value / 2, "kappa": best.value / 3,
    }  # fmt: skip


def test_the_same_seed_gives_the_same_trials_and_another_does_not(find, formula, base):
    first = find("first", trials=20)
    assert told(find("again", trials=20)) == told(first)
    other = find("other", base.changed(seed=1), trials=20)
    assert told(other) != told(first)


def test_the_first_trial_has_the_usual_settings(find, formula):
    result = find(trials=3)
    assert result.usual is result.rows[0]
    usual = result.usual.settings
    assert (usual.model, usual.attention, usual.recipe.dropout) == ("hybridsn-dw", "none", 0.4)
    assert usual.recipe.learning_rate == 2e-3


def test_settings_that_mean_nothing_for_a_model_are_not_shown_with_it(
    find, formula, monkeypatch, base
):
    space = {
        "model": ["svm", "hybridsn-dw"], "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
        "attention": ["none", "eca"], "whiten": [True, False],
    }  # fmt: skip
    monkeypatch.setattr(formula, "accuracy", lambda settings: float(settings.model == "svm"))
    result = find("search", base.changed(reduction="pca"), trials=8, space=space)
    with (result.path / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["model"] for row in rows} == {"svm", "hybridsn-dw"}
    for row in rows:
        shown = {name for name in space if row[name]}
        assert shown == ({"model", "whiten"} if row["model"] == "svm" else set(space))
    recipe = tomllib.loads(result.recipe.read_text())
    assert recipe["model"] == "svm"
    assert not {"recipe", "norm", "attention"} & recipe.keys()
    # It is a whole recipe for such a model all the same.
    again = base.changed(recipe=result.recipe)
    assert again.changed(**base.model_dump(include={"seed"})) == result.best.settings


@pytest.mark.parametrize("objective", ["oa", "kappa"])
def test_it_judges_by_what_is_asked_for(find, formula, objective):
    result = find(trials=4, objective=objective)
    for row in result.rows:
        assert row.value == row.accuracies[objective] != row.accuracies["aa"]


def test_hopeless_trials_end_early(find, formula):
    result = find(trials=30)
    assert result.tally.pruned > 0
    complete = sorted(row.value for row in result.rows if row.value is not None)
    for row in result.rows:
        if row.outcome == "pruned":
            assert formula.accuracy(row.settings) < complete[len(complete) // 2]
            assert row.value is None
    assert find("all", trials=30, prune=False).tally.pruned == 0


def test_with_several_seeds_the_mean_counts(find, formula, base):
    result = find(trials=3, seeds=3, prune=False)
    assert len(formula.trained) == 9
    for row, at in zip(result.rows, range(0, 9, 3), strict=True):
        trained = formula.trained[at : at + 3]
        assert [each.seed for each in trained] == [0, 1, 2]
        assert {str(each.changed(seed=0)) for each in trained} == {str(row.settings)}
        values = [formula.accuracy(each) for each in trained]
        assert row.value == pytest.approx(np.mean(values))
        assert row.spread == pytest.approx(np.std(values, ddof=1))
        assert row.seconds == 1.5


class Stop:
    """A formula that is interrupted in its so-manieth training."""

    def __init__(self, formula, at):
        self.formula, self.at, self.count = formula, at, 0

    def __call__(self, *arguments, **options):
        self.count += 1
        if self.count == self.at:
            raise KeyboardInterrupt
        return self.formula(*arguments, **options)


@pytest.mark.parametrize("at", [1, 2, 14])
def test_a_search_that_is_stopped_and_continued_is_that_which_never_was(
    find, formula, monkeypatch, at, tmp_path
):
    whole = find("whole", trials=18)
    monkeypatch.setattr(work, "train_and_judge", Stop(formula, at))
    with pytest.raises(KeyboardInterrupt) as caught:
        find("stopped", trials=18)
    (note,) = caught.value.__notes__
    assert f"of 18 trials are finished and kept in {tmp_path / 'stopped'}" in note
    # What is finished is written, if anything is.
    assert (tmp_path / "stopped" / "recipe.toml").exists() == (at > 1)
    formula.trained.clear()
    continued = find("stopped", trials=18)
    assert told(continued) == told(whole)
    assert len(formula.trained) == 18 - at + 1
    # The one that was interrupted is not among the trials.
    numbers = [row.number for row in continued.rows]
    assert len(numbers) == 18
    assert at - 1 not in numbers


def test_trials_are_those_of_all_times(find, formula):
    find(trials=6)
    formula.trained.clear()
    assert find(trials=6).tally.finished == 6
    assert formula.trained == []
    assert find(trials=8).tally.finished == 8
    assert len(formula.trained) == 2
    # Fewer than there are is no reason to do anything.
    assert find(trials=2).tally.finished == 8


def test_combinations_that_cannot_be_are_counted_with_their_reason(find, base):
    """HybridSN cannot work on fewer than 13 components; no training is replaced here."""
    result = find("search", base.changed(epochs=1), space={"components": [5, 13]}, trials=4)
    reasons = {row.settings.components: row.reason for row in result.rows}
    assert reasons[13] is None
    assert "cannot work on 5 bands or components" in reasons[5]
    assert result.best.settings.components == 13
    assert result.tally.failed == sum(row.settings.components == 5 for row in result.rows) > 0
    kept = json.loads((result.path / "search.json").read_text())
    assert kept["failures"] == {reasons[5]: result.tally.failed}


def test_if_nothing_can_be_trained_it_is_said_why(find, base, tmp_path):
    with pytest.raises(
        HsiError, match=r"none of the 3 trials .*\n2 of them: .*at least 13"
    ) as caught:
        find(space={"components": [4, 5]}, trials=3)
    assert str(caught.value).count("\n") < 5
    assert not (tmp_path / "search" / "recipe.toml").exists()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), OUT_OF_MEMORY),
        (torch.OutOfMemoryError("CUDA out of memory"), OUT_OF_MEMORY),
        (HsiError("the loss is nan in epoch 3\nLower it."), "the loss is nan in epoch 3"),
    ],
)
def test_trials_that_cannot_go_on_fail_and_the_others_go_on(
    find, formula, monkeypatch, error, reason
):
    def fail_sometimes(scene, split, settings, **options):
        if settings.model == "hybridsn":
            raise error
        return formula(scene, split, settings, **options)

    monkeypatch.setattr(work, "train_and_judge", fail_sometimes)
    result = find(trials=12)
    failed = [row for row in result.rows if row.outcome == "failed"]
    assert {row.reason for row in failed} == {reason}
    assert all(row.settings.model == "hybridsn" for row in failed)
    assert len(failed) >= 1
    assert result.best.settings.model == "hybridsn-dw"


def test_a_defect_is_not_taken_for_a_trial_that_failed(find, formula, monkeypatch):
    def broken(*arguments, **options):
        raise ZeroDivisionError

    monkeypatch.setattr(work, "train_and_judge", broken)
    with pytest.raises(ZeroDivisionError):
        find(trials=3)
    monkeypatch.setattr(work, "train_and_judge", formula)
    assert find(trials=3).tally == (3, 0, 0, 0)


def test_kappa_of_a_single_class_is_no_value(find, formula, monkeypatch):
    def single(*arguments, **options):
        judged = formula(*arguments, **options)
        return dataclasses.replace(judged, accuracies=judged.accuracies | {"kappa": float("nan")})

    monkeypatch.setattr(work, "train_and_judge", single)
    with pytest.raises(HsiError, match="kappa has no value"):
        find(trials=2, objective="kappa")
    assert find("aa", trials=2).best.accuracies["kappa"] is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seeds": 2}, "seeds: 1 there, 2 now"),
        ({"objective": "oa"}, 'objective: "aa" there, "oa" now'),
        ({"prune": False}, "prune: true there, false now"),
        ({"space": {"dropout": [0.1, 0.2]}}, r"space\.model: .* there, null now"),
        ({"seed": 1}, "seed: 0 there, 1 now"),
        ({"train": 0.2}, "train"),
        ({"weight_decay": 0.5}, r"settings\.recipe\.weight_decay: 0\.01 there, 0\.5 now"),
    ],
)
def test_another_search_is_not_continued(find, formula, tmp_path, options, words):
    find(trials=2)
    before = {each: each.read_bytes() for each in (tmp_path / "search").glob("s*")}
    with pytest.raises(RunError, match=words) as caught:
        find(trials=3, **options)
    assert "choose another folder (--out)" in str(caught.value)
    assert str(caught.value).count("\n") < 5
    assert {each: each.read_bytes() for each in (tmp_path / "search").glob("s*")} == before


def test_another_scene_is_not_continued(find, formula, scene, base, tmp_path):
    find(trials=2)
    labels = scene.labels.copy()
    labels[20, 20] = 3 - labels[20, 20] if labels[20, 20] in (1, 2) else 1
    other = dataclasses.replace(scene, labels=labels)
    with pytest.raises(RunError, match=r"scene\.labels"):
        hsi.workflows.search.search(
            other, base, out=tmp_path / "search", space={"dropout": [0, 0.5]}
        )


def test_two_that_begin_at_once_share_one_search(find, monkeypatch, tmp_path):
    """The other one begins between two looks at the folder: whichever comes first."""
    own, looks = Path.iterdir, []

    def look(path):
        if path == tmp_path / "search" and not looks:
            looks.append(path)
            find(trials=2)
        return own(path)

    (tmp_path / "search").mkdir()
    monkeypatch.setattr(Path, "iterdir", look)
    assert find(trials=3).tally.finished == 3
    assert looks


def test_a_folder_with_something_else_is_left_alone(find, formula, tmp_path):
    (tmp_path / "search").mkdir()
    (tmp_path / "search" / "letter.txt").touch()
    with pytest.raises(RunError, match="is not empty, and holds no search"):
        find()
    assert [each.name for each in (tmp_path / "search").iterdir()] == ["letter.txt"]
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="is a file, where a folder is to be"):
        find("file")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"trials": 0}, "trials must be at least 1, not 0"),
        ({"jobs": 0}, r"at least 1, not 0 \(--jobs\)"),
        ({"seeds": 1.5}, "seeds must be a whole number"),
        ({"objective": "accuracy"}, "unknown objective 'accuracy'"),
        ({"objective": "oaa"}, "did you mean 'oa'"),
        ({"validation": 0}, "there are to be none"),
        ({"space": {"dropot": [1, 2]}}, "did you mean 'dropout'"),
        ({"space": {"dropout": [0.1]}}, "nothing is left to choose"),
        ({"space": {"dropout": [0.1, 0.2]}, "dropout": 0.1}, "nothing is left to choose"),
        ({"model": "svm", "space": {"dropout": [0.1, 0.2]}}, "svm has none of the settings"),
        ({"models": ["svm"]}, "svm has none of the settings of the space, "),
        ({"space": {"patch_size": [9, 35]}}, "larger than the scene"),
        ({"learing_rate": 0.1}, "did you mean 'learning_rate'"),
        ({"device": "gpu"}, "device 'gpu'"),
    ],
)
def test_what_cannot_be_meant_leaves_nothing(find, formula, tmp_path, options, words):
    with pytest.raises(UsageError, match=words):
        find(**options)
    assert list(tmp_path.iterdir()) == []


def test_without_optuna_it_says_how_to_get_it(find, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UsageError, match=r'optuna, which is not installed\n.*-e "\.\[search\]"'):
        find()


def test_a_scene_in_memory_is_for_one_process(scene, base, tmp_path):
    bare = Scene(name="bare", cube=scene.cube, labels=scene.labels)
    with pytest.raises(UsageError, match="other processes cannot open it"):
        hsi.workflows.search.search(bare, base, out=tmp_path / "search", jobs=2)


def test_blocks_are_kept_apart_for_the_largest_patch(find, formula, base):
    settings = base.changed(split="blocks", patch_size=None)
    result = find(
        "search", settings, space={"patch_size": [9, 11], "dropout": [0.0, 0.5]}, trials=2
    )
    assert result.settings["guard"] == 10
    with np.load(result.path / "split.npz") as masks:
        train, validation = np.argwhere(masks["train"]), np.argwhere(masks["validation"])
    apart = np.abs(train[:, None] - validation[None]).max(axis=2)
    assert apart.min() >= 11


def test_the_usual_space_gets_narrower_where_there_is_no_room(find, formula, base, monkeypatch):
    for module in (defaults, room):
        monkeypatch.setattr(module, "SIDES", (9, 25))
    settings = base.changed(split="blocks", patch_size=None)
    result = find("search", settings, space=None, trials=1)
    assert any("at most 9x9: larger ones leave less room" in note for note in result.notes)
    assert result.settings["guard"] == 8
    assert result.best.settings.patch_size == 9


def test_it_also_does_where_classes_would_not_be_judged(find, formula, base, monkeypatch):
    def split_for(scene, settings):
        split = split_pixels(
            scene.labels, method="random", train=0.2, validation=0.2, valid=scene.valid,
            patch_size=settings.patch_size,
        )  # fmt: skip
        lost = (scene.labels == 14) & (settings.patch_size > 13)
        return dataclasses.replace(split, validation=split.validation & ~lost)

    monkeypatch.setattr(room, "split_for", split_for)
    settings = base.changed(split="blocks", patch_size=None)
    assert find("search", settings, space=None, trials=1).settings["guard"] == 12
    # In a space of one's own it is said, and no more.
    result = find("own", settings, space={"patch_size": [9, 17]}, trials=1)
    assert result.settings["guard"] == 16
    # A split that is bound to a distance has no narrower one.
    bound = find("bound", settings.changed(guard=24), space=None, trials=1)
    assert bound.settings["guard"] == 24


@pytest.fixture
def judge_by(monkeypatch):
    """Return a function that lets only some classes have validation pixels."""

    def judge_by(*ids):
        def split_for(scene, settings):
            split = split_pixels(
                scene.labels, method="random", train=0.2, validation=0.2, valid=scene.valid,
                patch_size=9,
            )  # fmt: skip
            of_ids = np.isin(scene.labels, ids)
            return dataclasses.replace(split, validation=split.validation & of_ids)

        monkeypatch.setattr(room, "split_for", split_for)

    return judge_by


def test_the_recipe_says_how_many_classes_it_was_judged_by(find, formula, judge_by):
    text = find("all", trials=1).recipe.read_text()
    assert re.search(r" % on \d+ validation pixels\.\n", text)
    judge_by(1, 14)
    text = find("two", trials=1).recipe.read_text()
    assert re.search(r" % on \d+ validation pixels of 2 of the 3 classes\.\n", text)


def test_by_a_single_class_nothing_is_judged(find, formula, judge_by):
    judge_by(2)
    with pytest.raises(UsageError, match="all validation pixels are of class 2, but 3 classes"):
        find()


def test_a_space_of_ones_own_does_not(find, formula, base):
    settings = base.changed(split="blocks", patch_size=None)
    with pytest.raises(UsageError, match="too wide for blocks"):
        find("search", settings, space={"patch_size": [9, 25]})


def test_what_validation_pixels_see_of_the_training_is_said(find, formula, base):
    notes = find(trials=1).notes
    assert any("of the validation pixels have a training pixel inside" in note for note in notes)
    blocks = find("blocks", base.changed(split="blocks"), trials=1).notes
    assert not any("inside the largest patch" in note for note in blocks)


def test_files_tell_the_same(find, formula):
    result = find(trials=15)
    best = result.best
    with (result.path / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["number"]) for row in rows] == [row.number for row in result.rows]
    of_best = rows[[row.number for row in result.rows].index(best.number)]
    assert float(of_best["value"]) == best.value
    assert of_best["model"] == best.settings.model
    assert float(of_best["learning_rate"]) == best.settings.recipe.learning_rate
    kept = json.loads((result.path / "search.json").read_text())
    assert kept["best"]["value"] == best.value
    assert kept["best"]["dropout"] == best.settings.recipe.dropout
    assert kept["trials"]["complete"] + kept["trials"]["pruned"] == 15
    assert kept["versions"].keys() >= {"hsi", "torch", "optuna"}
    with Image.open(result.path / "history.png") as picture:
        assert min(picture.size) > 100
    text = (result.path / "recipe.toml").read_text()
    assert text.startswith("# Found by `hsi search` on cube: average accuracy ")
    assert "optuna" in text
    recipe = tomllib.loads(text)
    assert recipe["model"] == best.settings.model
    assert recipe["recipe"]["dropout"] == best.settings.recipe.dropout
    own = best.settings
    again = hsi.Settings().changed(
        recipe=result.recipe, seed=own.seed, train=own.train, validation=own.validation
    )
    assert again == own


def test_a_journal_that_was_cut_off_is_mended(find, formula, tmp_path):
    whole = find("whole", trials=9)
    find(trials=4)
    path = tmp_path / "search" / journal.FILE
    with path.open("ab") as file:
        file.write(b'{"op_code":6,"worker_id":"x","trial_')
    assert told(find(trials=9)) == told(whole)


def test_a_damaged_journal_is_told(find, formula, tmp_path, counted):
    find(trials=2)
    path = tmp_path / "search" / journal.FILE
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(whole) - 1, 40):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(flipped)
        with pytest.raises(RunError, match=r"search\.journal, line \d+, is damaged"):
            find(trials=2)
    for number in range(len(lines) - 1):
        path.write_bytes(b"".join(lines[:number] + lines[number + 1 :]))
        with pytest.raises(RunError, match=rf"search\.journal, line {number + 1}, .* is\s+missing"):
            find(trials=2)
    counted("atomic and checked", "lines missing in the journal of a search", len(lines) - 1)
    for empty in (path.unlink, path.touch):
        empty()
        with pytest.raises(RunError, match=r"search\.journal is missing or empty.*trials\.csv"):
            find(trials=2)
    path.write_bytes(whole)
    find(trials=3)
    searched = tmp_path / "search" / "search.json"
    searched.write_text(searched.read_text().replace("hybridsn", "hybridsm"))
    with pytest.raises(RunError, match=r"search\.json is damaged"):
        find(trials=3)


def test_a_search_as_the_page_shows_it(scene, formula, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hsi, "load_scene", lambda name: scene)
    trained = {}

    class Finished:
        metrics = {"aa": 0.75}  # noqa: RUF012

    monkeypatch.setattr(hsi, "train", lambda scene, **changes: trained.update(changes) or Finished)
    page = Path(__file__).parents[3] / "docs" / "search.md"
    (code,) = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    names = {}
    exec(code, names)  # noqa: S102
    found = names["found"]
    assert found.tally.finished == 20
    assert capsys.readouterr().out == f"{found.best.value} 0.75\n"
    # What is trained has the settings of the best trial, on the pixels of the search.
    assert hsi.Settings().changed(**trained).resolved(scene) == found.best.settings
