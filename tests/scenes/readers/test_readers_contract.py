"""Twins: one cube in every format gives the same scene."""

import numpy as np
import pytest
import rasterio
import scipy.io
import spectral.io.envi

from hsi.scenes import load_scene
from hsi.scenes.cube import row_blocks

ROWS, COLS, BANDS = 5, 7, 4
CENTRES = [450.5, 550.0, 640.0, 850.25]


def make_cube(dtype):
    values = np.random.default_rng(3).integers(0, 60000, (ROWS, COLS, BANDS))
    if np.dtype(dtype).kind == "f":
        cube = (values / 7).astype(dtype)
        cube[1, 2, 3] = np.nan
        cube[4, 0, 0] = -1.5
        return cube
    return (values - (30000 if np.dtype(dtype) == np.int16 else 0)).astype(dtype)


def make_labels():
    labels = np.zeros((ROWS, COLS), dtype=np.uint8)
    labels[0], labels[1, :3], labels[2:, 5] = 14, 1, 200
    return labels


def write_envi(interleave, byte_order):
    def write(folder, cube, labels):
        spectral.io.envi.save_image(
            str(folder / "scene.hdr"), cube, dtype=cube.dtype, interleave=interleave,
            byteorder=byte_order,
            metadata={"wavelength": CENTRES, "wavelength units": "Nanometers"},
        )  # fmt: skip
        spectral.io.envi.save_classification(
            str(folder / "truth.hdr"), labels, dtype=np.uint8, byteorder=byte_order
        )
        return folder / "scene.hdr", folder / "truth.hdr"

    return write


def write_v5(folder, cube, labels):
    path = folder / "scene.mat"
    scipy.io.savemat(path, {"cube": cube, "truth": labels, "note": "x"}, do_compression=True)
    return path, path


def write_npz(folder, cube, labels):
    path = folder / "scene.npz"
    np.savez_compressed(path, cube=cube, truth=labels)
    return path, path


def write_npy(order):
    def write(folder, cube, labels):
        np.save(folder / "scene.npy", np.asarray(cube, order=order))
        np.save(folder / "truth.npy", np.asarray(labels.astype(np.float64), order=order))
        return folder / "scene.npy", folder / "truth.npy"

    return write


def write_npy_big_endian(folder, cube, labels):
    np.save(folder / "scene.npy", cube.astype(cube.dtype.newbyteorder(">")))
    np.save(folder / "truth.npy", labels.astype(">i8"))
    return folder / "scene.npy", folder / "truth.npy"


def write_tiff(**layout):
    def write_one(path, bands):
        with rasterio.open(
            path, "w", driver="GTiff", height=ROWS, width=COLS, count=len(bands),
            dtype=bands.dtype, crs="EPSG:32633",
            transform=rasterio.transform.from_origin(366975, 5807085, 30, 30), **layout,
        ) as file:  # fmt: skip
            file.write(bands)
            for number, centre in zip(file.indexes, CENTRES, strict=False):
                file.update_tags(number, wavelength=centre, wavelength_units="Nanometers")
        return path

    def write(folder, cube, labels):
        return (
            write_one(folder / "scene.tif", cube.transpose(2, 0, 1)),
            write_one(folder / "truth.tif", labels[None]),
        )

    return write


TILES = {"tiled": True, "blockxsize": 16, "blockysize": 16}
TIFF = {
    "tiff-band": write_tiff(interleave="band"),
    "tiff-pixel": write_tiff(interleave="pixel"),
    "tiff-tiles": write_tiff(**TILES),
    "tiff-deflate": write_tiff(compress="deflate", interleave="pixel", **TILES),
    "tiff-zstd": write_tiff(compress="zstd"),
}
WRITERS = (
    {
        "v5": write_v5,
        "npz": write_npz,
        "npy-C": write_npy("C"),
        "npy-F": write_npy("F"),
        "npy-big-endian": write_npy_big_endian,
    }
    | {f"envi-{i}-{b}": write_envi(i, b) for i in ("bsq", "bil", "bip") for b in (0, 1)}
    | TIFF
)


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32", "float64"])
@pytest.mark.parametrize("form", [*WRITERS, "v7.3"])
def test_twins_load_equal(form, dtype, tmp_path, write_level_73):
    cube, labels = make_cube(dtype), make_labels()
    if form == "v7.3":
        path = truth = write_level_73(tmp_path / "scene.mat", {"cube": cube, "truth": labels})
    else:
        path, truth = WRITERS[form](tmp_path, cube, labels)

    scene = load_scene(path, labels=truth)

    assert scene.shape == (ROWS, COLS, BANDS)
    assert scene.cube.dtype.newbyteorder("=") == np.dtype(dtype)
    np.testing.assert_array_equal(scene.cube, cube)
    np.testing.assert_array_equal(scene.cube[labels == 14], cube[labels == 14])
    np.testing.assert_array_equal(scene.cube[1:3, ::2, 3], cube[1:3, ::2, 3])
    assert scene.labels.dtype == np.int32
    np.testing.assert_array_equal(scene.labels, labels)
    assert scene.class_ids.tolist() == [1, 14, 200]
    if form.startswith(("envi", "tiff")):
        np.testing.assert_array_equal(scene.wavelengths, CENTRES)
    else:
        assert scene.wavelengths is None
    assert (scene.grid is not None) == form.startswith("tiff")
    np.testing.assert_array_equal(scene.valid, np.isfinite(cube).all(axis=2))
    for rows, block in row_blocks(scene.cube, max_bytes=1):
        assert block.dtype == np.dtype(dtype)
        assert block.dtype.isnative
        np.testing.assert_array_equal(block, cube[rows])


@pytest.mark.parametrize("form", ["npy-C", "npy-F", "envi-bsq-0", "envi-bil-1", "envi-bip-0"])
def test_plain_files_are_mapped_not_read(form, tmp_path):
    path, _ = WRITERS[form](tmp_path, make_cube("float32"), make_labels())
    assert isinstance(load_scene(path).cube, np.memmap)


def test_source_loads_the_same_scene_again(tmp_path, monkeypatch):
    write_v5(tmp_path, make_cube("int16"), make_labels())
    monkeypatch.chdir(tmp_path)
    scene = load_scene("scene.mat", labels_key="truth")
    assert scene.source == {"dataset": str(tmp_path / "scene.mat"), "labels_key": "truth"}
    monkeypatch.chdir("/")
    again = load_scene(**scene.source)
    np.testing.assert_array_equal(again.cube, scene.cube)
    np.testing.assert_array_equal(again.labels, scene.labels)


def test_hdf5_without_a_user_block_is_a_mat_file_too(tmp_path):
    import h5py

    cube = make_cube("uint16")
    with h5py.File(tmp_path / "scene.mat", "w") as file:
        file["cube"] = cube.T
    np.testing.assert_array_equal(load_scene(tmp_path / "scene.mat").cube, cube)
