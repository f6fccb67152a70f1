"""Figures of queries and what they found."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from hsi.errors import UsageError
from hsi.report.retrieved import RIGHT, UNKNOWN, WRONG, Retrieved, Tile, retrieved_figure


def picture(name="sea $5"):
    return Tile(picture=np.zeros((5, 5, 3), np.uint8), box=(1, 1, 3, 3), name=name, place="1, 2")


def spectrum(high):
    return Tile(spectrum=np.linspace(0, high, 7), name="moss", place="3, 4")


def row(found, right):
    return Retrieved(query=picture(), found=found, right=right, similarities=[0.5] * len(found))


def test_frames_tell_right_from_wrong_and_unknown():
    figure = retrieved_figure([row([picture(), picture(), picture()], [True, False, None])])
    frames = [
        (to_hex(axes.spines["left"].get_edgecolor()), axes.spines["left"].get_linestyle())
        for axes in figure.axes[1:]
    ]
    assert frames == [(RIGHT, "-"), (WRONG, "--"), (UNKNOWN, "-")]


def test_spectra_of_a_row_have_one_scale():
    figure = retrieved_figure([row([spectrum(2), spectrum(8)], [True, True])])
    _, one, other = figure.axes
    assert one.get_ylim() == other.get_ylim()
    assert one.get_ylim()[1] > 8


def test_long_rows_go_on_below():
    figure = retrieved_figure(
        [row([picture()] * 5, [True] * 5), row([picture()], [None])], columns=2
    )
    tops = [round(axes.get_position().y0, 6) for axes in figure.axes]
    query, *found, second_query, second_found = tops
    assert found[0] == found[1] == query > found[2] == found[3] > found[4] > second_query
    assert second_query == second_found


def test_nothing_found_is_refused():
    for rows in ([], [row([], [])]):
        with pytest.raises(UsageError, match="found nothing"):
            retrieved_figure(rows)
