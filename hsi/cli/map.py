"""``hsi map``: a class map of a whole scene."""

from __future__ import annotations

import json
from typing import Any

import click

from hsi.cli import options


@click.command("map", short_help="Map a scene with a trained network.")
@click.argument("run", type=click.Path())
@click.option("--scene", "dataset", help="Another scene: name or path.  [default: that of the run]")
@options.scene_files
@click.option(
    "--method",
    default="auto",
    show_default=True,
    help="dense (one pass over the scene), patches (one by one), or auto.",
)
@click.option(
    "--precision",
    default="full",
    show_default=True,
    help="full, or bf16: faster where the processor knows it, to a hundredth of the logits' range.",
)
@options.device
@click.option("--out", type=click.Path(), help="Folder for the map.  [default: in the run]")
@options.as_json
def command(
    run: str,
    dataset: str | None,
    reading: dict[str, Any],
    method: str,
    precision: str,
    device: str,
    out: str | None,
    as_json: bool,
) -> None:
    """Give every pixel of a scene a class, with the network that RUN trained.

    \b
    Examples:
      hsi map runs/first
      hsi map runs/first --scene other.hdr --out maps/other
    """
    import numpy as np

    from hsi.cli.console import print_table
    from hsi.errors import UsageError
    from hsi.scenes import load_scene
    from hsi.training import Run
    from hsi.workflows import map_scene

    trained = Run(run)
    scene = None
    if dataset is not None:
        scene = load_scene(dataset, **reading)
    elif reading:
        named = " and ".join(f"--{name.replace('_', '-')}" for name in reading)
        raise UsageError(f"{named} say how another scene is read: add --scene")
    if not trained.trained:
        click.echo(f"Note: the training of {run} did not finish; using its checkpoint.", err=True)
    saved = map_scene(
        trained,
        scene,
        out=out,
        method=method,  # type: ignore[arg-type]
        precision=precision,  # type: ignore[arg-type]
        device=device,
    )

    names = trained.classifier.class_names | {0: "no data"}
    ids, counts = np.unique(saved.class_map, return_counts=True)
    classes = [
        {"id": int(i), "name": names[int(i)], "pixels": int(count)}
        for i, count in zip(ids, counts, strict=True)
    ]
    if as_json:
        paths = {"picture": str(saved.picture), "raster": str(saved.raster)}
        click.echo(json.dumps(paths | {"seconds": saved.seconds, "classes": classes}, indent=2))
        return
    total = saved.class_map.size
    print_table(
        ("id", "class", "pixels", "share %"),
        [
            (str(i), names[i], f"{n:,}", f"{100 * n / total:.2f}")
            for i, n in zip(ids.tolist(), counts.tolist(), strict=True)
        ],
    )
    click.echo(f"Mapped {total:,} pixels in {saved.seconds:.1f} s.")
    click.echo(f"Map:    {saved.picture}\nRaster: {saved.raster}")
