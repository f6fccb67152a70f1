"""The scene that a command line means: one, several, or that of an earlier run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hsi.errors import UsageError
from hsi.scenes.scene import Scene
from hsi.scenes.scene_list import Files, is_list, load_scenes, open_scene


class Named(NamedTuple):
    """Scenes that are named one by one or by lists, and the files with their labels."""

    datasets: Sequence[str]
    labels: Sequence[str]
    dataset_option: str
    labels_option: str

    def options_given(self) -> list[str]:
        """Return the options by which something is named."""
        pairs = ((self.dataset_option, self.datasets), (self.labels_option, self.labels))
        return [option for option, values in pairs if values]

    def files(self) -> list[Files]:
        """Return each scene with its labels, as `load_scenes` takes them.

        Raises
        ------
        UsageError
            If labels are named for some of the scenes, or for more.
        """
        if not self.labels:
            return list(self.datasets)
        if len(self.labels) != len(self.datasets):
            raise UsageError(
                f"{len(self.datasets)} times {self.dataset_option}, but {len(self.labels)} times "
                f"{self.labels_option}\nLabels belong to the scenes in their order: name them for "
                "each scene, or for none."
            )
        return list(zip(self.datasets, self.labels, strict=True))


def named_scene(
    *,
    train: Named,
    validation: Named,
    test: Named,
    stored: Mapping[str, Any],
    reading: Mapping[str, Any],
    gap: int,
) -> Scene:
    """Open the scene that is meant.

    Parameters
    ----------
    train, validation, test : Named
        What is named for each set; perhaps nothing.
    stored : mapping
        The scene of an earlier run, as `Scene.source`; perhaps empty. It is meant where none is
        named for training.
    reading : mapping
        Arguments of `load_scene` for all scenes. They prevail over what is stored.
    gap : int
        Of a mosaic, see `hsi.join_scenes`.

    Raises
    ------
    UsageError
        If no scene is meant, or labels do not belong to one; and as `load_scenes`.
    """
    others = validation.files(), test.files()
    if not train.datasets and not stored:
        raise UsageError(
            "no scene given: name one with --dataset, for example --dataset synthetic\n"
            "`hsi scenes list` shows the known ones; a path of a file works as well."
        )
    if not train.datasets and "parts" in stored:
        if train.labels or any(others):
            raise UsageError(
                f"{train.labels_option}, {validation.dataset_option} and {test.dataset_option} do "
                f"not go with the several scenes of --config: name all, with {train.dataset_option}"
            )
        parts = [dict(part) | dict(reading) for part in stored["parts"]]
        return open_scene({"parts": parts, "gap": gap})
    files = train.files() if train.datasets else [dict(stored) | _only(train)]
    if any(others) or len(files) > 1 or any(is_list(each) for each in train.datasets):
        return load_scenes(files, validation=others[0], test=others[1], gap=gap, reading=reading)
    [only] = files
    if isinstance(only, Mapping):
        return open_scene(dict(only) | dict(reading))
    dataset, labels = only if isinstance(only, tuple) else (only, None)
    own = {"dataset": dataset} | ({} if labels is None else {"labels": labels})
    return open_scene(own | dict(reading))


def _only(train: Named) -> dict[str, str]:
    """Return the labels that are named for the one scene that is stored."""
    if len(train.labels) > 1:
        raise UsageError(
            f"{len(train.labels)} times {train.labels_option}, but one scene: that of --config"
        )
    return {"labels": train.labels[0]} if train.labels else {}
