import numpy as np
import pytest

from hsi.report import save_figure


@pytest.fixture
def picture(tmp_path):
    """Save a figure and return the pixels of the file, (rows, cols, 3)."""
    from PIL import Image

    def save(figure):
        path = tmp_path / "figure.png"
        save_figure(figure, path)
        with Image.open(path) as image:
            return np.array(image.convert("RGB"))

    return save


@pytest.fixture
def scene():
    """Class map, ground truth, names and colours of a small scene whose ids have gaps."""
    rng = np.random.default_rng(3)
    ids = np.array([1, 10, 11, 14])
    class_map = rng.choice(ids, size=(13, 9)).astype(np.int32)
    labels = np.where(rng.random(class_map.shape) < 0.5, class_map, 0).astype(np.int32)
    names = {
        1: "Water",
        10: "Buildings-Grass-Trees-Drives",
        11: r"_x $\oops$",
        12: "Snow",
        14: "Oak",
    }
    colors = {1: (230, 159, 0), 10: (86, 180, 233), 11: (0, 158, 115), 12: (9, 9, 9), 14: (1, 2, 3)}
    return class_map, labels, names, colors
