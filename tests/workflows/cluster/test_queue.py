"""Tasks that wait and tasks that are on their way, against a client that is none."""

import errno
from concurrent.futures import CancelledError
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsi.errors import ClusterError, SceneError
from hsi.workflows.cluster import queue as queue_of_tasks
from hsi.workflows.cluster.queue import EACH, Task, TaskQueue, in_words, scheduler_asked


def square(number):
    return number**2


class Future:
    def __init__(self, client, worker, number):
        self.client, self.worker, self.number, self.finished = client, worker, number, False

    def done(self):
        return self.finished

    def result(self):
        assert self.finished
        return square(self.number)

    def release(self):
        self.client.open.remove(self)


class Client:
    """Computes one task of each worker whenever somebody waits."""

    def __init__(self, **threads):
        self.threads, self.open, self.most, self.given = threads, [], 0, []

    def nthreads(self):
        return self.threads

    def submit(self, function, number, *, key, priority, pure, workers, allow_other_workers):
        assert function is square
        assert allow_other_workers == (workers is not None)
        worker = workers[0] if workers else next(iter(self.threads))
        self.given.append((worker, number))
        self.open.append(Future(self, worker, number))
        self.most = max(self.most, len(self.open))
        return self.open[-1]

    def done(self, futures, *, seconds):
        assert futures
        for worker, threads in self.threads.items():
            for each in [one for one in futures if one.worker == worker][:threads]:
                each.finished = True
        return {each for each in futures if each.finished}

    def cancel(self, futures, force):
        for each in futures:
            self.open.remove(each)

    def of(self, worker):
        return [number for one, number in self.given if one == worker]


def queue_of(client, more=lambda: False):
    return TaskQueue(client, more=more, done=client.done)


def tasks(numbers, series="a", size=1):
    return [
        Task(
            series=series, place=number, what=str(number), function=square, arguments=(number,),
            size=size,
        )
        for number in numbers
    ]  # fmt: skip


def breaks(numbers):
    """Count where a worker goes on with something that does not follow."""
    return sum(second != first + 1 for first, second in pairwise(numbers))


@given(st.integers(1, 60), st.integers(1, 4), st.integers(1, 2))
def test_results_come_in_order_and_each_task_is_given_once(count, workers, threads):
    client = Client(**{f"worker{number}": threads for number in range(workers)})
    queue = queue_of(client)
    wanted = tasks(range(count))
    queue.add(wanted)
    queue.add(wanted)  # is known
    for number, task in enumerate(wanted):
        assert queue.take(task) == number**2
    assert sorted(number for _, number in client.given) == list(range(count))
    assert not client.open
    assert not queue.knows_any


def test_a_series_is_divided_where_there_is_no_other():
    client = Client(one=1, two=1)
    queue = queue_of(client)
    wanted = tasks(range(40))
    queue.add(wanted)
    for task in wanted:
        queue.take(task)
    assert abs(len(client.of("one")) - len(client.of("two"))) <= 2
    # From its half to the end, and then what is left of the other.
    assert breaks(client.of("one")) + breaks(client.of("two")) <= 4


def test_each_worker_has_a_series_of_its_own_and_the_last_is_divided():
    client = Client(one=1, two=1)
    series = {number: tasks(range(100 * number, 100 * number + 10)) for number in range(3)}
    later = iter((1, 2))
    asked = []

    def more():
        number = next(later, None)
        asked.append(number)
        if number is not None:
            queue.add(series[number])
        return number is not None

    queue = queue_of(client, more)
    queue.add(series[0])
    for number in range(3):
        for task in series[number]:
            queue.take(task)
    assert client.of("one")[:10] == list(range(10))
    assert client.of("two")[:10] == list(range(100, 110))
    assert {number for number in client.of("one") if number >= 200}
    assert {number for number in client.of("two") if number >= 200}
    assert asked[:2] == [1, 2]


@pytest.mark.parametrize("threads", [1, 3])
def test_a_worker_has_no_more_than_one_task_waiting_beside_each(threads):
    client = Client(one=threads, two=1)
    most = {"one": 0, "two": 0}

    class Watched(TaskQueue):
        def _give(self, task, address):
            super()._give(task, address)
            busy = [each for each in client.open if each.worker == address and not each.done()]
            most[address] = max(most[address], len(busy))

    queue = Watched(client, more=lambda: False, done=client.done)
    wanted = tasks(range(40))
    queue.add(wanted)
    for task in wanted:
        queue.take(task)
    assert most == {"one": EACH * threads, "two": EACH}


def test_no_more_is_held_than_there_is_room_for(monkeypatch):
    """Half of a series, computed by another worker, would be."""
    monkeypatch.setattr(queue_of_tasks, "HELD", 4)  # of each worker; a task has one byte
    client = Client(one=1, two=1)
    queue = queue_of(client)
    wanted = tasks(range(100))
    queue.add(wanted)
    for number, task in enumerate(wanted):
        assert queue.take(task) == number**2
    assert 2 * 4 <= client.most <= 2 * 2 * 4 + 1  # and what is asked for is always given
    assert min(len(client.of("one")), len(client.of("two"))) > 20


def test_what_a_worker_had_is_given_to_others_when_it_is_gone():
    client = Client(one=1, two=1)
    queue = queue_of(client)
    wanted = tasks(range(20))
    queue.add(wanted)
    queue.take(wanted[0])
    del client.threads["two"]
    for each in client.open:  # as Dask does
        each.worker = "one"
    for task in wanted[1:]:
        queue.take(task)
    assert sorted(number for _, number in client.given) == list(range(20))


def test_what_was_not_added_is_computed_too():
    client = Client(one=1)
    queue = queue_of(client)
    queue.add(tasks(range(5)))
    assert queue.take(tasks([9])[0]) == 81
    queue.drop("a")
    assert not client.open
    assert not queue.knows_any


def test_nothing_is_left_of_what_is_dropped():
    client = Client(one=1, two=1)
    queue = queue_of(client)
    queue.add(tasks(range(9)))
    queue.add(tasks(range(100, 109), "b"))
    queue.take(tasks([0])[0])
    queue.drop("a")
    assert {each.number for each in client.open} <= set(range(100, 109))
    assert queue.knows_any
    queue.clear()
    assert not client.open
    assert not queue.knows_any


def test_errors_of_dask_are_said_in_words():
    from distributed import KilledWorker

    class Worker:
        address = "tcp://10.0.0.7:4711"

    killed = in_words(KilledWorker("key", Worker, 3), "fields, rows 0 to 9,")
    assert isinstance(killed, ClusterError)
    assert str(killed).startswith(
        "fields, rows 0 to 9, has ended 4 workers, the last one at tcp://10.0.0.7:4711\n"
    )
    assert isinstance(in_words(CancelledError("lost"), "it"), ClusterError)
    own = SceneError("no scene")
    assert in_words(own, "it") is own


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (CancelledError("lost"), ClusterError), (TimeoutError(), ClusterError),
        (OSError("Timed out trying to connect to tcp://10.0.0.7:8786 after 30 s"), ClusterError),
        (OSError(errno.ENOSPC, "No space left on device"), OSError), (SceneError("no"), SceneError),
    ],
)  # fmt: skip
def test_a_scheduler_that_is_gone_is_told_from_errors_of_our_own(error, kind):
    with pytest.raises(kind) as caught, scheduler_asked("rows 0 to 9"):
        raise error
    assert (caught.value is error) == (kind is not ClusterError)


def test_an_error_leaves_no_task_behind(monkeypatch):
    def fail(self):
        raise SceneError("broken")

    monkeypatch.setattr(Future, "result", fail)
    client = Client(one=1)
    queue = queue_of(client)
    (task,) = tasks([1])
    with pytest.raises(SceneError, match="broken"):
        queue.take(task)
    assert not client.open
    assert not queue.knows_any
