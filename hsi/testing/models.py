"""What a network promises, whoever wrote it."""

from __future__ import annotations

import signal
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hsi.errors import UsageError, check_name
from hsi.inference import predict_pixels, predict_scene
from hsi.models import MODELS, PatchNetwork, build_model, check_trunk, usual
from hsi.models.estimator import SpectralEstimator
from hsi.scenes import Scene
from hsi.scenes.synthetic import synthetic_scene
from hsi.testing.battery import (
    Check,
    draw_state,
    learns,
    require,
    require_near,
    run_all,
    seeded,
)
from hsi.training import Epoch
from hsi.workflows import map_scene, resume, train

# Of the logits' range: what the dense and the patch-wise evaluation may differ by.
TOLERANCES = {torch.float64: 1e-9, torch.float32: 1e-4}
CLASSES = 4
# A training of so many epochs of two steps is interrupted after so many steps.
EPOCHS, INTERRUPTED = 8, 12


def check_model(
    name: str, *, bands: int = 30, patch_size: int | None = None, trainable: bool = True
) -> None:
    """Check that a registered network can be used wherever the project's own can.

    Parameters
    ----------
    name : str
        A key of `hsi.models.MODELS`; see `hsi.register_model`.
    bands, patch_size : int
        A size that it can be built for; a smaller one is checked sooner.
    trainable : bool
        Whether to train it for some steps as well, to interrupt it, and to go on.

    Raises
    ------
    UsageError
        If there is no such network.
    CheckFailedError
        An `AssertionError` with the promise that is not kept:

        - patches ``(N, bands, p, p)`` become logits ``(N, classes)``, and patches of another shape,
          or sizes that cannot be, are refused with a `UsageError`;
        - the same seed gives the same weights;
        - in evaluation mode, the logits of a patch depend on nothing but the patch;
        - the input is left alone;
        - every weight learns;
        - a trunk, if there is one, gives the same for a scene as for its patches, in evaluation and
          in training mode, and a map is the same either way, borders included: to 1e-9 of the
          logits' range in float64, to 1e-4 in float32;
        - a trained network goes through a file, and maps a scene to the same bits afterwards;
        - an interrupted training goes on to the same bits.

    Examples
    --------
    >>> from hsi.testing import check_model
    >>> check_model("cnn1d-hu", bands=20, trainable=False)
    """
    check_name("model", name, MODELS, listed_by="hsi models")
    side = usual(name).patch_size if patch_size is None else patch_size
    network = _Network(name, bands=bands, patch_size=side)
    run_all(name, network.checks(trainable=trainable))


class _Network:
    """A network of one size."""

    def __init__(self, name: str, *, bands: int, patch_size: int) -> None:
        self.name, self.sizes = name, {"bands": bands, "patch_size": patch_size}
        self.bands, self.patch_size = bands, patch_size
        first = self.build()
        self.learns_by_steps = not isinstance(first, SpectralEstimator)

    def checks(self, *, trainable: bool) -> list[Check]:
        checks: list[Check] = [
            ("patches become logits", self.gives_logits),
            ("what it cannot take is refused", self.refuses),
            ("a trunk gives the same for a scene as for its patches", self.has_a_trunk_or_none),
        ]
        if self.learns_by_steps:
            checks += [
                ("the same seed gives the same weights", self.is_drawn_from_the_seed),
                ("the logits of a patch depend on the patch alone", self.is_alone),
                ("the input is left alone", self.leaves_input),
                ("every weight learns", self.learns),
                ("a map is the same dense and patch by patch", self.keeps_the_contract),
            ]
        if trainable:
            checks.append(("a trained network goes through a file", self.trains))
        if trainable and self.learns_by_steps:
            checks.append(("an interrupted training goes on to the same bits", self.resumes))
        return checks

    def build(self, **changes: Any) -> PatchNetwork:
        with seeded(0):
            return build_model(self.name, **({"classes": CLASSES} | self.sizes | changes))

    def drawn(self) -> PatchNetwork:
        model = self.build().double().eval()
        with seeded(1):
            draw_state(model)
        return model

    def patches(self, number: int, seed: int = 0) -> Tensor:
        shape = (number, self.bands, self.patch_size, self.patch_size)
        return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))

    def gives_logits(self) -> None:
        for classes in (2, 7):
            model = self.build(classes=classes).eval()
            if not self.learns_by_steps:
                continue
            with torch.no_grad():
                logits = model(self.patches(3).float())
            require(
                tuple(logits.shape) == (3, classes) and logits.dtype == torch.float32,
                f"{logits.dtype} of {tuple(logits.shape)} came of three patches in float32, with "
                f"{classes} classes",
            )
        model = self.build()
        for what, expected in (("classes", CLASSES), *self.sizes.items()):
            require(getattr(model, what) == expected, f"its {what} is {getattr(model, what)}")

    def refuses(self) -> None:
        for changes in ({"patch_size": 0}, {"patch_size": -3}, {"bands": 0}, {"classes": 0}):
            with _refused(f"{next(iter(changes))} of {next(iter(changes.values()))}"):
                self.build(**changes)
        model = self.build().eval()
        side = self.patch_size
        for shape in ((2, self.bands + 1, side, side), (2, self.bands, side + 2, side)):
            with _refused(f"patches of {shape}"):
                model(torch.zeros(shape))

    def has_a_trunk_or_none(self) -> None:
        check_trunk(self.build())

    def is_drawn_from_the_seed(self) -> None:
        one, two = self.build().state_dict(), self.build().state_dict()
        other = [name for name in one if not torch.equal(one[name], two[name])]
        require(not other, f"two with the same seed differ in {', '.join(other[:5])}")

    def is_alone(self) -> None:
        model, patches = self.drawn(), self.patches(4)
        with torch.no_grad():
            together = model(patches)
            alone = torch.cat([model(each[None]) for each in patches])
            require(torch.equal(model(patches), together), "two calls gave different logits")
        require_near(together, alone, 1e-9, "four patches together and each by itself")

    def leaves_input(self) -> None:
        model, patches = self.drawn(), self.patches(2)
        before = patches.clone()
        with torch.no_grad():
            model(patches)
            model.train()(patches)
        require(torch.equal(patches, before), "the input was changed in place")

    def learns(self) -> None:
        with seeded(0):
            model = self.build(dropout=0.0).train()
            loss = F.cross_entropy(model(self.patches(6).float()), torch.arange(6) % CLASSES)
            learns(model, loss)

    def keeps_the_contract(self) -> None:
        model = self.drawn()
        if model.has_trunk:
            self._keeps_it_on_a_wide_scene(model)
        shape = (4, 6, self.bands)
        cube = np.random.default_rng(2).standard_normal(shape)
        pixels = np.argwhere(np.ones(shape[:2], dtype=bool))
        for type_, share in TOLERANCES.items():
            model.to(type_)
            maps = {
                method: torch.from_numpy(predict_scene(model, cube, method=method, device="cpu"))
                for method in ("auto", "patches", *(("dense",) if model.has_trunk else ()))
            }
            for method, scores in maps.items():
                require_near(scores, maps["patches"], share, f"{method} and patches in {type_}")
            some = torch.from_numpy(predict_pixels(model, cube, pixels, device="cpu"))
            require_near(
                some.T.reshape(maps["patches"].shape), maps["patches"], share,
                f"some pixels and all, in {type_}",
            )  # fmt: skip
        require(not model.training, "it was left in training mode")

    def _keeps_it_on_a_wide_scene(self, model: PatchNetwork) -> None:
        """Require a scene that is much wider than a patch to be what patches give."""
        rng = np.random.default_rng(3)
        cube = rng.standard_normal((self.patch_size + 3, self.patch_size + 70, self.bands))
        dense = predict_scene(model, cube, method="dense", device="cpu")
        pixels = np.stack([rng.integers(0, size, 10) for size in cube.shape[:2]], axis=1)
        patches = predict_pixels(model, cube, pixels, method="patches", device="cpu")
        found = torch.from_numpy(dense[:, pixels[:, 0], pixels[:, 1]].T)
        require_near(
            found, torch.from_numpy(patches), TOLERANCES[torch.float64],
            f"a scene of {cube.shape[0]}x{cube.shape[1]} pixels, dense and in patches",
        )  # fmt: skip

    def trains(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            run = train(self.scene(), out=Path(folder) / "run", **self._brief())
            require(run.finished, "the run is not finished")
            maps = [
                map_scene(run, self.scene(), out=Path(folder) / name, device="cpu")
                for name in ("one", "two")
            ]
            contents = {saved.raster.read_bytes() for saved in maps}
            require(len(contents) == 1, "two maps of the same scene differ")
            before = (run.path / "class_map.tif").read_bytes()
            require(contents == {before}, "the map after training differs from a later one")
            weights = run.classifier.network.state_dict().values()
            finite = all(w.isfinite().all() for w in weights if w.is_floating_point())
            require(finite, "there are trained weights that are no numbers")

    def scene(self) -> Scene:
        side = max(32, self.patch_size + 3)
        return synthetic_scene(rows=side, cols=side, bands=self.bands, classes=3)

    def resumes(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return  # signals reach the main thread alone
        scene = self.scene()
        with tempfile.TemporaryDirectory() as folder:
            whole = train(scene, out=Path(folder) / "whole", **self._brief())
            path = Path(folder) / "interrupted"
            # A program in the background has its interrupts ignored.
            before = signal.signal(signal.SIGINT, signal.default_int_handler)
            try:
                train(scene, out=path, progress=_Interrupting(), **self._brief())
            except KeyboardInterrupt:
                again = resume(path, scene, device="cpu", report=False)
            else:
                raise AssertionError("a request to stop was not heeded")
            finally:
                signal.signal(signal.SIGINT, before)
            files = [run.path / "model.safetensors" for run in (whole, again)]
            require(
                files[0].read_bytes() == files[1].read_bytes(),
                "the weights after an interruption are others than without",
            )

    def _brief(self) -> dict[str, Any]:
        return {
            "model": self.name, "reduction": "bands", "patch_size": self.patch_size, "train": 10,
            "epochs": EPOCHS, "steps": None, "batch_size": 16, "device": "cpu", "report": False,
        }  # fmt: skip


class _Interrupting:
    """Progress in one of whose steps somebody presses Ctrl-C."""

    def step(self, done: int, total: int) -> None:
        if done == INTERRUPTED:
            signal.raise_signal(signal.SIGINT)

    def epoch(self, epoch: Epoch, total: int) -> None:
        """Do nothing."""


class _refused:  # noqa: N801 - reads as a statement
    """A block that must raise a UsageError."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, error: Any, traceback: Any) -> bool:
        if kind is not None and issubclass(kind, UsageError):
            return True
        came = "was accepted" if kind is None else f"led to {kind.__name__}: {error}"
        raise AssertionError(f"{self.what} {came}; expected a hsi.errors.UsageError")
