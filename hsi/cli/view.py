"""``hsi view``: a page to look at a scene, without a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hsi.cli import options


@click.command("view", short_help="Make a page to look at a scene and its spectra.")
@click.argument("dataset", metavar="SCENE")
@options.scene_files
@click.option("--out", type=click.Path(), help="The page.  [default: NAME.html, here]")
def command(dataset: str, reading: dict[str, Any], out: str | None) -> None:
    """Write a page that shows SCENE: colours of any three bands, labels, the spectrum of any pixel.

    SCENE is a name (`hsi scenes list`) or the path of a file. The page is one file that needs no
    network.

    \b
    Examples:
      hsi view salinas_a
      hsi view cube.mat --labels gt.mat --out cube.html
    """
    import sys

    from hsi.errors import HsiError, UsageError
    from hsi.files import folder_name, free_file, page_path, write_text
    from hsi.report.scene_page import render_scene
    from hsi.scenes import load_scene

    path = None if out is None else page_path(out)
    if path is not None and not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} for the page")
    scene = load_scene(dataset, **reading)
    page = render_scene(scene, command=["hsi", *sys.argv[1:]])
    if path is None:
        path = free_file(Path(f"{folder_name(scene.name)}.html"))
    try:
        write_text(path, page)
    except OSError as error:
        raise HsiError(f"cannot write the page {path}: {error.strerror or error}") from error
    click.echo(f"Page: {path}")
