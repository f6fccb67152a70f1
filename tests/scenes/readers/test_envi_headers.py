"""What an ENVI header says, and what it may say wrongly."""

import numpy as np
import pytest

from hsi.errors import SceneError, UsageError
from hsi.scenes import load_scene

SHAPE = (3, 4, 5)
CUBE = np.arange(60, dtype=np.float32).reshape(SHAPE)
BASE = {
    "samples": 4, "lines": 3, "bands": 5, "header offset": 0, "file type": "ENVI Standard",
    "data type": 4, "interleave": "bip", "byte order": 0,
}  # fmt: skip


def write(folder, *, name="scene.img", cube=CUBE, offset=b"", **fields):
    (folder / name).write_bytes(offset + cube.tobytes())
    header = BASE | {field.replace("_", " "): value for field, value in fields.items()}
    lines = ["ENVI", *(f"{field} = {value}" for field, value in header.items() if value != "")]
    stem = name.rpartition(".")[0] or name
    (folder / f"{stem}.hdr").write_text("\n".join(lines), encoding="utf-8")
    return folder / f"{stem}.hdr"


def test_header_offset_is_skipped(tmp_path):
    path = write(tmp_path, offset=b"x" * 17, header_offset=17)
    np.testing.assert_array_equal(load_scene(path).cube, CUBE)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("Micrometers", 1e-3), ("um", 1e-3), ("µm", 1e-3), ("Nanometers", 1), ("nm", 1),
     ("Unknown", 1), ("Unknown", 1e-3), ("", 1e-3)],
)  # fmt: skip
def test_wavelengths_become_nanometres(tmp_path, unit, factor):
    centres = np.array([450.0, 550.0, 640.0, 850.0, 760.0])
    written = "{ " + ", ".join(f"{c * factor:.4f}" for c in centres) + " }"
    scene = load_scene(write(tmp_path, wavelength=written, wavelength_units=unit))
    np.testing.assert_allclose(scene.wavelengths, centres)
    assert scene.rgb_bands == (2, 1, 0)


def test_wavelengths_in_a_unit_that_is_no_length_are_left_out(tmp_path):
    path = write(tmp_path, wavelength="{1, 2, 3, 4, 5}", wavelength_units="Index")
    assert load_scene(path).wavelengths is None


def test_a_list_of_another_length_is_no_wavelengths(tmp_path):
    assert load_scene(write(tmp_path, wavelength="{400, 500}")).wavelengths is None


def test_band_names_such_as_376_nanometers_are_wavelengths(tmp_path):
    names = "{" + ", ".join(f"{400 + 10 * i}.5 Nanometers" for i in range(5)) + "}"
    scene = load_scene(write(tmp_path, band_names=names))
    np.testing.assert_allclose(scene.wavelengths, [400.5, 410.5, 420.5, 430.5, 440.5])


def test_default_bands_count_from_one(tmp_path):
    assert load_scene(write(tmp_path, default_bands="{5, 3, 1}")).rgb_bands == (4, 2, 0)


def test_default_bands_beyond_the_image_are_ignored(tmp_path):
    assert max(load_scene(write(tmp_path, default_bands="{50, 30, 10}")).rgb_bands) < 5


def test_ignored_value_marks_pixels_and_empty_bands_are_left_out(tmp_path):
    cube = CUBE.copy()
    cube[1, 2, 4] = -9999
    cube[:, :, 1] = -9999
    cube[0, 0, 3], cube[:, :, 3] = 0, np.nan
    centres = "{450, 460, 550, 600, 640}"
    path = write(
        tmp_path, cube=cube, data_ignore_value="-9999", wavelength=centres,
        wavelength_units="nm", default_bands="{5, 3, 2}",
    )  # fmt: skip
    scene = load_scene(path)
    assert scene.nodata == -9999
    assert scene.shape == (3, 4, 3)
    assert scene.metadata["empty_bands"] == 2
    np.testing.assert_array_equal(scene.wavelengths, [450, 550, 640])
    np.testing.assert_array_equal(np.asarray(scene.cube), cube[:, :, [0, 2, 4]])
    assert scene.rgb_bands[:2] == (2, 1)
    expected = np.ones((3, 4), dtype=bool)
    expected[1, 2] = False
    np.testing.assert_array_equal(scene.valid, expected)
    assert (scene.composite()[1, 2] == 0).all()


def test_ignored_value_beyond_decimals_of_float32(tmp_path):
    cube = CUBE.copy()
    cube[0, 0, 0] = np.finfo(np.float32).min
    scene = load_scene(write(tmp_path, cube=cube, data_ignore_value="-3.40282346638529e+38"))
    assert not scene.valid[0, 0]
    assert scene.valid.sum() == 11


def test_data_file_without_a_suffix_is_found_from_either_side(tmp_path):
    write(tmp_path, name="flight_img")
    for name in ("flight_img", "flight_img.hdr"):
        np.testing.assert_array_equal(load_scene(tmp_path / name).cube, CUBE)


def test_header_named_after_the_whole_file(tmp_path):
    write(tmp_path, name="flight.dat")
    (tmp_path / "flight.hdr").rename(tmp_path / "flight.dat.hdr")
    for name in ("flight.dat", "flight.dat.hdr"):
        np.testing.assert_array_equal(load_scene(tmp_path / name).cube, CUBE)


def test_field_names_in_capitals_are_read_without_a_warning(tmp_path):
    path = write(tmp_path)
    path.write_text(path.read_text().replace("samples", "Samples"))
    np.testing.assert_array_equal(load_scene(path).cube, CUBE)


def test_classification_brings_names_and_colours(tmp_path):
    image = write(tmp_path)
    truth = np.zeros((3, 4), np.uint8)
    truth[0], truth[2] = 1, 3
    path = write(
        tmp_path, name="truth.img", cube=truth, bands=1, data_type=1,
        file_type="ENVI Classification", classes=4,
        class_names="{Unclassified, Water, Trees, Road}",
        class_lookup="{0, 0, 0, 0, 0, 255, 0, 160, 0, 90, 90, 90}",
    )  # fmt: skip
    scene = load_scene(image, labels=path)
    assert scene.class_names == {1: "Water", 2: "Trees", 3: "Road"}
    assert scene.class_colors == {1: (0, 0, 255), 2: (0, 160, 0), 3: (90, 90, 90)}
    with pytest.raises(SceneError, match=r"classification.*\n.*--labels"):
        load_scene(path)


def test_colours_that_a_file_gives_twice_are_told_apart(tmp_path):
    truth = np.array([[1, 2, 3, 3]] * 3, np.uint8)
    path = write(
        tmp_path, name="truth.img", cube=truth, bands=1, data_type=1,
        class_lookup="{0, 0, 0, 9, 9, 9, 9, 9, 9, 0, 0, 0}",
    )  # fmt: skip
    colors = load_scene(write(tmp_path), labels=path).class_colors
    assert colors[1] == (9, 9, 9)
    assert len({*colors.values(), (0, 0, 0)}) == 4


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"lines": 30}, "2,400 bytes; the file has 240"),
        ({"header_offset": 1}, "241 bytes; the file has 240"),
        ({"lines": 0}, "positive"),
        ({"lines": "three"}, "not a whole number"),
        ({"lines": ""}, "lines"),
        ({"data_type": 7}, "data type = 7"),
        ({"data_type": 6, "lines": 1}, "complex"),
        ({"interleave": "tiled"}, "interleave = tiled"),
        ({"byte_order": 2}, "byte order = 2"),
        ({"file_compression": 1}, "compressed"),
        ({"data_ignore_value": "none"}, "data ignore value = none"),
        ({"class_lookup": "{0, 0}"}, "class lookup"),
        ({"wavelength": "{1, 2"}, "header"),
        ({"lines": "{3, 3}"}, "'lines' is a list of 2"),
        ({"file_type": "{}", "lines": "{}"}, "whole number"),
    ],
)
def test_what_a_header_may_say_wrongly(tmp_path, fields, words):
    with pytest.raises(SceneError, match=words) as caught:
        load_scene(write(tmp_path, **fields))
    assert "scene" in str(caught.value)
    assert str(caught.value).count("\n") < 5


def test_not_a_header(tmp_path):
    path = write(tmp_path)
    path.write_text("something else")
    with pytest.raises(SceneError, match="no usable ENVI header"):
        load_scene(path)
    path.write_bytes(b"\xff\xfe\x00\x81" * 20)
    with pytest.raises(SceneError, match="no usable ENVI header"):
        load_scene(path)


def test_header_without_data(tmp_path):
    path = write(tmp_path)
    (tmp_path / "scene.img").unlink()
    with pytest.raises(SceneError, match="no data file beside"):
        load_scene(path)


def test_a_key_makes_no_sense_here(tmp_path):
    with pytest.raises(UsageError, match="leave out the key"):
        load_scene(write(tmp_path), key="cube")


def test_braces_around_a_single_value(tmp_path):
    fields = {each.replace(" ", "_"): f"{{{value}}}" for each, value in BASE.items()}
    path = write(tmp_path, **fields, wavelength_units="{nm}", wavelength="{400, 500, 600, 700, 8}")
    scene = load_scene(path)
    np.testing.assert_array_equal(scene.cube, CUBE)
    assert scene.wavelengths[0] == 400


def test_fields_that_cannot_be_understood_are_left_out_in_silence(tmp_path, capfd, caplog):
    scene = load_scene(write(tmp_path, wavelength="{a, b, c, d, e}", fwhm="{x}", bbl="{y}"))
    assert scene.wavelengths is None
    assert not caplog.records
    assert capfd.readouterr().err == ""
