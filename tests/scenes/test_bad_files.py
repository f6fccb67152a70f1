"""Files that are not what they should be: one clear error each, and no other exception."""

import pickle
import struct
import zipfile
import zlib

import numpy as np
import pytest
import scipy.io

from hsi.errors import SceneError, UsageError
from hsi.scenes import load_scene
from hsi.scenes.readers import read_file
from hsi.scenes.readers.matlab_elements import check_numbers

CUBE = np.arange(3 * 4 * 500, dtype=np.int16).reshape(3, 4, 500)


def test_neither_name_nor_file():
    with pytest.raises(UsageError, match=r"did you mean 'salinas_a'\?\n.*synthetic\n.*file"):
        load_scene("salinas_aa")
    with pytest.raises(UsageError, match=r"there is no file .*image\.mat"):
        load_scene("image.mat")


def test_missing_labels(tmp_path):
    np.save(tmp_path / "cube.npy", CUBE)
    with pytest.raises(SceneError, match=r"truth\.npy does not exist"):
        load_scene(tmp_path / "cube.npy", labels=tmp_path / "truth.npy")


@pytest.mark.parametrize("suffix", [".mat", ".npy", ".npz", ".hdr"])
def test_empty_file(tmp_path, suffix):
    (tmp_path / f"cube{suffix}").touch()
    with pytest.raises(SceneError, match="empty"):
        load_scene(tmp_path / f"cube{suffix}")


@pytest.mark.parametrize("start", [b"\n<!DOCTYPE html>\n<html>", b"<HTML><head>"])
@pytest.mark.parametrize("suffix", [".mat", ".npy", ".npz", ".hdr"])
def test_web_page(tmp_path, suffix, start):
    (tmp_path / f"cube{suffix}").write_bytes(start + b"<title>404</title>" * 50)
    with pytest.raises(SceneError, match="web page"):
        load_scene(tmp_path / f"cube{suffix}")


@pytest.mark.parametrize("suffix", [".mat", ".npy", ".npz", ".hdr"])
def test_something_else_under_that_name(tmp_path, suffix):
    (tmp_path / f"cube{suffix}").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(SceneError, match=f"cube{suffix}"):
        load_scene(tmp_path / f"cube{suffix}")


def write_v5(path, *, compress):
    scipy.io.savemat(path, {"cube": CUBE}, do_compression=compress)


FORMS = {
    "v5.mat": lambda path, _: write_v5(path, compress=False),
    "v5z.mat": lambda path, _: write_v5(path, compress=True),
    "v73.mat": lambda path, write: write(path, {"cube": CUBE}),
    "c.npy": lambda path, _: np.save(path, CUBE),
    "c.npz": lambda path, _: np.savez(path, cube=CUBE),
    "cz.npz": lambda path, _: np.savez_compressed(path, cube=CUBE),
}


@pytest.mark.parametrize("name", FORMS)
def test_cut_off_anywhere(tmp_path, name, write_level_73):
    path = tmp_path / name
    FORMS[name](path, write_level_73)
    whole = path.read_bytes()
    for keep in np.linspace(1, len(whole) - 1, 25).astype(int):
        path.write_bytes(whole[:keep])
        with pytest.raises(SceneError, match=name) as caught:
            load_scene(path)
        assert str(caught.value).count("\n") < 5


@pytest.mark.parametrize("name", ["v5z.mat", "cz.npz"])
def test_altered_anywhere(tmp_path, name):
    """A flipped byte gives the scene or a SceneError, never something else."""
    path = tmp_path / name
    FORMS[name](path, None)
    whole = path.read_bytes()
    refused = 0
    for place in np.linspace(0, len(whole) - 1, 60).astype(int):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            load_scene(path)
        except (SceneError, UsageError):
            refused += 1
    assert refused > 30


@pytest.mark.parametrize(
    "header", ["{'descr': '<f8', 'shape': (3,", "{1: 2, 'a': 3, b'c': 4}", "x"]
)
def test_header_of_an_array_that_is_no_header(tmp_path, header):
    start = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    (tmp_path / "a.npy").write_bytes(start + bytes(480))
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", start + bytes(480))
    for name in ("a.npy", "a.npz"):
        with pytest.raises(SceneError, match=name):
            load_scene(tmp_path / name)


def test_matlab_level_4(tmp_path):
    scipy.io.savemat(tmp_path / "old.mat", {"a": np.ones((3, 3))}, format="4")
    with pytest.raises(SceneError, match=r"(?s)level 4.*save -v7"):
        load_scene(tmp_path / "old.mat")


class Bomb:
    """Raises when it is unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


def test_pickles_are_never_opened(tmp_path):
    objects = np.array([Bomb()], dtype=object)
    np.save(tmp_path / "a.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "a.npz", a=objects)
    (tmp_path / "b.npy").write_bytes(pickle.dumps(Bomb()))
    (tmp_path / "b.npz").write_bytes(pickle.dumps(Bomb()))
    for name in ("a.npy", "a.npz", "b.npy", "b.npz"):
        with pytest.raises(SceneError, match=name):
            load_scene(tmp_path / name)
    with pytest.raises(SceneError, match="objects"):
        load_scene(tmp_path / "a.npz", key="a")


def test_unsupported_suffix_lists_the_supported_ones(tmp_path):
    (tmp_path / "image.jpg").write_bytes(b"\xff\xd8")
    with pytest.raises(SceneError, match=r"(?s)\.jpg.*\.mat, \.npy, \.npz, ENVI"):
        load_scene(tmp_path / "image.jpg")


def test_folder(tmp_path):
    with pytest.raises(SceneError, match="is a folder"):
        load_scene(tmp_path)


def test_image_with_two_axes_says_what_it_is(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"Y": np.ones((156, 9025)), "n": 95})
    np.save(tmp_path / "a.npy", np.ones((156, 9025)))
    for name in ("a.mat", "a.npy"):
        with pytest.raises(SceneError, match=r"(?s)cube: three axes.*156 x 9025"):
            load_scene(tmp_path / name)
    with pytest.raises(SceneError, match=r"2 axes \(156, 9025\)"):
        load_scene(tmp_path / "a.mat", key="Y")


def test_complex_cube(tmp_path, write_level_73):
    scipy.io.savemat(tmp_path / "a.mat", {"a": np.ones((3, 4, 5)) * 1j})
    np.save(tmp_path / "a.npy", np.ones((3, 4, 5)) * 1j)
    for name in ("a.mat", "a.npy"):
        with pytest.raises(SceneError, match="complex"):
            load_scene(tmp_path / name)


def several(folder, write_level_73):
    arrays = {"first": CUBE, "second": CUBE[:, :, :9], "gt": np.ones((3, 4))}
    scipy.io.savemat(folder / "a.mat", arrays)
    np.savez(folder / "a.npz", **arrays)
    write_level_73(folder / "b.mat", arrays)
    return [folder / name for name in ("a.mat", "a.npz", "b.mat")]


def test_several_cubes_ask_for_a_key(tmp_path, write_level_73):
    for path in several(tmp_path, write_level_73):
        with pytest.raises(UsageError, match=r"(?s)first.*3 x 4 x 500.*second.*3 x 4 x 9.*--key"):
            load_scene(path)
        np.testing.assert_array_equal(load_scene(path, key="second").cube, CUBE[:, :, :9])
        with pytest.raises(UsageError, match="did you mean 'second'"):
            load_scene(path, key="secnd")


def test_a_type_that_the_array_will_not_have_is_not_told(tmp_path):
    """MATLAB saves doubles as the smallest integers that hold them, and SciPy reads these."""
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"cube": np.ones((3, 4, 5), np.int16), "t": "text"})
    # The class in the array's header, which is uncompressed: 10 is int16, 6 is double.
    content = path.read_bytes()
    place = content.index(b"\x0a\x00\x00\x00\x00\x00\x00\x00", 128)
    path.write_bytes(content[:place] + b"\x06" + content[place + 1 :])
    assert scipy.io.whosmat(path)[0] == ("cube", (3, 4, 5), "double")
    assert load_scene(path).cube.dtype == np.int16
    with pytest.raises(UsageError, match=r"holds 'cube' \(3 x 4 x 5\), 't' \(1 char\)"):
        load_scene(path, key="zzz")


def test_arrays_beside_a_cube_that_could_be_its_labels_are_known(tmp_path, write_level_73):
    arrays = {
        "cube": CUBE, "gt": np.ones((3, 4)), "flat": np.ones((1, 3, 4)), "centres": np.ones((1, 5)),
        "transposed": np.ones((4, 3)), "other": np.ones((3, 5)), "number": np.ones((1, 1)),
    }  # fmt: skip
    scipy.io.savemat(tmp_path / "a.mat", arrays)
    np.savez(tmp_path / "a.npz", **arrays)
    write_level_73(tmp_path / "b.mat", arrays)
    for name in ("a.mat", "a.npz", "b.mat"):
        scene = load_scene(tmp_path / name, key="cube")
        assert set(scene.metadata["label_arrays"]) == {"gt", "flat", "transposed"}, name
        scene = load_scene(tmp_path / name, key="cube", labels_key="gt")
        assert "label_arrays" not in scene.metadata


def test_several_label_arrays_ask_for_a_key(tmp_path):
    np.savez(tmp_path / "a.npz", cube=CUBE, train=np.ones((3, 4)), test=np.ones((3, 4)))
    with pytest.raises(UsageError, match=r"(?s)train.*test.*--labels-key"):
        load_scene(tmp_path / "a.npz", labels=tmp_path / "a.npz")
    scene = load_scene(tmp_path / "a.npz", labels=tmp_path / "a.npz", labels_key="test")
    assert scene.labels.sum() == 12


def test_a_structure_is_no_array(tmp_path, write_level_73):
    import h5py

    scipy.io.savemat(tmp_path / "a.mat", {"s": {"x": 1.0}, "t": "text"})
    with h5py.File(tmp_path / "b.mat", "w", userblock_size=512) as file:
        file["s/x"] = 1.0
    for name in ("a.mat", "b.mat"):
        with pytest.raises(SceneError, match=r"'s'.*struct"):
            load_scene(tmp_path / name)
        with pytest.raises(SceneError, match=r"'s' in .* is struct; expected numbers"):
            load_scene(tmp_path / name, key="s")


def test_archive_without_arrays(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("readme.txt", "nothing here")
    with pytest.raises(SceneError, match="no array at all"):
        read_file(tmp_path / "a.npz", key=None, purpose="cube")


def test_all_bands_empty(tmp_path):
    np.save(tmp_path / "a.npy", np.full((3, 4, 5), np.nan))
    with pytest.raises(SceneError, match="no pixel of any band holds a value"):
        load_scene(tmp_path / "a.npy")


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("kind", [0, 8, 14, 19, 48644, 2**24 + 3])
def test_a_type_that_there_is_not(tmp_path, compress, kind):
    """SciPy looks such a type up beyond the end of its table, which ends the process."""
    write_v5(tmp_path / "cube.mat", compress=False)
    content = (tmp_path / "cube.mat").read_bytes()
    values = struct.pack("<II", 3, CUBE.nbytes)
    assert content.count(values) == 1
    content = content.replace(values, struct.pack("<II", kind, CUBE.nbytes))
    if compress:
        packed = zlib.compress(content[128:])
        content = content[:128] + struct.pack("<II", 15, len(packed)) + packed
    (tmp_path / "cube.mat").write_bytes(content)
    with pytest.raises(SceneError, match=r"cube\.mat is damaged"):
        load_scene(tmp_path / "cube.mat")


@pytest.mark.parametrize("compress", [False, True])
def test_the_imaginary_part_is_looked_at_as_well(tmp_path, compress):
    array = np.ones((3, 4, 500)) * (1 + 2j)
    scipy.io.savemat(tmp_path / "cube.mat", {"a": CUBE, "cube": array}, do_compression=compress)
    check_numbers(tmp_path / "cube.mat", "cube")
    scipy.io.savemat(tmp_path / "cube.mat", {"cube": array})
    content = (tmp_path / "cube.mat").read_bytes()
    at = content.rindex(struct.pack("<II", 9, 8 * array.size))
    content = content[:at] + b"\x30" + content[at + 1 :]
    if compress:
        packed = zlib.compress(content[128:])
        content = content[:128] + struct.pack("<II", 15, len(packed)) + packed
    (tmp_path / "cube.mat").write_bytes(content)
    with pytest.raises(ValueError, match="an array of type 48"):
        check_numbers(tmp_path / "cube.mat", "cube")


@pytest.mark.parametrize("shape", [(1, 1, 2), (2, 1, 3), (5, 3, 2)])
@pytest.mark.parametrize("dtype", ["u1", "i2", "f4", "f8", "u8"])
def test_small_arrays_are_within_their_tag(tmp_path, shape, dtype):
    array = np.arange(np.prod(shape), dtype=dtype).reshape(shape)
    scipy.io.savemat(tmp_path / "cube.mat", {"cube": array})
    assert np.array_equal(load_scene(tmp_path / "cube.mat").cube, array)


@pytest.mark.parametrize("keep", [1, 20, 124, 126, 127, 128, 130])
def test_a_matlab_file_cut_within_its_header(tmp_path, keep):
    write_v5(tmp_path / "cube.mat", compress=False)
    (tmp_path / "cube.mat").write_bytes((tmp_path / "cube.mat").read_bytes()[:keep])
    with pytest.raises(SceneError, match=r"cube\.mat"):
        load_scene(tmp_path / "cube.mat")
