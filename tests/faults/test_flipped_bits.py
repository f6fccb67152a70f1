"""One flipped bit in any file of a run or a benchmark is noticed when the file is read."""

import numpy as np
import pytest

import hsi
from hsi.deployed import OnnxClassifier
from hsi.errors import HsiError
from hsi.evaluation import Cell
from hsi.training.denoise_run import DenoiseRun
from hsi.training.retrieval_run import RetrievalRun
from hsi.training.state_file import States
from hsi.workflows.bench import Asked, Bench, train_cells
from hsi.workflows.bench.cells import folder_of, read_truth, right_pixels
from hsi.workflows.report import _history

# Of each of the files.
FLIPS, MANY_FLIPS = 200, 2000
BRIEF = {"patch_size": 9, "components": 13, "epochs": 1, "batch_size": 64}


@pytest.fixture(scope="module")
def bench(scene, tmp_path_factory):
    bench = Bench(tmp_path_factory.mktemp("bench") / "bench")
    asked = Asked(
        scenes=("fields",), splits=("random",), train=(0.15,), models=("svm",), seeds=(0,)
    )
    cells = bench.ask(asked, {"fields": scene}, settings=BRIEF)
    train_cells(bench, cells, {"fields": scene}, device="cpu")
    return bench


CASES = {
    # of what, file: how it is read
    ("run", "config.toml"): lambda path: hsi.Run(path.parent).config,
    ("run", "split.npz"): lambda path: hsi.Run(path.parent).split,
    ("run", "model.safetensors"): lambda path: hsi.Run(path.parent).classifier,
    ("run", "metrics.json"): lambda path: hsi.Run(path.parent).metrics,
    ("run", "history.csv"): lambda path: _history(hsi.Run(path.parent)),
    ("cell", "class_map.tif"): lambda path: right_pixels(path.parents[5], RESULT[0]),
    ("bench", "bench.toml"): lambda path: Bench(path.parent),
    ("bench", "results.json"): lambda path: Bench(path.parent),
    ("truth", "fields.npy"): lambda path: read_truth(path.parents[1], "fields"),
    ("states", "state-1.safetensors"): lambda path: States(path.parent).read().notes,
    ("states", "state-2.safetensors"): lambda path: States(path.parent).read().notes,
    ("denoiser", "config.toml"): lambda path: DenoiseRun(path.parent).config,
    ("denoiser", "model.safetensors"): lambda path: DenoiseRun(path.parent).denoiser,
    ("retrieval", "split.npz"): lambda path: RetrievalRun(path.parent).split_file,
    ("retrieval", "model.safetensors"): lambda path: RetrievalRun(path.parent).retriever,
    ("exported", "model.onnx"): OnnxClassifier,
}
RESULT = []


@pytest.mark.parametrize(("what", "name"), CASES)
def test_a_flipped_bit_is_noticed(
    run, bench, stopped_run, denoise_run, retrieved, exported, counted, how_many, what, name
):
    read = CASES[what, name]
    cell = Cell("fields", "random", 0.15, 0, "svm")
    RESULT[:] = [bench.results[cell]]
    folder = {
        "run": run.path,
        "cell": folder_of(bench.out, cell),
        "bench": bench.out,
        "truth": bench.out / "truth",
        "states": stopped_run / "checkpoint",
        "denoiser": denoise_run.path,
        "retrieval": retrieved.path,
        "exported": exported.path.parent,
    }[what]
    path = folder / name
    whole = path.read_bytes()
    read(path)
    rng = np.random.default_rng(0)
    try:
        flips = how_many(FLIPS, MANY_FLIPS)
        for place in rng.integers(0, len(whole), flips):
            flipped = bytearray(whole)
            flipped[place] ^= 1 << int(rng.integers(8))
            path.write_bytes(flipped)
            if what == "states":  # the other one is read, and it is said
                assert len(read(path)) == 1
                continue
            with pytest.raises(HsiError, match=rf"{name}.* damaged") as noticed:
                read(path)
            assert str(noticed.value).count("\n") < 5
    finally:
        path.write_bytes(whole)
    counted("atomic and checked", "bit flips, all noticed", flips)
