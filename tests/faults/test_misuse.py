"""What a user does wrong ends in one clear message, and leaves nothing behind.

Each row of `cases/misuse*.toml` is a command line. In braces stand places (`places`) and beginnings
of command lines that are right so far (`BEGINNINGS`). Every option has a row, or a reason.
"""

import shutil
import tomllib
from pathlib import Path

import click
import numpy as np
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning

import hsi
from hsi.scenes.synthetic import synthetic_scene

SHEETS = sorted(Path(__file__).with_name("cases").glob("misuse*.toml"))
CASES = [row for path in SHEETS for row in tomllib.loads(path.read_text("utf-8"))["case"]]
# The table cannot hold what is not in UTF-8.
UNDECODABLE = {
    "train --dataset caf\udce9.npy --out new": ["dataset", "not in UTF-8", "caf\\udce9.npy"],
    "{ON} --labels caf\udce9.npy": ["labels", "not in UTF-8"],
    "{TRAIN} --out caf\udce9": ["out", "not in UTF-8"],
    "{MAP} --out caf\udce9": ["out", "not in UTF-8"],
    "{EXPORT} --out caf\udce9.onnx": ["out", "not in UTF-8"],
    "{BENCH} --out caf\udce9": ["out", "not in UTF-8"],
    "{SEARCH} --out caf\udce9": ["out", "not in UTF-8"],
    "{RETRIEVE} --out caf\udce9": ["out", "not in UTF-8"],
}
CASES += [
    {"id": f"misuse/{name!a}", "fault": name, "expected": {"code": 2, "words": words}}
    for name, words in UNDECODABLE.items()
]

_BRIEFLY = "--out new --patch-size 9 --components 13 --device cpu --epochs 1"
_SCENE, _LABELS = "--dataset {bad}/cube.npy", "--labels {bad}/truth.npy"
BEGINNINGS = {
    "ON": f"train {_BRIEFLY} {_SCENE}",
    "TRAIN": f"train {_BRIEFLY} {_SCENE} {_LABELS}",
    "BENCH_ON": f"bench {_SCENE} --model svm --device cpu --out new",
    "BENCH": f"bench {_SCENE} {_LABELS} --model svm --split random --device cpu --out new",
    "SEARCH_ON": f"search {_SCENE} --model svm --device cpu --out new",
    "SEARCH": f"search {_SCENE} {_LABELS} --model hybridsn-dw --device cpu --out new",
    "RETRIEVE_ON": "retrieve train --scene {bad}/cube.npy --device cpu --out new",
    "RETRIEVE": f"retrieve train --scene {{bad}}/cube.npy {_LABELS} --second rgb --device cpu "
    "--out new",
    "QUERY": "retrieve query {retrieved} --at 20,20 --device cpu",
    "TRANSFER": "transfer {images} --backbone lenet5 --device cpu --out new",
    "DENOISE": "denoise train {bad}/cube.npy --depth 3 --epochs 1 --steps 1 --batch-size 2 "
    "--patch-size 16 --device cpu --out new",
    "APPLY": "denoise apply {denoiser} {bad}/cube.npy --device cpu --out new.npy",
    "TEST": "denoise test {denoiser} {bad}/cube.npy --device cpu",
    "MAP": "map {run} --scene {bad}/cube.npy --device cpu --out new",
    "REPORT": "report {run} --scene {bad}/cube.npy --device cpu --out new.html",
    "EVALUATE": "evaluate {run} --device cpu",
    "COMPARE": "compare {run} {second} --device cpu --out new.png",
    "EXPORT": "export {run}",
    "VIEW": "view {bad}/cube.npy --out new.html",
    "INFO": "scenes info {bad}/cube.npy",
}
# Options without a wrong value, and why there is none; so have all flags, which take no value.
ANYTHING_GOES: dict[tuple[str, ...], str] = {}


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    """A folder of files that are not what they should be."""
    folder = tmp_path_factory.mktemp("bad")
    made = synthetic_scene(rows=32, cols=40, bands=20, classes=3)
    cube, truth = made.cube, made.labels
    lonely = truth.copy()
    lonely[16, 20] = 7
    for name, array in {
        "cube": cube,
        "other": cube,
        "fewer": cube[:, :, 1:],
        "bands_first": np.moveaxis(cube, 2, 0),
        "tiny": cube[:8, :9],
        "truth": truth,
        "transposed": truth.T,
        "cut": truth[:-1],
        "zeros": np.zeros_like(truth),
        "halves": truth / 2,
        "negative": np.where(truth == 1, -1, truth),
        "one": (truth == 2) * 2,
        "lonely": lonely,
        "tiny_truth": np.arange(72).reshape(8, 9) % 2 + 1,
    }.items():
        np.save(folder / f"{name}.npy", array)
    np.savez(folder / "several.npz", first=cube, second=cube)
    np.savez(folder / "both.npz", image=cube, gt=truth, centres=np.ones((1, 20)))
    for name, text in {
        "empty.mat": "",
        "page.mat": "<!DOCTYPE html><title>404 Not Found</title>",
        "notes.txt": "not an image",
        "notes.md": "not an image",
        "notes.onnx": "not a network",
        "list.csv": "image,truth\ncube.npy,truth.npy\n",
        "broken.toml": "[scene",
        "misspelt.toml": "learnin_rate = [0.1, 0.01]",
        "negative.toml": "learning_rate = [-0.1, 0.01]",
        "backwards.toml": "learning_rate = { low = 1, high = 0.1 }",
        "taken/config.toml": "",
        "full/letter.txt": "",
        "empty/": "",
    }.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        if name.endswith("/"):
            path.mkdir()
        else:
            path.write_text(text)
    # A scene, and labels of another, where a map would be written.
    (folder / "scenes").mkdir()
    with pytest.warns(NotGeoreferencedWarning):
        file = rasterio.open(
            folder / "scenes" / "class_map.tif", "w", driver="GTiff", height=32, width=40,
            count=20, dtype=cube.dtype,
        )  # fmt: skip
    with file:
        file.write(np.moveaxis(cube, 2, 0))
    np.save(folder / "scenes" / "class_map.npy", truth)
    return folder


@pytest.fixture(scope="module")
def places(bad, run, retrieved, transferred, denoise_run, photographs, tmp_path_factory):
    """What stands for a place in a command line."""
    apart = tmp_path_factory.mktemp("apart")
    shutil.copytree(run.path, apart / "second")
    (bad / "alike" / "one").mkdir(parents=True)
    for path in (photographs / "test" / "sea").iterdir():
        shutil.copy(path, bad / "alike" / "one")
    # A run whose labels are replaced afterwards.
    for name in ("cube.npy", "truth.npy"):
        shutil.copy(bad / name, apart / name)
    learned = hsi.load_scene(apart / "cube.npy", labels=apart / "truth.npy")
    hsi.train(learned, model="knn", out=apart / "seen")
    return {
        "bad": bad,
        "run": run.path,
        "second": apart / "second",
        "seen": apart / "seen",
        "retrieved": retrieved.path,
        "transferred": transferred.path,
        "denoiser": denoise_run.path,
        "images": photographs,
    }


def words_of(fault):
    """Return the words of a row as they are written, without those of its beginning."""
    return [word for word in fault.split() if word.strip("{}") not in BEGINNINGS]


def path_of(fault):
    """Return the subcommand of a row."""
    words = fault.split()
    beginning = BEGINNINGS.get(words[0].strip("{}"))
    words = beginning.split() if beginning else words
    grouped = words[:2] == ["transfer", "predict"] or words[0] in ("scenes", "denoise", "retrieve")
    return tuple(words[: 2 if grouped else 1])


def contents(folders):
    return {
        each: each.stat().st_mtime_ns for folder in folders for each in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_one_message_and_nothing_left(hsi_command, places, tmp_path, counted, case):
    if "labels" in case:
        shutil.copy(places["bad"] / case["labels"], places["seen"].parent / "truth.npy")
    before = contents(places.values())
    first, *others = case["fault"].split()
    whole = " ".join([BEGINNINGS.get(first.strip("{}"), first), *others])
    done = hsi_command(*(word.format(**places) for word in whole.split()))
    assert done.code == case["expected"]["code"], done.err
    message = [line for line in done.err.splitlines() if not line.startswith(("Training", "epoch"))]
    for word in case["expected"]["words"]:
        assert word in done.err
    assert 1 <= len(message) <= 5, done.err
    assert "Traceback" not in done.err
    assert done.out == ""
    assert list((tmp_path / "here").iterdir()) == []
    assert contents(places.values()) == before
    counted("misuse", "command lines")


def rows_about(path, names):
    """Yield the rows with a wrong value of an option, whose message tells it or what came."""
    for case in CASES:
        if path_of(case["fault"]) != path:
            continue
        words = words_of(case["fault"])
        for place, word in enumerate(words):
            name, _, value = word.partition("=")
            if name not in names:
                continue
            came = value or " ".join(words[place + 1 : place + 2])
            told = [*names, *(each.strip("-").replace("-", "_") for each in names), came]
            if any(each and each in said for each in told for said in case["expected"]["words"]):
                yield case["id"]


def test_every_option_has_a_row_with_a_wrong_value(commands, counted):
    without = []
    for path, command in commands.items():
        for option in command.params:
            if not isinstance(option, click.Option) or option.is_flag:
                continue
            names = (*option.opts, *option.secondary_opts)
            if (*path, names[0]) not in ANYTHING_GOES:
                counted("misuse", "options with a wrong value")
                if not list(rows_about(path, names)):
                    without.append(" ".join((*path, names[0])))
    assert without == []


def test_every_argument_that_is_needed_has_a_row_without_it(commands):
    said = [(path_of(case["fault"]), word) for case in CASES for word in case["expected"]["words"]]
    for path, command in commands.items():
        for argument in command.params:
            if isinstance(argument, click.Argument) and argument.required:
                name = argument.make_metavar(click.Context(command))
                assert (path, f"Missing argument '{name}'") in said, (path, name)


def test_every_subcommand_has_a_row_with_a_misspelt_option(commands):
    paths = {
        path_of(case["fault"])
        for case in CASES
        for word in case["fault"].split()
        if word.startswith("--") and f"'{word}'" in case["expected"]["words"]
    }
    assert commands.keys() - paths == {("scenes", "fetch")}  # it has no options to misspell


def test_what_goes_with_anything_is_still_an_option(commands):
    for *path, name in ANYTHING_GOES:
        assert any(name in option.opts for option in commands[tuple(path)].params)
