"""Class maps as TIFF, read by Pillow and by a reader of its own that knows the format alone."""

import json
import struct
import zlib

import matplotlib.image
import numpy as np
import pytest
from PIL import Image

from hsi.errors import UsageError
from hsi.report import write_class_map_tif

COLORS = {1: (255, 0, 10), 7: (1, 2, 3), 255: (0, 255, 0)}


def read_tiff(data):
    """Return the tags of a little-endian TIFF and its single-sample, deflated pixels."""
    assert data[:4] == b"II*\0"
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    tags = {}
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack_from("<HHI", data, entry)
        code = {1: "B", 2: "s", 3: "H", 4: "I", 5: "II"}[kind]
        layout = f"<{number}s" if code == "s" else "<" + code * number
        at = entry + 8
        if struct.calcsize(layout) > 4:
            (at,) = struct.unpack_from("<I", data, at)
        tags[tag] = struct.unpack_from(layout, data, at)
    assert tags[259] == (8,)  # Adobe deflate
    assert tags.get(317, (1,)) == (1,)  # no predictor
    assert tags.get(277, (1,)) == (1,)
    strips = zip(tags[273], tags[279], strict=True)
    pixels = b"".join(zlib.decompress(data[at : at + size]) for at, size in strips)
    shape = (tags[257][0], tags[256][0])
    return tags, np.frombuffer(pixels, dtype=f"<u{tags[258][0] // 8}").reshape(shape)


def class_map(highest):
    ids = np.random.default_rng(5).integers(0, highest + 1, (211, 97), dtype=np.int32)
    ids[-1, -1] = highest
    return ids


@pytest.mark.parametrize("highest", [0, 1, 16, 255, 256, 65535, 65536, 2**31 - 1])
def test_ids_come_back_exactly(highest, tmp_path):
    path, ids = tmp_path / "map.tif", class_map(highest)
    write_class_map_tif(path, ids, names={}, colors=COLORS)
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image), ids)
        assert image.mode == ("P" if highest < 256 else "I;16" if highest < 65536 else "I")
    np.testing.assert_array_equal(read_tiff(path.read_bytes())[1], ids)


def test_viewers_see_the_colours_of_the_classes(tmp_path):
    path = tmp_path / "map.tif"
    write_class_map_tif(path, np.array([[0, 1], [7, 255]]), names={}, colors=COLORS)
    expected = np.array([[(0, 0, 0), COLORS[1]], [COLORS[7], COLORS[255]]])
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), expected)
    np.testing.assert_array_equal(matplotlib.image.imread(path)[..., :3], expected)
    # The tag ColorMap has 16 bits: all reds, all greens, all blues.
    palette = np.array(read_tiff(path.read_bytes())[0][320]).reshape(3, 256).T // 256
    np.testing.assert_array_equal(palette[[0, 1, 7, 255]], expected.reshape(4, 3))


def test_names_travel_with_the_map(tmp_path):
    path = tmp_path / "map.tif"
    names = {10: "Wiese", 2: 'Röhricht, "feucht"', 300: "水"}
    write_class_map_tif(path, np.array([[2]]), names=names, colors=COLORS)
    (description,) = read_tiff(path.read_bytes())[0][270]
    assert {int(k): v for k, v in json.loads(description.rstrip(b"\0")).items()} == names
    with Image.open(path) as image:
        assert json.loads(image.tag_v2[270])["10"] == "Wiese"


def test_the_same_map_gives_the_same_bytes(tmp_path):
    for name in ("a.tif", "b.tif"):
        write_class_map_tif(tmp_path / name, class_map(16), names={1: "a"}, colors=COLORS)
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (np.array([[1, -1]]), "-1"),
        (np.array([[1.0]]), "float64"),
        (np.zeros((2, 2, 3), int), r"\(2, 2, 3\)"),
        (np.zeros((0, 3), int), r"\(0, 3\)"),
        (np.array([[2**31]]), str(2**31)),
    ],
)
def test_what_is_no_class_map_is_refused(ids, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        write_class_map_tif(tmp_path / "map.tif", ids, names={}, colors={})
    assert not list(tmp_path.iterdir())
