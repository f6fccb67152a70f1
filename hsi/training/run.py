"""The run folder of a scene: everything that one training needed and made."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray

from hsi.errors import RunError, unknown_name
from hsi.inference import Method, Precision
from hsi.sampling import Split
from hsi.scenes import Scene, open_scene
from hsi.training.classifier import Classifier
from hsi.training.data_array import check_xarray, to_data_array
from hsi.training.run_folder import RunFolder, read_tables
from hsi.training.scene_table import check_scene_table
from hsi.training.settings import Settings
from hsi.training.split_file import SplitFile, read_split, write_split

if TYPE_CHECKING:
    from xarray import DataArray


class Run(RunFolder):
    """A folder with settings, split, weights, history and results of one training.

    ::

        config.toml         the scene and all settings: enough to run it again
        split.npz           masks of training, validation and test pixels
        model.safetensors   network, band reduction, classes: enough to map another scene
        checkpoint/         the same file as it stood during training; gone when it is finished
        history.csv         one row for each epoch, if there were any
        metrics.json        accuracies, times, sizes, versions
        *.png, *.tif        class map and figures
        map.json            what was mapped with what
        report.html         all of it to look at

    Open an existing one with ``Run(path)``; `hsi.train` makes a new one.

    Parameters
    ----------
    path : Path or str
        The folder.

    Raises
    ------
    RunError
        If there is no run in it.
    """

    COMMAND = "hsi train"
    STARTED = ("config.toml", "split.npz")

    @classmethod
    def create(
        cls,
        path: Path | str,
        *,
        settings: Settings,
        source: dict[str, Any],
        split: Split,
        labels: NDArray[np.int32],
        cube: str | None = None,
    ) -> Self:
        """Make the folder and write down what the training starts from.

        Parameters
        ----------
        path : path
            The folder.
        settings : Settings
            All settings.
        source : dict
            The argument of `hsi.scenes.open_scene` that gives the scene; empty if none does.
        split : Split
            Of the labelled pixels.
        labels : ndarray
            ``(rows, cols)`` label ids that were split, to be known again later.
        cube : str, optional
            `Scene.fingerprint` of the scene, likewise.

        Raises
        ------
        RunError
            If the folder already holds something, or cannot be made.
        """
        config = {"scene": source, "settings": settings.model_dump(exclude_none=True)}

        def before(folder: Path) -> None:
            write_split(folder / "split.npz", split, labels=labels, cube=cube)

        return cls.begun(path, config, before=before)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The content of `config.toml`."""
        return read_config(self.path / "config.toml")

    @property
    def settings(self) -> Settings:
        """The settings of the training."""
        return Settings.from_table(self.config["settings"], where=f"{self.path / 'config.toml'}: ")

    @property
    def source(self) -> dict[str, Any]:
        """The argument of `hsi.scenes.open_scene` that gives the scene.

        Raises
        ------
        RunError
            If none do, since the scene was made in memory.
        """
        source = dict(self.config["scene"])
        if "dataset" not in source and "parts" not in source:
            raise RunError(
                f"the scene of {self.path} was no file and has no name, so it cannot be opened "
                "again\nHand it over as a Scene, as to `hsi.train`."
            )
        return source

    @property
    def split(self) -> Split:
        """The pixels that were used for training, validation and test."""
        return self._split_file.split

    def labelled(self, scene: Scene) -> Scene:
        """Return `scene` with the labels that the run was split on.

        Where the split brought labels of its own, these take the place of the scene's.

        Raises
        ------
        RunError
            If the labels or the values of the cube are others.
        """
        self.check_cube(scene)
        whole = self._split_file.labelled(scene)
        self.check_labels(whole.labels)
        return whole

    def check_labels(self, labels: NDArray[np.int32] | None) -> None:
        """Refuse labels that are not those that the run was split on.

        Raises
        ------
        RunError
            If any of them differs.
        """
        if not self._split_file.is_of(labels):
            raise RunError(
                f"the labels of the scene are not those that {self.path} was split on; "
                "was their file changed?"
            )

    @property
    def cube(self) -> str | None:
        """`Scene.fingerprint` of what it learned from; None where nobody wrote it down."""
        return self._split_file.cube

    def check_cube(self, scene: Scene) -> None:
        """Refuse a scene whose values are not those that the run learned from.

        Raises
        ------
        RunError
            If any of them differs.
        """
        known = self.cube
        if known is not None and scene.fingerprint != known:
            raise RunError(
                f"the values of {scene.name} are not those that {self.path} was trained on; was "
                "its file changed, or is it another scene?\n"
                f"  now   {scene.fingerprint}\n"
                f"  then  {known}"
            )

    def holds_cube_of(self, scene: Scene) -> bool:
        """Return whether the run learned from these very values, by whatever name."""
        known = self.cube
        # The fingerprint begins with the shape, and takes a pass over the cube.
        alike = known is not None and known.startswith(f"{scene.shape} ")
        return alike and scene.fingerprint == known

    @cached_property
    def _split_file(self) -> SplitFile:
        return read_split(self.path / "split.npz")

    @cached_property
    def classifier(self) -> Classifier:
        """The trained classifier; that of the last checkpoint if the training did not finish."""
        _ = self.config  # a run of another kind says what it is, sooner than its model does
        return Classifier.load(self.kept)

    def map(
        self,
        scene: Scene | None = None,
        *,
        as_: Literal["numpy", "xarray"] = "numpy",
        method: Method = "auto",
        device: str | torch.device = "auto",
        precision: Precision = "full",
    ) -> NDArray[np.int32] | DataArray:
        """Map a scene in memory; `hsi.map_scene` writes files.

        Parameters
        ----------
        scene : Scene, optional
            Without, the scene that the run was trained on.
        as_ : {"numpy", "xarray"}
            An array, or one with coordinates, coordinate system and class names, as
            `hsi.training.to_data_array` makes it.
        method, device, precision
            As for `hsi.predict_scene`.

        Returns
        -------
        ndarray or DataArray of int32
            ``(rows, cols)``: the label id of every pixel, 0 where no data is.

        Raises
        ------
        UsageError
            If the bands of the scene are not those of the run, or xarray is not installed.
        RunError
            If the run is damaged, or its scene was no file and is not handed over.
        """
        if as_ == "xarray":
            check_xarray()  # before anything is computed
        elif as_ != "numpy":
            raise unknown_name("kind of array", as_, ("numpy", "xarray"))
        scene = scene or open_scene(self.source)
        class_map = self.classifier.class_map(
            scene, method=method, device=device, precision=precision
        )
        if as_ == "numpy":
            return class_map
        return to_data_array(class_map, names=self.classifier.class_names, grid=scene.grid)


def read_config(path: Path) -> dict[str, Any]:
    """Read a `config.toml`, ``{"scene": ..., "settings": ...}``.

    Raises
    ------
    RunError
        If it is missing or damaged.
    """
    config = read_tables(path, "scene", "settings")
    check_scene_table(path, config["scene"])
    return config
