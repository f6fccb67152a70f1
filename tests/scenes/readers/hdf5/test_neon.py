import numpy as np
import pytest
from rasterio.crs import CRS

from hsi.errors import SceneError
from hsi.scenes import load_scene


def test_units_windows_grid_and_metadata(tmp_path, write_neon):
    product = write_neon(tmp_path)
    scene = load_scene(product.path)
    assert scene.cube.dtype == np.float32
    assert scene.wavelengths.tolist() == [383, 500, 650, 1600, 2200]
    assert not scene.valid[0, :3].any()
    assert scene.valid.sum() == 8 * 10 - 4
    assert scene.grid.transform == (1, 0, 368000, 0, -1, 4307000)
    assert scene.grid.crs_name == "EPSG:32618"
    assert scene.metadata == {
        "sensor": "NEON AOP",
        "site": "SERC",
        "product": product.path.stem,
        "acquisition_time": "2022-06-17/2022-06-23",
        "bad_bands": 5,
    }


def test_the_day_of_a_line_is_in_its_name(tmp_path, write_neon):
    import h5py

    path = write_neon(tmp_path).path
    with h5py.File(path, "r+") as file:
        del file["SERC/Reflectance/Metadata/Logs"]
    line = path.rename(tmp_path / "NEON_D02_SERC_DP1_20200801_161441_reflectance.h5")
    assert load_scene(line).metadata["acquisition_time"] == "2020-08-01"


@pytest.mark.parametrize(
    ("map_info", "transform"),
    [
        ("UTM, 1, 1, 500, 900, 2, 2.5, 18, North, WGS-84, units=Meters", (2, 0, 500, 0, -2.5, 900)),
        ("UTM, 3.5, 2, 500, 900, 2, 2, 18, North, WGS-84", (2, 0, 495, 0, -2, 902)),
        ("UTM, 1, 1, 500, 900, 1, 1, 18, North, WGS-84, rotation=0.000", (1, 0, 500, 0, -1, 900)),
    ],
)  # fmt: skip
def test_map_info_ties_a_corner_of_a_pixel(tmp_path, write_neon, map_info, transform):
    scene = load_scene(write_neon(tmp_path, map_info=map_info, code="unknown").path)
    assert scene.grid.transform == transform
    assert CRS.from_wkt(scene.grid.crs).to_epsg() == 32618


@pytest.mark.parametrize(
    ("map_info", "message"),
    [
        ("UTM, 1, 1, 500", "'Map_Info' has 3 numbers; expected 6"),
        ("UTM, 1, 1, 500, north, 1, 1", "'Map_Info' is missing, or no list"),
        ("UTM, 1, 1, 500, 900, 1, 0", "pixels without extent"),
        ("UTM, 1, 1, 500, 900, 1, 1, rotation=-31.5", r"turned by -31\.5 degrees"),
    ],
)
def test_map_info_that_makes_no_sense_is_refused(tmp_path, write_neon, map_info, message):
    with pytest.raises(SceneError, match=message):
        load_scene(write_neon(tmp_path, map_info=map_info).path)


def test_maps_in_the_product_can_be_labels(tmp_path, write_neon):
    product = write_neon(tmp_path)
    name = "SERC/Reflectance/Metadata/Ancillary_Imagery/Haze_Cloud_Water_Map"
    scene = load_scene(product.path, labels_key=name)
    np.testing.assert_array_equal(scene.labels, product.details["classes"])


@pytest.mark.parametrize("factor", [0.0, -1.0, np.inf])
def test_a_factor_that_is_none_is_refused(tmp_path, write_neon, factor):
    import h5py

    path = write_neon(tmp_path).path
    with h5py.File(path, "r+") as file:
        file["SERC/Reflectance/Reflectance_Data"].attrs["Scale_Factor"] = factor
    with pytest.raises(SceneError, match="'Scale_Factor' is"):
        load_scene(path)
