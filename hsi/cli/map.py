"""``hsi map``: class maps of whole scenes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hsi.cli import options, resuming
from hsi.interrupts import terminated_as_interrupted

if TYPE_CHECKING:
    from hsi.mapping import MapJob, SavedMap
    from hsi.workflows.cluster import Cluster

# Options that a file of ONNX leaves no choice about, with the values that change nothing.
SETTLED = {
    "method": (("auto",), "its graph has the one way that it was exported with"),
    "precision": (("full",), "its graph computes in the run's own type"),
    "device": (("auto", "cpu"), "onnxruntime computes it on processors here"),
}


@dataclass(frozen=True, kw_only=True)
class _Mapper:
    """What maps scenes: a run, or a file that was exported from one."""

    prepare: Callable[..., MapJob]
    """Takes a scene, or None for its own, and options."""
    names: dict[int, str]
    """Of its classes by label id."""


@click.command("map", short_help="Map scenes with a trained network.")
@click.argument("run", type=click.Path())
@click.argument("scenes", nargs=-1)
@click.option("--scene", "dataset", help="The same as a SCENE.")
@options.scene_files
@click.option(
    "--resample-bands", is_flag=True, help="Resample spectra of other bands to those of the run."
)
@click.option(
    "--method",
    default="auto",
    show_default=True,
    help="dense (one pass over the scene), patches (one by one), or auto.",
)
@click.option(
    "--precision",
    default="full",
    show_default=True,
    help="full, or bf16: faster where the processor knows it, to a few hundredths of the logits' "
    "range.",
)
@click.option(
    "--max-memory",
    help="The most that the computation may take, e.g. 2G; on a cluster, each worker's.  [default: "
    "a quarter of what is free, at most 1G]",
)
@click.option("--confidence", is_flag=True, help="Also write the class's probability in percent.")
@click.option("--scores", is_flag=True, help="Also write the logits of all classes.")
@click.option(
    "--format", "format_", default="tif", show_default=True, help="Of the class map: tif or envi."
)
@options.device
@options.cluster
@click.option(
    "--out",
    type=click.Path(),
    help="Folder for the map; of several, each gets a folder in it.  [default: in the run]",
)
@click.option(
    "--resume", is_flag=True, help="Continue what was interrupted; leave alone what is complete."
)
@options.as_json
def command(
    run: str,
    scenes: tuple[str, ...],
    dataset: str | None,
    reading: dict[str, Any],
    out: str | None,
    as_json: bool,
    format_: str,
    where: options.Where,
    **choices: Any,
) -> None:
    """Give every pixel of a scene a class, with the network that RUN trained.

    A SCENE is a name, a path, or the address of a GeoTIFF (https://, s3://, ...); without any, the
    scene of the run is mapped. Scenes may be larger than memory. Of several, those that fail are
    listed at the end, and the others are mapped.
    In place of RUN, a file of ONNX that `hsi export` wrote is run without PyTorch.
    With --cluster or --workers, Dask's workers compute, and the files are the same.

    \b
    Examples:
      hsi map runs/first
      hsi map runs/first other.hdr --out maps/other
      hsi map runs/first lines/*.tif --out maps --confidence
      hsi map runs/first lines/*.tif --out maps --confidence --resume
      hsi map model.onnx --scene other.hdr
      hsi map runs/first lines/*.tif --out maps --cluster tcp://node1:8786
    """
    from hsi.errors import UsageError

    suffix = Path(run).suffix.lower()
    if suffix == ".pt2" and Path(run).is_file():
        raise UsageError(
            f"{run} is for programs with PyTorch, which map with it themselves\n"
            "Name the run that it was exported from, or export it with --format onnx."
        )
    exported = suffix == ".onnx"
    mapper = _exported(run, choices) if exported else _trained(run)
    wanted = [*([dataset] if dataset is not None else []), *scenes]
    if not wanted and reading:
        raise options.scene_is_missing(reading, "name it after the run, or with --scene")
    if len(wanted) > 1 and "labels" in reading:
        raise UsageError("--labels belong to one scene; map scenes with labels one by one")
    if exported and not wanted:
        raise UsageError(f"{run} has no scene of its own: name one after it, or with --scene")
    if exported and where:
        raise UsageError(
            "--cluster and --workers map with a run; a file of ONNX is run by this process alone"
        )
    choices["format"] = format_
    with terminated_as_interrupted(), where.opened() as cluster:
        if not exported:
            choices["cluster"] = cluster
        if len(wanted) > 1:
            _map_several(mapper, wanted, reading, out, as_json, choices)
        else:
            _map_one(mapper, next(iter(wanted), None), reading, out, as_json, choices)


def _trained(run: str) -> _Mapper:
    from hsi.training import Run
    from hsi.workflows.mapping import prepare_map

    trained = Run(run)
    resuming.note_checkpoint(trained)
    return _Mapper(prepare=partial(prepare_map, trained), names=trained.classifier.class_names)


def _exported(path: str, choices: dict[str, Any]) -> _Mapper:
    """Open a file of ONNX; what it settles is taken out of `choices`."""
    from hsi.deployed import OnnxClassifier
    from hsi.deployed.mapping import prepare_onnx
    from hsi.errors import UsageError

    for name, (harmless, reason) in SETTLED.items():
        value = choices.pop(name)
        if value not in harmless:
            raise UsageError(
                f"--{name} {value} cannot be had of a file of ONNX: {reason}\n"
                "Leave it out, or map with the run."
            )
    classifier = OnnxClassifier(path)

    return _Mapper(prepare=partial(prepare_onnx, classifier), names=classifier.class_names)


def _map_one(
    mapper: _Mapper,
    dataset: str | None,
    reading: dict[str, Any],
    out: str | None,
    as_json: bool,
    choices: dict[str, Any],
) -> None:
    from hsi.cli.console import print_table
    from hsi.scenes import load_scene

    scene = None if dataset is None else load_scene(dataset, **reading)
    job = mapper.prepare(scene, out=out, **choices)
    saved = _made(job, "map" if scene is None else scene.name)
    described = _described(mapper, saved)
    if as_json:
        click.echo(json.dumps(described, indent=2))
        return
    total = sum(saved.counts.values())
    print_table(
        ("id", "class", "pixels", "share %"),
        [
            (str(each["id"]), each["name"], f"{each['pixels']:,}",
             f"{100 * each['pixels'] / total:.2f}")
            for each in described["classes"]
        ],
    )  # fmt: skip
    click.echo(f"Mapped {_as_counted(saved)} in {saved.seconds:.1f} s.")
    click.echo(f"Map:    {saved.picture}\nRaster: {saved.raster}")
    for name in ("confidence", "scores"):
        if name in described:
            click.echo(f"{name.capitalize()}: {described[name]}")


def _map_several(
    mapper: _Mapper,
    wanted: list[str],
    reading: dict[str, Any],
    out: str | None,
    as_json: bool,
    choices: dict[str, Any],
) -> None:
    from hsi.errors import HsiError
    from hsi.scenes import load_scene

    maps, failed = [], []
    folders = _folders(wanted, out)

    def prepare(number: int) -> MapJob:
        scene = load_scene(wanted[number], **reading)
        return mapper.prepare(scene, out=folders[number], **choices)

    turn = _turns(prepare, len(wanted), choices.get("cluster"))

    def made(number: int) -> SavedMap:
        with turn(number) as job:
            return _made(job, job.scene.name)

    for number, dataset in enumerate(wanted):
        try:
            saved = made(number)
        except HsiError as error:
            failed.append({"scene": dataset, "error": str(error)})
            click.echo(f"Error: {dataset}: {error}", err=True)
            continue
        maps.append({"scene": dataset} | _described(mapper, saved))
        if not as_json:
            said = f"{_as_counted(saved)} in {saved.seconds:.1f} s"
            click.echo(f"{dataset}: {said} -> {saved.raster}")
    if as_json:
        click.echo(json.dumps({"maps": maps, "failed": failed}, indent=2))
    if failed:
        listed = "".join(f"\n  {each['scene']}: {each['error'].splitlines()[0]}" for each in failed)
        click.echo(f"{len(failed)} of {len(wanted)} scenes failed:{listed}", err=True)
        sys.exit(1)


def _turns(
    prepare: Callable[[int], MapJob], count: int, cluster: Cluster | None
) -> Callable[[int], AbstractContextManager[MapJob]]:
    """Return what makes it a scene's turn; workers may begin with it before."""
    if cluster is None:
        return lambda number: nullcontext(prepare(number))
    from hsi.workflows.cluster.ahead import ScenesAhead

    return ScenesAhead(cluster, prepare, count).turn


def _made(job: MapJob, title: str) -> SavedMap:
    from hsi.cli.map_display import MapDisplay
    from hsi.errors import RunError

    with MapDisplay(title) as display:
        try:
            saved = job.make(progress=display.rows)
        except MemoryError as error:
            notes = " ".join(getattr(error, "__notes__", []))
            raise RunError(
                f"not enough memory; a smaller --max-memory needs less\n{notes}".rstrip()
            ) from error
    for note in saved.notes:
        click.echo(f"Note: {note}.", err=True)
    return saved


def _as_counted(saved: SavedMap) -> str:
    empty = saved.counts.get(0, 0)
    mapped = f"{sum(saved.counts.values()) - empty:,} pixels"
    return f"{mapped} ({empty:,} more have no data)" if empty else mapped


def _described(mapper: _Mapper, saved: SavedMap) -> dict[str, Any]:
    names = mapper.names | {0: "no data"}
    files = {name: getattr(saved, name) for name in ("picture", "raster", "confidence", "scores")}
    return {
        **{name: str(path) for name, path in files.items() if path is not None},
        "seconds": saved.seconds,
        "classes": [
            {"id": each, "name": names[each], "pixels": count}
            for each, count in saved.counts.items()
        ],
    }


def _folders(wanted: list[str], out: str | None) -> list[Path | None]:
    """Return a folder for each scene; always the same ones, so that a map can be continued."""
    from hsi.files import folder_name, usable_path
    from hsi.scenes.address import stem_of

    if out is None:
        return [None] * len(wanted)
    times: dict[str, int] = {}
    folders: list[Path | None] = []
    for dataset in wanted:
        name = folder_name(stem_of(dataset))
        times[name] = times.get(name, 0) + 1
        numbered = name if times[name] == 1 else f"{name}-{times[name]}"
        folders.append(usable_path(out, "out") / numbered)
    return folders
