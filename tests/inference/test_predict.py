"""The contract of inference: both methods agree, and a prediction is a pixel's own."""

import numpy as np
import pytest
import torch
from torch import nn

from hsi.errors import UsageError
from hsi.inference import evaluating, predict_pixels, predict_scene
from hsi.models import PatchNetwork, build_model


def random_network(name, *, bands=14, classes=4, patch_size=11, dtype=torch.float32, seed=0):
    """Return a network whose batch norms have seen something."""
    torch.manual_seed(seed)
    model = build_model(name, bands=bands, classes=classes, patch_size=patch_size).to(dtype)
    return with_statistics(model)


def with_statistics(model):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.3, 0.3)
            nn.init.uniform_(module.running_var, 0.2, 2.0)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)
    return model


def random_cube(rows, cols, bands=14, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, cols, bands)).astype(np.float32)


def by_hand(model, cube):
    """Pad with NumPy, cut one patch after the other, and ask the network for each."""
    margin = model.patch_size // 2
    padded = np.pad(cube, ((margin, margin), (margin, margin), (0, 0)))
    scores = np.empty((model.classes, *cube.shape[:2]))
    model.eval()
    with torch.no_grad():
        for row, col in np.ndindex(*cube.shape[:2]):
            patch = padded[row : row + model.patch_size, col : col + model.patch_size]
            patch = torch.tensor(patch.transpose(2, 0, 1)[None]).to(next(model.parameters()).dtype)
            scores[:, row, col] = model(patch)[0].numpy()
    return scores


@pytest.mark.parametrize("shape", [(12, 9), (1, 13), (3, 3), (13, 1)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.float64, 1e-9)])
def test_dense_and_patches_equal_patches_cut_by_hand(
    small_trunk, shape, dtype, tolerance, monkeypatch
):
    # Batches are filled up; here they are as small as the scenes.
    monkeypatch.setattr("hsi.inference.patchwise.PATCH_BATCH", 8)
    torch.manual_seed(0)
    model = with_statistics(small_trunk.build().to(dtype))
    cube = random_cube(*shape, bands=model.bands)
    expected = by_hand(model, cube)
    spread = np.ptp(expected)
    for method in ("dense", "patches"):
        scores = predict_scene(model, cube, method=method, device="cpu")
        assert scores.shape == (4, *shape)
        assert np.abs(scores - expected).max() <= tolerance * spread, method


@pytest.mark.parametrize("shape", [(7, 8), (6, 15), (21, 4)])
def test_tiles_leave_no_seam(shape, monkeypatch):
    model = random_network("hybridsn-dw", dtype=torch.float64)
    cube = random_cube(*shape)
    whole = predict_scene(model, cube, method="dense", device="cpu")
    monkeypatch.setattr("hsi.inference.dense.TILE", 5)
    tiled = predict_scene(model, cube, method="dense", device="cpu")
    np.testing.assert_allclose(tiled, whole, rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", ["dense", "patches"])
def test_a_pixel_has_the_same_bits_in_any_company(method):
    model = random_network("hybridsn-dw").train()
    cube = random_cube(12, 11)
    rng = np.random.default_rng(1)
    pixels = np.indices((12, 11)).reshape(2, -1).T
    everyone = predict_pixels(model, cube, pixels, method=method, device="cpu")
    for size in (1, 2, 17, 131):
        some = rng.permutation(len(pixels))[:size]
        alone = predict_pixels(model, cube, pixels[some], method=method, device="cpu")
        assert np.array_equal(alone, everyone[some]), size


@pytest.mark.parametrize("method", ["dense", "patches"])
def test_two_predictions_have_the_same_bits(method):
    model = random_network("hybridsn").train()
    cube = random_cube(9, 10)
    first = predict_scene(model, cube, method=method, device="cpu")
    assert np.array_equal(first, predict_scene(model, cube, method=method, device="cpu"))


def test_without_evaluation_mode_company_and_chance_would_matter():
    """The two tests above can fail: in training mode the same network breaks both promises."""
    model = random_network("hybridsn-dw").train()
    patches = torch.randn(8, 14, 11, 11)
    with torch.no_grad():
        assert not torch.allclose(model(patches), model(patches))
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.eval()
        assert torch.allclose(model(patches), model(patches))
        assert not torch.allclose(model(patches)[:2], model(patches[:2]))


def test_prediction_leaves_the_mode_of_each_part_and_its_statistics():
    model = random_network("hybridsn").train()
    model.head.eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    predict_scene(model, random_cube(5, 5), device="cpu")
    assert model.trunk.training
    assert not model.head.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_the_mode_is_restored_after_an_error():
    model = random_network("hybridsn").train()

    def stop_while_evaluating():
        with evaluating(model):
            assert not model.training
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        stop_while_evaluating()
    assert all(module.training for module in model.modules())


def test_a_network_without_trunk_is_evaluated_patch_by_patch_and_says_so():
    torch.manual_seed(0)
    padded = nn.Sequential(
        nn.Conv2d(14, 5, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(5 * 25, 3)
    )
    model = PatchNetwork(
        trunk=nn.Identity(), head=padded, bands=14, classes=3, patch_size=5, receptive_field=1
    )
    cube = random_cube(6, 7)
    assert not model.has_trunk
    scores = predict_scene(model, cube, device="cpu")
    np.testing.assert_allclose(scores, by_hand(model, cube), atol=1e-5)
    with pytest.raises(UsageError, match="no trunk"):
        predict_scene(model, cube, method="dense", device="cpu")


def test_no_pixels_give_no_scores():
    model = random_network("hybridsn")
    scores = predict_pixels(
        model, random_cube(5, 5), np.empty((0, 2), dtype=np.int64), device="cpu"
    )
    assert scores.shape == (0, 4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"method": "denze"}, "did you mean 'dense'"),
        ({"device": "gpu"}, "device 'gpu' cannot be used"),
        ({"device": "meta"}, "holds no values"),
        ({"cube": np.zeros((5, 5, 3), np.float32)}, r"\(5, 5, 3\).*\(rows, cols, 14\)"),
        ({"cube": np.zeros((5, 14), np.float32)}, r"\(5, 14\)"),
    ],
)
def test_bad_arguments_are_refused(arguments, words):
    model = random_network("hybridsn")
    with pytest.raises(UsageError, match=words):
        predict_scene(model, **({"cube": random_cube(5, 5)} | arguments))


def test_a_network_of_ones_own_is_checked_before_it_is_mapped():
    """Padding inside the trunk would make a wrong map: it is refused, and patches still work."""
    trunk = nn.Conv2d(5, 4, 3, padding=1)
    head = nn.Sequential(nn.Flatten(), nn.Linear(4 * 81, 3))
    model = PatchNetwork(
        trunk=trunk, head=head, bands=5, classes=3, patch_size=9, receptive_field=1
    )
    cube = random_cube(12, 13, bands=5)
    with pytest.raises(UsageError, match="other values on a scene than on a patch"):
        predict_scene(model, cube, method="dense", device="cpu")
    with pytest.raises(UsageError, match="other values"):
        predict_scene(model, cube, device="cpu")
    assert predict_scene(model, cube, method="patches", device="cpu").shape == (3, 12, 13)


def test_a_plain_module_is_no_network_of_ours():
    with pytest.raises(UsageError, match=r"is a Linear; expected a hsi.PatchNetwork"):
        predict_scene(nn.Linear(2, 2), random_cube(3, 3), device="cpu")


@pytest.mark.parametrize("method", ["dense", "patches"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_pixels_without_a_value_are_refused_rather_than_spread(method, value):
    cube = random_cube(12, 13)
    cube[3, 4, 5] = value
    with pytest.raises(UsageError, match="holds NaN or infinity"):
        predict_scene(random_network("hybridsn"), cube, method=method, device="cpu")


@pytest.mark.parametrize("pixels", [[[0, 12]], [[-1, 0]], [[0, 0], [13, 0]]])
def test_pixels_outside_the_scene_are_refused(pixels):
    with pytest.raises(UsageError, match="there is no pixel at row"):
        predict_pixels(random_network("hybridsn"), random_cube(13, 12), np.array(pixels))


@pytest.mark.parametrize("pixels", [np.zeros((2, 2)), np.zeros((2, 3), int), np.zeros(2, int)])
def test_pixels_are_rows_and_columns(pixels):
    with pytest.raises(UsageError, match=r"pixels are \(N, 2\) whole numbers"):
        predict_pixels(random_network("hybridsn"), random_cube(13, 12), pixels)


def test_pixels_of_any_integer_type_and_order():
    model, cube = random_network("hybridsn"), random_cube(13, 12)
    pixels = np.array([[0, 1], [12, 11], [5, 5]])
    expected = predict_pixels(model, cube, pixels, device="cpu")
    for other in (pixels.astype(np.uint64), np.asfortranarray(pixels), pixels.astype(">i2")):
        assert np.array_equal(predict_pixels(model, cube, other, device="cpu"), expected)
    backwards = predict_pixels(model, cube, pixels[::-1], device="cpu")
    assert np.array_equal(backwards[::-1], expected)


@pytest.mark.parametrize(
    "cube", [np.zeros((0, 5, 14)), np.zeros((5, 0, 14)), np.zeros((5, 5, 14), complex)]
)
def test_cubes_without_pixels_or_real_numbers_are_refused(cube):
    with pytest.raises(UsageError, match="expected real numbers of at least one pixel"):
        predict_scene(random_network("hybridsn"), cube, device="cpu")


def test_long_doubles_are_taken():
    cube = random_cube(4, 3)
    model = random_network("hybridsn")
    expected = predict_scene(model, cube, device="cpu")
    found = predict_scene(model, cube.astype(np.longdouble), device="cpu")
    assert np.array_equal(found, expected)
