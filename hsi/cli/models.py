"""``hsi models``: the networks and the attention blocks, and their sizes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

import click
from click.core import ParameterSource

from hsi.cli import options

# What the blocks are measured on: the window of HybridSN's 25x25 patches.
WINDOW = 17
SIZES = ("parameters", "macs_per_patch", "macs_per_pixel")


@click.command("models", short_help="List the networks with their sizes.")
@click.argument("names", nargs=-1)
@click.option("--components", default=30, show_default=True, help="Components or bands of a patch.")
@click.option("--classes", default=16, show_default=True, help="Number of classes.")
@click.option("--patch-size", type=int, help="Side of a patch, odd.  [default: the usual one]")
@click.option("--attention", help="Attention block in each of them.  [default: none]")
@click.option("--blocks", is_flag=True, help="List the attention blocks instead.")
@click.option("--channels", default=64, show_default=True, help="Channels, with --blocks.")
@options.as_json
def command(
    names: tuple[str, ...],
    components: int,
    classes: int,
    patch_size: int | None,
    attention: str | None,
    blocks: bool,
    channels: int,
    as_json: bool,
) -> None:
    """List the networks, or those of NAMES (* stands for any characters).

    With parameters, and multiply-adds of convolutions, linear layers and matrix products; norms,
    activations and biases are not counted. Per patch: one patch on its own. Per pixel: of the map
    of a large scene, with the trunk computed once and the head, directly, for each pixel; a network
    without a trunk computes a whole patch for each. Without --patch-size, patches are of the side
    that is usual for each network. Some take all bands of a scene instead of components: say with
    --components how many there are. A network that cannot be of these sizes has a dash, and a note
    says why. Image networks have their small stem. Sizes are kept in the cache of hsi, so that they
    are computed once.

    \b
    Examples:
      hsi models --components 15 --classes 9
      hsi models "hybridsn*" --attention eca
      hsi models --blocks --channels 256
    """
    if blocks and attention is not None:
        raise click.UsageError(
            "--attention is for networks, --blocks lists the attention blocks themselves"
        )
    _refuse_unused(blocks)
    if blocks:
        _list_blocks(names, channels, as_json)
        return
    from hsi.cli.console import print_table
    from hsi.cli.remembered import remembered

    if attention == "none":
        attention = None
    sizes: dict[str, Any] = {
        "components": components,
        "classes": classes,
        "patch_size": patch_size,
        "attention": attention,
    }
    found = remembered(
        "sizes",
        asked={"names": names} | sizes,
        sources=("backbones", "layers", "models"),
        answer=lambda: _measure(names, **sizes),
    )
    rows: list[dict[str, Any]] = found["rows"]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        print_table(
            ("model", "input", "parameters", "multiply-adds per patch", "per pixel of a map"),
            [(row["model"], _input(row), *(_shown(row[size]) for size in SIZES)) for row in rows],
            title=f"{components} components, {classes} classes"
            + (f", attention {attention}" if attention else ""),
        )
        click.echo(f"Attention blocks (hsi models --blocks): {', '.join(found['blocks'])}")
        if found["small_stems"]:
            click.echo(
                "Image networks have their small stem here; for photographs, with 3 channels and "
                "1000 classes, they are of the sizes in docs/backbones.md."
            )
    for reason in found["reasons"]:
        click.echo(f"Note: {reason}", err=True)


def _refuse_unused(blocks: bool) -> None:
    """Refuse sizes of networks beside --blocks, and those of blocks without."""
    context = click.get_current_context()
    unused = ("components", "classes", "patch_size") if blocks else ("channels",)
    for name in unused:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            goes = "does not go with" if blocks else "goes with"
            raise click.UsageError(f"--{name.replace('_', '-')} {goes} --blocks")


def _measure(
    names: Sequence[str],
    *,
    components: int,
    classes: int,
    patch_size: int | None,
    attention: str | None,
) -> dict[str, Any]:
    """Return a row for each network, why some have no sizes, and what else is told of them."""
    from hsi.backbones import BACKBONES
    from hsi.errors import UsageError
    from hsi.layers.attention import ATTENTIONS
    from hsi.models import (
        MODELS,
        build_model,
        count_parameters,
        macs_per_patch,
        macs_per_pixel,
        usual,
    )
    from hsi.models.cost import shapes_alone

    rows: list[dict[str, Any]] = []
    refusals: list[UsageError] = []
    grown: list[str] = []
    for name in _chosen("model", names, MODELS):
        side = usual(name).patch_size if patch_size is None else patch_size
        row: dict[str, Any] = {"model": name, "patch_size": side, **dict.fromkeys(SIZES)}
        row["reduction"] = usual(name).reduction
        rows.append(row)
        try:
            # Shapes are enough: half a gigabyte of weights need not be drawn.
            with shapes_alone():
                model = build_model(
                    name,
                    bands=components,
                    classes=classes,
                    patch_size=side,
                    attention=attention,
                )
        except UsageError as error:
            refusals.append(error)
            continue
        parameters = count_parameters(model)
        if not parameters:
            grown.append(name)
            continue
        per_patch = macs_per_patch(model)
        row["parameters"] = parameters
        row["macs_per_patch"] = per_patch
        row["macs_per_pixel"] = macs_per_pixel(model) if model.has_trunk else per_patch
    if len(refusals) == len(rows):
        raise refusals[0]
    reasons = list(dict.fromkeys(map(str, refusals)))
    if grown:
        reasons.append(f"as large as what is learned from makes them: {', '.join(grown)}")
    return {
        "rows": rows,
        "reasons": reasons,
        "blocks": list(ATTENTIONS),
        "small_stems": any(row["model"] in BACKBONES for row in rows),
    }


def _list_blocks(names: tuple[str, ...], channels: int, as_json: bool) -> None:
    import torch

    from hsi.cli.console import print_table
    from hsi.layers.attention import ATTENTIONS, build_attention
    from hsi.models import count_parameters
    from hsi.models.cost import macs_of, shapes_alone

    rows: list[dict[str, Any]] = []
    for name in _chosen("attention", names, ATTENTIONS):
        with shapes_alone():
            block = build_attention(name, channels=channels)
            maps = torch.empty(1, channels, WINDOW, WINDOW)
        # The first line of a docstring, without the shapes.
        what = (block.__doc__ or "").split(", ``")[0]
        rows.append(
            {
                "attention": name,
                "what it is": what,
                "parameters": count_parameters(block),
                "macs": macs_of(block, maps),
            }
        )
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    print_table(
        ("attention", "what it is", "parameters", "multiply-adds"),
        [
            (row["attention"], row["what it is"], _shown(row["parameters"]), _shown(row["macs"]))
            for row in rows
        ],
        title=f"{channels} channels; multiply-adds for a map of {WINDOW}x{WINDOW}",
    )


def _chosen(kind: str, patterns: Sequence[str], known: Iterable[str]) -> list[str]:
    """Return the known names that fit a pattern, or all if there is none."""
    from hsi.errors import unknown_name

    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            raise unknown_name(kind, pattern, known, listed_by="hsi models")
    return [
        name
        for name in known
        if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)
    ]


def _input(row: dict[str, Any]) -> str:
    side = row["patch_size"]
    return f"{side}x{side} {'bands' if row['reduction'] == 'bands' else 'components'}"


def _shown(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"
