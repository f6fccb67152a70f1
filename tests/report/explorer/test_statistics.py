import numpy as np
import pytest

import hsi.report.explorer.statistics as module
from hsi.report.explorer.statistics import labelled_spectra, mapped_spectra


def test_mean_and_deviation_are_those_of_all_labelled_pixels(make_scene):
    scene = make_scene()
    found = labelled_spectra(scene, [3, 7, 11])
    for k, each in enumerate([3, 7, 11]):
        own = scene.cube[scene.labels == each].astype(np.float64)
        assert found.counts[k] == len(own)
        if each == 7:
            assert np.isnan(found.mean[k]).all()
            assert np.isnan(found.deviation[k]).all()
        else:
            np.testing.assert_allclose(found.mean[k], own.mean(axis=0), rtol=1e-12)
            np.testing.assert_allclose(found.deviation[k], own.std(axis=0), rtol=1e-12)


def test_blocks_make_no_difference(make_scene, monkeypatch):
    scene = make_scene(dtype=np.float32)
    whole = labelled_spectra(scene, [3, 11])
    monkeypatch.setattr(module, "BLOCK_BYTES", 1)  # a row at a time
    parts = labelled_spectra(scene, [3, 11])
    np.testing.assert_allclose(parts.mean, whole.mean, rtol=1e-12)
    np.testing.assert_allclose(parts.deviation, whole.deviation, rtol=1e-9)


def test_a_large_mean_does_not_drown_a_small_deviation(make_scene):
    scene = make_scene(dtype=np.float64)
    scene.cube[:] = 1e9 + np.random.default_rng(1).normal(0, 1e-2, scene.shape)
    own = scene.cube[scene.labels == 3] - 1e9
    found = labelled_spectra(scene, [3])
    np.testing.assert_allclose(found.deviation[0], own.std(axis=0), rtol=1e-3)


def test_pixels_without_data_in_any_band_do_not_count(make_scene):
    scene = make_scene(nodata=-1)
    row, col = np.argwhere(scene.labels == 3)[0]
    before = labelled_spectra(scene, [3]).counts[0]
    scene.cube[row, col, 2] = -1
    found = labelled_spectra(scene, [3])
    assert found.counts[0] == before - 1
    assert found.mean.min() > 0


def test_only_rows_with_labels_are_read(make_scene, monkeypatch):
    scene = make_scene()
    scene.labels[3:] = 0
    monkeypatch.setattr(module, "BLOCK_BYTES", 1)
    cube, read = scene.cube, []

    class Watched:
        dtype, shape = cube.dtype, cube.shape

        def __getitem__(self, key):
            read.append(key)
            return cube[key]

    object.__setattr__(scene, "cube", Watched())
    labelled_spectra(scene, [3, 11])
    assert {rows.start for rows in read} <= {0, 1, 2}


def test_of_a_map_the_pixels_of_a_class_are_those_mapped_so():
    spectra = np.array([[[1.0, 2.0], [3.0, 4.0]], [[5.0, np.nan], [7.0, 8.0]]])
    found = mapped_spectra(spectra, np.array([[4, 4], [4, 0]]), [4])
    assert found.counts.tolist() == [2]
    assert found.mean.tolist() == [[2.0, 3.0]]
    assert found.deviation.tolist() == [[1.0, 1.0]]
    assert pytest.approx(found.mean[0, 0]) == 2.0
