"""Numbers in words: what differs looks different, and what is not 0 is not shown as 0."""

from hypothesis import given
from hypothesis import strategies as st

from hsi.report.numbers import percents, points

SHARES = st.integers(1, 2000).flatmap(
    lambda total: st.integers(0, total).map(lambda right: right / total)
)


@given(SHARES, SHARES)
def test_shares_of_any_two_samples_look_alike_only_if_they_are(one, other):
    shown = percents(one, other, digits=1)
    assert (shown[0] == shown[1]) == (one == other)


@given(st.integers(2, 5000).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))))
def test_one_more_that_is_right_is_seen(counts):
    right, total = counts
    one, more = percents(right / total, (right + 1) / total, digits=1)
    assert one != more


@given(st.floats(-1, 1).filter(lambda value: abs(value) > 1e-5))
def test_points_keep_their_sign(difference):
    shown = float(points(difference))
    assert shown * difference > 0
    assert abs(shown - 100 * difference) <= 0.05


def test_nothing_has_no_sign():
    assert points(-0.0) == points(0.0) == "0.0"
