"""`hsi transfer`: both commands as they are written, and what they print."""

import csv
import io
import json
import shutil

import pytest
from PIL import Image

import hsi

QUICK = (
    "--backbone", "lenet5", "--augmentation", "none", "--batch-size", "16", "--epochs", "2",
    "--learning-rate", "5e-3", "--device", "cpu",
)  # fmt: skip


def test_a_transfer_says_what_it_found(hsi_command, photographs):
    done = hsi_command("transfer", photographs, *QUICK, "--out", "run")
    assert done.code == 0
    run = hsi.TransferRun("run")
    assert run.settings.epochs == 2
    assert "30" in done.out
    assert "test photographs" in done.out
    for note in run.metrics["notes"]:
        assert f"Note: {note}" in done.out
    assert "run/report.html" in done.out
    assert "Training run ..." in done.err
    assert "90 files read" in done.err
    assert "epoch 2/2" in done.err


def test_options_become_settings(hsi_command, photographs):
    done = hsi_command(
        "transfer", photographs, *QUICK, "--out", "run", "--json",
        "--size", "30", "--validation", "0.4", "--seed", "7", "--optimizer", "adam",
        "--schedule", "constant", "--weight-decay", "0.1", "--label-smoothing", "0.1",
        "--attention", "eca", "--small-stem", "--freeze", "none", "--precision", "full",
    )  # fmt: skip
    assert done.code == 0
    metrics = json.loads(done.out)
    assert metrics["seed"] == 7
    assert metrics["validation_photographs"] == 24
    assert hsi.TransferRun(metrics["run"]).settings == hsi.TransferSettings().changed(
        backbone="lenet5", augmentation="none", batch_size=16, epochs=2, learning_rate=5e-3,
        size=30, validation=0.4, seed=7, optimizer="adam", schedule="constant", weight_decay=0.1,
        label_smoothing=0.1, attention="eca", small_stem=True, freeze="none", precision="full",
    )  # fmt: skip
    # As the report says: the run again, and other options prevail.
    again = hsi_command(
        "transfer", photographs, "--config", "run/config.toml", "--out", "again", "--json",
        "--device", "cpu",
    )  # fmt: skip
    assert json.loads(again.out)["confusion"] == metrics["confusion"]
    fewer = hsi_command(
        "transfer", photographs, "--config", "run/config.toml", "--epochs", "1", "--json",
    )  # fmt: skip
    assert json.loads(fewer.out)["epochs"] == 1


def test_predictions_as_table_csv_and_json(hsi_command, transferred, photographs, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"")
    given = ("transfer", "predict", transferred.path, photographs / "test" / "sea", bad)
    table = hsi_command(*given, "--device", "cpu")
    assert table.code == 1
    assert f"skipped {bad}: it is empty" in table.err
    assert "1 of 11 were skipped" in table.err
    assert table.out.count("sea") >= 10
    rows = list(csv.DictReader(io.StringIO(hsi_command(*given, "--csv").out)))
    found = json.loads(hsi_command(*given, "--json").out)
    assert found["unreadable"] == [{"photograph": str(bad), "reason": "it is empty"}]
    assert len(found["predictions"]) == len(rows) == 10
    for row, each in zip(rows, found["predictions"], strict=True):
        assert row["photograph"] == each["photograph"]
        assert row["class"] == each["class"]
        assert float(row["probability"]) == pytest.approx(each["probability"], abs=1e-6)
        for name in ("fire", "moss", "sea"):
            expected = pytest.approx(each["probabilities"][name], abs=1e-6)
            assert float(row[f"p({name})"]) == expected


def test_nothing_skipped_is_no_error(hsi_command, transferred, photographs):
    done = hsi_command("transfer", "predict", transferred.path, photographs / "test" / "sea")
    assert done.code == 0
    assert done.err == ""


def test_a_file_that_is_missing_does_not_stop_the_others(hsi_command, transferred, photographs):
    shutil.copytree(photographs / "test" / "sea", "sea")
    done = hsi_command("transfer", "predict", transferred.path, "sea/0.png", "./sea", "--csv")
    assert done.code == 1
    names = [row["photograph"] for row in csv.DictReader(io.StringIO(done.out))]
    assert names == [f"sea/00{place}.png" for place in range(10)]
    assert "skipped sea/0.png: it is not there" in done.err
    assert "Error: 1 of 11 were skipped" in done.err


def test_a_single_file_needs_no_suffix(hsi_command, transferred, tmp_path):
    Image.new("RGB", (30, 30), "green").save(tmp_path / "scan", format="PNG")
    done = hsi_command("transfer", "predict", transferred.path, tmp_path / "scan", "--json")
    assert len(json.loads(done.out)["predictions"]) == 1


def test_a_folder_called_predict_is_reached_by_its_path(hsi_command, photographs):
    done = hsi_command("transfer", "./predict", *QUICK)
    assert done.code == 1
    assert "predict is not there" in done.err


def test_help_names_both_commands(hsi_command):
    done = hsi_command("transfer", "--help")
    assert "Usage: hsi transfer [OPTIONS] [IMAGES]" in done.out
    assert "hsi transfer predict RUN IMAGES" in done.out
    done = hsi_command("transfer", "predict", "--help")
    assert "Usage: hsi transfer predict [OPTIONS] RUN IMAGES" in done.out
    assert "Examples:" in done.out


def test_an_interrupted_transfer_goes_on(
    hsi_command, photographs, tmp_path, monkeypatch, interrupting
):
    monkeypatch.setattr("hsi.workflows.kept.CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        hsi.transfer(
            photographs, out=tmp_path / "run", progress=interrupting(3), device="cpu",
            backbone="lenet5", augmentation="none", batch_size=16, epochs=12,
        )  # fmt: skip
    resume = ("transfer", "--resume", tmp_path / "run", "--device", "cpu")
    for more, words in {
        ("--epochs", "3"): "epochs is 12 there, 3 now",
        ("--out", "new"): "leave out --out",
        (str(photographs),): "leave out IMAGES",
    }.items():
        done = hsi_command(*resume, *more)
        assert (done.code, words in done.err) == (2, True), done.err
    done = hsi_command(*resume)
    assert done.code == 0, done.err
    assert "photographs.csv" in done.out
    done = hsi_command("transfer")
    assert (done.code, "IMAGES is missing" in done.err) == (2, True)
    done = hsi_command("transfer", photographs, "--not-bitwise")
    assert (done.code, "none is named" in done.err) == (2, True)
