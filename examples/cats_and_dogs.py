"""Which of two kinds of photographs: trained, tested and explained by `hsi.transfer`.

    python examples/cats_and_dogs.py                    draws its own; the run is in runs/faces-...
    python examples/cats_and_dogs.py PHOTOGRAPHS OUT    a folder of yours; the run is in OUT

The folder has one folder for each class, or train/ and test/ with such folders. Without one, small
pictures are drawn: faces with pointed ears, and faces with ears that hang. A few mistakes of the
kind that people make are in them, for the report to find: a test photograph that was trained on,
and a file that is none. For photographs, take learned weights; it needs a network once:

    hsi transfer PHOTOGRAPHS --backbone resnet18 --weights imagenet --freeze features --epochs 3
"""

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

import hsi

SIDE = 64
NUMBER = {"train": 150, "test": 60}
EARS = {
    "cats": ([(-14, -8), (-11, -24), (-2, -13)], [(14, -8), (11, -24), (2, -13)]),
    "dogs": ([(-12, -11), (-21, 8), (-13, 10)], [(12, -11), (21, 8), (13, 10)]),
}


def face(kind: str, generator: np.random.Generator) -> Image.Image:
    """Return a small picture of a face: of any colour, anywhere, turned and out of focus."""
    picture = Image.fromarray(generator.integers(60, 200, (SIDE, SIDE, 3), dtype=np.uint8))
    picture = picture.filter(ImageFilter.GaussianBlur(3))
    draw = ImageDraw.Draw(picture)
    fur = tuple(int(value) for value in generator.integers(40, 230, 3))
    dark = tuple(value // 2 for value in fur)
    scale = generator.uniform(0.8, 1.15)
    cos, sin = np.cos(angle := generator.normal(0, 0.25)), np.sin(angle)
    centre = SIDE / 2 + generator.uniform(-8, 8, 2)

    def place(x: float, y: float) -> tuple[float, float]:
        turned = scale * np.array([cos * x - sin * y, sin * x + cos * y])
        return tuple((centre + turned).tolist())

    def disc(x: float, y: float, radius: float, color: tuple[int, ...]) -> None:
        (a, b), r = place(x, y), radius * scale
        draw.ellipse((a - r, b - r, a + r, b + r), fill=color)

    for ear in EARS[kind]:
        draw.polygon([place(*corner) for corner in ear], fill=dark)
    disc(0, 0, 14, fur)
    for x in (-5, 5):
        disc(x, -3, 2.2, (20, 20, 20))
    disc(0, 5, 2.5, (30, 20, 20))
    return picture.filter(ImageFilter.GaussianBlur(generator.uniform(0, 1)))


def draw_photographs(folder: Path) -> Path:
    """Fill `folder` with train/ and test/, cats/ and dogs/."""
    generator = np.random.default_rng(0)
    for name, number in NUMBER.items():
        for kind in EARS:
            (folder / name / kind).mkdir(parents=True)
            for place in range(number):
                face(kind, generator).save(folder / name / kind / f"{place:03}.png")
    shutil.copy(folder / "train" / "cats" / "000.png", folder / "test" / "cats" / "again.png")
    (folder / "train" / "dogs" / "notes.jpg").write_text("this is no photograph")
    return folder


def main(photographs: Path, out: Path | None) -> None:
    """Train, and print what the report says."""
    run = hsi.transfer(
        photographs,
        backbone="lenet5",
        size=32,
        epochs=25,
        batch_size=20,
        learning_rate=3e-3,
        out=out,
    )
    metrics = run.metrics
    for name, accuracy in metrics["accuracy"].items():
        if accuracy is not None:
            print(f"{name}: {accuracy:.1%} of {metrics[f'{name}_photographs']} photographs")
    for note in metrics["notes"]:
        print(f"- {note}")
    print(f"Report: {run.path / 'report.html'}")


if __name__ == "__main__":
    try:
        if len(sys.argv) == 3:
            main(Path(sys.argv[1]), Path(sys.argv[2]))
        elif len(sys.argv) == 1:
            with tempfile.TemporaryDirectory() as drawn:
                main(draw_photographs(Path(drawn) / "faces"), None)
        else:
            sys.exit("usage: python examples/cats_and_dogs.py [PHOTOGRAPHS OUT]")
    except hsi.HsiError as error:
        sys.exit(f"Error: {error}")
