"""The explorer without a mouse."""

import numpy as np
from selenium.webdriver.common.keys import Keys


def focus(browser):
    browser.run("document.getElementById('map').focus()")


def layer(browser):
    return browser.run("return document.querySelector('input[name=top]:checked').value")


def test_the_map_is_reached_with_the_tabulator(opened):
    opened.run("document.querySelector('input[name=top]').focus()")
    for _ in range(9):
        if opened.run("return document.activeElement.id") == "map":
            break
        opened.press(Keys.TAB)
    assert opened.run("return document.activeElement.id") == "map"
    outline = opened.run("return getComputedStyle(document.getElementById('map')).outlineStyle")
    assert outline == "solid"


def test_arrows_move_the_pixel_and_stop_at_the_edge(opened, shown, made):
    shown.point(3, 5, click=True)
    focus(opened)
    opened.press(Keys.ARROW_DOWN, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_UP)
    name, _, y = opened.spectrum()
    assert name == "row 3, column 7"
    order = np.argsort(made.scene.wavelengths)
    assert [value for value in y if value is not None] == made.cube[3, 7][order].tolist()
    opened.press_with_shift(Keys.ARROW_LEFT)
    assert opened.spectrum()[0] == "row 3, column 0"
    opened.press_with_shift(Keys.ARROW_DOWN)
    opened.press_with_shift(Keys.ARROW_DOWN)
    assert opened.spectrum()[0] == f"row {made.scene.rows - 1}, column 0"


def test_plus_enlarges_minus_shrinks_and_zero_shows_all(opened, shown):
    focus(opened)
    opened.press("1")
    before = opened.pixels("#map")
    opened.press("+", "+")
    enlarged = opened.pixels("#map")
    assert (enlarged != before).any()
    opened.press("-")
    assert (opened.pixels("#map") != enlarged).any()
    opened.press("0")
    np.testing.assert_array_equal(opened.pixels("#map"), before)


def test_an_enlarged_pixel_is_one_square_of_one_colour(opened, shown, made):
    shown.point(7, 11, click=True)
    focus(opened)
    opened.press("1", "s", *"++++++")
    screen = opened.pixels("#map")
    color = made.scene.composite()[7, 11]
    rows, cols = np.nonzero((np.abs(screen.astype(int) - color) <= 1).all(axis=2))
    inside = screen[rows.min() : rows.max() + 1, cols.min() : cols.max() + 1]
    share = (np.abs(inside.astype(int) - color) <= 1).all(axis=2).mean()
    assert abs(np.ptp(rows) - np.ptp(cols)) <= 1
    assert np.ptp(rows) > 2 * shown.zoom
    assert share > 0.9


def test_digits_choose_layers_and_letters_the_way_they_are_compared(opened):
    focus(opened)
    for key, name in zip(
        "123456", ("composite", "truth", "map", "confidence", "errors", "sets"), strict=True
    ):
        opened.press(key)
        assert layer(opened) == name
    how = "return document.querySelector('input[name=how]:checked').value"
    assert opened.run(how) == "swipe"
    opened.press("s")
    assert opened.run(how) == "blend"
    opened.press("[", "[", "]")
    assert opened.run("return document.getElementById('share').value") == "45"


def test_e_goes_from_one_error_to_the_next(opened, shown, made):
    wrong = np.argwhere(made.test & (made.mapped.class_map != made.scene.labels))
    shown.point(0, 0, click=True)
    focus(opened)
    first = [each for each in wrong.tolist() if each != [0, 0]]
    for row, col in first[:3]:
        opened.press("e")
        assert opened.spectrum()[0] == f"row {row}, column {col}"
        facts = opened.run("return document.getElementById('facts').textContent")
        assert "mapped wrong" in facts


def test_keys_of_the_browser_are_left_to_it(opened):
    focus(opened)
    before = layer(opened)
    prevented = opened.run(
        "const event = new KeyboardEvent('keydown', {key: '1', ctrlKey: true, cancelable: true});"
        "document.getElementById('map').dispatchEvent(event); return event.defaultPrevented;"
    )
    assert not prevented
    assert layer(opened) == before
