"""``hsi scenes``."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from hsi.cli.console import print_table
from hsi.cli.scenes import command
from hsi.scenes import fetch, load_card

CARD = """
title = "A field [bold]"
[cube]
name = "image.npy"
sha256 = "{sha256}"
[labels]
name = "truth.npy"
[[classes]]
id = 2
name = "Oats [red]"
color = "#ff8000"
"""


def run(*arguments):
    result = CliRunner().invoke(command, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def empty_machine(tmp_path, monkeypatch):
    monkeypatch.delenv("HSI_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "hsi"


@pytest.fixture
def field(tmp_path, empty_machine):
    np.save(tmp_path / "image.npy", np.arange(60.0).reshape(3, 4, 5))
    np.save(tmp_path / "truth.npy", np.eye(3, 4, dtype=np.uint8) * 2)
    digest = hashlib.sha256((tmp_path / "image.npy").read_bytes()).hexdigest()
    (tmp_path / "field.toml").write_text(CARD.format(sha256=digest))
    return tmp_path / "field.toml"


def test_list_names_every_scene(empty_machine):
    printed = run("list")
    for name in ("indian_pines", "salinas_a", "pavia_centre", "synthetic"):
        assert name in printed
    assert "to fetch" in printed


def test_list_as_json(empty_machine):
    rows = {row["name"]: row for row in json.loads(run("list", "--json"))}
    assert len(rows) == 9
    assert rows["indian_pines"]["shape"] == [145, 145, 200]
    assert len(rows["indian_pines"]["classes"]) == 16
    assert [file["found_at"] for file in rows["ksc"]["files"]] == [None, None]
    assert rows["synthetic"]["files"] == []


def test_list_says_which_files_are_here(empty_machine, tmp_path, monkeypatch):
    monkeypatch.setenv("HSI_DATA", str(tmp_path))
    (tmp_path / "KSC_gt.mat").touch()
    assert "KSC.mat to fetch" in run("list")


def test_info_of_a_scene_that_is_not_here_says_how_to_get_it(empty_machine):
    printed = run("info", "Salinas-A")
    assert "SalinasA_corrected.mat: not present; to get it: `hsi scenes fetch salinas_a`" in printed
    assert "https://www.ehu.eus/ccwintco/uploads/1/1a/SalinasA_corrected.mat" in printed
    assert str(empty_machine / "salinas_a" / "SalinasA_corrected.mat") in printed
    assert "Corn_senesced_green_weeds" in printed
    for file in load_card("salinas_a").files:
        assert f"    {file.bytes:,} bytes\n    sha256 {file.sha256}" in printed
    assert "(recorded by others)" in run("info", "ksc")


def test_info_and_fetch_know_the_files_of_the_official_split(empty_machine, monkeypatch):
    printed = run("info", "pavia_university")
    assert "Official split: the training and test maps that are published with" in printed
    for file in load_card("pavia_university").split_files:
        assert f"{file.name}: not present; to get it: `hsi scenes fetch pavia_univ" in printed
        assert f"sha256 {file.sha256}" in printed
    assert "Official split" not in run("info", "ksc")
    located = []
    monkeypatch.setattr(fetch, "locate", lambda card, file: located.append(file.name) or "here")
    run("fetch", "pavia_university", "houston_2013")
    assert located == [
        "PaviaU.mat", "PaviaU_gt.mat", "TRpavia_fixed.mat", "TSpavia_fixed.mat",
        "2013_IEEE_GRSS_DF_Contest_CASI.tif", "houston_gt.mat",
    ]  # fmt: skip


def test_info_of_a_scene_that_is_here_says_where(field):
    printed = run("info", field)
    assert f"image.npy: found at {field.parent / 'image.npy'}" in printed
    assert "A field [bold]" in printed
    assert "Oats [red]" in printed


def test_info_of_a_file_describes_what_is_in_it(field):
    facts = json.loads(
        run("info", field.parent / "image.npy", "--labels", field.parent / "truth.npy", "--json")
    )
    assert facts["shape"] == [3, 4, 5]
    assert facts["values"] == "float64"
    assert [(each["id"], each["pixels"]) for each in facts["classes"]] == [(2, 3)]


def test_fetch_prints_the_checked_paths(field):
    assert run("fetch", field).split() == [
        str(field.parent / "image.npy"), str(field.parent / "truth.npy"),
    ]  # fmt: skip


def hsi(*arguments):
    code = "import sys; from hsi.cli.main import main; sys.argv[0] = 'hsi'; main()"
    return subprocess.run(
        [sys.executable, "-c", code, "scenes", *map(str, arguments)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_misspelt_name_ends_in_one_message(empty_machine):
    done = hsi("info", "salinass")
    assert done.returncode == 2
    assert "did you mean 'salinas'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_file_ends_in_one_message(field):
    (field.parent / "image.npy").write_bytes(b"")
    done = hsi("fetch", field)
    assert done.returncode == 1
    assert "is not the file that the card describes" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_network_fetch_fails_quickly(empty_machine, monkeypatch):
    monkeypatch.setattr(fetch, "reachable_addresses", lambda addresses: [])
    result = CliRunner().invoke(command, ["fetch", "ksc"])
    assert result.exit_code == 1
    assert "does not answer" in str(result.exception)
    for file in load_card("ksc").files:
        assert file.sha256 in str(result.exception)


def test_what_a_terminal_has_no_letters_for_does_not_stop_it(field, monkeypatch):
    text = field.read_text(encoding="utf-8").replace("Oats", "Häfer ½")
    field.write_text(text, encoding="utf-8")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = hsi("info", field)
    assert done.returncode == 0
    assert "H?fer ? [red]" in done.stdout
    assert done.stderr == ""
    # An error with such a letter, too.
    assert hsi("info", "Häfer").returncode == 2


def test_names_are_aligned_left_and_figures_right(capsys):
    print_table(("id", "class", "pixels"), [("1", "Oats", "7"), ("14", "Corn, tall", "1,000")])
    rows = [line for line in capsys.readouterr().out.splitlines() if "Oats" in line or "14" in line]
    assert [[cell[1:-1] for cell in row[1:-1].split(row[0])] for row in rows] == [
        [" 1", "Oats      ", "     7"], ["14", "Corn, tall", " 1,000"],
    ]  # fmt: skip


def test_a_title_that_is_wider_than_its_table_stays_in_one_line(capsys):
    title = "a/rather/long/path/of/a/run [bold]: random split"
    print_table(("id",), [("1",)], title=title)
    assert capsys.readouterr().out.splitlines()[0] == title


def test_it_can_be_run_as_a_module():
    command = [sys.executable, "-m", "hsi", "scenes", "list", "--json"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert len(json.loads(done.stdout)) == 9


def test_pytorch_is_not_loaded():
    code = (
        "import sys; from hsi.cli.scenes import command;"
        "command(['list', '--json'], standalone_mode=False);"
        "sys.exit('torch' in sys.modules or 'matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def write_raster(path, **profile):
    import rasterio

    cube = np.arange(1, 61, dtype=np.int16).reshape(5, 3, 4)
    cube[1] = -1
    with rasterio.open(
        path, "w", driver="GTiff", height=3, width=4, count=5, dtype="int16", nodata=-1, **profile
    ) as file:
        file.write(cube)
        file.scales = (1e-4,) * 5
        for number in file.indexes:
            file.update_tags(number, bbl="0" if number == 5 else "1")
    return path


def test_info_of_a_raster_says_place_scale_and_bands_left_out(tmp_path):
    from rasterio.transform import from_origin

    place = {"crs": "EPSG:32633", "transform": from_origin(366975, 5807085, 30, 20)}
    printed = run("info", write_raster(tmp_path / "a.tif", **place))
    for line in (
        "Coordinate system: EPSG:32633",
        "Pixel size: 30 x 20 metre",
        "Extent (left, bottom, right, top): 366975 5807025 367095 5807085",
        "Values are the stored ones x 0.0001",
        "2 bands of the file are left out: 1 holds no value, 1 is marked as bad.",
        "Rows, columns, bands: 3, 4, 3",
    ):
        assert f"  {line}\n" in printed
    facts = json.loads(run("info", tmp_path / "a.tif", "--json"))
    assert facts["grid"]["bounds"] == [366975, 5807025, 367095, 5807085]
    assert facts["grid"]["unit"] == "metre"
    assert facts["scaling"] == {"scale": [1e-4, 1e-4], "offset": [0, 0]}


def test_info_of_turned_pixels_in_degrees(tmp_path):
    from rasterio.transform import Affine

    place = Affine.translation(10, 50) * Affine.rotation(30) * Affine.scale(0.01, -0.01)
    printed = run("info", write_raster(tmp_path / "a.tif", crs="EPSG:4326", transform=place))
    assert "Pixel size: 0.01 x 0.01 degree, turned by 30 degrees" in printed


def test_info_says_why_there_is_no_place(tmp_path):
    from rasterio.control import GroundControlPoint

    points = [GroundControlPoint(row=r, col=c, x=c, y=-r) for r, c in [(0, 0), (0, 4), (3, 0)]]
    printed = run("info", write_raster(tmp_path / "a.tif", crs="EPSG:4326", gcps=points))
    assert "Georeference: none: 3 ground control points, but no grid" in printed
    assert "Coordinate system" not in printed
