"""Damaged files: an error that names the file, or the scene; never anything else."""

import time

import h5py
import numpy as np
import pytest

from hsi.errors import HsiError, SceneError
from hsi.scenes import load_scene
from hsi.scenes.readers import hdf5_heaps

FLIPS = 150


@pytest.fixture(params=["prisma", "emit", "neon", "plain"])
def product_file(request, tmp_path, write_prisma, write_emit, write_neon):
    if request.param == "plain":
        with h5py.File(tmp_path / "plain.nc", "w") as file:
            values = np.random.default_rng(1).integers(0, 9999, (9, 8, 7), dtype=np.int16)
            file.create_dataset("cube", data=values, chunks=(2, 3, 4), compression="gzip")
        return tmp_path / "plain.nc"
    writers = {"prisma": write_prisma, "emit": write_emit, "neon": write_neon}
    return writers[request.param](tmp_path, chunks=(2, 3, 2)).path


def open_and_read(path):
    scene = load_scene(path)
    values = scene.cube[:]
    return scene.shape, values.dtype, scene.valid.shape, scene.composite()


def error_of(path):
    """Return the message with which a file is refused, None where it is read."""
    try:
        open_and_read(path)
    except HsiError as error:
        return str(error)
    return None


def test_cut_off_anywhere(product_file):
    whole = product_file.read_bytes()
    for number, keep in enumerate(np.linspace(1, len(whole) - 1, 40).astype(int)):
        path = product_file.with_name(f"cut{number}{product_file.suffix}")
        path.write_bytes(whole[:keep])
        with pytest.raises(SceneError, match=path.name) as caught:
            open_and_read(path)
        assert str(caught.value).count("\n") < 5


def test_altered_anywhere(product_file):
    """Half of the flips hit metadata, which come first and matter most."""
    whole = product_file.read_bytes()
    generator = np.random.default_rng(3)
    refused, longest = 0, 0.0
    for number in range(FLIPS):
        content = bytearray(whole)
        end = len(whole) if number % 2 else len(whole) // 4
        for place in generator.integers(0, end, 1 + number % 3):
            content[place] ^= 1 << generator.integers(8) if number % 5 else 0xFF
        # The library shares what it knows of a file that is still open; hence new names.
        path = product_file.with_name(f"altered{number}{product_file.suffix}")
        path.write_bytes(content)
        start = time.process_time()
        message = error_of(path)
        refused += message is not None
        assert message is None or path.name in message
        longest = max(longest, time.process_time() - start)
    assert 20 < refused < FLIPS
    assert longest < 10


def test_text_in_which_the_library_gets_lost(tmp_path, write_neon):
    """The library steps from a free object of 0 bytes to itself, and cannot be interrupted."""
    whole = write_neon(tmp_path).path.read_bytes()
    start = whole.index(b"GCOL")
    place = start + 16
    while whole[place : place + 2] != b"\0\0":
        size = int.from_bytes(whole[place + 8 : place + 16], "little")
        place += 16 + size + -size % 8
    assert place < start + int.from_bytes(whole[start + 8 : start + 16], "little")
    path = tmp_path / "lost.h5"
    path.write_bytes(whole[: place + 8] + bytes(8) + whole[place + 16 :])
    with pytest.raises(SceneError, match=r"lost\.h5 is damaged .*0 bytes among its texts"):
        load_scene(path)
    # The same, behind an image that is too large to be looked through.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hdf5_heaps, "_END_BYTES", len(whole) - start)
        path.write_bytes(bytes(4 * len(whole)) + path.read_bytes()[start:])
        with pytest.raises(SceneError, match="0 bytes among its texts"):
            hdf5_heaps.check_heaps(path)
