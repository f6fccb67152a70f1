"""The report in a browser: nothing is asked for, and what is shown is true."""

import dataclasses

import numpy as np
import pytest

from hsi.report.scene_page import render_scene
from hsi.scenes import Scene
from hsi.scenes.grid import Grid
from hsi.scenes.mosaic import join_scenes
from hsi.workflows import write_report

WRONG, RIGHT = (213, 94, 0), (86, 180, 233)
TRAINING, TEST = (213, 94, 0), (86, 180, 233)


def in_colors(made, ids):
    table = {0: (0, 0, 0)} | made.scene.class_colors
    return np.array([[table[each] for each in row] for row in ids.tolist()])


def alone(browser, layer):
    """Show one layer without anything over or under it."""
    browser.check("top", layer)
    browser.check("how", "blend")
    browser.slide(100)


def same(one, other, *, but=()):
    """Return whether two pictures agree in all pixels but those that the marks of a pixel cover."""
    different = np.abs(one.astype(int) - other.astype(int)).max(axis=2) > 2
    for row, col in but:
        different[row, col] = False
    return not different.any()


def test_it_opens_without_a_message_and_without_asking_for_anything(opened, made):
    assert opened.run("return document.documentElement.dataset.explorer") == "ready"
    assert opened.messages() == []
    assert opened.requests() == [f"file://{made.page}"]


def test_names_do_nothing_and_are_shown_as_they_stand(opened, made):
    assert opened.run("return window.hacked") is None
    assert opened.run("return document.querySelectorAll('a, img[src=x]').length") == 0
    legend = opened.run("return document.getElementById('legend').textContent")
    for each in (2, 7, 40):
        assert made.scene.class_names[each] in legend
    labels = opened.run(
        "return [...document.querySelectorAll('#chart-confusion .ytick text')]"
        ".map(each => each.textContent)"
    )
    assert any("<b>bold</b>" in each for each in labels)


def test_a_script_that_was_put_into_the_page_does_not_run(browser, made, tmp_path):
    altered = tmp_path / "altered.html"
    text = made.page.read_text(encoding="utf-8")
    altered.write_text(text.replace("</main>", "<script>window.hacked = 3</script></main>"))
    browser.open(altered)
    assert browser.run("return window.hacked") is None
    assert any("Content Security Policy" in each for each in browser.messages())


def test_another_scene_that_is_tested_is_shown_with_its_confusion(browser, run, scene, tmp_path):
    other = dataclasses.replace(scene, source={})
    browser.open(write_report(run, other, out=tmp_path / "page.html", device="cpu"))
    assert browser.run("return document.documentElement.dataset.explorer") == "ready"
    assert browser.run("return document.getElementById('chart-confusion').data.length") == 1


def test_each_layer_has_the_colours_that_it_should(opened, shown, made):
    test = made.test
    wrong = test & (made.mapped.class_map != made.scene.labels)
    # The mark of the chosen pixel, and the corners and edges of its patch.
    shown.point(7, 7, click=True)
    marked = [(row, col) for row in range(3, 12) for col in range(3, 12)]
    alone(opened, "composite")
    assert same(shown.colors(), made.scene.composite(), but=marked)
    alone(opened, "truth")
    assert same(shown.colors(), in_colors(made, made.scene.labels), but=marked)
    alone(opened, "map")
    assert same(shown.colors(), in_colors(made, made.mapped.class_map), but=marked)
    alone(opened, "errors")
    colors = shown.colors()
    assert (colors[wrong & ~_mask(marked, wrong.shape)] == WRONG).all()
    assert (colors[test & ~wrong & ~_mask(marked, wrong.shape)] == RIGHT).all()
    alone(opened, "sets")
    colors = shown.colors()
    assert (colors[made.train & ~_mask(marked, wrong.shape)] == TRAINING).all()
    assert (colors[test & ~_mask(marked, wrong.shape)] == TEST).all()


def _mask(pixels, shape):
    mask = np.zeros(shape, dtype=bool)
    for row, col in pixels:
        mask[row, col] = True
    return mask


def test_each_pixel_is_a_square_of_one_colour_from_edge_to_edge(opened, shown, made):
    shown.point(7, 0, click=True)
    alone(opened, "composite")
    for within in (0, shown.zoom - 1):
        # To the right of the chosen pixel's patch.
        assert same(shown.colors(within=within)[:, 4:], made.scene.composite()[:, 4:])


def test_the_surer_the_brighter(opened, shown, made):
    alone(opened, "confidence")
    brightness = shown.colors().astype(float) @ (0.2126, 0.7152, 0.0722)
    order = np.argsort(made.mapped.confidence, axis=None)
    ranks = np.argsort(np.argsort(brightness, axis=None))[order]
    assert np.corrcoef(ranks, np.arange(len(ranks)))[0, 1] > 0.95


def test_swiping_shows_one_layer_on_each_side(opened, shown, made):
    shown.point(7, 0, click=True)
    opened.check("top", "truth")
    opened.slide(50)
    colors = shown.colors()
    left, right = slice(4, shown.cols // 2 - 1), slice(shown.cols // 2 + 1, None)
    assert same(colors[:, left], in_colors(made, made.scene.labels)[:, left])
    assert same(colors[:, right], made.scene.composite()[:, right])
    opened.slide(0)
    assert same(shown.colors()[:, 4:], made.scene.composite()[:, 4:])


def test_opacity_mixes_two_layers(opened, shown, made):
    shown.point(7, 0, click=True)
    opened.check("top", "truth")
    opened.check("how", "blend")
    opened.slide(25)
    mixed = 0.25 * in_colors(made, made.scene.labels) + 0.75 * made.scene.composite()
    assert np.abs(shown.colors()[:, 4:] - mixed[:, 4:]).max() <= 2


@pytest.mark.parametrize("pixel", [(0, 0), (3, 17), (13, 21)])
def test_a_click_shows_the_spectrum_of_that_pixel(opened, shown, made, pixel):
    shown.point(*pixel, click=True)
    name, x, y = opened.spectrum()
    assert name == f"row {pixel[0]}, column {pixel[1]}"
    order = np.argsort(made.scene.wavelengths)
    gap = 8  # between 1000 and 1400 nm
    assert x[gap] is y[gap] is None
    assert x[:gap] + x[gap + 1 :] == made.scene.wavelengths[order].tolist()
    assert y[:gap] + y[gap + 1 :] == made.cube[pixel][order].tolist()
    facts = opened.run("return document.getElementById('facts').textContent")
    assert f"row {pixel[0]}, column {pixel[1]}" in facts
    confidence = np.floor(made.mapped.confidence[pixel] * 10_000) / 100
    assert f"confidence {confidence:.2f}\u00a0%" in facts
    found = made.mapped.class_map[pixel]
    assert made.scene.class_names[found] in facts


def test_the_class_of_the_pixel_is_drawn_with_its_mean(opened, shown, made):
    labels, found = made.scene.labels, made.mapped.class_map
    row, col = np.argwhere((labels == 7) & (found == 2))[0]
    shown.point(row, col, click=True)
    opened.settle()
    traces = opened.run(
        "return document.getElementById('spectrum').data.map(({name, x, y}) => ({name, x, y}))"
    )
    order = np.argsort(made.scene.wavelengths)
    for trace, spread, each in ((traces[1], traces[0], 7), (traces[3], traces[2], 2)):
        own = made.cube[labels == each].astype(float)
        drawn = np.array([value for value in trace["y"] if value is not None])
        np.testing.assert_allclose(drawn, own.mean(axis=0)[order], rtol=1e-6)
        # Down one side of the first part and up the other.
        upper = np.array(spread["y"][:8])
        expected = (own.mean(axis=0) + own.std(axis=0))[order][:8]
        np.testing.assert_allclose(upper, expected, rtol=1e-5)
    assert "Oak (truth)" in traces[1]["name"]
    assert "(map)" in traces[3]["name"]


def test_the_pointer_shows_a_spectrum_and_leaves_the_chosen_one(opened, shown, made):
    shown.point(2, 2, click=True)
    shown.point(9, 12)
    name, _, _ = opened.spectrum()
    assert name == "row 2, column 2"
    y = opened.run("return document.getElementById('spectrum').data.at(-2).y")
    order = np.argsort(made.scene.wavelengths)
    assert [value for value in y if value is not None] == made.cube[9, 12][order].tolist()
    assert "row 9, column 12" in opened.run("return document.getElementById('pointer').textContent")


def test_other_bands_make_another_composite(opened, shown, made):
    shown.point(7, 0, click=True)
    alone(opened, "composite")
    chosen = (9, 1, 4)
    for k, band in enumerate(chosen):
        opened.run(
            "const select = document.getElementById('band-' + arguments[0]);"
            "select.value = arguments[1]; select.dispatchEvent(new Event('change'));",
            k, band,
        )  # fmt: skip
    expected = Scene(name="other", cube=made.cube, rgb_bands=chosen).composite()
    assert same(shown.colors()[:, 4:], expected[:, 4:])
    opened.driver.find_element("css selector", "#presets button").click()
    assert same(shown.colors()[:, 4:], made.scene.composite()[:, 4:])


def test_the_charts_hold_the_numbers_of_the_run(opened, made):
    z, text = opened.run(
        "const [{z, text}] = document.getElementById('chart-confusion').data; return [z, text];"
    )
    counts = np.array(made.metrics["confusion"])
    np.testing.assert_allclose(z, counts / counts.sum(axis=1, keepdims=True))
    assert f"{counts[1, 1]:,}" in text[1][1]
    loss = opened.run("return document.getElementById('chart-history').data[0].y")
    assert loss == [each["loss"] for each in made.history]
    ticks = opened.run(
        "return [...document.querySelectorAll('#chart-history .xtick text')]"
        ".map(each => each.textContent)"
    )
    assert ticks == [str(each["epoch"]) for each in made.history]
    # The pictures are there for print, not beside the charts.
    visible = (
        "return [...document.querySelectorAll('figure img')].map(each => each.offsetWidth > 0)"
    )
    assert opened.run(visible) == [False, False]


def test_without_scripts_the_figures_and_numbers_are_there(browser, made):
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.driver.get(f"file://{made.page}")
        images = browser.driver.find_elements("css selector", "figure img")
        assert [each.is_displayed() for each in images] == [True, True]
        assert not browser.driver.find_element("id", "explorer").is_displayed()
        assert "Overall accuracy" in browser.driver.find_element("css selector", "main").text
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_on_paper_the_figures_take_the_place_of_the_charts(opened):
    opened.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        shown = opened.run(
            "return ['#explorer', '#chart-confusion', 'figure img'].map("
            "each => document.querySelector(each).getClientRects().length > 0)"
        )
    finally:
        opened.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert shown == [False, False, True]


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (390, 800)])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wider_than_the_screen(opened, width, height, dark):
    opened.resize(width, height, dark=dark)
    assert opened.run("return document.documentElement.scrollWidth") <= width
    paper = opened.run("return getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") != dark
    ink = opened.run(
        "return getComputedStyle(document.querySelector('#spectrum .xtick text')).fill"
    )
    assert (ink == "rgb(28, 28, 28)") != dark


def test_the_map_is_sharp_on_a_dense_screen(opened, made):
    opened.resize(1280, 720, scale=2)
    width, shown = opened.run(
        "const map = document.getElementById('map'); return [map.width, map.clientWidth];"
    )
    assert abs(width - 2 * shown) <= 4


def test_a_scene_alone_can_be_looked_at(browser, tmp_path):
    cube = np.random.default_rng(4).normal(0.3, 0.1, (9, 11, 5)).astype(np.float32)
    cube[2, 3, 1] = np.nan
    page = tmp_path / "scene.html"
    page.write_text(render_scene(Scene(name="alone", cube=cube), command=["hsi", "view", "x"]))
    browser.open(page)
    assert browser.messages() == []
    assert browser.requests() == [f"file://{page}"]
    browser.driver.find_element("id", "map").click()
    _, x, _ = browser.spectrum()
    assert x == [1, 2, 3, 4, 5]
    assert not browser.driver.find_element("id", "share").is_displayed()
    browser.run("document.getElementById('map').focus()")
    browser.press("0")
    for _ in range(12):
        browser.press("\ue012", "\ue013")  # left, up
    browser.press("\ue015", "\ue015", "\ue014", "\ue014", "\ue014")  # down, right
    name, _, y = browser.spectrum()
    assert name == "row 2, column 3"
    assert y[1] is None
    np.testing.assert_allclose(
        [value for value in y if value is not None], cube[2, 3, [0, 2, 3, 4]], atol=1e-4
    )


def test_of_a_large_scene_the_nearest_spectrum_is_drawn_and_said(browser, tmp_path):
    rng = np.random.default_rng(0)
    cube = rng.integers(0, 65_000, (1000, 1000, 5), dtype=np.uint16)
    page = tmp_path / "large.html"
    page.write_text(render_scene(Scene(name="large", cube=cube), command=["hsi", "view", "x"]))
    browser.open(page)
    browser.run("document.getElementById('explorer').scrollIntoView()")
    shown = browser.driver.find_element("id", "facts").text
    row, col = (int(each) for each in browser.run(
        "return document.querySelector('#facts dd').textContent.match(/\\d+/g)"
    ))  # fmt: skip
    name, _, y = browser.spectrum()
    held = [int(each) for each in name.replace(",", "").split()[1::2]]
    assert max(abs(held[0] - row), abs(held[1] - col)) <= 2
    assert y == cube[held[0], held[1]].tolist()
    assert ("nearest pixel held" in shown) == (held != [row, col])
    assert "every 2nd row and column" in browser.driver.find_element("id", "map-keys").text


def test_of_several_scenes_the_one_of_the_pixel_is_named(browser, on_screen, tmp_path):
    """The gap between them holds no data, and no look begins there."""
    one, two = (
        Scene(
            name=f"tile <b>{n}</b>",
            cube=np.full((6, 8, 4), n, dtype=np.int16),
            grid=Grid(crs="EPSG:32633", transform=(30, 0, 1000 * n, 0, -30, 9000)),
        )
        for n in (1, 2)
    )
    scene = join_scenes([one, two], gap=12)
    page = tmp_path / "several.html"
    page.write_text(render_scene(scene, command=["hsi", "view", "x"]))
    browser.open(page)
    browser.run("document.getElementById('explorer').scrollIntoView()")
    assert all(value in (1, 2) for value in browser.spectrum()[2])
    part = scene.parts[1]
    row, col = part.rows.start + 4, part.cols.start + 3
    on_screen(scene).point(row, col, click=True)
    facts = browser.driver.find_element("id", "facts").text
    assert f"row {row}, column {col}" in facts
    # The middle of its pixel at row 4, column 3.
    assert "tile <b>2</b>: row 4, column 3; 2105, 8865 (EPSG:32633)" in facts
