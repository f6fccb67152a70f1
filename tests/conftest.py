"""What several folders of tests need: a small scene and a run of it, and networks of others."""

import http.server
import json
import os
import runpy
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import click
import numpy as np
import pytest
import torch
from hypothesis import settings
from PIL import Image

import hsi
from hsi.cli.main import cli, main
from hsi.errors import UsageError
from hsi.evaluation import Cell, ClassResult, Result
from hsi.models import PatchNetwork
from hsi.models.cost import shapes_alone
from hsi.scenes.synthetic import synthetic_scene
from hsi.workflows.retrieve import raster_pair, train_retrieval

# Tests are no package to import it from.
STARTED = runpy.run_path(str(Path(__file__).with_name("started.py")))

# A property must hold on a busy machine, too.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

SMALL = {
    "patch_size": 9, "components": 13, "train": 0.15, "validation": 0.05, "epochs": 6,
    "batch_size": 16, "device": "cpu",
}  # fmt: skip

# A denoiser that is trained in a second or two.
DENOISE = {"depth": 3, "epochs": 2, "steps": 5, "batch_size": 4, "patch_size": 16}

# Networks for scenes, of sizes that tests can afford: bands, and sides of patches.
NETWORKS = {
    "hybridsn": (14, (11, 9, 13)),
    "hybridsn-dw": (14, (11, 9, 13)),
    "hybridsn-2d3d": (14, (9, 11, 13)),
    "hybridsn-se": (14, (11, 9, 13)),
    "hybridsn-eca": (14, (11, 9, 13)),
    "cnn1d-hu": (20, (1,)),
    "rnn-mou": (9, (1,)),
    "cnn3d-hamida": (14, (5, 9)),
    "cnn3d-li": (14, (5, 9)),
    "cnn3d-chen": (8, (27,)),
    "contextual-lee": (14, (5,)),
    "m3d-he": (29, (7, 5, 9)),
    "ssrn": (14, (7, 3, 9)),
    "a2s2k": (14, (5,)),
    "ssftt": (6, (9, 5, 11)),
    "spectralformer": (9, (3, 1)),
}
# Classifiers of single spectra; tests/models/estimators is about them.
ESTIMATORS = ("svm", "random-forest", "knn", "logistic-regression")


def pytest_addoption(parser):
    parser.addoption(
        "--cases", type=Path, metavar="FILE", help="write how many cases each promise was tested on"
    )
    parser.addoption(
        "--long", action="store_true", help="as many cases of faults as hours allow, not minutes"
    )


def pytest_configure(config):
    if config.getoption("--cases") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Cases(config.getoption("--cases")))


def pytest_collection_modifyitems(config, items):
    """Let processes that share the files begin with long ones, so that none is left in the end."""
    if hasattr(config, "workerinput"):
        slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
        items.sort(key=lambda item: -slow[item.path])


class Cases:
    """Adds up what passing tests counted; docs/reliability.md shows it."""

    def __init__(self, path):
        self.path, self.counts = path, Counter()

    def pytest_runtest_logreport(self, report):
        if report.when == "call" and report.passed:
            for name, value in report.user_properties:
                if name == "cases":
                    promise, what, number = value
                    self.counts[promise, what] += number

    def pytest_sessionfinish(self):
        rows = [[*key, number] for key, number in sorted(self.counts.items())]
        self.path.write_text(json.dumps(rows, indent=1) + "\n")


@pytest.fixture
def counted(record_property):
    """Return a function that counts cases behind a promise: ``counted("misuse", "commands")``."""

    def count(promise, what, number=1):
        record_property("cases", (promise, what, number))

    return count


@pytest.fixture(scope="session")
def how_many(request):
    """Return a function that chooses between a number for minutes and one for hours."""
    long = request.config.getoption("--long")
    return lambda usual, many: many if long else usual


@dataclass(frozen=True)
class SmallNetwork:
    """A network for scenes, of a size that tests can afford, with four classes."""

    name: str
    bands: int
    patch_size: int

    def build(self, **changes) -> PatchNetwork:
        sizes = {"bands": self.bands, "classes": 4, "patch_size": self.patch_size}
        return hsi.build_model(self.name, **(sizes | changes))

    def takes(self, norm: str) -> bool:
        """Whether it can do with that norm: some have batch norms and cannot go without."""
        try:
            with shapes_alone():
                self.build(norm=norm)
        except UsageError as error:
            if "cannot go without" not in str(error):
                raise
            return False
        return True

    def __str__(self) -> str:
        return f"{self.name}-{self.patch_size}"


SMALL_NETWORKS = [
    SmallNetwork(name, bands, side) for name, (bands, sides) in NETWORKS.items() for side in sides
]
with shapes_alone():
    SMALL_TRUNKS = [each for each in SMALL_NETWORKS if each.build().has_trunk]


def of_one_size(networks):
    return list({each.name: each for each in reversed(networks)}.values())[::-1]


@pytest.fixture
def networks_for_scenes():
    """The names of those that are tested."""
    return (*NETWORKS, *ESTIMATORS)


@pytest.fixture(params=ESTIMATORS)
def estimator_name(request):
    """Each classifier of single spectra."""
    return request.param


@pytest.fixture(params=of_one_size(SMALL_NETWORKS), ids=str)
def small_network(request):
    """Each network for scenes, with patches of one size."""
    return request.param


@pytest.fixture(params=of_one_size(SMALL_TRUNKS), ids=str)
def small_trunk(request):
    """Each network for scenes that has a trunk, with patches of one size."""
    return request.param


@pytest.fixture(params=SMALL_TRUNKS, ids=str)
def small_trunk_of_any_size(request):
    """Each network for scenes that has a trunk, with patches of each size that is tested."""
    return request.param


@pytest.fixture
def small():
    """Settings with which a training takes a second."""
    return dict(SMALL)


@pytest.fixture
def small_denoiser():
    """Settings with which a denoiser is trained in a second or two."""
    return dict(DENOISE)


@pytest.fixture(scope="session")
def write_scene():
    """Return a function that writes a made scene, with a corner without data, and its labels."""

    def write(folder, *, seed=0, bands=20):
        made = synthetic_scene(rows=34, cols=40, bands=bands, classes=3, seed=seed)
        cube = made.cube.astype(np.float32)
        cube[:3, :5] = np.nan
        folder.mkdir(exist_ok=True)
        np.save(folder / "cube.npy", cube)
        # Ids with a gap, as real ones have.
        np.save(folder / "truth.npy", np.where(made.labels == 3, 14, made.labels))
        return folder

    return write


@pytest.fixture(scope="session")
def files(tmp_path_factory, write_scene):
    """Return the folder with `cube.npy` and `truth.npy`."""
    return write_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="session")
def scene(files):
    return hsi.load_scene(files / "cube.npy", labels=files / "truth.npy")


@pytest.fixture(scope="session")
def run(tmp_path_factory, scene):
    """A finished run; tests read it only."""
    return hsi.train(scene, out=tmp_path_factory.mktemp("runs") / "run", **SMALL)


@pytest.fixture(scope="session")
def interrupting():
    """Return a progress of trainings in which somebody stops them after a step."""

    class Interrupting:
        def __init__(self, at):
            self.at = at

        def step(self, done, total):
            if done == self.at:
                raise KeyboardInterrupt

        def epoch(self, epoch, total):
            pass

    return Interrupting


@pytest.fixture(scope="session")
def exported(tmp_path_factory, run):
    """A run as a file of ONNX; tests read it only."""
    return hsi.export_run(run, out=tmp_path_factory.mktemp("exported") / "model.onnx")


# A retrieval that takes a second.
RETRIEVAL = {"patch_size": 3, "train": 0.15, "validation": 0.15, "epochs": 4, "device": "cpu"}


@pytest.fixture
def retrieval():
    """Settings with which a retrieval takes a second, without a figure."""
    return RETRIEVAL | {"report": False}


@pytest.fixture(scope="session")
def retrieved(tmp_path_factory, scene):
    """A finished retrieval of the scene and its colour composite; tests read it only."""
    path = tmp_path_factory.mktemp("retrievals") / "run"
    return train_retrieval(raster_pair(scene, "rgb"), out=path, **RETRIEVAL)


@pytest.fixture(scope="session")
def write_features():
    """Return a function that writes two arrays, of which labels say what they share."""

    def write(path, *, rows=90, seed=0):
        rng = np.random.default_rng(seed)
        labels = rng.integers(1, 4, rows)
        centres = rng.normal(size=(2, 4, 12))
        arrays = {
            name: centres[place][labels] + 0.7 * rng.normal(size=(rows, 12))
            for place, name in enumerate(("first", "second"))
        }
        np.savez(path, **arrays, labels=labels)
        return path

    return write


@pytest.fixture
def real_data():
    """Return the folder with real scenes."""
    folder = os.environ.get("HSI_DATA")
    if not folder:
        pytest.skip("HSI_DATA is not set: no real scenes on this machine")
    return Path(folder)


@pytest.fixture
def bare_machine(tmp_path, monkeypatch):
    """Neither data folder nor cache of the person who runs the tests; returns the cache folder."""
    monkeypatch.delenv("HSI_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return tmp_path / "cache" / "hsi"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        status, body, length = self.server.pages.get(self.path, (404, b"nothing", None))
        if callable(body):
            status, body = body()
        self.send_response(status)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(bare_machine, monkeypatch):
    """A web server on the loopback interface: `pages` by path, and what was `asked`."""
    monkeypatch.setenv("NO_PROXY", "*")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.pages, server.asked = {}, []
    server.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def torchvision():
    """Return torchvision, the outside measure of image networks.

    Next to a PyTorch without CUDA it is imported only after two operators that it lacks there have
    been defined.
    """
    try:
        import torchvision
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision
    import torchvision.models

    return torchvision


@pytest.fixture(scope="session")
def timm(torchvision):
    """Return timm, which imports torchvision."""
    import timm

    return timm


@pytest.fixture(scope="session")
def denoise_run(tmp_path_factory, files):
    """A finished run of a small denoiser, on components; tests read it only."""
    from hsi.workflows.denoise import train_denoiser

    return train_denoiser(
        [hsi.load_scene(files / "cube.npy")],
        out=tmp_path_factory.mktemp("denoisers") / "run",
        device="cpu",
        **DENOISE,
    )


# Photographs with which a transfer takes a second.
QUICK = {
    "backbone": "lenet5", "augmentation": "none", "batch_size": 16, "epochs": 12,
    "learning_rate": 5e-3, "device": "cpu",
}  # fmt: skip
COLORS = {"fire": (190, 110, 90), "moss": (100, 170, 100), "sea": (90, 110, 190)}


@pytest.fixture
def quick():
    """Settings with which a transfer takes a second."""
    return dict(QUICK)


@pytest.fixture(scope="session")
def take_photographs():
    """Return a function that writes noise in the colour of each class, no two files alike."""

    def take(folder, number, *, seed=0, classes=COLORS, noise=60):
        generator = np.random.default_rng(seed)
        for name in classes:
            (folder / name).mkdir(parents=True, exist_ok=True)
            for place in range(number):
                pixels = generator.normal(COLORS.get(name, 128), noise, (40, 48, 3))
                image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
                image.save(folder / name / f"{place:03}.png")
        return folder

    return take


@pytest.fixture(scope="session")
def photographs(tmp_path_factory, take_photographs):
    """A folder with `train/` and `test/`; tests read it only."""
    root = tmp_path_factory.mktemp("photographs")
    take_photographs(root / "train", 20)
    take_photographs(root / "test", 10, seed=1)
    return root


@pytest.fixture(scope="session")
def transferred(tmp_path_factory, photographs):
    """A finished transfer; tests read it only."""
    return hsi.transfer(photographs, out=tmp_path_factory.mktemp("transfers") / "run", **QUICK)


@pytest.fixture(scope="session")
def result():
    """Return a function that makes the result of one training in a benchmark.

    Its classes are 1, 5, 9, ..., of ten pixels each.
    """

    def make(
        model, seed, *, oa, accuracies=(1.0,), split="random", train=0.1, scene="fields",
        split_hash=None, **figures,
    ):  # fmt: skip
        return Result(
            cell=Cell(scene, split, train, seed, model),
            figures={"oa": oa, "aa": oa, "kappa": oa, "contains": 0.0, "shares": 0.0} | figures,
            classes=tuple(
                ClassResult(1 + 4 * place, f"class {1 + 4 * place}", accuracy, 10)
                for place, accuracy in enumerate(accuracies)
            ),
            split_hash=split_hash or f"{scene} {split} {train} {seed}",
            patch_size=9,
            device="cpu",
            threads=1,
            versions={"hsi": "1"},
            notes=(),
            folder="runs",
        )

    return make


def subcommands(command, path=()):
    """Yield the words of every subcommand that does something itself, with its object."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        yield from subcommands(command.get_command(context, name), (*path, name))


@pytest.fixture(scope="session")
def commands():
    """The subcommands that do something themselves, by their words."""
    from hsi.cli.transfer import predict  # no group has it

    return dict(subcommands(cli)) | {("transfer", "predict"): predict}


@pytest.fixture
def hsi_command(monkeypatch, capsys, tmp_path):
    """Return a function that calls `hsi` in an empty folder and returns code, out and err."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["hsi", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as done:
            code = done.code or 0
        return SimpleNamespace(code=code, **capsys.readouterr()._asdict())

    return call


@pytest.fixture(scope="session")
def starter():
    """A program that has everything imported and starts commands."""
    if not hasattr(os, "fork"):
        pytest.skip("processes cannot be forked")
    starter = STARTED["Starter"]()
    yield starter
    starter.close()


@pytest.fixture
def start_hsi(starter, tmp_path):
    """Return a function that starts `hsi` as a process; keywords are those of `Popen`.

    Each leads a session. A stream that is `start_hsi.closed` is none at all, as with ``>&-``.
    """
    started = []
    # Output is buffered for users, which decides when a failure to write it is met.
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}

    def start(*arguments, env=(), **streams):
        started.append(starter.start(*arguments, cwd=tmp_path, env=usual | dict(env), **streams))
        return started[-1]

    start.closed = STARTED["CLOSED"]
    yield start
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()
