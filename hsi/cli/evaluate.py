"""``hsi evaluate``: the accuracy of a run, computed anew."""

from __future__ import annotations

import json

import click

from hsi.cli import options, resuming


@click.command("evaluate", short_help="Test a trained network on the test pixels of its run.")
@click.argument("run", type=click.Path())
@options.device
@options.as_json
def command(run: str, device: str, as_json: bool) -> None:
    """Map the scene of RUN anew and compare the map with the labels of its test pixels.

    \b
    Example:
      hsi evaluate runs/first --json
    """
    from hsi.cli.console import print_caveats, print_learned, print_results
    from hsi.training import Run
    from hsi.workflows import evaluate

    trained = Run(run)
    resuming.note_checkpoint(trained)
    metrics = evaluate(trained, device=device)
    if as_json:
        click.echo(json.dumps(metrics, indent=2))
    else:
        print_results(metrics, title=f"{run}: {trained.split.method} split")
        print_learned(metrics)
        print_caveats(metrics)
