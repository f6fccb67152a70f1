"""Processes that train the cells of a benchmark, and their end."""

import signal
import time
from types import SimpleNamespace

from hsi.workflows.bench import pool

DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "


class Runs:
    """Runs a program where it is unpickled: in the process that gets it."""

    def __init__(self, program):
        self.program = program

    def __reduce__(self):
        return exec, (self.program,)


def task(folder, program):
    """A task whose scene there is none of; before that is found, its process runs `program`."""
    return SimpleNamespace(
        split=Runs(program), source={"dataset": str(folder / "nowhere.npy")}, folder=folder / "run",
        cell=SimpleNamespace(scene="nowhere"),
    )  # fmt: skip


def wait_for(path):
    while not path.exists():
        time.sleep(0.02)


def test_a_worker_that_waits_ends_though_it_lost_the_request(tmp_path):
    with pool.Pool(1) as workers:
        workers.give(task(tmp_path, DEAF))
        _, reason = workers.take()
        [worker] = workers._workers
    assert "there is no file" in reason
    assert worker.process.exitcode == 0


def test_a_worker_that_is_killed_before_it_has_read_its_task(tmp_path):
    with pool.Pool(1) as workers:
        workers.give(task(tmp_path, "pass"))
        workers._workers[0].process.kill()
        _, reason = workers.take()
        assert reason.startswith("its process ended with code -9")
        workers.give(task(tmp_path, "pass"))
        _, reason = workers.take()
    assert "there is no file" in reason


def test_a_worker_that_is_killed_while_it_waits(tmp_path):
    with pool.Pool(1) as workers:
        for _ in range(2):
            workers.give(task(tmp_path, "pass"))
            _, reason = workers.take()
            assert "there is no file" in reason
            [worker] = workers._workers
            worker.process.kill()
            worker.process.join()


def test_a_worker_that_lost_the_request_does_not_go_on_for_long(tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "PATIENCE_SECONDS", 0.5)
    heard = tmp_path / "deaf"
    busy = f"open({str(heard)!r}, 'w').close(); import time; time.sleep(600)"
    with pool.Pool(1) as workers:
        workers.give(task(tmp_path, DEAF + busy))
        wait_for(heard)
        [worker] = workers._workers
    assert worker.process.exitcode == -signal.SIGKILL
