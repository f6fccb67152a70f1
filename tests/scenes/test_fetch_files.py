"""Finding and downloading the files of a card. Nothing here leaves the loopback interface."""

import hashlib
import socket
import threading
import time

import numpy as np
import pytest
from requests.exceptions import ChunkedEncodingError

from hsi import downloads, web
from hsi.errors import DownloadError, SceneError
from hsi.scenes import fetch, load_scene
from hsi.scenes.catalogue import Card, find_card


@pytest.fixture
def content(tmp_path):
    np.save(tmp_path / "made.npy", np.arange(60.0).reshape(3, 4, 5))
    return (tmp_path / "made.npy").read_bytes()


def make_card(content, *addresses, name="plain"):
    return Card.model_validate(
        {
            "name": name,
            "title": "A plain",
            "cube": {
                "name": "image.npy",
                "other_names": ["picture.npy"],
                "addresses": addresses,
                "sha256": hashlib.sha256(content).hexdigest(),
            },
        }
    )


def everything_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_download_goes_to_the_cache_and_is_not_repeated(server, content, bare_machine):
    server.pages["/image.npy"] = (200, content, None)
    card = make_card(content, f"{server.address}/image.npy")
    path = fetch.locate(card, card.cube)
    assert path == bare_machine / "plain" / "image.npy"
    assert path.read_bytes() == content
    assert everything_in(bare_machine) == [path]
    assert fetch.locate(card, card.cube) == path
    assert server.asked == ["/image.npy"]


def test_nothing_is_printed_where_there_is_no_terminal(server, content, capfd):
    server.pages["/image.npy"] = (200, content, None)
    card = make_card(content, f"{server.address}/image.npy")
    fetch.locate(card, card.cube)
    assert capfd.readouterr() == ("", "")


def test_a_terminal_gets_a_progress_bar_on_standard_error(server, content, capsys, monkeypatch):
    server.pages["/image.npy"] = (200, content, None)
    card = make_card(content, f"{server.address}/image.npy")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    fetch.locate(card, card.cube)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "image.npy" in printed.err


def test_the_next_address_is_tried(server, content):
    server.pages["/good.npy"] = (200, content, None)
    server.pages["/other.npy"] = (200, b"something else", None)
    addresses = [f"{server.address}/{name}.npy" for name in ("missing", "other", "good")]
    card = make_card(content, *addresses)
    assert fetch.locate(card, card.cube).read_bytes() == content
    assert server.asked == ["/missing.npy", "/other.npy", "/good.npy"]


def test_a_server_that_is_busy_is_asked_again(server, content):
    answers = iter([(503, b"busy"), (200, content)])
    server.pages["/image.npy"] = (0, lambda: next(answers), None)
    card = make_card(content, f"{server.address}/image.npy")
    assert fetch.locate(card, card.cube).read_bytes() == content
    assert len(server.asked) == 2


def test_not_found(server, content, bare_machine):
    card = make_card(content, f"{server.address}/image.npy")
    with pytest.raises(DownloadError, match=r"404 \(Not Found\)") as caught:
        fetch.locate(card, card.cube)
    message = str(caught.value)
    assert f"{bare_machine / 'plain'}/\n" in message
    assert card.cube.sha256 in message
    assert message.count("\n") < 5
    assert everything_in(bare_machine) == []
    assert len(server.asked) == 1


def test_wrong_content_is_not_kept_and_both_hashes_are_told(server, content, bare_machine):
    wrong = b"<html>We have moved</html>"
    server.pages["/image.npy"] = (200, wrong, None)
    card = make_card(content, f"{server.address}/image.npy")
    with pytest.raises(DownloadError, match="--dataset PATH --labels PATH") as caught:
        fetch.locate(card, card.cube)
    assert hashlib.sha256(wrong).hexdigest() in str(caught.value)
    assert card.cube.sha256 in str(caught.value)
    assert everything_in(bare_machine) == []
    assert len(server.asked) == 1


def test_a_connection_that_breaks_leaves_nothing(server, content, bare_machine):
    server.pages["/image.npy"] = (200, content[:100], len(content))
    card = make_card(content, f"{server.address}/image.npy")
    with pytest.raises(DownloadError, match=r"the connection to 127\.0\.0\.1:\d+ broke"):
        fetch.locate(card, card.cube)
    assert everything_in(bare_machine) == []
    assert len(server.asked) == downloads.ATTEMPTS


def test_what_a_killed_download_left_is_not_trusted(server, content, bare_machine):
    server.pages["/image.npy"] = (200, content, None)
    card = make_card(content, f"{server.address}/image.npy")
    folder = bare_machine / "plain"
    folder.mkdir(parents=True)
    (folder / "tmpabc").write_bytes(content[:50])
    assert fetch.locate(card, card.cube).read_bytes() == content
    (folder / "image.npy").write_bytes(content[:50])
    with pytest.raises(SceneError, match="to download it anew, delete it") as caught:
        fetch.locate(card, card.cube)
    assert str(folder / "image.npy") in str(caught.value)
    assert hashlib.sha256(content[:50]).hexdigest() in str(caught.value)
    assert card.cube.sha256 in str(caught.value)


def test_a_cache_that_cannot_be_written(server, content, bare_machine):
    server.pages["/image.npy"] = (200, content, None)
    bare_machine.parent.mkdir()
    bare_machine.write_text("a file, no folder")
    card = make_card(content, f"{server.address}/image.npy")
    with pytest.raises(DownloadError, match="cannot be stored in"):
        fetch.locate(card, card.cube)


def test_without_a_network_the_error_is_quick_and_says_what_to_do(bare_machine, monkeypatch):
    release = threading.Event()

    daemons = []

    def hanging(*arguments, **options):
        daemons.append(threading.current_thread().daemon)
        release.wait(20)
        raise socket.gaierror("no answer")

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    start = time.monotonic()
    try:
        with pytest.raises(DownloadError) as caught:
            load_scene("indian_pines")
        assert time.monotonic() - start < 2
    finally:
        release.set()
    assert daemons == [True], "a hanging look-up would keep Python from ending"
    message = str(caught.value)
    card = find_card("indian_pines")
    assert "Indian_pines_corrected.mat and Indian_pines_gt.mat of indian_pines are not" in message
    assert "www.ehu.eus does not answer" in message
    assert "$HSI_DATA/indian_pines/ " in message
    assert f"{bare_machine / 'indian_pines'}/\n" in message
    for file in card.files:
        assert file.addresses[0] in message
        assert file.sha256 in message
    assert f"{card.cube.sha256} (recorded by others)" in message
    assert message.count("\n") < 5


def test_without_a_network_only_what_is_missing_is_named(bare_machine, monkeypatch):
    monkeypatch.setattr(fetch, "reachable_addresses", lambda addresses: [])
    card = find_card("ksc")
    place = bare_machine / "ksc" / card.cube.name
    place.parent.mkdir(parents=True)
    place.touch()
    with pytest.raises(DownloadError, match=r"^KSC_gt\.mat of ksc is not here") as caught:
        fetch.locate(card, card.labels)
    assert card.cube.sha256 not in str(caught.value)


def test_a_closed_port_is_no_network_either(bare_machine, content):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    card = make_card(content, f"http://127.0.0.1:{port}/image.npy")
    with pytest.raises(DownloadError, match=rf"127\.0\.0\.1:{port} does not answer"):
        fetch.locate(card, card.cube)


def test_a_proxy_counts_instead_of_the_host(server, content, monkeypatch):
    """Behind a proxy, names of the outside cannot be resolved, nor need they be."""
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("http_proxy", server.address.removeprefix("http://"))
    server.pages["http://data.invalid/image.npy"] = (200, content, None)
    card = make_card(content, "http://data.invalid/image.npy")
    assert fetch.locate(card, card.cube).read_bytes() == content


@pytest.mark.parametrize(
    "place", ["plain/image.npy", "image.npy", "elsewhere/image.npy", "elsewhere/picture.npy"]
)
def test_data_folder_goes_before_cache_and_network(
    tmp_path, bare_machine, content, monkeypatch, place
):
    monkeypatch.setenv("HSI_DATA", str(tmp_path / "data"))
    path = tmp_path / "data" / place
    cached = bare_machine / "plain" / "image.npy"
    for each in (path, cached):
        each.parent.mkdir(parents=True, exist_ok=True)
        each.write_bytes(content)
    card = make_card(content)
    assert fetch.locate(card, card.cube) == path
    path.unlink()
    assert fetch.locate(card, card.cube) == cached


def test_files_two_levels_down_are_not_searched_for(tmp_path, bare_machine, content, monkeypatch):
    monkeypatch.setenv("HSI_DATA", str(tmp_path))
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "image.npy").write_bytes(content)
    assert fetch.find_file(make_card(content), make_card(content).cube) is None


def test_a_file_in_the_data_folder_is_checked_too(tmp_path, bare_machine, content, monkeypatch):
    monkeypatch.setenv("HSI_DATA", str(tmp_path))
    (tmp_path / "image.npy").write_bytes(content + b"x")
    card = make_card(content)
    with pytest.raises(SceneError, match="is not the file that the card describes") as caught:
        fetch.locate(card, card.cube)
    message = str(caught.value)
    assert str(tmp_path / "image.npy") in message
    assert hashlib.sha256(content + b"x").hexdigest() in message
    assert card.cube.sha256 in message
    assert "--dataset PATH --labels PATH" in message
    # As it is, the file can still be used.
    (tmp_path / "image.npy").write_bytes(content)
    assert load_scene(tmp_path / "image.npy").shape == (3, 4, 5)


def test_a_data_folder_that_does_not_exist_is_mentioned(tmp_path, bare_machine, monkeypatch):
    monkeypatch.setenv("HSI_DATA", str(tmp_path / "typo"))
    card = make_card(b"")
    with pytest.raises(SceneError, match=r"typo.*does not exist"):
        fetch.locate(card, card.cube)


def test_a_file_is_hashed_once_until_it_changes(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    path.write_bytes(b"one")
    calls = []
    original = downloads.sum_of
    monkeypatch.setattr(downloads, "sum_of", lambda path: calls.append(path) or original(path))
    assert downloads.sha256(path) == downloads.sha256(path) == hashlib.sha256(b"one").hexdigest()
    assert len(calls) == 1
    path.write_bytes(b"other")
    assert downloads.sha256(path) == hashlib.sha256(b"other").hexdigest()
    assert len(calls) == 2


def test_words_for_errors_of_the_library():
    assert web.in_words(ChunkedEncodingError()) == "chunked encoding error"
