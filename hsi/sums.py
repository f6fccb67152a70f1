"""The sha256 of each file in a folder, in ``SHA256SUMS`` beside them: damage does not go unnoticed.

The file is that of ``sha256sum``: ``sha256sum -c SHA256SUMS`` checks a folder without this package.
A folder that has one gets an entry for whatever is written into it through `hsi.files`; what is
read is checked first. An entry is there before its file takes its place, so that an interruption
leaves no file that is taken for damaged: for that moment, both the old and the new sum are right.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import BinaryIO, NamedTuple

from hsi.atomic import replacing
from hsi.errors import RunError
from hsi.locks import FileLock

NAME = "SHA256SUMS"
# What stands in the place of a file's own sum while that is computed.
NO_SUM = "0" * 64
_PIECE = 1 << 20
_TEXTS = (".toml", ".json", ".csv", ".md", ".html", ".tex")
ENTRY = re.compile(r"(?P<sum>\S{64}) [ *](?P<name>.+)")


def begin_sums(folder: Path) -> None:
    """Let `folder`, which is there, have sums from now on."""
    path = folder / NAME
    if not path.exists():
        _write(path, _Listing({}, []))


def has_sums(folder: Path) -> bool:
    """Return whether what is written into `folder` gets a sum."""
    return (folder / NAME).is_file()


def remove_sums(folder: Path) -> None:
    """Remove the sums of a folder in which none of their files is left."""
    listing = folder / NAME
    if listing.is_file() and not any((folder / name).exists() for name in _read(listing).sums):
        listing.unlink()


def sum_of(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_listed(path: Path) -> bool:
    """Return whether the file at `path` has a sum: that it was written through `hsi.files`."""
    return has_sums(path.parent) and path.name in _read(path.parent / NAME).sums


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
        right = _read(path.parent / NAME).sums.get(path.name)
        found = sum_of(path)
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror}") from error
    if right and found not in right:
        raise RunError(
            f"{path} is damaged, or was changed by hand: its sha256 is not the one in {NAME}\n"
            f"  its sha256 is       {found}\n"
            f"  as it was written   {' or '.join(sorted(right))}\n"
            f"Restore it from a copy, or make it anew{_on_purpose(path)}."
        )


def own_sum(file: BinaryIO, place: int) -> str:
    """Return the sha256 of a file that holds it at `place`, with zeros for its own digits."""
    digest = hashlib.sha256()
    file.seek(0)
    digest.update(file.read(place))
    digest.update(NO_SUM.encode())
    file.seek(place + len(NO_SUM))
    while piece := file.read(_PIECE):
        digest.update(piece)
    return digest.hexdigest()


def seal(path: Path, place: int) -> None:
    """Write the sha256 of a file into it, over the zeros at `place`."""
    with path.open("rb+") as file:
        value = own_sum(file, place)
        file.seek(place)
        file.write(value.encode())


def _on_purpose(path: Path) -> str:
    """Return what to do about a change that was meant: texts are changed by hand, others not."""
    if path.suffix not in _TEXTS:
        return ""
    return f"; if you changed it on purpose, remove its line from {NAME}"


def _change(path: Path, values: set[str], *, keep: bool) -> None:
    listing = path.parent / NAME
    # One writer at a time: each writes the whole listing.
    lock = FileLock(path.parent)
    try:
        with lock:
            content = _read(listing)
            before = content.sums.get(path.name, set()) if keep else set()
            content.sums[path.name] = values | before
            _write(listing, content)
    finally:
        lock.close()


class _Listing(NamedTuple):
    """What a listing says."""

    sums: dict[str, set[str]]
    """Of each name; for a moment, two may be right."""
    others: list[str]
    """Lines that are no sums, which stay as they are."""


def _read(listing: Path) -> _Listing:
    found = _Listing({}, [])
    for line in listing.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        entry = ENTRY.fullmatch(line)
        if entry:
            found.sums.setdefault(entry["name"], set()).add(entry["sum"])
        else:
            found.others.append(line)
    return found


def _write(listing: Path, content: _Listing) -> None:
    sums = content.sums
    lines = [f"{value}  {name}" for name in sorted(sums) for value in sorted(sums[name])]
    with replacing(listing) as temporary:
        temporary.write_text(
            "".join(f"{line}\n" for line in (*content.others, *lines)),
            encoding="utf-8",
            errors="surrogateescape",
        )
