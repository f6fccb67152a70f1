"""What README and pages promise: their Python runs, and their commands and options are there."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import hsi
from hsi.cli.main import cli
from hsi.models import MODELS
from hsi.scenes.readers import READERS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def test_the_python_of_the_readme_runs(monkeypatch):
    (code,) = blocks(ROOT / "README.md", "python")
    trained = []
    monkeypatch.setattr(hsi, "train", lambda *a, **kw: trained.append((a, kw)) or FinishedRun())
    names = {}
    exec(code, names)  # noqa: S102
    assert names["patch"].shape == (15, 25, 25)
    assert names["scores"].shape == (len(names["scene"].class_ids), 96, 96)
    # The training itself would take a minute; its arguments are settings that exist.
    ((scene,), changes) = trained[0]
    assert scene is names["scene"]
    hsi.Settings().changed(**changes)


class FinishedRun:
    path = Path("run")
    metrics = {"oa": 1.0}  # noqa: RUF012


def test_a_network_of_ones_own_as_the_page_shows_it(monkeypatch):
    monkeypatch.setattr("hsi.models.registry.MODELS", dict(MODELS))
    (code,) = blocks(ROOT / "docs" / "dense.md", "python")
    exec(code, {})  # noqa: S102
    assert hsi.build_model("small", bands=4, classes=2, patch_size=9).has_trunk


def test_a_transfer_as_the_page_shows_it(photographs, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pets").symlink_to(photographs)
    (code,) = blocks(ROOT / "docs" / "transfer.md", "python")
    names = {}
    exec(code, names)  # noqa: S102
    assert "overfit gap" in capsys.readouterr().out
    assert len(names["predictions"]) == 30


def test_batteries_as_the_page_shows_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = blocks(ROOT / "docs" / "reliability.md", "python")
    try:
        exec(code, {"__name__": "__main__"})  # noqa: S102
    finally:
        MODELS.pop("small-network", None)
        READERS.pop(".plain", None)


def test_the_page_on_reliability_has_the_counts_that_were_made():
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    results = ROOT / "benchmarks" / "results" / "reliability.json"
    if not results.exists():
        pytest.skip("the benchmarks are not here")
    for promise, what, number in json.loads(results.read_text())["usual"]:
        assert f"| {promise} | {what} | {number:,} |" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_exist(page):
    text = page.read_text(encoding="utf-8")
    commands = re.findall(
        r"hsi ((?:scenes |denoise |retrieve (?=[tq])|transfer (?=predict ))?[a-z]+)"
        r"((?: [^`\n|]*)?)",
        "\n".join(re.findall(r"`(hsi [^`]+)`", text) + blocks(page, "sh")),
    )
    helps = "".join(
        CliRunner().invoke(cli, [*command.split(), "--help"]).output
        for command in (
            "train",
            "bench",
            "search",
            "map",
            "transfer",
            "transfer predict",
            "denoise train",
            "denoise apply",
            "denoise test",
            "retrieve train",
            "retrieve query",
        )
    )
    for command, rest in commands:
        result = CliRunner().invoke(cli, [*command.split(), "--help"])
        assert result.exit_code == 0, command
        for option in re.findall(r"--[a-z-]+", rest):
            assert option in result.output, (command, option)
    for option in re.findall(r"`(--[a-z-]+)[ `]", text):
        assert option in helps, option


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_are_there(page):
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (page.parent / target).is_file(), target
