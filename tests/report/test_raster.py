"""Class maps as GeoTIFF: read by rasterio, Pillow, and GDAL's own command where it is installed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rasterio.enums import ColorInterp

from hsi.errors import UsageError
from hsi.report import write_class_map_tif
from hsi.report.legend import gdal_metadata, make_legend, qgis_style
from hsi.scenes.grid import Grid

COLORS = {1: (255, 0, 10), 7: (1, 2, 3), 255: (0, 255, 0)}
GRID = Grid(crs="EPSG:32633", transform=(30, 0, 366975, 0, -30, 5807085))
HOSTILE = {1: '<b>&"quoted"</b>', 7: "Zeile\nund\x00Zeile", 255: "Röhricht 水 " * 200}


def class_map(highest, shape=(211, 97)):
    rng = np.random.default_rng(5)
    ids = rng.choice(rng.integers(0, highest + 1, 20), shape).astype(np.int32)
    ids[-1, -1] = highest
    return ids


def files(folder):
    return {each.name: each.read_bytes() for each in folder.iterdir()}


@pytest.mark.parametrize("highest", [1, 16, 255, 256, 65535, 65536, 2**24 + 1, 2**31 - 1])
def test_ids_place_and_colours_come_back_exactly(highest, tmp_path):
    path, ids = tmp_path / "map.tif", class_map(highest)
    colors = {each: (each % 251, each % 241, 9) for each in (1, 255, highest)}
    names = {each: f"class {each}" for each in colors if each <= highest}
    write_class_map_tif(path, ids, names=names, colors=colors, grid=GRID)
    with rasterio.open(path) as raster:
        np.testing.assert_array_equal(raster.read(1), ids)
        assert (raster.crs, raster.transform, raster.nodata) == (GRID.crs, GRID.affine, 0)
        bits = 8 if highest < 256 else 16 if highest < 65536 else 32
        assert np.dtype(raster.dtypes[0]).itemsize == bits // 8
        if bits == 8:
            palette = raster.colormap(1)
            assert raster.colorinterp == (ColorInterp.palette,)
            assert all(palette[each][:3] == colors[each] for each in names)
            assert palette[0][3] == 0  # transparent
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image), ids)


@pytest.mark.parametrize("highest", [16, 300, 2**24 + 1])
def test_the_file_is_cloud_optimised_and_overviews_hold_ids_that_occur(highest, tmp_path):
    path = tmp_path / "map.tif"
    ids = np.kron(np.array([[highest, 0], [3, 7]]), np.ones((700, 650), int)).astype(np.int32)
    write_class_map_tif(path, ids, names={}, colors={}, grid=GRID)
    with rasterio.open(path) as raster:
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert raster.profile["compress"] == "deflate"
        assert raster.block_shapes == [(512, 512)]
        assert raster.overviews(1) == [2, 4]
    for level in (0, 1):
        with rasterio.open(path, overview_level=level) as overview:
            small = overview.read(1)
        assert set(np.unique(small)) == {0, 3, 7, highest}
        assert [small[0, 0], small[0, -1], small[-1, 0], small[-1, -1]] == [highest, 0, 3, 7]


def test_a_map_without_a_place_warns_nobody(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_class_map_tif(tmp_path / "map.tif", class_map(9), names={}, colors={})
    with (
        pytest.warns(rasterio.errors.NotGeoreferencedWarning),
        rasterio.open(tmp_path / "map.tif") as raster,
    ):
        assert raster.crs is None


def test_a_coordinate_system_that_geotiff_cannot_hold_is_kept_beside_it(tmp_path):
    grid = Grid(
        crs="+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p=39.25 +lon_0=18",
        transform=(0.02, 0, -5, 0, -0.02, 4),
    )
    write_class_map_tif(tmp_path / "map.tif", class_map(9), names={}, colors={}, grid=grid)
    with rasterio.open(tmp_path / "map.tif") as raster:
        assert raster.crs == grid.rasterio_crs
        assert raster.transform == grid.affine


def test_names_travel_in_and_beside_the_map(tmp_path):
    path = tmp_path / "map.tif"
    write_class_map_tif(path, np.array([[0, 1], [255, 255]]), names=HOSTILE, colors=COLORS)
    with Image.open(path) as image:
        inside = json.loads(image.tag_v2[270])
    assert {int(each): name for each, name in inside.items()} == HOSTILE
    legend = json.loads((tmp_path / "map.json").read_text())
    assert legend["nodata"] == {"id": 0, "pixels": 1}
    assert [(each["id"], each["name"], each["pixels"]) for each in legend["classes"]] == [
        (1, HOSTILE[1], 1), (7, HOSTILE[7], 0), (255, HOSTILE[255], 2)
    ]  # fmt: skip
    assert legend["classes"][0]["color"] == "#ff000a"


@pytest.mark.skipif(shutil.which("gdalinfo") is None, reason="GDAL's commands are not installed")
def test_gdal_itself_finds_names_and_colours(tmp_path):
    path = tmp_path / "map.tif"
    write_class_map_tif(path, np.array([[0, 1, 255]]), names=HOSTILE, colors=COLORS, grid=GRID)
    command = ["gdalinfo", "-json", str(path)]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    (band,) = told["bands"]
    lines = {each: " ".join(name.replace("\0", " ").split()) for each, name in HOSTILE.items()}
    assert len(band["categories"]) == 256
    assert {each: band["categories"][each] for each in HOSTILE} == lines
    assert band["categories"][0] == "no data"
    rows = [each["f"] for each in told["rat"]["row"]]
    assert rows == [[each, lines[each], *COLORS[each]] for each in (1, 7, 255)]


@given(name=st.text(min_size=1), color=st.tuples(*[st.integers(0, 255)] * 3))
def test_what_stands_beside_the_map_is_xml_whatever_the_name(name, color):
    legend = make_legend({1: 5}, names={1: name}, colors={1: color})
    table = ElementTree.fromstring(gdal_metadata(legend, crs=None).encode())
    style = ElementTree.fromstring(qgis_style(legend).encode())
    entry = style.find(".//paletteEntry")
    shown = table.findall(".//Row/F")[1].text or ""
    assert shown == entry.get("label") == table.findall(".//Category")[1].text or shown == ""
    # Nothing but blanks and codes that no XML may hold is lost.
    assert shown.replace(" ", "") == "".join(
        each for each in name if (each.isprintable() and not each.isspace()) or each in shown
    ).replace(" ", "")
    assert tuple(bytes.fromhex(entry.get("color")[1:])) == color


def test_an_array_that_is_only_sliced_is_enough(tmp_path):
    class Sliced:
        def __init__(self, ids):
            self.ids, self.shape, self.dtype = ids, ids.shape, ids.dtype

        def __getitem__(self, key):
            part = self.ids[key]
            assert part.size <= 2**24, "read as a whole"
            return part

    ids = np.zeros((9000, 2500), np.int32)
    ids[::7, 3:2000:5] = 12
    write_class_map_tif(tmp_path / "map.tif", Sliced(ids), names={}, colors={}, grid=GRID)
    with rasterio.open(tmp_path / "map.tif") as raster:
        assert np.array_equal(raster.read(1), ids)


def test_the_same_map_gives_the_same_bytes_and_no_other_file(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        path = tmp_path / name / "map.tif"
        write_class_map_tif(path, class_map(16), names={1: "a"}, colors=COLORS, grid=GRID)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert set(files(tmp_path / "a")) == {"map.tif", "map.tif.aux.xml", "map.qml", "map.json"}


LIMITED = """
import json, os, resource, signal, sys
import numpy as np
from hsi.report import write_class_map_tif
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
ids = np.random.default_rng(1).integers(0, 200, (400, 400))
def write(path):
    write_class_map_tif(path, ids, names={1: "new"}, colors={})
write(sys.argv[2])
size, told = os.path.getsize(sys.argv[2]), {}
for lacking in (size // 2, 3000, 1000, 500, 100, 10, 1):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size - lacking, resource.RLIM_INFINITY))
    try:
        write(sys.argv[1])
    except OSError as error:
        told[lacking] = str(error)
print(json.dumps(told))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="needs a limit for the size of files")
def test_a_disk_that_is_full_by_a_byte_leaves_the_previous_map_as_it_was(tmp_path):
    folder = tmp_path / "maps"
    folder.mkdir()
    write_class_map_tif(folder / "map.tif", class_map(16), names={1: "old"}, colors=COLORS)
    before = files(folder)
    command = [sys.executable, "-c", LIMITED, str(folder / "map.tif"), str(tmp_path / "other.tif")]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert len(told) == 7
    assert all("is the disk full?" in text for text in told.values())
    assert files(folder) == before


@pytest.mark.parametrize("lost", [50, 5000])
def test_what_gdal_loses_without_an_error_is_noticed(lost, tmp_path, monkeypatch):
    """As on a disk that is full when GDAL closes a file: GDAL does not look whether that worked."""
    copy = rasterio.shutil.copy

    def lossy(source, target, **options):
        copy(source, target, **options)
        os.truncate(target, Path(target).stat().st_size - lost)

    path = tmp_path / "map.tif"
    write_class_map_tif(path, class_map(16), names={1: "old"}, colors=COLORS)
    before = files(tmp_path)
    monkeypatch.setattr(rasterio.shutil, "copy", lossy)
    with pytest.raises(OSError, match="disk full"):
        write_class_map_tif(path, class_map(200), names={1: "new"}, colors=COLORS)
    assert files(tmp_path) == before


@pytest.mark.parametrize("step", range(4))
def test_a_map_never_stands_beside_the_names_of_another(step, tmp_path, monkeypatch):
    path = tmp_path / "map.tif"
    write_class_map_tif(path, np.array([[1, 2]]), names={1: "old"}, colors=COLORS)
    done, really = [], os.replace

    def interrupted(source, target, **options):
        if str(target).startswith(str(tmp_path / "map")):
            if len(done) == step:
                raise KeyboardInterrupt
            done.append(target)
        really(source, target, **options)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_class_map_tif(path, np.array([[2, 1]]), names={1: "new"}, colors=COLORS)
    with Image.open(path) as image:
        name = json.loads(image.tag_v2[270])["1"]
        assert np.asarray(image)[0, 0] == {"old": 1, "new": 2}[name]
    assert name == ("new" if step else "old")
    others = {each: text for each, text in files(tmp_path).items() if each != "map.tif"}
    assert all(name.encode() in text for text in others.values())
    assert len(others) == max(0, step - 1)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (np.array([[1, -1]]), "-1"),
        (np.array([[1.0]]), "float64"),
        (np.zeros((2, 2, 3), int), r"\(2, 2, 3\)"),
        (np.zeros((0, 3), int), r"\(0, 3\)"),
        (np.array([[2**31]]), str(2**31)),
    ],
)
def test_what_is_no_class_map_is_refused(ids, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        write_class_map_tif(tmp_path / "map.tif", ids, names={}, colors={})
    assert not list(tmp_path.iterdir())
