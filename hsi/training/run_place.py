"""The place of a run: free, made, and had by one process at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from hsi.errors import RunError
from hsi.files import make_folder_with_sums
from hsi.locks import lock_file
from hsi.sums import NAME as SUMS

LOCK = ".lock"


def check_free(path: Path) -> None:
    """Refuse a path that a new run cannot have.

    Raises
    ------
    RunError
        If there is a file, a run, or another folder with something in it.
    """
    if (path / "config.toml").exists():
        reason = "already holds a run (--resume goes on with one that is unfinished)"
    elif path.is_dir() and any(each.name != LOCK for each in path.iterdir()):
        reason = "is not empty"
    elif path.exists() and not path.is_dir():
        reason = "is a file"
    else:
        return
    raise RunError(f"{path} {reason}\nChoose another folder: out=, or --out on the command line.")


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
        The names of what it writes.

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
        with alone_in(path):
            check_free(path)  # whoever began at the same moment may have been faster
            try:
                make_folder_with_sums(path)
                write(path)
            except BaseException:
                for name in (*files, SUMS):
                    with suppress(OSError):
                        (path / name).unlink()
                raise
    except BaseException as error:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        if not isinstance(error, OSError):
            raise
        raise RunError(f"cannot write the run folder {path}: {error.strerror}") from error


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Have the folder of a run for this process; see `RunFolder.alone`."""

    def refuse(path: Path, whose: str) -> None:
        who = f": {whose}" if whose else ""
        raise RunError(
            f"another process is training in {folder}{who}\n"
            "Wait for it, or end it; what it has done is kept."
        )

    with lock_file(folder / LOCK, waiting=refuse, patience=0.0):
        yield
