"""Class map and split: what is in the saved file, pixel for pixel."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from hsi.errors import UsageError
from hsi.report import class_map_figure, split_figure

SHAPES = [(83, 86), (145, 145), (61, 34), (610, 340), (30, 400), (400, 3), (1, 1), (7, 1500)]


def in_colors(ids, colors):
    lookup = {0: (0, 0, 0)} | colors
    return np.array([lookup[i] for i in ids.ravel().tolist()], np.uint8).reshape(*ids.shape, 3)


def places(page, part):
    """Return how often the picture `part` stands in `page`, exactly and unscaled."""
    # The first row finds the few candidates that are worth a full comparison.
    rows, cols = part.shape[:2]
    wide = (page.astype(np.uint32) @ (1, 256, 65536)).astype(np.int64)
    goal = (part.astype(np.uint32) @ (1, 256, 65536)).astype(np.int64)
    corners = np.argwhere(wide[: len(wide) - rows + 1, : wide.shape[1] - cols + 1] == goal[0, 0])
    lines = [(r, c) for r, c in corners if (wide[r, c : c + cols] == goal[0]).all()]
    return sum(bool((wide[r : r + rows, c : c + cols] == goal).all()) for r, c in lines)


def enlarged(picture, zoom):
    return picture.repeat(zoom, axis=0).repeat(zoom, axis=1)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_pixel_of_the_scene_is_a_square_in_the_colour_of_its_class(shape, picture):
    rng = np.random.default_rng(0)
    class_map = rng.integers(1, 25, shape).astype(np.int32)
    labels = (class_map * (rng.random(shape) < 0.6)).astype(np.int32)
    # Colours that occur neither in texts nor on the page.
    colors = {i: (10 * i, 255 - 7 * i, 90 + i) for i in range(1, 25)}
    names = {i: f"class {i}" for i in colors}
    figure = class_map_figure(class_map, labels=labels, names=names, colors=colors, title="s")
    page = picture(figure)
    zoom = round(figure.axes[0].get_window_extent().width) // shape[1]
    assert zoom >= 1
    for ids in (class_map, labels):
        if ids.size > 1:
            assert places(page, enlarged(in_colors(ids, colors), zoom)) == 1
    np.testing.assert_array_equal(
        figure.axes[1].images[0].get_array(), in_colors(labels, colors), strict=False
    )


def test_both_pictures_have_one_scale(scene):
    class_map, labels, names, colors = scene
    figure = class_map_figure(class_map, labels=labels, names=names, colors=colors, title="s")
    first, second = (axes.get_window_extent() for axes in figure.axes)
    assert first.size == pytest.approx(second.size)
    assert not first.overlaps(second)


def test_a_scene_too_large_to_print_is_thinned_and_says_so():
    class_map = np.ones((4, 7000), np.int32)
    class_map[:, ::6] = 2
    figure = class_map_figure(
        class_map,
        labels=None,
        names={1: "a", 2: "b"},
        colors={1: (9, 9, 9), 2: (8, 8, 8)},
        title="",
    )
    (axes,) = figure.axes
    drawn = axes.images[0].get_array()[..., 0]
    np.testing.assert_array_equal(drawn, [[8, 9] * 1167] * 2)
    assert "one pixel in 3 × 3" in axes.get_title(loc="left")


def legend_of(figure):
    (legend,) = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    colors = [tuple(np.rint(255 * np.array(p.get_facecolor()[:3]))) for p in legend.get_patches()]
    return dict(zip([text.get_text() for text in legend.get_texts()], colors, strict=True))


def test_the_legend_has_the_classes_that_occur_in_either_picture(scene):
    class_map, labels, names, colors = scene
    class_map[class_map == 14] = 1  # 14 is left in the ground truth alone, 12 in neither
    figure = class_map_figure(class_map, labels=labels, names=names, colors=colors, title="s")
    expected = {names[i]: colors[i] for i in (1, 10, 11, 14)} | {"Unlabelled": (0, 0, 0)}
    assert legend_of(figure) == expected


@pytest.mark.parametrize(
    ("hole", "with_labels", "text"),
    [
        (True, True, "No data or unlabelled"),
        (True, False, "No data"),
        (False, True, "Unlabelled"),
        (False, False, None),
    ],
)
def test_black_is_explained_where_it_occurs(scene, hole, with_labels, text):
    class_map, labels, names, colors = scene
    class_map[0, 0] = 0 if hole else 1
    figure = class_map_figure(
        class_map, labels=labels if with_labels else None, names=names, colors=colors, title="s"
    )
    blacks = [name for name, color in legend_of(figure).items() if color == (0, 0, 0)]
    assert blacks == ([text] if text else [])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("classes", [2, 24])
def test_nothing_is_cut_off_or_drawn_over(shape, classes):
    ids = (np.arange(shape[0] * shape[1]).reshape(shape) % classes + 1).astype(np.int32)
    names = {i: f"{i} Buildings-Grass-Trees-Drives" for i in range(1, 25)}
    colors = dict.fromkeys(names, (1, 2, 3))
    figure = class_map_figure(ids, labels=ids, names=names, colors=colors, title="A title " * 4)
    figure.draw_without_rendering()  # legends and labels find their place when drawn
    page = figure.bbox
    (legend,) = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    texts = [*legend.get_texts(), *(axes.title for axes in figure.axes), *figure.axes[0].texts]
    for text in texts:
        box = text.get_window_extent()
        assert page.x0 <= box.x0 <= box.x1 <= page.x1
        assert page.y0 <= box.y0 <= box.y1 <= page.y1
    pictures = [axes.get_window_extent() for axes in figure.axes]
    assert not any(legend.get_window_extent().overlaps(box) for box in pictures)
    titles = [axes._left_title.get_window_extent() for axes in figure.axes]
    assert not titles[0].overlaps(titles[1])


def test_names_are_no_formulas(scene, picture):
    class_map, labels, names, colors = scene
    title = r"costs 5 $, or \frac$"
    picture(class_map_figure(class_map, labels=labels, names=names, colors=colors, title=title))


def test_endless_names_are_shortened_to_one_line(scene):
    class_map, labels, names, colors = scene
    names |= {1: "first\nsecond", 10: "word " * 99}
    figure = class_map_figure(class_map, labels=labels, names=names, colors=colors, title="s")
    first, second, *_ = legend_of(figure)
    assert first == "first second"
    assert second.startswith("word word")
    assert second.endswith("…")
    assert len(second) < 60


def test_a_map_must_be_of_known_classes(scene):
    class_map, labels, names, colors = scene
    class_map[0, 0] = 99
    with pytest.raises(UsageError, match="99"):
        class_map_figure(class_map, labels=labels, names=names, colors=colors, title="s")


def test_map_and_ground_truth_must_be_of_one_scene(scene):
    class_map, labels, names, colors = scene
    with pytest.raises(UsageError, match=r"\(13, 9\).*\(9, 13\)"):
        class_map_figure(class_map, labels=labels.T, names=names, colors=colors, title="s")


@pytest.fixture
def split():
    kind = np.random.default_rng(1).integers(0, 4, (30, 40))
    background = np.full((30, 40, 3), (90, 120, 150), np.uint8)
    return kind == 1, kind == 2, kind == 3, background


def test_the_split_is_drawn_pixel_for_pixel(split):
    train, validation, test, background = split
    before = background.copy()
    figure = split_figure(train, validation, test, patch_size=5, background=background)
    drawn = figure.axes[0].images[0].get_array()
    expected = np.full_like(background, 60)
    expected[train], expected[validation], expected[test] = (
        (213, 94, 0),
        (240, 228, 66),
        (86, 180, 233),
    )
    np.testing.assert_array_equal(drawn, expected)
    np.testing.assert_array_equal(background, before)


def test_the_split_tells_its_numbers(split):
    train, validation, test, background = split
    figure = split_figure(train, validation & False, test, patch_size=5, background=background)
    assert list(legend_of(figure)) == [
        f"Training: {train.sum()} pixels",
        f"Test: {test.sum()} pixels",
        "Patch of a training pixel, 5 × 5",
    ]


@pytest.mark.parametrize("patch_size", [1, 5, 25])
def test_the_frame_is_the_patch_of_a_training_pixel(split, patch_size):
    train, validation, test, background = split
    figure = split_figure(train, validation, test, patch_size=patch_size, background=background)
    (frame,) = [p for p in figure.axes[0].patches if not p.get_fill()]
    assert frame.get_width() == frame.get_height() == patch_size
    col, row = (edge + patch_size / 2 for edge in frame.get_xy())
    assert train[int(row), int(col)]
    # The image's pixel (row, col) is centred at (col, row).
    assert (row, col) == (int(row), int(col))
    inside = sliding_window_view(train, (patch_size, patch_size))
    offset = patch_size // 2
    if inside.size and train[offset : 30 - offset, offset : 40 - offset].any():
        assert min(frame.get_xy()) >= -0.5


def test_a_split_without_training_pixels_is_drawn(split, picture):
    _, validation, test, background = split
    nothing = np.zeros_like(test)
    picture(split_figure(nothing, validation, test, patch_size=5, background=background))


def test_masks_must_be_of_the_pictured_scene(split):
    train, validation, test, background = split
    with pytest.raises(UsageError, match=r"\(30, 40\)"):
        split_figure(train, validation, test, patch_size=5, background=background[1:])
