"""Files of scenes to denoise, and a denoiser of random weights: what it does is no matter."""

import numpy as np
import pytest
import rasterio
import torch

from hsi.denoising import DnCNN
from hsi.scenes import Scene
from hsi.training import Denoiser, DenoiseRun, DenoiseSettings


def random_denoiser(*, on="components", channels=1, depth=4, dtype=torch.float32):
    torch.manual_seed(0)
    network = DnCNN(channels=channels, depth=depth)
    torch.nn.init.normal_(network[-1].weight, std=0.02)
    for layer in network:
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 2)
    return Denoiser(network=network.to(dtype).eval(), on=on)


@pytest.fixture(scope="session")
def make_denoiser():
    """Return a function that makes a denoiser with random weights."""
    return random_denoiser


@pytest.fixture(scope="session")
def random_run(tmp_path_factory):
    """The run of such a denoiser, which takes no time to train."""
    folder = tmp_path_factory.mktemp("random") / "run"
    run = DenoiseRun.create(folder, settings=DenoiseSettings(depth=4), scenes=[], validation=[])
    run.save_classifier(random_denoiser())
    return run


@pytest.fixture(scope="session")
def noisy_cube():
    """``(33, 47, 9)`` whole numbers: two materials and noise; band 4 is the same everywhere."""
    generator = np.random.default_rng(0)
    down, right = np.mgrid[:33, :47]
    share = (np.sin(down / 6) + np.cos(right / 5) + 2)[..., None] / 4
    cube = (
        1000 + 3000 * share * generator.uniform(0.2, 1, 9) + 60 * generator.normal(size=(33, 47, 9))
    )
    cube = np.rint(cube).astype(np.int16)
    cube[..., 4] = 77
    cube[:2, :3] = -9999
    return cube


@pytest.fixture
def tif(tmp_path, noisy_cube):
    """A GeoTIFF with all that one can say of itself."""
    path = tmp_path / "noisy.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=33, width=47, count=9, dtype="int16", nodata=-9999,
        crs="EPSG:32633", transform=rasterio.Affine(30, 0, 366975, 0, -30, 5807085),
    ) as file:  # fmt: skip
        file.write(np.moveaxis(noisy_cube, 2, 0))
        file.update_tags(mission="EnMAP", acquisition_time="2022-07-24")
        file.scales, file.offsets = (1e-4,) * 9, (0.5,) * 9
        for band in range(1, 10):
            file.set_band_description(band, f"band {band}")
            tags = {"wavelength": 400 + 50 * band, "wavelength_units": "Nanometers"}
            file.update_tags(band, **tags, fwhm=9.5, bbl=int(band != 3), gain=band)
    return path


@pytest.fixture
def in_memory(noisy_cube):
    return Scene(name="made", cube=noisy_cube, nodata=-9999.0)
