"""``hsi train``."""

import json
import os
import pty
import re
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

import hsi
from hsi.cli.console import TrainingDisplay
from hsi.training import Epoch

TIMES = {"train_seconds", "map_seconds", "test_first_used", "run"}


def test_it_ends_with_a_table_and_the_path_of_the_map(hsi_command, quick):
    done = hsi_command(*quick, "--out", "run")
    assert done.code == 0
    metrics = hsi.Run("run").metrics
    assert f"{100 * metrics['oa']:.2f}" in done.out
    assert "class 14" in done.out
    assert re.search(r"Map: +run/class_map\.png\n", done.out)
    assert f"Learned: {100 * metrics['train_oa']:.2f} % of the training pixels" in done.out
    assert f"Overlap: {metrics['overlap']['contains']:.1%} of the test pixels" in done.out
    assert "Note: 15 labelled pixels without data" in done.out
    assert "\x1b" not in done.out + done.err


def test_progress_is_plain_lines_on_standard_error_when_it_is_no_terminal(hsi_command, quick):
    done = hsi_command(*quick, "--validation", "0.05", "--out", "run")
    lines = done.err.splitlines()
    assert lines[0] == "Training run ..."
    assert lines[1] == "Note: 15 labelled pixels without data are in none of the sets."
    assert [line.split("  ")[0] for line in lines[2:]] == ["epoch 1/2", "epoch 2/2"]
    for word in ("loss", "training accuracy", "validation accuracy", "s left"):
        assert word in lines[2]
    assert "epoch" not in done.out


@pytest.mark.parametrize(("total", "most"), [(20, 20), (21, 21), (40, 21), (107, 21), (999, 21)])
def test_a_long_training_does_not_fill_a_log(capsys, total, most):
    with TrainingDisplay() as display:
        for number in range(1, total + 1):
            display.epoch(Epoch(number, 0.5, 0.5, None, 1e-3, 1.0), total)
    lines = [line.split()[1] for line in capsys.readouterr().err.splitlines()]
    shown = [int(each.partition("/")[0]) for each in lines]
    assert shown[0] == 1
    assert shown[-1] == total
    assert 10 <= len(shown) <= most
    assert max(np.diff(shown)) <= 2 * min(np.diff(shown[1:-1]))


def test_what_a_blocks_split_could_not_do_is_said_before_the_training(hsi_command, quick):
    done = hsi_command(*quick, "--split", "blocks", "--train", "0.4", "--out", "run")
    notes = hsi.Run("run").split.notes
    assert len(notes) > 1
    lines = done.err.splitlines()
    assert lines[1 : len(notes) + 1] == [f"Note: {note}" for note in notes]
    assert lines[len(notes) + 1].startswith("epoch 1/")
    for note in notes:
        assert f"Note: {note}" in done.out


def test_a_validation_that_was_not_is_not_counted(hsi_command, quick):
    assert "validation," not in hsi_command(*quick, "--out", "without").out
    done = hsi_command(*quick, "--validation", "0.05", "--out", "with")
    metrics = hsi.Run("with").metrics
    assert f" training, {metrics['validation_pixels']} validation, " in done.out


def test_json_is_all_of_standard_output(hsi_command, quick):
    done = hsi_command(*quick, "--out", "run", "--json")
    printed = json.loads(done.out)
    assert printed.pop("run") == "run"
    assert printed == hsi.Run("run").metrics
    assert "epoch 2/2" in done.err


def test_options_become_settings(hsi_command, quick):
    done = hsi_command(
        *quick, "--out", "run", "--recipe", "paper", "--model", "hybridsn", "--seed", "4",
        "--validation", "3", "--no-whiten", "--pca-fit", "scene", "--norm", "none",
        "--optimizer", "adamw", "--learning-rate", "0.002", "--schedule", "one-cycle",
        "--weight-decay", "0.1", "--dropout", "0.2", "--augmentation", "dihedral",
        "--label-smoothing", "0.1",
    )  # fmt: skip
    assert done.code == 0
    settings = hsi.Run("run").settings
    assert settings == hsi.Settings().changed(
        recipe="paper", model="hybridsn", seed=4, validation=3, whiten=False, pca_fit="scene",
        norm="none", optimizer="adamw", learning_rate=0.002, schedule="one-cycle",
        weight_decay=0.1, dropout=0.2, augmentation="dihedral", label_smoothing=0.1,
        patch_size=9, components=13, train=0.15, batch_size=16, epochs=2, reduction="pca",
    )  # fmt: skip


def test_arrays_of_one_file_are_named_by_keys(hsi_command, briefly, files):
    cube, truth = (np.load(files / name) for name in ("cube.npy", "truth.npy"))
    np.savez("all.npz", cube=cube, raw=cube[:, :, :15], truth=truth, other=truth)
    again = (
        "--dataset",
        "all.npz",
        "--key",
        "cube",
        "--labels-key",
        "truth",
        "--labels",
        "all.npz",
    )
    done = hsi_command(*briefly, *again, "--out", "run")
    assert done.code == 0
    assert hsi.load_scene(**hsi.Run("run").source).bands == 20


def test_a_count_and_a_fraction_are_told_apart(hsi_command, quick):
    assert hsi_command(*quick, "--train", "20", "--out", "run").code == 0
    assert hsi.Run("run").metrics["train_pixels"] == 60


def test_the_default_folder_is_in_runs_in_the_current_folder(hsi_command, quick, tmp_path):
    done = hsi_command(*quick, "--epochs", "1")
    path = "runs/cube-hybridsn-dw-random-seed0"
    assert f"{path}/class_map.png" in done.out
    assert (tmp_path / "here" / path / "metrics.json").is_file()


def test_a_config_reproduces_its_run_and_options_prevail(hsi_command, quick):
    hsi_command(*quick, "--out", "first", "--seed", "3")
    done = hsi_command(
        "train", "--config", "first/config.toml", "--out", "again", "--device", "cpu"
    )
    assert done.code == 0
    first, again = hsi.Run("first"), hsi.Run("again")
    assert again.config == first.config
    for name, value in first.metrics.items():
        if name not in TIMES:
            assert again.metrics[name] == value, name
    hsi_command(
        "train", "--config", "first/config.toml", "--seed", "4", "--out", "other",
        "--device", "cpu",
    )  # fmt: skip
    assert hsi.Run("other").settings == first.settings.changed(seed=4)


def test_a_config_from_elsewhere_takes_another_scene(hsi_command, quick, write_scene, tmp_path):
    hsi_command(*quick, "--out", "first")
    folder = write_scene(tmp_path / "other", seed=1)
    done = hsi_command(
        "train", "--config", "first/config.toml", "--dataset", folder / "cube.npy",
        "--labels", folder / "truth.npy", "--out", "again", "--device", "cpu",
    )  # fmt: skip
    assert done.code == 0
    assert hsi.Run("again").source["dataset"] == str(folder / "cube.npy")


def test_names_with_brackets_and_percent_signs_are_printed_as_they_are(hsi_command, briefly, files):
    os.link(files / "cube.npy", "50%[red].npy")
    named = ("--dataset", "50%[red].npy", "--labels", files / "truth.npy")
    done = hsi_command(*briefly, *named, "--out", "run[bold]")
    assert done.code == 0
    assert "50%[red]: hybridsn-dw" in done.out
    assert "run[bold]/class_map.png" in done.out


def test_an_interrupt_keeps_what_was_learned_and_says_so(start_hsi, hsi_command, quick, tmp_path):
    process = start_hsi(
        *quick, "--epochs", "100000", "--out", tmp_path / "run",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in process.stderr:
        if line.startswith("epoch 1/"):
            break
    time.sleep(0.5)  # the next epoch is not announced, but takes less
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    run = tmp_path / "run"
    assert re.fullmatch(
        rf"Interrupted\. The weights of epoch \d+ are kept: `hsi map {run}` and "
        rf"`hsi evaluate {run}` work with them\. `hsi train --resume {run}` goes on as if "
        r"nothing had happened\.",
        err.splitlines()[-1],
    )
    assert "Traceback" not in err
    assert out == ""
    assert hsi_command("evaluate", run, "--device", "cpu").code == 0


def test_an_interrupt_before_the_first_epoch_leaves_nothing_and_says_so(
    hsi_command, quick, monkeypatch
):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(TrainingDisplay, "step", interrupt)
    done = hsi_command(*quick, "--out", "run")
    assert done.code == 130
    assert done.err.splitlines()[-1] == (
        "Interrupted. No epoch was finished, so nothing is left in run."
    )
    assert done.out == ""
    assert not Path("run").exists()


def test_on_a_terminal_progress_is_live(start_hsi, quick, tmp_path):
    ours, theirs = pty.openpty()
    process = start_hsi(
        *quick, "--out", tmp_path / "run", stdout=subprocess.DEVNULL, stderr=theirs,
        env={"TERM": "xterm-256color", "COLUMNS": "100"},
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while more := os.read(ours, 65536):
            shown += more
    except OSError:  # how Linux says that the other side has closed
        pass
    finally:
        os.close(ours)
    assert process.wait(timeout=60) == 0
    text = shown.decode()
    assert "\x1b[?25l" in text, "a live display hides the cursor"
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l"), "and shows it again"
    assert "epoch 2/2" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    assert "s left" not in text


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_reader_that_goes_away_is_no_traceback(start_hsi, quick, tmp_path, stream):
    process = start_hsi(
        *quick, "--out", tmp_path / "run", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    getattr(process, stream).close()
    other = process.stderr if stream == "stdout" else process.stdout
    assert b"Traceback" not in other.read()
    assert process.wait(timeout=60) == 1


def test_a_fill_value_is_declared_and_stays_so(hsi_command, briefly, files, tmp_path):
    cube = np.load(files / "cube.npy")
    cube[20:22, 5] = -1e30
    np.save(tmp_path / "cube.npy", cube)
    truth = np.load(files / "truth.npy")
    truth[20:22, 5] = 0
    np.save(tmp_path / "truth.npy", truth)
    paths = ("--dataset", tmp_path / "cube.npy", "--labels", tmp_path / "truth.npy")
    done = hsi_command(*briefly, *paths, "--out", "run")
    assert done.code == 1
    assert "at row 20, column 5" in done.err
    fill = "--nodata=-1e+30"
    assert f"declare it with nodata=-1e+30 ({fill})" in done.err
    assert not Path("run").exists()
    assert hsi_command(*briefly, *paths, "--out", "run", fill).code == 0
    assert hsi.Run("run").source["nodata"] == -1e30
    assert hsi_command("map", "run", "--device", "cpu", "--out", "map").code == 0
    assert hsi_command("map", "run", fill).code == 2
    other = ("--scene", tmp_path / "cube.npy", "--device", "cpu", "--out", "map")
    assert hsi_command("map", "run", *other).code == 1
    assert hsi_command("map", "run", *other, fill).code == 0
    assert "No data: -1" in hsi_command("scenes", "info", tmp_path / "cube.npy", fill).out


def test_spectra_of_a_library_train_what_looks_at_single_spectra(hsi_command, real_data):
    library = real_data / "spectra" / "library_berlin.gpkg"
    given = ("train", "--dataset", library, "--label-field", "level_1", "--train", "0.5")
    done = hsi_command(*given, "--model", "svm", "--device", "cpu", "--out", "run", "--json")
    assert done.code == 0, done.err
    metrics = json.loads(done.out)
    named = [each["name"] for each in metrics["per_class"]]
    assert named == ["impervious", "soil", "vegetation", "water"]
    assert metrics["train_pixels"] + metrics["test_pixels"] == 75
    assert metrics["oa"] > 0.8

    refused = hsi_command(*given, "--model", "hybridsn-dw", "--device", "cpu", "--out", "other")
    assert refused.code in (1, 2)
    assert not Path("other").exists()
    assert "a patch of 25x25 pixels is larger than the scene (75x1)" in refused.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_stop_waits_for_the_step_and_the_training_goes_on(
    start_hsi, hsi_command, quick, tmp_path, number
):
    run = tmp_path / "run"
    # Long enough not to be over before the request comes.
    process = start_hsi(
        *quick, "--epochs", "500", "--out", run,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in process.stderr:
        if line.startswith("epoch 1/"):
            break
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert f"`hsi train --resume {run}` goes on as if nothing had happened." in err
    assert "Traceback" not in err
    assert not (run / ".lock").exists()

    refused = hsi_command("train", "--resume", run, "--epochs", "7", "--seed", "3")
    assert refused.code == 2
    assert "seed is 0 there, 3 now; epochs is 500 there, 7 now" in refused.err
    for more in (("--dataset", "synthetic"), ("--config", "a"), ("--out", "b"), ("--nodata", "3")):
        refused = hsi_command("train", "--resume", run, *more)
        assert refused.code == 2
        assert f"leave out {more[0]}" in refused.err
    refused = hsi_command("train", "--not-bitwise", "--dataset", "synthetic")
    assert refused.code == 2
    # 500 epochs are too many to wait for; that it goes on is seen.
    process = start_hsi(
        "train", "--resume", run, "--epochs", "500",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in process.stderr:
        if line.startswith("epoch "):
            break
    assert not line.startswith("epoch 1/")
    process.kill()
    process.communicate()


def test_a_run_that_is_finished_or_none_is_not_gone_on_with(hsi_command, quick):
    assert hsi_command(*quick, "--out", "run").code == 0
    done = hsi_command("train", "--resume", "run")
    assert done.code == 2
    assert "the training of run is finished" in done.err
    Path("empty").mkdir()
    for name in ("empty", "nowhere"):
        done = hsi_command("train", "--resume", name)
        assert done.code == 1
        assert f"the run folder {name} is " in done.err
        assert "Traceback" not in done.err
