"""Class maps in memory, with place and names."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from hsi.errors import UsageError
from hsi.scenes.grid import Grid
from hsi.training import to_data_array

xarray = pytest.importorskip("xarray")

GRID = Grid(crs="EPSG:32633", transform=(30, 0, 366975, 0, -20, 5807085))
NAMES = {1: "Maize", 2: "Röhricht, (wet)", 14: "*"}
IDS = np.array([[1, 0, 14], [2, 2, 1]], dtype=np.int32)


def test_a_map_is_that_of_the_files(run, scene):
    ids = run.map(scene, device="cpu")
    assert ids.dtype == np.int32
    np.testing.assert_array_equal(ids, run.map(device="cpu"))
    np.testing.assert_array_equal(ids, run.classifier.class_map(scene, device="cpu"))


def test_as_xarray_it_has_the_place_of_its_scene(run, scene):
    ids = run.map(scene, device="cpu")
    array = run.map(dataclasses.replace(scene, grid=GRID), as_="xarray", device="cpu")
    np.testing.assert_array_equal(array, ids)
    assert array.dims == ("y", "x")
    assert json.loads(array.attrs["class_names"]).keys() == {"1", "2", "14"}
    np.testing.assert_array_equal(array.x[:2], [366990, 367020])
    np.testing.assert_array_equal(array.y[:2], [5807075, 5807055])
    assert array.spatial_ref.attrs["crs_wkt"] == GRID.crs
    bare = run.map(scene, as_="xarray", device="cpu")
    assert not bare.coords


def test_pixels_lie_where_the_coordinates_say():
    array = to_data_array(IDS, names=NAMES, grid=GRID)
    shift = [float(each) for each in array.spatial_ref.attrs["GeoTransform"].split()]
    for row in range(2):
        for col in range(3):
            east, north = GRID.affine * (col + 0.5, row + 0.5)
            found = array.sel(x=east, y=north)
            assert int(found) == IDS[row, col]
            # GDAL's order of the six numbers.
            assert east == shift[0] + (col + 0.5) * shift[1] + (row + 0.5) * shift[2]
            assert north == shift[3] + (col + 0.5) * shift[4] + (row + 0.5) * shift[5]


def test_classes_are_flags():
    array = to_data_array(IDS, names=NAMES, grid=None)
    assert array.attrs["flag_values"].tolist() == [1, 2, 14]
    assert array.attrs["flag_meanings"].split() == ["Maize", "Röhricht_wet", "unnamed"]
    assert json.loads(array.attrs["class_names"]) == {str(k): name for k, name in NAMES.items()}
    assert array.attrs["_FillValue"] == 0


def test_a_turned_grid_has_no_coordinates_of_rows_and_columns():
    grid = Grid(crs="EPSG:32633", transform=(29, 3, 366975, 3, -29, 5807085))
    array = to_data_array(IDS, names=NAMES, grid=grid)
    assert set(array.coords) == {"spatial_ref"}
    assert array.spatial_ref.attrs["GeoTransform"].split()[2] == "3.0"


@pytest.mark.parametrize(
    ("crs", "names"),
    [
        ("EPSG:32633", ["projection_y_coordinate", "projection_x_coordinate"]),
        ("EPSG:4326", ["latitude", "longitude"]),
        (None, [None, None]),
    ],
)
def test_axes_have_the_names_of_the_conventions(crs, names):
    array = to_data_array(IDS, names=NAMES, grid=Grid(crs=crs, transform=(1, 0, 9, 0, -1, 9)))
    assert [array[axis].attrs.get("standard_name") for axis in "yx"] == names
    assert ("crs_wkt" in array.spatial_ref.attrs) == (crs is not None)


def test_it_becomes_a_netcdf_file_and_comes_back(tmp_path):
    array = to_data_array(IDS, names=NAMES, grid=GRID)
    array.to_netcdf(tmp_path / "map.nc")
    with xarray.open_dataset(
        tmp_path / "map.nc", decode_coords="all", mask_and_scale=False
    ) as read:
        np.testing.assert_array_equal(read.class_map, IDS)
        assert read.class_map.attrs["class_names"] == array.attrs["class_names"]
        assert read.spatial_ref.attrs["crs_wkt"] == GRID.crs


def test_what_is_asked_for_must_be_possible(run, scene):
    with pytest.raises(UsageError, match="'xarray'"):
        run.map(scene, as_="xaray")
    code = """
import sys
sys.modules["xarray"] = None
import hsi
try:
    hsi.Run(sys.argv[1]).map(as_="xarray")
except hsi.HsiError as error:
    print(error)
"""
    command = [sys.executable, "-c", code, str(run.path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert ".[xarray]" in told
    assert "as_='numpy'" in told
