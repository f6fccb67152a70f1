"""Place, widths, bad bands, scale and spelling of ENVI headers."""

import math
import warnings

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from rasterio.errors import NotGeoreferencedWarning

from hsi.errors import SceneError
from hsi.scenes import load_scene
from hsi.scenes.readers.envi_grid import grid_of_header
from hsi.scenes.readers.envi_header import is_library, read_header

ROWS, COLS, BANDS = 3, 4, 5
CUBE = np.arange(1, 61, dtype="<i2").reshape(ROWS, COLS, BANDS)
UTM = "{UTM, 1, 1, 366975, 5807085, 30, 30, 33, North, WGS-84, units=Meters}"
NAMED = (
    'GEOGCS["GCS_ETRS_1989",DATUM["D_ETRS_1989",SPHEROID["GRS_1980",6378137.0,298.257222101]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)


def write(folder, *, encoding="utf-8", newline="\n", **fields):
    header = {
        "samples": COLS, "lines": ROWS, "bands": BANDS, "data type": 2, "interleave": "bip",
        "byte order": 0,
    } | {name.replace("_", " "): value for name, value in fields.items()}  # fmt: skip
    (folder / "scene.img").write_bytes(CUBE.tobytes())
    text = newline.join(["ENVI", *(f"{name} = {value}" for name, value in header.items()), ""])
    (folder / "scene.hdr").write_bytes(text.encode(encoding))
    return folder / "scene.img"


def as_gdal_reads(path):
    """Return transform and coordinate system as GDAL's own ENVI driver reads them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, driver="ENVI") as dataset:
            return tuple(dataset.transform)[:6], dataset.crs


@pytest.mark.parametrize(
    ("map_info", "code"),
    [
        (UTM, 32633),
        ("{UTM, 1.5, 1.5, 366975, 5807085, 30, 30, 33, South, WGS-84, units=Meters}", 32733),
        ("{UTM, 3, 2.5, 366975, 5807085, 30, 20, 11, North, WGS-84}", 32611),
        ("{UTM, 1, 1, 353128.75, 3813729.77, 15, 15, 11, North, WGS-84, rotation=-37.5}", 32611),
        ("{UTM, 1, 1, 353128.75, 3813729.77, 15, 15, 11, North, WGS-84, rotation=180}", 32611),
        ("{UTM, 1, 1, 353128.75, 3813729.77, 15, 15, 11, North, North America 1983}", 26911),
        ("{Geographic Lat/Lon, 1.5, 1.5, 10, 50, 0.01, 0.02, WGS-84, units=Degrees}", 4326),
    ],
)
def test_map_info_means_what_gdal_reads(tmp_path, map_info, code):
    path = write(tmp_path, map_info=map_info)
    transform, crs = as_gdal_reads(path)
    grid = load_scene(path).grid
    np.testing.assert_allclose(grid.transform, transform, rtol=1e-12, atol=1e-9)
    assert grid.crs_name == f"EPSG:{code}"
    assert crs.to_epsg() == code


def test_real_image_lies_where_gdal_reads_it(real_data):
    path = real_data / "aviris_ng" / "ang20160910t185702_2rdn_img"
    if not path.is_file():
        pytest.skip("HSI_DATA has no aviris_ng")
    transform, crs = as_gdal_reads(path)
    scene = load_scene(path)
    np.testing.assert_allclose(scene.grid.transform, transform, rtol=1e-15)
    assert scene.grid.rasterio_crs == crs
    assert scene.grid.crs_name == "EPSG:32611"
    assert scene.grid.pixel_area_m2(scene.rows, scene.cols) == 225


@given(
    angle=st.floats(-179, 179),
    sizes=st.tuples(st.floats(0.5, 90), st.floats(0.5, 90)),
    place=st.tuples(st.floats(-50, 50), st.floats(-50, 50)),
)
def test_rotated_pixels_keep_size_right_angle_and_reference(angle, sizes, place):
    fields = ["UTM", *map(repr, place), "366975", "5807085", *map(repr, sizes), "33", "North",
              "WGS-84", f"rotation={angle}"]  # fmt: skip
    grid, reason = grid_of_header({"map info": fields})
    assert reason is None
    a, b, _, d, e, _ = grid.transform
    assert math.hypot(a, d) == pytest.approx(sizes[0])
    assert math.hypot(b, e) == pytest.approx(sizes[1])
    assert a * b + d * e == pytest.approx(0, abs=1e-9 * sizes[0] * sizes[1])
    assert a * e - b * d < 0
    assert math.degrees(math.atan2(d, a)) == pytest.approx(angle, abs=1e-9)
    east, north = Affine(*grid.transform) * (place[0] - 1, place[1] - 1)
    assert (east, north) == pytest.approx((366975, 5807085), abs=1e-6)


def test_coordinate_system_string_goes_before_map_info(tmp_path):
    info = "{Geographic Lat/Lon, 1, 1, 10, 50, 0.01, 0.01, WGS-84, units=Degrees}"
    path = write(tmp_path, map_info=info, coordinate_system_string="{" + NAMED + "}")
    scene = load_scene(path)
    # Of the two names, that of map info would be WGS 84.
    assert "European_Terrestrial_Reference_System_1989" in scene.grid.crs
    assert scene.metadata["coordinate_system_string"] == NAMED


@pytest.mark.parametrize("text", ["PROJCS[nonsense", "http://127.0.0.1:9/crs", "4326"])
def test_coordinate_system_that_is_none_leaves_that_of_map_info(tmp_path, text):
    path = write(tmp_path, map_info=UTM, coordinate_system_string="{" + text + "}")
    assert load_scene(path).grid.crs_name == "EPSG:32633"


@pytest.mark.parametrize(
    "info",
    [
        "{Site Plan, 1, 1, 10, 20, 2, 2, units=Meters}",
        "{UTM, 1, 1, 10, 20, 2, 2, 61, North, WGS-84}",
        "{UTM, 1, 1, 10, 20, 2, 2, 33, North, Tokyo}",
        "{UTM, 1, 1, 10, 20, 2, 2, 33, North, WGS-84, units=Feet}",
    ],
)
def test_unknown_coordinate_systems_leave_the_transform(tmp_path, info):
    grid = load_scene(write(tmp_path, map_info=info)).grid
    assert grid.crs is None
    assert grid.transform == (2, 0, 10, 0, -2, 20)


@pytest.mark.parametrize(
    ("info", "words"),
    [
        ("{UTM, 1, 1, 10, 20, 0, 2, 33, North, WGS-84}", "without extent"),
        ("{UTM, 1, 1, east, 20, 2, 2, 33, North, WGS-84}", "not understood"),
        ("{UTM, 1, 1, 10, 20, 2, 2, 33, North, WGS-84, rotation=left}", "not understood"),
        ("{UTM, 1, 1}", "fewer than seven"),
        ("{UTM, 1, 1, nan, 20, 2, 2, 33, North, WGS-84}", "finite"),
    ],
)
def test_a_place_that_is_not_understood_is_told_of(tmp_path, info, words):
    scene = load_scene(write(tmp_path, map_info=info))
    assert scene.grid is None
    assert words in scene.metadata["georeference"]


@pytest.mark.parametrize("fields", [{}, {"map_info": "{Arbitrary, 1, 1, 0, 0, 1, 1, 0, North}"}])
def test_pixels_that_lie_nowhere(tmp_path, fields):
    scene = load_scene(write(tmp_path, **fields))
    assert scene.grid is None
    assert "georeference" not in scene.metadata


@pytest.mark.parametrize(("unit", "factor"), [("Micrometers", 1e-3), ("nm", 1), ("", 1e-3)])
def test_widths_have_the_unit_of_the_centres(tmp_path, unit, factor):
    centres, widths = np.array([450.0, 550, 640, 850, 760]), np.array([5.5, 6, 7, 8, 9])
    listed = [", ".join(f"{value * factor:.6f}" for value in each) for each in (centres, widths)]
    scene = load_scene(
        write(
            tmp_path, wavelength=f"{{{listed[0]}}}", fwhm=f"{{{listed[1]}}}", wavelength_units=unit
        )
    )
    np.testing.assert_allclose(scene.fwhm, widths)


def test_bad_bands_are_those_with_a_zero(tmp_path):
    scene = load_scene(write(tmp_path, bbl="{1, 0, 1.0, 0.0, 1}", wavelength="{4, 5, 6, 7, 8}"))
    np.testing.assert_array_equal(np.asarray(scene.cube), CUBE[:, :, [0, 2, 4]])
    np.testing.assert_array_equal(scene.wavelengths, [4000, 6000, 8000])
    assert scene.metadata["bad_bands"] == 2


def test_reflectance_scale_factor_divides(tmp_path):
    scene = load_scene(write(tmp_path, reflectance_scale_factor="{10000}", data_ignore_value="{7}"))
    expected = CUBE / 1e4
    expected[CUBE == 7] = np.nan
    np.testing.assert_allclose(np.asarray(scene.cube), expected, rtol=1e-6)
    assert not scene.valid[0, 1]


def test_gains_and_offsets_go_before_the_scale_factor(tmp_path):
    gains, offsets = [0.1, 0.2, 0.3, 0.4, 0.5], [0, 1, 2, 3, 4]
    scene = load_scene(
        write(
            tmp_path, data_gain_values="{0.1, 0.2, 0.3, 0.4, 0.5}",
            data_offset_values="{0, 1, 2, 3, 4}", reflectance_scale_factor="10000",
        )
    )  # fmt: skip
    np.testing.assert_allclose(np.asarray(scene.cube), CUBE * gains + offsets, rtol=1e-6)


@pytest.mark.parametrize(
    "fields",
    [
        {"reflectance_scale_factor": "0"},
        {"reflectance_scale_factor": "-1"},
        {"reflectance_scale_factor": "many"},
        {"data_gain_values": "{1, 1}"},
        {"data_gain_values": "{1, 1, 1, 1, nan}"},
        {"data_gain_values": "{1, 1, 1, 1, 1}", "data_offset_values": "{0, 0, 0, 0, 0}"},
    ],
)
def test_scales_that_say_nothing_leave_the_stored_values(tmp_path, fields):
    scene = load_scene(write(tmp_path, **fields))
    assert scene.cube.dtype == np.int16
    np.testing.assert_array_equal(scene.cube, CUBE)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_headers_as_any_program_saves_them(tmp_path, encoding, newline):
    path = write(
        tmp_path, encoding=encoding, newline=newline, description=f"{{Fl\u00fcge{newline} a, b}}",
        wavelength=f"{{400, 500,{newline}; a note{newline} 600, 700, 800}}", map_info=UTM,
        wavelength_units="nm",
    )  # fmt: skip
    scene = load_scene(path)
    assert scene.metadata["description"].split() == ["Fl\u00fcge", "a,", "b"]
    np.testing.assert_array_equal(scene.wavelengths, [400, 500, 600, 700, 800])
    assert scene.grid.crs_name == "EPSG:32633"


def test_a_library_is_known_from_its_header(tmp_path):
    path = write(tmp_path, file_type="ENVI Spectral Library", spectra_names="{a, b, c}")
    header = read_header(path.with_suffix(".hdr"))
    assert is_library(header)
    assert header["spectra names"] == ["a", "b", "c"]
    assert not is_library(read_header(write(tmp_path).with_suffix(".hdr")))


def test_frame_offsets_are_refused(tmp_path):
    with pytest.raises(SceneError, match="major frame offsets"):
        load_scene(write(tmp_path, major_frame_offsets="{4, 0}"))


def test_a_header_that_is_no_text_is_not_read_whole(tmp_path):
    path = write(tmp_path)
    with path.with_suffix(".hdr").open("r+b") as file:
        file.truncate(2**30)
    with pytest.raises(SceneError, match="1,073,741,824 bytes; headers are short"):
        load_scene(path)
