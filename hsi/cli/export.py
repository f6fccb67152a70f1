"""``hsi export``: a run as one file for other programs."""

from __future__ import annotations

import json

import click

from hsi.cli import options, resuming


@click.command("export", short_help="Write a trained network as one file for other programs.")
@click.argument("run", type=click.Path())
@click.option(
    "--format",
    "format_",
    default="onnx",
    show_default=True,
    help="onnx, or torch: a program of torch.export.",
)
@click.option(
    "--out",
    type=click.Path(),
    help="The file, .onnx or .pt2.  [default: model.onnx or model.pt2 in the run]",
)
@options.as_json
def command(run: str, format_: str, out: str | None, as_json: bool) -> None:
    """Write the band reduction and the network that RUN trained as one graph.

    A tile of the cube goes in, the class and the confidence of every pixel come out. The file is
    compared with the run, on random tiles and on tiles of its scene, before it gets its name.
    `hsi map` takes a file of ONNX in place of a run.

    \b
    Examples:
      hsi export runs/first
      hsi export runs/first --format torch --out first.pt2
    """
    from hsi.training import Run
    from hsi.workflows.export import export_run

    trained = Run(run)
    resuming.note_checkpoint(trained)
    done = export_run(trained, format=format_, out=out)  # type: ignore[arg-type]  # it is checked
    for note in done.notes:
        click.echo(f"Note: {note}.", err=True)
    about = done.description
    if as_json:
        described = {
            "file": str(done.path),
            "format": format_,
            "model": about.model,
            "form": about.form,
            "patch_size": about.patch_size,
            "bands": about.bands.count,
            "classes": [each.model_dump() for each in about.classes],
            "difference": done.difference,
            "random_tiles": done.random_tiles,
            "real_tiles": done.real_tiles,
        }
        click.echo(json.dumps(described, indent=2))
        return
    click.echo(
        f"{about.model}, {about.form}: {about.bands.count} bands, {len(about.classes)} classes, "
        f"{about.patch_size}x{about.patch_size} patches."
    )
    click.echo(
        f"Compared with the run on {done.random_tiles} random tiles and {done.real_tiles} of its "
        f"scene: {done.difference:.1e} apart at most."
    )
    click.echo(f"File: {done.path}")
