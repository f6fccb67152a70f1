"""The user's folders of data, and downloads, checked by their sha256 before they have a name."""

from __future__ import annotations

import functools
import os
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from hsi.atomic import remove_temporary, replacing
from hsi.files import expand_home, is_web_page
from hsi.locks import lock_file
from hsi.sums import sum_of
from hsi.web import NotSentError, ask

# Name resolution without a network can hang for half a minute: a host that has not answered after
# this time counts as unreachable.
PROBE_SECONDS = 1.5
ATTEMPTS = 2
PAUSE_SECONDS = 1.0
SHA256_DIGITS = 64
# How much longer than expected another file may be for its sha256 to be told: pages and newer
# versions are; what has no end is not.
SLACK_BYTES = 2**20
# Of a file whose size is not known. Scenes of a flight line have some GiB.
MOST_BYTES = 2**34


def cache_folder() -> Path:
    """Return the folder for downloads: the platform's cache folder of the user."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("hsi"))


def data_folder() -> Path | None:
    """Return ``$HSI_DATA``, or None if it is not set."""
    text = os.environ.get("HSI_DATA")
    return expand_home(text, "HSI_DATA") if text else None


def sha256(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal, computed once for each state of the file."""
    status = path.stat()
    return _sha256_of_state(path.resolve(), status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _sha256_of_state(path: Path, size: int, modified: int) -> str:
    return sum_of(path)


def retrieve(
    addresses: Sequence[str], target: Path, *, sha256: str, size: int | None = None
) -> None:
    """Download into a temporary file, which becomes `target` only if its content is right.

    Each address is tried, and all once more, but for those that would answer as before. One
    process at a time downloads into a folder; others wait, say so on standard error when it takes
    long, and find the file there. What killed processes have left is removed.

    What makes a server broken, and which redirects are followed, is said in `hsi.web.ask`. With the
    whole sha256, redirects from HTTPS to HTTP are followed; with its first digits they are not.

    Parameters
    ----------
    addresses : sequence of str
        HTTP or HTTPS; where the same file is to be had.
    target : Path
        Its folder is made if need be.
    sha256 : str
        In hexadecimal; at least its first digits.
    size : int, optional
        In bytes. A server that sends `SLACK_BYTES` more is not listened to any longer; without it,
        one that sends more than `MOST_BYTES`.

    Raises
    ------
    NotSentError
        If no server sends it; says why not, and the sha256 of another file that came.
    OSError
        If the file cannot be stored.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with lock_file(target.parent / ".lock", waiting=_say_waiting) as alone:
        if alone:
            remove_temporary(target.parent)
        # Another process may have been faster.
        if not (target.is_file() and sum_of(target).startswith(sha256)):
            _try_all(addresses, target, sha256, size)


def _say_waiting(lock: Path, owner: str) -> None:
    whose = owner or "another process"
    print(f"Waiting for {whose}, which downloads into {lock.parent}", file=sys.stderr)


def _try_all(addresses: Sequence[str], target: Path, sha256: str, size: int | None) -> None:
    failures: dict[str, NotSentError] = {}
    for attempt in range(ATTEMPTS):
        left = [each for each in addresses if each not in failures or not failures[each].lasting]
        if left and attempt:
            time.sleep(PAUSE_SECONDS)
        for address in left:
            try:
                _download(address, target, sha256, size)
                return
            except NotSentError as failure:
                failures[address] = failure
    received = [each.received for each in failures.values() if each.received]
    raise NotSentError(
        "; ".join(map(str, failures.values())), received=received[0] if received else None
    )


def _download(address: str, target: Path, sha256: str, size: int | None) -> None:
    most = size + SLACK_BYTES if size else MOST_BYTES
    too_long = NotSentError(f"{address} sends more than {size or most:,} bytes", lasting=True)
    with (
        ask(address, encrypted=len(sha256) < SHA256_DIGITS) as answer,
        _Progress(target.name, size or answer.length) as progress,
        replacing(target) as temporary,
    ):
        if (answer.length or 0) > most:
            raise too_long
        come = 0
        with temporary.open("wb") as file:
            for piece in answer.pieces:
                come += len(piece)
                if come > most:
                    raise too_long
                file.write(piece)
                progress.update(len(piece))
        received = sum_of(temporary)
        if not received.startswith(sha256):
            # Without a length, this may be the beginning of the right one.
            raise NotSentError(
                f"{address} sent {'a web page' if is_web_page(temporary) else 'another file'}",
                lasting=answer.ends_visibly,
                received=received,
            )


def reachable_addresses(addresses: tuple[str, ...]) -> list[str]:
    """Return the addresses whose host, or proxy, takes a connection within `PROBE_SECONDS`."""
    from requests.utils import get_environ_proxies, select_proxy

    doors = {}
    for address in addresses:
        proxy = select_proxy(address, get_environ_proxies(address))
        if proxy and "://" not in proxy:
            proxy = f"http://{proxy}"
        door = urlsplit(proxy or address)
        doors[address] = (door.hostname or "", door.port or (443 if door.scheme == "https" else 80))
    open_doors: set[tuple[str, int]] = set()
    threads = [
        # A daemon, since a hanging name resolution cannot be interrupted.
        threading.Thread(target=_probe, args=(door, open_doors), daemon=True)
        for door in set(doors.values())
    ]
    for thread in threads:
        thread.start()
    end = time.monotonic() + PROBE_SECONDS
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return [address for address in addresses if doors[address] in open_doors]


def _probe(door: tuple[str, int], open_doors: set[tuple[str, int]]) -> None:
    try:
        socket.create_connection(door, timeout=PROBE_SECONDS).close()
    except OSError:
        return
    open_doors.add(door)


class _Progress:
    """A bar on standard error, if that is a terminal, which need not be there."""

    def __init__(self, name: str, size: int | None) -> None:
        self.total = size
        self.name = name
        self.bar: Any = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

            self.bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                DownloadColumn(),
                console=Console(stderr=True),
            )
            self.bar.start()
            self.task = self.bar.add_task(self.name, total=self.total)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.bar:
            self.bar.stop()

    def update(self, received: int) -> None:
        """Move the bar by a number of bytes."""
        if self.bar:
            self.bar.update(self.task, advance=received)
