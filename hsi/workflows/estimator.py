"""Networks in scikit-learn's manner: fitted to some pixels of a cube, asked for others."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from hsi.errors import UsageError
from hsi.inference import predict_pixels, resolve_device
from hsi.sampling import ScenePixels, Split, class_ids
from hsi.scenes import Scene
from hsi.scenes.cube import is_missing
from hsi.scenes.lazy import LazyCube
from hsi.scenes.trained_bands import match_bands
from hsi.training import Recipe, Settings
from hsi.training.components import ComponentCube
from hsi.workflows.learn import learn


class HybridSNClassifier(ClassifierMixin, BaseEstimator):
    """A classifier of the pixels of a scene, by the patch around each, as scikit-learn has them.

    It takes a whole cube, or some of its pixels as `hsi.ScenePixels`, so that tools such as
    `cross_val_score` and `GridSearchCV` can choose among them. A patch reaches beyond its pixel: in
    a random division of the pixels, training patches hold most of the test pixels. Divide them by
    `hsi.BlockKFold`.

    Any model of `hsi.build_model` will do, classifiers of single spectra among them. Settings that
    are None are what is usual for the model and the scene.

    Parameters
    ----------
    model : str
        A name that ``hsi models`` lists.
    patch_size : int, optional
        Side of the patch in pixels, odd.
    reduction : {"pca", "bands"}, optional
        What becomes of the bands: principal components, or each scaled to unit variance. Fitted to
        the training pixels.
    components : int, optional
        Number of principal components.
    attention : str
        Name of an attention block, or ``"none"``.
    recipe : str or Recipe
        How weights are found: ``"default"``, ``"paper"``, or a recipe of one's own. The next five
        change it.
    epochs, steps : int, optional
        Passes over the training pixels, or instead the number of steps.
    batch_size : int, optional
        Pixels of a step.
    learning_rate, dropout : float, optional
        The (highest) rate of the optimiser, and the probability of dropping a hidden unit.
    seed : int
        Of all that is random. With the same one, training again gives the same.
    device : str or torch.device
        ``"auto"`` is the first CUDA device or else the CPU.

    Attributes
    ----------
    classes_ : ndarray
        ``(K,)`` the label ids that it was fitted to, ascending.
    n_features_in_ : int
        Bands of the cube.
    classifier_ : Classifier
        What was trained: it maps scenes of any size, and can be saved.
    chosen_ : dict
        Hyperparameters that were chosen by cross-validation within the training pixels (of models
        such as ``"svm"``; empty for networks).

    Examples
    --------
    >>> import hsi
    >>> scene = hsi.load_scene("synthetic")
    >>> few = hsi.split_pixels(scene.labels, train=30, patch_size=1, seed=0)
    >>> forest = HybridSNClassifier(model="logistic-regression")
    >>> forest = forest.fit(scene.cube, few.train * scene.labels)
    >>> forest.predict(scene.cube).shape, forest.score(scene.cube, scene.labels) > 0.7
    ((96, 96), True)
    """

    def __init__(
        self,
        *,
        model: str = "hybridsn-dw",
        patch_size: int | None = None,
        reduction: str | None = None,
        components: int | None = None,
        attention: str = "none",
        recipe: str | Recipe = "default",
        epochs: int | None = None,
        steps: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        dropout: float | None = None,
        seed: int = 0,
        device: str | torch.device = "auto",
    ) -> None:
        self.model = model
        self.patch_size = patch_size
        self.reduction = reduction
        self.components = components
        self.attention = attention
        self.recipe = recipe
        self.epochs = epochs
        self.steps = steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.dropout = dropout
        self.seed = seed
        self.device = device

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Train on labelled pixels.

        Parameters
        ----------
        X : array_like or ScenePixels
            A cube ``(rows, cols, bands)``, NaN where no data is; or some of its pixels. The patches
            around them see all of the cube.
        y : array_like
            Label ids ``(rows, cols)`` or, for some pixels, ``(n,)``; 0 = unlabelled. Labelled
            pixels without data are left out.

        Returns
        -------
        HybridSNClassifier
            Itself.

        Raises
        ------
        UsageError
            If shapes do not fit, labels are no ids or of one class only, or a setting is unknown or
            does not fit the model or the scene.
        """
        settings = self._settings()
        pixels, ids = _labelled(X, y)
        has_data = Scene(name=_NAME, cube=pixels.cube).valid[pixels.rows, pixels.cols]
        pixels, ids = pixels[has_data], ids[has_data]
        _check(pixels, ids, settings)
        labels = np.zeros(pixels.scene_shape, dtype=np.int32)
        labels[pixels.rows, pixels.cols] = ids
        split = Split(
            train=labels > 0,
            validation=np.zeros(labels.shape, dtype=bool),
            test=np.zeros(labels.shape, dtype=bool),
            method="given",
            seed=settings.seed,
            patch_size=settings.side,
        )
        scene = Scene(name=_NAME, cube=pixels.cube, labels=labels)
        learned = learn(scene, split, settings, device=resolve_device(self.device))
        self.classes_ = np.unique(ids)
        self.n_features_in_ = scene.bands
        self.classifier_ = learned.classifier
        self.chosen_ = learned.chosen
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the label id of every pixel.

        Parameters
        ----------
        X : array_like or ScenePixels
            A cube ``(rows, cols, bands)`` or some of its pixels, with the bands that it was fitted
            to.

        Returns
        -------
        ndarray
            ``(rows, cols)`` or ``(n,)``; 0 where no data is.

        Raises
        ------
        NotFittedError
            If it was not fitted yet; scikit-learn's error.
        UsageError
            If the bands are others.
        """
        check_is_fitted(self, "classifier_", msg=_UNFITTED)
        if not isinstance(X, ScenePixels):
            class_map = self.classifier_.class_map(_scene(X), device=self.device)
            return class_map.astype(self.classes_.dtype)
        scores, valid = self._scores_of_pixels(X)
        return np.where(valid, self.classes_[scores.argmax(axis=1)], 0).astype(self.classes_.dtype)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the softmax of the scores, in the order of `classes_`.

        Networks are trained for these to be probabilities, but are often too sure of themselves;
        those of a support vector machine are none.

        Parameters
        ----------
        X : array_like or ScenePixels
            As for `predict`, and so are errors.

        Returns
        -------
        ndarray
            ``(rows, cols, K)`` or ``(n, K)``; NaN where no data is.
        """
        check_is_fitted(self, "classifier_", msg=_UNFITTED)
        if isinstance(X, ScenePixels):
            scores, valid = self._scores_of_pixels(X)
        else:
            scene = _scene(X)
            scores, valid = self.classifier_.scores(scene, device=self.device), scene.valid
            scores = np.moveaxis(scores, 0, -1)
        scores = scores.astype(np.float64)
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        shares[~valid] = np.nan
        return shares

    def score(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the overall accuracy on the labelled pixels.

        Parameters
        ----------
        X : array_like or ScenePixels
            As for `predict`.
        y : array_like
            Label ids ``(rows, cols)`` or ``(n,)``, 0 = unlabelled.
        sample_weight : array_like, optional
            Of each pixel, in the shape of `y`.

        Raises
        ------
        UsageError
            If shapes do not fit, or nothing is labelled.
        """
        check_is_fitted(self, "classifier_", msg=_UNFITTED)
        pixels, ids = _labelled(X, y)
        weights = None
        if sample_weight is not None:
            weights = np.asarray(sample_weight)
            if weights.shape != np.shape(y):
                raise UsageError(f"weights have shape {weights.shape}, labels {np.shape(y)}")
            weights = weights[np.asarray(y) > 0]
        return float(accuracy_score(ids, self.predict(pixels), sample_weight=weights))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        return tags

    def _settings(self) -> Settings:
        """Return the parameters as settings; None is left open where it may be."""
        usual = type(self)().get_params(deep=False)
        for name, value in self.get_params(deep=False).items():
            if value is None and usual[name] is not None:
                raise UsageError(f"{name} is None; expected a value such as {usual[name]!r}")
        changes = {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in self.get_params(deep=False).items()
            if name != "device"
        }
        return Settings().changed(**changes)

    def _scores_of_pixels(
        self, pixels: ScenePixels
    ) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
        """Return scores ``(n, K)``, and ``(n,)``: where data is."""
        trained = self.classifier_
        scene = match_bands(_scene(pixels.cube), trained.bands)
        cube: Any = ComponentCube(scene, trained.reduction)
        places = np.stack([pixels.rows, pixels.cols], axis=1)
        scores = predict_pixels(trained.network, cube, places, device=self.device)
        missing = is_missing(np.asarray(pixels), None)
        return scores, np.logical_not(missing.any(axis=1))


_NAME = "the cube"
_UNFITTED = (
    "This %(name)s is not fitted yet: call fit(cube, labels) first, or fit(pixels, y) with "
    "hsi.ScenePixels."
)


def _as_cube(X: Any) -> Any:
    cube = X if isinstance(X, np.ndarray | LazyCube) else np.asarray(X)
    if cube.ndim != 3:
        raise UsageError(
            f"X has shape {tuple(cube.shape)}; expected a cube (rows, cols, bands)\n"
            "Some pixels of a cube are hsi.ScenePixels(cube, mask): spectra alone are not enough, "
            "as the patch around each is looked at."
        )
    return cube


def _scene(X: Any) -> Scene:
    return Scene(name=_NAME, cube=_as_cube(X))


def _labelled(X: Any, y: ArrayLike) -> tuple[ScenePixels, NDArray[Any]]:
    """Return the labelled pixels of a cube, or of some of its pixels; and their labels ``(n,)``."""
    labels = np.asarray(y)
    if labels.dtype.kind not in "iuf":
        raise UsageError(
            f"labels must be whole numbers (class ids, 0 = unlabelled), not {labels.dtype} values"
        )
    if not len(class_ids(labels)):  # which says what else may be wrong
        raise UsageError("no pixel has a label: y holds nothing above 0")
    if not isinstance(X, ScenePixels):
        return ScenePixels(_as_cube(X), labels), labels[labels > 0]
    if labels.shape != (len(X),):
        raise UsageError(
            f"y has shape {labels.shape}; expected ({len(X)},), a label for each pixel"
        )
    return X[labels > 0], labels[labels > 0]


def _check(pixels: ScenePixels, ids: NDArray[Any], settings: Settings) -> None:
    """Refuse what nothing can be learned from."""
    classes = len(np.unique(ids))
    if classes < 2:
        raise UsageError(
            f"the labelled pixels with data are of {classes} class{'' if classes else 'es'}; "
            "to tell classes apart takes at least two"
        )
    rows, cols = pixels.scene_shape
    if settings.side > min(rows, cols):
        raise UsageError(
            f"a patch of {settings.side}x{settings.side} pixels is larger than the cube "
            f"({rows}x{cols}); choose a smaller patch_size"
        )
