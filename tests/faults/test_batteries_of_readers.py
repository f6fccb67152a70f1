"""`hsi.testing.check_reader`: all own readers pass it, and broken ones are found."""

import textwrap
import tomllib
from pathlib import Path

import pytest

from hsi.contained import HELPER
from hsi.scenes import register_reader
from hsi.scenes.readers import READERS
from hsi.testing import CheckFailedError, check_reader

ROWS = tomllib.loads(Path(__file__).with_name("cases").joinpath("readers.toml").read_text())["case"]
IMAGES = {
    (row["valid"], row.get("opened", row["damaged"])): row
    for row in ROWS
    if row["read"] == "scene" and not {"labels", "dataset"} & row.get("options", {}).keys()
}


@pytest.mark.slow
@pytest.mark.parametrize("image", IMAGES, ids=" ".join)
def test_all_own_readers_pass(image, write_valid, counted, how_many):
    folder = write_valid(image[0])
    named = IMAGES[image].get("options", {})
    check_reader(folder / image[1], mutations=how_many(15, 500), **named)
    counted("extensions", "readers that pass their battery")


READER = """
    import time
    import numpy as np
    from hsi.errors import SceneError
    from hsi.scenes import Contents, LazyCube

    class Cube(LazyCube):
        def __init__(self, array):
            super().__init__(array.shape, array.dtype)
            self.array = array

        def read(self, rows, cols, bands):
            return self.array[rows, cols][..., bands]

    def read(path, *, key, purpose):
        content = path.read_bytes()
        if len(content) < 4 or content[0] != 77:
            raise SceneError(f"{path} is no such file")
        rows, cols, bands = content[1:4]
        if 0 in (rows, cols, bands) or len(content) != 4 + rows * cols * bands:
            raise SceneError(f"{path} is damaged: {len(content)} bytes")
        array = np.frombuffer(content[4:], dtype=np.uint8).reshape(rows, cols, bands)
        return Contents(array=Cube(array), wavelengths=np.linspace(400, 900, bands))
"""
BROKEN = {
    # what is replaced, by what, and the promise that is broken
    "text": ("array=Cube(array)", "array=Cube(array.astype(str))", "the file becomes a cube"),
    "micrometres": ("linspace(400, 900", "linspace(0.4, 0.9", "what is known of bands"),
    "flipped": ("self.array[rows, cols]", "self.array[rows, cols][::-1]", "a part is that part"),
    "draws": ("self.array[rows, cols][..., bands]",
              "np.random.randint(0, 9, self.array.shape).astype('u1')[rows, cols][..., bands]",
              "a part is that part"),
    "writes": ("content = path.read_bytes()",
               "content = path.read_bytes(); path.with_suffix('.index').write_text('')",
               "nothing on disk is changed"),
    "other": ("raise SceneError(f\"{path} is damaged", "raise ValueError(f\"{path} is damaged",
              "a file that is cut off"),
    "unchecked": (" or len(content) != 4 + rows * cols * bands", "", "a file that is cut off"),
    "nameless": ("{path} is damaged", "damaged", "a file that is cut off"),
    "crashes": ("if 0 in (rows", "if content[4:9] != bytes(range(5)): __import__('os').abort()"
                "\n        if 0 in (rows", None),
}  # fmt: skip


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Return a function that registers a reader and returns a file of its kind."""
    monkeypatch.setattr("hsi.scenes.readers.registry.READERS", dict(READERS))
    monkeypatch.syspath_prepend(tmp_path)

    def make(name, source):
        (tmp_path / f"{name}_reader.py").write_text(textwrap.dedent(source))
        HELPER.close()  # the next one knows the folder
        module = __import__(f"{name}_reader")
        register_reader(".own", module.read)
        path = tmp_path / "files" / "scene.own"
        path.parent.mkdir()
        path.write_bytes(bytes([77, 5, 6, 7, *(n % 256 for n in range(5 * 6 * 7))]))
        return path

    return make


def test_a_reader_of_ones_own_passes(made):
    check_reader(made("whole", READER), mutations=100)


@pytest.mark.parametrize("name", BROKEN)
def test_readers_that_break_a_promise(made, counted, name):
    old, new, promise = BROKEN[name]
    assert old in READER
    path = made(name, READER.replace(old, new))
    if promise is None:  # a crash is contained, and so no broken promise
        check_reader(path, mutations=20)
        return
    with pytest.raises(CheckFailedError) as failed:
        check_reader(path, mutations=100)
    assert str(failed.value).startswith("the reader of scene.own breaks a promise: " + promise)
    counted("extensions", "broken networks, blocks and readers that are found")
