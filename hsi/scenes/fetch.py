"""Finding the files of a card: ``$HSI_DATA``, then the user's cache, then the network.

A file is never used unless its sha256 is the card's, wherever it came from.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from hsi.downloads import (
    cache_folder,
    data_folder,
    reachable_addresses,
    retrieve,
    sha256,
)
from hsi.errors import DownloadError, SceneError
from hsi.scenes.catalogue import Card, CardFile
from hsi.web import NotSentError


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
        elif card.homepage:
            words.append(f"see {card.homepage}")
        lines.append(f"  {'  '.join(words)}")
    return "\n".join(lines)


def _download(card: Card, file: CardFile) -> Path:
    assert file.sha256 is not None  # a card that has addresses has one
    reachable = reachable_addresses(file.addresses)
    if not reachable:
        hosts = ", ".join(sorted({urlsplit(address).netloc for address in file.addresses}))
        wanted = card.files if file in card.files else card.split_files
        missing = [each for each in wanted if find_file(card, each) is None]
        names = " and ".join(each.name for each in missing)
        are = "is" if len(missing) == 1 else "are"
        raise DownloadError(
            f"{names} of {card.name} {are} not here, and {hosts} does not answer\n"
            f"{_where_to_put(card, missing)}"
        )
    target = cache_folder() / card.name / file.name
    try:
        retrieve(reachable, target, sha256=file.sha256, size=file.bytes)
    except NotSentError as failure:
        lines = [f"{file.name} could not be downloaded: {failure}"]
        if failure.received:
            lines.append(
                f"  What came has the sha256 {failure.received} (to use it as it is, save it "
                "with a browser: --dataset PATH --labels PATH)"
            )
        raise DownloadError("\n".join([*lines, _where_to_put(card, [file])])) from failure
    except OSError as error:
        raise DownloadError(
            f"{file.name} cannot be stored in {target.parent}: {error.strerror or error}\n"
            "Set HSI_DATA to a folder that holds it, or make room there."
        ) from error
    return target
