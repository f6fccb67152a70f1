"""``hsi compare``: two runs of one scene."""

from __future__ import annotations

import dataclasses
import json

import click

from hsi.cli import options, resuming


@click.command("compare", short_help="Compare two runs of one scene: agreement, McNemar, a map.")
@click.argument("first", type=click.Path())
@click.argument("second", type=click.Path())
@click.option(
    "--out",
    type=click.Path(),
    help="Picture of where the maps differ.  [default: compare.png, here; a number where that is "
    "taken]",
)
@options.device
@options.as_json
def command(first: str, second: str, out: str | None, device: str, as_json: bool) -> None:
    """Map the scene of two runs with both networks, and say where and how they differ.

    \b
    Example:
      hsi compare runs/first runs/second --out first-second.png
    """
    from hsi.report.comparison_words import comparison_sentences
    from hsi.training import Run
    from hsi.workflows.compare import compare_runs, picture_path

    runs = Run(first), Run(second)
    picture = picture_path(out, *runs)
    for run in runs:
        resuming.note_checkpoint(run)
    found = compare_runs(*runs, device=device)
    found.save_picture(picture, title=" and ".join(found.names))
    sentences = comparison_sentences(
        found.names,
        right=found.right,
        test_pixels=found.test_pixels,
        only_first=found.mcnemar.only_first,
        only_second=found.mcnemar.only_second,
        p=found.mcnemar.p,
        same_split=found.same_split,
    )
    if as_json:
        fields = {
            each.name: getattr(found, each.name)
            for each in dataclasses.fields(found)
            if each.name != "differences"
        }
        figures = fields | {
            "mcnemar": dataclasses.asdict(found.mcnemar),
            "sentences": sentences,
            "picture": str(picture),
        }
        click.echo(json.dumps(figures, indent=2))
        return
    click.echo(f"The maps agree on {found.agreement:.1%} of the pixels.")
    for sentence in sentences:
        click.echo(sentence)
    click.echo(
        f"Neither has {found.both_wrong:,} test pixels right; on {found.differently_wrong:,} of "
        f"these they err differently.\nPicture: {picture}"
    )
