"""What is said of a split is true of it, whatever its overlap."""

import pytest

from hsi.report import overlap_sentence, pixel_counts


@pytest.mark.parametrize(
    ("contains", "shares", "start"),
    [
        (1.0, 1.0, "Every test pixel has a training pixel inside its patch: the accuracies"),
        (0.993, 1.0, "99.3 % of the test pixels have a training pixel inside their patch: to that"),
        (0.99999, 1.0, "99.9 % of the test pixels"),  # not 100: it is not every one
        (0.00001, 0.5, "<0.1 % of the test pixels"),
        (0.0, 0.25, "No test pixel has a training pixel inside its patch, but 25.0 % of their"),
        (0.0, 0.0, "No test pixel's patch shares a pixel with a training patch."),
        (float("nan"), float("nan"), "There is no test pixel."),
    ],
)
def test_the_overlap_in_words(contains, shares, start):
    sentence = overlap_sentence(contains, shares)
    assert sentence.startswith(start)
    assert sentence.endswith(".")
    assert ("neighbourhood of the training pixels" in sentence) == (contains > 0)


def test_only_a_validation_that_there_was_is_counted():
    assert pixel_counts(train=1000, validation=5, test=20) == (
        "1,000 training, 5 validation, 20 test pixels"
    )
    assert pixel_counts(train=1000, validation=0, test=20) == "1,000 training, 20 test pixels"
