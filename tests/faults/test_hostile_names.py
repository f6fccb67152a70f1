"""Names from files through the whole chain: pages, tables, rasters, terminals show them as text."""

import json
import os
import pty
import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import geopandas
import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from shapely import box

import hsi
from hsi.report.scene_page import render_scene
from hsi.scenes.synthetic import synthetic_scene
from hsi.workflows import write_report
from hsi.workflows.bench import Asked, Bench, train_cells

CASES = tomllib.loads(Path(__file__).with_name("cases").joinpath("names.toml").read_text())["case"]
NAMES = [case["name"] for case in CASES]
ROWS, COLS, SIDE = 36, 40, 9
# What no file name can have, and what no shell and no disk has a quarrel with.
IN_A_PATH = '<xhsi onclick="hsi()">\'$title\x1b]0;hsi\x07'
BRIEF = {"model": "hybridsn-dw", "patch_size": 9, "components": 13, "epochs": 1, "device": "cpu"}
# Elements that no page has by itself.
STRANGE = re.compile("xhsi|iframe|object|embed|form|base|link")


class Page(HTMLParser):
    """The texts of a page, and whatever in it is more than a page of this package has."""

    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        self.texts, self.strange, self.scripts, self.inside = [], [], 0, ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.inside = tag
        self.scripts += tag == "script"
        self.texts += [value for _, value in attributes if value]
        named = dict(attributes)
        if (
            STRANGE.fullmatch(tag)
            or any(name.startswith("on") or name == "x" for name in named)
            or any(not named[each].startswith("data:") for each in ("src", "href") if each in named)
        ):
            self.strange.append((tag, attributes))

    def handle_data(self, data):
        if self.inside == "script" and "hsi()" in data and not data.startswith("{"):
            self.strange.append(("script", data[:200]))
        self.texts.append(data)


@pytest.fixture(scope="module")
def fields(tmp_path_factory):
    """A scene whose classes, and whose files, have the names of the table."""
    folder = tmp_path_factory.mktemp("names") / IN_A_PATH
    folder.mkdir()
    path = folder / f"scene{IN_A_PATH}.tif"
    cube = synthetic_scene(rows=ROWS, cols=COLS, bands=20, classes=3, seed=0).cube
    with rasterio.open(
        path, "w", driver="GTiff", height=ROWS, width=COLS, count=20, dtype="float32",
        crs="EPSG:32633", transform=from_origin(0, ROWS, 1, 1),
    ) as file:  # fmt: skip
        file.write(cube.astype(np.float32).transpose(2, 0, 1))
        file.update_tags(TIFFTAG_IMAGEDESCRIPTION="".join(NAMES[:4]))
        for band in range(1, 21):
            file.set_band_description(band, NAMES[band % len(NAMES)])
    across = COLS // SIDE
    places = [divmod(number, across) for number in range(len(NAMES))]
    shapes = [
        box(SIDE * col, ROWS - SIDE * (row + 1), SIDE * (col + 1), ROWS - SIDE * row)
        for row, col in places
    ]
    labels = folder / "labels.geojson"
    geopandas.GeoDataFrame({"crop": NAMES}, geometry=shapes, crs="EPSG:32633").to_file(labels)
    return hsi.load_scene(path, labels=labels), path, labels


@pytest.fixture(scope="module")
def trained(fields, tmp_path_factory):
    run = hsi.train(fields[0], out=tmp_path_factory.mktemp("runs") / IN_A_PATH, train=0.3, **BRIEF)
    write_report(run)
    return run


@pytest.fixture(scope="module")
def viewed(fields, tmp_path_factory):
    path = tmp_path_factory.mktemp("view") / "scene.html"
    path.write_text(render_scene(fields[0], command=["hsi", "view", *NAMES]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def benched(fields, tmp_path_factory):
    bench = Bench(tmp_path_factory.mktemp("bench") / IN_A_PATH)
    asked = Asked(
        scenes=(IN_A_PATH,), splits=("random",), train=(0.3,), models=("svm", "knn"), seeds=(0, 1)
    )
    cells = bench.ask(asked, {IN_A_PATH: fields[0]}, settings={"patch_size": 5, "components": 13})
    train_cells(bench, cells, {IN_A_PATH: fields[0]}, device="cpu")
    return bench.out


@pytest.fixture(scope="module")
def photographed(take_photographs, quick_settings, tmp_path_factory):
    root = tmp_path_factory.mktemp("photographs") / IN_A_PATH
    names = [each.replace("/", "-") for each in NAMES]
    take_photographs(root / "train", 3, classes=names)
    take_photographs(root / "test", 2, classes=names, seed=1)
    (root / "train" / names[0] / f"{IN_A_PATH}.png").write_bytes(b"no photograph")
    return hsi.transfer(
        root, out=tmp_path_factory.mktemp("transfers") / IN_A_PATH, **quick_settings
    ).path


@pytest.fixture(scope="module")
def quick_settings():
    return {"backbone": "lenet5", "augmentation": "none", "batch_size": 16, "epochs": 1,
            "learning_rate": 5e-3, "device": "cpu"}  # fmt: skip


def shown(name):
    """Return what of a name must be seen: words, whatever stands between them."""
    return re.findall(r"[a-z]{4,}", name)


def test_names_arrive_from_the_files(fields):
    assert sorted(fields[0].class_names.values()) == sorted(name.strip() for name in NAMES)


@pytest.mark.parametrize("page", ["report", "view", "transfer"])
def test_pages_show_names_as_text(page, request, counted):
    path = {
        "report": lambda: request.getfixturevalue("trained").path / "report.html",
        "view": lambda: request.getfixturevalue("viewed"),
        "transfer": lambda: request.getfixturevalue("photographed") / "report.html",
    }[page]()
    found = Page(path)
    assert not found.strange
    text = "\n".join(found.texts)
    for name in NAMES:
        for word in shown(name):
            assert word in text, word
    assert "onclick=" in text  # it is there, as text
    counted("hostile files", "names in pages, tables, rasters and terminals", len(NAMES))


def test_the_page_is_what_plain_names_give(fields, viewed):
    """With names that mean nothing, the page has the same elements, one for one."""
    scene = fields[0]
    names = dict.fromkeys(scene.class_names, "")
    plain = type(scene)(
        name="plain", cube=scene.cube, labels=scene.labels, grid=scene.grid,
        class_names={each: f"class {each}" for each in names}, class_colors=scene.class_colors,
        source=scene.source | {"dataset": "plain.tif"}, metadata=scene.metadata,
    )  # fmt: skip
    other = viewed.with_name("plain.html")
    other.write_text(render_scene(plain, command=["hsi", "view", "x"]), encoding="utf-8")
    assert re.findall("<[a-z]+", other.read_text()) == re.findall("<[a-z]+", viewed.read_text())


def test_styles_and_rasters_hold_names(trained, fields, counted):
    saved = hsi.map_scene(trained, fields[0], out=trained.path.parent / "map", device="cpu")
    folder = Path(saved.raster).parent
    styles = [*folder.rglob("*.qml"), *folder.rglob("*.aux.xml"), *trained.path.glob("*.qml")]
    assert styles
    for path in styles:
        text = " ".join(
            " ".join([each.text or "", *each.attrib.values()])
            for each in ElementTree.fromstring(path.read_text(encoding="utf-8")).iter()
        )
        for name in NAMES:
            assert all(word in text for word in shown(name)), (path.name, name)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
    with rasterio.open(saved.raster) as file:
        assert file.count == 1
    again = hsi.load_scene(fields[1], labels=saved.raster)
    assert len(again.class_names) == len(NAMES)
    counted("hostile files", "names in pages, tables, rasters and terminals", len(NAMES))


def test_tables_of_a_benchmark_show_names_as_text(benched, counted):
    latex = (benched / "results.tex").read_text(encoding="utf-8")
    body = "\n".join(line for line in latex.splitlines() if not line.startswith("%"))
    assert r"\input" not in body
    assert "xhsi" in body
    markdown = (benched / "results.md").read_text(encoding="utf-8")
    assert not re.search(r"(?<!\\)<xhsi", markdown)
    assert not re.search(r"(?<!\\)\]\((?!<splits/)", markdown)
    for text in (latex, markdown):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    json.loads((benched / "results.json").read_text())
    counted("hostile files", "names in pages, tables, rasters and terminals", len(NAMES))


@pytest.fixture
def on_a_terminal(start_hsi):
    """Return a function that returns what a command writes to a terminal."""

    def run(*arguments):
        leader, follower = pty.openpty()
        terminal = {"TERM": "xterm-256color", "COLUMNS": "200"}
        process = start_hsi(*arguments, stdout=follower, stderr=follower, env=terminal)
        os.close(follower)
        written = b""
        while True:
            try:
                piece = os.read(leader, 65536)
            except OSError:  # how Linux says that the other end is closed
                break
            if not piece:
                break
            written += piece
        process.wait()
        os.close(leader)
        return written.decode("utf-8", "replace")

    return run


@pytest.mark.parametrize("command", ["info", "evaluate", "error", "view", "predict"])
def test_terminals_obey_no_name(
    on_a_terminal, command, fields, trained, photographed, tmp_path, counted
):
    _, path, labels = fields
    text = on_a_terminal(
        *{
            "info": lambda: ("scenes", "info", path, "--labels", labels),
            "evaluate": lambda: ("evaluate", trained.path),
            "error": lambda: ("scenes", "info", path, "--labels", path.with_name("none.geojson")),
            "view": lambda: ("view", path, "--out", tmp_path / f"{IN_A_PATH}.html"),
            "predict": lambda: (
                "transfer", "predict", photographed, *path.parent.glob("*.tif"), "--device", "cpu",
            ),
        }[command]()
    )  # fmt: skip
    assert "hsi" in text
    for harm in ("\x1b]", "\x07", "\x9b", "\x08", "\u202e", "\u2066", "\x1b[2J"):
        assert harm not in text, repr(text[max(0, text.index(harm) - 80) :][:200])
    assert "Traceback" not in text
    counted("hostile files", "names in pages, tables, rasters and terminals", len(NAMES))
