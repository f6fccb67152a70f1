"""``hsi transfer``: from folders of photographs to a finished run, and what it says of others."""

from __future__ import annotations

import csv
import difflib
import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hsi.cli import options, resuming
from hsi.errors import PhotographError, UsageError

if TYPE_CHECKING:
    from hsi.photographs import Unreadable
    from hsi.training import Prediction, TransferRun


class _OrPredict(click.Command):
    """`hsi transfer IMAGES` itself; where the first word is ``predict``, that command instead.

    Not a group: the first word is a folder in all other cases, and the options are those of the
    training.
    """

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        if args and args[0] == "predict":
            return predict.make_context(f"{info_name} predict", args[1:], parent, **extra)
        if len(args) > 1 and _is_misspelt(args[0], "predict"):
            raise UsageError(f"there is no folder {args[0]}; did you mean 'predict'?")
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.NoSuchOption as error:
            if error.option_name != "--csv":
                raise
            raise UsageError(
                "--csv belongs to `hsi transfer predict RUN IMAGES --csv`, which classifies\n"
                "A training writes its predictions to photographs.csv in the folder of the run."
            ) from error


def _is_misspelt(word: str, meant: str) -> bool:
    near = difflib.get_close_matches(word, [meant])
    return bool(near) and os.sep not in word and not Path(word).exists()


@click.command("transfer", cls=_OrPredict, short_help="Train an image network on photographs.")
@click.argument("images", type=click.Path(), required=False)
@click.option(
    "--config",
    type=click.Path(),
    help="Start from the config.toml of a run; other options prevail.",
)
@click.option("--backbone", help="Network, see `hsi models`.  [default: resnet18]")
@click.option("--weights", help="imagenet, or a file of weights.  [default: fresh weights]")
@click.option("--freeze", help="features (train the last layer) or none.  [default: none]")
@click.option("--attention", help="See `hsi models --blocks`.  [default: none]")
@click.option(
    "--small-stem/--no-small-stem",
    default=None,
    help="Keep the first layers at full resolution, for about 32x32.",
)
@click.option("--size", type=int, help="Pixels of a side.  [default: what the network is made for]")
@click.option(
    "--validation", type=float, help="Share of the training photographs, or 0.  [default: 0.2]"
)
@click.option("--seed", type=int, help="Seed of everything random.  [default: 0]")
@click.option("--epochs", type=int, help="Passes over the training photographs.  [default: 10]")
@click.option("--batch-size", type=int, help="Photographs in a step.  [default: 32]")
@click.option("--optimizer", help="adam or adamw.  [default: adamw]")
@click.option("--learning-rate", type=float, help="Constant, or the peak of a one-cycle rate.")
@click.option("--schedule", help="constant or one-cycle.  [default: one-cycle]")
@click.option("--weight-decay", type=float, help="Decay of weights in each step.  [default: 0.01]")
@click.option("--augmentation", help="none, crop-flip or crop-flip-color.  [default: crop-flip]")
@click.option("--label-smoothing", type=float, help="Share of a label spread over all classes.")
@click.option("--precision", help="auto (mixed on CUDA), full or bf16.  [default: auto]")
@resuming.options
@options.device
@click.option("--out", type=click.Path(), help="New folder for the run.  [default: in runs/]")
@options.as_json
def command(
    images: str | None,
    config: str | None,
    resume: str | None,
    not_bitwise: bool,
    device: str,
    out: str | None,
    as_json: bool,
    **changes: Any,
) -> None:
    """Train an image network on photographs, one folder for each class.

    IMAGES holds the folders of the classes; or train/ and, if there are any, validation/ and test/,
    each with such folders.

    `hsi transfer predict RUN IMAGES` classifies other photographs with the network of a run.

    \b
    Examples:
      hsi transfer pets --weights imagenet --freeze features --out runs/pets
      hsi transfer digits --backbone lenet5 --augmentation none --out runs/digits
      hsi transfer --resume runs/digits
      hsi transfer predict runs/digits more/digits --csv > digits.csv
    """
    from hsi.cli.console import TrainingDisplay
    from hsi.training import TransferSettings, read_transfer_config
    from hsi.workflows import transfer

    if resume is not None:
        given = [
            name
            for name, value in (("IMAGES", images), ("--config", config), ("--out", out))
            if value is not None
        ]
        resuming.check_nothing_beside(given, what="photographs")
        run = _resumed(resume, changes, bitwise=not not_bitwise, device=device)
        _print_run(run, as_json=as_json)
        return
    resuming.check_none(not_bitwise)
    if images is None:
        raise UsageError("IMAGES is missing: the folder of the photographs, or --resume RUN")
    stored = read_transfer_config(Path(config))["settings"] if config else {}
    settings = TransferSettings.from_table(stored, where=f"{config}: ").changed(**changes)
    with TrainingDisplay() as display:
        run = transfer(
            images,
            settings,
            out=out,
            device=device,
            progress=display,
            reading=display.reading,
            started=_announce,
        )
    _print_run(run, as_json=as_json)


def _resumed(path: str, changes: dict[str, Any], *, bitwise: bool, device: str) -> TransferRun:
    """Go on with a run whose settings are those that are named, if any are."""
    from hsi.cli.console import TrainingDisplay
    from hsi.training import TransferRun
    from hsi.workflows import resume_transfer

    run = TransferRun(path)
    resuming.check_settings(run.path, run.settings, run.settings.changed(**changes))
    with TrainingDisplay() as display:
        return resume_transfer(
            run,
            bitwise=bitwise,
            device=device,
            progress=display,
            reading=display.reading,
            started=_announce,
            noted=resuming.say,
        )


def _print_run(run: TransferRun, *, as_json: bool) -> None:
    """Print what came out."""
    from hsi.cli.console import print_results

    metrics = run.metrics
    if as_json:
        click.echo(json.dumps(metrics | {"run": str(run.path)}, indent=2))
        return
    tested = metrics["tested_on"]
    print_results(
        metrics,
        title=f"{run.config['photographs']['images']}: {run.settings.backbone}",
        tested=tested,
        counted="photographs",
    )
    if metrics["weights"]:
        click.echo(f"Weights: {metrics['weights']}.")
    for note in metrics["notes"]:
        click.echo(f"Note: {note}")
    click.echo(
        f"Trained in {metrics['train_seconds']:.1f} s.\n"
        f"Predictions: {run.path / 'photographs.csv'}\n"
        f"Report:      {run.path / 'report.html'}"
    )


@click.command("predict")
@click.argument("run", type=click.Path())
@click.argument("images", type=click.Path(), nargs=-1, required=True)
@options.device
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV with the probability of each class.")
@options.as_json
def predict(run: str, images: tuple[str, ...], device: str, as_csv: bool, as_json: bool) -> None:
    """Classify IMAGES, files or folders of them, with the network that RUN trained.

    Files that are not there or cannot be read are skipped, counted, and named on standard error;
    the exit code is then 1.

    \b
    Examples:
      hsi transfer predict runs/pets more/pets
      hsi transfer predict runs/pets a.jpg b.jpg --csv > pets.csv
    """
    from hsi.cli.console import print_table
    from hsi.photographs.counted import counted
    from hsi.report.numbers import percent
    from hsi.training import TransferRun
    from hsi.workflows import predict_photographs

    if as_csv and as_json:
        raise UsageError("--csv and --json exclude each other")
    _check_no_output_file(images, as_csv=as_csv, as_json=as_json)
    trained = TransferRun(run)
    resuming.note_checkpoint(trained)
    predictions, unreadable = predict_photographs(trained, images, device=device)
    for each in unreadable:
        click.echo(f"Note: skipped {each.path}: {each.reason}", err=True)
    if not predictions:
        none = counted(len(unreadable), "photograph")
        raise PhotographError(f"no photograph could be read ({none} skipped)")
    if as_json:
        click.echo(json.dumps(_as_json(predictions, unreadable), indent=2))
    elif as_csv:
        _print_csv(predictions)
    else:
        print_table(
            ("photograph", "class", "probability %"),
            [
                (str(each.path), each.name, percent(each.probability, digits=1))
                for each in predictions
            ],
        )
    if unreadable:
        raise PhotographError(
            f"{len(unreadable):,} of {len(predictions) + len(unreadable):,} were skipped and are "
            "named above; the others are classified"
        )


def _check_no_output_file(images: tuple[str, ...], *, as_csv: bool, as_json: bool) -> None:
    """Refuse the name of a file for the output, which would be taken for a photograph."""
    for option, suffix in [("--csv", ".csv")] * as_csv + [("--json", ".json")] * as_json:
        for each in images:
            if each.lower().endswith(suffix):
                raise UsageError(
                    f"{each} would be taken for a photograph: {option} prints and takes no file\n"
                    f"Send what it prints into one: {option} > {each}"
                )


def _announce(run: TransferRun) -> None:
    click.echo(f"Training {run.path} ...", err=True)


def _as_json(predictions: list[Prediction], unreadable: list[Unreadable]) -> dict[str, Any]:
    return {
        "predictions": [
            {
                "photograph": str(each.path),
                "class": each.name,
                "probability": each.probability,
                "probabilities": each.probabilities,
            }
            for each in predictions
        ],
        "unreadable": [
            {"photograph": str(each.path), "reason": each.reason} for each in unreadable
        ],
    }


def _print_csv(predictions: list[Prediction]) -> None:
    """Print a row for each photograph; the probability of each class has a column of its own."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    names = list(predictions[0].probabilities)
    writer.writerow(["photograph", "class", "probability", *(f"p({name})" for name in names)])
    for each in predictions:
        row = [each.probability, *each.probabilities.values()]
        writer.writerow([str(each.path), each.name, *(f"{share:.6f}" for share in row)])
    # Not to the stream itself, which may be closed, and whose end is noticed too late.
    click.echo(table.getvalue(), nl=False)
