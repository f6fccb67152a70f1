"""ENVI classifications, read by Spectral Python, GDAL and the reader of scenes."""

import warnings

import numpy as np
import pytest
import rasterio
import spectral

import hsi
from hsi.errors import UsageError
from hsi.report import write_envi_classification
from hsi.scenes.grid import Grid

NAMES = {1: "Mais, {jung}", 4: "Röhricht\n = 水; x", 300: "c"}
COLORS = {1: (255, 0, 10), 4: (1, 2, 3), 300: (7, 8, 9)}
UTM = Grid(crs="EPSG:32733", transform=(30, 0, 366975, 0, -30, 5807085))


def ids(highest=4):
    return np.random.default_rng(0).choice([0, 1, 4, highest], (37, 53)).astype(np.int32)


@pytest.mark.parametrize("highest", [4, 300])
@pytest.mark.parametrize("suffix", [".img", ".hdr"])
def test_spectral_reads_ids_names_and_colours(highest, suffix, tmp_path):
    names = {each: name for each, name in NAMES.items() if each <= highest}
    path = tmp_path / f"map{suffix}"
    write_envi_classification(path, ids(highest), names=names, colors=COLORS, grid=UTM)
    assert {each.name for each in tmp_path.iterdir()} == {"map.img", "map.hdr"}
    image = spectral.open_image(str(tmp_path / "map.hdr"))
    np.testing.assert_array_equal(image.open_memmap()[..., 0], ids(highest))
    header = image.metadata
    assert header["file type"] == "ENVI Classification"
    assert int(header["classes"]) == len(header["class names"]) == highest + 1
    assert header["class names"][:5] == [
        "Unclassified", "Mais; (jung)", "unused 2", "unused 3", "Röhricht = 水; x"
    ]  # fmt: skip
    colors = np.array(header["class lookup"], dtype=int).reshape(-1, 3)
    assert {each: tuple(colors[each]) for each in names} == {e: COLORS[e] for e in names}
    assert header["map info"][:2] == ["UTM", "1"]
    assert header["map info"][7:9] == ["33", "South"]
    assert header["coordinate system string"][0].startswith("PROJCS")


@pytest.mark.parametrize(
    "grid",
    [
        UTM,
        Grid(crs="EPSG:4326", transform=(0.01, 0, 13, 0, -0.01, 52)),
        Grid(crs="EPSG:3035", transform=(10, 0, 4321000, 0, -10, 3210000)),
        Grid(crs="EPSG:32633", transform=(29, 3, 366975, 3, -29, 5807085)),
    ],
    ids=["utm south", "degrees", "laea", "turned"],
)
def test_gdal_finds_the_same_pixels_in_the_same_places(grid, tmp_path):
    write_envi_classification(tmp_path / "map.img", ids(), names=NAMES, colors=COLORS, grid=grid)
    with rasterio.open(tmp_path / "map.img") as raster:
        np.testing.assert_array_equal(raster.read(1), ids())
        assert raster.nodata == 0
        found = Grid(crs=raster.crs.to_wkt(), transform=tuple(raster.transform)[:6])
        assert raster.colormap(1)[4][:3] == COLORS[4]
    assert found.is_like(grid, *ids().shape)


def test_without_a_place_nothing_is_said_of_it(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_envi_classification(tmp_path / "map.img", ids(), names=NAMES, colors=COLORS)
    assert "map info" not in (tmp_path / "map.hdr").read_text(encoding="utf-8")


def test_it_is_ground_truth_for_a_scene_of_the_same_size(tmp_path):
    np.save(tmp_path / "cube.npy", np.ones((37, 53, 4), np.float32))
    write_envi_classification(tmp_path / "map.img", ids(), names={1: "a"}, colors=COLORS)
    scene = hsi.load_scene(tmp_path / "cube.npy", labels=tmp_path / "map.hdr")
    np.testing.assert_array_equal(scene.labels, ids())
    assert (scene.class_names[1], scene.class_colors[4]) == ("a", COLORS[4])


def test_an_id_that_no_list_of_classes_reaches_is_refused(tmp_path):
    with pytest.raises(UsageError, match="70000"):
        write_envi_classification(tmp_path / "map.img", np.array([[70_000]]), names={}, colors={})
    assert not list(tmp_path.iterdir())
