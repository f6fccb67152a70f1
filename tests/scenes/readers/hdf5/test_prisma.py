import numpy as np
import pytest

from hsi.errors import SceneError, UsageError
from hsi.scenes import load_scene
from hsi.scenes.readers.prisma import PrismaCube


def test_order_of_bands_and_metadata(tmp_path, write_prisma):
    product = write_prisma(tmp_path)
    scene = load_scene(product.path)
    assert scene.wavelengths.tolist() == [
        402.5, 460, 550, 640, 833.25, 972.5, 942.5, 951, 1250, 1650, 2200, 2496.875,
    ]  # fmt: skip
    assert scene.rgb_bands == (3, 2, 1)
    assert scene.cube.dtype == np.float32
    assert scene.metadata == {
        "sensor": "PRISMA",
        "product": product.path.stem,
        "acquisition_time": "2020-08-13T10:30:56.5",
    }


def test_a_pixel_is_outside_only_if_all_of_its_bands_are_zero(tmp_path, write_prisma):
    product = write_prisma(tmp_path)
    scene = load_scene(product.path)
    np.testing.assert_array_equal(scene.valid, ~product.details["outside"])
    # A band alone does not tell; zeros inside are the lowest reflectance.
    assert (product.cube[4, 3] == 0).sum() == 3
    assert (product.cube[4, 3] == -0.125).sum() == 3
    for band in range(scene.bands):
        part = scene.cube[4:5, 3:4, band]
        np.testing.assert_allclose(part, product.cube[4:5, 3:4, band], rtol=1e-6)
    again = load_scene(product.path)
    np.testing.assert_array_equal(np.isnan(again.cube[:, :, 0]), product.details["outside"])


@pytest.mark.parametrize("order", [[3, 0, 1, 2, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]])
def test_what_is_outside_is_known_in_whatever_order_rows_are_read(order, monkeypatch):
    monkeypatch.setattr("hsi.scenes.readers.prisma.BLOCK_BYTES", 1)
    halves = [np.zeros((5, 3, 2), np.uint16), np.zeros((5, 3, 4), np.uint16)]
    halves[0][:, 1, 0], halves[1][2:4, 2, 3] = 5, 7
    cube = PrismaCube(halves, scale=np.ones(6), offset=np.zeros(6))
    outside = ~np.concatenate(halves, axis=2).any(axis=2)
    for row in order:
        np.testing.assert_array_equal(np.isnan(cube[row, :, 1]), outside[row])
    np.testing.assert_array_equal(np.isnan(cube[:]).all(axis=2), outside)


def test_corners_are_centres_of_pixels(tmp_path, write_prisma):
    scene = load_scene(write_prisma(tmp_path).path)
    assert scene.grid.transform == (30, 0, 352740, 0, -30, 5987250)
    assert scene.grid.crs_name == "EPSG:32633"


def test_corners_are_edges_where_the_image_is_as_wide_as_they_are_apart(tmp_path, write_prisma):
    edges = {
        "Product_LRcorner_easting": 352755 + 7 * 30,
        "Product_LRcorner_northing": 5987235 - 270,
    }
    scene = load_scene(write_prisma(tmp_path, **edges).path)
    assert scene.grid.transform == (30, 0, 352755, 0, -30, 5987235)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"Product_LRcorner_easting": 353000.0}, r"9 x 7 pixels of 30 m do not reach"),
        ({"Product_ULcorner_easting": None}, r"'Product_ULcorner_easting' is missing"),
        ({"L2ScaleSwirMax": None}, r"'L2ScaleSwirMax' is missing"),
        ({"L2ScaleSwirMax": np.nan}, r"'L2ScaleSwirMax' is missing, or no list of finite"),
        ({"List_Cw_Vnir": np.ones(5)}, r"'List_Cw_Vnir' has 5 numbers; expected 8"),
        ({"List_Cw_Vnir": np.zeros(8)}, r"no band of VNIR was acquired"),
        ({"Epsg_Code": 1}, r"EPSG:1"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path, write_prisma, attributes, message):
    with pytest.raises(SceneError, match=message):
        load_scene(write_prisma(tmp_path, **attributes).path)


def test_flags_are_not_needed_and_switch_bands_off(tmp_path, write_prisma):
    plain = load_scene(write_prisma(tmp_path, List_Cw_Vnir_Flags=None).path)
    assert plain.bands == 12
    flags = np.array([0, 0, 1, 1, 0, 1, 1, 1], dtype=np.uint8)
    (tmp_path / "other").mkdir()
    other = write_prisma(tmp_path / "other", List_Cw_Vnir_Flags=flags)
    assert 640 not in load_scene(other.path).wavelengths


def test_other_levels_and_keys_are_refused(tmp_path, write_prisma):
    import h5py

    product = write_prisma(tmp_path)
    with pytest.raises(UsageError, match="is a product of PRISMA; leave out the key"):
        load_scene(product.path, key="HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields/VNIR_Cube")
    with h5py.File(product.path, "r+") as file:
        file.move("HDFEOS/SWATHS/PRS_L2D_HCO", "HDFEOS/SWATHS/PRS_L2C_HCO")
    with pytest.raises(SceneError, match=r"PRISMA product of level L2C.*\n.*L2D"):
        load_scene(product.path)
