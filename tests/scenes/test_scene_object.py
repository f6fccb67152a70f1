"""`Scene` itself: its checks, blocks, valid pixels and composite."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsi.errors import SceneError
from hsi.scenes import Scene
from hsi.scenes.lazy import LazyCube
from hsi.scenes.palette import PALETTE, complete_colors, parse_color


def scene(cube=None, **fields):
    return Scene(name="here", cube=np.ones((3, 4, 9)) if cube is None else cube, **fields)


def labels(*ids):
    values = np.zeros((3, 4), np.int32)
    values.flat[: len(ids)] = ids
    return values


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"cube": np.ones((3, 4))}, "2 axes"),
        ({"cube": np.ones((3, 0, 4))}, "empty"),
        ({"cube": np.ones((3, 4, 9), complex)}, "complex128"),
        ({"cube": np.full((3, 4, 9), "a")}, "real numbers"),
        ({"wavelengths": np.ones(8)}, "9 bands but 8 wavelengths"),
        ({"rgb_bands": (0, 1, 9)}, r"expected three bands of 0\.\.8"),
        ({"labels": labels(1)[1:]}, "3 rows and 4 columns"),
        ({"labels": labels(1).T}, "transposed"),
        ({"labels": labels(1, -4)}, "-4 at row 0, column 1"),
        ({"labels": labels()}, "0 everywhere"),
        ({"labels": labels(1).astype(np.uint8)}, "int32 array, not uint8"),
    ],
)
def test_parts_that_do_not_fit(fields, words):
    with pytest.raises(SceneError, match=words):
        scene(**fields)


def test_names_and_colours_are_completed_and_those_given_kept():
    made = scene(labels=labels(5, 14, 9), class_names={14: "Water"}, class_colors={14: (0, 0, 250)})
    assert made.class_ids.tolist() == [5, 9, 14]
    assert made.class_names == {5: "class 5", 9: "class 9", 14: "Water"}
    assert made.class_colors[14] == (0, 0, 250)
    assert len(set(made.class_colors.values())) == 3


def test_natural_colours_by_wavelength():
    centres = np.array([900, 460, 700, 555, 420, 645, 1000, 2000, 2100.0])
    assert scene(wavelengths=centres).rgb_bands == (5, 3, 1)


def test_composite_bands_without_wavelengths_are_three_different_ones():
    assert scene().rgb_bands == (7, 4, 1)
    assert scene(cube=np.ones((2, 2, 1))).rgb_bands == (0, 0, 0)


@pytest.mark.parametrize("max_bytes", [1, 100, 10**9])
def test_blocks_are_whole_rows_that_make_up_the_cube(max_bytes):
    cube = np.random.default_rng(0).normal(size=(7, 4, 3)).astype(">f4")
    blocks = list(scene(cube).iter_blocks(max_bytes=max_bytes))
    assert [row for rows, _ in blocks for row in range(7)[rows]] == list(range(7))
    np.testing.assert_array_equal(np.concatenate([block for _, block in blocks]), cube)
    assert all(block.dtype.isnative for _, block in blocks)
    assert all(len(block) == 1 or block.nbytes <= max_bytes for _, block in blocks)


def test_valid_pixels():
    cube = np.ones((3, 4, 9), np.float32)
    cube[0, 0, 8], cube[1, 1, 0], cube[2, 3, 4] = np.nan, -np.inf, -32768
    expected = np.ones((3, 4), bool)
    expected[0, 0] = expected[1, 1] = False
    np.testing.assert_array_equal(scene(cube).valid, expected)
    expected[2, 3] = False
    np.testing.assert_array_equal(scene(cube, nodata=-32768).valid, expected)


@pytest.mark.parametrize("nodata", [-9999.0, 0.5, 1e6, np.nan])
def test_a_nodata_value_that_the_type_cannot_hold_marks_nothing(nodata):
    assert scene(np.zeros((3, 4, 9), np.uint8), nodata=nodata).valid.all()


class Unreadable:
    shape, dtype, ndim = (3, 4, 9), np.dtype(np.uint16), 3

    def __getitem__(self, key):
        raise AssertionError("the cube was read")


def test_integers_without_nodata_are_valid_without_reading():
    assert scene(Unreadable()).valid.all()


def test_composite_stretches_each_band_between_its_percentiles():
    ramp = np.arange(1000, dtype=np.float64).reshape(20, 50)
    cube = np.stack([ramp, -5 * ramp, np.full_like(ramp, 3)], axis=2)
    cube[0, 0] = np.nan
    picture = scene(cube, rgb_bands=(0, 1, 2)).composite()
    assert picture.dtype == np.uint8
    assert picture.shape == (20, 50, 3)
    assert (picture[0, 0] == 0).all()
    values = np.arange(1, 1000)
    low, high = np.percentile(values, [2, 98])
    expected = np.rint(255 * np.clip((values - low) / (high - low), 0, 1))
    np.testing.assert_array_equal(picture[..., 0].ravel()[1:], expected)
    np.testing.assert_allclose(picture[..., 1].ravel()[1:].astype(int), 255 - expected, atol=1)


def test_composite_without_a_valid_pixel_is_black():
    assert not scene(np.full((3, 4, 9), np.nan)).composite().any()


@given(
    given_colors=st.dictionaries(
        st.integers(1, 40), st.tuples(*[st.integers(0, 255)] * 3), max_size=8
    ),
    ids=st.sets(st.integers(1, 120), min_size=1, max_size=60),
)
@settings(deadline=None, max_examples=50)
def test_colours_are_complete_and_distinct(given_colors, ids):
    colors = complete_colors(sorted(ids), given_colors)
    assert set(colors) == ids | set(given_colors)
    assert len(set(colors.values())) == len(colors)
    assert (0, 0, 0) not in colors.values()
    for each, color in given_colors.items():
        if list(given_colors.values()).count(color) == 1 and color != (0, 0, 0):
            assert colors[each] == color or color in colors.values()


def luminance(color):
    red, green, blue = (c / 255 for c in color)
    return 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2


def test_the_palette_is_of_distinct_colours_apart_from_black_and_white():
    colors = [parse_color(text) for text in PALETTE]
    assert len(set(colors)) == len(colors) == 24
    assert all(0.001 < luminance(color) < 0.95 for color in colors)


@pytest.mark.parametrize("text", ["red", "#12345", "#1234567", "123456", "#12345g"])
def test_colours_written_otherwise_are_refused(text):
    with pytest.raises(ValueError, match=r"colour|hex"):
        parse_color(text)


def test_bands_of_the_file_that_do_not_fit_the_cube():
    with pytest.raises(SceneError, match="has 4 bands, but file_bands marks 3"):
        Scene(name="s", cube=np.ones((2, 3, 4)), file_bands=np.array([True, False, True, True]))


def test_the_composite_of_a_large_scene_is_made_of_few_rows_at_a_time(monkeypatch):
    cube = np.random.default_rng(0).normal(500, 90, (120, 50, 4)).astype(np.float32)
    cube[:40] = np.nan
    whole = scene(cube, rgb_bands=(0, 3, 1)).composite()
    monkeypatch.setattr("hsi.scenes.scene.SAMPLE", 600)
    monkeypatch.setattr("hsi.scenes.scene.BLOCK_BYTES", 3 * 8 * 50 * 7)

    class Recorded(LazyCube):
        def __init__(self):
            super().__init__(cube.shape, cube.dtype)
            self.heights = []

        def read(self, rows, cols, bands):
            self.heights.append(rows.stop - rows.start)
            return cube[rows, cols][:, :, bands]

    recorded = Recorded()
    large = scene(recorded, rgb_bands=(0, 3, 1))
    assert large.valid.sum() == 80 * 50
    assert large._composite_sample().shape == (8 * 50, 3)
    recorded.heights.clear()
    sampled = large.composite()
    assert recorded.heights[-18:] == [7] * 17 + [1]
    apart = np.abs(sampled.astype(int) - whole)
    assert apart.max() < 40
    assert apart.mean() < 5
    monkeypatch.setattr("hsi.scenes.scene.SAMPLE", 10**6)
    assert np.array_equal(large.composite(), whole)
