"""Rasters that are damaged or name other places: one clear error, nothing followed."""

import struct

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from hsi.errors import SceneError
from hsi.scenes import load_scene
from hsi.scenes.readers.raster import read_raster
from hsi.scenes.readers.raster_cube import reading

ROWS, COLS, BANDS = 64, 80, 6
CUBE = np.random.default_rng(1).integers(0, 4000, (ROWS, COLS, BANDS)).astype(np.int16)
TILES = {"tiled": True, "blockxsize": 16, "blockysize": 16}


def write(path, driver="GTiff", **profile):
    profile = {"transform": from_origin(500000, 4000000, 30, 30), "crs": "EPSG:32633"} | profile
    with rasterio.open(
        path, "w", driver=driver, height=ROWS, width=COLS, count=BANDS, dtype="int16", **profile
    ) as file:
        file.write(CUBE.transpose(2, 0, 1))
    return path


def one_error(path, read=load_scene):
    """Return the only message that opening and reading a file gives."""
    with pytest.raises(SceneError) as caught:
        np.asarray(read(path).cube)
    text = str(caught.value)
    assert path.name in text
    assert text.count("\n") < 5
    return text


@pytest.mark.parametrize(
    "profile",
    [{}, {"interleave": "pixel"}, TILES | {"compress": "deflate"}, {"compress": "lzw"},
     {"driver": "COG"}],
)  # fmt: skip
@pytest.mark.parametrize("part", [0.9, 0.5, 0.1])
def test_a_file_that_is_cut_off_is_refused_when_opened(tmp_path, profile, part):
    path = write(tmp_path / "a.tif", **profile)
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(SceneError, match=r"a\.tif is cut off: .* the file has [\d,]+$"):
        read_raster(path, key=None, purpose="cube")


def test_damage_in_the_middle_shows_where_it_is_sliced(tmp_path, capfd):
    path = write(tmp_path / "a.tif", interleave="pixel", compress="deflate", **TILES)
    content = bytearray(path.read_bytes())
    with rasterio.open(path) as file:
        offset, size = (
            int(file.get_tag_item(f"BLOCK_{what}_2_3", "TIFF", bidx=1))
            for what in ("OFFSET", "SIZE")
        )
    content[offset : offset + size] = b"\xff" * size
    path.write_bytes(bytes(content))
    cube = read_raster(path, key=None, purpose="cube").array
    np.testing.assert_array_equal(cube[:48], CUBE[:48])
    np.testing.assert_array_equal(cube[48:, 48:], CUBE[48:, 48:])
    with pytest.raises(SceneError, match=r"a\.tif cannot be read; it is cut off or damaged\nGDAL"):
        cube[50, 40]
    np.testing.assert_array_equal(cube[:48], CUBE[:48])
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("profile", [{}, TILES | {"compress": "deflate"}, {"driver": "COG"}])
def test_whatever_byte_is_wrong_there_is_one_error_or_none(tmp_path, profile):
    path = write(tmp_path / "a.tif", **profile)
    content, errors = path.read_bytes(), []
    for seed in range(40):
        generator = np.random.default_rng(seed)
        damaged = bytearray(content)
        for at in generator.integers(0, 400 if seed % 2 else len(content), 5):
            damaged[at] = generator.integers(256)
        path.write_bytes(bytes(damaged))
        try:
            cube = read_raster(path, key=None, purpose="cube").array
            if np.prod(cube.shape) < 1e7:
                cube[:]
        except SceneError as error:
            errors.append(str(error))
    assert len(errors) > 3
    assert all(text.count("\n") < 5 for text in errors)


def tiff(rows, cols, *, bands=1, compression=1, offset=8, size=8):
    """Return a TIFF of one strip, written by hand: 12 bytes for each tag."""
    tags = [(256, 4, cols), (257, 4, rows), (258, 3, 16), (259, 3, compression), (262, 3, 1),
            (273, 4, offset), (277, 3, bands), (278, 4, rows), (279, 4, size)]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", len(tags)) + entries + bytes(4)


@pytest.mark.parametrize(("rows", "cols", "offset"), [(60_000, 60_000, 8), (400_000, 400_000, 0)])
@pytest.mark.parametrize("compression", [1, 8])
def test_a_small_file_that_claims_to_be_huge(tmp_path, rows, cols, offset, compression):
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(rows, cols, offset=offset, size=offset, compression=compression))
    one_error(path)
    with pytest.raises(SceneError, match=r"a\.tif"):
        read_raster(path, key=None, purpose="labels")


def test_a_file_that_changes_while_it_is_in_use(tmp_path):
    path = write(tmp_path / "a.tif")
    cube = read_raster(path, key=None, purpose="cube").array
    with rasterio.open(path) as file:
        profile = file.profile | {"count": 1}
    with rasterio.open(path, "w", **profile) as file:
        file.write(CUBE[:, :, :1].transpose(2, 0, 1))
    with pytest.raises(SceneError, match="changed while it was in use"):
        cube[0]


VIRTUAL = (
    '<VRTDataset rasterXSize="2" rasterYSize="2"><VRTRasterBand dataType="Byte" band="1">'
    "<SimpleSource><SourceFilename>{}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
)


@pytest.mark.parametrize("suffix", [".tif", ".jp2", ".img", ".bil", ".png"])
@pytest.mark.parametrize("text", [VIRTUAL, "{}", "/vsicurl/{}", '<GDAL_WMS><Service name="TMS">{}'])
def test_a_text_that_names_another_place_is_not_followed(tmp_path, server, suffix, text, counted):
    path = tmp_path / f"a{suffix}"
    path.write_text(text.format(f"{server.address}/x.tif"))
    assert "not followed" in one_error(path)
    assert server.asked == []
    counted("hostile files", "files made to do harm")


def test_a_virtual_raster_has_no_reader(tmp_path):
    write(tmp_path / "b.tif")
    (tmp_path / "a.vrt").write_text(VIRTUAL.format("b.tif"))
    assert "cannot be read" in one_error(tmp_path / "a.vrt")


@pytest.mark.parametrize("form", ["{}/x.tif", "/vsicurl/{}/x.tif"])
def test_files_beside_a_raster_do_not_lead_elsewhere(tmp_path, server, form):
    path = write(tmp_path / "a.tif")
    place = form.format(server.address)
    (tmp_path / "a.tif.aux.xml").write_text(
        f'<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">{place}</MDI>'
        "</Metadata></PAMDataset>"
    )
    for suffix in (".ovr", ".msk"):
        (tmp_path / f"a.tif{suffix}").write_text(VIRTUAL.format(place))
    np.testing.assert_array_equal(load_scene(path).cube[:], CUBE)
    read_raster(path, key="2", purpose="labels").array[:]
    assert server.asked == []


def test_nothing_is_fetched_while_a_raster_is_read(tmp_path, server):
    # Whatever a file leads GDAL to, it is opened with these settings.
    place = f"/vsicurl/{server.address}/x.tif"
    with pytest.raises(SceneError), reading(tmp_path / "a.tif"):
        rasterio.open(place)
    assert server.asked == []


def test_a_broken_coordinate_system_is_one_error_or_none(tmp_path):
    path = write(tmp_path / "a.tif")
    content = path.read_bytes()
    at = content.index(struct.pack("<4H", 3072, 0, 1, 32633))
    path.write_bytes(content[: at + 6] + struct.pack("<H", 31999) + content[at + 8 :])
    scene = load_scene(path)
    np.testing.assert_array_equal(scene.cube[:], CUBE)
    assert scene.grid.transform == (30, 0, 500000, 0, -30, 4000000)
