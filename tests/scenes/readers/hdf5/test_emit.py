import numpy as np
import pytest

from hsi.errors import SceneError
from hsi.scenes import load_scene


def test_grid_bands_and_metadata(tmp_path, write_emit):
    scene = load_scene(write_emit(tmp_path).path)
    assert scene.grid.transform == (0.0005, 0, 12.25, 0, -0.0005, 41.5)
    assert scene.grid.crs_name == "EPSG:4326"
    assert scene.nodata == -9999
    assert scene.file_bands.tolist() == [True, True, True, False, True, True]
    assert scene.metadata == {
        "sensor": "EMIT",
        "product": "EMIT_L2A_RFL_001_20220903T163129_2224611_012",
        "acquisition_time": "2022-09-03T16:31:29+0000",
        "bad_bands": 1,
    }


def test_pixels_that_were_filled_in_are_those_of_their_neighbours(tmp_path, write_emit):
    product = write_emit(tmp_path)
    import h5py

    with h5py.File(product.path) as file:
        assert (file["location/glt_x"][:] < 0).sum() > 20
    np.testing.assert_array_equal(load_scene(product.path).cube[:], product.cube)


def test_the_fill_value_of_the_table_means_none(tmp_path, write_emit):
    def table(glt_x, glt_y):
        glt_x[16, 14:18] = -9999
        glt_y[17, 14:18] = -9999
        glt_y[18, 14:18] = 0

    product = write_emit(tmp_path, table=table)
    assert product.details["none"][16:19, 14:18].all()
    np.testing.assert_array_equal(load_scene(product.path).cube[:], product.cube)


@pytest.mark.parametrize(("x", "y"), [(13, 5), (5, 21), (-13, 5), (2**31 - 1, 1), (-(2**31), 1)])
def test_a_table_that_points_beyond_the_image_is_refused(tmp_path, write_emit, x, y):
    def table(glt_x, glt_y):
        glt_x[16, 15], glt_y[16, 15] = x, y

    message = rf"at row 16, column 15.*points to line {abs(y)}, sample {abs(x)} of .* 20 x 12"
    with pytest.raises(SceneError, match=message):
        load_scene(write_emit(tmp_path, table=table).path)


@pytest.mark.parametrize("chunks", [None, (40, 50, 2)])
def test_a_row_of_the_map_reads_a_strip_of_the_image(
    tmp_path, write_emit, monkeypatch, chunks, in_this_process
):
    product = write_emit(tmp_path, lines=400, samples=200, bands=4, chunks=chunks)
    scene = load_scene(product.path)
    image, pixels, largest = scene.cube.cube.image, [], 0
    read = type(image).read

    def recording(self, rows, cols, bands):
        pixels.append((rows.stop - rows.start) * (cols.stop - cols.start))
        return read(self, rows, cols, bands)

    monkeypatch.setattr(type(image), "read", recording)
    np.testing.assert_array_equal(scene.cube[300], product.cube[300])
    largest = max(pixels)
    assert len(pixels) > 5
    # The row crosses the image from one edge to the other, and no more is read than around it.
    assert largest <= (40 * 50 if chunks else 16 * 34)
    assert sum(pixels) < 400 * 200 / 8


def test_radiance_has_the_same_structure(tmp_path, write_emit):
    product = write_emit(tmp_path, name="radiance")
    np.testing.assert_array_equal(load_scene(product.path).cube[:], product.cube)


def test_parts_that_do_not_fit_are_refused(tmp_path, write_emit):
    import h5py

    def altered(change, message):
        path = write_emit(tmp_path).path
        with h5py.File(path, "r+") as file:
            change(file)
        with pytest.raises(SceneError, match=message):
            load_scene(path)

    def replace(name, values):
        def change(file):
            del file[name]
            file[name] = values

        return change

    altered(
        replace("location/glt_y", np.ones((3, 3), np.int32)), "glt_x .* and glt_y .* do not fit"
    )
    altered(
        replace("location/glt_y", np.ones((32, 32))), "table for orthorectification holds float64"
    )
    altered(replace("reflectance", np.ones((20, 12, 6), np.int16)), "without a value for no data")
    altered(
        replace("reflectance", np.ones((20, 12))), r"shape \(20, 12\); expected numbers along 3"
    )
    altered(replace("sensor_band_parameters/fwhm", np.ones(5)), "'fwhm' has 5 numbers; expected 6")
    altered(lambda file: file.attrs.pop("geotransform"), "'geotransform' is missing")
    altered(lambda file: file.pop("reflectance"), "no array 'reflectance'")


def test_a_map_much_larger_than_its_image_is_refused(tmp_path, write_emit):
    import h5py

    path = write_emit(tmp_path).path
    with h5py.File(path, "r+") as file:
        for name in ("location/glt_x", "location/glt_y"):
            del file[name]
            file.create_dataset(name, (5000, 5000), np.int32, chunks=(500, 500))
    with pytest.raises(
        SceneError, match=r"\(5000, 5000\) pixels cannot show an image of \(20, 12\)"
    ):
        load_scene(path)
