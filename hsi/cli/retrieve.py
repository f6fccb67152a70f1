"""``hsi retrieve``: one modality is searched with a place of another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hsi.cli import options, resuming
from hsi.errors import UsageError

if TYPE_CHECKING:
    from hsi.training.retrieval_run import RetrievalRun
    from hsi.workflows.retrieve import Pair

AMOUNT = options.Amount()
FIRST, SECOND, LABELS = "first", "second", "labels"


class Place(click.ParamType):
    """A pixel (``30,41``), or a row of arrays (``17``)."""

    name = "row,col"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Return one number or two."""
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(int(each) for each in value.split(","))
        except ValueError:
            numbers = ()
        if len(numbers) not in (1, 2):
            self.fail(f"'{value}' is no place: ROW,COL such as 30,41, or of arrays ROW", param)
        return numbers


@click.group("retrieve", short_help="Search one kind of image with places of another.")
def command() -> None:
    """Learn where two modalities of a place lie in one space, and search one with the other.

    \b
    Examples:
      hsi retrieve train --scene salinas_a --second rgb --out runs/colours
      hsi retrieve query runs/colours --from second --at 30,41 --top 20
    """


@command.command("train")
@click.option("--scene", help="Name of a scene (`hsi scenes list`) or path of a file.")
@options.scene_files
@click.option(
    "--second",
    help="Another raster of the same place; or rgb: the scene's own colour composite.",
)
@click.option("--second-key", help="The second array's name in a file that holds several.")
@click.option("--second-nodata", type=float, help="The value of its pixels without data.")
@click.option(
    "--features",
    type=click.Path(),
    help="Instead of both: .npz with arrays first, second and labels, or as --key, --second-key "
    "and --labels-key call them.",
)
@click.option(
    "--config",
    type=click.Path(),
    help="Start from the config.toml of a run; other options prevail.",
)
@click.option("--patch-size", type=int, help="Side of a patch, odd.  [default: 5]")
@click.option(
    "--components",
    type=int,
    help="PCA components of a raster with more bands.  [default: customary for the scene]",
)
@click.option("--dimensions", type=int, help="Of the common space.  [default: 256]")
@click.option("--alpha", type=float, help="Weight of the likelihood terms.  [default: 0.001]")
@click.option("--beta", type=float, help="Weight of the distance of pairs.  [default: 0.1]")
@click.option("--split", help="As for `hsi train`.  [default: random]")
@click.option("--split-file", type=click.Path(), help="As for `hsi train`.")
@click.option("--folds", type=int, help="As for `hsi train`.")
@click.option("--guard", type=int, help="As for `hsi train`.")
@click.option("--train", type=AMOUNT, help="Training pixels of each class.  [default: 0.1]")
@click.option("--validation", type=AMOUNT, help="Validation pixels, likewise.  [default: 0.1]")
@click.option("--seed", type=int, help="Seed of everything random.  [default: 0]")
@click.option("--epochs", type=int, help="Passes over the training pixels.  [default: 100]")
@click.option("--batch-size", type=int, help="Pairs in a step.  [default: 100]")
@click.option("--learning-rate", type=float, help="Of Adam.  [default: 0.0001]")
@click.option("--schedule", help="constant or one-cycle.  [default: constant]")
@resuming.options
@options.device
@click.option("--out", type=click.Path(), help="New folder for the run.  [default: in runs/]")
@options.as_json
def train(
    scene: str | None,
    reading: dict[str, Any],
    second: str | None,
    second_key: str | None,
    second_nodata: float | None,
    features: str | None,
    config: str | None,
    resume: str | None,
    not_bitwise: bool,
    device: str,
    out: str | None,
    as_json: bool,
    **changes: Any,
) -> None:
    """Bring two modalities into one space, and test how well one finds the other.

    The epoch with the best mean average precision on the validation pixels is kept; the test is
    made once, at the end.

    \b
    Examples:
      hsi retrieve train --scene salinas_a --second rgb --split blocks
      hsi retrieve train --scene cube.tif --second lidar.tif --labels classes.gpkg
      hsi retrieve train --features pairs.npz --key images --second-key texts
      hsi retrieve train --resume runs/colours
    """
    from hsi.cli.console import TrainingDisplay
    from hsi.cli.retrieve_display import print_run
    from hsi.training.retrieval_run import RetrievalRun, read_retrieval_config
    from hsi.training.retrieval_settings import RetrievalSettings
    from hsi.workflows.retrieve import open_pair, resume_retrieval, train_retrieval

    data = {
        "--scene": scene, "--second": second, "--second-key": second_key,
        "--second-nodata": second_nodata, "--features": features,
        **{f"--{name.replace('_', '-')}": value for name, value in reading.items()},
    }  # fmt: skip
    given = [name for name, value in data.items() if value is not None]
    if resume is not None:
        beside = [name for name, value in (("--config", config), ("--out", out)) if value]
        resuming.check_nothing_beside([*given, *beside], what="data")
        run = RetrievalRun(resume)
        resuming.check_settings(run.path, run.settings, run.settings.changed(**changes))
        with TrainingDisplay(validation="mAP in validation") as display:
            run = resume_retrieval(
                run, bitwise=not not_bitwise, device=device, progress=display, started=_announce,
                noted=resuming.say,
            )  # fmt: skip
        print_run(run, as_json=as_json)
        return
    resuming.check_none(not_bitwise)
    stored: dict[str, Any] = {"settings": {}}
    if config is not None:
        stored = read_retrieval_config(Path(config))
    settings = RetrievalSettings.from_table(stored["settings"], where=f"{config}: ")
    settings = settings.changed(**changes)
    if given or config is None:
        pair = _pair(scene, second, features, reading, second_key, second_nodata)
    else:
        pair = open_pair(stored["pair"])
    with TrainingDisplay(validation="mAP in validation") as display:
        run = train_retrieval(
            pair, settings, out=out, device=device, progress=display, started=_announce
        )
    print_run(run, as_json=as_json)


def _pair(
    scene: str | None,
    second: str | None,
    features: str | None,
    reading: dict[str, Any],
    second_key: str | None,
    second_nodata: float | None,
) -> Pair:
    """Open what the options name."""
    from hsi.scenes import load_scene
    from hsi.workflows.retrieve import feature_pair, raster_pair

    if features is not None:
        others = [
            option
            for option, value in (
                ("--scene", scene),
                ("--second", second),
                ("--second-nodata", second_nodata),
                *(
                    (f"--{name.replace('_', '-')}", value)
                    for name, value in reading.items()
                    if name not in ("key", "labels_key")
                ),
            )
            if value is not None
        ]
        if others:
            raise UsageError(
                f"--features holds both modalities and their labels: leave out "
                f"{' and '.join(others)}"
            )
        return feature_pair(
            features,
            first=reading.get("key", FIRST),
            second=second_key or SECOND,
            labels=reading.get("labels_key", LABELS),
        )
    if scene is None or second is None:
        raise UsageError(
            f"{'--scene' if scene is None else '--second'} is missing: name a scene and another "
            "raster of the same place (--second rgb is its colour composite), or --features"
        )
    return raster_pair(load_scene(scene, **reading), second, key=second_key, nodata=second_nodata)


@command.command("query")
@click.argument("run", type=click.Path())
@click.option(
    "--from",
    "source",
    default="first",
    show_default=True,
    help="The modality of the query: first (the scene) or second; the other one is searched.",
)
@click.option("--at", type=Place(), required=True, help="Its pixel, from 0; of arrays, its row.")
@click.option("--top", default=20, show_default=True, help="How many to find.")
@click.option(
    "--among",
    default="test",
    show_default=True,
    help="What is searched: test (pixels that nothing was learned from), labelled, or all.",
)
@click.option("--figure", type=click.Path(), help="Draw the query and what it found: a .png file.")
@options.device
@options.as_json
def query(
    run: str,
    source: str,
    at: tuple[int, ...],
    top: int,
    among: str,
    figure: str | None,
    device: str,
    as_json: bool,
) -> None:
    """Find places whose one modality goes with what the other is at a pixel.

    RUN is the folder of a `hsi retrieve train`. The pixel itself is not among what is found.

    \b
    Examples:
      hsi retrieve query runs/colours --from second --at 30,41 --top 20
      hsi retrieve query runs/colours --at 30,41 --figure found.png
    """
    from hsi.cli.retrieve_display import print_found
    from hsi.training.retrieval_run import RetrievalRun
    from hsi.workflows.retrieve import figure_path, find

    trained = RetrievalRun(run)
    features = "features" in trained.config["pair"]
    if len(at) != (1 if features else 2):
        raise UsageError(
            f"--at is {','.join(map(str, at))}; expected "
            + ("one number, a row of the arrays" if features else "ROW,COL, a pixel of the scene")
        )
    drawn = None if figure is None else figure_path(figure, trained)
    resuming.note_checkpoint(trained)
    found = find(
        trained,
        (at[0], 0) if features else (at[0], at[1]),
        source=source,  # type: ignore[arg-type]  # checked there
        top=top,
        among=among,  # type: ignore[arg-type]  # checked there
        device=device,
    )
    if drawn is not None:
        found.save_figure(drawn)
    if as_json:
        click.echo(
            json.dumps({"run": str(trained.path), "among": among} | found.as_table(), indent=2)
        )
        return
    print_found(found)
    if drawn is not None:
        click.echo(f"Figure: {drawn}")


def _announce(run: RetrievalRun) -> None:
    click.echo(f"Training {run.path} ...", err=True)
    for note in run.split_file.split.notes:
        click.echo(f"Note: {note}", err=True)
