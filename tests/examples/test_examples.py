"""Each example does what it says, in little time and without a network."""

import re
import runpy
import sys
from pathlib import Path

import pytest
from PIL import Image

import hsi

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def example(monkeypatch, capsys, tmp_path):
    """Return a function that runs an example in an empty folder and returns what it prints."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        capsys.readouterr()
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_spiral(example):
    said = example("spiral", "regions.png")
    linear, deep = (
        float(re.search(rf"{name}: ([0-9.]+)", said)[1]) for name in ("linear", "two layers")
    )
    assert 0.4 < linear < 0.6
    assert deep > 0.9
    with Image.open("regions.png") as picture:
        drawn = picture.convert("RGB")
    # In each half, each class has a region.
    width, height = drawn.size
    for half in (
        drawn.crop((0, 0, width // 2, height)),
        drawn.crop((width // 2, 0, width, height)),
    ):
        counts = half.quantize(16).convert("RGB").getcolors()
        large = [color for count, color in counts if count > 0.1 * half.width * half.height]
        assert len([color for color in large if color != (255, 255, 255)]) == 4


def test_norms(example):
    said = example("norms")
    assert re.findall(r"(\w+) norm: (\d+) means, over the axes (\(.*\))", said) == [
        ("batch", "3", "(0, 2, 3)"), ("layer", "4", "(1, 2, 3)"), ("instance", "12", "(2, 3)"),
    ]  # fmt: skip
    assert all(float(each) < 1e-5 for each in re.findall(r"formula: ([0-9.e+-]+)", said))
    batch, layer, instance, evaluated = map(float, re.findall(r"changes by ([0-9.e+-]+)", said))
    assert batch > 0.1
    assert max(layer, instance, evaluated) < 1e-5


def test_cats_and_dogs(example):
    said = example("cats_and_dogs")
    accuracy = re.search(r"test: ([0-9.]+)% of 121 photographs", said)
    assert float(accuracy[1]) > 90
    assert "1 of 121 test photographs had a part in the training" in said
    assert "train/dogs/notes.jpg" in said
    run = hsi.TransferRun("runs/faces-lenet5-seed0")
    assert all(f"- {note}" in said for note in run.metrics["notes"])


def test_cats_and_dogs_of_ones_own(example, photographs):
    said = example("cats_and_dogs", photographs, "out")
    assert "of 30 photographs" in said
    assert hsi.TransferRun("out").classifier.class_names == ("fire", "moss", "sea")
    with pytest.raises(SystemExit, match="already holds a run"):
        example("cats_and_dogs", photographs, "out")


@pytest.mark.slow
def test_cross_validation(example):
    said = example("cross_validation")
    found = re.findall(r"(\w+), (\w+) folds: ([0-9.]+) \(([0-9., ]+)\)", said)
    accuracy = {(name, way): float(mean) for name, way, mean, _ in found}
    assert len(accuracy) == 4
    for name in ("network", "machine"):
        assert accuracy[name, "random"] > accuracy[name, "blocks"] + 0.1
    assert all(len(listed.split(",")) == 3 for *_, listed in found)
