"""Locks on files: one process at a time."""

import errno

import pytest

from hsi import locks
from hsi.locks import FileLock, lock_file


def test_a_lock_is_of_one_at_a_time_and_its_own_never_waits(tmp_path):
    one, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert one.acquire()
    assert one.acquire()
    assert not other.acquire(wait=False)
    one.release()
    assert other.acquire(wait=False)
    other.close()
    one.close()


@pytest.fixture
def never():
    """Who must not be told that somebody waits."""

    def tell(path, owner):
        raise AssertionError(owner)

    return tell


def test_a_lock_file_is_gone_afterwards(tmp_path, never):
    path = tmp_path / ".lock"
    path.write_text("process 1 on elsewhere")  # which was killed
    for _ in range(2):
        with lock_file(path, waiting=never) as alone:
            assert alone
            assert not FileLock(path).acquire(wait=False)
        assert not path.exists()
    with pytest.raises(KeyError), lock_file(path, waiting=never):
        raise KeyError
    assert not path.exists()


def test_who_waits_is_told_once_for_whom(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "POLL_SECONDS", 0.001)
    path = tmp_path / ".lock"
    first, second = FileLock(path), FileLock(path)
    path.write_text("process 1 on elsewhere")
    told, polls = [], []
    assert first.acquire()

    def poll(seconds):
        polls.append(seconds)
        if len(polls) == 20:
            # As its owner does in the end; it is somebody else's before it is looked at again.
            path.unlink()
            first.close()
            assert second.acquire()
        if len(polls) == 40:
            second.close()

    monkeypatch.setattr(locks.time, "sleep", poll)
    with lock_file(path, waiting=lambda *who: told.append(who), patience=0.0):
        assert path.is_file(), "the lock is on a file that is not there any more"
        assert not FileLock(path).acquire(wait=False)
    assert told == [(path, "process 1 on elsewhere")]
    assert len(polls) == 40


@pytest.mark.parametrize("answer", locks.NO_LOCKS)
def test_a_file_system_without_locks_is_no_obstacle(tmp_path, monkeypatch, answer):
    def none(handle, how):
        raise OSError(answer, "no locks here")

    monkeypatch.setattr("fcntl.flock", none)
    for path in (tmp_path, tmp_path / "file"):
        with FileLock(path) as lock:
            assert not lock.available
        lock.close()


def test_another_error_is_none_that_is_passed_over(tmp_path, monkeypatch):
    def broken(handle, how):
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr("fcntl.flock", broken)
    lock = FileLock(tmp_path)
    with pytest.raises(OSError, match="broken"):
        lock.acquire()
    lock.close()
