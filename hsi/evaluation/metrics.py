"""The confusion matrix, and the accuracies that follow from it.

Rows are the truth, columns the prediction. What has no value is nan: the accuracy of a class
without test pixels, which AA leaves out as well, and kappa where chance alone agrees always.

References
----------
R. G. Congalton, "A review of assessing the accuracy of classifications of remotely sensed data",
Remote Sensing of Environment 37 (1991) 35-46, doi:10.1016/0034-4257(91)90048-B.
J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological
Measurement 20 (1960) 37-46, doi:10.1177/001316446002000104.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsi.errors import UsageError


def confusion_matrix(
    true_targets: ArrayLike, predicted_targets: ArrayLike, *, classes: int
) -> NDArray[np.int64]:
    """Count how often each class was taken for each class.

    Parameters
    ----------
    true_targets, predicted_targets : array_like of int
        Targets ``0..classes-1`` of the same pixels, in any shape.
    classes : int
        Number of classes.

    Returns
    -------
    ndarray
        ``(classes, classes)``: rows are the truth, columns the prediction.

    Raises
    ------
    UsageError
        If the two differ in shape or hold anything but targets.

    Examples
    --------
    >>> confusion_matrix([0, 0, 1], [0, 1, 1], classes=2)
    array([[1, 1],
           [0, 1]])
    """
    if classes < 1:
        raise UsageError(f"a confusion matrix of {classes} classes; expected at least one")
    truth = _targets(true_targets, classes, what="true")
    prediction = _targets(predicted_targets, classes, what="predicted")
    if truth.shape != prediction.shape:
        raise UsageError(
            f"true targets of shape {truth.shape}, predicted targets of shape {prediction.shape}; "
            "expected one of each for every pixel"
        )
    pairs = truth.ravel() * classes + prediction.ravel()
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes).astype(np.int64)


def oa(cm: ArrayLike) -> float:
    """Return the overall accuracy: the share of all test pixels that are right.

    Parameters
    ----------
    cm : array_like of int
        Confusion matrix ``(K, K)``, rows = truth.

    Raises
    ------
    UsageError
        If `cm` is no confusion matrix or counts no pixel.
    """
    cm = _counted(cm)
    return float(np.trace(cm) / cm.sum())


def aa(cm: ArrayLike) -> float:
    """Return the average accuracy: the mean of the classes' accuracies.

    Classes without test pixels have no accuracy and are left out.

    Parameters
    ----------
    cm : array_like of int
        Confusion matrix ``(K, K)``, rows = truth.

    Raises
    ------
    UsageError
        If `cm` is no confusion matrix or counts no pixel.
    """
    return float(np.nanmean(per_class_accuracy(cm)))


def kappa(cm: ArrayLike) -> float:
    """Return Cohen's kappa: ``(oa - chance) / (1 - chance)``.

    ``chance`` is the accuracy of a map with the same number of pixels of each class, but strewn at
    random. Where truth and prediction are the same single class throughout it is 1: nothing can
    be better than chance, and kappa is nan.

    Parameters
    ----------
    cm : array_like of int
        Confusion matrix ``(K, K)``, rows = truth.

    Raises
    ------
    UsageError
        If `cm` is no confusion matrix or counts no pixel.
    """
    cm = _counted(cm)
    shares = cm / cm.sum()
    if shares.max() == 1.0 and np.trace(shares) == 1.0:
        return math.nan
    chance = float(shares.sum(axis=1) @ shares.sum(axis=0))
    return (oa(cm) - chance) / (1.0 - chance)


def per_class_accuracy(cm: ArrayLike) -> NDArray[np.float64]:
    """Return the share of each class's test pixels that are right.

    It is also called recall or producer's accuracy.

    Parameters
    ----------
    cm : array_like of int
        Confusion matrix ``(K, K)``, rows = truth.

    Returns
    -------
    ndarray
        ``(K,)``; nan where a class has no test pixel.

    Raises
    ------
    UsageError
        If `cm` is no confusion matrix or counts no pixel.
    """
    cm = _counted(cm)
    return _where_tested(cm, np.diagonal(cm), cm.sum(axis=1))


def per_class_f1(cm: ArrayLike) -> NDArray[np.float64]:
    """Return the F1 of each class, the harmonic mean of its recall and its precision.

    Parameters
    ----------
    cm : array_like of int
        Confusion matrix ``(K, K)``, rows = truth.

    Returns
    -------
    ndarray
        ``(K,)``; nan where a class has no test pixel, even if other pixels were taken for it.

    Raises
    ------
    UsageError
        If `cm` is no confusion matrix or counts no pixel.
    """
    cm = _counted(cm)
    return _where_tested(cm, 2 * np.diagonal(cm), cm.sum(axis=1) + cm.sum(axis=0))


def summarise(
    cm: ArrayLike, *, ids: Sequence[int], names: Sequence[str], counted: str = "pixels"
) -> dict[str, Any]:
    """Return all accuracies in a form that JSON can hold.

    Parameters
    ----------
    cm : array_like of int
        Confusion matrix ``(K, K)``, rows = truth.
    ids, names : sequence
        Label id and name of each of the K classes, in the order of `cm`.
    counted : str
        What `cm` counts.

    Returns
    -------
    dict
        ``oa``, ``aa`` and ``kappa`` as fractions; ``per_class``, a list of dicts with ``name``,
        ``id``, ``accuracy``, ``f1`` and, named by `counted`, the number of test pixels;
        ``confusion``, a list of rows. What is nan elsewhere is None here.

    Raises
    ------
    UsageError
        If `cm` is no confusion matrix, counts no pixel, or has not one id and one name a class.
    """
    cm = _counted(cm)
    if not len(ids) == len(names) == len(cm):
        raise UsageError(
            f"a confusion matrix of {len(cm)} classes, {len(ids)} ids and {len(names)} names; "
            "expected one id and one name for each class"
        )
    rows = zip(ids, names, per_class_accuracy(cm), per_class_f1(cm), cm.sum(axis=1), strict=True)
    return {
        "oa": oa(cm),
        "aa": aa(cm),
        "kappa": _number(kappa(cm)),
        "per_class": [
            {
                "name": str(name),
                "id": int(id_),
                "accuracy": _number(accuracy),
                "f1": _number(f1),
                counted: int(tested),
            }
            for id_, name, accuracy, f1, tested in rows
        ],
        "confusion": cm.tolist(),
    }


def _targets(targets: ArrayLike, classes: int, *, what: str) -> NDArray[np.int64]:
    targets = np.asarray(targets)
    if targets.size == 0:
        targets = targets.astype(np.int64)
    if not np.issubdtype(targets.dtype, np.integer):
        raise UsageError(f"{what} targets of type {targets.dtype}; expected integers")
    if targets.size and (targets.min() < 0 or targets.max() >= classes):
        raise UsageError(
            f"{what} targets run from {targets.min()} to {targets.max()}; "
            f"expected 0 to {classes - 1}, one for each of {classes} classes\n"
            "Leave out pixels without a label, and turn label ids into targets first."
        )
    return targets.astype(np.int64)


def _counted(cm: ArrayLike) -> NDArray[np.int64]:
    """Return `cm` as an array if it is a confusion matrix with at least one pixel."""
    cm = np.asarray(cm)
    if cm.ndim != 2 or cm.shape[0] != cm.shape[1] or cm.size == 0:
        raise UsageError(f"a confusion matrix of shape {cm.shape}; expected (classes, classes)")
    if not np.issubdtype(cm.dtype, np.integer) or cm.min() < 0:
        raise UsageError(
            f"a confusion matrix of type {cm.dtype} with values from {cm.min()}; "
            "expected counts of pixels, which are whole numbers from 0"
        )
    if not cm.any():
        raise UsageError("the confusion matrix counts no pixel: there is nothing to test on")
    return cm.astype(np.int64)


def _where_tested(
    cm: NDArray[np.int64], part: NDArray[np.int64], whole: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return ``part / whole`` for classes with test pixels and nan for the others."""
    ratio = np.full(len(cm), np.nan)
    return np.divide(part, whole, out=ratio, where=cm.sum(axis=1) > 0)


def _number(value: float) -> float | None:
    """Return `value` as JSON knows it, which has no nan."""
    return None if math.isnan(value) else float(value)
