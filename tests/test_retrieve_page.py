"""The commands and the Python of the page on retrieval, one after another in one folder."""

import re
import shlex
import sys
from pathlib import Path

import pytest

from hsi.cli.main import main
from hsi.training.retrieval_run import RetrievalRun

PAGE = (Path(__file__).parents[1] / "docs" / "retrieve.md").read_text(encoding="utf-8")


def test_the_page_runs(files, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (shell,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    small = f"--scene {files}/cube.npy --labels {files}/truth.npy --patch-size 3 --epochs 2"
    # A scene that every machine has, and that takes a second; the place lies in it.
    for named, here in (("--scene salinas_a", small), ("30,41", "30,31")):
        assert shell.count(named) == 1
        shell = shell.replace(named, here)
    for line in shell.splitlines():
        monkeypatch.setattr(sys, "argv", shlex.split(line))
        try:
            main()
        except SystemExit as done:
            pytest.fail(f"{line}: {done.code} {capsys.readouterr().err}")
    assert "were searched" in capsys.readouterr().out
    assert Path("found.png").is_file()
    assert RetrievalRun("runs/colours").finished


def test_its_python_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(code, {})  # noqa: S102
    said = capsys.readouterr().out.splitlines()
    assert "first_to_second" in said[0]
    assert [line.split()[0] for line in said[1:]] == ["1", "2", "3"]
