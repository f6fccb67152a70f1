"""Several processes at work in the folder of one benchmark."""

import threading
import time
from collections import Counter

import pytest

from hsi.errors import HsiError, RunError
from hsi.evaluation import Cell
from hsi.locks import FileLock
from hsi.workflows.bench import train_cells, work
from hsi.workflows.bench.cells import folder_of, is_finished
from hsi.workflows.bench.running import Unwatched
from hsi.workflows.bench.sharing import PROCESSES, at_work


@pytest.fixture
def trainings(monkeypatch):
    """Counts trainings of each folder; each takes a moment longer."""
    begun = Counter()
    train = work.train

    def counted(scene, settings, *, out, **options):
        begun[out] += 1
        time.sleep(0.3)
        return train(scene, settings, out=out, **options)

    monkeypatch.setattr(work, "train", counted)
    return begun


AXES = {"models": ("svm", "knn"), "splits": ("random",), "seeds": (0, 1, 2)}


def test_two_share_the_cells_and_train_none_twice(tmp_path, bench_of, scene, trainings):
    out, failed = tmp_path / "bench", []
    told = [Counter(), Counter()]

    class Noted(Unwatched):
        def __init__(self, number):
            self.number = number

        def finished(self, cell, result, reason):
            told[self.number][cell] += result is not None

    def work_along(number):
        bench, cells, scenes = bench_of(out, scene, **AXES)
        try:
            train_cells(bench, cells, scenes, device="cpu", watch=Noted(number))
        except HsiError as error:
            failed.append(error)
        # Both know all of it in the end.
        assert set(bench.results) == set(cells)

    threads = [threading.Thread(target=work_along, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
        time.sleep(0.4)
    for thread in threads:
        thread.join()
    _, cells, _ = bench_of(out, scene, **AXES)
    assert not failed
    assert len(cells) == 6
    assert trainings == {folder_of(out, cell): 1 for cell in cells}
    assert all(told[number][cell] == 1 for number in (0, 1) for cell in cells)
    assert not list(out.rglob("*.lock"))[1:]  # that of the folder stays
    assert not list((out / PROCESSES).iterdir())
    assert (out / "results.md").read_text().count("svm") > 0


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
