"""What docs/backbones.md shows is so."""

import re
import runpy
from pathlib import Path

import torch

from hsi.backbones import build_backbone, published

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "backbones.md").read_text(encoding="utf-8")


def test_the_table_is_the_commands():
    made = runpy.run_path(str(ROOT / "benchmarks" / "backbone_table.py"))["table"]()
    shown = [line for line in PAGE.splitlines() if line.startswith("|")]
    assert shown == made.splitlines()


def test_its_python_runs(tmp_path, monkeypatch, capsys):
    file = published.FILES["resnet18"]
    monkeypatch.setenv("HSI_DATA", str(tmp_path))
    torch.save(build_backbone("resnet18").state_dict(), tmp_path / file)
    # Stands in for the published one, whose digits it cannot have.
    monkeypatch.setattr(published, "sha256", lambda path: "f37072fd")
    first, own_loop, second = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {}
    exec(first, names)  # noqa: S102
    assert names["scores"].shape == (4, 16)
    exec(own_loop, names)  # noqa: S102
    expected = names["main"] + 0.3 * names["first"] + 0.3 * names["second"]
    torch.testing.assert_close(names["loss"], expected)
    exec(second, names)  # noqa: S102
    printed = capsys.readouterr().out.split()
    assert " ".join(printed) == " ".join(re.findall(r"^# (.*)", second, re.MULTILINE))
