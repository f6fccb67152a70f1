"""Whoever reads what a command prints may go away: it ends quietly, and what it made is whole.

How the output is closed: "pipe" has nobody at its other end, as after ``| head -1``; "closed" is
no file at all, as with ``>&-``; "both" are closed, errors too.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

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
# What tells of its progress on standard error may find that closed, too; nothing can be said then.
ASKED += [(name, "both") for name in ("train", "map", "bench")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("closed")


@pytest.fixture(scope="module")
def given(folder, files, run, photographs, transferred, denoise_run, retrieved):
    """The places that commands name."""
    shutil.copytree(run.path, folder / "second")
    scene = folder / "scene"
    shutil.copytree(files, scene)
    shutil.copy(scene / "cube.npy", scene / "again.npy")
    (scene / "card.toml").write_text('title = "A field"\n[cube]\nname = "cube.npy"\n')
    return {
        "files": scene, "run": run.path, "second": folder / "second", "images": photographs,
        "transferred": transferred.path, "denoiser": denoise_run.path,
        "retrieved": retrieved.path,
    }  # fmt: skip


@pytest.mark.parametrize(("name", "how"), ASKED)
def test_nothing_is_said_of_it_and_all_is_made(start_hsi, folder, given, counted, name, how):
    words = [
        word.format(**given, new=folder / f"new-{ASKED.index((name, how))}")
        for word in COMMANDS[name].split()
    ]
    nobody, out = os.pipe()
    os.close(nobody)
    process = start_hsi(
        *words,
        stdout=out if how == "pipe" else start_hsi.closed,
        stderr=start_hsi.closed if how == "both" else subprocess.PIPE,
        text=True,
        env={"XDG_CACHE_HOME": str(folder / "cache")},
    )
    os.close(out)
    _, said = process.communicate(timeout=120)
    # Whoever went away is no success; nobody at all is none to go away.
    assert process.returncode == (1 if how == "pipe" else 0), said
    if how != "both":
        lines = said.splitlines()
        for complaint in ("Traceback", "Exception", "Error", "Broken pipe", "Warning"):
            assert not any(complaint in line for line in lines), said
    if name in LAST:
        assert (Path(words[words.index("--out") + 1]) / LAST[name]).is_file()
    counted("misuse", "closed outputs")


def test_every_subcommand_is_among_them(commands):
    begun = {tuple(line.split()[:length]) for line in COMMANDS.values() for length in (1, 2)}
    assert commands.keys() <= begun
