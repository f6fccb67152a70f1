"""``hsi compare``: two runs of one scene, or two benchmarks of the same models."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import click

from hsi.cli import options, resuming


@click.command(
    "compare", short_help="Compare two runs of one scene, or two benchmarks seed by seed."
)
@click.argument("first", type=click.Path())
@click.argument("second", type=click.Path())
@click.option(
    "--out",
    type=click.Path(),
    help="Picture of where the maps differ.  [default: compare.png, here; a number where that is "
    "taken]",
)
@click.option("--by", help="Of two benchmarks: what is compared, oa (if not named), aa or kappa.")
@options.device
@options.as_json
def command(
    first: str, second: str, out: str | None, by: str | None, device: str, as_json: bool
) -> None:
    """Map the scene of two runs with both networks, and say where and how they differ.

    Of two folders of `hsi bench`, every model is compared with itself in the other folder, on the
    splits and seeds that both have: what a change of settings does.

    \b
    Examples:
      hsi compare runs/first runs/second --out first-second.png
      hsi compare bench bench-unseen
    """
    benches = [(Path(each) / "bench.toml").is_file() for each in (first, second)]
    if all(benches):
        _compare_benches(first, second, by=by or "oa", out=out, as_json=as_json)
        return
    if any(benches):
        known, other = (first, second) if benches[0] else (second, first)
        if not Path(other).exists():
            raise click.UsageError(f"there is no folder {other}; name two benchmarks")
        raise click.UsageError(
            f"{known} is a benchmark, {other} is not; name two runs, or two benchmarks"
        )
    if by is not None:
        raise click.UsageError("--by is for two benchmarks; of two runs, test pixels are compared")
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
        train_pixels=found.train_pixels,
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
        f"Test pixels that neither has right: {found.both_wrong:,}; on {found.differently_wrong:,} "
        f"of these they err differently.\nPicture: {picture}"
    )


def _compare_benches(first: str, second: str, *, by: str, out: str | None, as_json: bool) -> None:
    from hsi.cli.bench_display import print_sections
    from hsi.report.bench_report import Section
    from hsi.report.bench_words import standing_sentence
    from hsi.report.comparison_tables import side_by_side_table
    from hsi.report.result_tables import group_title
    from hsi.workflows.bench import Bench, compare_benches
    from hsi.workflows.bench.written import without_nan

    if out is not None:
        raise click.UsageError("--out is for the picture of two runs; leave it out")
    found = compare_benches(Bench(Path(first)), Bench(Path(second)), measure=by)
    sentences = [
        f"{group_title(standing.group)}, {model}: "
        f"{standing_sentence(standing, of=len(found.compared))}"
        for model, standing in found.compared
    ]
    sentences += [
        f"{model} came to the same in both, wherever it was compared." for model in found.same
    ]
    sentences += found.scenes
    sentences += [
        f"Only in {name}: {', '.join(f'{key} {value}' for key, value in settings.items())}."
        for name, settings in zip(found.names, found.settings, strict=True)
        if settings
    ]
    if as_json:
        figures = {
            "names": found.names,
            "measure": by,
            "settings": found.settings,
            "comparisons": [
                {
                    **standing.group._asdict(),
                    "model": model,
                    "seeds": standing.seeds,
                    "difference": dataclasses.asdict(standing.difference),
                    "p_holm": standing.p_holm,
                    "repeated": standing.repeated,
                }
                for model, standing in found.compared
            ],
            "same": found.same,
            "scenes": found.scenes,
            "sentences": sentences,
        }
        click.echo(json.dumps(without_nan(figures), indent=2))
        return
    table = side_by_side_table(found.compared, found.names, measure=by)
    tables = (table,) if found.compared else ()
    print_sections([Section(heading=table.title, tables=tables, sentences=tuple(sentences))])
