"""``hsi denoise``: train a denoiser, take noise out of scenes, and say what that is worth."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hsi.cli import options, resuming
from hsi.errors import UsageError

if TYPE_CHECKING:
    from hsi.scenes import Scene
    from hsi.training import DenoiseRun


@click.group("denoise", short_help="Take the noise out of scenes.")
def command() -> None:
    """Take the noise out of scenes, with a network that learned what noise is (DnCNN).

    \b
    Examples:
      hsi denoise train salinas_a --sigma 0-55 --out runs/clean
      hsi denoise apply runs/clean noisy.tif --out clean.tif
      hsi denoise test runs/clean samson.npy --sigma 25
    """


@command.command("train")
@click.argument("scenes", nargs=-1)
@click.option(
    "--config",
    type=click.Path(),
    help="Start from the config.toml of a run; other options prevail.",
)
@click.option("--validation", multiple=True, help="A scene that only tells how the training goes.")
@click.option("--sigma", help="Noise, 0 to 255: one level, or a range.  [default: 0-55]")
@click.option(
    "--noise",
    multiple=True,
    help="gaussian, per-band, stripes or dead-lines; again for each further kind.  "
    "[default: gaussian]",
)
@click.option("--on", help="components, or bands: neighbouring ones.  [default: components]")
@click.option("--group", type=int, help="Bands that are denoised together.  [default: 5]")
@click.option(
    "--depth", type=int, help="Layers.  [default: 17 for one level of noise, 20 for a range]"
)
@click.option("--seed", type=int, help="Seed of everything random.  [default: 0]")
@click.option("--epochs", type=int, help="Epochs.  [default: 30]")
@click.option("--steps", type=int, help="Steps of an epoch.  [default: 50]")
@click.option("--batch-size", type=int, help="Patches in a step.  [default: 16]")
@click.option("--patch-size", type=int, help="Side of a patch.  [default: 32]")
@click.option("--optimizer", help="adam or adamw.  [default: adam]")
@click.option("--learning-rate", type=float, help="Constant, or the peak of a one-cycle rate.")
@click.option("--schedule", help="constant or one-cycle.  [default: one-cycle]")
@click.option("--weight-decay", type=float, help="Decay of weights in each step.  [default: 0]")
@click.option("--precision", help="auto (mixed on CUDA), full or bf16.  [default: auto]")
@options.image_files
@resuming.options
@options.device
@click.option("--out", type=click.Path(), help="New folder for the run.  [default: in runs/]")
@options.as_json
def train(
    scenes: tuple[str, ...],
    validation: tuple[str, ...],
    reading: dict[str, Any],
    config: str | None,
    noise: tuple[str, ...],
    resume: str | None,
    not_bitwise: bool,
    device: str,
    out: str | None,
    as_json: bool,
    **changes: Any,
) -> None:
    """Train a network on SCENES, names or paths, to which noise is added.

    The scenes are taken to be clean, and may have different bands. SIGMA is the standard deviation
    of the noise on a scale on which 255 is the range of a band.

    \b
    Examples:
      hsi denoise train salinas_a --sigma 0-55
      hsi denoise train a.tif b.tif --validation c.tif --noise gaussian --noise stripes
      hsi denoise train salinas_a --on bands --group 5 --sigma 25
      hsi denoise train --resume runs/clean
    """
    from hsi.cli.denoise_display import DenoisingDisplay
    from hsi.training import DenoiseSettings, read_denoise_config
    from hsi.workflows.denoise import train_denoiser

    changes["noise"] = list(noise) or None
    if resume is not None:
        given = [
            *(["SCENES"] if scenes else []),
            *(
                option
                for option, value in (
                    ("--validation", validation or None),
                    ("--config", config),
                    ("--out", out),
                )
                if value is not None
            ),
            *(f"--{name.replace('_', '-')}" for name in reading),
        ]
        resuming.check_nothing_beside(given, what="scenes")
        run = _resumed(resume, changes, bitwise=not not_bitwise, device=device)
        _print_run(run, as_json=as_json)
        return
    resuming.check_none(not_bitwise)
    stored: dict[str, Any] = {"denoise": {"scenes": [], "validation": []}, "settings": {}}
    if config is not None:
        stored = read_denoise_config(Path(config))
    settings = DenoiseSettings.from_table(stored["settings"], where=f"{config}: ").changed(
        **changes
    )
    named = _opened(scenes, stored["denoise"]["scenes"], reading)
    if not named:
        raise UsageError(
            "SCENES is missing: the scenes to learn from, or --resume RUN\n"
            "`hsi scenes list` shows the known ones; a path of a file works as well."
        )
    with DenoisingDisplay() as display:
        run = train_denoiser(
            named,
            settings,
            validation=_opened(validation, stored["denoise"]["validation"], reading),
            out=out,
            device=device,
            progress=display,
            started=_announce,
        )
    _print_run(run, as_json=as_json)


def _opened(
    named: Sequence[str], stored: Sequence[dict[str, Any]], reading: dict[str, Any]
) -> list[Scene]:
    """Open the scenes that are named, or else those of an earlier run."""
    from hsi.scenes import open_scene

    sources: Sequence[dict[str, Any]] = [{"dataset": each} for each in named] or stored
    return [open_scene(source | reading) for source in sources]


def _resumed(path: str, changes: dict[str, Any], *, bitwise: bool, device: str) -> DenoiseRun:
    """Go on with a run whose settings are those that are named, if any are."""
    from hsi.cli.denoise_display import DenoisingDisplay
    from hsi.training import DenoiseRun
    from hsi.workflows.denoise import resume_denoiser

    run = DenoiseRun(path)
    resuming.check_settings(run.path, run.settings, run.settings.changed(**changes))
    with DenoisingDisplay() as display:
        return resume_denoiser(
            run,
            bitwise=bitwise,
            device=device,
            progress=display,
            started=_announce,
            noted=resuming.say,
        )


def _announce(run: DenoiseRun) -> None:
    click.echo(f"Training {run.path} ...", err=True)


def _print_run(run: DenoiseRun, *, as_json: bool) -> None:
    """Print what came out."""
    metrics = run.metrics
    if as_json:
        click.echo(json.dumps(metrics | {"run": str(run.path)}, indent=2))
        return
    held_out = metrics["validation_noise_removed"]
    of_others = "" if held_out is None else f", {held_out:.1%} of the validation scenes'"
    removed = metrics["noise_removed"]
    does = (
        f"Removes {removed:.1%} of"
        if removed >= 0
        else f"Not trained enough: adds {-removed:.1%} to"
    )
    click.echo(
        f"{does} the energy of the noise{of_others}.\n"
        f"{metrics['layers']} layers, {metrics['parameters']:,} parameters; trained in "
        f"{metrics['train_seconds']:.1f} s.\n"
        f"Run: {run.path}"
    )


@command.command("apply")
@click.argument("run", type=click.Path())
@click.argument("scene")
@click.option(
    "--bad-bands",
    default="leave",
    show_default=True,
    help="leave: as they are; restore: what the other bands tell of them.",
)
@click.option(
    "--values", default="same", show_default=True, help="same: the file's type; or float32."
)
@click.option("--tile", type=int, default=256, show_default=True, help="Pixels of a tile's side.")
@options.image_files
@options.device
@click.option(
    "--out",
    type=click.Path(),
    help="File: .tif, .img (ENVI), .npy or .mat.  [default: NAME-denoised, like the scene's own]",
)
@options.as_json
def apply(
    run: str,
    scene: str,
    reading: dict[str, Any],
    out: str | None,
    as_json: bool,
    **choices: Any,
) -> None:
    """Take the noise out of SCENE, a name or a path, with the network that RUN trained.

    The file is like that of the scene: all its bands, values as stored, georeference, wavelengths
    and tags. Scenes may be larger than memory.

    \b
    Examples:
      hsi denoise apply runs/clean noisy.tif --out clean.tif
      hsi denoise apply runs/clean noisy.hdr --out clean.img --bad-bands restore
    """
    from hsi.cli.denoise_display import TilesDisplay
    from hsi.interrupts import terminated_as_interrupted
    from hsi.scenes import load_scene
    from hsi.training import DenoiseRun
    from hsi.workflows.denoise import denoise_scene

    trained = DenoiseRun(run)
    resuming.note_checkpoint(trained)
    with terminated_as_interrupted(), TilesDisplay() as display:
        made = denoise_scene(
            trained, load_scene(scene, **reading), out=out, progress=display.done, **choices
        )
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(made) | {"path": str(made.path)}, indent=2))
        return
    kept = f", {made.restored} restored" if made.restored else ""
    kept += f", {made.left} left as they were (bad, empty or constant)" if made.left else ""
    seen = f" in {made.images} components" if trained.settings.on == "components" else ""
    click.echo(f"{made.denoised} bands denoised{seen}{kept}.\n{made.path}  ({made.dtype})")


@command.command("test")
@click.argument("run", type=click.Path())
@click.argument("scene")
@click.option(
    "--sigma",
    "sigmas",
    multiple=True,
    help="Noise, 0 to 255; again for each further level.  [default: 15, 25 and 50]",
)
@click.option(
    "--noise",
    "noises",
    multiple=True,
    help="gaussian, per-band, stripes or dead-lines; again for each further kind.  "
    "[default: gaussian]",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the noise.")
@options.image_files
@options.device
@options.as_json
def test(
    run: str,
    scene: str,
    sigmas: tuple[str, ...],
    noises: tuple[str, ...],
    reading: dict[str, Any],
    seed: int,
    device: str,
    as_json: bool,
) -> None:
    """Add noise to SCENE, take it out again, and measure what is left.

    Beside the network that RUN trained stand non-local means, which know the strength of the noise,
    and the best number of principal components, which nobody could know. Best take a scene that RUN
    was not trained on.

    \b
    Examples:
      hsi denoise test runs/clean salinas_a
      hsi denoise test runs/clean salinas_a --sigma 25 --noise stripes --json
    """
    from hsi.cli.console import print_table
    from hsi.scenes import load_scene
    from hsi.training import DenoiseRun
    from hsi.workflows.denoise import assess_denoiser

    found = assess_denoiser(
        DenoiseRun(run),
        load_scene(scene, **reading),
        sigmas=[_level(each) for each in sigmas] or [15.0, 25.0, 50.0],
        noises=noises or ("gaussian",),
        seed=seed,
        device=device,
        progress=lambda what: click.echo(what, err=True),
    )
    if as_json:
        rows = [each._asdict() | each.quality._asdict() for each in found]
        click.echo(json.dumps([_without(row, "quality") for row in rows], indent=2))
        return
    print_table(
        ("noise", "sigma", "method", "PSNR dB", "SSIM", "angle degrees"),
        [
            (
                each.noise,
                f"{each.sigma:g}",
                each.method,
                f"{each.quality.psnr:.2f}",
                f"{each.quality.ssim:.4f}",
                f"{each.quality.angle:.3f}",
            )
            for each in found
        ],
        title=f"{scene}: means over bands, and of the angle over pixels",
    )


def _level(text: str) -> float:
    """Return the one level of noise that is meant."""
    from hsi.denoising import parse_sigma

    low, high = parse_sigma(text)
    if low != high:
        raise UsageError(
            f"sigma is {text}; a test takes one level at a time: --sigma {low:g} --sigma {high:g}"
        )
    return low


def _without(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}
