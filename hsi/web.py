"""What a web server answers, piece by piece: given up when it is too slow or leads elsewhere."""

from __future__ import annotations

import http.client
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    import requests

CONNECT_SECONDS = 10.0
# A server from which fewer bytes than these have come in so many seconds counts as broken, be it
# with the first of them, connection and redirects included. It is 1 kB/s: a slow telephone line.
LEAST_BYTES = 2**15
PATIENCE_SECONDS = 30.0
MOST_REDIRECTS = 5
# What a server says when another attempt may do: request timeout, too early, too many requests.
PASSING = (408, 425, 429)
# One of them: each may make a thousand bytes of one.
ENCODINGS = ("", "identity", "gzip", "x-gzip", "deflate")


class NotSentError(Exception):
    """A server did not send the file.

    Attributes
    ----------
    lasting : bool
        Whether another attempt would end in the same way.
    received : str or None
        The sha256 of what came, if that was another file.
    """

    def __init__(self, reason: str, *, lasting: bool = False, received: str | None = None) -> None:
        super().__init__(reason)
        self.lasting = lasting
        self.received = received


class Answer(NamedTuple):
    """What a server sends."""

    length: int | None
    """In bytes, if the server told it."""
    ends_visibly: bool
    """Whether an end that comes too early is noticed: with a length, or in chunks."""
    pieces: Iterator[bytes]
    """Raises NotSentError as `ask` does."""


@contextmanager
def ask(address: str, *, encrypted: bool) -> Iterator[Answer]:
    """Ask for a file, and yield what comes; afterwards the connection is of no use.

    Redirects are followed to HTTP and HTTPS, and nowhere else. A server that sends less than
    `LEAST_BYTES` in `PATIENCE_SECONDS` counts as broken, whether it does so with headers, with the
    file or before; time in which nobody asks for the next piece does not count.

    Parameters
    ----------
    address : str
        HTTP or HTTPS.
    encrypted : bool
        Whether a redirect from HTTPS to HTTP is refused. Who checks the whole sha256 of a file may
        do without encryption: nobody on the way can give it another content.

    Raises
    ------
    NotSentError
        If there is no answer, another one than 200, or if it ends too early.
    """
    received: Queue[Any] = Queue(maxsize=16)
    unwanted = threading.Event()
    # Another thread, since a server can keep the one that waits for the end of a line; a daemon,
    # since it then may go on for as long as the server likes.
    threading.Thread(
        target=_receive, args=(address, encrypted, received, unwanted), daemon=True
    ).start()
    items = _patiently(received, urlsplit(address).netloc)
    try:
        length, ends_visibly = next(items)
        yield Answer(length, ends_visibly, items)
    finally:
        unwanted.set()
        while not received.empty():  # the thread may be waiting for room
            received.get_nowait()


def in_words(error: Exception) -> str:
    """Return the name of a library's error in words: ``ReadTimeout`` is "read timeout"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()


def _patiently(received: Queue[Any], host: str) -> Iterator[Any]:
    """Yield what comes through the queue, up to an empty piece; raise errors that come."""
    patience, come = PATIENCE_SECONDS, 0
    while True:
        begun = time.monotonic()
        try:
            item = received.get(timeout=max(0.0, patience))
        except Empty:
            raise NotSentError(
                f"{host} is too slow: less than {LEAST_BYTES:,} bytes in {PATIENCE_SECONDS:g} s"
            ) from None
        patience -= time.monotonic() - begun
        if isinstance(item, Exception):
            raise item
        if isinstance(item, bytes):
            if not item:
                return
            come += len(item)
            if come >= LEAST_BYTES:
                patience, come = PATIENCE_SECONDS, 0
        yield item


def _receive(
    address: str, encrypted: bool, received: Queue[Any], unwanted: threading.Event
) -> None:
    """Put length and kind of an answer into the queue, then its pieces and an empty one."""
    import requests

    try:
        with _session() as session, _follow(session, address, encrypted) as response:
            received.put(_length(response))
            try:
                for piece in response.iter_content(LEAST_BYTES):
                    if unwanted.is_set():
                        return
                    if piece:
                        received.put(piece)
            except requests.RequestException as error:
                raise _broken(response.url, error) from error
        received.put(b"")
    except Exception as error:  # noqa: BLE001  # raised where the pieces are taken
        received.put(error)


def _session() -> requests.Session:
    import requests

    class Session(requests.Session):
        def get_redirect_target(self, resp: requests.Response) -> None:
            """Say that there is none: where there is, the body is read, which may have no end."""

    return Session()


def _follow(session: requests.Session, address: str, encrypted: bool) -> requests.Response:
    """Return the answer at the end of all redirects."""
    import requests

    for _ in range(MOST_REDIRECTS + 1):
        try:
            response = session.get(
                address,
                stream=True,
                allow_redirects=False,
                headers={"Accept-Encoding": "identity"},
                # It ends the thread; patience has an end before.
                timeout=(CONNECT_SECONDS, 2 * PATIENCE_SECONDS),
            )
            target = requests.Session.get_redirect_target(session, response)
        except (requests.RequestException, UnicodeError) as error:
            raise _broken(address, error) from error
        if target is None:
            _check_kind(address, response)
            return response
        response.close()
        address = _redirected(address, target, encrypted)
    raise NotSentError(f"{address} redirects more than {MOST_REDIRECTS} times", lasting=True)


def _redirected(address: str, target: str, encrypted: bool) -> str:
    """Return the address that a redirect leads to, if it may."""
    # A server says what it likes; what is shown of it is short and cannot steer a terminal.
    shown = f"{address} redirects to {target[:100]!r}"
    try:
        new = urljoin(address, target)
        scheme, host, *_ = urlsplit(new)
    except ValueError as error:
        raise NotSentError(f"{shown}, which is no address", lasting=True) from error
    if scheme not in ("http", "https"):
        raise NotSentError(f"{shown}, which is neither HTTP nor HTTPS", lasting=True)
    if not host:
        raise NotSentError(f"{shown}, which names no host", lasting=True)
    if encrypted and scheme == "http" and urlsplit(address).scheme == "https":
        raise NotSentError(f"{shown}, which is not encrypted", lasting=True)
    return new


def _check_kind(address: str, response: requests.Response) -> None:
    """Refuse what is not a file as it is."""
    code = response.status_code
    if code != http.client.OK:
        response.close()
        phrase = http.client.responses.get(code, "?")
        lasting = code < http.client.INTERNAL_SERVER_ERROR and code not in PASSING
        raise NotSentError(f"{address} answers {code} ({phrase})", lasting=lasting)
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ENCODINGS:
        response.close()
        raise NotSentError(
            f"{address} sends it encoded as {encoding[:100]!r}, which was not asked for",
            lasting=True,
        )


def _length(response: requests.Response) -> tuple[int | None, bool]:
    """Return the length of the file, if it is told, and whether too early an end is noticed."""
    told = response.headers.get("Content-Length", "")
    in_chunks = response.headers.get("Transfer-Encoding", "").lower() == "chunked"
    if in_chunks or not re.fullmatch(r"[0-9]{1,18}", told):
        return None, in_chunks
    encoded = response.headers.get("Content-Encoding", "identity") not in ("", "identity")
    return None if encoded else int(told), True


def _broken(address: str, error: Exception) -> NotSentError:
    """Return what a library's error means."""
    host = urlsplit(address).netloc
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = f"the certificate of {host} is not valid ({cause.verify_message})"
            return NotSentError(reason, lasting=True)
        cause = cause.__cause__ or cause.__context__
    return NotSentError(f"the connection to {host} broke ({in_words(error)})")
