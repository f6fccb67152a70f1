"""``hsi models``: the networks and their sizes."""

from __future__ import annotations

import json
from typing import Any

import click

from hsi.cli import options


@click.command("models", short_help="List the networks with their sizes.")
@click.option("--components", default=30, show_default=True, help="Components of a patch.")
@click.option("--classes", default=16, show_default=True, help="Number of classes.")
@click.option("--patch-size", default=25, show_default=True, help="Side of a patch, odd.")
@options.as_json
def command(components: int, classes: int, patch_size: int, as_json: bool) -> None:
    """List the networks with their parameters and multiply-adds for one patch.

    A network that cannot be of these sizes has a dash, and a note says why.

    \b
    Example:
      hsi models --components 15 --classes 9
    """
    import torch

    from hsi.cli.console import print_table
    from hsi.errors import UsageError
    from hsi.models import MODELS, build_model, count_parameters, macs_per_patch

    rows: list[dict[str, Any]] = []
    refusals: list[UsageError] = []
    for name in MODELS:
        try:
            # Shapes are enough: half a gigabyte of weights need not be drawn.
            with torch.device("meta"):
                model = build_model(name, bands=components, classes=classes, patch_size=patch_size)
        except UsageError as error:
            refusals.append(error)
            rows.append({"model": name, "parameters": None, "macs_per_patch": None})
            continue
        rows.append(
            {
                "model": name,
                "parameters": count_parameters(model),
                "macs_per_patch": macs_per_patch(model),
            }
        )
    if len(refusals) == len(rows):
        raise refusals[0]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        print_table(
            ("model", "parameters", "multiply-adds per patch"),
            [
                (row["model"], _shown(row["parameters"]), _shown(row["macs_per_patch"]))
                for row in rows
            ],
            title=f"{components} components, {classes} classes, {patch_size}x{patch_size} patches",
        )
    for refusal in refusals:
        click.echo(f"Note: {refusal}", err=True)


def _shown(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"
