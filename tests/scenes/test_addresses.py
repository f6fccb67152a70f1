"""Images at addresses: read where they are, and nothing else is asked for."""

import contextlib
import http.server
import re
import runpy
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import from_origin

from hsi.errors import SceneError, UsageError
from hsi.scenes import load_scene, load_scenes
from hsi.scenes.address import address_of, stem_of

CERTIFICATES = runpy.run_path(
    str(Path(__file__).parent.with_name("faults") / "make_certificates.py")
)
ROWS, COLS, BANDS = 96, 128, 12
CUBE = np.random.default_rng(1).integers(0, 4000, (ROWS, COLS, BANDS)).astype(np.uint16)
# Larger than what GDAL asks for at first.
LARGE = {"tiled": True, "blockxsize": 32, "blockysize": 32, "interleave": "pixel"}


class RangeHandler(http.server.BaseHTTPRequestHandler):
    """Serves the files of a folder and parts of them, unless `instead` has something for a path."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        path = self.path.partition("?")[0]
        self.server.asked.append((self.command, self.path, self.headers.get("Range")))
        status, headers, body = 404, {}, b""
        if path == "/stalled.tif":
            self.server.over.wait(60)
        elif path in self.server.instead:
            status, headers, body = self.server.instead[path]
        elif (file := self.server.folder / path[1:]).is_file():
            status, body = 200, file.read_bytes()
            wanted = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
            if wanted:
                first, last = int(wanted[1]), int(wanted[2] or len(body) - 1)
                headers = {"Content-Range": f"bytes {first}-{last}/{len(body)}"}
                status, body = 206, body[first : last + 1]
        self.send_response(status)
        headers = {"Accept-Ranges": "bytes", "Content-Length": str(len(body))} | headers
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.server.sent += len(body)
            self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Archive(http.server.ThreadingHTTPServer):
    """A server of the files in `folder`: what it sends `instead`, what was `asked`, and `sent`."""

    daemon_threads = True

    def __init__(self, folder, tls=None):
        super().__init__(("127.0.0.1", 0), RangeHandler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.folder, self.over = folder, threading.Event()
        self.instead, self.asked, self.sent = {}, [], 0
        self.host = f"127.0.0.1:{self.server_port}"
        self.address = f"http{'s' if tls else ''}://{self.host}"

    def handle_error(self, request, client_address):
        """Say nothing: whoever asks may hang up."""


@contextlib.contextmanager
def at_work(server):
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def archive(bare_machine, monkeypatch, tmp_path):
    """A server without encryption."""
    monkeypatch.setenv("NO_PROXY", "*")
    (tmp_path / "archive").mkdir()
    with at_work(Archive(tmp_path / "archive")) as server:
        yield server


def write(path, cube=CUBE, **profile):
    rows, cols, bands = cube.shape
    profile = {"transform": from_origin(500000, 4000000, 30, 30), "crs": "EPSG:32633"} | profile
    with rasterio.open(
        path, "w", driver="GTiff", height=rows, width=cols, count=bands, dtype=cube.dtype.name,
        **profile,
    ) as file:  # fmt: skip
        file.write(cube.transpose(2, 0, 1))
        for band in range(bands):
            centre = {"wavelength": str(400 + 10 * band), "wavelength_units": "nm"}
            file.update_tags(band + 1, **centre)
    return path


def one_error(address):
    """Return the only message that opening and reading an image gives."""
    with pytest.raises(SceneError) as caught:
        np.asarray(load_scene(address).cube)
    text = str(caught.value)
    assert address in text
    assert text.count("\n") < 5
    return text


@pytest.mark.parametrize("profile", [{}, LARGE | {"compress": "deflate"}])
def test_it_is_the_same_scene_as_its_file(archive, profile):
    path = write(archive.folder / "line.tif", **profile)
    here, there = load_scene(path), load_scene(f"{archive.address}/line.tif")
    assert there.fingerprint == here.fingerprint
    assert there.name == here.name == "line"
    assert there.grid == here.grid
    np.testing.assert_array_equal(there.wavelengths, here.wavelengths)
    np.testing.assert_array_equal(there.cube[5:70:3, [9, 2, 100]], here.cube[5:70:3, [9, 2, 100]])
    assert there.source == {"dataset": f"{archive.address}/line.tif"}
    assert {path for _, path, _ in archive.asked} == {"/line.tif"}


def test_an_image_whose_metadata_lie_beside_it_says_that_they_are_not_read(archive):
    write(archive.folder / "ENMAP01-SPECTRAL_IMAGE.TIF")
    scene = load_scene(f"{archive.address}/ENMAP01-SPECTRAL_IMAGE.TIF")
    assert "ENMAP01-METADATA.XML is not read at an address" in scene.metadata["note"]
    np.testing.assert_array_equal(scene.cube[:], CUBE)


def test_only_what_is_needed_is_fetched(archive):
    cube = np.random.default_rng(2).integers(0, 4000, (512, 512, 40)).astype(np.uint16)
    path = write(archive.folder / "line.tif", cube, **LARGE)
    scene = load_scene(f"{archive.address}/line.tif")
    np.testing.assert_array_equal(scene.cube[400:410, 300:310], cube[400:410, 300:310])
    assert archive.sent < path.stat().st_size / 3


def test_an_image_that_was_replaced_is_not_the_one_of_before(archive):
    address = f"{archive.address}/line.tif"
    write(archive.folder / "line.tif")
    assert load_scene(address).cube[0, 0, 0] == CUBE[0, 0, 0]
    write(archive.folder / "line.tif", CUBE + 1)
    np.testing.assert_array_equal(load_scene(address).cube[:], CUBE + 1)


@pytest.mark.parametrize("name", ["/vsicurl/{}/line.tif", "{}/line.tif?version=2", "{}/moved.tif"])
def test_other_names_of_it(archive, name):
    write(archive.folder / "line.tif")
    archive.instead["/moved.tif"] = 302, {"Location": f"{archive.address}/line.tif"}, b""
    scene = load_scene(name.format(archive.address))
    np.testing.assert_array_equal(scene.cube[:], CUBE)
    assert scene.name in ("line", "moved")


def test_object_storage(archive, monkeypatch):
    # What GDAL calls them in the environment, though the process that reads has begun already.
    settings = {
        "AWS_S3_ENDPOINT": archive.host, "AWS_HTTPS": "NO", "AWS_VIRTUAL_HOSTING": "FALSE",
        "AWS_NO_SIGN_REQUEST": "YES",
    }  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    (archive.folder / "bucket").mkdir()
    write(archive.folder / "bucket/line.tif")
    scene = load_scene("s3://bucket/line.tif")
    np.testing.assert_array_equal(scene.cube[:], CUBE)
    assert {path for _, path, _ in archive.asked} == {"/bucket/line.tif"}


PAGE = b"<!DOCTYPE html><html><body>Please sign in.</body></html>" * 20
VIRTUAL = (
    '<VRTDataset rasterXSize="8" rasterYSize="8"><VRTRasterBand dataType="Int16" band="1">'
    "<SimpleSource><SourceFilename>/vsicurl/{}/line.tif</SourceFilename></SimpleSource>"
    "</VRTRasterBand></VRTDataset>"
)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((404, {}, b""), "404"),
        ((403, {}, b""), "403"),
        ((200, {}, PAGE), "is no TIFF file, or its server is busy"),
        ((200, {}, VIRTUAL), "is no TIFF file"),
        ((302, {"Location": "file://{file}"}, b""), "cannot be read"),
        ((503, {}, b""), "its server is busy|503"),
        ((200, {}, b""), "cannot be read|is no TIFF file"),
    ],
)
def test_what_a_server_may_send_instead(archive, answer, expected, counted, monkeypatch):
    monkeypatch.setenv("GDAL_HTTP_MAX_RETRY", "0")
    path = write(archive.folder / "line.tif")
    status, headers, body = answer
    if isinstance(body, str):
        body = body.format(archive.address).encode()
    headers = {name: value.format(file=path) for name, value in headers.items()}
    archive.instead["/a.tif"] = status, headers, body
    assert re.search(expected, one_error(f"{archive.address}/a.tif"))
    assert {path for _, path, _ in archive.asked} == {"/a.tif"}
    counted("hostile files", "files made to do harm")


def test_a_server_that_does_not_send_parts(archive):
    path = write(archive.folder / "line.tif")
    archive.instead["/a.tif"] = 200, {"Accept-Ranges": "none"}, path.read_bytes()
    assert "does not send parts of files\nDownload it" in one_error(f"{archive.address}/a.tif")


@pytest.mark.parametrize("profile", [{"sparse_ok": True}, LARGE | {"sparse_ok": True}])
def test_an_image_that_claims_what_its_file_cannot_hold(archive, profile):
    with rasterio.open(
        archive.folder / "line.tif", "w", driver="GTiff", height=100_000, width=100_000, count=20,
        dtype="uint8", bigtiff="yes", transform=from_origin(5, 5, 9, 9), **profile,
    ):  # fmt: skip
        pass
    began = time.monotonic()
    assert "claims 100000 x 100000 pixels" in one_error(f"{archive.address}/line.tif")
    assert time.monotonic() - began < 30


def test_an_image_with_an_empty_margin_is_none_of_these(archive):
    cube = np.zeros((1024, 1024, 40), np.uint16)
    cube[500:, 300:700] = np.random.default_rng(2).integers(1, 4000, (524, 400, 40))
    write(archive.folder / "line.tif", cube, **LARGE, sparse_ok=True, compress="deflate", nodata=0)
    scene = load_scene(f"{archive.address}/line.tif")
    np.testing.assert_array_equal(scene.cube[495:505, 295:305], cube[495:505, 295:305])


def test_tiles_are_fetched_once_though_a_row_of_them_is_large(archive):
    # A band that never varies, and no data at the top: it takes the whole image to know that.
    cube = np.random.default_rng(2).integers(100, 4000, (256, 2048, 80)).astype(np.uint16)
    cube[:, :, 5], cube[:100] = 7, 0
    tiles = {"tiled": True, "blockxsize": 256, "blockysize": 256, "interleave": "pixel"}
    path = write(archive.folder / "line.tif", cube, **tiles, nodata=0)
    scene = load_scene(f"{archive.address}/line.tif")
    assert scene.metadata["constant_bands"] == 1
    assert archive.sent < 1.5 * path.stat().st_size


def test_an_image_that_is_cut_off(archive):
    path = write(archive.folder / "line.tif", **LARGE, compress="deflate")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    one_error(f"{archive.address}/line.tif")


def test_a_server_that_is_not_there(archive, monkeypatch):
    monkeypatch.setenv("GDAL_HTTP_MAX_RETRY", "0")
    began = time.monotonic()
    assert "connect" in one_error("http://127.0.0.1:9/line.tif")
    assert time.monotonic() - began < 60


def test_a_server_that_says_nothing(archive, monkeypatch):
    monkeypatch.setenv("GDAL_HTTP_LOW_SPEED_TIME", "1")
    monkeypatch.setenv("GDAL_HTTP_MAX_RETRY", "0")
    began = time.monotonic()
    assert "Operation too slow" in one_error(f"{archive.address}/stalled.tif")
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("kind", "expected"), [("right", None), ("expired", "expired"), ("self-signed", "certificate")]
)
def test_certificates(tmp_path, monkeypatch, archive, kind, expected):
    contexts, trusted = CERTIFICATES["make_certificates"](tmp_path)
    monkeypatch.setenv("CURL_CA_BUNDLE", str(trusted))
    write(archive.folder / "line.tif")
    with at_work(Archive(archive.folder, contexts[kind])) as server:
        address = f"{server.address}/line.tif"
        if expected is None:
            np.testing.assert_array_equal(load_scene(address).cube[:], CUBE)
        else:
            assert expected in one_error(address)
            assert server.asked == []


def test_a_server_that_recovers_is_asked_again(archive, monkeypatch):
    write(archive.folder / "line.tif")

    class Once(dict):
        def __contains__(self, path):
            return len(archive.asked) == 1

    archive.instead = Once({"/line.tif": (503, {}, b"")})
    scene = load_scene(f"{archive.address}/line.tif")
    np.testing.assert_array_equal(scene.cube[:], CUBE)


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"dataset": "https://me:secret@example.org/line.tif"}, "password"),
        ({"dataset": "/vsicurl/https://me:secret@[::1/line.tif"}, "password"),
        ({"dataset": "https://me:secret@ex\u200bample.org/line.tif"}, "password"),
        ({"dataset": "s3://me:secret@bucket/line.hdr"}, "password"),
        ({"dataset": "https://example.org/line 7.tif"}, "write %20"),
        ({"dataset": "https://example.org/line.hdr"}, r"does not end in \.tif"),
        ({"dataset": "s3://bucket/lines/"}, r"does not end in \.tif"),
        ({"dataset": "https://example.org/a.tif", "labels": "https://example.org/b.tif"}, "files"),
        ({"dataset": "https://example.org/a.tif", "labels_key": "gt"}, "is an image"),
        ({"dataset": "/vsizip/archive.zip/line.tif"}, "there is no file"),
        ({"dataset": "/vsicurl/file:///line.tif"}, "there is no file"),
        ({"dataset": "/vsicurl?url=https://example.org/line.tif"}, "there is no file"),
        ({"dataset": "ftp://example.org/line.tif"}, "there is no file"),
        ({"dataset": "vrt:///vsicurl/https://example.org/line.tif"}, "there is no file"),
    ],
)
def test_what_is_not_asked_for_at_all(named, expected):
    with pytest.raises(UsageError, match=expected) as caught:
        load_scene(**named)
    assert "secret" not in str(caught.value)


def test_addresses_in_a_list_are_not_followed(archive, tmp_path):
    write(archive.folder / "line.tif")
    (tmp_path / "list.txt").write_text(f"{archive.address}/line.tif\n")
    with pytest.raises(SceneError, match="one by one, not in lists"):
        load_scenes(tmp_path / "list.txt")
    assert archive.asked == []


@given(st.text(alphabet="abz09-_ä./", max_size=12), st.sampled_from(["a.tif", "b.TIFF", "c.gtiff"]))
def test_names_of_addresses(folder, name):
    address = address_of(f"https://example.org/{folder}/{name}?signed=a/b.tif")
    assert address.name == name
    assert address.stem == stem_of(str(address)) == name.partition(".")[0]
    assert address.gdal_name == f"/vsicurl/{address}"


@given(
    st.sampled_from(["", "/vsi", "/vsis3/", "/vsicurl/", "http:", "https://", "HTTP://", "s3://"]),
    st.text(max_size=12), st.sampled_from(["", ".tif", ".tif?"]),
)  # fmt: skip
def test_every_text_is_an_address_a_path_or_one_error(before, text, after):
    try:
        address = address_of(before + text + after)
    except UsageError:
        return
    if address is None:
        assert stem_of(before + text + after) == Path(before + text + after).stem
    else:
        assert address.suffix == ".tif"
        assert address.gdal_name.startswith(("/vsicurl/http", "/vsis3/"))


def test_its_map_is_that_of_the_file(archive, hsi_command, run, scene, tmp_path):
    cube = np.asarray(scene.cube)
    path = write(archive.folder / "cube.tif", cube, tiled=True, blockxsize=16, blockysize=16)
    address = f"{archive.address}/cube.tif"
    maps = []
    for named in ([path], [address], [address, "--workers", "2"]):
        out = tmp_path / f"map-{len(maps)}"
        done = hsi_command("map", run.path, *named, "--out", out, "--device", "cpu")
        assert done.code == 0, done.err
        maps.append((out / "class_map.tif").read_bytes())
    assert maps[0] == maps[1] == maps[2]
