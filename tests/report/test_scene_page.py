import re

import numpy as np

from hsi.report.scene_page import render_scene
from hsi.scenes import Scene

EVIL = "<script>x</script>"


def text_of(page):
    return re.sub(r'<script( type="[^"]*" id="[^"]*")?>.*?</script>', "", page, flags=re.DOTALL)


def test_a_scene_is_described_with_its_classes_and_bands():
    rng = np.random.default_rng(0)
    labels = np.array([[0, 4, 4], [9, 9, 9]], dtype=np.int32)
    scene = Scene(
        name=f"scene {EVIL}",
        cube=rng.normal(0, 1, (2, 3, 4)).astype(np.float32),
        labels=labels,
        class_names={4: EVIL},
        class_colors={4: (1, 2, 3)},
        wavelengths=np.array([460.0, 550.0, 640.0, 900.0]),
        metadata={"sensor": EVIL, "label_arrays": ["a"]},
    )
    page = render_scene(scene, command=["hsi", "view", f"a {EVIL}"])
    text = text_of(page)
    assert EVIL not in text
    assert "red 640 nm, green 550 nm, blue 460 nm" in text
    assert "1 pixels are unlabelled" in text or "1 pixel is unlabelled" in text
    assert "background: rgb(1, 2, 3)" in text
    assert "460.0 to 900.0 nm" in text
    assert "hsi view &#x27;a &lt;script&gt;" in text
    assert "label_arrays" not in text
    # It is whole: every table has a caption, every picture a text.
    assert text.count("<table") == text.count("<caption>") == 2
    assert len(re.findall(r'<img alt="Colour composite', text)) == 1


def test_without_labels_or_wavelengths_nothing_is_said_of_them():
    scene = Scene(name="plain", cube=np.arange(24, dtype=np.int16).reshape(2, 3, 4))
    text = text_of(render_scene(scene, command=["hsi", "view", "plain"]))
    assert "<h2>Classes</h2>" not in text
    assert " nm" not in text
    assert "red band 4, green band 3, blue band 1" in text
