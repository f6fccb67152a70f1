"""The difference of two means, against SciPy."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from hsi.errors import UsageError
from hsi.evaluation import unpaired_difference

values = st.lists(st.integers(0, 1000).map(lambda n: n / 1000), min_size=2, max_size=9)


@given(values, values)
def test_the_interval_is_scipys(first, second):
    assume(len({*first}) > 1 and len({*second}) > 1)  # else SciPy warns
    found = unpaired_difference(first, second)
    theirs = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    assert found.mean == pytest.approx(np.mean(first) - np.mean(second))
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))
    assert found.counts == (len(first), len(second))


def test_what_does_not_vary_has_no_margin_and_one_value_no_interval():
    same = unpaired_difference([0.75, 0.75], [0.5, 0.5, 0.5])
    assert (same.mean, same.low, same.high) == (0.25, 0.25, 0.25)
    single = unpaired_difference([0.75], [0.5, 0.25])
    assert single.mean == 0.375
    assert math.isnan(single.low)
    assert math.isnan(single.high)


@pytest.mark.parametrize(("first", "second"), [([], [1.0]), ([1.0], [[1.0]]), ([math.nan], [1.0])])
def test_what_is_no_sample_is_refused(first, second):
    with pytest.raises(UsageError, match="one for each training"):
        unpaired_difference(first, second)
