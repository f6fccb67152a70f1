"""Settings that say in words what is wrong with them."""

from __future__ import annotations

import difflib
import re
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from hsi.errors import UsageError


class Checked(BaseModel):
    """Settings that are checked when they are made, and do not change."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @classmethod
    def from_table(cls, table: dict[str, Any], *, where: str = "") -> Self:
        """Return the settings that `model_dump` turned into `table`.

        What is wrong is said after `where`, such as the name of a file.

        Raises
        ------
        UsageError
            If a name is unknown or a value impossible.
        """
        try:
            return cls.model_validate(table)
        except ValidationError as error:
            raise _in_words(error, cls, where) from error


def _in_words(error: ValidationError, settings: type[BaseModel], where: str) -> UsageError:
    """Return pydantic's findings, one line each."""
    lines = []
    for finding in error.errors():
        name = ".".join(str(part) for part in finding["loc"] if part not in ("int", "float"))
        own = finding["type"] == "value_error"  # a validator of ours, which says what came
        came = "" if own else f", not {finding['input']!r}"
        said = finding["msg"].removeprefix("Value error, ").removeprefix("Input ")
        # What is said of several settings together names them.
        of = f"setting '{name}'{_option(name, settings)}: " if name else ""
        line = f"{of}{said}{came}{_suggestion(finding)}"
        if line not in lines:
            lines.append(line)
    return UsageError(where + "\n".join(lines[:5]))


def _suggestion(finding: ErrorDetails) -> str:
    """Return the nearest of the names that a setting may be, as a question."""
    if finding["type"] != "literal_error" or not isinstance(finding["input"], str):
        return ""
    known = re.findall("'([^']*)'", finding["ctx"]["expected"])
    near = difflib.get_close_matches(finding["input"].lower(), known, n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def _option(name: str, settings: type[BaseModel]) -> str:
    """Return what a setting is called on the command line, in parentheses; nothing if unknown."""
    if name == "recipe":  # as a whole: what is said of it names the options
        return ""
    own = name.removeprefix("recipe.")
    known = settings.model_fields
    if own != name:
        of_recipe = known["recipe"].annotation
        known = of_recipe.model_fields if isinstance(of_recipe, type(BaseModel)) else {}
    return f" (--{own.replace('_', '-')})" if own in known else ""
