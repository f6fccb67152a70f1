"""Locks on files: one process at a time."""

from hsi.locks import FileLock


def test_a_lock_is_of_one_at_a_time_and_its_own_never_waits(tmp_path):
    one, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert one.acquire()
    assert one.acquire()
    assert not other.acquire(wait=False)
    one.release()
    assert other.acquire(wait=False)
    other.close()
    one.close()
