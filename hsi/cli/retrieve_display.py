"""What `hsi retrieve` prints."""

from __future__ import annotations

import json

import click

from hsi.cli.console import print_caveats, print_table
from hsi.report import pixel_counts
from hsi.report.numbers import percent
from hsi.training.retrieval_run import RetrievalRun
from hsi.workflows.retrieve import Found


def print_run(run: RetrievalRun, *, as_json: bool) -> None:
    """Print what came out."""
    metrics = run.metrics
    if as_json:
        click.echo(json.dumps(metrics | {"run": str(run.path)}, indent=2))
        return
    ways = ("first_to_second", "second_to_first", "mean")
    kinds = {"learned": "map", "canonical correlation": "canonical_correlation", "chance": "chance"}
    print_table(
        ("mAP %", "first finds second", "second finds first", "mean"),
        [
            (name, *(percent(metrics[key][way], digits=2) for way in ways))
            for name, key in kinds.items()
            if metrics[key] is not None
        ],
        title=f"{metrics['first']} (first) and {metrics['second']} (second), test pixels",
    )
    counts = pixel_counts(
        train=metrics["train_pixels"],
        validation=metrics["validation_pixels"],
        test=metrics["test_pixels"],
    )
    click.echo(f"Split: {counts}. Weights of epoch {metrics['kept_epoch']}, by validation.")
    print_caveats(metrics)
    click.echo(f"Trained in {metrics['train_seconds']:.1f} s.\nRun: {run.path}")


def print_found(found: Found) -> None:
    """Print a query and what it found."""
    where = f"{found.row}, {found.col}" if found.pair.rasters else f"{found.row}"
    # Rows of arrays have no columns.
    columns = ("row", "col") if found.pair.rasters else ("row",)
    print_table(
        ("rank", *columns, "class", "similarity"),
        [
            (
                str(hit.rank),
                *(str(getattr(hit, name)) for name in columns),
                hit.name or "-",
                f"{hit.similarity:.4f}",
            )
            for hit in found.hits
        ],
        title=f"{found.pair.scene(found.modality).name} at {where} ({found.name or 'no label'}), "
        f"in {found.pair.scene(found.other).name}",
    )
    share = ""
    if found.of_its_class is not None:
        labelled = sum(hit.name is not None for hit in found.hits)
        among = "" if labelled == len(found.hits) else f" {labelled} that have a label, of"
        share = f"{found.of_its_class} of{among} {len(found.hits)} are of its class; "
    click.echo(f"{share}{found.searched:,} were searched.")
