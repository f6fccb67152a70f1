"""The sentences that say what is amiss with photographs and their folders."""

import pytest

from hsi.report import photograph_words as words


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


@pytest.mark.parametrize(
    ("accuracy", "without", "words_"),
    [
        (0.992, 0.992, "Without them, the accuracy is the same: 99.2 %."),
        (0.99212, 0.99208, "Without them, the accuracy is 99.208 % instead of 99.212 %."),
        (0.9, 0.5, "Without them, the accuracy is 50.0 % instead of 90.0 %."),
    ],
)
def test_two_accuracies_look_alike_only_if_they_are(accuracy, without, words_):
    said = words.copies_sentence(
        name="test", copies=2, total=9, example=("a", "b"), accuracy=accuracy, without=without
    )
    assert said.endswith(words_)


def test_one_is_not_many():
    assert words.copies_sentence(
        name="test", copies=1, total=1, example=("a", "b"), accuracy=1.0, without=None
    ).startswith("1 of 1 test photograph had a part")
    said = words.enlarged_sentence(small=1, total=9, side=224)
    assert said.startswith(
        "1 of 9 photographs is less than 224 pixels wide or high and was enlarged"
    )
    assert said.endswith("suits it.")
    assert words.enlarged_sentence(small=2, total=9, side=224).endswith("suits them.")
    assert words.aside_sentence(["a.png"], folder="pets") == (
        "1 photograph in pets is in no folder of a class, and not used: a.png."
    )
    assert "2 photographs in pets are in no" in words.aside_sentence(["a", "b"], folder="pets")
    assert words.not_entered_sentence({"a": "closed"}).startswith("1 folder was not looked")
    assert words.not_entered_sentence({"a": "x", "b": "y"}).startswith("2 folders were not looked")


def test_folders_in_order_are_not_mentioned():
    assert words.aside_sentence([], folder="pets") is None
    assert words.not_entered_sentence({}) is None
