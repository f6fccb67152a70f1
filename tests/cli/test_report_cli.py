"""`hsi report` and `hsi view`."""

import shutil

import pytest


@pytest.fixture
def copied(run, tmp_path):
    return shutil.copytree(run.path, tmp_path / "copy")


def test_the_page_of_a_run_is_made_again(hsi_command, copied):
    (copied / "report.html").unlink()
    done = hsi_command("report", copied, "--device", "cpu")
    assert (done.code, done.out) == (0, f"Report: {copied / 'report.html'}\n")
    assert (copied / "report.html").stat().st_size > 1_000_000


def test_another_scene_takes_the_options_of_its_files(hsi_command, copied, files, tmp_path):
    out = tmp_path / "page.html"
    done = hsi_command(
        "report", copied, "--scene", files / "cube.npy", "--nodata", "5", "--out", out,
        "--device", "cpu",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "--nodata 5" in out.read_text()


def test_a_scene_is_viewed_without_a_run(hsi_command, files, tmp_path):
    arguments = ("view", files / "cube.npy", "--labels", files / "truth.npy")
    first, second = (hsi_command(*arguments) for _ in "12")
    assert (first.code, first.out) == (0, "Page: cube.html\n")
    assert second.out == "Page: cube-2.html\n"
    page = (tmp_path / "here" / "cube.html").read_text()
    assert f"hsi view {files / 'cube.npy'} --labels {files / 'truth.npy'}" in page
    assert "class 14" in page
    # What is written to a named page replaces it.
    for _ in "12":
        assert hsi_command(*arguments, "--out", "mine.html").out == "Page: mine.html\n"
