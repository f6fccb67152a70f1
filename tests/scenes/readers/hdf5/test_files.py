"""HDF5 files that are no product, and those that point or claim beyond themselves."""

import h5py
import numpy as np
import pytest

from hsi.errors import SceneError, UsageError
from hsi.scenes import load_scene
from hsi.scenes.readers import hdf5_access

CUBE = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
CLASSES = np.arange(20, dtype=np.uint8).reshape(4, 5) % 4


def test_the_only_cube_of_a_file_needs_no_name(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["deep/down/image"] = CUBE
        file["deep/down/classes"] = CLASSES
        file["deep/down/wavelengths"] = np.linspace(0.4, 2.4, 6)
        file["deep/note"] = "text"
    scene = load_scene(tmp_path / "a.h5")
    np.testing.assert_array_equal(scene.cube[:], CUBE)
    np.testing.assert_allclose(scene.wavelengths, [400, 800, 1200, 1600, 2000, 2400])
    assert scene.metadata["label_arrays"] == ["deep/down/classes"]
    scene = load_scene(tmp_path / "a.h5", labels_key="deep/down/classes")
    np.testing.assert_array_equal(scene.labels, CLASSES)
    np.testing.assert_array_equal(scene.cube[CLASSES == 3], CUBE[CLASSES == 3])


def test_units_missing_values_and_scale_of_netcdf(tmp_path):
    with h5py.File(tmp_path / "a.nc", "w") as file:
        item = file.create_dataset("refl", data=CUBE.astype(">i2"))
        item.attrs["_FillValue"] = np.int16([7])
        item.attrs["scale_factor"], item.attrs["add_offset"] = 0.5, np.float32(-1)
        file["wavelength"] = np.arange(6) + 1.0
        file["wavelength"].attrs["units"] = "um"
    scene = load_scene(tmp_path / "a.nc")
    expected = CUBE * 0.5 - 1
    expected[CUBE == 7] = np.nan
    np.testing.assert_array_equal(scene.cube[:], expected)
    assert scene.wavelengths.tolist() == [1000, 2000, 3000, 4000, 5000, 6000]
    assert scene.valid.sum() == 19


def test_several_cubes_ask_for_a_key(tmp_path):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["one"], file["group/two"] = CUBE, CUBE[:, :, :2] + 1
    with pytest.raises(UsageError, match=r"(?s)group/two.*4 x 5 x 2 int16.*one.*--key"):
        load_scene(tmp_path / "a.hdf5")
    scene = load_scene(tmp_path / "a.hdf5", key="group/two")
    np.testing.assert_array_equal(scene.cube[:], CUBE[:, :, :2] + 1)
    with pytest.raises(UsageError, match="did you mean 'group/two'"):
        load_scene(tmp_path / "a.hdf5", key="group/too")


def test_nothing_that_could_be_a_cube(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["flat"], file["words"], file["pairs"] = CUBE[0], "x", CUBE * 1j
    with pytest.raises(SceneError, match=r"(?s)three axes.*flat.*5 x 6"):
        load_scene(tmp_path / "a.h5")
    with pytest.raises(SceneError, match=r"'pairs' .* is complex128; expected numbers"):
        load_scene(tmp_path / "a.h5", key="pairs")
    with pytest.raises(SceneError, match=r"int16 of shape \(5, 6\); expected numbers along 3 axes"):
        load_scene(tmp_path / "a.h5", key="flat")


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"\x0e\x03\x13\x01", r"is HDF4; convert"),
        (b"CDF\x01", r"NetCDF of an older kind"),
        (b"\x89HDF\r\n", r"no HDF5 or NetCDF-4 file"),
    ],
)
def test_other_formats_of_that_name(tmp_path, start, message):
    (tmp_path / "a.hdf").write_bytes(start + bytes(600))
    with pytest.raises(SceneError, match=message):
        load_scene(tmp_path / "a.hdf")


def write_secret(folder):
    """Write data outside of the file that is opened."""
    np.arange(120, dtype="<i2").tofile(folder / "secret.bin")
    with h5py.File(folder / "secret.h5", "w") as file:
        file["cube"] = CUBE
    return folder / "secret.h5"


def external_link(file, name, folder):
    file[name] = h5py.ExternalLink(folder / "secret.h5", "/cube")


def soft_link(file, name, folder):
    file["elsewhere"] = h5py.ExternalLink(folder / "secret.h5", "/cube")
    file[name] = h5py.SoftLink("/elsewhere")


def external_storage(file, name, folder):
    storage = [(str(folder / "secret.bin"), 0, h5py.h5f.UNLIMITED)]
    file.create_dataset(name, (4, 5, 6), "<i2", external=storage)


def virtual(file, name, folder):
    layout = h5py.VirtualLayout((4, 5, 6), "<i2")
    layout[:] = h5py.VirtualSource(folder / "secret.h5", "cube", (4, 5, 6))
    file.create_virtual_dataset(name, layout)


WAYS_OUT = [external_link, soft_link, external_storage, virtual]
CUBES = {
    "plain.h5": "cube",
    "matlab.mat": "cube",
    "prisma": "HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields/SWIR_Cube",
    "emit": "reflectance",
    "table": "location/glt_y",
    "neon": "SERC/Reflectance/Reflectance_Data",
    "centres": "SERC/Reflectance/Metadata/Spectral_Data/Wavelength",
}


@pytest.mark.parametrize("way", WAYS_OUT, ids=lambda way: way.__name__)
@pytest.mark.parametrize("kind", CUBES)
def test_nothing_outside_of_a_file_is_read(
    tmp_path, kind, way, write_prisma, write_emit, write_neon, counted
):
    secret, name, writers = write_secret(tmp_path), CUBES[kind], {}
    writers = {"prisma": write_prisma, "emit": write_emit, "table": write_emit}
    path = tmp_path / kind
    if "." not in kind:
        path = writers.get(kind, write_neon)(tmp_path).path
    with h5py.File(path, "a") as file:
        if name in file:
            del file[name]
        way(file, name, tmp_path)
        if kind == "plain.h5" and way is not soft_link:
            np.testing.assert_array_equal(file[name][:], CUBE)  # it does lead there
    opened = secret.stat().st_atime_ns
    with pytest.raises(SceneError, match=r"link to|stored in other files"):
        load_scene(path)
    assert secret.stat().st_atime_ns == opened
    counted("hostile files", "files made to do harm")


def test_a_link_that_nobody_asks_for_does_no_harm(tmp_path):
    write_secret(tmp_path)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cube"] = CUBE
        file["other"] = h5py.ExternalLink(tmp_path / "secret.h5", "/cube")
        file["same"] = h5py.SoftLink("/cube")
        file["loop/back"] = file["/"]
    np.testing.assert_array_equal(load_scene(tmp_path / "a.h5").cube[:], CUBE)
    with pytest.raises(SceneError, match=r"'other' .* is a link to another file, .*secret\.h5"):
        load_scene(tmp_path / "a.h5", key="other")
    with pytest.raises(SceneError, match=r"'same' .* is a link to /cube"):
        load_scene(tmp_path / "a.h5", key="same")


@pytest.mark.parametrize("kind", ["plain.h5", "matlab.mat", "emit", "table", "neon", "labels.h5"])
def test_claims_that_a_file_cannot_hold_are_refused(
    tmp_path, kind, write_emit, write_neon, counted
):
    path, labels = tmp_path / kind, kind == "labels.h5"
    if "." not in kind:
        path = (write_neon if kind == "neon" else write_emit)(tmp_path).path
    name = "cube" if labels else CUBES[kind]
    with h5py.File(path, "a") as file:
        if name in file:
            del file[name]
        shape = (10**6, 10**6) if kind in ("table", "labels.h5") else (10**5, 10**5, 400)
        file.create_dataset(name, shape, np.int32, chunks=tuple(min(n, 100) for n in shape))
        if labels:
            file["image"] = CUBE
    with pytest.raises(SceneError, match=r"claims [\d,]{15,} bytes in a file of"):
        load_scene(path, labels_key="cube" if labels else None)
    counted("hostile files", "files made to do harm")


def test_names_that_are_not_in_utf_8_do_no_harm(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cube"], file["caf_/other"], file["caf_"].attrs["x"] = CUBE, CUBE, 1
    content = (tmp_path / "a.h5").read_bytes().replace(b"caf_", b"caf\xe9")
    (tmp_path / "b.h5").write_bytes(content)
    np.testing.assert_array_equal(load_scene(tmp_path / "b.h5").cube[:], CUBE)


def test_long_settings_and_endless_lists_are_refused(
    tmp_path, write_neon, monkeypatch, in_this_process
):
    monkeypatch.setattr(hdf5_access, "_MOST_OBJECTS", 100)
    with h5py.File(tmp_path / "many.h5", "w", libver="latest") as file:
        group = file.create_group("group")
        empty = file.create_dataset("cube", data=CUBE)
        for number in range(101):
            group[str(number)] = empty
    with pytest.raises(SceneError, match=r"more than 100 objects"):
        load_scene(tmp_path / "many.h5")
    path = write_neon(tmp_path).path
    with h5py.File(path, "r+", libver="latest") as file:
        del file["SERC/Reflectance/Metadata/Spectral_Data/FWHM"]
        file["SERC/Reflectance/Metadata/Spectral_Data/FWHM"] = np.zeros(2**18)
    with pytest.raises(SceneError, match=r"'Spectral_Data/FWHM' .* is too long"):
        load_scene(path)
    with h5py.File(tmp_path / "a.h5", "w", libver="latest") as file:
        file.create_dataset("cube", data=CUBE, track_order=True)
        file["cube"].attrs["scale_factor"] = np.ones(2**18)
    with pytest.raises(SceneError, match=r"'scale_factor' in .*a\.h5 is too long"):
        load_scene(tmp_path / "a.h5")
