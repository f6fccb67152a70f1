"""Many scenes by name: list files, and from them to one scene."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hsi.errors import SceneError, UsageError
from hsi.files import expand_home, usable_path
from hsi.scenes.load import load_scene
from hsi.scenes.mosaic import GAP, join_scenes
from hsi.scenes.part import Role
from hsi.scenes.scene import Scene

LISTS = (".csv", ".txt", ".lst")
# Columns of a list with a header: the image, and the file with its labels.
COLUMNS = ("image", "mask")

Files = str | os.PathLike[str] | tuple[Any, Any] | Mapping[str, Any]


def load_scenes(
    train: Files | Sequence[Files],
    *,
    validation: Files | Sequence[Files] = (),
    test: Files | Sequence[Files] = (),
    gap: int = GAP,
    reading: Mapping[str, Any] | None = None,
) -> Scene:
    """Open several scenes as one, which `hsi.train` takes as any other.

    With scenes for validation or test, those pixels decide on nothing but that: the split is by
    scenes. Without, pixels of all scenes are split as those of one.

    Parameters
    ----------
    train, validation, test : path, pair, mapping, or sequence of them
        What is named as `load_scene` names it; a pair of image and labels; the arguments of
        `load_scene`; or the path of a list: a CSV with the columns ``image`` and ``mask``, or a
        text with an image in each line (``.txt``, ``.lst``). A list's paths count from its folder.
        In a pair, both may be text lists.
    gap : int
        See `join_scenes`; at least ``patch_size - 1``.
    reading : mapping, optional
        Further arguments of `load_scene`, for all of them.

    Returns
    -------
    Scene
        A mosaic, see `join_scenes`.

    Raises
    ------
    UsageError
        If a scene is named twice, or there is none for training; and as `join_scenes`.
    SceneError
        If a list lacks a column, or a file is missing; and as `load_scene`.
    """
    named: list[tuple[dict[str, Any], Role]] = []
    sets: tuple[tuple[Role, Any], ...] = (
        ("train", train),
        ("validation", validation),
        ("test", test),
    )
    for role, files in sets:
        one = isinstance(files, str | os.PathLike | tuple | Mapping) and files != ()
        for each in [files] if one else files:
            named += [(found, role) for found in _expanded(each)]
    if not any(role == "train" for _, role in named):
        raise UsageError("there is no scene to train on; name one (--dataset)")
    _refuse_twice(named)
    by_scenes = any(role != "train" for _, role in named)
    scenes = [load_scene(**(dict(reading or {}) | arguments)) for arguments, _ in named]
    roles = [role for _, role in named] if by_scenes else None
    return join_scenes(scenes, gap=gap, roles=roles)


def open_scene(source: Mapping[str, Any]) -> Scene:
    """Open what `Scene.source` describes: one scene, or a mosaic of several.

    Parameters
    ----------
    source : mapping
        Arguments of `load_scene`; or ``gap`` and ``parts``, each with such arguments and perhaps
        its ``role``.
    """
    if "parts" not in source:
        return load_scene(**source)
    parts = [dict(part) for part in source["parts"]]
    roles = [part.pop("role", None) for part in parts]
    return join_scenes([load_scene(**part) for part in parts], gap=source["gap"], roles=roles)


def is_list(dataset: str | os.PathLike[str]) -> bool:
    """Return whether `dataset` is the path of a list of scenes."""
    return Path(dataset).suffix.lower() in LISTS


def _expanded(files: Files) -> list[dict[str, Any]]:
    """Return the arguments of `load_scene` for each of the scenes that are meant."""
    if isinstance(files, Mapping):
        return [dict(files)]
    if not isinstance(files, tuple):
        return read_list(files) if is_list(files) else [{"dataset": files}]
    image, labels = files
    if not is_list(image):
        return [{"dataset": image, "labels": labels}]
    listed = read_list(image)
    if any("labels" in each for each in listed):
        raise UsageError(f"{image} names the labels of its images itself; leave out {labels}")
    truths = [each["dataset"] for each in read_list(labels)] if is_list(labels) else [labels]
    if len(truths) != len(listed):
        raise UsageError(
            f"{image} lists {len(listed)} images, but there are {len(truths)} files of labels for "
            f"them in {labels}"
        )
    return [each | {"labels": truth} for each, truth in zip(listed, truths, strict=True)]


def read_list(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Read a list of scenes.

    Returns
    -------
    list of dict
        ``dataset`` and, where the list tells it, ``labels``: absolute paths.

    Raises
    ------
    SceneError
        If the list or a file in it is missing, a column is missing, or the list is empty.
    """
    path = expand_home(usable_path(path, "dataset"), "dataset")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SceneError(f"cannot read the list {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SceneError(f"{path} is no list of scenes: it is not in UTF-8 ({error})") from error
    rows = _table(text, path) if path.suffix.lower() == ".csv" else _lines(text)
    if not rows:
        raise SceneError(f"{path} lists no scene")
    return [
        {name: str(_found(value, path, line)) for name, value in row.items()} for line, row in rows
    ]


def _table(text: str, path: Path) -> list[tuple[int, dict[str, str]]]:
    """Return ``image`` and ``mask`` of each row as arguments, with the number of its line."""
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    header = [name.strip() for name in reader.fieldnames or []]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise SceneError(
            f"{path} lacks the column{'' if len(missing) == 1 else 's'} {' and '.join(missing)}\n"
            f"Its first line is {','.join(header)[:80]!r}; expected 'image,mask': the images, and "
            "the files with their labels."
        )
    reader.fieldnames = header
    rows = []
    for row in reader:
        if not any(row.values()):
            continue
        values = [(row[name] or "").strip() for name in COLUMNS]
        if not all(values):
            raise SceneError(
                f"{path}, line {reader.line_num}: no {COLUMNS[values.index('')]} is named"
            )
        rows.append((reader.line_num, dict(zip(("dataset", "labels"), values, strict=True))))
    return rows


def _lines(text: str) -> list[tuple[int, dict[str, str]]]:
    """Return the images of a text with one in each line; # begins a remark."""
    return [
        (number, {"dataset": line.strip()})
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]


def _found(name: str, path: Path, line: int) -> Path:
    file = expand_home(name, "dataset") if name.startswith("~") else path.parent / name
    try:
        there = file.exists()
    except OSError:  # a name longer than any file has
        there = False
    if not there:
        hint = (
            "Addresses are named one by one, not in lists."
            if "://" in name
            else "Paths in a list count from the folder of the list."
        )
        raise SceneError(f"{path}, line {line}: there is no file {file}\n{hint}")
    return file


def _refuse_twice(named: list[tuple[dict[str, Any], Role]]) -> None:
    """Refuse a scene that is named more than once."""
    seen: dict[tuple[str, Any], Role] = {}
    for arguments, role in named:
        dataset = os.fspath(arguments["dataset"])
        there = expand_home(usable_path(dataset, "dataset"), "dataset")
        scene = (os.path.realpath(there) if there.exists() else dataset, arguments.get("key"))
        if scene not in seen:
            seen[scene] = role
        elif seen[scene] == role:
            raise UsageError(f"{dataset} is named twice among the {role} scenes")
        else:
            raise UsageError(
                f"{dataset} is among the {seen[scene]} scenes and among the {role} scenes\n"
                "What a model was trained on says nothing of how it does elsewhere: name each "
                "scene once."
            )
