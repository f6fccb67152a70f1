import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hsi.report.explorer.axis import band_axis
from hsi.scenes import Scene


def axis_of(make_scene, wavelengths=None, file_bands=None):
    bands = len(wavelengths) if wavelengths is not None else int(np.count_nonzero(file_bands))
    given = None if wavelengths is None else np.asarray(wavelengths, dtype=np.float64)
    return band_axis(make_scene(bands=bands, wavelengths=given, file_bands=file_bands))


def test_bands_without_wavelengths_stand_by_number(make_scene):
    axis = band_axis(make_scene(bands=3))
    assert (axis.title, axis.positions, axis.order) == ("Band", [1, 2, 3], [0, 1, 2])
    assert axis.names[2] == "band 3"


def test_bands_left_out_of_the_file_break_the_line(make_scene):
    kept = np.array([True, True, False, True, False, False, True])
    axis = axis_of(make_scene, file_bands=kept)
    assert axis.title == "Band of the file"
    assert axis.positions == [1, 2, 4, 7]
    assert axis.order == [0, 1, None, 2, None, 3]


def test_one_band_left_out_breaks_the_line_even_if_its_gap_is_no_wider_than_others(make_scene):
    """Bands of 10 nm beside one of 20 nm are no gap by distance, but one by the file."""
    kept = np.array([True, True, True, False, True, True, True])
    centres = [400, 410, 420, 440, 450, 460]
    assert axis_of(make_scene, centres, kept).order == [0, 1, 2, None, 3, 4, 5]
    assert axis_of(make_scene, centres).order == [0, 1, 2, 3, 4, 5]


def test_a_gap_in_the_wavelengths_breaks_the_line(make_scene):
    """As in corrected scenes, whose water bands are gone from the file itself."""
    centres = [*range(400, 500, 10), *range(600, 700, 10)]
    order = axis_of(make_scene, centres).order
    assert order.index(None) == 10
    assert order.count(None) == 1


def test_detectors_that_overlap_are_sorted_and_not_broken(make_scene):
    centres = [*range(900, 1000, 8), *range(905, 1005, 8)]
    axis = axis_of(make_scene, centres, np.ones(len(centres), dtype=bool))
    assert axis.title == "Wavelength (nm)"
    assert None not in axis.order
    drawn = [axis.positions[band] for band in axis.order]
    assert drawn == sorted(centres)
    assert axis.names[axis.order[1]] == "band 14, 905.0 nm"


def test_one_band_is_an_axis(make_scene):
    assert band_axis(make_scene(bands=1)).order == [0]
    assert axis_of(make_scene, [500.0]).order == [0]


@given(st.lists(st.floats(300, 2500), min_size=1, max_size=30))
def test_every_band_is_drawn_once_from_short_to_long(centres):
    bands = len(centres)
    scene = Scene(name="any", cube=np.zeros((2, 2, bands)), wavelengths=np.array(centres))
    order = [band for band in band_axis(scene).order if band is not None]
    assert sorted(order) == list(range(bands))
    assert (np.diff(scene.wavelengths[order]) >= 0).all()
