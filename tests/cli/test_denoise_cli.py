"""`hsi denoise` from training to a clean scene and its figures."""

import csv
import json

import numpy as np
import pytest

import hsi

BRIEFLY = ("--depth", "3", "--epochs", "2", "--steps", "4", "--batch-size", "4",
           "--patch-size", "16", "--device", "cpu")  # fmt: skip


def test_from_training_to_a_clean_scene(hsi_command, files, tmp_path):
    cube = files / "cube.npy"
    done = hsi_command(
        "denoise", "train", cube, "--validation", cube, "--sigma", "15-50", "--noise", "gaussian",
        "--noise", "stripes", *BRIEFLY, "--out", tmp_path / "run", "--json",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "noise removed" in done.err
    metrics = json.loads(done.out)
    assert metrics["parameters"] == 38_144
    assert metrics["run"] == str(tmp_path / "run")
    rows = list(csv.DictReader((tmp_path / "run" / "history.csv").read_text().splitlines()))
    assert float(rows[-1]["validation_noise_removed"]) == metrics["validation_noise_removed"]
    config = (tmp_path / "run" / "config.toml").read_text()
    assert 'sigma = "15-50"' in config
    assert '"stripes"' in config

    done = hsi_command("denoise", "apply", tmp_path / "run", cube, "--device", "cpu", "--json")
    assert done.code == 0, done.err
    made = json.loads(done.out)
    clean, noisy = np.load(made["path"]), np.load(cube)
    assert clean.shape == noisy.shape
    assert made["denoised"] == 20
    assert (np.isnan(clean) == np.isnan(noisy)).all()

    again = hsi_command(
        "denoise", "train", "--config", tmp_path / "run" / "config.toml", "--seed", "1",
        "--device", "cpu", "--out", tmp_path / "second",
    )  # fmt: skip
    assert again.code == 0, again.err
    assert "of the energy of the noise" in again.out


def test_a_table_of_what_it_is_worth(hsi_command, files, denoise_run):
    pytest.importorskip("skimage")
    asked = ("denoise", "test", denoise_run.path, files / "cube.npy", "--sigma", "25", "--sigma",
             "50", "--noise", "gaussian", "--device", "cpu")  # fmt: skip
    done = hsi_command(*asked, "--json")
    assert done.code == 0, done.err
    rows = json.loads(done.out)
    assert [row["sigma"] for row in rows] == [25] * 4 + [50] * 4
    assert [row["method"] for row in rows[:4]] == [
        "noisy", "non-local means", "truncated PCA", "DnCNN",
    ]  # fmt: skip
    # Noise of 25 / 255 of the range, by the definition of the ratio.
    assert rows[0]["psnr"] == pytest.approx(20 * np.log10(255 / 25), abs=0.1)
    assert rows[4]["psnr"] == pytest.approx(20 * np.log10(255 / 50), abs=0.1)
    assert rows[2]["psnr"] > rows[0]["psnr"]
    table = hsi_command(*asked).out
    for row in rows:
        assert f"{row['psnr']:.2f}" in table
        assert f"{row['angle']:.3f}" in table


def test_an_interrupted_training_goes_on_to_the_same_bits(files, tmp_path, small_denoiser):
    from hsi.workflows.denoise import resume_denoiser, train_denoiser

    class Stopping:
        def step(self, done, total):
            if done == 7:
                raise KeyboardInterrupt

        def epoch(self, epoch, total):
            pass

    scene, settings = hsi.load_scene(files / "cube.npy"), {**small_denoiser, "device": "cpu"}
    whole = train_denoiser([scene], out=tmp_path / "whole", **settings)
    from hsi.workflows import kept

    before, kept.CHECKPOINT_SECONDS = kept.CHECKPOINT_SECONDS, 0.0
    try:
        with pytest.raises(KeyboardInterrupt) as stopped:
            train_denoiser([scene], out=tmp_path / "cut", progress=Stopping(), **settings)
    finally:
        kept.CHECKPOINT_SECONDS = before
    assert "hsi denoise train --resume" in "".join(stopped.value.__notes__)
    run = resume_denoiser(tmp_path / "cut", device="cpu")
    assert run.finished
    weights = (each.path / "model.safetensors" for each in (run, whole))
    assert len({path.read_bytes() for path in weights}) == 1
    assert not run.checkpoint.parent.exists()


def test_a_run_whose_scene_was_changed_does_not_go_on(files, tmp_path, small_denoiser):
    from hsi.errors import RunError
    from hsi.training import DenoiseRun, DenoiseSettings
    from hsi.workflows.denoise import resume_denoiser

    np.save(tmp_path / "cube.npy", np.load(files / "cube.npy"))
    run = DenoiseRun.create(
        tmp_path / "run", settings=DenoiseSettings(**small_denoiser),
        scenes=[{"dataset": str(tmp_path / "gone.npy")}], validation=[],
    )  # fmt: skip
    with pytest.raises(hsi.HsiError, match=r"gone\.npy"):
        resume_denoiser(run, device="cpu")
    with pytest.raises(RunError, match="made in memory"):
        resume_denoiser(
            DenoiseRun.create(
                tmp_path / "other", settings=run.settings, scenes=[{}], validation=[]
            ),
            device="cpu",
        )
