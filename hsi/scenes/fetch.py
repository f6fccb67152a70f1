"""Finding the files of a card: ``$HSI_DATA``, then the user's cache, then the network.

A file is never used unless its sha256 is the card's, wherever it came from.
"""

from __future__ import annotations

import functools
import hashlib
import http.client
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

from hsi.errors import DownloadError, SceneError
from hsi.files import expand_home
from hsi.scenes.catalogue import Card, CardFile

# Name resolution without a network can hang for half a minute: a host that has not answered after
# this time counts as unreachable.
PROBE_SECONDS = 1.5
READ_SECONDS = 30.0
ATTEMPTS = 2


def cache_folder() -> Path:
    """Return the folder for downloads: the platform's cache folder of the user."""
    import pooch

    return Path(pooch.os_cache("hsi"))


def data_folder() -> Path | None:
    """Return ``$HSI_DATA``, or None if it is not set."""
    text = os.environ.get("HSI_DATA")
    return expand_home(text, "HSI_DATA") if text else None


def find_file(card: Card, file: CardFile) -> Path | None:
    """Return where a file of a card lies on this machine, or None.

    Looks beside the card (for a user's own), then in the subfolder of ``$HSI_DATA`` that has the
    card's name, in ``$HSI_DATA`` itself and in all its other subfolders, then in the cache. The
    content is not checked.
    """
    data = data_folder()
    places = [card.folder] if card.folder else []
    if data:
        places += [data / card.name, data]
        if data.is_dir():
            # A folder that may not be entered, such as lost+found, is not worth an error.
            inside = (entry for entry in data.iterdir() if os.access(entry, os.X_OK))
            places += sorted(entry for entry in inside if entry.is_dir())
    places.append(cache_folder() / card.name)
    for place in places:
        for name in file.names:
            if (place / name).is_file():
                return place / name
    return None


def locate(card: Card, file: CardFile) -> Path:
    """Return the path of a file of a card, downloaded if need be, with the card's content.

    Raises
    ------
    SceneError
        If the file found has another content than the card says, or cannot be had.
    DownloadError
        If it could not be downloaded.
    """
    found = find_file(card, file)
    if found is not None:
        check_content(found, file)
        return found
    if not file.addresses:
        raise SceneError(f"{file.name} of {card.name} was not found\n{_where_to_put(card, [file])}")
    return _download(card, file)


def check_content(path: Path, file: CardFile) -> None:
    """Check the sha256 of a file against the card; without one on the card, do nothing.

    Raises
    ------
    SceneError
        If they differ. The message has both.
    """
    if file.sha256 is not None and sha256(path) != file.sha256:
        raise SceneError(
            f"{path} is not the file that the card describes:\n"
            f"  its sha256 is      {sha256(path)}\n"
            f"  the card's sha256  {file.sha256}{_by_whom(file)}\n"
            f"To use it as it is: --dataset PATH --labels PATH{_anew(file)}"
        )


def sha256(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal, computed once for each state of the file."""
    status = path.stat()
    return _sha256_of_state(path.resolve(), status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _sha256_of_state(path: Path, size: int, modified: int) -> str:
    return _sha256(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _anew(file: CardFile) -> str:
    return "; to download it anew, delete it" if file.addresses else ""


def _by_whom(file: CardFile) -> str:
    return " (recorded by others)" if file.sha256_recorded_by_others else ""


def _where_to_put(card: Card, files: list[CardFile]) -> str:
    """Return where files are looked for, where they come from, and how they are known."""
    data = data_folder()
    place = f"{data or '$HSI_DATA'}{os.sep}{card.name}{os.sep}"
    unset = "" if data else " (HSI_DATA is not set: any folder of your choice)"
    if data and not data.is_dir():
        unset = " (HSI_DATA names a folder that does not exist)"
    them = "it" if len(files) == 1 else "them"
    lines = [f"Put {them} into {place}{unset}", f"  or into {cache_folder() / card.name}{os.sep}"]
    for file in files:
        words = [file.name]
        if file.sha256:
            words.append(f"sha256 {file.sha256}{_by_whom(file)}")
        if file.addresses:
            words.append(f"from {file.addresses[0]}")
        lines.append(f"  {'  '.join(words)}")
    return "\n".join(lines)


def _download(card: Card, file: CardFile) -> Path:
    import requests

    reachable = _reachable(file.addresses)
    if not reachable:
        hosts = ", ".join(sorted({urlsplit(address).netloc for address in file.addresses}))
        missing = [each for each in card.files if find_file(card, each) is None]
        names = " and ".join(each.name for each in missing)
        are = "is" if len(missing) == 1 else "are"
        raise DownloadError(
            f"{names} of {card.name} {are} not here, and {hosts} does not answer\n"
            f"{_where_to_put(card, missing)}"
        )
    target = cache_folder() / card.name / file.name
    # What a second attempt would not change, by address; and the latest of what it might.
    failures: dict[str, DownloadError] = {}
    broken = ""
    for _ in range(ATTEMPTS):
        for address in reachable:
            if address in failures:
                continue
            try:
                _retrieve(address, target, file)
                return target
            except _WrongContentError as wrong:
                failures[address] = DownloadError(
                    f"{address} sent another file than the card of {card.name} describes:\n"
                    f"  its sha256 is      {wrong}\n"
                    f"  the card's sha256  {file.sha256}{_by_whom(file)}\n"
                    "It was not kept. To use it all the same, download it with a browser and pass "
                    "the files: --dataset PATH --labels PATH"
                )
            except requests.HTTPError as error:
                code = error.response.status_code if error.response is not None else 500
                broken = f"{address} answers {code} ({http.client.responses.get(code, '?')})"
                if code < 500:
                    failures[address] = _not_downloaded(card, file, broken)
            except requests.RequestException as error:
                broken = f"the connection to {urlsplit(address).netloc} broke ({_words(error)})"
            except OSError as error:
                raise DownloadError(
                    f"{file.name} cannot be stored in {target.parent}: {error.strerror}\n"
                    "Set HSI_DATA to a folder that holds it, or make room there."
                ) from error
    raise next(iter(failures.values()), _not_downloaded(card, file, broken))


def _not_downloaded(card: Card, file: CardFile, reason: str) -> DownloadError:
    return DownloadError(
        f"{file.name} could not be downloaded: {reason}\n{_where_to_put(card, [file])}"
    )


def _words(error: Exception) -> str:
    """Return the name of a library's error in words: ``ReadTimeout`` is "read timeout"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()


class _WrongContentError(Exception):
    """The server sent something else than the card describes; its argument is the sha256."""


def _retrieve(address: str, target: Path, file: CardFile) -> None:
    """Download into a temporary file, which becomes `target` only if its content is right."""
    import pooch

    # The progress bar says all that pooch would log.
    pooch.get_logger().setLevel(logging.WARNING)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _Progress(file) as progress:
        fetch = pooch.HTTPDownloader(
            progressbar=progress, chunk_size=2**18, timeout=(10, READ_SECONDS)
        )

        def checked(url: str, output: str, owner: Any) -> None:
            fetch(url, output, owner)
            received = _sha256(Path(output))
            if received != file.sha256:
                raise _WrongContentError(received)

        pooch.retrieve(
            address,
            known_hash=f"sha256:{file.sha256}",
            fname=target.name,
            path=target.parent,
            downloader=checked,
        )


def _reachable(addresses: tuple[str, ...]) -> list[str]:
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

    def __init__(self, file: CardFile) -> None:
        self.total = file.bytes or 0
        self.name = file.name
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
