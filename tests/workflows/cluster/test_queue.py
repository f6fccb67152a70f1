"""Tasks that wait and tasks that are on their way, against a client that is none."""

from concurrent.futures import CancelledError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsi.errors import ClusterError, SceneError
from hsi.workflows.cluster.queue import EACH, Task, TaskQueue, in_words


def square(number):
    return number**2


class Future:
    def __init__(self, client, value):
        self.client, self.value = client, value

    def result(self):
        return self.value

    def release(self):
        self.client.open -= 1


class Client:
    """Computes at once, and counts results that nobody has taken yet."""

    def __init__(self, threads):
        self.threads, self.open, self.most, self.given = threads, 0, 0, []

    def nthreads(self):
        return {"one": self.threads}

    def submit(self, function, *arguments, key, priority, pure):
        self.open += 1
        self.most = max(self.most, self.open)
        self.given.append(arguments)
        return Future(self, function(*arguments))

    def cancel(self, futures, force):
        self.open -= len(futures)


def tasks(numbers, kind="a"):
    return [
        Task(which=(kind, number), what=str(number), function=square, arguments=(number,))
        for number in numbers
    ]


@given(st.integers(1, 30), st.integers(1, 4))
def test_results_come_in_order_and_never_more_than_is_of_use_are_held(count, threads):
    client = Client(threads)
    queue = TaskQueue(client, more=lambda: False)
    wanted = tasks(range(count))
    for task in wanted:
        queue.add(task)
    for number, task in enumerate(wanted):
        assert queue.take(task) == number**2
        # What is ahead of what was taken: enough for all workers, as far as there is any.
        assert client.open == min(count - number - 1, EACH * threads - 1)
    assert client.most <= EACH * threads
    assert client.given == [(number,) for number in range(count)]
    assert not queue.knows_any


def test_more_is_asked_for_when_nothing_waits():
    client = Client(threads=2)
    later = iter([tasks([10, 11], "b"), tasks([20], "c")])
    asked = []

    def more():
        asked.append(len(client.given))
        found = next(later, None)
        for task in found or ():
            queue.add(task)
        return found is not None

    queue = TaskQueue(client, more=more)
    first = tasks([1, 2])
    for task in first:
        queue.add(task)
    assert queue.take(first[0]) == 1
    assert asked == [2]  # when all of the first scene is under way
    assert client.given == [(1,), (2,), (10,), (11,)]
    queue.drop(lambda which: which[0] == "b")
    assert queue.take(first[1]) == 4
    assert client.given[4:] == [(20,)]
    assert asked == [2, 4, 5]  # and once more in vain


def test_what_is_asked_for_goes_before_what_waits():
    client = Client(threads=1)
    queue = TaskQueue(client, more=lambda: False)
    for task in tasks(range(5)):
        queue.add(task)
    assert queue.take(tasks([9])[0]) == 81
    assert client.given[0] == (9,)


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


def test_an_error_leaves_no_task_behind():
    class Failing(Client):
        def submit(self, function, *arguments, **how):
            future = super().submit(function, *arguments, **how)

            def fail():
                raise SceneError("broken")

            future.result = fail
            return future

    client = Failing(threads=1)
    queue = TaskQueue(client, more=lambda: False)
    (task,) = tasks([1])
    with pytest.raises(SceneError, match="broken"):
        queue.take(task)
    assert client.open == 0
    assert not queue.knows_any
