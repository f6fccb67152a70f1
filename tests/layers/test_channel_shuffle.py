"""The channel shuffle against NumPy's reshape and transpose."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from hsi.layers.channel_shuffle import channel_shuffle

SIZES = {"groups": st.integers(1, 6), "per_group": st.integers(1, 5), "side": st.integers(1, 3)}


@given(**SIZES)
def test_shuffle_is_a_transpose_of_groups_and_channels(groups, per_group, side):
    x = np.random.default_rng(0).standard_normal((2, groups * per_group, side, side + 1))
    expected = x.reshape(2, groups, per_group, side, side + 1).transpose(0, 2, 1, 3, 4)
    shuffled = channel_shuffle(torch.from_numpy(x), groups).numpy()
    np.testing.assert_array_equal(shuffled, expected.reshape(x.shape))


@given(**SIZES)
def test_shuffle_with_the_other_number_undoes_it(groups, per_group, side):
    x = torch.arange(2.0 * groups * per_group * side).reshape(2, -1, side, 1)
    assert torch.equal(channel_shuffle(channel_shuffle(x, groups), per_group), x)
