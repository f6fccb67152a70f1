"""Rasters through rasterio: values, place, bands, scale and missing pixels."""

import pickle
import struct
import threading
import time
import warnings

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin
from rasterio.control import GroundControlPoint
from rasterio.errors import NotGeoreferencedWarning
from rasterio.transform import Affine, from_origin

from hsi.errors import SceneError, UsageError
from hsi.scenes import load_scene
from hsi.scenes.readers.contained import ContainedCube
from hsi.scenes.readers.raster_cube import RasterCube

ROWS, COLS, BANDS = 40, 52, 5
CUBE = np.random.default_rng(5).integers(-300, 9000, (ROWS, COLS, BANDS)).astype(np.int16)
PLACE = from_origin(366975, 5807085, 30, 30)


def write(path, cube=CUBE, *, tags=None, band_tags=None, names=None, **profile):
    rows, cols, bands = cube.shape
    profile = {"driver": "GTiff", "transform": PLACE, "crs": "EPSG:32633"} | profile
    band_nodata = profile.pop("band_nodata", None)
    scales, offsets = profile.pop("scales", None), profile.pop("offsets", None)
    mask = profile.pop("mask", None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(
            path, "w", height=rows, width=cols, count=bands, dtype=cube.dtype, **profile
        ) as file:
            file.write(cube.transpose(2, 0, 1))
            file.update_tags(**(tags or {}))
            for number in file.indexes:
                file.update_tags(number, **{k: v[number - 1] for k, v in (band_tags or {}).items()})
                if names:
                    file.set_band_description(number, names[number - 1])
            if scales is not None:
                file.scales, file.offsets = scales, offsets or [0] * bands
            if mask is not None:
                file.write_mask(mask)
    if band_nodata is not None:
        lines = "".join(
            f'<PAMRasterBand band="{i}"><NoDataValue>{value}</NoDataValue></PAMRasterBand>'
            for i, value in enumerate(band_nodata, 1)
            if value is not None
        )
        path.with_name(path.name + ".aux.xml").write_text(f"<PAMDataset>{lines}</PAMDataset>")
    return path


@pytest.fixture(scope="module")
def layouts(tmp_path_factory):
    """The same pixels in all the ways a file can keep them."""
    folder = tmp_path_factory.mktemp("layouts")
    tiles = {"tiled": True, "blockxsize": 16, "blockysize": 16}
    made = {
        "strips": {}, "pixel": {"interleave": "pixel"}, "tiles": tiles | {"interleave": "band"},
        "deflate": tiles | {"compress": "deflate", "predictor": 2, "interleave": "pixel"},
        "lzw": {"compress": "lzw"}, "big": {"BIGTIFF": "YES"}, "cog": {"driver": "COG"},
    }  # fmt: skip
    paths = [write(folder / f"{name}.tif", **profile) for name, profile in made.items()]
    lossless = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"}
    paths.append(write(folder / "wavelets.jp2", **lossless))
    paths.append(write(folder / "imagine.img", driver="HFA"))
    paths.append(write(folder / "esri.bil", driver="EHdr"))
    return paths


def axes(size):
    whole = st.slices(size)
    return whole | st.integers(-size, size - 1) | st.lists(st.integers(0, size - 1), max_size=4)


@given(data=st.data(), layout=st.integers(0, 9))
def test_any_slice_is_what_rasterio_reads_there(layouts, data, layout):
    path = layouts[layout]
    with rasterio.open(path) as file:
        expected = file.read().transpose(1, 2, 0)
    np.testing.assert_array_equal(expected, CUBE)
    key = (
        data.draw(axes(ROWS), label="rows"),
        data.draw(st.slices(COLS) | st.integers(0, COLS - 1), label="cols"),
        data.draw(st.slices(BANDS) | st.integers(-BANDS, BANDS - 1), label="bands"),
    )
    cube = load_scene(path).cube
    assert isinstance(cube, ContainedCube)
    got = cube[key]
    assert got.dtype == np.int16
    np.testing.assert_array_equal(got, expected[key])


def test_only_what_is_sliced_is_read(layouts, monkeypatch, in_this_process):
    cube = load_scene(layouts[0]).cube
    read = []
    own = RasterCube.read
    monkeypatch.setattr(
        RasterCube, "read", lambda self, *key: (read.append(key), own(self, *key))[1]
    )
    cube[3:5, 7, [1, 4]]
    ((rows, cols, bands),) = read
    assert (rows, cols, bands.tolist()) == (slice(3, 5), slice(7, 8), [1, 4])


def test_a_cube_tells_what_its_file_keeps_together(layouts):
    # Of the layouts: tiles of single bands, and of all bands.
    assert load_scene(layouts[2]).cube.chunks == (16, 16, 1)
    assert load_scene(layouts[3]).cube.chunks == (16, 16, BANDS)


def in_threads(work):
    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_read_the_same_file(layouts):
    cube = load_scene(layouts[3]).cube
    wrong = []

    def look(seed):
        for row in np.random.default_rng(seed).integers(0, ROWS - 8, 30):
            if not np.array_equal(cube[row : row + 8], CUBE[row : row + 8]):
                wrong.append(row)

    in_threads(look)
    assert wrong == []


def test_threads_do_not_read_at_the_same_time(layouts, in_this_process):
    # GDAL's datasets must not be used by two threads at once.
    cube = load_scene(layouts[0]).cube
    within, together = [], []

    class Dataset:
        height, width, count = ROWS, COLS, BANDS

        def read(self, numbers, *, window, out_dtype):
            within.append(1)
            time.sleep(0.005)
            together.append(len(within))
            within.pop()
            return np.zeros((len(numbers), window.height, window.width), out_dtype)

    cube._dataset = Dataset()
    in_threads(lambda seed: cube[seed])
    assert together == [1, 1, 1, 1]


def test_a_cube_goes_to_another_process(layouts):
    cube = load_scene(layouts[0]).cube
    cube[0]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(cube))[:], CUBE)  # noqa: S301


@pytest.mark.parametrize(
    "transform",
    [PLACE, Affine(30, 0, 5, 0, 30, 7), Affine.translation(5e5, 4e6) * Affine.rotation(25)],
)
def test_the_grid_is_crs_and_transform(tmp_path, transform):
    grid = load_scene(write(tmp_path / "a.tif", transform=transform)).grid
    assert grid.crs_name == "EPSG:32633"
    np.testing.assert_allclose(grid.transform, tuple(transform)[:6])


def test_a_place_without_a_coordinate_system(tmp_path):
    grid = load_scene(write(tmp_path / "a.tif", crs=None)).grid
    assert grid.crs is None
    assert grid.transform == tuple(PLACE)[:6]


@pytest.mark.parametrize(("meaning", "shift"), [(1, 0), (2, 15)])
def test_coordinates_of_pixel_centres_become_those_of_corners(tmp_path, meaning, shift):
    # Written without GDAL: keys of model (projected), raster type (area, point), system.
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[33550], tags.tagtype[33550] = (30.0, 30.0, 0.0), 12
    tags[33922], tags.tagtype[33922] = (0.0, 0.0, 0.0, 500000.0, 4000000.0, 0.0), 12
    keys = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, meaning, 3072, 0, 1, 32633)
    tags[34735], tags.tagtype[34735] = keys, 3
    Image.fromarray(np.ones((4, 5), np.uint8)).save(tmp_path / "a.tif", tiffinfo=tags)
    grid = load_scene(tmp_path / "a.tif").grid
    assert grid.transform == (30, 0, 500000 - shift, 0, -30, 4000000 + shift)
    assert grid.crs_name == "EPSG:32633"


def test_control_points_are_told_of_and_are_no_grid(tmp_path):
    points = [
        GroundControlPoint(row=r, col=c, x=1 + c, y=2 - r) for r, c in [(0, 0), (0, 9), (9, 0)]
    ]
    path = write(tmp_path / "a.tif", transform=Affine.identity(), crs=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "r+") as file:
            file.gcps = (points, rasterio.crs.CRS.from_epsg(4326))
    scene = load_scene(path)
    assert scene.grid is None
    assert scene.metadata["georeference"] == "none: 3 ground control points, but no grid"


def test_no_georeference_at_all(tmp_path):
    scene = load_scene(write(tmp_path / "a.tif", transform=Affine.identity(), crs=None))
    assert scene.grid is None
    assert "georeference" not in scene.metadata


CENTRES, WIDTHS = [450.5, 550, 640, 850, 760.25], [5, 6, 7, 8, 9.5]


def listed(values, factor=1.0):
    return [f"{value * factor:.9g}" for value in values]


@pytest.mark.parametrize(
    "told",
    [
        {"band_tags": {"wavelength": listed(CENTRES), "wavelength_units": ["Nanometers"] * 5,
                       "fwhm": listed(WIDTHS)}},
        {"band_tags": {"WAVELENGTH": listed(CENTRES, 1e-3), "fwhm": listed(WIDTHS, 1e-3)},
         "tags": {"wavelength_units": "Micrometers"}},
        {"band_tags": {"wavelength": listed(CENTRES, 1e-3), "fwhm": listed(WIDTHS, 1e-3)}},
        {"tags": {"wavelength": "{" + ", ".join(listed(CENTRES)) + "}", "wavelength_units": "nm",
                  "fwhm": "{" + ",".join(listed(WIDTHS)) + "}"}},
        {"tags": {"ns": "ENVI", "wavelength": "{" + ",".join(listed(CENTRES, 1e-3)) + "}",
                  "fwhm": "{" + ",".join(listed(WIDTHS, 1e-3)) + "}", "wavelength_units": "um"}},
        {"band_tags": {"ns": ["IMAGERY"] * 5, "CENTRAL_WAVELENGTH_UM": listed(CENTRES, 1e-3),
                       "FWHM_UM": listed(WIDTHS, 1e-3)}},
    ],
)  # fmt: skip
def test_centres_and_widths_wherever_products_keep_them(tmp_path, told):
    scene = load_scene(write(tmp_path / "a.tif", **told))
    np.testing.assert_allclose(scene.wavelengths, CENTRES)
    np.testing.assert_allclose(scene.fwhm, WIDTHS)
    assert scene.rgb_bands == (2, 1, 0)


@pytest.mark.parametrize("form", ["band {} ({} Nanometers)", "{1} nm", "B{:02} - {}nm"])
def test_centres_in_descriptions(tmp_path, form):
    names = [form.format(number, centre) for number, centre in enumerate(CENTRES, 1)]
    scene = load_scene(write(tmp_path / "a.tif", names=names))
    np.testing.assert_allclose(scene.wavelengths, CENTRES)
    assert scene.fwhm is None


@pytest.mark.parametrize(
    "told",
    [
        {"names": ["450 nm", "550 nm", "640 nm", "850 nm", "panchromatic"]},
        {"names": ["450 nm", "0.55 um", "640 nm", "850 nm", "760 nm"]},
        {"names": [f"height {i} m" for i in range(5)]},
        {"band_tags": {"wavelength": ["450", "550", "nan", "850", "760"]}},
        {"band_tags": {"wavelength": listed(CENTRES), "wavelength_units": ["Index"] * 5}},
        {"tags": {"wavelength": "{450, 550}"}},
    ],
)
def test_centres_that_not_every_band_has_are_left_out(tmp_path, told):
    assert load_scene(write(tmp_path / "a.tif", **told)).wavelengths is None


@pytest.mark.parametrize(
    "told", [{"band_tags": {"bbl": list("10110")}}, {"tags": {"ns": "ENVI", "bbl": "{1,0,1,1,0}"}}]
)
def test_bad_bands_are_left_out(tmp_path, told):
    scene = load_scene(write(tmp_path / "a.tif", **told))
    np.testing.assert_array_equal(np.asarray(scene.cube), CUBE[:, :, [0, 2, 3]])
    assert scene.metadata["bad_bands"] == 2


def test_scale_and_offset_of_each_band(tmp_path):
    scales, offsets = [1e-4, 2e-4, 3e-4, 4e-4, 5e-4], [0, 0.1, 0.2, 0.3, 0.4]
    cube = CUBE.copy()
    cube[3, 4, 2] = -9999
    scene = load_scene(
        write(tmp_path / "a.tif", cube, scales=scales, offsets=offsets, nodata=-9999)
    )
    expected = cube * scales + offsets
    expected[3, 4, 2] = np.nan
    assert scene.cube.dtype == np.float32
    np.testing.assert_allclose(np.asarray(scene.cube), expected, rtol=1e-5, atol=1e-6)
    assert np.argwhere(~scene.valid).tolist() == [[3, 4]]


def test_a_scale_of_zero_is_refused(tmp_path):
    with pytest.raises(SceneError, match=r"a scale of 0\.0"):
        load_scene(write(tmp_path / "a.tif", scales=[1, 1, 0, 1, 1]))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_nodata_of_the_file(tmp_path, dtype):
    cube = CUBE.astype(dtype)
    cube[cube == 7] = 8
    cube[1, 2] = 7
    scene = load_scene(write(tmp_path / "a.tif", cube, nodata=7))
    assert (scene.nodata, scene.cube.dtype) == (7, np.dtype(dtype))
    assert np.argwhere(~scene.valid).tolist() == [[1, 2]]


def test_nan_as_nodata_is_no_value_to_compare(tmp_path, in_this_process):
    cube = CUBE.astype(np.float32)
    cube[2, 3] = np.nan
    scene = load_scene(write(tmp_path / "a.tif", cube, nodata=np.nan))
    assert scene.nodata is None
    assert not scene.cube.masked
    assert np.argwhere(~scene.valid).tolist() == [[2, 3]]


def test_bands_with_nodata_of_their_own(tmp_path):
    # 5 is no data in the first band only, 6 in the second only; the others have all their values.
    cube = np.full((4, 6, 5), 9, dtype=np.int16)
    cube[0], cube[1] = 5, 6
    path = write(tmp_path / "a.tif", cube, band_nodata=[5, 6, None, None, None])
    with rasterio.open(path) as file:
        assert file.nodatavals == (5, 6, None, None, None)
    scene = load_scene(path)
    expected = cube.astype(np.float32)
    expected[0, :, 0] = expected[1, :, 1] = np.nan
    np.testing.assert_array_equal(np.asarray(scene.cube), expected)
    assert scene.nodata is None
    np.testing.assert_array_equal(scene.valid.all(axis=1), [False, False, True, True])


@pytest.mark.parametrize("internal", [True, False])
def test_a_mask_of_the_file_marks_pixels(tmp_path, internal):
    mask = np.full((ROWS, COLS), 255, np.uint8)
    mask[2, 3:6] = 0
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=internal):
        path = write(tmp_path / "a.tif", mask=mask)
    assert path.with_name("a.tif.msk").is_file() is not internal
    scene = load_scene(path)
    np.testing.assert_array_equal(scene.valid, mask > 0)
    np.testing.assert_array_equal(scene.cube[3:], CUBE[3:])


def test_the_fourth_of_four_bands_is_no_mask(tmp_path):
    # GDAL takes the last of four bands of bytes for opacity.
    cube = (CUBE[:, :, :4] % 3).astype(np.uint8)
    scene = load_scene(write(tmp_path / "a.tif", cube))
    assert scene.valid.all()
    np.testing.assert_array_equal(np.asarray(scene.cube), cube)


def test_bands_of_a_photograph_make_the_composite(tmp_path):
    cube = CUBE[:, :, :3].astype(np.uint8)
    scene = load_scene(write(tmp_path / "a.tif", cube, photometric="RGB"))
    assert scene.rgb_bands == (0, 1, 2)


def test_complex_numbers_are_refused(tmp_path):
    with pytest.raises(SceneError, match=r"complex numbers \(complex64\)"):
        load_scene(write(tmp_path / "a.tif", CUBE.astype(np.complex64)))


def test_an_image_has_no_key(tmp_path):
    with pytest.raises(UsageError, match="leave out the key"):
        load_scene(write(tmp_path / "a.tif"), key="cube")


def test_a_header_that_begins_with_envi_goes_before_the_suffix(tmp_path):
    for name in ("a.img", "a.bil"):
        path = write(tmp_path / name, driver="ENVI", interleave="bil")
        scene = load_scene(path)
        assert not isinstance(scene.cube, RasterCube)
        np.testing.assert_array_equal(scene.cube, CUBE)
        assert scene.grid.crs_name == "EPSG:32633"


@pytest.mark.parametrize("name", ["a#b.tif", "a!b.tif", "a?b.tif", "zip:a.tif", "ä b.TIF"])
def test_any_name_is_the_name_of_a_file(tmp_path, name):
    write(tmp_path / "plain.tif").rename(tmp_path / name)
    np.testing.assert_array_equal(load_scene(tmp_path / name).cube[:], CUBE)


def test_tags_in_latin_1_do_not_keep_a_file_from_opening(tmp_path):
    path = tmp_path / "a.tif"
    Image.fromarray(np.ones((4, 5), np.uint8)).save(path, description="Fluege uber")
    path.write_bytes(path.read_bytes().replace(b"Fluege uber", b"Fl\xfcge \xfcber."))
    assert load_scene(path).shape == (4, 5, 1)


def test_big_endian_files_give_native_values(tmp_path):
    path = write(tmp_path / "a.tif", ENDIANNESS="BIG")
    assert struct.unpack(">2sH", path.read_bytes()[:4]) == (b"MM", 42)
    scene = load_scene(path)
    assert scene.cube[:].dtype.isnative
    np.testing.assert_array_equal(scene.cube[:], CUBE)
