"""``hsi scenes``: what scenes are known, what is known of them, and getting their files."""

from __future__ import annotations

import json
from typing import Any

import click

from hsi.cli import options
from hsi.errors import visible


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
    from hsi.scenes.facts import card_facts, scene_facts

    rows = [card_facts(load_card(name)) for name in list_cards()]
    rows.append(scene_facts(load_scene("synthetic")))
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
    from hsi.scenes.facts import card_facts, scene_facts

    by_card = find_card(dataset) is not None or (
        Path(dataset).suffix == ".toml" and Path(dataset).is_file()
    )
    if by_card and not reading:
        facts = card_facts(load_card(dataset))
    else:
        facts = scene_facts(load_scene(dataset, **reading))
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
        for file in (*card.files, *card.split_files):
            click.echo(locate(card, file))


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
        "title": "Title", "place": "Place", "sensor": "Sensor", "product": "Product",
        "processing_level": "Processing level", "acquisition_time": "Acquired",
        "resolution_m": "Resolution (m)", "shape": "Rows, columns, bands", "values": "Values",
        "wavelength_range_nm": "Range (nm)", "bands_note": "Bands",
        "rgb_bands": "Bands of a composite (from 0)",
        "nodata": "No data", "georeference": "Georeference", "note": "Note",
        "label_arrays": "Arrays that could be labels", "official_split": "Official split",
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
    lines += [f"  {note}" for note in facts.get("bands_left_out", [])]
    if facts.get("scaling"):
        lines.append(f"  Values are the stored ones {_scaling_in_words(facts['scaling'])}")
    if facts.get("grid"):
        lines += [f"  {line}" for line in _grid_in_words(facts["grid"])]
    for file in [*facts["files"], *facts["split_files"]]:
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
    console.print(visible("\n".join(lines)), markup=False)
    header = ["id", "class", "colour"]
    rows = [[str(each["id"]), each["name"], each["color"]] for each in facts["classes"]]
    if facts["classes"] and "pixels" in facts["classes"][0]:
        header.append("pixels")
        rows = [
            [*row, f"{each['pixels']:,}"] for row, each in zip(rows, facts["classes"], strict=True)
        ]
    if rows:
        print_table(header, rows)


def _scaling_in_words(scaling: dict[str, list[float]]) -> str:
    least, most = scaling["scale"]
    words = f"x {least:g}" if least == most else f"x {least:g} to {most:g}, by band"
    low, high = scaling["offset"]
    if low == high == 0:
        return words
    return f"{words}, plus {low:g}" if low == high else f"{words}, plus {low:g} to {high:g}"


def _grid_in_words(grid: dict[str, Any]) -> list[str]:
    unit = f" {grid['unit']}" if grid["unit"] else ""
    width, height = grid["pixel_size"]
    turned = f", turned by {grid['rotation']:.4g} degrees" if abs(grid["rotation"]) > 1e-9 else ""
    edges = " ".join(f"{edge:.10g}" for edge in grid["bounds"])
    return [
        f"Coordinate system: {grid['crs']}",
        f"Pixel size: {width:.10g} x {height:.10g}{unit}{turned}",
        f"Extent (left, bottom, right, top): {edges}",
    ]
