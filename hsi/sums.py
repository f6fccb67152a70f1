"""The sha256 of each file in a folder, in ``SHA256SUMS`` beside them: damage does not go unnoticed.

The file is that of ``sha256sum``: ``sha256sum -c SHA256SUMS`` checks a folder without this package.
A folder that has one gets an entry for whatever is written into it through `hsi.files`; what is
read is checked first. An entry is there before its file takes its place, so that an interruption
leaves no file that is taken for damaged: for that moment, both the old and the new sum are right.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from hsi.atomic import replacing
from hsi.errors import RunError
from hsi.locks import FileLock

NAME = "SHA256SUMS"


def begin_sums(folder: Path) -> None:
    """Let `folder`, which is there, have sums from now on."""
    path = folder / NAME
    if not path.exists():
        _write(path, {})


def has_sums(folder: Path) -> bool:
    """Return whether what is written into `folder` gets a sum."""
    return (folder / NAME).is_file()


def remove_sums(folder: Path) -> None:
    """Remove the sums of a folder in which none of their files is left."""
    listing = folder / NAME
    if listing.is_file() and not any((folder / name).exists() for name in _read(listing)):
        listing.unlink()


def sum_of(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def expect_sum(path: Path, value: str) -> None:
    """Let `value` be right for the file at `path`, too, which is about to be replaced."""
    _change(path, {value}, keep=True)


def settle_sum(path: Path, value: str) -> None:
    """Let only `value` be right for the file at `path`."""
    _change(path, {value}, keep=False)


def check_sum(path: Path) -> None:
    """Refuse a file that is not as it was written; without an entry, do nothing.

    Raises
    ------
    RunError
        If its sum is another one than that written down.
    """
    if not has_sums(path.parent) or not path.is_file():
        return
    try:
        right = _read(path.parent / NAME).get(path.name)
        found = sum_of(path)
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror}") from error
    if right and found not in right:
        raise RunError(
            f"{path} is damaged, or was changed by hand: its sha256 is not the one in {NAME}\n"
            f"  its sha256 is       {found}\n"
            f"  as it was written   {' or '.join(sorted(right))}\n"
            "Restore it from a copy. What was changed on purpose belongs in another folder."
        )


def _change(path: Path, values: set[str], *, keep: bool) -> None:
    listing = path.parent / NAME
    # One writer at a time: each writes the whole listing.
    lock = FileLock(path.parent)
    try:
        with lock:
            sums = _read(listing)
            sums[path.name] = values | (sums.get(path.name, set()) if keep else set())
            _write(listing, sums)
    finally:
        lock.close()


def _read(listing: Path) -> dict[str, set[str]]:
    """Return the sums of each name; lines that are damaged are no sum of any file."""
    sums: dict[str, set[str]] = {}
    for line in listing.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        value, _, name = line.partition("  ")
        sums.setdefault(name, set()).add(value)
    return sums


def _write(listing: Path, sums: dict[str, set[str]]) -> None:
    lines = [f"{value}  {name}\n" for name in sorted(sums) for value in sorted(sums[name])]
    with replacing(listing) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8", errors="surrogateescape")
