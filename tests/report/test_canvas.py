"""Saving: the same bytes each time, no display, no global state, no half-written file."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from hsi.errors import UsageError
from hsi.report import (
    class_map_figure,
    confusion_figure,
    learning_curve_figure,
    save_figure,
    split_figure,
)

ROW = {"epoch": 1, "loss": 1.0, "train_accuracy": 0.5, "validation_accuracy": None}


def figures(scene):
    class_map, labels, names, colors = scene
    mask = labels > 0
    background = np.zeros((*mask.shape, 3), np.uint8)
    return [
        class_map_figure(class_map, labels=labels, names=names, colors=colors, title="s"),
        confusion_figure([[3, 1], [0, 0]], names=["a", "b"]),
        learning_curve_figure([ROW]),
        split_figure(mask, ~mask, mask, patch_size=3, background=background),
    ]


def saved(figure, path):
    save_figure(figure, path)
    return path.read_bytes()


def test_the_same_input_gives_the_same_bytes(scene, tmp_path):
    first = [saved(figure, tmp_path / "a.png") for figure in figures(scene)]
    second = [saved(figure, tmp_path / "b.png") for figure in figures(scene)]
    assert first == second
    assert len(set(first)) == 4


def test_the_file_has_a_resolution_and_names_no_software(scene, tmp_path):
    save_figure(figures(scene)[0], tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.info["dpi"] == pytest.approx((200, 200), abs=0.1)
        assert not image.text


def test_threads_draw_what_one_thread_draws(scene, tmp_path):
    expected = [saved(figure, tmp_path / "main.png") for figure in figures(scene)]

    def draw(number):
        return [saved(figure, tmp_path / f"{number}.png") for figure in figures(scene)]

    with ThreadPoolExecutor(3) as pool:
        assert all(result == expected for result in pool.map(draw, range(3)))


def test_settings_of_matplotlib_stay_as_they_are(scene, tmp_path):
    before = dict(matplotlib.rcParams)
    for figure in figures(scene):
        save_figure(figure, tmp_path / "a.png")
    assert dict(matplotlib.rcParams) == before


def test_neither_pyplot_nor_torch_is_imported():
    code = "import sys, hsi.report; print({'torch', 'matplotlib.pyplot'} & sys.modules.keys())"
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert output.strip() == "set()"


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", fail)
    with pytest.raises(OSError, match="No space"):
        save_figure(Figure(), path)
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["a.png"]


def test_other_formats_are_refused(tmp_path):
    with pytest.raises(UsageError, match="PNG"):
        save_figure(Figure(), tmp_path / "a.pdf")
