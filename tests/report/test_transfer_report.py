"""The contact sheet, and the sentences that say why a classifier does as it does."""

import numpy as np
import pytest

from hsi.errors import UsageError
from hsi.evaluation import accuracy_gap
from hsi.report import Mistake, contact_sheet, save_figure
from hsi.report import transfer_words as words


def mistake(place, *, side=28, truth="cat"):
    return Mistake(
        image=np.full((side, side, 3), (40 * place % 256, 200, 30), np.uint8),
        truth=truth, prediction="dog", probability=0.9, source=f"{place}.jpg",
    )  # fmt: skip


def texts(figure):
    return [[text.get_text() for text in axes.texts] for axes in figure.axes]


def test_each_photograph_is_shown_with_both_classes():
    figure = contact_sheet([mistake(place) for place in range(7)])
    assert texts(figure) == [["cat, taken for", "dog (90 %)", f"{i}.jpg"] for i in range(7)]


def test_pixels_are_shown_as_they_are(tmp_path):
    from PIL import Image

    figure = contact_sheet([mistake(place) for place in range(7)])
    save_figure(figure, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        drawn = np.asarray(picture.convert("RGB"))
    for place in range(7):
        color = np.array((40 * place % 256, 200, 30))
        assert (drawn == color).all(axis=2).sum() == pytest.approx(256**2, rel=0.02)


def test_names_are_texts_and_not_endless():
    figure = contact_sheet([mistake(0, truth="$x$" + "long " * 30)])
    (shown, _, _) = texts(figure)[0]
    assert shown.startswith("$x$long")
    assert len(shown) < 45
    width = figure.get_size_inches()[0] * figure.dpi
    assert width < 256 + 200


def test_no_mistake_is_no_sheet():
    with pytest.raises(UsageError, match="at least"):
        contact_sheet([])


@pytest.mark.parametrize(
    ("counts", "start"),
    [
        ((95, 100, 60, 100), "Overfit:"),
        ((95, 100, 84, 100), "Overfit:"),
        # Large, but on so few photographs that it may be chance.
        ((10, 10, 8, 10), "No overfit gap:"),
        # Surely there, but small.
        ((9900, 10000, 9500, 10000), "A small overfit gap:"),
        ((90, 100, 92, 100), "No overfit gap:"),
    ],
)
def test_an_overfit_gap_is_large_and_surely_there(counts, start):
    gap = accuracy_gap(*counts)
    said = words.gap_sentence(
        train=counts[0] / counts[1], held_out=counts[2] / counts[3], name="validation", gap=gap
    )
    assert said.startswith(start)
    assert f"{100 * counts[0] / counts[1]:.1f} % of the training" in said
    assert words.is_large(gap) == (start == "Overfit:")


def test_a_test_that_differs():
    gap = accuracy_gap(90, 100, 40, 100)
    said = words.shift_sentence(validation=0.9, test=0.4, drawn=True, gap=gap)
    assert said.startswith("The test differs: 90.0 % of the validation photographs are right, but")
    assert "50.0 points (95 % interval: 37.7 to 60.1) less" in said
    assert "same series" in said
    assert "series" not in words.shift_sentence(validation=0.9, test=0.4, drawn=False, gap=gap)
    gap = accuracy_gap(90, 100, 85, 100)
    assert words.shift_sentence(validation=0.9, test=0.85, drawn=True, gap=gap) is None


def test_nothing_learned():
    said = words.learned_sentence(train=0.72, most_frequent=0.7, name="cat")
    assert "always answering 'cat' would be for 70.0 %" in said
    assert words.learned_sentence(train=0.8, most_frequent=0.7, name="cat") is None


def test_evaluation_mode_that_does_not_fit_the_training():
    said = words.mode_sentence(learning=0.36, evaluated=3.72)
    assert "its loss is 3.72 instead of 0.36" in said
    assert "batch norms" in said
    assert words.mode_sentence(learning=0.36, evaluated=0.5) is None


def test_long_lists_are_cut():
    files = {f"{place}.jpg": "cut" for place in range(25)}
    said = words.unreadable_sentence(files)
    assert said.startswith("25 files could not be read and were skipped: 0.jpg (cut);")
    assert said.endswith("19.jpg (cut) and 5 more.")
    one = words.unreadable_sentence({"a.jpg": "cut"})
    assert one == "1 file could not be read and was skipped: a.jpg (cut)."


def test_nothing_amiss_is_not_mentioned():
    assert words.unreadable_sentence({}) is None
    assert words.conflicts_sentence([]) is None
    assert words.copies_within_sentence(0) is None
    assert words.enlarged_sentence(small=0, total=9, side=224) is None


def test_only_copies_to_test_on():
    said = words.copies_sentence(
        name="test", copies=2, total=2, example=("a", "b"), accuracy=1.0, without=None
    )
    assert said.endswith("No other remains to test on.")
