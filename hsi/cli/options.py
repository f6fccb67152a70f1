"""Options that several subcommands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


class Amount(click.ParamType):
    """A fraction (``0.1``) or a number of pixels (``50``)."""

    name = "amount"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | float:
        """Return an int for what is written as one, else a float."""
        if isinstance(value, int | float):
            return value
        try:
            return int(value)
        except ValueError:
            pass
        try:
            return float(value)
        except ValueError:
            self.fail(f"'{value}' is neither a fraction such as 0.1 nor a number of pixels", param)


def device(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--device``."""
    return click.option(
        "--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, ..."
    )(command)


def as_json(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")(
        command
    )


def scene_files(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how to read scene and label files."""
    for option in (
        click.option("--nodata", type=float, help="The value of pixels without data."),
        click.option("--labels-key", help="The labels' name in a file that holds several arrays."),
        click.option("--key", help="The cube's name in a file that holds several arrays."),
        click.option("--labels", type=click.Path(), help="File with the ground truth."),
    ):
        command = option(command)
    return command
