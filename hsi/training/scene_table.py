"""The table ``[scene]`` of a `config.toml`: what gives the scene of a run again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hsi.errors import RunError
from hsi.scenes.part import ROLES

# The arguments of `load_scene`, and what they are.
SOURCE: dict[str, tuple[type, ...]] = {
    "dataset": (str,),
    "labels": (str,),
    "key": (str,),
    "labels_key": (str,),
    "label_field": (str,),
    "drop_bands": (str,),
    "nodata": (int, float),
    "keep_bad_bands": (bool,),
}


def check_scene_table(path: Path, table: dict[str, Any]) -> None:
    """Refuse what `hsi.scenes.open_scene` does not take.

    Parameters
    ----------
    path : Path
        The file, for messages.
    table : dict
        The arguments of `load_scene`; or of a mosaic ``gap``, and in ``parts`` those of each scene
        and perhaps its ``role``.

    Raises
    ------
    RunError
        If a name is unknown, or a value of another kind.
    """
    if "parts" not in table and "gap" not in table:
        _check_arguments(path, table, "[scene]")
        return
    parts, gap = table.get("parts"), table.get("gap")
    if (
        set(table) != {"parts", "gap"}
        or type(gap) is not int
        or gap < 0
        or not isinstance(parts, list)
        or not parts
        or not all(isinstance(part, dict) and "dataset" in part for part in parts)
    ):
        raise RunError(
            f"{path} has several scenes in [scene]; expected a number 'gap' and a table "
            "[[scene.parts]] with a dataset for each of them, and nothing else"
        )
    for part in parts:
        if part.get("role", "train") not in ROLES:
            raise RunError(
                f"{path} has role = {part['role']!r} in [[scene.parts]]; expected one of "
                f"{', '.join(ROLES)}"
            )
        arguments = {name: value for name, value in part.items() if name != "role"}
        _check_arguments(path, arguments, "[[scene.parts]]")


def _check_arguments(path: Path, arguments: dict[str, Any], where: str) -> None:
    for name, value in arguments.items():
        if type(value) not in SOURCE.get(name, ()):
            raise RunError(
                f"{path} has {name} = {value!r} in {where}; expected texts named "
                f"{', '.join(each for each, types in SOURCE.items() if str in types)}, a number "
                "nodata, or true or false for keep_bad_bands"
            )
