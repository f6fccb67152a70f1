"""A scene with other bands than a classifier's."""

import dataclasses

import numpy as np
import pytest

from hsi.errors import UsageError
from hsi.scenes import Scene
from hsi.scenes.trained_bands import TrainedBands, match_bands

OWN = np.arange(400.0, 1000, 10)


def surface(centres):
    """A smooth cube ``(3, 4, bands)`` as an ideal sensor with these centres measures it."""
    place = np.arange(12).reshape(3, 4, 1)
    return (0.3 + 0.02 * place * np.sin(centres / 150 + place)).astype(np.float32)


@pytest.fixture
def bands():
    return TrainedBands(count=len(OWN), wavelengths=OWN, fwhm=np.full(len(OWN), 11.0))


def scene(centres, **changes):
    return Scene(name="other", cube=surface(centres), wavelengths=centres, **changes)


def test_other_bands_are_resampled_only_when_asked(bands):
    other = scene(np.arange(395.0, 1010, 4))
    with pytest.raises(UsageError, match=r"154 bands.* on 60(.|\n)*--resample-bands"):
        match_bands(other, bands)
    matched = match_bands(other, bands, resample=True)
    np.testing.assert_allclose(matched.cube[:], surface(OWN), atol=1e-3)
    assert matched.wavelengths is OWN
    assert matched.metadata["resampled_from_bands"] == 154
    assert match_bands(matched, bands) is matched
    assert match_bands(matched, bands, resample=True) is matched


def test_the_same_bands_are_never_touched(bands):
    same = scene(OWN + 0.4)
    assert match_bands(same, bands, resample=True) is same


def test_pixels_without_data_stay_without(bands):
    centres = np.arange(395.0, 1010, 4)
    other = scene(centres, nodata=-1)
    other.cube[1, 2] = -1
    matched = match_bands(other, bands, resample=True)
    assert matched.nodata is None
    np.testing.assert_array_equal(matched.valid, other.valid)
    assert not matched.valid[1, 2]


def test_centres_that_the_scene_says_nothing_about_are_listed(bands):
    with pytest.raises(UsageError, match=r"9 of the 60 .*: those of 400\.0-480\.0nm\n") as refused:
        match_bands(scene(np.arange(485.0, 1010, 4)), bands, resample=True)
    assert "between 485.0 and 1009.0 nm" in str(refused.value)
    gap = np.delete(np.arange(395.0, 1010, 4), slice(50, 70))
    with pytest.raises(UsageError, match=r"8 of the 60 .*: those of 600\.0-670\.0nm\n"):
        match_bands(scene(gap), bands, resample=True)


def test_one_band_that_was_dropped_is_bridged(bands):
    file_bands = np.arange(60) != 30
    bands = dataclasses.replace(bands, fwhm=None, file_bands=np.ones(60, dtype=bool))
    other = scene(OWN[file_bands], file_bands=file_bands)
    with pytest.raises(UsageError, match="other lacks band 31 of its 60"):
        match_bands(other, bands)
    matched = match_bands(other, bands, resample=True)
    expected = surface(OWN)
    expected[:, :, 30] = (expected[:, :, 29] + expected[:, :, 31]) / 2
    np.testing.assert_allclose(matched.cube[:], expected, rtol=1e-5)


@pytest.mark.parametrize("unknown", ["scene", "classifier"])
def test_without_band_centres_nothing_is_resampled(bands, unknown):
    other = scene(np.arange(395.0, 1010, 4))
    if unknown == "scene":
        other = dataclasses.replace(other, wavelengths=None)
    else:
        bands = dataclasses.replace(bands, wavelengths=None)
    with pytest.raises(UsageError, match=r"centres of .* are not known"):
        match_bands(other, bands, resample=True)
