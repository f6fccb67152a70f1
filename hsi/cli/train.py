"""``hsi train``: from a scene to a finished run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hsi.cli import on_ranks, options, resuming
from hsi.torchrun import launched

if TYPE_CHECKING:
    from hsi.scenes import Scene
    from hsi.scenes.named import Named
    from hsi.training import Run, Settings

AMOUNT = options.Amount()


@click.command("train", short_help="Train a network on a scene, map it, test it.")
@options.scenes
@click.option(
    "--config",
    type=click.Path(),
    help="Start from the config.toml of a run; other options prevail.",
)
@click.option("--model", help="Network, see `hsi models`.  [default: hybridsn-dw]")
@click.option(
    "--recipe", help="paper, unseen, default, or a TOML file with settings.  [default: default]"
)
@click.option(
    "--split",
    help="random; blocks or folds, whose patches share no pixel; official; file; or "
    "scenes: those of --test-dataset.  [default: random]",
)
@click.option(
    "--split-file", type=click.Path(), help="A run, its split.npz, or masks, for --split file."
)
@click.option(
    "--folds",
    type=int,
    help="Parts of the scene for --split folds; the seed says which is the test.  [default: 5]",
)
@click.option(
    "--guard",
    type=int,
    help="Pixels between training and test of blocks and folds.  [default: patch size - 1]",
)
@click.option(
    "--train",
    type=AMOUNT,
    help="Training pixels of each class: fraction or count.  [default: 0.1 of random and blocks, "
    "else all]",
)
@click.option(
    "--validation", type=AMOUNT, help="Validation pixels, likewise; 0 for none.  [default: 0]"
)
@click.option("--seed", type=int, help="Seed of everything random.  [default: 0]")
@click.option("--reduction", help="pca, or bands: all, scaled.  [default: usual for the model]")
@click.option("--components", type=int, help="PCA components.  [default: customary for the scene]")
@click.option("--pca-fit", help="train or scene: the pixels PCA is fitted on.  [default: train]")
@click.option(
    "--whiten/--no-whiten",
    default=None,
    help="Scale each component to unit variance, or all jointly.  [default: whiten]",
)
@click.option(
    "--patch-size", type=int, help="Side of a patch, odd.  [default: usual for the model]"
)
@click.option("--norm", help="batch or none (the paper's).  [default: batch]")
@click.option("--attention", help="See `hsi models --blocks`.  [default: none]")
@click.option("--weights", help="Of image networks: imagenet, a file, or none.  [default: none]")
@click.option("--epochs", type=int, help="Passes over the training pixels.")
@click.option("--steps", type=int, help="Steps of the optimiser, instead of epochs.")
@click.option("--batch-size", type=int, help="Patches in a step.")
@click.option("--optimizer", help="adam or adamw.")
@click.option("--learning-rate", type=float, help="Constant, or the peak of a one-cycle rate.")
@click.option("--schedule", help="constant or one-cycle.")
@click.option("--weight-decay", type=float, help="Decay of weights in each step.")
@click.option("--dropout", type=float, help="Share of hidden units dropped in training.")
@click.option("--augmentation", help="none or dihedral (rotations and reflections).")
@click.option("--label-smoothing", type=float, help="Share of a label spread over all classes.")
@click.option("--class-balance", type=float, help="0: pixels weigh the same; 1: classes do.")
@click.option("--precision", help="auto (full on CPUs, mixed on CUDA), full, or bf16 (mixed).")
@resuming.options
@options.device
@click.option("--out", type=click.Path(), help="New folder for the run.  [default: in runs/]")
@options.as_json
def command(
    named: dict[str, Named],
    reading: dict[str, Any],
    config: str | None,
    resume: str | None,
    not_bitwise: bool,
    device: str,
    out: str | None,
    as_json: bool,
    **changes: Any,
) -> None:
    """Train a network on part of the labelled pixels, map the scene, test on the rest.

    \b
    Examples:
      hsi train --dataset indian_pines --model hybridsn-dw
      hsi train --dataset cube.mat --labels gt.mat --train 50 --seed 1
      hsi train --config runs/first/config.toml --seed 2
      hsi train --resume runs/first
      hsi train --dataset pavia_university --split official
      hsi train --dataset train.csv --validation-dataset val.csv --test-dataset test.csv
      torchrun --nproc-per-node 2 -m hsi train --dataset indian_pines
    """

    def check() -> None:
        if resume is None:
            resuming.check_none(not_bitwise)
            return
        given = [
            *(option for each in named.values() for option in each.options_given()),
            *(["--config"] if config is not None else []),
            *(["--out"] if out is not None else []),
            *(f"--{name.replace('_', '-')}" for name in reading),
        ]
        resuming.check_nothing_beside(given, what="scene")

    def opened() -> tuple[Scene, Settings]:
        from hsi.scenes.named import named_scene
        from hsi.training import Settings, read_config

        stored = read_config(Path(config)) if config else {"scene": {}, "settings": {}}
        settings = Settings.from_table(stored["settings"], where=f"{config}: ").changed(**changes)
        scene = named_scene(**named, stored=stored["scene"], reading=reading, gap=settings.side - 1)
        return scene, settings

    process, run = launched(), None
    if process is not None:
        run = on_ranks.trained(
            process,
            check=check,
            opened=opened,
            resume=resume,
            changes=changes,
            bitwise=not not_bitwise,
            device=device,
            out=out,
            announce=_announce,
        )
    else:
        check()
        if resume is None:
            run = _trained(*opened(), device=device, out=out)
        else:
            run = _resumed(resume, changes, bitwise=not not_bitwise, device=device)
    if run is not None:
        _print_run(run, as_json=as_json)


def _trained(scene: Scene, settings: Settings, *, device: str, out: str | None) -> Run:
    """Train from the beginning."""
    from hsi.cli.console import TrainingDisplay
    from hsi.workflows import train

    with TrainingDisplay() as display:
        return train(
            scene,
            settings,
            out=out,
            device=device,
            progress=display,
            started=_announce,
        )


def _resumed(path: str, changes: dict[str, Any], *, bitwise: bool, device: str) -> Run:
    """Go on with a run whose settings are those that are named, if any are."""
    from hsi.cli.console import TrainingDisplay
    from hsi.training import Run
    from hsi.workflows import resume

    run = Run(path)
    resuming.check_settings(run.path, run.settings, run.settings.changed(**changes))
    with TrainingDisplay() as display:
        return resume(
            run,
            bitwise=bitwise,
            device=device,
            progress=display,
            started=_announce,
            noted=resuming.say,
        )


def _print_run(run: Run, *, as_json: bool) -> None:
    """Print what came out."""
    from hsi.cli.console import print_caveats, print_learned, print_results
    from hsi.report import pixel_counts
    from hsi.report.chosen_words import chosen_in_a_line

    metrics = run.metrics
    if as_json:
        click.echo(json.dumps(metrics | {"run": str(run.path)}, indent=2))
        return
    print_results(
        metrics, title=f"{metrics['scene']}: {run.settings.network}, {run.settings.split} split"
    )
    counts = pixel_counts(
        train=metrics["train_pixels"],
        validation=metrics["validation_pixels"],
        test=metrics["test_pixels"],
    )
    click.echo(f"Split: {counts}.")
    if metrics["weights"]:
        click.echo(f"Weights: {metrics['weights']}.")
    if metrics["chosen"]:
        click.echo(f"Chosen: {chosen_in_a_line(metrics['chosen'])}.")
    print_learned(metrics)
    print_caveats(metrics)
    click.echo(
        f"Trained in {metrics['train_seconds']:.1f} s, mapped in {metrics['map_seconds']:.1f} s.\n"
        f"Map:    {run.path / 'class_map.png'}\n"
        f"Report: {run.path / 'report.html'}"
    )


def _announce(run: Run) -> None:
    """Say where the run will be, and what its split could not do, while one can still stop."""
    click.echo(f"Training {run.path} ...", err=True)
    for note in run.split.notes:
        click.echo(f"Note: {note}", err=True)
