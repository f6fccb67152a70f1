"""A benchmark on the small scene: the same splits for all, continued, and what it writes."""

import csv
import dataclasses
import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

import hsi
from hsi.errors import RunError, UsageError
from hsi.evaluation import Cell
from hsi.training.state_file import computing_with
from hsi.workflows.bench import Asked, Bench, running, train_cells
from hsi.workflows.bench.cells import folder_of, right_pixels
from hsi.workflows.bench.running import Unwatched
from hsi.workflows.bench.written import failure_lines

FILES = {"results.json", "results.csv", "summary.csv", "results.tex", "results.md"}


class Noted(Unwatched):
    """Remembers what was trained, and interrupts after so many."""

    def __init__(self, *, stop_after=None):
        self.begun, self.reasons, self.stop_after = [], {}, stop_after

    def started(self, cell):
        self.begun.append(cell)

    def finished(self, cell, result, reason):
        if reason:
            self.reasons[cell] = reason
        if self.stop_after is not None and len(self.begun) >= self.stop_after:
            raise KeyboardInterrupt


def test_all_models_have_the_same_split(trained):
    for split in ("random", "blocks"):
        masks = {}
        for seed in (0, 1):
            runs = [
                hsi.Run(folder_of(trained.out, Cell("fields", split, 0.15, seed, model)))
                for model in ("hybridsn-dw", "svm")
            ]
            for name in ("train", "validation", "test"):
                one, two = (getattr(run.split, name) for run in runs)
                assert np.array_equal(one, two)
            masks[seed] = runs[0].split.train
            # The audit is that of each model's own patches.
            assert [run.metrics["patch_size"] for run in runs] == [9, 1]
            network, spectra = (run.metrics["overlap"] for run in runs)
            assert spectra == {"contains": 0, "shares": 0}
            assert (network["contains"] > 0.9) == (split == "random")
            assert (network["shares"] == 0) == (split == "blocks")
        assert not np.array_equal(masks[0], masks[1])


def test_files_hold_what_the_runs_say(trained):
    assert FILES | {"bench.toml", "runs", "truth"} <= {each.name for each in trained.out.iterdir()}
    table = json.loads((trained.out / "results.json").read_text())
    with (trained.out / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(table["trainings"]) == 8
    assert table["failed"] == []
    assert table["about"]["guard"] == 8
    for row in rows:
        metrics = json.loads((trained.out / row["folder"] / "metrics.json").read_text())
        assert float(row["oa"]) == metrics["oa"]
        assert float(row["train_oa"]) == metrics["train_oa"]
        assert float(row["accuracy_14"]) == metrics["per_class"][-1]["accuracy"]
        assert row["parameters"] == (str(metrics["parameters"]) if metrics["parameters"] else "")
        assert int(row["test_pixels"]) == metrics["test_pixels"]
    by_group = {}
    for row in rows:
        by_group.setdefault((row["split"], row["model"]), []).append(float(row["oa"]))
    summaries = {
        (row["split"], row["model"]): row for row in table["summary"] if row["figure"] == "oa"
    }
    for group, values in by_group.items():
        assert summaries[group]["mean"] == pytest.approx(np.mean(values))
        assert summaries[group]["standard_deviation"] == pytest.approx(np.std(values, ddof=1))
    assert "McNemar" in (trained.out / "results.md").read_text(encoding="utf-8")


def test_mcnemar_counts_the_pixels_of_the_maps(trained):
    """The maps of both runs of seed 0 against the labels, without the benchmark's own reading."""
    [found] = trained.findings().standings[("fields", "blocks", 0.15)]
    right = []
    for model in ("svm", "hybridsn-dw"):
        run = hsi.Run(folder_of(trained.out, Cell("fields", "blocks", 0.15, 0, model)))
        class_map = run.map(device="cpu")
        labels = np.load(trained.out / "truth" / "fields.npy")
        right.append((class_map == labels)[run.split.test])
        result = trained.results[Cell("fields", "blocks", 0.15, 0, model)]
        assert np.array_equal(right_pixels(trained.out, result), right[-1])
        assert right[-1].mean() == pytest.approx(run.metrics["oa"])
    test = found.pixels
    assert (test.seed, test.pixels) == (0, right[0].size)
    assert test.mcnemar.only_first == (right[0] & ~right[1]).sum()
    assert test.mcnemar.only_second == (right[1] & ~right[0]).sum()
    assert found.difference.mean == pytest.approx(
        np.mean(
            [
                trained.results[Cell("fields", "blocks", 0.15, seed, "svm")].figures["oa"]
                - trained.results[Cell("fields", "blocks", 0.15, seed, "hybridsn-dw")].figures["oa"]
                for seed in (0, 1)
            ]
        )
    )


@pytest.fixture
def copied(trained, tmp_path):
    """A copy of the folder, to be changed."""
    return shutil.copytree(trained.out, tmp_path / "copied")


def test_what_is_unfinished_is_trained_again_and_nothing_else(copied, bench_of, scene, trained):
    cell = Cell("fields", "blocks", 0.15, 1, "svm")
    folder = folder_of(copied, cell)
    (folder / "metrics.json").unlink()
    (folder / "left.over").touch()
    bench, cells, scenes = bench_of(copied, scene)
    assert [each for each in cells if each not in bench.results] == [cell]
    noted = Noted()
    train_cells(bench, cells, scenes, device="cpu", watch=noted)
    assert noted.begun == [cell]
    assert not (folder / "left.over").exists()
    before, now = trained.results[cell], bench.results[cell]
    assert (before.split_hash, before.figures["oa"]) == (now.split_hash, now.figures["oa"])


def test_the_split_is_that_of_the_runs_that_are_there(copied, bench_of, scene, monkeypatch):
    """Another version of the package may draw other pixels."""
    from hsi.workflows.bench import splits

    monkeypatch.setattr(splits, "split_for", lambda *arguments: pytest.fail("drawn anew"))
    bench, cells, scenes = bench_of(copied, scene, models=("knn",), splits=("blocks",), seeds=(0,))
    train_cells(bench, cells, scenes, device="cpu")
    of = {
        cell.model: r.split_hash for cell, r in bench.results.items() if cell[1:4] == cells[0][1:4]
    }
    assert len(of) == 3
    assert len(set(of.values())) == 1


def test_an_interruption_leaves_whole_results(tmp_path, bench_of, scene):
    bench, cells, scenes = bench_of(tmp_path / "out", scene, splits=("random",), models=("svm",))
    with pytest.raises(KeyboardInterrupt):
        train_cells(bench, cells, scenes, device="cpu", watch=Noted(stop_after=1))
    table = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [row["seed"] for row in table["trainings"]] == [0]
    again, cells, scenes = bench_of(tmp_path / "out", scene, splits=("random",), models=("svm",))
    noted = Noted()
    train_cells(again, cells, scenes, device="cpu", watch=noted)
    assert [cell.seed for cell in noted.begun] == [1]


def test_an_interrupted_training_leaves_nothing(tmp_path, bench_of, scene):
    class Stopping(Noted):
        class progress:  # noqa: N801
            @staticmethod
            def step(done, total):
                raise KeyboardInterrupt

            @staticmethod
            def epoch(epoch, total):
                pass

    bench, cells, scenes = bench_of(tmp_path / "out", scene, models=("hybridsn-dw",))
    with pytest.raises(KeyboardInterrupt):
        train_cells(bench, cells, scenes, device="cpu", watch=Stopping())
    assert not folder_of(bench.out, cells[0]).exists()


class Stepping(Noted):
    """Notes the steps of trainings, and interrupts in one of them."""

    def __init__(self, *, stop_at=None):
        super().__init__()
        self.steps = []
        self.progress = SimpleNamespace(step=self.step, epoch=lambda epoch, total: None)
        self.stop_at = stop_at

    def step(self, done, total):
        self.steps.append(done)
        if done == self.stop_at:
            raise KeyboardInterrupt


@pytest.mark.parametrize("changed", [False, True])
def test_an_interrupted_training_goes_on_where_it_was(
    tmp_path, bench_of, scene, brief, monkeypatch, changed
):
    monkeypatch.setattr("hsi.workflows.kept.CHECKPOINT_SECONDS", 0.0)
    asked = {"models": ("hybridsn-dw",), "splits": ("random",), "seeds": (0,)}
    settings = brief | {"epochs": 2, "batch_size": 16}
    whole, cells, scenes = bench_of(tmp_path / "whole", scene, settings=settings, **asked)
    train_cells(whole, cells, scenes, device="cpu")

    bench, cells, scenes = bench_of(tmp_path / "out", scene, settings=settings, **asked)
    with pytest.raises(KeyboardInterrupt):
        train_cells(bench, cells, scenes, device="cpu", watch=Stepping(stop_at=4))
    if changed:  # as by another version: its last bits could differ, so it begins anew
        other = lambda device, **more: computing_with(device, **more) | {"hsi": "9"}  # noqa: E731
        monkeypatch.setattr(sys.modules["hsi.workflows.going_on"], "computing_with", other)
    again, cells, scenes = bench_of(tmp_path / "out", scene, settings=settings, **asked)
    watch = Stepping()
    train_cells(again, cells, scenes, device="cpu", watch=watch)
    # The interrupted step had been made, but its state had not been written.
    assert watch.steps[0] == (1 if changed else 4)
    one, other = (
        (folder_of(out, cells[0]) / "model.safetensors").read_bytes()
        for out in (whole.out, again.out)
    )
    assert one == other


def test_a_cell_that_fails_is_written_down_and_the_others_go_on(tmp_path, bench_of, scene):
    asked = {"splits": ("random",), "seeds": (0,), "models": ("hybridsn-2d3d", "svm")}
    settings = {"patch_size": 5, "components": 13, "epochs": 1}
    bench, cells, scenes = bench_of(tmp_path / "out", scene, settings=settings, **asked)
    noted = Noted()
    train_cells(bench, cells, scenes, device="cpu", watch=noted)
    assert list(noted.reasons) == [Cell("fields", "random", 0.15, 0, "hybridsn-2d3d")]
    assert [cell.model for cell in bench.results] == ["svm"]
    assert not folder_of(bench.out, cells[0]).exists()
    table = json.loads((bench.out / "results.json").read_text())
    [failed] = table["failed"]
    assert failed["model"] == "hybridsn-2d3d"
    assert "patch" in failed["reason"]
    assert "Failed: fields, random 0.15, hybridsn-2d3d, seed 0" in (
        bench.out / "results.md"
    ).read_text(encoding="utf-8")
    # It is known when the folder is opened again.
    assert Bench(bench.out).failures == bench.failures


def test_too_large_a_patch_for_the_scene_fails_alone(tmp_path, bench_of, scene):
    """The scene is 34 pixels high; the other model is not hindered, blocks neither."""
    from hsi.models.usual import USUAL, Usual

    asked = {"splits": ("random",), "seeds": (0,), "models": ("hybridsn-dw", "svm")}
    bench, cells, scenes = bench_of(tmp_path / "out", scene, settings={"patch_size": 35}, **asked)
    assert USUAL["svm"] == Usual(patch_size=1, reduction=USUAL["svm"].reduction)
    train_cells(bench, cells, scenes, device="cpu")
    assert [cell.model for cell in bench.results] == ["svm"]
    assert "35x35 pixels is larger than the scene" in bench.failures[cells[0]]


def test_a_split_that_no_scene_has_is_refused(copied, tmp_path, bench_of, scene):
    """Else it would stay in the plan, and all that is added later would be asked of it, too."""
    for asked, words in (
        ({"splits": ("random",), "train": (5000,)}, "each class needs at least"),
        ({"splits": ("official",)}, "official"),
    ):
        for out in (tmp_path / "out", copied):
            before = sorted(out.rglob("*")), Bench(out).plan
            with pytest.raises(UsageError, match=words):
                bench_of(out, scene, **asked)
            assert (sorted(out.rglob("*")), Bench(out).plan) == before


def test_a_split_that_one_scene_has_is_asked_of_all(tmp_path, scene, brief):
    ids, counts = np.unique(scene.labels[scene.labels > 0], return_counts=True)
    few = np.where(scene.labels == ids[counts.argmax()], scene.labels, 0)
    few[tuple(np.argwhere(scene.labels == ids[counts.argmin()])[0])] = ids[counts.argmin()]
    scenes = {"fields": scene, "few": dataclasses.replace(scene, labels=few)}
    asked = Asked(
        scenes=("few", "fields"), splits=("random",), train=(2,), models=("svm",), seeds=(0,)
    )
    cells = Bench(tmp_path / "both").ask(asked, scenes, settings=brief)
    assert [cell.scene for cell in cells] == ["few", "fields"]
    with pytest.raises(UsageError, match="each class needs"):
        Bench(tmp_path / "few").ask(asked.with_scenes(["few"]), scenes, settings=brief)


def test_changed_labels_are_refused(copied, bench_of, scene):
    import dataclasses

    labels = scene.labels.copy()
    labels[tuple(np.argwhere(labels > 0)[0])] = 0
    with pytest.raises(RunError, match="labels of fields are not those"):
        bench_of(copied, dataclasses.replace(scene, labels=labels))
    unlabelled = dataclasses.replace(scene, labels=None)
    with pytest.raises(UsageError, match="fields has no labels"):
        bench_of(copied, unlabelled)


def test_one_that_another_process_begins_meanwhile_is_gone_on_with(trained, tmp_path, monkeypatch):
    own, looks = Path.iterdir, []

    def look(path):
        if path == tmp_path and not looks:
            looks.append(path)
            shutil.copytree(trained.out, tmp_path, dirs_exist_ok=True)
        return own(path)

    monkeypatch.setattr(Path, "iterdir", look)
    assert Bench(tmp_path).results.keys() == trained.results.keys()
    assert looks


def test_what_is_no_run_is_not_removed(copied, bench_of, scene):
    cell = Cell("fields", "random", 0.15, 0, "svm")
    folder = folder_of(copied, cell)
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "thesis.tex").touch()
    bench, cells, scenes = bench_of(copied, scene)
    train_cells(bench, cells, scenes, device="cpu")
    assert "holds something that is no run" in bench.failures[cell]
    assert (folder / "thesis.tex").exists()


def test_what_is_compared_with_what_has_to_be_known(trained):
    assert trained.findings(against="svm").against == "svm"
    with pytest.raises(UsageError, match="unknown model to compare with 'smv'; did you mean 'svm'"):
        trained.findings(against="smv")
    with pytest.raises(UsageError, match="unknown measure 'ao'"):
        trained.findings(measure="ao")


@pytest.mark.slow
def test_other_processes_give_the_same(trained, tmp_path, bench_of, scene):
    bench, cells, scenes = bench_of(tmp_path / "out", scene, splits=("random",), models=("svm",))
    train_cells(bench, cells, scenes, device="cpu", jobs=2)
    for cell in cells:
        one, two = bench.results[cell], trained.results[cell]
        assert (one.split_hash, one.classes) == (two.split_hash, two.classes)
        assert one.threads == max(1, torch.get_num_threads() // 2)


def test_what_other_processes_cannot_have(tmp_path, bench_of, scene, monkeypatch):
    import dataclasses

    bench, cells, _ = bench_of(tmp_path / "out", scene)
    in_memory = {"fields": dataclasses.replace(scene, source={})}
    with pytest.raises(UsageError, match="fields was made in memory"):
        train_cells(bench, cells, in_memory, device="cpu", jobs=2)
    monkeypatch.setattr(running, "OWN", frozenset({"svm"}))
    with pytest.raises(UsageError, match="hybridsn-dw was registered in this process"):
        train_cells(bench, cells, in_memory, device="cpu", jobs=2)
    assert not bench.out.exists()


def test_a_split_of_a_file_is_one_for_all_seeds(trained, tmp_path, bench_of, scene, brief):
    run = folder_of(trained.out, Cell("fields", "blocks", 0.15, 0, "svm"))
    asked = {"splits": ("file",), "models": ("svm", "knn")}
    settings = brief | {"split_file": str(run / "split.npz")}
    bench, cells, scenes = bench_of(tmp_path / "out", scene, settings=settings, **asked)
    train_cells(bench, cells, scenes, device="cpu")
    assert {cell.train for cell in cells} == {1.0}
    assert {result.split_hash for result in bench.results.values()} == {
        trained.results[Cell("fields", "blocks", 0.15, 0, "svm")].split_hash
    }
    assert len(bench.results) == 4
    said = (bench.out / "results.md").read_text(encoding="utf-8")
    assert "training on all of its training pixels" in said
    assert "seeds vary weights, and what is drawn to choose values by" in said


def test_a_file_of_a_split_that_was_changed_is_refused(tmp_path, bench_of, scene, brief):
    truth, file = np.asarray(scene.labels), tmp_path / "masks.npz"

    def write(rows):
        upper = np.arange(len(truth))[:, None] < rows
        np.savez(file, train=(truth > 0) & upper, test=(truth > 0) & ~upper)

    write(20)
    settings = brief | {"split_file": str(file)}
    asked = {"splits": ("file",), "models": ("knn",)}
    out = tmp_path / "out"
    bench, cells, scenes = bench_of(out, scene, settings=settings, seeds=(0,), **asked)
    train_cells(bench, cells, scenes, device="cpu")
    _, cells, _ = bench_of(out, scene, settings=settings, seeds=(0, 1), **asked)
    assert len(cells) == 2
    write(18)
    with pytest.raises(RunError, match=r"no longer holds the split that .*out was begun with"):
        bench_of(out, scene, settings=settings, seeds=(0, 1), **asked)
    # What is finished can be looked at.
    _, cells, _ = bench_of(out, scene, settings=settings, seeds=(0,), **asked)
    assert len(cells) == 1


def test_folds_are_taken_in_turn(tmp_path, bench_of, scene, brief):
    asked = {"splits": ("folds",), "models": ("knn",), "seeds": (0, 1, 2), "train": (1.0,)}
    settings = brief | {"folds": 3}
    bench, cells, scenes = bench_of(tmp_path / "out", scene, settings=settings, **asked)
    train_cells(bench, cells, scenes, device="cpu")
    tests = [hsi.Run(folder_of(bench.out, cell)).split.test for cell in cells]
    assert np.array_equal(np.sum(tests, axis=0), (scene.labels > 0) & scene.valid)


def test_the_report_shows_the_first_split_of_each_kind(trained):
    drawn = sorted(each.name for each in (trained.out / "splits").glob("*.png"))
    assert drawn == ["fields-blocks-0.15-seed0.png", "fields-random-0.15-seed0.png"]
    page = (trained.out / "results.md").read_text(encoding="utf-8")
    for name in drawn:
        assert page.count(f"![The split of seed 0](<splits/{name}>)") == 1
        picture = plt.imread(trained.out / "splits" / name)
        # Over dark grey, the colours of training and test.
        assert np.ptp(picture[..., :3], axis=2).max() > 0.3


def brighter(scene):
    cube = np.asarray(scene.cube).copy()
    cube[3, 4, 5] += 1
    return dataclasses.replace(scene, cube=cube)


def test_a_scene_with_other_values_is_not_the_same_scene(trained, bench_of, scene):
    with pytest.raises(RunError, match=r"the values of .* are not those .*\n.*\n.*\nName another"):
        bench_of(trained.out, brighter(scene), models=("knn",))
    _, cells, _ = bench_of(trained.out, dataclasses.replace(scene), models=("knn",))
    assert len(cells) == 4


def test_what_was_never_trained_binds_nothing(tmp_path, bench_of, scene, brief):
    """A file that is named wrongly in the first command is named rightly in the second."""
    truth = np.asarray(scene.labels)
    upper = np.arange(len(truth))[:, None] < 20
    masks = {"train": (truth > 0) & upper & scene.valid, "test": (truth > 0) & ~upper & scene.valid}
    np.savez(tmp_path / "masks.npz", **masks)
    asked = {"splits": ("file",), "models": ("knn",), "seeds": (0,)}
    wrong, right = (
        brief | {"split_file": str(tmp_path / name)} for name in ("no.npz", "masks.npz")
    )
    with pytest.raises(UsageError, match=r"there is no file .*no\.npz"):
        bench_of(tmp_path / "out", scene, settings=wrong, **asked)
    bench, cells, scenes = bench_of(tmp_path / "out", scene, settings=right, **asked)
    train_cells(bench, cells, scenes, device="cpu")
    assert len(bench.results) == 1
    assert bench.failures == {}
    # The settings that were not named again are those of before.
    assert bench.plan.settings["epochs"] == brief["epochs"]
    with pytest.raises(UsageError, match="was begun with other settings"):
        bench_of(tmp_path / "out", scene, settings=wrong, **asked)


@pytest.mark.parametrize(
    "content", ["[]", "{}", '{"oa": "x"}', '{"oa": 1, "aa": 1, "kappa": 1, "overlap": null}']
)
def test_damaged_metrics_are_no_results(trained, tmp_path, content):
    out = tmp_path / "bench"
    shutil.copytree(trained.out, out)
    run = folder_of(out, Cell("fields", "random", 0.15, 0, "svm"))
    (run / "metrics.json").write_text(content)
    with pytest.raises(RunError, match=r"metrics\.json is damaged"):
        Bench(out)
    (run / "SHA256SUMS").unlink()
    with pytest.raises(RunError, match=r"metrics\.json is damaged"):
        Bench(out)


def test_runs_that_do_not_tell_what_they_learned_still_count(trained, tmp_path):
    """Those of earlier versions: the others' figure is their own alone."""
    out = tmp_path / "bench"
    shutil.copytree(trained.out, out)
    cell = Cell("fields", "random", 0.15, 0, "svm")
    run = hsi.Run(folder_of(out, cell))
    run.save_metrics({name: run.metrics[name] for name in run.metrics if name != "train_oa"})
    told, before = (
        {each: (found.figures["train_oa"], found.figures["oa"]) for each, found in of.items()}
        for of in (Bench(out).results, trained.results)
    )
    assert told == before | {cell: (None, before[cell][1])}


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"nothing"])
def test_damaged_labels_are_no_truth(trained, tmp_path, bench_of, scene, content):
    out = tmp_path / "bench"
    shutil.copytree(trained.out, out)
    (out / "truth" / "fields.npy").write_bytes(content)
    for sums in (True, False):
        if not sums:
            (out / "truth" / "SHA256SUMS").unlink()
        with pytest.raises(RunError, match=r"fields\.npy is damaged"):
            bench_of(out, scene)
        with pytest.raises(RunError, match=r"fields\.npy is damaged"):
            right_pixels(out, trained.results[Cell("fields", "random", 0.15, 0, "svm")])


def test_a_failure_of_several_lines_is_one_line():
    cells = [Cell("fields", "random", 0.1, seed, "svm") for seed in (0, 1)]
    [line] = failure_lines(
        dict.fromkeys(cells, "there is no such thing:\na thing\n  Name another.")
    )
    assert line.endswith("svm, seeds 0-1: there is no such thing: a thing. Name another.")
