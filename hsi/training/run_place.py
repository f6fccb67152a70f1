"""The place of a run: free, made, and had by one process at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from hsi.atomic import TEMPORARY, remove_temporary
from hsi.errors import RunError
from hsi.files import make_folder_with_sums
from hsi.locks import lock_file
from hsi.sums import NAME as SUMS
from hsi.sums import is_listed, remove_sums

LOCK = ".lock"
# There as long as a run is begun, or discarded. What lies beside it without a `config.toml` is what
# a process left that was killed meanwhile, and nobody's.
INCOMPLETE = ".incomplete"
# What runs begin with, of whatever kind they are.
_FIRST = ("config.toml", "split.npz")


def check_free(path: Path) -> None:
    """Refuse a path that a new run cannot have.

    Raises
    ------
    RunError
        If there is a file, a run, or another folder with something in it.
    """
    if (path / "config.toml").exists():
        reason = "already holds a run (--resume goes on with one that is unfinished)"
    elif path.is_dir() and any(not _is_left(each) for each in path.iterdir()):
        reason = "is not empty"
    elif path.exists() and not path.is_dir():
        reason = "is a file"
    else:
        return
    raise _taken(path, reason)


def make_folder(path: Path, write: Callable[[Path], None], *, files: Sequence[str]) -> None:
    """Make the folder of a run and call `write` on it; if that fails, leave nothing behind.

    Parameters
    ----------
    path : Path
        The folder, which may be there if it is empty.
    write : callable
        Writes what the training starts from: `files`, of which ``config.toml`` comes last, since
        it makes the folder a run.
    files : sequence of str
        The names of what it writes, ``config.toml`` before all others.

    Raises
    ------
    RunError
        If the folder already holds something, or cannot be made.
    """
    check_free(path)
    made: list[Path] = []
    try:
        made += [each for each in (path, *path.parents) if not each.exists()]
        path.mkdir(parents=True, exist_ok=True)
        with alone_in(path) as alone:
            check_free(path)  # whoever began at the same moment may have been faster
            if (path / INCOMPLETE).exists():
                if not alone:  # somebody may be about to begin there
                    raise _taken(path, "is not empty")
                remove_temporary(path)
                remove_begun(path, _FIRST)
            try:
                (path / INCOMPLETE).touch()
                make_folder_with_sums(path)
                write(path)
                (path / INCOMPLETE).unlink()
            except BaseException:
                with suppress(OSError):
                    remove_begun(path, files)
                raise
    except BaseException as error:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        if not isinstance(error, OSError):
            raise
        raise RunError(f"cannot write the run folder {path}: {error.strerror}") from error


def remove_begun(folder: Path, files: Iterable[str]) -> None:
    """Remove what a run begins with; whatever interrupts that, the folder is free afterwards.

    Parameters
    ----------
    folder : Path
        Which this process has for itself.
    files : iterable of str
        What the run began with, ``config.toml`` before all others.
    """
    (folder / INCOMPLETE).touch()
    for name in files:
        (folder / name).unlink(missing_ok=True)
    remove_sums(folder)
    (folder / INCOMPLETE).unlink()


def _is_left(path: Path) -> bool:
    """Return whether a file is what a killed process left where there is no run."""
    if path.name in (LOCK, INCOMPLETE):
        return True
    if not (path.parent / INCOMPLETE).exists():
        return False
    if path.name in _FIRST:
        return is_listed(path)
    return path.name == SUMS or TEMPORARY.fullmatch(path.name) is not None


def _taken(path: Path, reason: str) -> RunError:
    return RunError(f"{path} {reason}\nChoose another folder: out=, or --out on the command line.")


@contextmanager
def alone_in(folder: Path) -> Iterator[bool]:
    """Have the folder of a run for this process; see `RunFolder.alone` and `lock_file`."""

    def refuse(path: Path, whose: str) -> None:
        who = f": {whose}" if whose else ""
        raise RunError(
            f"another process is training in {folder}{who}\n"
            "Wait for it, or end it; what it has done is kept."
        )

    with lock_file(folder / LOCK, waiting=refuse, patience=0.0) as alone:
        yield alone
