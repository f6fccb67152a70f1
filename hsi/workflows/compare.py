"""Two runs of one scene side by side: where their maps differ, and which is right there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hsi.errors import RunError, UsageError
from hsi.evaluation.paired import McNemar, mcnemar
from hsi.files import check_possible_folder, free_file, names_apart, usable_path
from hsi.report import class_map_figure, save_figure
from hsi.scenes import Scene, open_scene
from hsi.toml_files import differing
from hsi.training import Run
from hsi.training.split_file import MASKS

# What a pixel of the picture says: the first four of test pixels, the others of the rest.
NAMES = {
    1: "both right",
    2: "only the first right",
    3: "only the second right",
    4: "both wrong",
    5: "not tested, maps agree",
    6: "not tested, maps differ",
}
# What `hsi bench` calls a run, below folders of split and model.
OF_BENCHMARK, MOST_PARTS = re.compile(r"seed\d+"), 3
# Okabe and Ito's for what matters, greys for the rest.
COLORS = {
    1: (0, 114, 178),
    2: (230, 159, 0),
    3: (86, 180, 233),
    4: (213, 94, 0),
    5: (70, 70, 70),
    6: (170, 170, 170),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """What two maps of one scene have in common.

    Attributes
    ----------
    names : tuple of str
        Of the two runs.
    agreement : float
        Share of the mapped pixels that have the same class in both maps.
    test_pixels : int
        Pixels that both runs were tested on: training and validation pixels of either are left
        out.
    right : tuple of float
        Share of these that the first, the second map has right.
    mcnemar : McNemar
        How many only one of them has right, and how likely that is by chance.
    both_wrong, differently_wrong : int
        Test pixels that neither has right; those of them that the two take for different classes.
    train_pixels : tuple of int
        How many each learned from.
    same_split : bool
        Whether both have the same training, validation and test pixels.
    differences : ndarray of uint8
        ``(rows, cols)``, ids of `NAMES`; 0 where one of the maps has no class.
    """

    names: tuple[str, str]
    agreement: float
    test_pixels: int
    right: tuple[float, float]
    mcnemar: McNemar
    both_wrong: int
    differently_wrong: int
    train_pixels: tuple[int, int]
    same_split: bool
    differences: NDArray[np.uint8]

    def save_picture(self, path: Path | str, *, title: str) -> Path:
        """Draw where the maps differ into a PNG file.

        Raises
        ------
        RunError
            If the file cannot be written.
        """
        target = usable_path(path, "out")
        names = NAMES | {
            2: f"only {self.names[0]} right",
            3: f"only {self.names[1]} right",
        }
        figure = class_map_figure(
            self.differences,
            labels=None,
            names=names,
            colors=COLORS,
            title=title,
            heading="Differences",
        )
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            save_figure(figure, target)
        except OSError as error:
            raise RunError(f"cannot write {target}: {error.strerror or error}") from error
        return target


def picture_path(out: Path | str | None, *runs: Run) -> Path:
    """Return where the picture of a comparison may be written, before anything is computed.

    Parameters
    ----------
    out : path, optional
        What a user named, which is replaced if it is there. Without, ``compare.png`` in the current
        folder, with a number where that is taken.
    *runs : Run
        Those that are compared.

    Raises
    ------
    UsageError
        If it does not end in ``.png``, or is a picture of one of the runs.
    RunError
        If its folder cannot be made.
    """
    if out is None:
        return free_file(Path("compare.png"))
    path = usable_path(out, "out")
    if path.suffix.lower() != ".png":
        raise UsageError(
            f"the picture is a PNG file, but out is {path}\nLet it end in .png (--out)."
        )
    check_possible_folder(path.parent)
    if any(path.exists() and path.parent.samefile(run.path) for run in runs):
        raise UsageError(
            f"{path} is a picture in a run that is compared, and would be replaced\n"
            "Name another file (--out)."
        )
    return path


def compare_runs(
    first: Run,
    second: Run,
    scene: Scene | None = None,
    *,
    device: str | torch.device = "auto",
) -> Comparison:
    """Map the scene of two runs with both and compare the maps.

    Parameters
    ----------
    first, second : Run
        Trained on the same scene with the same labels, whatever their splits.
    scene : Scene, optional
        Theirs. Without, it is opened from where the first run found it.
    device : str or torch.device
        As for `hsi.predict_scene`.

    Raises
    ------
    RunError
        If a run is damaged, or the labels are not those that it was split on.
    UsageError
        If both are the same run, or no pixel is a test pixel of both.
    """
    if first.path.resolve() == second.path.resolve():
        raise UsageError(f"{first.path} is compared with itself; name two runs")
    scene = scene or open_scene(first.source)
    # A run may know labels of a published split that the other does not, but none where both test.
    labels = first.labelled(scene).labels
    try:
        second.labelled(scene)
    except RunError as error:
        if first.config["scene"] == second.config["scene"]:
            raise
        raise UsageError(
            f"{first.path} and {second.path} were trained on different scenes or labels: "
            f"{_scene_words(first, second)} and {_scene_words(second, first)}\n"
            "Only maps of one scene can be compared."
        ) from error
    tested = first.split.test & second.split.test
    if not tested.any():
        raise UsageError(
            f"no pixel is a test pixel of both {first.path} and {second.path}\n"
            "Train both with the same --split and --seed."
        )
    maps = [run.classifier.class_map(scene, device=device) for run in (first, second)]
    one, two = maps
    mapped = (one != 0) & (two != 0)
    right = [each == labels for each in maps]
    wrong = tested & ~right[0] & ~right[1]
    differences = np.select(
        [~mapped, wrong, tested & ~right[1], tested & ~right[0], tested, one == two],
        [0, 4, 2, 3, 1, 5],
        default=6,
    ).astype(np.uint8)
    return Comparison(
        names=_names(first, second),
        agreement=float((one == two)[mapped].mean()),
        test_pixels=int(tested.sum()),
        right=(float(right[0][tested].mean()), float(right[1][tested].mean())),
        mcnemar=mcnemar(right[0][tested], right[1][tested]),
        both_wrong=int(wrong.sum()),
        differently_wrong=int((wrong & (one != two)).sum()),
        train_pixels=(int(first.split.train.sum()), int(second.split.train.sum())),
        same_split=all(
            np.array_equal(getattr(first.split, name), getattr(second.split, name))
            for name in MASKS
        ),
        differences=differences,
    )


def _scene_words(run: Run, other: Run) -> str:
    """Return what the scene of a run was opened by, and how where that is not as for the other."""
    source, its = run.config["scene"], other.config["scene"]
    if "parts" in source:
        return f"{len(source['parts'])} scenes"
    words = [str(source[name]) for name in ("dataset", "labels") if name in source]
    words += [
        f"{name} {source.get(name, 'not set')}"
        for name in differing(source, its)
        if name not in ("dataset", "labels")
    ]
    return " with ".join(words)


def _names(first: Run, second: Run) -> tuple[str, str]:
    """Return the folders' names, with as many of those above as tell them apart.

    The seed that a run of a benchmark is called by is not all in which two of them differ.
    """
    one, two = first.path.absolute(), second.path.absolute()
    fewest = 1
    if OF_BENCHMARK.fullmatch(one.name) and OF_BENCHMARK.fullmatch(two.name):
        common = takewhile(lambda pair: pair[0] == pair[1], zip(one.parts, two.parts, strict=False))
        fewest = min(len(one.parts) - len(list(common)), MOST_PARTS)
    return names_apart(one, two, fewest=max(fewest, 1))
