"""The user's folders of data, and downloads, checked by their sha256 before they have a name."""

from __future__ import annotations

import functools
import logging
import os
import re
import socket
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from hsi.files import expand_home
from hsi.sums import sum_of

# Name resolution without a network can hang for half a minute: a host that has not answered after
# this time counts as unreachable.
PROBE_SECONDS = 1.5
READ_SECONDS = 30.0


def cache_folder() -> Path:
    """Return the folder for downloads: the platform's cache folder of the user."""
    import pooch

    return Path(pooch.os_cache("hsi"))


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


def in_words(error: Exception) -> str:
    """Return the name of a library's error in words: ``ReadTimeout`` is "read timeout"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()


class WrongContentError(Exception):
    """The server sent something else than expected; its argument is the sha256."""


def retrieve(address: str, target: Path, *, sha256: str, size: int | None = None) -> None:
    """Download into a temporary file, which becomes `target` only if its content is right.

    Parameters
    ----------
    address : str
        HTTP or HTTPS.
    target : Path
        Its folder is made if need be.
    sha256 : str
        In hexadecimal; at least its first digits.
    size : int, optional
        In bytes, for the progress bar.

    Raises
    ------
    WrongContentError
        If what came has another sha256.
    requests.RequestException
        If the server refuses or the connection breaks.
    OSError
        If the file cannot be stored.
    """
    import pooch

    # The progress bar says all that pooch would log.
    pooch.get_logger().setLevel(logging.WARNING)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _Progress(target.name, size) as progress:
        fetch = pooch.HTTPDownloader(
            progressbar=progress, chunk_size=2**18, timeout=(10, READ_SECONDS)
        )

        def checked(url: str, output: str, owner: Any) -> None:
            fetch(url, output, owner)
            received = sum_of(Path(output))
            if not received.startswith(sha256):
                raise WrongContentError(received)

        pooch.retrieve(
            address,
            known_hash=None,  # checked above
            fname=target.name,
            path=target.parent,
            downloader=checked,
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
    """A bar on standard error, if that is a terminal, with the methods that pooch calls."""

    def __init__(self, name: str, size: int | None) -> None:
        self.total = size or 0
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
            self.bar.update(self.task, advance=received, total=self.total)

    def reset(self) -> None:
        """Set the bar back to the start."""
        if self.bar:
            self.bar.reset(self.task)

    def close(self) -> None:
        """Nothing to do: the bar ends with the block."""
