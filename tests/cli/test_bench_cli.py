"""``hsi bench``."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import hsi
from hsi.cli.lists import Amounts, Names, Seeds

QUICK = ("--patch-size", "9", "--components", "13", "--epochs", "1", "--batch-size", "64")


@pytest.fixture
def small_bench(files):
    """Arguments of a benchmark of four trainings on the small scene."""
    return (
        "bench", "--dataset", files / "cube.npy", "--labels", files / "truth.npy", "--model",
        "hybridsn-dw,svm", "--split", "random", "--train", "0.15", "--seeds", "2", *QUICK,
        "--device", "cpu", "--out", "bench",
    )  # fmt: skip


def test_from_nothing_to_tables_and_on(hsi_command, small_bench):
    planned = hsi_command(*small_bench, "--dry-run")
    assert planned.code == 0, planned.err
    assert "4 cells: cube; random; training 0.15; hybridsn-dw, svm; seeds 0-1." in planned.out
    assert "0 are finished, 4 to train." in planned.out
    assert not os.path.exists("bench")  # noqa: PTH110

    done = hsi_command(*small_bench)
    assert done.code == 0, done.err
    assert "[4/4] cube, random 0.15, svm, seed 1: OA " in done.err
    assert "only svm" not in done.out
    assert re.search(r"\* .*2 seeds", done.out)
    assert "OA %" in done.out

    # What is not named stays: one more model, on the same scene, split and seeds.
    more = hsi_command("bench", "--model", "knn", "--device", "cpu", "--out", "bench")
    assert more.code == 0, more.err
    assert "0 are finished, 2 to train" in more.err
    assert more.err.count("cube, random 0.15, knn, seed") == 2
    dry = json.loads(hsi_command("bench", "--out", "bench", "--dry-run", "--json").out)
    assert (dry["to_train"], len(dry["cells"]), dry["guard"]) == (0, 6, None)

    before = sorted(each.stat().st_mtime_ns for each in _files("bench"))
    again = hsi_command("bench", "--out", "bench", "--against", "best", "--by", "aa")
    assert again.code == 0, again.err
    assert "was chosen on these same figures" in again.out
    assert "Differences of AA %" in again.out
    table = json.loads(hsi_command("bench", "--out", "bench", "--json").out)
    assert len(table["trainings"]) == 6
    assert len(table["comparisons"]) == 2
    assert "NaN" not in json.dumps(table)
    assert sorted(each.stat().st_mtime_ns for each in _files("bench")) == before

    refused = hsi_command("bench", "--out", "bench", "--epochs", "7")
    assert refused.code == 2
    assert "epochs is 1 there, 7 now" in refused.err


def _files(folder):
    return [each for each in Path(folder).rglob("*") if each.is_file()]


def test_on_an_official_split_seeds_vary_the_weights_alone(hsi_command, files):
    here = Path.cwd()
    truth = np.load(files / "truth.npy")
    above = np.arange(len(truth))[:, None] < 17
    maps = {"train": np.where(above, truth, 0), "test": np.where(above, 0, truth)}
    np.savez("maps.npz", **maps)
    for name in ("cube.npy", "truth.npy"):
        shutil.copy(files / name, here / name)
    (here / "field.toml").write_text(
        'title = "A field"\n[cube]\nname = "cube.npy"\n[labels]\nname = "truth.npy"\n'
        '[official]\ntitle = "the maps of a contest"\n'
        '[official.train]\nname = "maps.npz"\nkey = "train"\n'
        '[official.test]\nname = "maps.npz"\nkey = "test"\n'
    )
    done = hsi_command(
        "bench", "--dataset", "field.toml", "--model", "svm,hybridsn-dw", "--seeds", "2", "--split",
        "official,random", *QUICK, "--device", "cpu", "--json", "--out", "bench",
    )  # fmt: skip
    assert done.code == 0, done.err
    rows = [each for each in json.loads(done.out)["trainings"] if each["split"] == "official"]
    assert len(rows) == 4
    splits = [hsi.Run(here / "bench" / each["folder"]).split for each in rows]
    known = np.isin(truth, np.unique(maps["train"]))
    for split in splits:
        assert np.array_equal(split.train, splits[0].train)
        assert (split.train <= (maps["train"] > 0)).all()
        assert (split.test <= ((maps["test"] > 0) & known)).all()
        assert split.test.any()
    runs = [hsi.Run(here / "bench" / each["folder"]) for each in rows]
    networks = [run for run in runs if run.settings.model == "hybridsn-dw"]
    one, other = (run.path.joinpath("model.safetensors").read_bytes() for run in networks)
    assert one != other
    assert (
        "Of the published split there is one: seeds vary weights, "
        in (here / "bench" / "results.md").read_text()
    )


def test_a_failure_is_told_at_the_end_and_in_the_exit_code(hsi_command, small_bench):
    failed = hsi_command(*small_bench, "--patch-size", "35", "--seeds", "1")
    assert failed.code == 1
    assert "Failed: cube, random 0.15, hybridsn-dw, seed 0: a patch of 35x35" in failed.err
    assert "Traceback" not in failed.err
    assert "svm" in failed.out


def test_options_of_other_trainings_are_not_those_of_a_benchmark(hsi_command):
    text = hsi_command("bench", "--help").out
    assert "--learning-rate" in text
    assert "--test-dataset" not in text
    assert "--seed " not in text


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("3", (0, 1, 2)), ("3,", (3,)), ("0,5-7,6", (0, 5, 6, 7)), (" 1 , 2 ", (1, 2)), ("4-4", (4,))],
)
def test_seeds_are_a_number_or_a_list(text, seeds):
    assert Seeds().convert(text, None, None) == seeds


@pytest.mark.parametrize("text", ["0", "-1", "5-3", "1,,2", "", "x", "99999999"])
def test_what_are_no_seeds(text):
    import click

    with pytest.raises(click.BadParameter):
        Seeds().convert(text, None, None)


def test_lists_of_names_and_amounts(tmp_path):
    assert Names().convert("a, b", None, None) == ("a", "b")
    path = tmp_path / "a,b.tif"
    path.touch()
    assert Names().convert(str(path), None, None) == (str(path),)
    assert Amounts().convert("0.01,50", None, None) == (0.01, 50)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")
def test_an_interruption_leaves_no_process_and_can_be_continued(start_hsi, small_bench, tmp_path):
    long = [*map(str, small_bench), "--seeds", "40", "--jobs", "2"]
    process = start_hsi(*long, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    line = ""
    while not line.startswith("[1/80]") and time.monotonic() < deadline:
        line = process.stderr.readline()
    # As a terminal does: all processes of the group are told.
    os.killpg(process.pid, signal.SIGINT)
    rest = process.stderr.read()
    assert process.wait(60) == 130
    assert "Interrupted. " in rest
    assert "The same command goes on from there" in rest
    assert "Traceback" not in rest
    assert _ends(process.pid)
    out = tmp_path / "bench"
    table = json.loads((out / "results.json").read_text())
    finished = list(out.glob("runs/*/*/*/seed*/metrics.json"))
    assert 1 <= len(table["trainings"]) <= len(finished) <= 80
    others = set(out.glob("runs/*/*/*/seed*")) - {each.parent for each in finished}
    assert len(others) <= 2
    # What is not finished can go on.
    assert all(any((each / "checkpoint").glob("state-*")) for each in others)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")
def test_the_first_process_is_killed_and_the_others_end(start_hsi, hsi_command, small_bench):
    for _ in range(2):
        command = [*map(str, small_bench), "--seeds", "3", "--jobs", "2"]
        process = start_hsi(*command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert any(line.startswith("[1/") for line in process.stderr)
        process.kill()
        process.stderr.close()
        process.wait()
        assert _ends(process.pid)
    again = hsi_command(*small_bench, "--seeds", "3")
    assert again.code == 0, again.err
    whole = hsi_command(*small_bench[:-1], "whole", "--seeds", "3")
    assert whole.code == 0, whole.err
    weights = [each for each in _files("whole") if each.name.startswith("model.")]
    assert len(weights) == 6
    for each in weights:
        killed = Path("bench", *each.parts[1:])
        assert each.read_bytes() == killed.read_bytes()


def _ends(group):
    """Return whether all processes of a group end; Python's own helpers take a moment."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False
