import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hsi.report.explorer.packing import unpack
from hsi.report.explorer.spectra import FINE_STEPS, HIGHEST, MISSING, quantise, take_spectra
from hsi.scenes import lazy
from hsi.scenes.lazy import BandSelection

CUBES = st.sampled_from([np.int16, np.uint16, np.uint8]).flatmap(
    lambda dtype: arrays(dtype, (3, 4, 2))
)


@given(CUBES)
def test_whole_numbers_of_16_bits_are_exact_unless_they_fill_all_of_them(values):
    spectra = quantise(values, nodata=None, step=1)
    ranges = np.ptp(values.astype(np.int64), axis=(0, 1))
    if (ranges <= HIGHEST).all():
        assert spectra.exact
        np.testing.assert_array_equal(spectra.values(), values)
    else:
        assert not spectra.exact
        assert (np.abs(spectra.values() - values) <= spectra.quantum / 2 + 1e-9).all()


@given(arrays(np.float64, (4, 5, 2), elements=st.floats(-1e6, 1e6)))
def test_values_are_off_by_half_a_quantum_at_most(values):
    spectra = quantise(values, nodata=None, step=1)
    error = np.abs(spectra.values() - values)
    assert (error <= spectra.quantum * 0.5000001 + 1e-9).all()
    assert (spectra.quantum <= np.maximum(np.ptp(values, axis=(0, 1)) / FINE_STEPS, 1)).all()


def test_an_outlier_does_not_coarsen_a_band_more_than_its_range_demands():
    values = np.random.default_rng(0).normal(0.3, 0.05, (100, 100, 1))
    values[0, 0] = 3.0
    spectra = quantise(values, nodata=None, step=1)
    assert spectra.quantum[0] < 0.0002
    assert spectra.values()[0, 0, 0] == pytest.approx(3.0, abs=spectra.quantum[0])


def test_missing_values_stay_missing_and_the_others_known():
    values = np.array([[[1.0, np.nan], [2.0, -9999]], [[-9999, np.inf], [4.0, np.nan]]])
    spectra = quantise(values, nodata=-9999, step=1)
    shown = spectra.values()
    assert np.isnan(shown[:, :, 1]).all()
    half = spectra.quantum[0] / 2
    np.testing.assert_allclose(shown[:, :, 0], [[1, 2], [np.nan, 4]], atol=half, rtol=0)
    assert (spectra.levels[1] == MISSING).all()


def test_all_pixels_of_a_small_scene_are_held(make_scene):
    scene = make_scene()
    spectra, block = take_spectra(scene)
    assert (spectra.step, spectra.shape) == (1, scene.shape)
    np.testing.assert_array_equal(spectra.values(), scene.cube)
    np.testing.assert_array_equal(unpack(block), spectra.levels)


@pytest.mark.parametrize("limit", [400, 3_000, 20_000])
def test_a_large_scene_keeps_every_nth_pixel_and_all_bands_within_the_bound(make_scene, limit):
    scene = make_scene(60, 45, 8)
    spectra, block = take_spectra(scene, max_bytes=limit)
    assert len(block.data) <= limit
    assert spectra.step > 1
    np.testing.assert_array_equal(
        spectra.values(), scene.cube[:: spectra.step, :: spectra.step].astype(float)
    )
    # A finer grid would not have fitted.
    finer = scene.cube[:: spectra.step - 1, :: spectra.step - 1]
    assert finer.size * 1.0 > limit * 0.5


def test_a_file_is_read_in_blocks(make_scene, monkeypatch):
    monkeypatch.setattr(lazy, "BLOCK_BYTES", 100_000)

    class Watched(BandSelection):
        most = 0

        def read(self, rows, cols, bands):
            self.most = max(self.most, rows.stop - rows.start)
            return super().read(rows, cols, bands)

    cube = np.arange(4000 * 50 * 20, dtype=np.int32).reshape(4000, 50, 20) % 7000
    scene = make_scene(labelled=False)
    watched = Watched(cube, np.arange(20))
    spectra, _ = take_spectra(type(scene)(name="long", cube=watched), max_bytes=20_000)
    assert spectra.step > 4
    assert 0 < watched.most <= 100_000 // (50 * 20 * 4)
    np.testing.assert_array_equal(spectra.values()[3], cube[3 * spectra.step, :: spectra.step])
