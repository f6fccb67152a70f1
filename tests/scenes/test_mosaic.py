"""Several scenes as one."""

import dataclasses
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hsi
from hsi.errors import UsageError
from hsi.scenes import Scene, open_scene
from hsi.scenes.grid import Grid
from hsi.scenes.mosaic import scene_of
from hsi.scenes.packing import pack
from hsi.scenes.part import Part

SIDES = st.tuples(st.integers(1, 40), st.integers(1, 40))


def make(name, rows, cols, *, seed=0, bands=6, dtype=np.int16, **changes):
    rng = np.random.default_rng(seed)
    given = {
        "cube": rng.integers(1, 1000, (rows, cols, bands)).astype(dtype),
        "labels": rng.integers(0, 3, (rows, cols)).astype(np.int32),
        "wavelengths": np.linspace(400, 900, bands),
    }
    return Scene(name=name, **(given | changes))


@given(st.lists(SIDES, min_size=1, max_size=12), st.integers(0, 20))
def test_rectangles_are_apart_and_on_the_canvas(sizes, gap):
    corners, (rows, cols) = pack(sizes, gap)
    parts = [
        Part(name="", rows=slice(top, top + height), cols=slice(left, left + width))
        for (top, left), (height, width) in zip(corners, sizes, strict=True)
    ]
    assert max(part.rows.stop for part in parts) == rows
    assert max(part.cols.stop for part in parts) == cols
    canvas = np.zeros((rows, cols), dtype=int)
    for part in parts:
        canvas[part.rows, part.cols] += 1
    assert canvas.max() == 1
    assert canvas.sum() == sum(height * width for height, width in sizes)
    for one, two in combinations(parts, 2):
        assert one.distance(two) == two.distance(one) >= gap


@pytest.mark.parametrize("count", [1, 2, 4, 9, 14, 18, 50, 100])
def test_tiles_are_packed_without_waste(count):
    _, (rows, cols) = pack([(32, 32)] * count, 24)
    # Each tile takes itself and the gap on two of its sides, and at most a tenth is left empty.
    assert (rows + 24) * (cols + 24) <= 1.1 * count * 56**2
    if count >= 9:
        assert max(rows, cols) <= 5 * min(rows, cols)


def test_many_scenes_are_packed_in_no_time():
    sizes = np.random.default_rng(0).integers(1, 500, (2000, 2)).tolist()
    _, (rows, cols) = pack(sizes, 24)
    assert (rows + 24) * (cols + 24) < 1.4 * sum((r + 24) * (c + 24) for r, c in sizes)


@pytest.fixture
def three():
    """Scenes of other sizes, types and values without data."""
    one = make("one", 9, 7, nodata=-1)
    one.cube[2, 3] = -1
    two = make("two", 5, 11, seed=1, dtype=np.float32)
    two.cube[0, 0, 2] = np.nan
    grid = Grid(crs="EPSG:32633", transform=(30, 0, 366975, 0, -30, 5807085))
    return [one, two, make("three", 4, 4, seed=2, dtype=np.uint8, grid=grid)]


def test_it_holds_every_value_of_every_scene_and_nothing_else(three):
    mosaic = hsi.join_scenes(three, gap=3)
    cube = mosaic.cube[:]
    assert cube.dtype == np.float32
    rest = np.ones(mosaic.shape[:2], dtype=bool)
    for scene, part in zip(three, mosaic.parts, strict=True):
        held = cube[part.rows, part.cols]
        missing = np.isnan(scene.cube) | (scene.cube == scene.nodata)
        np.testing.assert_array_equal(held[~missing], scene.cube[~missing])
        assert np.isnan(held[missing]).all()
        np.testing.assert_array_equal(mosaic.valid[part.rows, part.cols], scene.valid)
        np.testing.assert_array_equal(mosaic.labels[part.rows, part.cols], scene.labels)
        assert (part.name, part.grid, part.shape) == (scene.name, scene.grid, scene.shape[:2])
        rest[part.rows, part.cols] = False
    assert rest.any()
    assert np.isnan(cube[rest]).all()
    assert not mosaic.valid[rest].any()
    assert not mosaic.labels[rest].any()


@given(st.data())
def test_it_is_indexed_as_an_array(data):
    mosaic = hsi.join_scenes([make("a", 5, 6), make("b", 4, 3, seed=1)], gap=2)
    whole = np.asarray(mosaic.cube)
    rows = data.draw(st.slices(mosaic.rows))
    cols = data.draw(st.integers(0, mosaic.cols - 1) | st.slices(mosaic.cols))
    bands = data.draw(st.lists(st.integers(0, 5), min_size=1) | st.slices(6))
    np.testing.assert_array_equal(mosaic.cube[rows, cols, bands], whole[rows, cols, bands])


@pytest.mark.parametrize(
    ("dtypes", "expected"),
    [((np.uint8, np.int16), "f4"), ((np.int32, np.float32), "f8"), ((np.float64, np.int16), "f8")],
)
def test_no_value_is_rounded(dtypes, expected):
    scenes = [make("a", 3, 3, dtype=dtypes[0]), make("b", 3, 3, dtype=dtypes[1])]
    large = np.iinfo(dtypes[0]).max if np.dtype(dtypes[0]).kind in "iu" else 1 / 3
    scenes[0].cube[0, 0, 0] = large
    mosaic = hsi.join_scenes(scenes)
    assert mosaic.cube.dtype == expected
    assert mosaic.cube[0, 0, 0] == large


def test_a_part_is_a_scene_again(three):
    mosaic = hsi.join_scenes(three, gap=3)
    for scene, part in zip(three, mosaic.parts, strict=True):
        again = scene_of(mosaic, part)
        assert (again.name, again.grid, again.parts) == (scene.name, scene.grid, ())
        np.testing.assert_array_equal(again.valid, scene.valid)
        np.testing.assert_array_equal(again.cube[scene.valid], scene.cube[scene.valid])
        np.testing.assert_array_equal(again.labels, scene.labels)
    bare = dataclasses.replace(three[0], labels=np.zeros((9, 7), dtype=np.int32) + 2)
    three[1].labels[:] = 2
    three[1].labels[0] = 0
    mosaic = hsi.join_scenes([bare, three[1]], gap=3)
    mosaic.labels[mosaic.parts[0].rows, mosaic.parts[0].cols] = 0
    assert scene_of(mosaic, mosaic.parts[0]).labels is None


def test_classes_are_put_together():
    one = make("one", 4, 4, class_names={1: "Water"}, class_colors={1: (0, 0, 255)})
    two = make("two", 4, 4, seed=1, class_names={2: "Forest", 7: "Sand"})
    mosaic = hsi.join_scenes([one, two])
    assert mosaic.class_names == {1: "Water", 2: "Forest", 7: "Sand"}
    assert mosaic.class_colors[1] == (0, 0, 255)
    assert len(set(mosaic.class_colors.values())) == 3


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({1: "Sea"}, r"class 1 is 'Water' in one and 'Sea' in two\n"),
        ({2: "Water"}, r"'Water' is class 1 in one and class 2 in two\n"),
    ],
)
def test_classes_that_contradict_each_other_are_refused(names, said):
    one = make("one", 4, 4, class_names={1: "Water"})
    with pytest.raises(UsageError, match=said):
        hsi.join_scenes([one, make("two", 4, 4, class_names=names)])


def test_other_bands_are_refused():
    one, few = make("one", 4, 4), make("few", 4, 4, bands=5)
    with pytest.raises(
        UsageError,
        match=r"one has 6 bands \(400\.0 to 900\.0 nm\), few has 5 bands \(400\.0 to 900\.0 nm\)",
    ):
        hsi.join_scenes([one, few])
    moved = make("moved", 4, 4, wavelengths=np.array([400.0, 500, 600, 702, 800, 900]))
    with pytest.raises(UsageError, match=r"band 4 lies at 700\.0 and 702\.0 nm"):
        hsi.join_scenes([one, moved])
    assert hsi.join_scenes([one, dataclasses.replace(moved, wavelengths=None)]).bands == 6


def test_bands_that_some_scenes_lack_are_left_out_and_constant_ones_are_not(tmp_path):
    cube = np.random.default_rng(0).random((5, 4, 8))
    first, second = cube.copy(), cube.copy()
    first[:, :, 2], second[:, :, 2] = np.nan, np.nan
    first[:, :, 4] = np.nan  # in one of them only
    second[:, :, 6] = 0.5  # as in a tile of open water
    first[:, :, 7], second[:, :, 7] = 0, 0
    np.save(tmp_path / "first.npy", first)
    np.save(tmp_path / "second.npy", second)
    mosaic = hsi.load_scenes([tmp_path / "first.npy", tmp_path / "second.npy"])
    assert np.flatnonzero(mosaic.file_bands).tolist() == [0, 1, 3, 5, 6]
    counts = {"empty_bands": 1, "constant_bands": 1, "bands_of_some_scenes": 1}
    assert {name: mosaic.metadata[name] for name in counts} == counts
    part = mosaic.parts[1]
    np.testing.assert_array_equal(
        mosaic.cube[part.rows, part.cols], second[:, :, mosaic.file_bands]
    )


def test_what_cannot_be_joined():
    one = make("one", 4, 4)
    with pytest.raises(UsageError, match="no scene to join"):
        hsi.join_scenes([])
    with pytest.raises(UsageError, match=r"without labels: two; the other scenes have some"):
        hsi.join_scenes([one, make("two", 4, 4, labels=None)])
    with pytest.raises(UsageError, match="is a mosaic already"):
        hsi.join_scenes([one, hsi.join_scenes([one, one])])
    with pytest.raises(UsageError, match="gap=-1"):
        hsi.join_scenes([one, one], gap=-1)


def test_its_source_gives_it_again_and_that_of_a_scene_in_memory_is_empty(tmp_path):
    for name in ("a", "b"):
        np.save(tmp_path / f"{name}.npy", np.random.default_rng(0).random((5, 4, 3)))
        np.save(tmp_path / f"{name}_truth.npy", np.arange(20).reshape(5, 4) % 3)
    pairs = [(tmp_path / f"{name}.npy", tmp_path / f"{name}_truth.npy") for name in "ab"]
    mosaic = hsi.load_scenes(pairs[:1], test=pairs[1:], gap=5, reading={"nodata": 0.5})
    assert mosaic.source["gap"] == 5
    assert [part["role"] for part in mosaic.source["parts"]] == ["train", "test"]
    again = open_scene(mosaic.source)
    assert again.parts == mosaic.parts
    assert again.source == mosaic.source
    assert again.parts[1].source["nodata"] == 0.5
    np.testing.assert_array_equal(again.cube[:], mosaic.cube[:])
    assert hsi.join_scenes([hsi.load_scene(pairs[0][0]), make("m", 3, 3, bands=3, labels=None,
                           wavelengths=None)]).source == {}  # fmt: skip


def test_scenes_that_show_the_same_ground():
    def part(east, north, *, crs="EPSG:32633", a=30.0, b=0.0):
        grid = Grid(crs=crs, transform=(a, b, east, 0, -30, north))
        return Part(name="", rows=slice(0, 10), cols=slice(0, 10), grid=grid)

    one = part(0, 0)
    assert one.shares_ground(part(299, -299))
    assert not one.shares_ground(part(300, 0)), "they touch"
    assert not one.shares_ground(part(0, 299.8)), "as near as rounding may bring them"
    assert not one.shares_ground(part(0, 0, crs="EPSG:32632"))
    assert not one.shares_ground(part(0, 0, b=1.0))
    assert not one.shares_ground(Part(name="", rows=slice(0, 10), cols=slice(0, 10)))
