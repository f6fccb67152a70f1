"""Writing files so that a reader sees the old content or the new, never half of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hsi.atomic import replacing
from hsi.errors import RunError, UsageError
from hsi.sums import begin_sums, expect_sum, has_sums, settle_sum, sum_of

# In bytes. Most file systems allow 255, and what follows the name needs some.
LONGEST_NAME = 150


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its place when the block succeeds.

    See `hsi.atomic.replacing`. In a folder with sums (`hsi.sums`) it gets one.
    """
    path = Path(path)
    if not has_sums(path.parent):
        with replacing(path) as temporary:
            yield temporary
        return
    value = ""

    def expect(complete: Path) -> None:
        nonlocal value
        value = sum_of(complete)
        expect_sum(path, value)

    with replacing(path, before=expect) as temporary:
        yield temporary
    settle_sum(path, value)


@contextmanager
def atomic_paths(path: Path, *beside: Path) -> Iterator[tuple[Path, ...]]:
    """Yield temporary paths of a file and of those that describe it, as `atomic_path` does.

    When the block succeeds, the old files `beside` are removed, `path` is replaced, and the new
    ones take their places. Whoever looks in between, also after an interruption, finds `path`
    whole, and beside it nothing that describes another file.
    """
    with ExitStack() as stack:
        # The last to be entered is the first to take its place.
        temporary = [stack.enter_context(atomic_path(each)) for each in (*beside, path)]
        yield (temporary[-1], *temporary[:-1])
        # What may still fail for want of space does so before anything is replaced.
        for each in temporary:
            with each.open("rb+") as written:
                os.fsync(written.fileno())
        for each in beside:
            each.unlink(missing_ok=True)


def move_into_place(complete: Path, path: Path) -> None:
    """Let a complete file on the same disk take the place of `path`, with its sum."""
    if not has_sums(path.parent):
        complete.replace(path)
        return
    value = sum_of(complete)
    expect_sum(path, value)
    complete.replace(path)
    settle_sum(path, value)


def make_folder_with_sums(folder: Path) -> None:
    """Make a folder, and those above it, whose files have sums (`hsi.sums`)."""
    folder.mkdir(parents=True, exist_ok=True)
    begin_sums(folder)


def check_possible_folder(folder: Path) -> None:
    """Refuse a folder for results that cannot be made, since a file has its name or one above it.

    Raises
    ------
    RunError
        If so.
    """
    for each in (folder, *folder.parents):
        if each.exists() and not each.is_dir():
            raise RunError(
                f"{each} is a file, where a folder is to be\nName another place: out=, or --out "
                "on the command line."
            )


def page_path(out: str | os.PathLike[str], *, own: Path | None = None) -> Path:
    """Return the path that a user gave for a page, if a page may be written there.

    Parameters
    ----------
    out : path
        As it came.
    own : Path, optional
        The folder of the run that the page is about: its page may be replaced, those of others not.

    Raises
    ------
    UsageError
        If it is no path, does not end in ``.html``, or is the page of another run.
    """
    path = usable_path(out, "out")
    if path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"a page is written to a file that ends in .html, not {path}")
    in_a_run = path.exists() and (path.parent / "config.toml").is_file()
    if in_a_run and not (own and path.parent.samefile(own)):
        raise UsageError(
            f"{path} is in the folder of a run, and would be replaced by a page about something "
            "else\nName another file (--out)."
        )
    return path


def is_web_page(path: Path) -> bool:
    """Return whether a file begins as web pages do: servers send them in place of data."""
    with path.open("rb") as file:
        return file.read(512).lstrip().lower().startswith((b"<!doctype html", b"<html"))


def folder_name(name: str) -> str:
    """Return `name` as the name of a folder: nothing in it leads elsewhere.

    Examples
    --------
    >>> folder_name("../../Pavia University")
    'Pavia University'
    """
    plain = re.sub(r'[/\\:*?"<>|\x00-\x1f\x7f]', "-", name.encode(errors="replace").decode())
    short = plain.encode()[:LONGEST_NAME].decode(errors="ignore")
    return short.strip(" .-") or "scene"


def names_apart(first: Path, second: Path, *, fewest: int = 1) -> tuple[str, str]:
    """Return the names of two paths, with as many of those above, `fewest` in all, as differ.

    Examples
    --------
    >>> names_apart(Path("/runs/one"), Path("/runs/two"))
    ('one', 'two')
    >>> names_apart(Path("/a/run"), Path("/b/run"))
    ('a/run', 'b/run')
    """
    one, two = first.absolute().parts, second.absolute().parts
    for length in range(fewest, max(len(one), len(two)) + 1):
        if one[-length:] != two[-length:]:
            return "/".join(one[-length:]), "/".join(two[-length:])
    return str(first), str(second)


def free_path(path: Path) -> Path:
    """Return `path`, or ``NAME-2``, ``NAME-3``, ... beside it where it is taken."""
    name, number = path.name, 1
    while path.exists():
        number += 1
        path = path.with_name(f"{name}-{number}")
    return path


def free_file(path: Path) -> Path:
    """Return `path`, or ``NAME-2.SUFFIX``, ``NAME-3.SUFFIX``, ... beside it where it is taken."""
    free, number = path, 1
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free


def usable_path(path: str | os.PathLike[str], what: str) -> Path:
    """Return the path that a user gave as `what`, if it can be opened and written down.

    Raises
    ------
    UsageError
        If it is empty, or not in UTF-8, which a `config.toml` and a report could not hold.
    """
    text = os.fspath(path)
    if not text:
        raise UsageError(f"{what} is empty; expected a path")
    try:
        str(Path(text).absolute()).encode()
    except UnicodeEncodeError as error:
        shown = str(Path(text).absolute()).encode(errors="backslashreplace").decode()
        raise UsageError(
            f"{what} is a path that is not in UTF-8, so that no run could write it down:\n{shown}\n"
            "Rename the file or folder."
        ) from error
    if "\0" in text:
        raise UsageError(f"{what} holds a zero byte; expected a path")
    return Path(text)


def expand_home(path: str | os.PathLike[str], what: str) -> Path:
    """Return the absolute path with ``~`` replaced.

    Raises
    ------
    UsageError
        If there is no user of that name.
    """
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise UsageError(
            f"{what} is {os.fspath(path)!r}, but there is no such user, or no home of theirs\n"
            "Write ./~... for a file whose name begins with ~."
        ) from error


def write_text(path: Path, text: str, *, errors: str = "strict") -> None:
    """Write `text` to `path` in UTF-8, all of it or nothing.

    Names of files need not be in UTF-8: `errors`, as for `open`, says what becomes of them.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors=errors)
