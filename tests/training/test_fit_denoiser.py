"""A denoiser learns to take noise away, from what it is said to, and is kept whole."""

import numpy as np
import pytest
import torch
from torch import nn

from hsi.denoising import DnCNN, add_noise
from hsi.errors import RunError, UsageError
from hsi.training import Denoiser, DenoiseSettings, fit_denoiser

CPU = torch.device("cpu")


def smooth_cube(*, rows=40, cols=36, bands=12, seed=0):
    """Return a cube of two materials whose shares change slowly, in shares of the bands' ranges."""
    generator = np.random.default_rng(seed)
    down, right = np.mgrid[:rows, :cols]
    share = (np.sin(down / 9 + seed) + np.cos(right / 7) + 2)[..., None] / 4
    return (share * generator.uniform(0.3, 1, bands)).astype(np.float32)


def trained(settings, scenes, **options):
    torch.manual_seed(0)
    network = DnCNN(channels=settings.channels, depth=settings.layers)
    denoiser = Denoiser(network=network, on=settings.on)
    history = fit_denoiser(
        denoiser, scenes, settings=settings, device=CPU, **({"validation": []} | options)
    )
    return denoiser, history


@pytest.mark.parametrize("on", ["components", "bands"])
def test_it_learns_to_take_noise_away(on):
    settings = DenoiseSettings(
        on=on, sigma="25", depth=3, epochs=3, steps=15, batch_size=6, patch_size=16,
        group=3 if on == "bands" else None,
    )  # fmt: skip
    _, history = trained(settings, [smooth_cube()], validation=[smooth_cube(seed=5)])
    assert [each.epoch for each in history] == [1, 2, 3]
    assert history[-1].train_accuracy > max(0.4, history[0].train_accuracy)
    assert history[-1].validation_accuracy > 0.3
    assert history[-1].loss < history[0].loss


def test_pixels_without_data_are_not_learned_from(small_denoiser):
    settings = DenoiseSettings(**small_denoiser)
    cube = smooth_cube()
    cube[:8, :, 3] = np.nan
    denoiser, history = trained(settings, [cube])
    assert all(np.isfinite(each.loss) for each in history)
    assert all(value.isfinite().all() for value in denoiser.network.state_dict().values())


def test_the_same_seed_gives_the_same_bits_and_another_one_others(small_denoiser):
    def weights(seed):
        denoiser, _ = trained(DenoiseSettings(**small_denoiser, seed=seed), [smooth_cube()])
        return torch.cat([value.flatten() for value in denoiser.network.parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_statistics_of_batch_norms_are_those_of_the_last_weights(small_denoiser):
    denoiser, _ = trained(DenoiseSettings(**small_denoiser), [smooth_cube()])
    norms = [layer for layer in denoiser.network if isinstance(layer, nn.BatchNorm2d)]
    assert [int(each.num_batches_tracked) for each in norms] == [40] * len(norms)
    assert all(each.momentum == 0.1 and not each.training for each in norms)


def test_scenes_that_do_not_fit(small_denoiser):
    with pytest.raises(UsageError, match="36 pixels is smaller than a patch of 40 x 40"):
        trained(DenoiseSettings(**small_denoiser | {"patch_size": 40}), [smooth_cube()])
    with pytest.raises(UsageError, match="20 neighbouring bands together, but a scene has 12"):
        trained(DenoiseSettings(**small_denoiser, on="bands", group=20), [smooth_cube()])


@pytest.mark.parametrize(
    ("given", "layers", "channels"),
    [
        ({}, 20, 1), ({"sigma": "25"}, 17, 1), ({"depth": 5}, 5, 1), ({"on": "bands"}, 20, 5),
        ({"on": "bands", "group": 1, "sigma": "15-15"}, 17, 1),
    ],
)  # fmt: skip
def test_layers_and_channels_as_in_the_paper_where_nothing_is_said(given, layers, channels):
    settings = DenoiseSettings(**given)
    assert (settings.layers, settings.channels) == (layers, channels)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"noise": ["stripe"]}, "did you mean 'stripes'"), ({"group": 3}, "one at a time"),
        ({"sigma": "5-"}, "a range such as 0-55"), ({"depth": 2}, "depth"),
        ({"noise": []}, "noise"), ({"epochz": 3}, "did you mean 'epochs'"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_meant(given, said):
    with pytest.raises(UsageError, match=said):
        DenoiseSettings().changed(**given)


def test_a_denoiser_is_read_as_it_was_written(small_denoiser, tmp_path):
    settings = DenoiseSettings(**small_denoiser, on="bands", group=2)
    denoiser, _ = trained(settings, [smooth_cube()])
    denoiser.save(tmp_path / "model.safetensors")
    again = Denoiser.load(tmp_path / "model.safetensors")
    assert (again.on, again.network.channels, again.network.depth) == ("bands", 2, 3)
    noisy = torch.randn(1, 2, 12, 12)
    with torch.inference_mode():
        assert torch.equal(again.network(noisy), denoiser.network(noisy))
    damaged = bytearray((tmp_path / "model.safetensors").read_bytes())
    damaged[-9] ^= 1
    (tmp_path / "model.safetensors").write_bytes(damaged)
    with pytest.raises(RunError, match="damaged"):
        Denoiser.load(tmp_path / "model.safetensors")


def test_noise_of_every_kind_can_be_learned(small_denoiser):
    kinds = ["gaussian", "per-band", "stripes", "dead-lines"]
    settings = DenoiseSettings(**small_denoiser | {"epochs": 1}, noise=kinds)
    _, history = trained(settings, [smooth_cube(), smooth_cube(rows=20, seed=1)])
    assert np.isfinite(history[0].loss)
    noisy = add_noise(
        smooth_cube().astype(float), kind="stripes", sigma=25, generator=np.random.default_rng(0)
    )
    assert noisy.shape == (40, 36, 12)
