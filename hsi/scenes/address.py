"""Images on servers and in object storage, which GDAL reads where they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from hsi.errors import UsageError

# What GDAL calls them ("GDAL Virtual File Systems"), network file systems alone: others lead into
# archives, memory, or programs.
_SCHEMES = {
    "http": "/vsicurl/http://", "https": "/vsicurl/https://", "s3": "/vsis3/", "gs": "/vsigs/",
    "az": "/vsiaz/",
}  # fmt: skip
_PREFIXES = ("/vsis3/", "/vsigs/", "/vsiaz/", "/vsiadls/", "/vsioss/", "/vsiswift/")
# Each is one file; what lies beside others would have to be asked for, too.
SUFFIXES = (".tif", ".tiff", ".gtif", ".gtiff", ".geotiff")


@dataclass(frozen=True)
class Address:
    """An image that is no file of this machine.

    Parameters
    ----------
    text : str
        As it was named.
    gdal_name : str
        As GDAL names it.
    path : PurePosixPath
        On its server.
    """

    text: str
    gdal_name: str
    path: PurePosixPath

    def __str__(self) -> str:
        return self.text

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.name

    @property
    def stem(self) -> str:
        """Its name without suffix."""
        return self.path.stem

    @property
    def suffix(self) -> str:
        """Its suffix, with the dot."""
        return self.path.suffix


Place = Path | Address
"""Where an image lies."""


def address_of(text: str) -> Address | None:
    """Return the address that a text is; None of anything else, such as a path.

    Parameters
    ----------
    text : str
        ``https://...`` or ``http://...``; ``s3://``, ``gs://`` or ``az://`` with bucket and key;
        or what GDAL calls them (``/vsicurl/https://...``, ``/vsis3/...``).

    Raises
    ------
    UsageError
        If GDAL would find no image there, or the address holds a password.

    Examples
    --------
    >>> address_of("s3://archive/lines/line_7.tif").gdal_name
    '/vsis3/archive/lines/line_7.tif'
    >>> address_of("https://example.org/line_7.tif?version=2").stem
    'line_7'
    >>> address_of("lines/line_7.tif") is None
    True
    """
    named = text.removeprefix("/vsicurl/")
    scheme = re.match(r"([A-Za-z][A-Za-z0-9]*)://", named)
    if scheme and scheme[1].lower() in _SCHEMES:
        gdal_name = _SCHEMES[scheme[1].lower()] + named[scheme.end() :]
    elif text.startswith(_PREFIXES):
        gdal_name = text
    else:
        return None
    if "@" in re.split(r"[/?#\\]", named[scheme.end() :] if scheme else "", maxsplit=1)[0]:
        raise UsageError(
            "an address with a password or a key in it would be written into runs and maps\n"
            "Put the password into ~/.netrc or GDAL_HTTP_USERPWD, a key into the variables of GDAL."
        )
    if gdal_name.startswith("/vsicurl/") and " " in text:
        raise UsageError(f"{text} is no address: it holds a space; write %20")
    if not text.isprintable():
        raise UsageError(f"{text!r} is no address: it holds characters that cannot be printed")
    address = Address(text, gdal_name, _path(gdal_name))
    if address.path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"{text} does not end in {SUFFIXES[0]}; images at addresses are GeoTIFF\n"
            "Bring other files here, or mount the storage, and name them by their path."
        )
    return address


def _path(gdal_name: str) -> PurePosixPath:
    """Return the path on a server."""
    url = gdal_name.removeprefix("/vsicurl/")
    if url == gdal_name:  # names in object storage may hold any character
        return PurePosixPath(gdal_name)
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UsageError(f"{url} is no address: {error}") from error
    return PurePosixPath(parts.path)


def stem_of(dataset: str) -> str:
    """Return the name, without suffix, of an image that is named by path or address."""
    return (address_of(dataset) or Path(dataset)).stem
