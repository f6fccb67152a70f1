"""The contact sheet, and the sentences that say why a classifier does as it does."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsi.errors import UsageError
from hsi.evaluation import accuracy_gap, against_guessing
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
    assert shown.endswith("long, taken for")
    width = figure.get_size_inches()[0] * figure.dpi
    assert width < 256 + 50


@pytest.mark.parametrize("letter", ["i", "W", "—"])
def test_texts_are_no_wider_than_their_photograph(letter):
    long = letter * 90
    entry = Mistake(
        image=np.zeros((28, 28, 3), np.uint8), truth=long, prediction=long, probability=0.9,
        source=f"{long}/{long}",
    )  # fmt: skip
    figure = contact_sheet([entry, entry])
    figure.draw_without_rendering()
    for axes in figure.axes:
        side = axes.get_window_extent().width
        for text in axes.texts:
            assert 0.8 * side < text.get_window_extent().width < side + 2
            assert "…" in text.get_text()


def test_long_paths_lose_their_middle_and_names_keep_their_end():
    folders = [f"cat/a very long name of a holiday, day {day}" for day in (1, 2)]
    sources = [f"{folder}/0001.jpg" for folder in folders]
    figure = contact_sheet(
        [
            Mistake(
                image=np.zeros((28, 28, 3), np.uint8), truth="cat", prediction="dog",
                probability=0.9, source=source,
            )
            for source in sources
        ]
    )  # fmt: skip
    shown = [tuple(lines[2:]) for lines in texts(figure)]
    assert len(set(shown)) == 2
    for place, (folder, name) in enumerate(shown, start=1):
        assert folder.startswith("cat/")
        assert folder.endswith(f"day {place}/")
        assert name == "0001.jpg"


@pytest.mark.parametrize("source", ["cat/1.jpg", "cat/" + "deep " * 9 + "/1.jpg"])
def test_rows_make_room_for_their_texts(source):
    entry = Mistake(
        image=np.zeros((28, 28, 3), np.uint8), truth="cat", prediction="dog", probability=0.9,
        source=source,
    )  # fmt: skip
    figure = contact_sheet([entry] * 6)
    figure.draw_without_rendering()
    below = figure.axes[5].get_window_extent().y1
    lines = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(lines) == (3 if len(source) < 20 else 4)
    assert all(below < line.y0 for line in lines)
    # And not too much of it.
    assert min(line.y0 for line in lines) - below < 60


def test_a_white_photograph_has_a_frame(tmp_path):
    from PIL import Image

    white = Mistake(
        image=np.full((28, 28, 3), 255, np.uint8), truth="", prediction="", probability=0.5,
        source="",
    )  # fmt: skip
    save_figure(contact_sheet([white]), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        drawn = np.asarray(picture.convert("L"))
    sides = (drawn < 200).sum(axis=0).max(), (drawn < 200).sum(axis=1).max()
    assert min(sides) > 250


def test_no_mistake_is_no_sheet():
    with pytest.raises(UsageError, match="at least"):
        contact_sheet([])


def gap_said(*counts, name="validation"):
    return words.gap_sentence(
        train=counts[0] / counts[1],
        held_out=counts[2] / counts[3],
        name=name,
        photographs=(counts[1], counts[3]),
        gap=accuracy_gap(*counts),
    )


@pytest.mark.parametrize(
    ("counts", "start"),
    [
        ((95, 100, 60, 100), "Overfit: a gap of 35.0 points (95 % interval: 24.0 to 45.2)"),
        ((95, 100, 84, 100), "Overfit: a gap of 11.0 points"),
        # Surely there, but small.
        ((9900, 10000, 9500, 10000), "An overfit gap of 4.0 points (95 % interval: 3.5 to 4.5)"),
        # Large or small, but on so few photographs that it may be chance, or a large one.
        ((10, 10, 8, 10), "10 training photographs and 10 for validation cannot tell"),
        ((10, 10, 10, 10), "10 training photographs and 10 for validation cannot tell"),
        ((90, 100, 92, 100), "No overfit gap larger than 6.3 points:"),
        ((10, 15, 14, 20), "15 training photographs and 20 for validation cannot tell"),
        ((2500, 5000, 2480, 5000), "No overfit gap larger than 2.4 points:"),
        ((60, 100, 90, 100), "No overfit gap: 60.0 % of the training"),
    ],
)
def test_what_is_said_of_an_overfit_gap(counts, start):
    said = gap_said(*counts)
    assert said.startswith(start)
    assert f"{100 * counts[0] / counts[1]:.1f} % of the training" in said
    assert words.is_large(accuracy_gap(*counts)) == start.startswith("Overfit:")


@given(
    st.tuples(st.integers(1, 300), st.integers(1, 300)).flatmap(
        lambda n: st.tuples(
            st.integers(0, n[0]), st.just(n[0]), st.integers(0, n[1]), st.just(n[1])
        )
    )
)
def test_what_is_said_of_a_gap_holds_for_all_of_its_interval(counts):
    gap, said = accuracy_gap(*counts), gap_said(*counts)
    assert "-0.0 " not in said
    if bound := re.match(r"No overfit gap larger than ([0-9.]+) points", said):
        assert f" to {bound[1]})" in said
        assert float(bound[1]) == pytest.approx(100 * gap.high, abs=0.05)
        assert 0 < gap.high <= 0.1
        assert gap.low <= 0
    elif "cannot tell" in said:
        assert gap.low <= 0 < 0.1 < gap.high
    elif said.startswith("No overfit gap:"):
        assert gap.high <= 0
    else:
        assert said.startswith(("Overfit: a gap of", "An overfit gap of"))
        assert gap.low > 0


def test_accuracies_that_differ_do_not_look_alike():
    said = gap_said(9996, 10000, 9992, 10000)
    assert "99.96 % of the training and 99.92 % of the validation" in said


def test_one_photograph_is_not_many():
    assert gap_said(1, 1, 1, 1).startswith("1 training photograph and 1 for validation cannot tell")


def test_no_better_than_guessing():
    worse = against_guessing([[24, 26], [32, 18]])
    said = words.guessing_sentence(worse, name="test", class_name="cat")
    assert said.startswith("No better than guessing: the network is right for 42.0 % of 100 test")
    assert "always answering 'cat' would be for 50.0 % (one-sided binomial test, p = 0.96)" in said
    slightly = against_guessing([[14, 12], [12, 14]])
    said = words.guessing_sentence(slightly, name="validation", class_name="cat")
    assert said.startswith("Perhaps no better than guessing:")
    assert "53.8 % of 52 validation photographs" in said
    better = against_guessing([[24, 1], [0, 25]])
    assert words.guessing_sentence(better, name="test", class_name="cat") is None


def test_learned_weights_are_no_cause_where_they_were_taken():
    assert "--weights imagenet" in words.guessing_causes(fresh=True, side=32)
    said = words.guessing_causes(fresh=False, side=32)
    assert "weights" not in said
    assert "32x32 pixels" in said


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
    assert "always answering 'cat' would be right for 70.0 %" in said
    assert words.learned_sentence(train=0.8, most_frequent=0.7, name="cat") is None


def test_evaluation_mode_that_does_not_fit_the_training():
    said = words.mode_sentence(learning=0.36, evaluated=3.72)
    assert "its loss is 3.72 instead of 0.36" in said
    assert "batch norms" in said
    assert words.mode_sentence(learning=0.36, evaluated=0.5) is None
