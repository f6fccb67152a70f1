"""Recipe files: settings that carry over to other scenes, to be read and changed by hand.

::

    model = "hybridsn-dw"
    patch_size = 13
    components = 20

    [recipe]
    steps = 300
    learning_rate = 0.003

Names are those of `Settings` and, in the table ``[recipe]``, of `Recipe`; what is not named stays
as it is. What belongs to one experiment (the split, its sizes, the seed) has no place in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tomli_w

from hsi.errors import RunError, UsageError, unknown_name
from hsi.files import expand_home, usable_path, write_text
from hsi.toml_files import read_toml

# What is measured on what, which another scene or another split has otherwise.
EXPERIMENT = ("split", "split_file", "folds", "guard", "train", "validation", "seed")
TABLE = "recipe"


def is_recipe_path(recipe: str | os.PathLike[str]) -> bool:
    """Return whether what is given for a recipe is the path of a file rather than a name.

    Examples
    --------
    >>> is_recipe_path("search/recipe.toml"), is_recipe_path("paper")
    (True, False)
    """
    text = os.fspath(recipe)
    return (
        not isinstance(recipe, str)
        or text.lower().endswith(".toml")
        or any(separator in text for separator in ("/", os.sep))
    )


def read_recipe(
    path: str | os.PathLike[str], *, settings: Iterable[str], recipe: Iterable[str]
) -> dict[str, Any]:
    """Return the settings that a recipe file names, those of its table ``[recipe]`` among them.

    Parameters
    ----------
    path : path
        Of the file, in TOML.
    settings, recipe : iterable of str
        All names that `Settings` and `Recipe` have.

    Returns
    -------
    dict
        By name; values are not checked.

    Raises
    ------
    UsageError
        If the file is missing or no TOML, or a name is unknown or has no place in a recipe.
    """
    given = usable_path(path, "recipe")
    table = _read(given)
    known = [name for name in settings if name not in (*EXPERIMENT, TABLE)]
    of_recipe = list(recipe)
    inner = table.pop(TABLE, {})
    if not isinstance(inner, Mapping):
        raise UsageError(
            f"{given}: '{TABLE}' is {inner!r}; expected a table [{TABLE}] with settings of the "
            "recipe\nTo start from a recipe by name, give the name: --recipe paper."
        )
    for name in table:
        _check(name, known, others=of_recipe, where=f"{given}: ", moved=f"in the table [{TABLE}]")
    for name in inner:
        _check(name, of_recipe, others=known, where=f"{given}, [{TABLE}]: ", moved="above it")
    return table | dict(inner)


def write_recipe(path: Path, settings: Mapping[str, Any], *, comments: Iterable[str]) -> None:
    """Write settings as a recipe file, all of it or nothing.

    Parameters
    ----------
    path : Path
        Its folder exists.
    settings : mapping
        As `Settings.model_dump` returns them, or some of them. Those of an experiment are left out,
        and those that are None.
    comments : iterable of str
        Lines for its head.
    """
    kept = {
        name: value
        for name, value in settings.items()
        if name not in (*EXPERIMENT, TABLE) and value is not None
    }
    inner = {name: value for name, value in settings.get(TABLE, {}).items() if value is not None}
    lines = [line for comment in comments for line in comment.splitlines()]
    head = "".join(f"# {line}".rstrip() + "\n" for line in lines)
    write_text(path, f"{head}\n{tomli_w.dumps(kept | ({TABLE: inner} if inner else {}))}")


def _read(path: Path) -> dict[str, Any]:
    opened = expand_home(path, "recipe")
    try:
        return read_toml(opened)
    except FileNotFoundError as error:
        raise UsageError(
            f"there is no recipe file {path}\n"
            "Expected the path of a TOML file with settings, or the name of a recipe: default, "
            "unseen, paper."
        ) from error
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:  # no TOML, or no UTF-8
        raise UsageError(f"{path} is no valid TOML: {error}") from error


def _check(name: str, known: list[str], *, others: list[str], where: str, moved: str) -> None:
    """Refuse a name that is not `known`, with what may have been meant."""
    if name in known:
        return
    if name in EXPERIMENT:
        raise UsageError(
            f"{where}'{name}' has no place in a recipe, which says how to learn, not from what\n"
            f"Give it to the command: --{name.replace('_', '-')}."
        )
    if name in others:
        raise UsageError(f"{where}'{name}' stands in the wrong place; write it {moved}")
    raise UsageError(f"{where}{unknown_name('setting', name, [*known, *others])}")
