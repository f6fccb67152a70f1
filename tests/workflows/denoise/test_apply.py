"""A denoised scene is a file like the scene's own: values, place, metadata, bad bands."""

import json

import numpy as np
import pytest
import rasterio

import hsi
from hsi.errors import RunError, UsageError
from hsi.scenes import Scene
from hsi.workflows.denoise import denoise_scene


def test_a_geotiff_keeps_what_it_said(random_run, tif, tmp_path, noisy_cube):
    made = denoise_scene(random_run, hsi.load_scene(tif), out=tmp_path / "clean.tif", tile=20)
    assert (made.denoised, made.restored, made.left, made.dtype) == (7, 0, 2, "int16")
    with rasterio.open(tif) as before, rasterio.open(made.path) as after:
        assert (after.crs, after.transform, after.nodata) == (before.crs, before.transform, -9999)
        assert (after.scales, after.offsets) == (before.scales, before.offsets)
        assert after.descriptions == before.descriptions
        assert before.tags().items() <= after.tags().items()
        assert "DnCNN of 4 layers" in after.tags()["HSI_HISTORY"]
        for band in before.indexes:
            assert before.tags(band).items() <= after.tags(band).items()
        values = np.moveaxis(after.read(), 0, 2)
    changed = (values != noisy_cube).any(axis=(0, 1))
    assert changed.tolist() == [True, True, False, True, False, True, True, True, True]
    assert (values[:2, :3] == -9999).all()
    assert (values == -9999).all(axis=2).sum() == 6
    before, after = hsi.load_scene(tif), hsi.load_scene(made.path)
    np.testing.assert_array_equal(after.wavelengths, before.wavelengths)
    np.testing.assert_array_equal(after.fwhm, before.fwhm)
    assert after.grid == before.grid
    assert after.metadata["bad_bands"] == 1


def test_restored_bands_are_good_ones(random_run, tif, tmp_path, noisy_cube):
    made = denoise_scene(
        random_run, hsi.load_scene(tif), out=tmp_path / "clean.tif", bad_bands="restore"
    )
    assert (made.denoised, made.restored, made.left) == (7, 1, 1)
    again = hsi.load_scene(made.path)
    assert "bad_bands" not in again.metadata
    assert again.bands == 8
    with rasterio.open(made.path) as file:
        assert (file.read(3) != noisy_cube[..., 2]).any()


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
def test_an_envi_image_keeps_its_header(random_run, tmp_path, noisy_cube, interleave):
    order = {"bsq": (2, 0, 1), "bil": (0, 2, 1), "bip": (0, 1, 2)}[interleave]
    (tmp_path / "noisy.img").write_bytes(noisy_cube.transpose(order).astype(">i2").tobytes())
    lines = [
        "ENVI", "description = {Two lines,\nof text}", "samples = 47", "lines = 33", "bands = 9",
        "header offset = 0", "data type = 2", f"interleave = {interleave}", "byte order = 1",
        "map info = {UTM, 1, 1, 366975, 5807085, 30, 30, 33, North, WGS-84}",
        "wavelength = {0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85}",
        "wavelength units = Micrometers", "bbl = {1, 1, 0, 1, 1, 1, 1, 1, 1}",
        "data ignore value = -9999", "reflectance scale factor = 10000", "solar azimuth = 121.5",
    ]  # fmt: skip
    (tmp_path / "noisy.hdr").write_text("\n".join(lines))
    before = hsi.load_scene(tmp_path / "noisy.img")
    made = denoise_scene(random_run, before, out=tmp_path / "clean.img")
    header = (tmp_path / "clean.hdr").read_text()
    for kept in (lines[1], lines[7], *lines[9:]):
        assert kept in header
    after = hsi.load_scene(made.path)
    np.testing.assert_array_equal(after.wavelengths, before.wavelengths)
    assert after.grid == before.grid
    assert after.cube.dtype == before.cube.dtype
    valid = before.valid
    assert (after.valid == valid).all()
    one, two = (np.asarray(each.cube[:])[valid] for each in (before, after))
    assert (one != two).any(axis=0).all()
    assert np.abs(one - two).mean() < 0.05  # the same pixels in the same places
    same = denoise_scene(random_run, before, out=tmp_path / "other.tif")
    np.testing.assert_array_equal(np.asarray(hsi.load_scene(same.path).cube[:]), after.cube[:])


def test_a_geotiff_as_envi_says_the_same(random_run, tif, tmp_path):
    scene = hsi.load_scene(tif)
    as_tif = hsi.load_scene(denoise_scene(random_run, scene, out=tmp_path / "clean.tif").path)
    as_envi = hsi.load_scene(denoise_scene(random_run, scene, out=tmp_path / "clean.bil").path)
    np.testing.assert_array_equal(as_tif.cube[:], as_envi.cube[:])
    np.testing.assert_allclose(as_tif.wavelengths, as_envi.wavelengths)
    assert as_tif.metadata["bad_bands"] == as_envi.metadata["bad_bands"] == 1
    assert as_tif.grid.is_like(as_envi.grid, 33, 47)


@pytest.mark.parametrize("suffix", [".npy", ".mat"])
def test_plain_arrays(random_run, in_memory, noisy_cube, tmp_path, suffix):
    made = denoise_scene(random_run, in_memory, out=tmp_path / f"clean{suffix}", values="float32")
    found = np.asarray(hsi.load_scene(made.path, nodata=-9999).cube[:])
    assert found.dtype == np.float32
    # A band that does not vary is read as none.
    assert found.shape == (33, 47, 8)
    assert (found[:2, :3] == -9999).all()
    rounded = denoise_scene(random_run, in_memory, out=tmp_path / "rounded.npy")
    whole = np.load(rounded.path)
    assert whole.dtype == np.int16
    np.testing.assert_allclose(np.delete(whole, 4, axis=2), found, atol=0.5001)


def test_no_pixel_becomes_one_without_data(random_run, noisy_cube, tmp_path):
    """Of whole numbers about the value without data, some would be rounded to it."""
    cube = (noisy_cube[..., [0, 1, 2]] // 100).astype(np.int16)
    nodata = float(np.median(cube))
    scene = Scene(name="made", cube=np.where(cube == nodata, cube + 1, cube), nodata=nodata)
    made = denoise_scene(random_run, scene, out=tmp_path / "clean.npy")
    assert (np.load(made.path) != nodata).all()


def test_the_value_without_data_may_be_the_largest_of_its_type(random_run, noisy_cube, tmp_path):
    values = noisy_cube[..., [0, 1, 2]].astype(float)
    cube = np.rint(254 * (values - values.min()) / np.ptp(values)).astype(np.uint8)
    cube[3, 4] = 255
    made = denoise_scene(
        random_run, Scene(name="made", cube=cube, nodata=255.0), out=tmp_path / "clean.npy"
    )
    found = np.load(made.path)
    assert found.dtype == np.uint8
    assert (found == 255).all(axis=2).sum() == 1
    assert (found[3, 4] == 255).all()
    assert (found == 255).any(axis=2).sum() == 1


def test_without_a_name_it_is_called_after_the_scene(random_run, tif, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    names = [denoise_scene(random_run, hsi.load_scene(tif)).path.name for _ in range(2)]
    assert names == ["noisy-denoised.tif", "noisy-denoised-2.tif"]
    assert len(list((tmp_path / "here").iterdir())) == 2


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"out": "noisy.tif"}, UsageError, "over the scene itself"),
        ({"out": "clean.jpg"}, UsageError, "unknown suffix"),
        ({"out": "nowhere/clean.tif"}, RunError, "no folder"),
        ({"bad_bands": "restor"}, UsageError, "did you mean 'restore'"),
        ({"values": "float"}, UsageError, "did you mean 'float32'"),
        ({"tile": 3}, UsageError, "a side of 16 or more"),
    ],
)
def test_what_cannot_be_meant(random_run, tif, tmp_path, monkeypatch, options, error, said):
    monkeypatch.chdir(tmp_path)
    before = tif.read_bytes()
    with pytest.raises(error, match=said):
        denoise_scene(random_run, hsi.load_scene(tif), **({"out": "clean.tif"} | options))
    assert [each.name for each in tmp_path.iterdir()] == ["noisy.tif"]
    assert tif.read_bytes() == before


def test_nothing_half_written_is_left(random_run, tif, tmp_path, monkeypatch):
    (tmp_path / "clean.tif").write_bytes(b"before")

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        denoise_scene(random_run, hsi.load_scene(tif), out=tmp_path / "clean.tif", progress=stop)
    assert (tmp_path / "clean.tif").read_bytes() == b"before"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["clean.tif", "noisy.tif"]


def test_a_run_of_another_kind_says_what_it_is(run, tif):
    with pytest.raises(RunError, match="`hsi train`"):
        denoise_scene(run.path, hsi.load_scene(tif))


def test_metrics_of_a_training(denoise_run):
    metrics = json.loads((denoise_run.path / "metrics.json").read_text())
    assert metrics["layers"] == 3
    assert metrics["parameters"] == 1152 + 36_992
    rows = (denoise_run.path / "history.csv").read_text().splitlines()
    assert rows[0].startswith("epoch,loss,noise_removed,validation_noise_removed")
    assert len(rows) == 3
