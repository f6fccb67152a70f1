"""``hsi report``: a page to look at, of a run or of another scene that it maps."""

from __future__ import annotations

from typing import Any

import click

from hsi.cli import options


@click.command("report", short_help="Make the page of a run again, or for another scene.")
@click.argument("run", type=click.Path())
@click.option("--scene", "dataset", help="Another scene: name or path.  [default: that of the run]")
@options.scene_files
@options.device
@click.option("--out", type=click.Path(), help="The page, .html.  [default: in the run]")
def command(
    run: str, dataset: str | None, reading: dict[str, Any], device: str, out: str | None
) -> None:
    """Map a scene with the network that RUN trained, and write a page to look at.

    The page is one file that needs no network: layers of the scene over each other, the spectrum of
    any pixel, accuracies, and how it was trained.

    \b
    Examples:
      hsi report runs/first
      hsi report runs/first --scene other.hdr --labels other_gt.mat
    """
    from hsi.scenes import load_scene
    from hsi.training import Run
    from hsi.workflows import write_report

    trained = Run(run)
    scene = None
    if dataset is not None:
        scene = load_scene(dataset, **reading)
    elif reading:
        raise options.scene_is_missing(reading, "name it with --scene")
    click.echo(f"Report: {write_report(trained, scene, out=out, device=device)}")
