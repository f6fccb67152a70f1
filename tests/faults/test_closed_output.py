"""Whoever reads what a command prints may go away: it ends quietly, and what it made is whole."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked")

SCRIPT = Path(__file__).with_name("closed_output.py")
QUICK = "--patch-size 9 --components 13 --train 0.15 --batch-size 64 --device cpu --epochs 1"
SCENE = "--dataset {files}/cube.npy --labels {files}/truth.npy"
COMMANDS = {
    "--help": "--help",
    "--version": "--version",
    "train": f"train {SCENE} {QUICK} --out {{new}}",
    "map": "map {run} --device cpu --out {new}",
    "map of several": "map {run} {files}/cube.npy {files}/again.npy --device cpu --out {new}",
    "evaluate --json": "evaluate {run} --device cpu --json",
    "evaluate": "evaluate {run} --device cpu",
    "compare": "compare {run} {second} --device cpu --out {new}.png",
    "bench": f"bench {SCENE} --model knn --split random --seeds 1 --device cpu --out {{new}}",
    "bench --dry-run": f"bench {SCENE} --model knn --split random --dry-run --out {{new}}",
    "search": f"search {SCENE} --model hybridsn-dw --fix patch_size=9 --fix components=13 "
    "--fix epochs=1 --trials 1 --device cpu --out {new}",
    "report": "report {run} --device cpu --out {new}.html",
    "view": "view {files}/cube.npy --out {new}.html",
    "models": "models lenet5",
    "models --blocks": "models --blocks",
    "scenes list": "scenes list",
    "scenes info": "scenes info {files}/cube.npy",
    "scenes fetch": "scenes fetch {files}/card.toml",
    "transfer": "transfer {images} --backbone lenet5 --epochs 1 --augmentation none --device cpu "
    "--out {new}",
    "denoise train": "denoise train {files}/cube.npy --depth 3 --epochs 1 --steps 1 --batch-size 2 "
    "--patch-size 16 --device cpu --out {new}",
    "denoise apply": "denoise apply {denoiser} {files}/cube.npy --device cpu --out {new}.npy",
    "denoise test": "denoise test {denoiser} {files}/cube.npy --sigma 25 --device cpu",
    "export": "export {run} --out {new}.onnx",
    "retrieve train": "retrieve train --scene {files}/cube.npy --labels {files}/truth.npy "
    "--second rgb --patch-size 3 --train 0.15 --validation 0.15 --epochs 1 --device cpu "
    "--out {new}",
    "retrieve query": "retrieve query {retrieved} --at 20,20 --device cpu",
    "transfer predict": "transfer predict {transferred} {images}/test/sea --device cpu",
    "transfer predict --csv": "transfer predict {transferred} {images}/test/sea --device cpu --csv",
}
# The last file that a command writes.
LAST = {
    "train": "metrics.json",
    "map": "map.json",
    "bench": "results.json",
    "search": "recipe.toml",
    "transfer": "metrics.json",
    "denoise train": "metrics.json",
    "retrieve train": "metrics.json",
}
ASKED = [(name, "pipe") for name in COMMANDS]
# What trains takes its time.
ASKED += [(name, "closed") for name in COMMANDS if name not in LAST or name == "train"]
# What tells of its progress on standard error may find that closed, too.
ASKED += [(name, "both") for name in ("train", "map", "bench")]


@pytest.fixture(scope="module")
def ended(files, run, photographs, transferred, denoise_run, retrieved, tmp_path_factory):
    """How each command ended, for each way in which its output was closed."""
    folder = tmp_path_factory.mktemp("closed")
    shutil.copytree(run.path, folder / "second")
    scene = folder / "scene"
    shutil.copytree(files, scene)
    shutil.copy(scene / "cube.npy", scene / "again.npy")
    (scene / "card.toml").write_text('title = "A field"\n[cube]\nname = "cube.npy"\n')
    given = {
        "files": scene, "run": run.path, "second": folder / "second", "images": photographs,
        "transferred": transferred.path, "denoiser": denoise_run.path,
        "retrieved": retrieved.path,
    }  # fmt: skip
    lines = []
    for place, (name, how) in enumerate(ASKED):
        words = COMMANDS[name].split()
        places = given | {"new": folder / f"new-{place}"}
        lines.append(([word.format(**places) for word in words], how))
    (folder / "commands.json").write_text(json.dumps(lines))
    # Output is buffered for users, which decides when a failure to write it is met.
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [sys.executable, SCRIPT, folder / "commands.json"],
        stdout=subprocess.PIPE, text=True, cwd=folder, check=True,
        env=usual | {"XDG_CACHE_HOME": str(folder / "cache")},
    )  # fmt: skip
    ends = [json.loads(line) for line in done.stdout.splitlines()]
    return {
        key: (end, lines[place]) for place, (key, end) in enumerate(zip(ASKED, ends, strict=True))
    }


@pytest.mark.parametrize(("name", "how"), ASKED)
def test_nothing_is_said_of_it_and_all_is_made(ended, counted, name, how):
    end, (words, _) = ended[name, how]
    # Whoever went away is no success; nobody at all is none to go away.
    assert end["code"] == (1 if how == "pipe" else 0), end["err"]
    lines = end["err"].splitlines()
    for complaint in ("Traceback", "Exception", "Error", "Broken pipe", "Warning"):
        assert not any(complaint in line for line in lines), end["err"]
    if how == "both":
        assert lines == []
    if name in LAST:
        assert (Path(words[words.index("--out") + 1]) / LAST[name]).is_file()
    counted("misuse", "closed outputs")


def test_every_subcommand_is_among_them(commands):
    begun = {tuple(line.split()[:length]) for line in COMMANDS.values() for length in (1, 2)}
    assert commands.keys() <= begun
