"""``hsi scenes``: what scenes are known, what is known of them, and getting their files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from hsi.cli import options

if TYPE_CHECKING:
    from hsi.scenes import Scene
    from hsi.scenes.catalogue import Card


@click.group("scenes", short_help="List, describe and fetch scenes.")
def command() -> None:
    """List, describe and fetch scenes.

    \b
    Example:
      hsi scenes list
    """


@command.command("list")
@options.as_json
def list_scenes(as_json: bool) -> None:
    """List the scenes that are known by name.

    \b
    Example:
      hsi scenes list --json
    """
    from hsi.cli.console import print_table
    from hsi.scenes import list_cards, load_card, load_scene

    rows = [_card_facts(load_card(name)) for name in list_cards()]
    rows.append(_scene_facts(load_scene("synthetic")))
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    print_table(
        ("name", "sensor", "rows", "cols", "bands", "classes", "files"),
        [
            (
                row["name"],
                row.get("sensor") or "-",
                *(map(str, row["shape"]) if row["shape"] else ("-", "-", "-")),
                str(len(row["classes"])),
                _whether_here(row["files"]),
            )
            for row in rows
        ],
    )


@command.command("info")
@click.argument("dataset")
@options.scene_files
@options.as_json
def info(
    dataset: str,
    reading: dict[str, Any],
    as_json: bool,
) -> None:
    """Show what is known of a scene, and where its files are.

    DATASET is a name (`hsi scenes list`), or the path of a card or an image.

    \b
    Examples:
      hsi scenes info salinas_a
      hsi scenes info image.mat --labels labels.mat
    """
    from pathlib import Path

    from hsi.scenes import load_card, load_scene
    from hsi.scenes.catalogue import find_card

    by_card = find_card(dataset) is not None or (
        Path(dataset).suffix == ".toml" and Path(dataset).is_file()
    )
    if by_card and not reading:
        facts = _card_facts(load_card(dataset))
    else:
        facts = _scene_facts(load_scene(dataset, **reading))
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        _print_facts(facts)


@command.command("fetch")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def fetch(names: tuple[str, ...]) -> None:
    """Download the files of scenes that are not on this machine yet, and check all of them.

    \b
    Example:
      hsi scenes fetch salinas_a indian_pines
    """
    from hsi.scenes import load_card
    from hsi.scenes.fetch import locate

    for card in [load_card(name) for name in names]:
        for file in card.files:
            click.echo(locate(card, file))


def _card_facts(card: Card) -> dict[str, Any]:
    """Return what a card says, and where its files are, without opening them."""
    from hsi.downloads import cache_folder
    from hsi.scenes.fetch import find_file

    files = []
    for file in card.files:
        found = find_file(card, file)
        files.append(
            {
                "name": file.name,
                "found_at": str(found) if found else None,
                "addresses": list(file.addresses),
                "downloads_to": str(cache_folder() / card.name / file.name),
                "bytes": file.bytes,
                "sha256": file.sha256,
                "sha256_recorded_by_others": file.sha256_recorded_by_others,
            }
        )
    return {
        "name": card.name,
        **card.metadata,
        "shape": list(card.shape) if card.shape else None,
        "components": card.components,
        "rgb_bands": list(card.rgb_bands) if card.rgb_bands else None,
        "wavelengths": list(card.wavelengths) if card.wavelengths else None,
        "nodata": card.nodata,
        "classes": [
            {"id": each.id, "name": each.name, "color": _hex(each.color)} for each in card.classes
        ],
        "files": files,
    }


def _scene_facts(scene: Scene) -> dict[str, Any]:
    """Return what an opened scene says of itself."""
    import numpy as np

    pixels = {}
    if scene.labels is not None:
        ids, counts = np.unique(scene.labels, return_counts=True)
        pixels = dict(zip(ids.tolist(), counts.tolist(), strict=True))
    return {
        "name": scene.name,
        **scene.metadata,
        "shape": list(scene.shape),
        "values": str(np.dtype(scene.cube.dtype)),
        "components": scene.components,
        "rgb_bands": list(scene.rgb_bands),
        "wavelengths": None if scene.wavelengths is None else scene.wavelengths.tolist(),
        "nodata": scene.nodata,
        "classes": [
            {
                "id": each,
                "name": scene.class_names[each],
                "color": _hex(scene.class_colors[each]),
                "pixels": pixels[each],
            }
            for each in scene.class_ids.tolist()
        ],
        "files": [],
    }


def _hex(color: tuple[int, int, int]) -> str:
    return "#" + bytes(color).hex()


def _whether_here(files: list[dict[str, Any]]) -> str:
    if not files:
        return "made, not read"
    here = sum(file["found_at"] is not None for file in files)
    if here in (0, len(files)):
        return "here" if here else "to fetch"
    return ", ".join(f"{file['name']} to fetch" for file in files if not file["found_at"])


def _print_facts(facts: dict[str, Any]) -> None:
    from rich.console import Console

    from hsi.cli.console import print_table

    console = Console(highlight=False, soft_wrap=True)
    words = {
        "title": "Title", "place": "Place", "sensor": "Sensor", "resolution_m": "Resolution (m)",
        "shape": "Rows, columns, bands", "values": "Values", "wavelength_range_nm": "Range (nm)",
        "bands_note": "Bands", "rgb_bands": "Bands of a composite (from 0)", "nodata": "No data",
        "empty_bands": "Empty bands left out", "bad_bands": "Bad bands left out",
        "dropped_bands": "Dropped bands", "constant_bands": "Constant bands left out",
        "label_arrays": "Arrays that could be labels",
        "components": "Customary components",
        "licence": "Licence", "citation": "Citation", "doi": "DOI", "homepage": "Page",
    }  # fmt: skip
    lines = [facts["name"]]
    for field, word in words.items():
        value = facts.get(field)
        if value is not None:
            shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            lines.append(f"  {word}: {shown}")
    if facts["wavelengths"]:
        centres = facts["wavelengths"]
        lines.append(f"  Band centres (nm): {min(centres):g} to {max(centres):g}")
    for file in facts["files"]:
        if file["found_at"]:
            lines.append(f"  {file['name']}: found at {file['found_at']}")
        else:
            how = f"`hsi scenes fetch {facts['name']}`" if file["addresses"] else "no address known"
            lines.append(f"  {file['name']}: not present; to get it: {how}")
            lines += [f"    from {address}" for address in file["addresses"]]
            put = f"or put it into $HSI_DATA/{facts['name']}/"
            lines.append(f"    to {file['downloads_to']}, {put}")
        if file["bytes"]:
            lines.append(f"    {file['bytes']:,} bytes")
        if file["sha256"]:
            whose = " (recorded by others)" if file["sha256_recorded_by_others"] else ""
            lines.append(f"    sha256 {file['sha256']}{whose}")
    console.print("\n".join(lines), markup=False)
    header = ["id", "class", "colour"]
    rows = [[str(each["id"]), each["name"], each["color"]] for each in facts["classes"]]
    if facts["classes"] and "pixels" in facts["classes"][0]:
        header.append("pixels")
        rows = [
            [*row, f"{each['pixels']:,}"] for row, each in zip(rows, facts["classes"], strict=True)
        ]
    if rows:
        print_table(header, rows)
