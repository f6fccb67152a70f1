"""Many photographs as one array, and what makes two of them equal."""

import numpy as np
import pytest
from PIL import Image

from hsi.photographs import decode_all


@pytest.fixture
def paths(tmp_path):
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (3, 30, 40, 3), dtype=np.uint8)
    image = Image.fromarray(pixels[0])
    image.save(tmp_path / "a.png")
    image.save(tmp_path / "a copy.bmp")
    image.save(tmp_path / "a again.jpg")
    (tmp_path / "b.png").write_bytes(b"nothing")
    Image.fromarray(pixels[1]).save(tmp_path / "c.png")
    # The same bytes in another shape are another photograph.
    Image.fromarray(pixels[1].reshape(40, 30, 3)).save(tmp_path / "d.png")
    names = ("a.png", "a copy.bmp", "a again.jpg", "b.png", "c.png", "d.png")
    return [tmp_path / name for name in names]


@pytest.mark.parametrize("on_disk", [False, True])
def test_all_that_can_be_read(paths, tmp_path, on_disk):
    told = []
    decoded = decode_all(
        paths, side=8, folder=tmp_path if on_disk else None, progress=lambda *a: told.append(a)
    )
    assert np.array_equal(decoded.places, [0, 1, 2, 4, 5])
    assert decoded.images.shape == (5, 8, 8, 3)
    assert np.array_equal(decoded.images[0], decoded.images[1])
    assert not np.array_equal(decoded.images[0], decoded.images[3])
    assert (decoded.shorter_sides == 30).all()
    (skipped,) = decoded.unreadable
    assert skipped.path == paths[3]
    assert skipped.reason == "it is no photograph, or its beginning is damaged"
    assert told[-1] == (6, 6)
    # The file has no name, or goes with its last reader.
    assert len(list(tmp_path.iterdir())) == 6


def test_on_disk_and_in_memory_are_the_same(paths, tmp_path):
    one, other = decode_all(paths, side=9), decode_all(paths, side=9, folder=tmp_path)
    assert np.array_equal(one.images, other.images)
    assert one.hashes == other.hashes


def test_a_hash_is_that_of_the_pixels(paths):
    png, bmp, jpg, _c, _d = decode_all(paths, side=8).hashes
    assert png == bmp
    assert png != jpg
    assert _c != _d


def test_pillows_warnings_do_not_end_it(paths, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # pixels: 1200, below twice that
    assert len(decode_all(paths, side=8).hashes) == 5


def test_nothing_is_readable(paths, tmp_path):
    decoded = decode_all(paths[3:4], side=8, folder=tmp_path)
    assert decoded.images.shape == (0, 8, 8, 3)
    assert len(decoded.unreadable) == 1


def test_a_photograph_that_makes_the_decoder_crash_is_unreadable(
    tmp_path, monkeypatch, photographs
):
    (tmp_path / "crashing_decoder.py").write_text(
        "import os\nfrom hsi.photographs import store\nread = store._read\n\n"
        "def crashing(path, *, side):\n"
        "    return os.abort() if path.name == '003.png' else read(path, side=side)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import crashing_decoder

    monkeypatch.setattr("hsi.photographs.store._read", crashing_decoder.crashing)
    paths = sorted((photographs / "train" / "moss").glob("*.png"))
    decoded = decode_all(paths, side=16)
    assert [each.path for each in decoded.unreadable] == [paths[3]]
    assert decoded.unreadable[0].reason == "it crashed (SIGABRT) while decoding it"
    assert decoded.places.tolist() == [place for place in range(20) if place != 3]
