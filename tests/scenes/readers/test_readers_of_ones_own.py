"""Readers that users add: their files open like any others."""

import os
import textwrap

import numpy as np
import pytest

import hsi
from hsi.contained import HELPER
from hsi.errors import SceneError, UsageError
from hsi.scenes import Contents, register_reader
from hsi.scenes.readers import READERS

PLAIN = """
    import os
    import numpy as np
    from hsi.errors import SceneError
    from hsi.scenes import Contents

    def read_plain(path, *, key, purpose):
        content = path.read_bytes()
        rows, cols, bands = content[:3]
        if len(content) != 3 + rows * cols * bands:
            raise SceneError(f"{path} is damaged: {len(content)} bytes")
        array = np.frombuffer(content[3:], dtype=np.uint8).reshape(rows, cols, bands)
        return Contents(array=array, metadata={"process": os.getpid()})
"""


@pytest.fixture
def plain(tmp_path, monkeypatch):
    (tmp_path / "plain_reader.py").write_text(textwrap.dedent(PLAIN))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("hsi.scenes.readers.registry.READERS", dict(READERS))
    HELPER.close()  # the next one knows the folder
    import plain_reader

    return plain_reader.read_plain


@pytest.fixture
def file(tmp_path):
    (tmp_path / "a.plain").write_bytes(bytes([3, 4, 5, *range(60)]))
    return tmp_path / "a.plain"


def test_its_files_open_in_a_process_of_their_own(plain, file):
    register_reader(".plain", plain)
    scene = hsi.load_scene(file)
    assert np.array_equal(scene.cube, np.arange(60).reshape(3, 4, 5))
    assert scene.metadata["process"] == HELPER.call(os.getpid, seconds=60)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(SceneError, match="is damaged"):
        hsi.load_scene(file)


def test_what_a_program_defines_itself_is_called_there(plain, file, monkeypatch):
    def read(path, *, key, purpose):
        return Contents(array=np.ones((3, 4, 5)) * np.arange(5))

    read.__module__ = "__main__"
    register_reader(".plain", read)
    assert hsi.load_scene(file).shape == (3, 4, 5)


@pytest.mark.parametrize("suffix", ["plain", ".", ".a b", "", None, 3])
def test_what_is_no_suffix(plain, suffix):
    with pytest.raises(UsageError, match=r"such as .\.spe."):
        register_reader(suffix, plain)


@pytest.mark.parametrize("suffix", [".tif", ".MAT", ".gpkg", ".toml", ".csv"])
def test_what_is_taken(plain, suffix):
    with pytest.raises(UsageError, match="read already"):
        register_reader(suffix, plain)
