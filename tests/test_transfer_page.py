"""The commands of the page on transfer, run one after another in one folder."""

import re
import shlex
import sys
from pathlib import Path

import pytest

import hsi
from hsi.cli.main import main
from hsi.cli.transfer import command, predict

ROOT = Path(__file__).parents[1]
# Without a download, and in a second.
QUICK = "--backbone lenet5 --augmentation none --device cpu"


def test_the_commands_of_the_page_run_one_after_another(photographs, tmp_path, monkeypatch, capsys):
    page = (ROOT / "docs" / "transfer.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pets").symlink_to(photographs)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "pets").symlink_to(photographs / "test")
    (shell,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (again,) = re.findall(r"`(hsi transfer pets --config [^`]+)`", page)

    def run(line):
        learned = "--backbone resnet18 --weights imagenet --freeze features"
        monkeypatch.setattr(sys, "argv", shlex.split(line.replace(learned, QUICK)))
        try:
            main()
        except SystemExit as done:
            pytest.fail(f"{line}: {done.code} {capsys.readouterr().err}")

    for line in shell.splitlines():
        run(line)
    exec(code, {})  # noqa: S102
    run(again)
    assert len(list((tmp_path / "runs").iterdir())) == 3
    assert hsi.TransferRun("runs/pets").settings.epochs == 3


def test_examples_and_help_name_runs_of_their_own():
    """What is made in one place is not in the way of what is made in another."""
    made = []
    for name in ("README.md", "docs/transfer.md", "docs/training.md", "examples/cats_and_dogs.py"):
        text = (ROOT / name).read_text(encoding="utf-8")
        made += re.findall(r"--out (runs/[\w-]+)", text) + re.findall(r'out="(runs/[\w-]+)"', text)
    assert len(made) == len(set(made)) >= 2
    # Of the two commands' help, the second uses what the first makes.
    for used in re.findall(r"predict (runs/\w+)", command.help + predict.help):
        assert f"--out {used}" in command.help
