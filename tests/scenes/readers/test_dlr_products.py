"""EnMAP and DESIS products as they are delivered: image and metadata in two files."""

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from hsi.errors import SceneError
from hsi.scenes import load_scene

ROWS, COLS, BANDS = 4, 6, 5
STORED = np.random.default_rng(8).integers(-200, 9000, (ROWS, COLS, BANDS)).astype(np.int16)
# The detectors of EnMAP overlap: centres do not ascend.
CENTRES = np.array([418.24, 901.3, 993.1, 902.25, 2445.5])
WIDTHS = np.array([6.99561, 7.5, 8.1, 9.2, 10.3])
GAINS, OFFSETS = np.array([1e-4, 1e-4, 2e-4, 1e-4, 1e-4]), np.array([0, 0.5, 0, 0, 0])
ENMAP = "ENMAP01-____L2A-DT0000001867_20220724T104526Z_008_V010302_20230628T165614Z"
DESIS = "DESIS-HSI-L2A-DT1203190212_025-20191203T021128-V0210"


def write_image(path, stored=STORED, **profile):
    with rasterio.open(
        path, "w", driver="GTiff", height=ROWS, width=COLS, count=stored.shape[2], dtype="int16",
        crs="EPSG:32633", transform=from_origin(366975, 5807085, 30, 30), **profile,
    ) as file:  # fmt: skip
        file.write(stored.transpose(2, 0, 1))
    return path


def enmap_xml(order=range(BANDS), *, expected=("1,2,3", "4,5"), inside=""):
    bands = "".join(
        f'<bandID number="{i + 1}">'
        f"<wavelengthCenterOfBand>{CENTRES[i]}</wavelengthCenterOfBand>"
        f"<FWHMOfBand>{WIDTHS[i]}</FWHMOfBand><GainOfBand>{GAINS[i]}</GainOfBand>"
        f"<OffsetOfBand>{OFFSETS[i]}</OffsetOfBand></bandID>"
        for i in order
    )
    quality = "".join(
        f"<{name}ProductQuality><expectedChannelsList>{channels}</expectedChannelsList>"
        f"</{name}ProductQuality>"
        for name, channels in zip(("vnir", "swir"), expected, strict=True)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<level_X xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<metadata><name>{ENMAP}-METADATA.XML</name></metadata>"
        "<base><level>L2A</level><temporalCoverage><startTime>2022-07-24T10:45:26.113Z</startTime>"
        f"</temporalCoverage></base><specific>{quality}<bandCharacterisation>{bands}"
        f"</bandCharacterisation>{inside}</specific></level_X>"
    )


def desis_xml():
    bands = "".join(
        f"<band><bandNumber>{i + 1}</bandNumber>"
        f"<wavelengthCenterOfBand>{CENTRES[i]}</wavelengthCenterOfBand>"
        f"<wavelengthWidthOfBand>{WIDTHS[i]}</wavelengthWidthOfBand>"
        f"<response>0.1,0.9,0.1</response><gainOfBand>{GAINS[i]}</gainOfBand>"
        f"<offsetOfBand>{OFFSETS[i]}</offsetOfBand></band>"
        for i in range(BANDS)
    )
    geometry = "<interiorOrientation><band><bandNumber>9</bandNumber></band></interiorOrientation>"
    return (
        '<hsi:doc xmlns:hsi="http://desis.example/">'
        "<base><temporalCoverage><startTime>2019-12-03T02:11:28.5Z</startTime></temporalCoverage>"
        f"</base><specific>{geometry}<bandCharacterisation>{bands}</bandCharacterisation></specific>"
        "</hsi:doc>"
    )


@pytest.fixture
def enmap(tmp_path):
    image = write_image(tmp_path / f"{ENMAP}-SPECTRAL_IMAGE.TIF", nodata=-32768)
    metadata = tmp_path / f"{ENMAP}-METADATA.XML"
    metadata.write_text(enmap_xml())
    return image, metadata


@pytest.fixture
def desis(tmp_path):
    image = write_image(tmp_path / f"{DESIS}-SPECTRAL_IMAGE.tif", interleave="pixel")
    metadata = tmp_path / f"{DESIS}-METADATA.xml"
    metadata.write_text(desis_xml())
    return image, metadata


@pytest.mark.parametrize("opened", [0, 1])
@pytest.mark.parametrize("product", ["enmap", "desis"])
def test_a_product_opens_from_either_file(product, opened, request):
    scene = load_scene(request.getfixturevalue(product)[opened])
    np.testing.assert_allclose(
        np.asarray(scene.cube), STORED * GAINS + OFFSETS, rtol=2e-6, atol=1e-7
    )
    np.testing.assert_array_equal(scene.wavelengths, CENTRES)
    np.testing.assert_array_equal(scene.fwhm, WIDTHS)
    assert scene.grid.crs_name == "EPSG:32633"
    assert scene.grid.transform == (30, 0, 366975, 0, -30, 5807085)


def test_what_enmap_metadata_say_is_kept(enmap):
    assert load_scene(enmap[0]).metadata == {
        "sensor": "EnMAP", "product": ENMAP, "processing_level": "L2A",
        "acquisition_time": "2022-07-24T10:45:26.113Z",
    }  # fmt: skip


def test_what_desis_metadata_say_is_kept(desis):
    assert load_scene(desis[0]).metadata == {
        "sensor": "DESIS",
        "product": DESIS,
        "acquisition_time": "2019-12-03T02:11:28.5Z",
    }


@pytest.mark.parametrize(
    ("inside", "value"), [("", -32768), ("<backgroundValue>-1</backgroundValue>", -1)]
)
def test_pixels_without_data_where_the_image_does_not_declare_them(tmp_path, inside, value):
    stored = STORED.copy()
    stored[1, 2] = value
    write_image(tmp_path / "a-SPECTRAL_IMAGE.TIF", stored)
    (tmp_path / "a-METADATA.XML").write_text(enmap_xml(inside=inside))
    assert np.argwhere(~load_scene(tmp_path / "a-METADATA.XML").valid).tolist() == [[1, 2]]


def test_bands_may_stand_in_any_order_in_the_metadata(enmap):
    enmap[1].write_text(enmap_xml(order=[3, 0, 4, 2, 1]))
    np.testing.assert_array_equal(load_scene(enmap[0]).wavelengths, CENTRES)


def test_channels_that_no_detector_was_to_measure_are_left_out(enmap):
    enmap[1].write_text(enmap_xml(expected=("1, 2", "4,5")))
    scene = load_scene(enmap[0])
    np.testing.assert_array_equal(scene.wavelengths, CENTRES[[0, 1, 3, 4]])
    assert scene.metadata["bad_bands"] == 1


@pytest.mark.parametrize("expected", [("", ""), ("1,2", "200,201"), ("NA", "4,5")])
def test_lists_of_channels_that_are_not_the_bands_leave_nothing_out(enmap, expected):
    enmap[1].write_text(enmap_xml(expected=expected))
    assert load_scene(enmap[0]).bands == BANDS


def test_an_image_without_its_metadata_is_a_plain_raster(enmap):
    enmap[1].unlink()
    scene = load_scene(enmap[0])
    assert scene.cube.dtype == np.int16
    np.testing.assert_array_equal(scene.cube[:], STORED)
    assert "METADATA.XML beside the image" in scene.metadata["note"]
    assert scene.grid is not None


def test_metadata_without_the_image(enmap):
    enmap[0].unlink()
    with pytest.raises(SceneError, match=r"no image beside .*SPECTRAL_IMAGE\.TIF"):
        load_scene(enmap[1])


def test_another_product_beside_is_not_taken(enmap, tmp_path):
    enmap[1].rename(tmp_path / f"{ENMAP[:-1]}X-METADATA.XML")
    assert "note" in load_scene(enmap[0]).metadata


def test_other_files_of_a_product_are_plain_rasters(enmap, tmp_path):
    quality = write_image(tmp_path / f"{ENMAP}-QL_QUALITY_CLASSES.TIF", STORED[:, :, :2])
    assert load_scene(quality).wavelengths is None


BOMB = (
    '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><level_X>&c;</level_X>'
)
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><level_X>&x;</level_X>'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "DOCTYPE"),
        (OUTSIDE, "DOCTYPE"),
        ("<!DOCTYPE level_X><level_X/>", "DOCTYPE"),
        ("<level_X>&x;</level_X>", "damaged, or no XML"),
        (enmap_xml()[:-40], "damaged, or no XML"),
        ("plain text", "damaged, or no XML"),
        ("<level_X/>", "describes no bands"),
        (enmap_xml(order=range(4)), "describes 4 bands; .* has 5"),
        (enmap_xml(order=[0, 1, 2, 3, 3]), "no sequence"),
        (enmap_xml().replace('number="2"', 'number="two"'), "a band has no number"),
        (enmap_xml().replace("<GainOfBand>0.0002", "<GainOfBand>"), "'GainOfBand' of a band"),
        (enmap_xml().replace("418.24", "NaN"), "'wavelengthCenterOfBand' of a band is nan"),
        (enmap_xml().replace("418.24", "-418.24"), "a band centre of -418.24"),
        (enmap_xml().replace("<FWHMOfBand>7.5</FWHMOfBand>", ""), "'FWHMOfBand' of a band"),
    ],
)
@pytest.mark.parametrize("opened", [0, 1])
def test_metadata_that_are_not_what_they_should_be(enmap, text, words, opened):
    enmap[1].write_text(text)
    with pytest.raises(SceneError, match=words) as caught:
        load_scene(enmap[opened])
    assert "METADATA.XML" in str(caught.value)
    assert str(caught.value).count("\n") < 5


def test_metadata_that_are_very_large_are_not_read(enmap):
    with enmap[1].open("r+b") as file:
        file.truncate(2**31)
    with pytest.raises(SceneError, match="2,147,483,648 bytes"):
        load_scene(enmap[0])


def test_a_background_that_is_no_number(tmp_path):
    write_image(tmp_path / "a-SPECTRAL_IMAGE.TIF")
    (tmp_path / "a-METADATA.XML").write_text(
        enmap_xml(inside="<backgroundValue>x</backgroundValue>")
    )
    with pytest.raises(SceneError, match="'backgroundValue' is no number"):
        load_scene(tmp_path / "a-SPECTRAL_IMAGE.TIF")


def test_other_xml_is_no_scene(tmp_path, enmap):
    (tmp_path / "other.xml").write_text("<a/>")
    with pytest.raises(SceneError, match="only the metadata of EnMAP and DESIS"):
        load_scene(tmp_path / "other.xml")
    with pytest.raises(SceneError, match="expected labels"):
        load_scene(enmap[0], labels=enmap[1])
