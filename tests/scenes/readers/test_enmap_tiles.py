"""Real EnMAP tiles, where the machine has them (HSI_DATA); rasterio is the outside measure."""

import numpy as np
import pytest
import rasterio

from hsi.scenes import load_scene
from hsi.scenes.lazy import BandSelection

TILES = 18


@pytest.fixture
def tiles(real_data):
    folder = real_data / "enmap_potsdam"
    if not folder.is_dir():
        pytest.skip("HSI_DATA has no folder enmap_potsdam")
    found = sorted((folder / "images").glob("*.tif"))
    assert len(found) == TILES
    return [(image, folder / "labels" / image.name) for image in found]


def test_values_place_and_bands_are_those_of_the_files(tiles):
    for image, truth in tiles[:: TILES // 6]:
        scene = load_scene(image, labels=truth)
        with rasterio.open(image) as file, rasterio.open(truth) as labels:
            stored = file.read().transpose(1, 2, 0).astype(np.float64)
            assert scene.grid.rasterio_crs == file.crs
            assert scene.grid.transform == tuple(file.transform)[:6]
            centres = np.array([float(file.tags(i)["wavelength"]) for i in file.indexes])
            widths = np.array([float(file.tags(i)["fwhm"]) for i in file.indexes])
            np.testing.assert_array_equal(scene.labels, labels.read(1))
        kept = ~(stored == -32768).all(axis=(0, 1))
        assert kept.sum() == scene.bands == 218
        assert (centres[~kept].min(), centres[~kept].max()) == (1331.22, 1390.84)
        np.testing.assert_array_equal(scene.file_bands, kept)
        np.testing.assert_array_equal(scene.wavelengths, centres[kept])
        np.testing.assert_array_equal(scene.fwhm, widths[kept])
        expected = np.where(stored == -32768, np.nan, stored * 1e-4)[:, :, kept]
        np.testing.assert_allclose(np.asarray(scene.cube), expected, rtol=1e-6, atol=1e-8)


def test_a_tile_is_read_only_where_it_is_sliced(tiles):
    scene = load_scene(tiles[0][0])
    assert isinstance(scene.cube, BandSelection)
    assert (np.diff(scene.wavelengths) < 0).any()
    assert scene.grid.pixel_area_m2(scene.rows, scene.cols) == 900
    red, green, blue = scene.wavelengths[list(scene.rgb_bands)]
    np.testing.assert_allclose([red, green, blue], [640, 550, 460], atol=5)
