"""Windows against slices cut one by one."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from hsi.layers import gather_windows, pad_scene


@given(
    channels=st.integers(1, 4),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_windows_are_the_slices(channels, height, width, seed, data):
    size = data.draw(st.integers(1, min(height, width)))
    generator = torch.Generator().manual_seed(seed)
    # channels last and a storage offset: the strides of what a trunk gives
    image = torch.randn(height + 1, width, channels, generator=generator)[1:].permute(2, 0, 1)
    rows = torch.randint(0, height - size + 1, (5,), generator=generator)
    cols = torch.randint(0, width - size + 1, (5,), generator=generator)
    windows = gather_windows(image, rows, cols, size)
    for window, row, col in zip(windows, rows.tolist(), cols.tolist(), strict=True):
        assert torch.equal(window, image[:, row : row + size, col : col + size])


def test_the_window_of_a_padded_scene_is_centred_on_its_pixel():
    scene = torch.arange(1.0, 13.0).reshape(1, 3, 4)
    windows = gather_windows(pad_scene(scene, 5), torch.tensor([0, 2]), torch.tensor([0, 3]), 5)
    assert windows[:, 0, 2, 2].tolist() == [1.0, 12.0]
    assert windows[0, 0, :2].abs().sum() == 0
    assert windows[0, 0, :, :2].abs().sum() == 0


@given(channels=st.integers(1, 3), side=st.integers(2, 6), seed=st.integers(0, 99), data=st.data())
def test_gradients_are_those_of_the_slices(channels, side, seed, data):
    """Of several maps, with windows that overlap and windows that are drawn twice."""
    size = data.draw(st.integers(1, side))
    generator = torch.Generator().manual_seed(seed)
    maps = torch.randn(2, channels, side, side, generator=generator, dtype=torch.float64)
    maps = maps.requires_grad_()
    places = torch.randint(0, side - size + 1, (2, 7), generator=generator)
    regions = torch.randint(0, 2, (7,), generator=generator)
    windows = gather_windows(maps, places[0], places[1], size, regions=regions)
    slices = torch.stack(
        [
            maps[n, :, r : r + size, c : c + size]
            for n, r, c in zip(regions, places[0], places[1], strict=True)
        ]
    )
    assert torch.equal(windows, slices)
    weight = torch.randn(windows.shape, generator=generator, dtype=torch.float64)
    (found,) = torch.autograd.grad((windows * weight).sum(), maps)
    (expected,) = torch.autograd.grad((slices * weight).sum(), maps)
    torch.testing.assert_close(found, expected)
