"""docs/attention.md: its Python runs, and its table is what the command prints."""

import json
import re
from pathlib import Path

from click.testing import CliRunner

from hsi.cli.main import cli
from hsi.layers.attention import build_attention

PAGE = (Path(__file__).parents[1] / "docs" / "attention.md").read_text(encoding="utf-8")


def test_the_python_of_the_page_runs():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {}
    exec(code, names)  # noqa: S102
    assert names["model"].has_trunk


def test_the_table_is_what_the_command_prints():
    done = CliRunner().invoke(cli, ["models", "--blocks", "--channels", "64", "--json"])
    expected = [
        (row["attention"], row["what it is"], f"{row['parameters']:,}", f"{row['macs']:,}")
        for row in json.loads(done.output)
    ]
    assert re.findall(r"\| `(.+)` \| (.+) \| ([\d,]+) \| ([\d,]+) \|", PAGE) == expected


def test_the_sizes_in_the_text():
    millions = {
        name: sum(w.numel() for w in build_attention(name, channels=1664).parameters()) / 1e6
        for name in ("se-var3", "mhsa")
    }
    assert f"`se-var3` has\n{millions['se-var3']:.1f} million" in PAGE
    assert f"`mhsa` {millions['mhsa']:.0f} million" in PAGE
