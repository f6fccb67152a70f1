"""Labels that are shapes, or rasters on other pixels, come to lie on the scene's pixels."""

import json

import geopandas
import numpy as np
import pytest
import rasterio
import spectral.io.envi
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.features import rasterize
from shapely import Point, box
from shapely.affinity import rotate

from hsi.errors import SceneError, UsageError
from hsi.scenes import load_scene, regrid
from hsi.scenes.grid import Grid
from hsi.scenes.readers.vector import read_vector
from hsi.scenes.regrid import on_grid

ROWS, COLS = 20, 30
LEFT, TOP, SIDE = 366_000.0, 5_807_000.0, 30.0
GRID = Grid(crs="EPSG:32633", transform=(SIDE, 0, LEFT, 0, -SIDE, TOP))


def cells(row, col, rows, cols):
    """Return the rectangle around some pixels, in the scene's coordinate system."""
    return box(
        LEFT + SIDE * col, TOP - SIDE * (row + rows), LEFT + SIDE * (col + cols), TOP - SIDE * row
    )


FIELDS = geopandas.GeoDataFrame(
    {"crop": ["wheat", "maize", "wheat", None], "area": [1.5, 2.5, 3.5, 4.5]},
    geometry=[cells(1, 2, 4, 5), cells(10, 3, 3, 3), cells(12, 20, 6, 8), cells(0, 25, 2, 2)],
    crs="EPSG:32633",
)


def expected():
    labels = np.zeros((ROWS, COLS), dtype=np.int32)
    labels[1:5, 2:7] = labels[12:18, 20:28] = 2
    labels[10:13, 3:6] = 1
    return labels


@pytest.fixture
def image(tmp_path):
    """An ENVI image at the place of `GRID`."""
    cube = np.random.default_rng(0).integers(1, 900, (ROWS, COLS, 4)).astype(np.int16)
    spectral.io.envi.save_image(
        str(tmp_path / "scene.hdr"),
        cube,
        metadata={
            "map info": ["UTM", "1", "1", str(LEFT), str(TOP), "30", "30", "33", "North", "WGS-84"]
        },
    )
    return tmp_path / "scene.hdr"


def draw(path, table=FIELDS, crs=None, **options):
    (table if crs is None else table.to_crs(crs)).to_file(path, engine="pyogrio", **options)
    return path


def read(path, *, field="crop", layer=None, grid=GRID):
    return read_vector(path, field=field, layer=layer, grid=grid, rows=ROWS, cols=COLS)


@pytest.mark.parametrize("name", ["f.gpkg", "f.geojson", "f.shp", "f.fgb"])
@pytest.mark.parametrize("crs", [None, "EPSG:3035"])
def test_every_format_and_coordinate_system_gives_the_same_pixels(name, crs, tmp_path):
    drawn = read(draw(tmp_path / name, crs=crs))
    np.testing.assert_array_equal(drawn.ids, expected())
    assert drawn.class_names == {1: "maize", 2: "wheat"}
    assert drawn.notes == {"shapes_without_class_or_place": 1}


def test_labels_of_a_scene(image, tmp_path):
    shapes = draw(tmp_path / "fields.gpkg")
    scene = load_scene(image, labels=shapes, label_field="crop")
    np.testing.assert_array_equal(scene.labels, expected())
    assert scene.class_names == {1: "maize", 2: "wheat"}
    assert scene.metadata["shapes_without_class_or_place"] == 1
    again = load_scene(**scene.source)
    np.testing.assert_array_equal(again.labels, scene.labels)


def test_the_only_field_that_can_be_meant_is_taken(tmp_path):
    drawn = read(draw(tmp_path / "fields.gpkg"), field=None)
    assert drawn.class_names == {1: "maize", 2: "wheat"}
    with pytest.raises(UsageError, match="2 fields that could tell the class: crop, other"):
        read(draw(tmp_path / "two.gpkg", FIELDS.assign(other="x")), field=None)
    with pytest.raises(UsageError, match="no field 'corp'; it has crop, area"):
        read(tmp_path / "fields.gpkg", field="corp")


def test_whole_numbers_are_ids(tmp_path):
    drawn = read(draw(tmp_path / "ids.gpkg", FIELDS.assign(code=[7, 300, 7, 9])), field="code")
    assert np.unique(drawn.ids).tolist() == [0, 7, 9, 300]
    assert drawn.class_names == {}
    for wrong in ([0, 1, 2, 3], [-1, 1, 2, 3]):
        with pytest.raises(SceneError, match="an id is a whole number from 1"):
            read(draw(tmp_path / "wrong.gpkg", FIELDS.assign(code=wrong)), field="code")
    with pytest.raises(SceneError, match=r"'area' holds 1\.5; an id is a whole number"):
        read(tmp_path / "ids.gpkg", field="area")


def test_points_label_the_pixel_they_lie_in(tmp_path):
    points = geopandas.GeoDataFrame(
        {"crop": ["oats", "rye"]},
        geometry=[
            Point(LEFT + 3.01 * SIDE, TOP - 5.99 * SIDE), Point(LEFT + 29.9 * SIDE, TOP - 1)
        ],
        crs="EPSG:32633",
    )  # fmt: skip
    ids = read(draw(tmp_path / "points.geojson", points.to_crs(4326))).ids
    assert np.argwhere(ids).tolist() == [[0, 29], [5, 3]]
    assert (ids[5, 3], ids[0, 29]) == (1, 2)


def test_pixels_of_two_classes_get_none(tmp_path):
    both = geopandas.GeoDataFrame(
        {"crop": ["a", "b", "a"]},
        geometry=[cells(0, 0, 4, 4), cells(2, 2, 4, 4), cells(1, 1, 2, 2)],
        crs="EPSG:32633",
    )
    drawn = read(draw(tmp_path / "both.gpkg", both))
    assert drawn.notes == {"pixels_of_two_classes": 4}
    assert (drawn.ids[2:4, 2:4] == 0).all()
    assert np.count_nonzero(drawn.ids) == 16 + 16 - 8


def test_shapes_without_a_pixel_are_counted_and_none_at_all_is_an_error(tmp_path):
    tiny = cells(3, 3, 1, 1).buffer(-0.8 * SIDE / 2)  # its centre all the same
    off = rotate(box(LEFT + 1, TOP - 5, LEFT + 9, TOP - 1), 10)
    away = cells(500, 500, 2, 2)
    table = geopandas.GeoDataFrame(
        {"crop": ["a", "b", "c"]}, geometry=[tiny, off, away], crs="EPSG:32633"
    )
    drawn = read(draw(tmp_path / "some.gpkg", table))
    assert np.argwhere(drawn.ids).tolist() == [[3, 3]]
    assert drawn.notes == {"shapes_without_pixel": 2}
    with pytest.raises(SceneError, match="no shape holds the centre of a pixel"):
        read(draw(tmp_path / "off.gpkg", table.iloc[1:2]))
    with pytest.raises(SceneError, match="do not overlap") as error:
        read(draw(tmp_path / "away.gpkg", table.iloc[2:]))
    assert "scene  366000 5806400 366900 5807000" in str(error.value)
    assert "shapes 381000 5791940 381060 5792000" in str(error.value)


@given(
    shapes=st.lists(
        st.tuples(
            st.floats(-3, 22), st.floats(-3, 32), st.floats(0.3, 12), st.floats(0.3, 12),
            st.floats(0, 90), st.integers(1, 3),
        ),
        min_size=1, max_size=6,
    ),
    turn=st.floats(-30, 30),
)  # fmt: skip
@settings(max_examples=40)
def test_pixels_are_those_whose_centre_a_shape_holds(shapes, turn, tmp_path_factory):
    turned = GRID.affine * rasterio.Affine.rotation(turn)
    grid = Grid(crs="EPSG:32633", transform=tuple(turned)[:6])
    drawn = [rotate(cells(*place), angle) for *place, angle, _ in shapes]
    ids = [each[-1] for each in shapes]
    claims = [
        (rasterize([shape], out_shape=(ROWS, COLS), transform=turned) == 1, each)
        for shape, each in zip(drawn, ids, strict=True)
    ]
    truth = np.zeros((ROWS, COLS), dtype=np.int32)
    for each in set(ids):
        mine = np.any([mask for mask, owner in claims if owner == each], axis=0)
        others = np.any(
            [mask for mask, owner in claims if owner != each] or [np.zeros_like(mine)], axis=0
        )
        truth[mine & ~others] = each
    path = tmp_path_factory.mktemp("shapes") / "shapes.gpkg"
    draw(path, geopandas.GeoDataFrame({"id": ids}, geometry=drawn, crs="EPSG:32633"))
    try:
        found = read(path, field="id", grid=grid).ids
    except SceneError:
        found = np.zeros_like(truth)
    np.testing.assert_array_equal(found, truth)


def test_bad_shapes(image, tmp_path):
    with pytest.raises(SceneError, match="does not say where it lies"):
        read(draw(tmp_path / "fields.gpkg"), grid=None)
    with pytest.raises(SceneError, match="it has no coordinate system"):
        read(tmp_path / "fields.gpkg", grid=Grid(transform=GRID.transform))
    lines = FIELDS.set_geometry(FIELDS.boundary)
    with pytest.raises(SceneError, match="holds LineString; expected polygons or points"):
        read(draw(tmp_path / "lines.gpkg", lines))
    draw(tmp_path / "nowhere.shp").with_suffix(".prj").unlink()
    with pytest.raises(SceneError, match="does not say its coordinate system"):
        read(tmp_path / "nowhere.shp")
    (tmp_path / "cut.gpkg").write_bytes((tmp_path / "fields.gpkg").read_bytes()[:6000])
    with pytest.raises(SceneError, match="damaged, or no file of shapes"):
        read(tmp_path / "cut.gpkg")
    (tmp_path / "remote.gpkg").write_text("<OGRVRTDataSource><OGRVRTLayer/></OGRVRTDataSource>")
    with pytest.raises(SceneError, match=r"is no \.gpkg file"):
        load_scene(image, labels=tmp_path / "remote.gpkg")
    (tmp_path / "list.json").write_text('{"a": 1}')
    with pytest.raises(SceneError, match="damaged, or no file of shapes"):
        read(tmp_path / "list.json")
    with pytest.raises(UsageError, match="tells the class of shapes"):
        load_scene(image, labels=image, label_field="crop")


def test_layers_have_to_be_chosen(tmp_path):
    path = draw(tmp_path / "fields.gpkg", layer="old")
    draw(path, FIELDS.assign(crop="rape"), layer="new")
    with pytest.raises(UsageError, match="2 layers: old, new"):
        read(path)
    assert read(path, layer="new").class_names == {1: "rape"}
    with pytest.raises(UsageError, match="no layer 'newer'"):
        read(path, layer="newer")


def test_rasters_are_brought_to_the_scene():
    coarse = np.arange(1, 71).reshape(7, 10).astype(np.int32)
    own = Grid(crs="EPSG:32633", transform=(3 * SIDE, 0, LEFT, 0, -3 * SIDE, TOP))
    placed = on_grid(coarse, own=own, grid=GRID, shape=(ROWS, COLS), path="x")
    truth = np.repeat(np.repeat(coarse, 3, axis=0), 3, axis=1)[:ROWS, :COLS]
    np.testing.assert_array_equal(placed, truth)
    shifted = GRID.part(4, -2)
    placed = on_grid(truth, own=shifted, grid=GRID, shape=(ROWS, COLS), path="x")
    np.testing.assert_array_equal(placed[4:, :-2], truth[:-4, 2:])
    assert (placed[:4] == 0).all()
    same = on_grid(truth, own=GRID, grid=GRID, shape=(ROWS, COLS), path="x")
    assert same is truth


def test_rasters_in_another_coordinate_system_are_placed_exactly(monkeypatch):
    from rasterio.warp import transform

    own = Grid(crs="EPSG:4326", transform=(0.0004, 0, 13.02, 0, -0.00025, 52.42))
    labels = np.random.default_rng(3).integers(1, 999, (300, 400)).astype(np.int32)
    monkeypatch.setattr(regrid, "BLOCK_PIXELS", 70)
    shape = (200, 150)
    placed = on_grid(labels, own=own, grid=GRID, shape=shape, path="x")
    hit = 0
    for row in range(0, 200, 3):
        for col in range(0, 150, 3):
            east, north = GRID.place(row + 0.5, col + 0.5)
            (x,), (y,) = transform("EPSG:32633", "EPSG:4326", [east], [north])
            i, j = int(np.floor((52.42 - y) / 0.00025)), int(np.floor((x - 13.02) / 0.0004))
            inside = 0 <= i < 300 and 0 <= j < 400
            hit += inside
            assert placed[row, col] == (labels[i, j] if inside else 0)
    assert 100 < hit < 67 * 50


def test_rasters_of_another_place_are_refused():
    away = Grid(crs="EPSG:4326", transform=(0.001, 0, 13.0, 0, -0.001, 40.0))
    with pytest.raises(SceneError, match="do not overlap") as error:
        on_grid(np.ones((5, 5), np.int32), own=away, grid=GRID, shape=(ROWS, COLS), path="x")
    assert "(EPSG:32633)" in str(error.value)
    assert "(from EPSG:4326)" in str(error.value)


def library(path, *, unit="Micrometers", spectra=None, profiles=None):
    spectra = spectra or [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]
    profiles = profiles or [
        json.dumps({"x": [0.4, 0.6, 0.5], "y": values, "xUnit": unit}) for values in spectra
    ]
    table = geopandas.GeoDataFrame(
        {"name": ["a 1", "a 2", "b 1"], "kind": ["roof", "roof", None], "profiles": profiles},
        geometry=[Point()] * 3,
        crs="EPSG:4326",
    )
    return draw(path, table)


def test_a_library_of_spectra_is_a_scene(tmp_path):
    scene = load_scene(library(tmp_path / "library.gpkg"), label_field="kind")
    np.testing.assert_array_equal(scene.cube[:, 0], [[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    np.testing.assert_allclose(scene.wavelengths, [400, 600, 500])
    assert scene.labels.tolist() == [[1], [1], [0]]
    assert scene.class_names == {1: "roof"}
    assert load_scene(tmp_path / "library.gpkg").class_names == {1: "a 1", 2: "a 2", 3: "b 1"}
    again = load_scene(**scene.source)
    np.testing.assert_array_equal(again.labels, scene.labels)
    with pytest.raises(UsageError, match="no field of text 'kin'; it has name, kind"):
        load_scene(tmp_path / "library.gpkg", label_field="kin")


def test_an_envi_library_is_a_scene(tmp_path):
    spectra = np.arange(12, dtype=np.float32).reshape(3, 4)
    library = spectral.io.envi.SpectralLibrary(
        spectra,
        {
            "spectra names": ["oak", "ash", "oak"],
            "wavelength": ["0.4", "0.5", "0.6", "0.7"],
            "wavelength units": "Micrometers",
        },
        None,
    )
    library.save(str(tmp_path / "trees"))
    for name in ("trees.hdr", "trees.sli"):
        scene = load_scene(tmp_path / name)
        np.testing.assert_array_equal(scene.cube[:, 0], spectra)
        np.testing.assert_allclose(scene.wavelengths, [400, 500, 600, 700])
        assert scene.labels.tolist() == [[2], [1], [2]]
        assert scene.class_names == {1: "ash", 2: "oak"}
    with pytest.raises(SceneError, match="is a spectral library"):
        load_scene(tmp_path / "trees.hdr", labels=tmp_path / "trees.hdr")


def test_bad_libraries(tmp_path):
    for profile, reason in (
        ({"y": [1, 2]}, "'x'"),
        ({"x": [1, 2, 3], "y": [1, 2]}, "wavelengths for"),
        ({"x": [1, 2], "y": [1, "?"]}, "could not convert"),
        ({"x": [1, 2], "y": [1, 2], "xUnit": "Hertz"}, "no unit of length"),
    ):
        path = library(tmp_path / "bad.gpkg", profiles=[json.dumps(profile)] * 3)
        with pytest.raises(SceneError, match=f"profile of spectrum 1 cannot be read.*{reason}"):
            load_scene(path)
    other = [json.dumps({"x": [1] * n, "y": [1] * n, "xUnit": "nm"}) for n in (3, 2, 3)]
    path = library(tmp_path / "two.gpkg", profiles=other)
    with pytest.raises(SceneError, match="spectrum 2 has 2 bands"):
        load_scene(path)
    with pytest.raises(SceneError, match="holds no spectra"):
        load_scene(draw(tmp_path / "fields.gpkg"))


def test_the_real_library(real_data):
    scene = load_scene(real_data / "spectra" / "library_berlin.gpkg", label_field="level_2")
    assert scene.shape[:2] == (75, 1)
    assert 459 < scene.wavelengths.min() < 461
    assert sorted(scene.class_names.values()) == [
        "impervious", "low vegetation", "soil", "tree", "water"
    ]  # fmt: skip
