"""``hsi map``: class maps of whole scenes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hsi.cli import options
from hsi.interrupts import terminated_as_interrupted

if TYPE_CHECKING:
    from hsi.scenes import Scene
    from hsi.training import Run
    from hsi.workflows import SavedMap
    from hsi.workflows.cluster.map_strips import ClusterStrips


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

    A SCENE is a name or a path; without any, the scene of the run is mapped. Scenes may be larger
    than memory. Of several, those that fail are listed at the end, and the others are mapped.
    With --cluster or --workers, Dask's workers compute, and the files are the same.

    \b
    Examples:
      hsi map runs/first
      hsi map runs/first other.hdr --out maps/other
      hsi map runs/first lines/*.tif --out maps --confidence
      hsi map runs/first lines/*.tif --out maps --confidence --resume
      hsi map runs/first lines/*.tif --out maps --cluster tcp://node1:8786
    """
    from hsi.errors import UsageError
    from hsi.training import Run

    trained = Run(run)
    wanted = [*([dataset] if dataset is not None else []), *scenes]
    if not wanted and reading:
        raise options.scene_is_missing(reading, "name it after the run, or with --scene")
    if len(wanted) > 1 and "labels" in reading:
        raise UsageError("--labels belong to one scene; map scenes with labels one by one")
    if not trained.trained:
        click.echo(f"Note: the training of {run} did not finish; using its checkpoint.", err=True)
    choices["format"] = format_
    with terminated_as_interrupted(), where.opened() as cluster:
        choices["cluster"] = cluster
        if len(wanted) > 1:
            _map_several(trained, wanted, reading, out, as_json, choices)
        else:
            _map_one(trained, next(iter(wanted), None), reading, out, as_json, choices)


def _map_one(
    run: Run,
    dataset: str | None,
    reading: dict[str, Any],
    out: str | None,
    as_json: bool,
    choices: dict[str, Any],
) -> None:
    from hsi.cli.console import print_table

    scene = None if dataset is None else _Scenes([dataset], reading).take(0)
    saved = _mapped(run, scene, out, choices)
    described = _described(run, saved)
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
    click.echo(f"Mapped {total:,} pixels in {saved.seconds:.1f} s.")
    click.echo(f"Map:    {saved.picture}\nRaster: {saved.raster}")
    for name in ("confidence", "scores"):
        if name in described:
            click.echo(f"{name.capitalize()}: {described[name]}")


def _map_several(
    run: Run,
    wanted: list[str],
    reading: dict[str, Any],
    out: str | None,
    as_json: bool,
    choices: dict[str, Any],
) -> None:
    from hsi.errors import HsiError

    maps, failed = [], []
    folders = _folders(wanted, out)
    scenes = _Scenes(wanted, reading)
    turn = _ahead(run, scenes, folders, choices)
    for number, (dataset, folder) in enumerate(zip(wanted, folders, strict=True)):
        try:
            with turn(number):
                saved = _mapped(run, scenes.take(number), folder, choices)
        except HsiError as error:
            failed.append({"scene": dataset, "error": str(error)})
            click.echo(f"Error: {dataset}: {error}", err=True)
            continue
        maps.append({"scene": dataset} | _described(run, saved))
        if not as_json:
            pixels = sum(saved.counts.values())
            click.echo(f"{dataset}: {pixels:,} pixels in {saved.seconds:.1f} s -> {saved.raster}")
    if as_json:
        click.echo(json.dumps({"maps": maps, "failed": failed}, indent=2))
    if failed:
        listed = "".join(f"\n  {each['scene']}: {each['error'].splitlines()[0]}" for each in failed)
        click.echo(f"{len(failed)} of {len(wanted)} scenes failed:{listed}", err=True)
        sys.exit(1)


class _Scenes:
    """Opens each of several scenes once, in its turn or before."""

    def __init__(self, wanted: list[str], reading: dict[str, Any]) -> None:
        self._wanted, self._reading = wanted, reading
        self._open: dict[int, Scene] = {}

    def ahead(self, number: int) -> Scene:
        """Return a scene that will be asked for once more."""
        self._open[number] = self.take(number)
        return self._open[number]

    def take(self, number: int) -> Scene:
        """Return a scene, and keep it no longer."""
        from hsi.scenes import load_scene

        if number in self._open:
            return self._open.pop(number)
        return load_scene(self._wanted[number], **self._reading)


def _ahead(
    run: Run, scenes: _Scenes, folders: Sequence[Path | None], choices: dict[str, Any]
) -> Callable[[int], AbstractContextManager[None]]:
    """Let workers begin with scenes before their turn; return what makes it a scene's turn."""
    if choices["cluster"] is None:
        return lambda number: nullcontext()
    from hsi.workflows.cluster.ahead import ScenesAhead
    from hsi.workflows.mapping import begin_ahead

    def begin(number: int) -> ClusterStrips | None:
        return begin_ahead(run, scenes.ahead(number), out=folders[number], **choices)

    return ScenesAhead(
        choices["cluster"], [partial(begin, number) for number in range(len(folders))]
    ).turn


def _mapped(
    run: Run, scene: Scene | None, out: str | Path | None, choices: dict[str, Any]
) -> SavedMap:
    from hsi.cli.map_display import MapDisplay
    from hsi.errors import RunError
    from hsi.workflows import map_scene

    with MapDisplay("map" if scene is None else scene.name) as display:
        try:
            saved = map_scene(run, scene, out=out, progress=display.rows, **choices)
        except MemoryError as error:
            notes = " ".join(getattr(error, "__notes__", []))
            raise RunError(
                f"not enough memory; a smaller --max-memory needs less\n{notes}".rstrip()
            ) from error
    for note in saved.notes:
        click.echo(f"Note: {note}.", err=True)
    return saved


def _described(run: Run, saved: SavedMap) -> dict[str, Any]:
    names = run.classifier.class_names | {0: "no data"}
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

    if out is None:
        return [None] * len(wanted)
    times: dict[str, int] = {}
    folders: list[Path | None] = []
    for dataset in wanted:
        name = folder_name(Path(dataset).stem)
        times[name] = times.get(name, 0) + 1
        numbered = name if times[name] == 1 else f"{name}-{times[name]}"
        folders.append(usable_path(out, "out") / numbered)
    return folders
