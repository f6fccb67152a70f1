"""Downloads from servers that misbehave: what the rows of `cases/downloads.toml` say of them."""

import contextlib
import gc
import hashlib
import random
import runpy
import subprocess
import sys
import time
import tomllib
import warnings
from pathlib import Path

import pytest

from hsi import downloads, web
from hsi.backbones import published
from hsi.errors import DownloadError, WeightsError
from hsi.scenes import fetch
from hsi.scenes.catalogue import Card

HERE = Path(__file__).parent
ROWS = tomllib.loads((HERE / "cases/downloads.toml").read_text("utf-8"))["case"]
SERVER = runpy.run_path(str(HERE / "misbehaving_server.py"))["MisbehavingServer"]
CERTIFICATES = runpy.run_path(str(HERE / "make_certificates.py"))
CONTENT = random.Random(0).randbytes(240_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
# Of a refusal, whatever the server does; two attempts of patience are the most.
MOST_SECONDS = 10.0


class SceneFile:
    """The cube of a card with one address or two."""

    error, name = DownloadError, "image.npy"

    def __init__(self, addresses, monkeypatch):
        file = {"name": self.name, "addresses": addresses}
        file |= {"sha256": SHA256, "bytes": len(CONTENT)}
        self.card = Card.model_validate({"name": "plain", "title": "A plain", "cube": file})
        self.folder = downloads.cache_folder() / "plain"
        self.digits = SHA256

    def fetch(self):
        return fetch.locate(self.card, self.card.cube)


class WeightsFile:
    """Weights, as if they were published at an address."""

    error, name = WeightsError, f"lenet5-{SHA256[:8]}.pth"

    def __init__(self, addresses, monkeypatch):
        monkeypatch.setattr(published, "SERVER", addresses[0].removesuffix(self.name))
        monkeypatch.setitem(published.FILES, "lenet5", self.name)
        self.folder = downloads.cache_folder() / "weights"
        self.digits = SHA256[:8]

    def fetch(self):
        return published.locate_weights("lenet5")


FILES = {"scene": SceneFile, "weights": WeightsFile}
CASES = [
    pytest.param(row, kind, id=f"{row['id']}-{kind}")
    for row in ROWS
    for kind in row.get("of", FILES)
    if kind == "scene" or "mirror" not in row  # weights have one address
]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return CERTIFICATES["make_certificates"](tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def serve(bare_machine, certificates, monkeypatch, tmp_path):
    """Return a function that starts a server; certificates that are in order are trusted."""
    contexts, trusted = certificates
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    with contextlib.ExitStack() as stack:

        def start(certificate="none"):
            server = SERVER(CONTENT, tls=contexts.get(certificate))
            stack.callback(server.close)
            return server

        yield start


@pytest.mark.parametrize(("row", "kind"), CASES)
def test_file_is_had_or_refused_as_the_table_says(
    row, kind, serve, bare_machine, monkeypatch, counted
):
    monkeypatch.setattr(downloads, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(downloads, "MOST_BYTES", 2**22)
    monkeypatch.setattr(web, "PATIENCE_SECONDS", row.get("patience", web.PATIENCE_SECONDS))
    server, mirror = serve(row.get("certificate", "none")), serve()
    for name, certificate in (("plain", "none"), ("expired", "expired")):
        server.places[name] = f"{serve(certificate).address}/right"
    name = FILES[kind].name
    own, other = f"/its/{name}", f"/other/{name}"
    server.answers[own] = row["answers"]
    mirror.answers[other] = row.get("mirror", [{"status": 404}])
    scheme = "https" if "certificate" in row else "http"
    addresses = [f"{scheme}://{server.host}{own}"]
    if "mirror" in row:
        addresses.append(mirror.address + other)
    wanted = FILES[kind](addresses, monkeypatch)

    begun = time.monotonic()
    if row["expected"] == "refused":
        with pytest.raises(wanted.error) as caught:
            wanted.fetch()
        message = str(caught.value)
        del caught
        if row.get("left_open"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ResourceWarning)
                gc.collect()
        for words in row["words"]:
            assert words in message
        if "received" in row:
            assert server.sha256(row["received"])[: len(wanted.digits)] in message
        # How to know the right one, where it comes from, and the place to put it by hand.
        assert wanted.digits in message
        assert addresses[0] in message
        assert f"$HSI_DATA/{wanted.folder.name}/" in message
        assert len(message.splitlines()) <= 5
        assert not list(bare_machine.rglob("*.*"))
        assert server.asked.count(own) == row["requests"]
        # What the server did is of no consequence once it has mended its ways.
        server.answers.clear()
        server.gate.set()
        if scheme == "http":
            assert wanted.fetch().read_bytes() == CONTENT
    else:
        path = wanted.fetch()
        assert path == wanted.folder / wanted.name
        assert path.read_bytes() == CONTENT
        if row["expected"] != "mirrored":
            assert server.asked.count(own) == {"downloaded": 1, "retried": 2}[row["expected"]]
        assert mirror.asked == ([other] if row["expected"] == "mirrored" else [])
        assert list(bare_machine.rglob("*.*")) == [path]
    assert time.monotonic() - begun < MOST_SECONDS
    counted("downloads", "answers of a server")


# What the command line says of some of them.
COMMAND = (
    "downloads/no-fault", "downloads/short-length-told", "downloads/page-200", "downloads/404",
    "downloads/changed", "downloads/redirect-to-file", "downloads/tls-expired",
)  # fmt: skip
CARD = """
[cube]
name = "image.npy"
addresses = ["{address}"]
sha256 = "{sha256}"
"""


@pytest.mark.parametrize("name", COMMAND)
def test_the_command_says_it_in_five_lines(name, serve, bare_machine, tmp_path, counted):
    (row,) = (row for row in ROWS if row["id"] == name)
    server = serve(row.get("certificate", "none"))
    server.answers["/image.npy"] = row["answers"]
    address = f"{server.address}/image.npy"
    card = tmp_path / "field.toml"
    card.write_text('title = "A field"' + CARD.format(address=address, sha256=SHA256))
    command = [sys.executable, "-m", "hsi", "scenes", "fetch", card]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    path = bare_machine / "field" / "image.npy"
    if row["expected"] == "downloaded":
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{path}\n", "")
        assert path.read_bytes() == CONTENT
    else:
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr.startswith("Error: ")
        for words in row["words"]:
            assert words in done.stderr
        if "received" in row:
            assert server.sha256(row["received"]) in done.stderr
        assert SHA256 in done.stderr
        assert str(path.parent) in done.stderr
        assert len(done.stderr.splitlines()) <= 5
        assert not list(bare_machine.rglob("*.*"))
    counted("downloads", "commands")
