import pytest

from hsi.workflows.bench import Asked, Bench, train_cells

# A training that takes half a second.
BRIEF = {"patch_size": 9, "components": 13, "epochs": 1, "batch_size": 64}


@pytest.fixture(scope="session")
def brief():
    """Settings with which a training takes half a second."""
    return dict(BRIEF)


@pytest.fixture(scope="session")
def bench_of():
    """Return a function that asks for cells of the small scene; more asks for more of a folder."""

    def ask(out, scene, *, settings=BRIEF, guard=None, scenes=None, **axes):
        bench = Bench(out)
        usual = {
            "scenes": ("fields",), "splits": ("random", "blocks"), "train": (0.15,),
            "models": ("hybridsn-dw", "svm"), "seeds": (0, 1),
        }  # fmt: skip
        scenes = scenes or {"fields": scene}
        cells = bench.ask(Asked(**(usual | axes)), scenes, settings=settings, guard=guard)
        return bench, cells, scenes

    return ask


@pytest.fixture(scope="session")
def trained(tmp_path_factory, bench_of, scene):
    """A folder with two models on two splits and two seeds; tests read it only."""
    out = tmp_path_factory.mktemp("benchmarks") / "bench"
    bench, cells, scenes = bench_of(out, scene)
    train_cells(bench, cells, scenes, device="cpu")
    return bench
