"""``hsi search``: the settings that do best on the validation pixels of a scene."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import click

from hsi.cli import options
from hsi.errors import UsageError

if TYPE_CHECKING:
    from hsi.scenes.named import Named

AMOUNT = options.Amount()
# Of each class, unless scenes are named for the validation or a file says which pixels are.
VALIDATION = 0.1


class _Searched(click.Command):
    """Says of an option of `hsi train` that a search chooses what it sets."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            from hsi.workflows.search.space import searchable

            name = error.option_name.removeprefix("--")
            if name.replace("-", "_") not in searchable():
                raise
            raise UsageError(
                f"--{name} is a setting that a search chooses, unless it is fixed: --fix "
                f"{name}=VALUE"
            ) from error


@click.command(
    "search", cls=_Searched, short_help="Look for the settings that do best in validation."
)
@options.scenes
@click.option(
    "--space",
    type=click.Path(),
    help="TOML file: names of settings with lists of choices, or with low and high (log, step).",
)
@click.option(
    "--model", "models", multiple=True, help="A network to choose from; again for each further one."
)
@click.option(
    "--fix", "fixed", multiple=True, metavar="NAME=VALUE", help="A setting that is not searched."
)
@click.option(
    "--recipe", help="Where what is not searched comes from: default, unseen, paper, or a file."
)
@click.option(
    "--objective",
    default="aa",
    show_default=True,
    help="Measured on validation pixels: aa (average accuracy), oa (overall accuracy), or kappa.",
)
@click.option("--trials", default=40, show_default=True, help="Trials in all, earlier ones too.")
@click.option("--seeds", default=1, show_default=True, help="Trainings of each trial; the mean.")
@click.option(
    "--prune/--no-prune", default=True, show_default=True, help="End hopeless trials early."
)
@click.option("--jobs", default=1, show_default=True, help="Processes that share the threads.")
@click.option("--split", help="As for `hsi train`.  [default: random]")
@click.option("--split-file", type=click.Path(), help="As for `hsi train`.")
@click.option("--folds", type=int, help="As for `hsi train`.")
@click.option(
    "--guard",
    type=int,
    help="Pixels between training and test of blocks and folds.  [default: largest patch - 1]",
)
@click.option(
    "--train", type=AMOUNT, help="Training pixels of each class: fraction or count.  [default: 0.1]"
)
@click.option("--validation", type=AMOUNT, help="Validation pixels, likewise.  [default: 0.1]")
@click.option("--seed", type=int, help="Of split, trainings and search.  [default: 0]")
@options.device
@options.cluster
@click.option(
    "--out", type=click.Path(), default="search", show_default=True, help="Folder of the search."
)
@options.as_json
@click.pass_context
def command(
    context: click.Context,
    named: dict[str, Named],
    reading: dict[str, Any],
    space: str | None,
    models: tuple[str, ...],
    fixed: tuple[str, ...],
    recipe: str | None,
    out: str,
    as_json: bool,
    trials: int,
    seeds: int,
    objective: str,
    prune: bool,
    jobs: int,
    device: str,
    where: options.Where,
    **pixels: Any,
) -> None:
    """Train with many combinations of settings; the best on the validation pixels is kept.

    All trials have the same split, and labels of test pixels are taken away before the first. The
    same command continues what was interrupted; started again meanwhile, on any machine that sees
    the folder, it helps. With --cluster or --workers, Dask's workers take the trials.

    \b
    Examples:
      hsi search --dataset salinas_a --split blocks --trials 40
      hsi search --dataset cube.mat --labels gt.mat --model ssrn --fix steps=100 --jobs 2
      hsi search --dataset salinas_a --space space.toml --out searches/mine
      hsi search --dataset salinas_a --out /shared/search --cluster tcp://node1:8786
    """
    from hsi.cli.search_display import SearchDisplay, print_search
    from hsi.interrupts import terminated_as_interrupted
    from hsi.scenes.named import named_scene
    from hsi.training import Settings
    from hsi.workflows.search import search
    from hsi.workflows.search.defaults import widest_side
    from hsi.workflows.search.optional import check_optuna
    from hsi.workflows.search.space import as_table, parse_fixed, read_space

    check_optuna()
    if where and jobs > 1:  # before workers are started
        raise UsageError("a cluster has its own workers; leave out jobs (--jobs)")
    given = parse_fixed(fixed)
    chosen: dict[str, Any] | None = None
    if space is not None:
        variations, single = read_space(space)
        chosen, given = as_table(variations), single | given
    if (
        pixels["validation"] is None
        and not named["validation"].datasets
        and not pixels["split_file"]
    ):
        pixels["validation"] = VALIDATION
    settings = Settings().changed(recipe=recipe).changed(**pixels)
    scene = named_scene(
        **named,
        stored={},
        reading=reading,
        gap=widest_side(chosen, models=models, settings=settings.changed(**given)) - 1,
    )
    with (
        terminated_as_interrupted(),
        where.opened() as cluster,
        SearchDisplay(objective) as display,
    ):
        result = search(
            scene,
            settings,
            space=chosen,
            models=models,
            out=out,
            trials=trials,
            seeds=seeds,
            objective=objective,  # type: ignore[arg-type]  # checked there
            prune=prune,
            jobs=jobs,
            device=device,
            cluster=cluster,
            progress=display,
            **given,
        )
    again = _train_command(context, result.settings, str(result.recipe))
    if as_json:
        table = result.as_table() | {"search": str(result.path), "train_command": again}
        click.echo(json.dumps(table, indent=2))
        return
    print_search(result)
    click.echo(f"Recipe: {result.recipe}\nTrials: {result.path / 'trials.csv'}")
    click.echo(f"Train with it, and test:\n  {again}")


def _train_command(context: click.Context, split: dict[str, Any], recipe: str) -> str:
    """Return the command that trains on the same pixels with what was found.

    `hsi train` takes the options that name and read scenes, too.
    """
    words = ["hsi", "train"]
    for parameter in context.command.params:
        if parameter.name not in options.SCENE_OPTIONS or not isinstance(parameter, click.Option):
            continue
        value = context.params.get(parameter.name, context.meta.get(parameter.name))
        for each in value if isinstance(value, tuple) else (value,):
            if each is True:
                words.append(parameter.opts[0])
            elif each is not None and each is not False:
                words += [parameter.opts[0], str(each)]
    words += ["--recipe", recipe]
    for name, value in split.items():
        usual = name == "folds" and split["split"] != "folds"
        if value is not None and not usual:
            words += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join(words)
