"""``hsi bench``: models compared on the same scenes, splits and seeds."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING, Any

import click

from hsi.cli import options, train
from hsi.cli.lists import Amounts, Names, Seeds, flat, taken_over
from hsi.interrupts import terminated_as_interrupted

if TYPE_CHECKING:
    from hsi.evaluation import Cell
    from hsi.scenes import Scene
    from hsi.workflows.bench import Asked, Bench
    from hsi.workflows.cluster import Cluster

# Options of `hsi train` that have no place here: models are named with their attention, scenes are
# split by pixels, seeds are a list, settings come from the plan, and it goes on by itself.
WITHOUT = (
    "model", "attention", "seed", "config", "validation_datasets", "validation_labels",
    "test_datasets", "test_labels", "resume", "not_bitwise",
)  # fmt: skip


@taken_over(train.command, without=WITHOUT)
@click.command("bench", short_help="Compare models on the same scenes, splits and seeds.")
@click.option(
    "--dataset",
    "datasets",
    type=Names(),
    multiple=True,
    help="Scenes, with commas between them: names (`hsi scenes list`), or paths of files or cards.",
)
@click.option("--labels", type=click.Path(), help="File with the ground truth of the one scene.")
@options.reading
@click.option(
    "--model",
    "models",
    type=Names(),
    multiple=True,
    help="Models, e.g. svm,hybridsn-dw,hybridsn-dw+eca (see `hsi models` and --blocks there).",
)
@click.option(
    "--split",
    "splits",
    type=Names(),
    multiple=True,
    help="Kinds of splits: random, blocks, folds, official, file.  [default: random,blocks]",
)
@click.option(
    "--train",
    type=Amounts(),
    help="Training pixels of each class, fractions or counts, e.g. 0.01,0.05,0.1.  [default: 0.1]",
)
@click.option(
    "--seeds",
    type=Seeds(),
    help="How many, from 0; or which: 0,1,5-9, or 3, for one.  [default: 10]",
)
@click.option(
    "--guard",
    type=int,
    help="Pixels between training and test on blocks and folds, for all models.  [default: what "
    "the largest patches need]",
)
@click.option(
    "--against",
    default="first",
    show_default=True,
    help="What models are compared with: first, best (of each table), or one of them.",
)
@click.option("--by", default="oa", show_default=True, help="Compared by: oa, aa or kappa.")
@click.option("--jobs", default=1, show_default=True, help="Processes that share the threads.")
@click.option("--dry-run", is_flag=True, help="Say what would be trained, and stop.")
@options.device
@options.cluster
@click.option(
    "--out", type=click.Path(), default="bench", show_default=True, help="Folder of the benchmark."
)
@options.as_json
def command(
    datasets: tuple[tuple[str, ...], ...],
    labels: str | None,
    reading: dict[str, Any],
    models: tuple[tuple[str, ...], ...],
    splits: tuple[tuple[str, ...], ...],
    train: tuple[int | float, ...] | None,
    seeds: tuple[int, ...] | None,
    guard: int | None,
    against: str,
    by: str,
    jobs: int,
    dry_run: bool,
    device: str,
    where: options.Where,
    out: str,
    as_json: bool,
    **changes: Any,
) -> None:
    """Train and test every model on every scene, split, amount of training and seed.

    All models have the same splits. The folder keeps what is finished: the same command goes on
    after an interruption, and more models, scenes, splits, amounts or seeds may be added; what is
    not named stays as it was. Other options are those of `hsi train`, for all models. Without
    anything but --out, the tables of a folder are printed again. With --cluster or --workers,
    Dask's workers train; started again meanwhile, on any machine that sees the folder, the same
    command helps.

    \b
    Examples:
      hsi bench --dataset salinas_a,indian_pines --model svm,hybridsn,hybridsn-dw --out bench
      hsi bench --model hybridsn-dw+eca --out bench
      hsi bench --out bench --against best
      hsi bench --dataset salinas_a --model ssrn --out /shared/bench --cluster tcp://node1:8786
    """
    from hsi.files import usable_path
    from hsi.workflows.bench import Asked, Bench

    folder = usable_path(out, "out")
    bench = Bench(folder)
    asked = Asked(
        scenes=(),
        splits=flat(splits),
        train=train or (),
        models=flat(models),
        seeds=seeds or (),
    )
    settings = {name: value for name, value in changes.items() if value is not None}
    named = flat(datasets)
    if asked or named or settings or reading or labels or guard is not None or dry_run:
        _work(
            bench, asked, named, labels=labels, reading=reading, settings=settings, guard=guard,
            device=device, jobs=jobs, where=where, dry_run=dry_run, against=against, by=by,
            as_json=as_json,
        )  # fmt: skip
        return
    if not bench.plan.asked:
        raise click.UsageError(
            f"there is no benchmark in {folder}; name scenes and models: --dataset, --model"
        )
    _print(bench, against=against, by=by, as_json=as_json)


def _work(
    bench: Bench,
    asked: Asked,
    named: tuple[str, ...],
    *,
    labels: str | None,
    reading: dict[str, Any],
    settings: dict[str, Any],
    guard: int | None,
    device: str,
    jobs: int,
    where: options.Where,
    dry_run: bool,
    against: str,
    by: str,
    as_json: bool,
) -> None:
    from hsi.cli.bench_display import print_plan
    from hsi.workflows.bench import check_choices
    from hsi.workflows.bench.shared_settings import check_files

    check_files(settings)
    scenes = _scenes(bench, asked, named, labels=labels, reading=reading, settings=settings)
    complete = asked.with_scenes(scenes).completed(bench.plan.asked)
    cells = bench.ask(
        complete,
        scenes,
        settings=settings,
        guard=guard,
        command=shlex.join(["hsi", *sys.argv[1:]]),
    )
    check_choices(
        bench, scenes, device=device, jobs=jobs, measure=by, against=against, cluster=bool(where)
    )
    if dry_run:
        print_plan(bench, cells, jobs=jobs, as_json=as_json)
        return
    with terminated_as_interrupted(), where.opened() as cluster:
        jobs = jobs if cluster is None else len(cluster.threads)
        print_plan(bench, cells, jobs=jobs, on_error_stream=True)
        _train(
            bench, cells, scenes, device=device, jobs=jobs, measure=by, against=against,
            cluster=cluster,
        )  # fmt: skip
    _print(bench, against=against, by=by, as_json=as_json)
    if any(cell in bench.failures for cell in cells):
        click.get_current_context().exit(1)


def _train(
    bench: Bench,
    cells: list[Cell],
    scenes: dict[str, Scene],
    *,
    jobs: int,
    cluster: Cluster | None,
    **choices: Any,
) -> None:
    from hsi.cli.bench_display import BenchDisplay
    from hsi.workflows.bench import train_cells

    with BenchDisplay(bench, cells, jobs=jobs) as display:
        try:
            train_cells(
                bench, cells, scenes, jobs=jobs if cluster is None else 1, watch=display,
                cluster=cluster, **choices,
            )  # fmt: skip
        except KeyboardInterrupt as interrupt:
            # Of its own kind, which is the exit code, but without what trainings said of theirs.
            stopped = type(interrupt)()
            stopped.add_note(display.interrupted())
            raise stopped from None


def _scenes(
    bench: Bench,
    asked: Asked,
    named: tuple[str, ...],
    *,
    labels: str | None,
    reading: dict[str, Any],
    settings: dict[str, Any],
) -> dict[str, Scene]:
    """Open the scenes that are named, or all those of the plan."""
    from hsi.errors import UsageError
    from hsi.files import folder_name
    from hsi.scenes import open_scene
    from hsi.scenes.named import Named, named_scene

    if not named:
        if labels or reading:
            raise options.scene_is_missing(
                reading | ({"labels": labels} if labels else {}), "name it, too, with --dataset"
            )
        return {name: open_scene(source) for name, source in bench.plan.sources.items()}
    if labels and len(named) > 1:
        raise UsageError(
            f"--labels is for one scene, but --dataset names {len(named)}\n"
            "Name scenes by cards (.toml) that name their labels, or add one scene after the "
            "other to the same --out."
        )
    gap = bench.largest_side([*bench.plan.models, *asked.models], settings) - 1
    nothing = Named((), (), "--validation-dataset", "--validation-labels")
    scenes: dict[str, Scene] = {}
    for dataset in named:
        scene = named_scene(
            train=Named((dataset,), (labels,) if labels else (), "--dataset", "--labels"),
            validation=nothing,
            test=nothing,
            stored={},
            reading=reading,
            gap=gap,
        )
        name = folder_name(scene.name)
        if name in scenes:
            raise UsageError(
                f"two scenes are named {name}: {dataset} is the second\n"
                "Rename its file, or write a card for it with another name."
            )
        scenes[name] = scene
    return scenes


def _print(bench: Bench, *, against: str, by: str, as_json: bool) -> None:
    from hsi.cli.bench_display import print_failures, print_sections
    from hsi.report.bench_report import bench_sections
    from hsi.workflows.bench.about import about
    from hsi.workflows.bench.written import as_json as json_of
    from hsi.workflows.bench.written import failure_rows

    findings = bench.findings(measure=by, against=against)
    if as_json:
        facts = about(bench.plan, findings.results)
        table = json_of(findings, failures=failure_rows(bench.failures), facts=facts)
        click.echo(json.dumps(table, indent=2))
    else:
        print_sections(bench_sections(findings))
        if (bench.out / "results.md").is_file():
            click.echo(f"Tables: {bench.out / 'results.md'}, .tex, .csv, .json")
    print_failures(bench)
    left = [cell for cell in bench.plan.cells() if cell not in bench.results]
    left = [cell for cell in left if cell not in bench.failures]
    if left:
        click.echo(f"Not yet trained: {len(left)} of {len(list(bench.plan.cells()))}.", err=True)
