"""``hsi evaluate``."""

import json
import shutil


def test_it_prints_the_figures_of_the_run(hsi_command, run):
    done = hsi_command("evaluate", run.path, "--device", "cpu")
    assert done.code == 0
    assert done.out.splitlines()[0] == f"{run.path}: random split"  # one line, however long
    for name in ("oa", "aa", "kappa"):
        assert f"{100 * run.metrics[name]:.2f}" in done.out
    assert f"{run.metrics['test_pixels']:,}" in done.out
    assert f"Learned: {100 * run.metrics['train_oa']:.2f} % of the training pixels" in done.out
    assert f"Overlap: {run.metrics['overlap']['contains']:.1%} of the test pixels" in done.out
    assert "Note: 15 labelled pixels without data" in done.out
    assert done.err == ""


def test_json_twice_is_the_same_and_that_of_the_training(hsi_command, run):
    one, other = (hsi_command("evaluate", run.path, "--json", "--device", "cpu") for _ in "12")
    assert one.out == other.out
    printed = json.loads(one.out)
    assert printed == {name: run.metrics[name] for name in printed}
    assert printed.keys() == {
        "oa", "aa", "kappa", "per_class", "confusion", "area", "test_pixels", "train_oa",
        "overlap", "notes",
    }  # fmt: skip


def test_it_changes_nothing_in_the_run(hsi_command, run):
    before = {each: each.stat().st_mtime_ns for each in run.path.iterdir()}
    hsi_command("evaluate", run.path, "--device", "cpu")
    assert {each: each.stat().st_mtime_ns for each in run.path.iterdir()} == before


def test_an_unfinished_run_is_tested_with_its_checkpoint(hsi_command, run, tmp_path):
    copy = shutil.copytree(run.path, tmp_path / "copy")
    (copy / "checkpoint").mkdir()
    (copy / "model.safetensors").rename(copy / "checkpoint" / "model.safetensors")
    done = hsi_command("evaluate", copy, "--json", "--device", "cpu")
    assert done.code == 0
    assert "did not finish; using its checkpoint" in done.err
    assert json.loads(done.out)["oa"] == run.metrics["oa"]


def test_files_that_are_gone_are_named(hsi_command, run, tmp_path, files):
    copy = shutil.copytree(run.path, tmp_path / "copy")
    text = (copy / "config.toml").read_text()
    (copy / "config.toml").write_text(text.replace(str(files), "/nowhere"))
    done = hsi_command("evaluate", copy)
    assert done.code == 1
    assert "if you changed it on purpose, remove its line from SHA256SUMS" in done.err
    sums = (copy / "SHA256SUMS").read_text()
    kept = [line for line in sums.splitlines(keepends=True) if "config.toml" not in line]
    (copy / "SHA256SUMS").write_text("".join(kept))
    done = hsi_command("evaluate", copy)
    assert done.code in (1, 2)
    assert "/nowhere/cube.npy" in done.err
    assert "Traceback" not in done.err
