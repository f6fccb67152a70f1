"""Maps in bfloat16: close to those of full precision, by every way."""

import numpy as np
import pytest
import torch

from hsi.errors import UsageError
from hsi.inference import predict_scene
from hsi.models import build_model


def network(name, dtype=torch.float32, **options):
    torch.manual_seed(0)
    return build_model(name, bands=14, classes=4, patch_size=11, **options).to(dtype)


CUBE = np.random.default_rng(0).standard_normal((30, 26, 14)).astype(np.float32)


@pytest.mark.parametrize("method", ["dense", "patches"])
@pytest.mark.parametrize("options", [{}, {"attention": "eca"}])
@pytest.mark.parametrize("name", ["hybridsn", "hybridsn-dw", "hybridsn-2d3d"])
def test_bfloat16_is_within_a_hundredth_of_the_range(name, options, method):
    model = network(name, **options)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    cube = CUBE if method == "dense" else CUBE[:14, :12]
    full = predict_scene(model, cube, method=method, device="cpu")
    half = predict_scene(model, cube, method=method, device="cpu", precision="bf16")
    assert half.dtype == full.dtype == np.float32
    error = np.abs(half - full).max()
    assert 0 < error <= 1e-2 * np.ptp(full)
    for key, value in model.state_dict().items():
        assert value.dtype == before[key].dtype
        assert torch.equal(value, before[key])


def test_a_network_of_float64_keeps_its_type():
    model = network("hybridsn-dw", torch.float64)
    full = predict_scene(model, CUBE, device="cpu")
    half = predict_scene(model, CUBE, device="cpu", precision="bf16")
    assert full.dtype == half.dtype == np.float64
    assert 0 < np.abs(half - full).max() <= 1e-2 * np.ptp(full)


def test_a_pixel_has_the_same_score_in_any_tile_size():
    model = network("hybridsn-dw")
    whole = predict_scene(model, CUBE, device="cpu", precision="bf16", method="patches")
    part = predict_scene(
        model, CUBE, device="cpu", precision="bf16", method="patches", max_memory="300M"
    )
    np.testing.assert_allclose(part, whole, atol=1e-2 * np.ptp(whole))


def test_an_unknown_precision_is_named_with_the_nearest():
    with pytest.raises(UsageError, match="bf16"):
        predict_scene(network("hybridsn"), CUBE, precision="bf61")
    with pytest.raises(UsageError, match="precision must be a name, not None"):
        predict_scene(network("hybridsn"), CUBE, precision=None)


def test_a_network_in_bfloat16_itself_is_told_what_to_do():
    model = build_model("hybridsn-dw", bands=CUBE.shape[2], classes=3, patch_size=9)
    with pytest.raises(UsageError, match=r"in bfloat16.*\n.*network\.float\(\)"):
        predict_scene(model.bfloat16(), CUBE, device="cpu")
