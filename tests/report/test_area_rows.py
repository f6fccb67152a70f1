import numpy as np

from hsi.evaluation import summarise_area
from hsi.report import area_table


def figures(pixel_m2):
    cm = np.array([[66, 0, 5, 0], [0, 55, 8, 0], [1, 0, 153, 1], [0, 0, 0, 0]]).T
    pixels = {0: 5, 2: 2_000_000, 3: 1_500, 4: 320_000, 8: 77}
    return summarise_area(
        cm, pixels, ids=[2, 3, 4, 8], names=["Maize", "<b>Oats", "Wood", "Rye"], pixel_m2=pixel_m2
    )


def test_areas_are_in_hectares_where_the_pixel_has_a_size():
    head, rows = area_table(figures(900.0))
    assert head == ("Id", "Class", "Mapped (ha)", "Estimated (ha)", "95 % interval (ha)")
    assert [len(row) for row in rows] == [5] * 5
    assert rows[0][:3] == ("2", "Maize", "180,000")
    assert rows[1][:3] == ("3", "<b>Oats", "135")
    assert rows[3] == ("8", "Rye", "6.93", "–", "–")
    assert rows[4] == ("", "All", "208,942", "208,935", "")
    estimate = float(rows[0][3].replace(",", ""))
    low, high = (float(each.replace(",", "")) for each in rows[0][4].split(" to "))
    assert low < estimate < high
    assert abs(figures(900.0)["per_class"][0]["estimate"]["ha"] - estimate) <= 0.5


def test_areas_are_in_pixels_where_it_has_none():
    head, rows = area_table(figures(None))
    assert head[2:] == ("Mapped (pixels)", "Estimated (pixels)", "95 % interval (pixels)")
    assert rows[3][2:] == ("77", "–", "–")
    assert rows[4][2:4] == ("2,321,577", "2,321,500")


def test_what_is_not_nothing_is_not_shown_as_nothing():
    _, rows = area_table(
        summarise_area([[9, 1], [0, 9]], {1: 1, 2: 0}, ids=[1, 2], names=["a", "b"], pixel_m2=1.0)
    )
    assert rows[0][2] == "<0.01"
    assert rows[1][2] == "0.00"
