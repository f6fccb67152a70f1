"""What the accuracies of a classifier of photographs say, in plain words.

Each function answers one question that they raise, in a sentence or two; those that look for
something amiss return None where nothing is. What is amiss with the photographs themselves stands
in `photograph_words`.
"""

from __future__ import annotations

from hsi.evaluation import Gap, Guessing
from hsi.photographs.counted import counted
from hsi.report.numbers import percents, points

# An accuracy that is lower by so much, and by more than chance explains, is worth a warning.
LARGE_GAP = 0.10
# So much more loss in evaluation mode than in training mode is no matter of chance.
LARGE_LOSS = 0.5
VALIDATION_IS_THE_TEST = (
    "There is no test folder: the accuracies are those of the validation photographs, which had no "
    "part in the training and chose nothing. Whoever changes settings until they are high has "
    "chosen by them, and needs others for a test."
)


def is_large(gap: Gap) -> bool:
    """Return whether a difference is large, and surely there."""
    return gap.difference > LARGE_GAP and gap.low > 0


def gap_sentence(
    *, train: float, held_out: float, name: str, photographs: tuple[int, int], gap: Gap
) -> str:
    """Say whether the network does better on what it was trained on.

    There is a gap if the confidence interval of the difference is above 0. There is none to speak
    of if all of the interval is below `LARGE_GAP`. Else the photographs are too few to tell.

    Parameters
    ----------
    train, held_out : float
        Accuracies, measured in the same way.
    name : str
        Of the set that was held out.
    photographs : tuple of int
        How many there are for training and in that set.
    gap : Gap
        By how much `train` is higher.
    """
    shares = percents(train, held_out, digits=1)
    measured = (
        f"{shares[0]} % of the training and {shares[1]} % of the {name} photographs are right, "
        "measured in the same way (evaluation mode, no augmentation)"
    )
    if is_large(gap):
        return (
            f"Overfit: a gap of {_points(gap)}, more than chance explains. {measured}: "
            "the network knows these training photographs rather than the classes. More and more "
            "varied photographs help, frozen features (--freeze features), more augmentation, "
            "fewer epochs."
        )
    if gap.low > 0:
        return f"An overfit gap of {_points(gap)}: {measured}."
    if gap.high <= 0:
        return (
            f"No overfit gap: {measured}. The held-out ones are the easier ones: the difference is "
            f"{_points(gap)}."
        )
    if gap.high <= LARGE_GAP:
        return (
            f"No overfit gap larger than {points(gap.high)} points: {measured}; the difference is "
            f"{_points(gap)}."
        )
    return (
        f"{counted(photographs[0], 'training photograph')} and {photographs[1]:,} for {name} "
        f"cannot tell whether there is an overfit gap: {measured}; the difference is "
        f"{_points(gap)}, so that there may be none or a large one."
    )


def shift_sentence(*, validation: float, test: float, drawn: bool, gap: Gap) -> str | None:
    """Say whether the test is another matter than the validation.

    Parameters
    ----------
    validation, test : float
        Accuracies.
    drawn : bool
        Whether the validation photographs were drawn from those in the training folder.
    gap : Gap
        By how much `validation` is higher.
    """
    if not is_large(gap):
        return None
    origin = (
        "The validation photographs were drawn from the training folder and not trained on. Either "
        "they resemble the training photographs too much (the same series, subject or place, in "
        "several photographs), or those for the test are of another kind: other cameras, subjects "
        "or labels."
        if drawn
        else "The test photographs are of another kind: other cameras, subjects or labels."
    )
    shares = percents(validation, test, digits=1)
    return (
        f"The test differs: {shares[0]} % of the validation photographs are right, but "
        f"{shares[1]} % of the test photographs, {_points(gap)} less. {origin}"
    )


def learned_sentence(*, train: float, most_frequent: float, name: str) -> str | None:
    """Say so if hardly anything was learned.

    Parameters
    ----------
    train : float
        Accuracy on the training photographs.
    most_frequent : float
        Share of the most frequent class among them.
    name : str
        Of that class.
    """
    if train > most_frequent + (1 - most_frequent) / 5:
        return None
    shares = percents(train, most_frequent, digits=1)
    return (
        f"Hardly anything was learned: {shares[0]} % of the training photographs are right, and "
        f"always answering '{name}' would be right for {shares[1]} %. More epochs, learned weights "
        "(--weights), or another learning rate may help; so may a look at the photographs."
    )


def guessing_sentence(guessing: Guessing, *, name: str, class_name: str) -> str | None:
    """Say so if held-out photographs are right no more often than guessing would be.

    Parameters
    ----------
    guessing : Guessing
        What was right, and what guessing would have been.
    name : str
        Of the set.
    class_name : str
        Of its most frequent class.
    """
    if guessing.is_beaten:
        return None
    right, guessed = percents(
        guessing.right / guessing.total, guessing.guessed / guessing.total, digits=1
    )
    test = f"one-sided binomial test, p = {guessing.p_value:.2f}"
    of = f"{right} % of {counted(guessing.total, f'{name} photograph')}"
    if guessing.right <= guessing.guessed:
        return (
            f"No better than guessing: the network is right for {of}, and always answering "
            f"'{class_name}' would be for {guessed} % ({test})."
        )
    return (
        f"Perhaps no better than guessing: the network is right for {of}, but always answering "
        f"'{class_name}' would be for {guessed} %, and chance explains the difference ({test})."
    )


def guessing_causes(*, fresh: bool, side: int) -> str:
    """Say why a network usually does no better than guessing.

    Parameters
    ----------
    fresh : bool
        Whether the network started from fresh weights.
    side : int
        Of the photographs as the network sees them, in pixels.
    """
    causes = [
        *(["fresh weights on few photographs (--weights imagenet has learned ones)"] * fresh),
        "too few epochs (--epochs)",
        f"classes that differ in nothing that {side}x{side} pixels show (--size)",
        "photographs in the folder of another class",
        "too few held-out photographs to tell",
    ]
    return f"What usually causes it: {'; '.join(causes)}."


def mode_sentence(*, learning: float, evaluated: float) -> str | None:
    """Say so if the network does worse in evaluation mode on what it was trained on.

    Parameters
    ----------
    learning : float
        Mean cross-entropy of an epoch of training, with its augmentation and dropout, which make
        it higher; and of the weights before the epoch was over, which do so, too.
    evaluated : float
        That of the same photographs in evaluation mode after the epoch.
    """
    if evaluated < learning + LARGE_LOSS:
        return None
    return (
        "The network does worse in evaluation mode than it did while it was trained: on the same "
        f"photographs, its loss is {evaluated:.2f} instead of {learning:.2f}. The running "
        "statistics of its batch norms do not fit, as after few steps or with small batches. "
        "More epochs, larger batches (--batch-size) or frozen features (--freeze features) help."
    )


def _points(gap: Gap) -> str:
    return (
        f"{points(gap.difference)} points (95 % interval: {points(gap.low)} to {points(gap.high)})"
    )
