"""Which bands of a file are left out, and why."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import hsi
from hsi.errors import SceneError, UsageError
from hsi.scenes.band_ranges import bands_in
from hsi.scenes.bands import band_notes, usable_bands, with_file_bands
from hsi.scenes.cube import bands_that_vary
from hsi.scenes.lazy import LazyCube
from hsi.scenes.notes import scene_notes
from hsi.scenes.readers import READERS

# Two detectors: the second begins below the end of the first, as EnMAP's.
CENTRES = np.array([500.0, 600, 700, 800, 900, 990, 910, 1000, 1400, 1450, 1500])


@pytest.fixture
def envi(tmp_path):
    """Return a function that writes an ENVI image with those centres, and its path."""

    def write(cube, name="image"):
        rows, cols, bands = cube.shape
        (tmp_path / name).write_bytes(np.ascontiguousarray(cube, dtype="<f4").tobytes())
        (tmp_path / f"{name}.hdr").write_text(
            f"ENVI\nsamples = {cols}\nlines = {rows}\nbands = {bands}\nheader offset = 0\n"
            "data type = 4\ninterleave = bip\nbyte order = 0\nwavelength units = nanometers\n"
            f"wavelength = {{{', '.join(map(str, CENTRES[:bands]))}}}\n"
        )
        return tmp_path / name

    return write


@pytest.fixture
def noise():
    return np.random.default_rng(0).random((6, 5, len(CENTRES))).astype(np.float32)


@pytest.mark.parametrize(
    ("text", "dropped"),
    [
        ("900-990nm", [900, 990, 910]),
        ("0.9-0.99um", [900, 990, 910]),
        ("0.9um-0.99um, 1", [500, 900, 990, 910]),
        ("1-2,11", [500, 600, 1500]),
        ("1400nm-1450nm", [1400, 1450]),
        ("1450 - 1450 NM", [1450]),
    ],
)
def test_bands_are_dropped_by_wavelength_or_number_ends_included(envi, noise, text, dropped):
    scene = hsi.load_scene(envi(noise), drop_bands=text)
    left = ~np.isin(CENTRES, dropped)
    assert scene.wavelengths.tolist() == CENTRES[left].tolist()
    assert scene.file_bands.tolist() == left.tolist()
    np.testing.assert_array_equal(scene.cube[:], noise[:, :, left])
    assert scene.metadata["dropped_bands"] == len(dropped)
    assert scene.source["drop_bands"] == text
    again = hsi.load_scene(**scene.source)
    np.testing.assert_array_equal(again.file_bands, scene.file_bands)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1100-1300nm", r"contains no band of .*: the band centres nearest to it are "
         r"1000\.0 and 1400\.0 nm"),
        ("2000-2500nm", r"nearest to it are 1500\.0 nm"),
        ("0-3", "'0-3' is not among the bands of .*: they are numbered 1 to 11"),
        ("1340-1460", "numbered 1 to 11\nAdd the unit if wavelengths are meant"),
        ("9-4", "ends before it begins"),
        ("900-990cm", "the unit of '900-990cm' is not known"),
        ("0.9um-990nm", "the unit of .* is not known"),
        ("water", "'water' is no range"),
        ("1,,2", "'' is no range"),
        ("", "'' is no range"),
        ("1-11", "leaves none of"),
    ],
)  # fmt: skip
def test_ranges_that_cannot_be_meant_are_refused(envi, noise, text, said):
    with pytest.raises(UsageError, match=said) as refused:
        hsi.load_scene(envi(noise), drop_bands=text)
    assert str(refused.value).count("\n") < 5


def test_wavelengths_need_band_centres_and_numbers_do_not(tmp_path, noise):
    np.save(tmp_path / "cube.npy", noise)
    with pytest.raises(UsageError, match=r"centres of .*cube.npy are not known\nName bands by"):
        hsi.load_scene(tmp_path / "cube.npy", drop_bands="900-990nm")
    assert hsi.load_scene(tmp_path / "cube.npy", drop_bands="2-4").bands == 8


@given(st.permutations(range(11)), st.floats(450, 1550), st.floats(0, 300))
def test_the_order_of_band_centres_does_not_matter(order, low, width):
    order = np.array(order)
    text = f"{low:.3f}-{low + width:.3f}nm"
    low, high = (float(each.removesuffix("nm")) for each in text.split("-"))
    expected = {each for each in CENTRES.tolist() if low <= each <= high}
    if not expected:
        return
    hit = bands_in(text, bands=11, wavelengths=CENTRES[order], name="cube")
    assert set(CENTRES[order][hit].tolist()) == expected


def test_a_composite_takes_the_nearest_bands_whatever_their_order(envi, noise):
    scene = hsi.load_scene(envi(noise), drop_bands="600-700nm")
    assert [scene.wavelengths[band] for band in scene.rgb_bands] == [500, 500, 500]
    scene = dataclasses.replace(scene, wavelengths=scene.wavelengths[::-1], rgb_bands=None)
    assert [scene.wavelengths[band] for band in scene.rgb_bands] == [500, 500, 500]


small = st.sampled_from([0.0, 1.0, -9.0, np.nan])


@given(arrays(np.float32, (4, 3, 4), elements=small), st.sampled_from([None, -9.0]))
def test_constant_bands_are_those_with_one_value_in_all_valid_pixels(cube, nodata):
    missing = ~np.isfinite(cube) | (cube == nodata)
    valid = ~missing.any(axis=2)
    expected = [b for b in range(4) if len(set(cube[:, :, b][valid].tolist())) > 1]
    assert bands_that_vary(cube, nodata, bands=np.arange(4)).tolist() == expected


@given(
    arrays(np.int16, (4, 3, 5), elements=st.integers(0, 1)), st.sets(st.integers(0, 4), min_size=1)
)
def test_without_missing_values_the_same_holds_among_some_bands(cube, bands):
    bands = np.array(sorted(bands), dtype=np.intp)
    expected = [b for b in bands.tolist() if len(np.unique(cube[:, :, b])) > 1]
    assert bands_that_vary(cube, None, bands=bands).tolist() == expected


class Counted(LazyCube):
    """Notes down which rows of which bands were read."""

    def __init__(self, values):
        super().__init__(values.shape, values.dtype)
        self.values, self.asked = values, []

    def read(self, rows, cols, bands):
        self.asked.append((rows.stop, len(bands)))
        return self.values[rows, cols][:, :, bands]


def test_reading_stops_where_every_band_has_varied():
    values = np.random.default_rng(0).random((300, 100, 40))  # 32 kB in a row
    cube = Counted(values)
    bands_that_vary(cube, None, bands=np.arange(40))
    assert max(stop for stop, _ in cube.asked) <= 2**20 // 32_000
    values[:200, :, 7] = 3
    cube = Counted(values)
    assert len(bands_that_vary(cube, None, bands=np.arange(40))) == 40
    assert 200 < max(stop for stop, _ in cube.asked) < 300


def test_of_whole_numbers_only_bands_that_have_not_varied_are_read_on():
    values = np.random.default_rng(0).integers(0, 99, (300, 1000, 10), dtype=np.int16)
    values[:, :, 7] = 3
    cube = Counted(values)
    assert len(bands_that_vary(cube, None, bands=np.arange(10))) == 9
    assert {bands for _, bands in cube.asked[1:]} == {1}
    assert cube.asked[-1][0] == 300


def test_an_image_that_is_the_same_everywhere_is_kept_and_said(tmp_path):
    np.save(tmp_path / "cube.npy", np.full((4, 5, 3), 7.0, dtype=np.float32))
    scene = hsi.load_scene(tmp_path / "cube.npy")
    assert scene.bands == 3
    assert scene_notes(scene) == [
        "Every band has the same value everywhere: there is nothing that could tell pixels apart."
    ]


def test_constant_bands_are_left_out_and_counted(envi, noise):
    noise[:, :, 3], noise[:, :, 8] = 0.5, np.nan
    noise[2, 2, :] = np.nan
    noise[2, 2, 3] = 7  # the pixel is not valid
    scene = hsi.load_scene(envi(noise))
    assert scene.wavelengths.tolist() == np.delete(CENTRES, [3, 8]).tolist()
    assert (scene.metadata["constant_bands"], scene.metadata["empty_bands"]) == (1, 1)
    assert band_notes(scene) == [
        "2 bands of the file are left out: 1 holds no value, 1 has the same value everywhere."
    ]


@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 1, 5)])
def test_an_image_that_is_the_same_everywhere_keeps_its_bands(tmp_path, shape):
    np.save(tmp_path / "cube.npy", np.ones(shape, dtype=np.uint8))
    assert hsi.load_scene(tmp_path / "cube.npy").bands == 5


def test_each_band_is_counted_for_one_reason(tmp_path, noise):
    noise[:, :, 0] = np.nan
    noise[:, :, 1:4] = 0
    bad = np.arange(11) < 2
    choice = usable_bands(tmp_path, noise, nodata=None, bad=bad, drop="1-3")
    assert choice.counts == {
        "empty_bands": 1, "bad_bands": 1, "dropped_bands": 1, "constant_bands": 1,
    }  # fmt: skip
    assert choice.mask.tolist() == [False] * 4 + [True] * 7


def test_bands_that_are_marked_as_bad_can_be_kept(tmp_path, noise, monkeypatch, in_this_process):
    np.save(tmp_path / "cube.npy", noise)
    read = READERS[".npy"]

    def marked(*arguments, **keywords):
        return dataclasses.replace(read(*arguments, **keywords), bad_bands=np.arange(11) > 8)

    monkeypatch.setitem(READERS, ".npy", marked)
    scene = hsi.load_scene(tmp_path / "cube.npy")
    assert (scene.bands, scene.metadata["bad_bands"]) == (9, 2)
    assert "keep_bad_bands" not in scene.source
    kept = hsi.load_scene(tmp_path / "cube.npy", keep_bad_bands=True)
    assert kept.bands == 11
    assert kept.source["keep_bad_bands"] is True
    monkeypatch.setitem(
        READERS,
        ".npy",
        lambda *a, **k: dataclasses.replace(read(*a, **k), bad_bands=np.ones(11, bool)),
    )
    with pytest.raises(SceneError, match=r"marks all of its bands as bad; .*--keep-bad-bands"):
        hsi.load_scene(tmp_path / "cube.npy")


def test_constant_bands_are_found_again_and_others_are_not(envi, noise):
    noise[:, :, 3], noise[:, :, 8] = 0.5, np.nan
    scene = hsi.load_scene(envi(noise), drop_bands="1")
    wanted = scene.file_bands.copy()
    wanted[[3, 10]] = True, False
    changed = with_file_bands(scene, wanted)
    assert changed.wavelengths.tolist() == CENTRES[wanted].tolist()
    np.testing.assert_array_equal(changed.cube[:], noise[:, :, wanted])
    back = with_file_bands(changed, scene.file_bands)
    np.testing.assert_array_equal(back.cube[:], scene.cube[:])
    with pytest.raises(UsageError, match="lacks bands 1, 9 of its 11"):
        with_file_bands(scene, np.ones(11, dtype=bool))
