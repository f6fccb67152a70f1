"""What tests of faults share: valid files to damage."""

import multiprocessing
import runpy
import shutil
from multiprocessing import forkserver
from pathlib import Path

import pytest

import hsi

HERE = Path(__file__).parent
# Fixtures of other tests; tests are no package to import them from.
PRODUCTS = runpy.run_path(str(HERE.parent / "scenes/readers/hdf5/conftest.py"))
write_prisma, write_emit, write_neon = (
    PRODUCTS[f"write_{name}"] for name in ("prisma", "emit", "neon")
)


@pytest.fixture(scope="session")
def processes():
    """Return how processes are started that have everything imported.

    They are forked from one server, the only one that a process of tests can have.
    """
    context = multiprocessing.get_context("forkserver")
    # PyTorch's compiler, which every optimiser imports, takes as long as PyTorch itself.
    context.set_forkserver_preload(
        ["hsi.workflows", "hsi.backbones", "torch._dynamo", "geopandas", "h5py", "requests"]
    )
    # With the environment as it is now, not as some test has it.
    forkserver.ensure_running()
    return context


@pytest.fixture(scope="session")
def stopped_run(tmp_path_factory, scene, interrupting):
    """A run that was stopped in its third step; its states are there."""
    path = tmp_path_factory.mktemp("stopped") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hsi.workflows.kept.CHECKPOINT_SECONDS", 0.0)
        with pytest.raises(KeyboardInterrupt):
            hsi.train(
                scene, out=path, train=0.15, progress=interrupting(3), device="cpu", patch_size=9,
                components=13, epochs=1, batch_size=16,
            )  # fmt: skip
    return path


@pytest.fixture(scope="session")
def write_valid(tmp_path_factory, write_prisma, write_emit, write_neon, request):
    """Return a function that gives a folder with small valid files of a kind; to be read only.

    Another `number`, other contents, where there is a choice.
    """
    writers = runpy.run_path(str(HERE / "valid_files.py"))["WRITERS"]
    products = {
        "prisma": (write_prisma, "product.he5"),
        "emit": (write_emit, "product.nc"),
        "neon": (write_neon, "product.h5"),
    }
    made = {
        "run": lambda: request.getfixturevalue("run").path,
        "transfer run": lambda: request.getfixturevalue("transferred").path,
        "stopped run": lambda: request.getfixturevalue("stopped_run") / "checkpoint",
    }

    def write(kind, number=0):
        folder = tmp_path_factory.mktemp("valid")
        if kind in made:
            for each in made[kind]().iterdir():
                # Without the sums, a damaged file is not known before it is read.
                if each.is_file() and each.name not in ("SHA256SUMS", "state-2.safetensors"):
                    shutil.copyfile(each, folder / each.name)
        elif kind in products:
            writer, name = products[kind]
            writer(folder, **({"chunks": (2, 3, 2)} if number else {})).path.rename(folder / name)
        else:
            writers[kind](folder, number)
        return folder

    return write
