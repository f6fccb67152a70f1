"""Several processes at work in the folder of one benchmark."""

import subprocess
import sys
from collections import Counter

import pytest

from hsi.errors import RunError
from hsi.evaluation import Cell
from hsi.locks import FileLock
from hsi.workflows.bench import train_cells, work
from hsi.workflows.bench.cells import folder_of, is_finished
from hsi.workflows.bench.running import Unwatched
from hsi.workflows.bench.sharing import PROCESSES, at_work


@pytest.fixture
def trainings(monkeypatch):
    """Counts trainings of each folder."""
    begun = Counter()
    train = work.train

    def counted(scene, settings, *, out, **options):
        begun[out] += 1
        return train(scene, settings, out=out, **options)

    monkeypatch.setattr(work, "train", counted)
    return begun


AXES = {"models": ("svm", "knn"), "splits": ("random",), "seeds": (0, 1, 2)}


# Trains the cells of a benchmark, and writes down which trainings it began.
ALONG = """
import sys, time
import hsi
from hsi.workflows.bench import Asked, Bench, train_cells, work
out, files, noted = sys.argv[1:]
train = work.train

def counted(scene, settings, *, out, **options):
    with open(noted, "a") as file:
        print(out, file=file)
    time.sleep(0.3)
    return train(scene, settings, out=out, **options)

work.train = counted
scene = hsi.load_scene(f"{files}/cube.npy", labels=f"{files}/truth.npy")
from pathlib import Path
bench = Bench(Path(out))
asked = Asked(
    scenes=("fields",), splits=("random",), train=(0.15,), models=("svm", "knn"), seeds=(0, 1, 2)
)
cells = bench.ask(asked, {"fields": scene}, settings={"patch_size": 9, "components": 13})
train_cells(bench, cells, {"fields": scene}, device="cpu")
assert set(bench.results) == set(cells)  # both know all of it in the end
"""


def test_two_share_the_cells_and_train_none_twice(tmp_path, bench_of, scene, files):
    out = tmp_path / "bench"
    noted = [tmp_path / name for name in ("one", "two")]
    started = [
        subprocess.Popen([sys.executable, "-c", ALONG, str(out), str(files), str(each)])
        for each in noted
    ]
    assert [each.wait(300) for each in started] == [0, 0]
    settings = {"patch_size": 9, "components": 13}
    bench, cells, _ = bench_of(out, scene, settings=settings, **AXES)
    assert set(bench.results) == set(cells)
    begun = [each.read_text().split() for each in noted]
    assert sorted(begun[0] + begun[1]) == sorted(str(folder_of(out, cell)) for cell in cells)
    assert all(begun)  # each had its part
    assert [each.name for each in out.rglob("*.lock")] == [".lock"]
    assert not list((out / PROCESSES).iterdir())


def test_another_plan_has_to_wait(tmp_path, bench_of, scene):
    out = tmp_path / "bench"
    bench, _, scenes = bench_of(out, scene, **AXES)
    with at_work(bench):
        other, more, _ = bench_of(out, scene, **(AXES | {"seeds": (3,)}))
        with pytest.raises(RunError, match=r"another `hsi bench` is at work .* by another plan"):
            train_cells(other, more, scenes, device="cpu")
        assert not any(is_finished(out, cell) for cell in more)
    train_cells(other, more, scenes, device="cpu")  # and then it is free
    assert all(is_finished(out, cell) for cell in more)


def test_what_failed_elsewhere_is_not_tried_again(tmp_path, bench_of, scene, trainings):
    out = tmp_path / "bench"
    first, cells, scenes = bench_of(out, scene, **AXES)
    second, *_ = bench_of(out, scene, **AXES)
    bad = Cell("fields", "random", 0.15, 1, "svm")

    class Meanwhile(Unwatched):
        def finished(self, cell, result, reason):
            if cell == cells[0]:
                with at_work(second) as sharing, sharing.writing():
                    second.take(bad, "no luck")
                    second.write(second.findings())

    train_cells(first, cells, scenes, device="cpu", watch=Meanwhile())
    assert first.failures == {bad: "no luck"}
    assert folder_of(out, bad) not in trainings
    # Another time, it is.
    again, cells, _ = bench_of(out, scene, **AXES)
    train_cells(again, cells, scenes, device="cpu")
    assert not again.failures
    assert trainings[folder_of(out, bad)] == 1


def test_a_cell_is_taken_over_from_a_process_that_ends(tmp_path, bench_of, scene, trainings):
    out = tmp_path / "bench"
    bench, cells, scenes = bench_of(out, scene, **AXES)
    folder = folder_of(out, cells[0])
    folder.parent.mkdir(parents=True)
    lock = FileLock(folder.with_name(f".{folder.name}.lock"))
    lock.acquire()
    order = []

    class Noted(Unwatched):
        def finished(self, cell, result, reason):
            order.append(cell)
            if len(order) == len(cells) - 1:
                lock.close()  # as the system does when its process ends

    train_cells(bench, cells, scenes, device="cpu", watch=Noted())
    assert order[-1] == cells[0]
    assert set(bench.results) == set(cells)
