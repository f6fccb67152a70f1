"""A scene in tiles comes out as the scene at once, at its borders too."""

import numpy as np
import pytest
import torch

from hsi.errors import SceneError, UsageError
from hsi.workflows.denoise.cleaning import Cleaning, cleaned


def all_of(denoiser, cube, side, **options):
    every = np.ones(cube.shape[2], dtype=bool)
    given = {"good": every, "restore": ~every, "nodata": None, "name": "a scene"} | options
    cleaning = Cleaning(denoiser, cube, **given)
    result = np.full((*cube.shape[:2], len(cleaning.good) + len(cleaning.restored)), -1.0)
    for tile, before, found in cleaning.tiles(side):
        np.testing.assert_array_equal(before, cube[tile.slices])
        result[tile.slices] = found
    return result, cleaning


@pytest.mark.parametrize(("on", "channels"), [("components", 1), ("bands", 3)])
@pytest.mark.parametrize("side", [3, 8, 16, 31, 46])
def test_tiles_are_exact(make_denoiser, noisy_cube, on, channels, side):
    denoiser = make_denoiser(on=on, channels=channels, dtype=torch.float64)
    cube = noisy_cube[2:, :, [0, 1, 2, 3, 5, 6, 7]].astype(np.float64)[: 9 if side < 8 else 31]
    whole, _ = all_of(denoiser, cube, 1000)
    parts, _ = all_of(denoiser, cube, side)
    assert np.abs(whole - cube).max() > 20  # it changes something
    np.testing.assert_allclose(parts, whole, rtol=0, atol=1e-9)


def test_the_whole_scene_is_what_the_network_says(make_denoiser, noisy_cube):
    """The network on bands, called by hand on the whole scene."""
    denoiser = make_denoiser(on="bands", channels=3, dtype=torch.float64)
    cube = noisy_cube[2:, :, [0, 1, 2, 3]].astype(np.float64)
    mean, unit = cube.mean(axis=(0, 1)), 6 * cube.std(axis=(0, 1))
    scaled = torch.from_numpy(((cube - mean) / unit).transpose(2, 0, 1))
    with torch.inference_mode():
        noise = torch.cat(
            [denoiser.network(scaled[None, :3])[0, :1], denoiser.network(scaled[None, 1:])[0]]
        )
    expected = cube - noise.numpy().transpose(1, 2, 0) * unit
    np.testing.assert_allclose(cleaned(denoiser, cube), expected, atol=1e-9)


def test_float32_differs_in_its_last_digits_only(make_denoiser, noisy_cube):
    cube = noisy_cube[2:, :, :4].astype(np.float64)
    whole, _ = all_of(make_denoiser(), cube, 1000)
    parts, _ = all_of(make_denoiser(), cube, 9)
    assert np.abs(parts - whole).max() < 1e-5 * np.ptp(cube)


def test_pixels_without_data_stay_so_and_others_do_not_see_their_values(make_denoiser, noisy_cube):
    denoiser = make_denoiser(dtype=torch.float64)
    cube = noisy_cube[..., [0, 1, 2, 3]].astype(np.float64)
    found, _ = all_of(denoiser, cube, 13, nodata=-9999.0)
    other = np.where(cube == -9999, np.nan, cube)
    again, _ = all_of(denoiser, other, 13)
    assert np.isnan(found).all(axis=2).sum() == 6
    np.testing.assert_array_equal(found, again)


def test_a_bad_band_is_told_from_the_others(make_denoiser, noisy_cube):
    cube = noisy_cube[2:, :, [0, 1, 2, 3, 5, 6]].astype(np.float64)
    spoilt = cube.copy()
    generator = np.random.default_rng(1)
    spoilt[..., 2] += generator.normal(0, 2000, spoilt.shape[:2])
    bad = np.arange(6) == 2
    denoiser = make_denoiser()
    torch.nn.init.zeros_(denoiser.network[-1].weight)  # takes nothing away
    found, cleaning = all_of(denoiser, spoilt, 20, good=~bad, restore=bad)
    assert cleaning.restored.tolist() == [2]
    error = np.abs(found[..., -1] - cube[..., 2]).mean()
    assert error < 0.3 * np.abs(spoilt[..., 2] - cube[..., 2]).mean()


def test_what_cannot_be_denoised(make_denoiser):
    cube = np.random.default_rng(0).normal(size=(9, 9, 3))
    with pytest.raises(UsageError, match="5 neighbouring bands together, but a scene has 3"):
        all_of(make_denoiser(on="bands", channels=5), cube, 9)
    with pytest.raises(SceneError, match="fewer than two pixels with data in every band"):
        all_of(make_denoiser(), np.full((9, 9, 3), np.nan), 9)
    with pytest.raises(SceneError, match="no band of a scene has different values"):
        all_of(make_denoiser(), np.full((9, 9, 3), 5.0), 9)
    with pytest.raises(SceneError, match="so large that their variance is not finite"):
        all_of(make_denoiser(), 1e300 * cube, 9)
