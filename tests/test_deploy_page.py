"""The page on deployment: its commands and programs run, its figures are those of the benchmark."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
RESULTS = ROOT / "benchmarks" / "results" / "exported_networks.json"
# As on a machine that has neither.
ONLY = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "hsi"):
            raise ImportError(f"there is no {name} here")

sys.meta_path.insert(0, Missing())
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_commands_and_programs_run(hsi_command, run, scene, tmp_path, monkeypatch):
    shutil.copytree(run.path, "runs/first")
    np.save("scene.npy", scene.cube)
    commands = [
        shlex.split(line)[1:]
        for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
        for line in block.splitlines()
    ]
    assert [words[0] for words in commands] == ["export", "map", "export"]
    for words in commands:
        done = hsi_command(*words)
        assert done.code == 0, done.err
    alone, after = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", ONLY + alone], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = np.load("class_map.npy")
    with rasterio.open("maps/scene/class_map.tif") as file:
        assert np.array_equal(file.read(1), found)
    assert np.array_equal(found == 0, ~scene.valid)
    for each in (1, 2, 14):
        assert f"{each} class {each} {np.count_nonzero(found == each)}\n" in done.stdout
    names = {}
    edge = (4, 4)
    names["padded"] = np.pad(scene.cube, (edge, edge, (0, 0)), constant_values=np.nan)
    exec(after, names)  # noqa: S102
    assert np.array_equal(names["classes"].numpy(), found)


def test_all_that_a_file_says_of_itself_is_on_the_page(exported):
    for name in (*exported.description.model_dump(), "sha256"):
        assert f"`{name}`" in PAGE


def test_the_figures_are_those_of_the_benchmark():
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))["rows"]
    assert f"{len(rows)} networks" in PAGE
    worst = max(row[f"{kind} difference"] for row in rows for kind in ("onnx", "torch"))
    assert f"{worst:.1e}" in PAGE
    for form in ("dense", "windows", "patches"):
        listed = ", ".join(f"`{row['network']}`" for row in rows if row["form"] == form)
        assert f"| `{form}` | {listed} |" in PAGE
