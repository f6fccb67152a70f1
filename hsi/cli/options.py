"""Options that several subcommands share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from hsi.errors import UsageError

if TYPE_CHECKING:
    from hsi.scenes.named import Named
    from hsi.workflows.cluster import Cluster


class Amount(click.ParamType):
    """A fraction (``0.1``) or a number of pixels (``50``)."""

    name = "amount"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | float:
        """Return an int for what is written as one, else a float."""
        if isinstance(value, int | float):
            return value
        try:
            return int(value)
        except ValueError:
            pass
        try:
            return float(value)
        except ValueError:
            self.fail(f"'{value}' is neither a fraction such as 0.1 nor a number of pixels", param)


def device(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--device``."""
    return click.option(
        "--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, ..."
    )(command)


def as_json(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")(
        command
    )


def cluster(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--cluster`` and ``--workers``; they come as one argument `where`."""

    @functools.wraps(command)
    def with_where(*, cluster: str | None, workers: int | None, **values: Any) -> Any:
        if cluster is not None and workers is not None:
            raise UsageError("--cluster has its own workers; leave out --workers")
        return command(where=Where(cluster, workers), **values)

    with_where = click.option(
        "--workers", type=int, help="Start so many Dask workers on this machine, for this command."
    )(with_where)
    return click.option(
        "--cluster", metavar="ADDRESS", help="Dask scheduler whose workers do it: tcp://HOST:PORT."
    )(with_where)


class Where(NamedTuple):
    """Which cluster was asked for, if any."""

    address: str | None
    workers: int | None

    def __bool__(self) -> bool:
        return self.address is not None or self.workers is not None

    @contextmanager
    def opened(self) -> Iterator[Cluster | None]:
        """Open it, and say where its dashboard is; nothing where none was asked for."""
        if not self:
            yield None
            return
        from hsi.workflows.cluster import open_cluster

        with open_cluster(self.address, workers=self.workers) as found:
            count = len(found.threads)
            click.echo(
                f"{count} {'worker' if count == 1 else 'workers'}; dashboard: {found.dashboard}",
                err=True,
            )
            yield found


_READING = {
    "key": click.option("--key", help="The cube's name in a file that holds several arrays."),
    "labels_key": click.option(
        "--labels-key", help="The labels' name in a file that holds several arrays."
    ),
    "label_field": click.option(
        "--label-field", help="The attribute of shapes or of a library's spectra with the class."
    ),
    "nodata": click.option("--nodata", type=float, help="The value of pixels without data."),
    "drop_bands": click.option(
        "--drop-bands",
        help="Bands to leave out, e.g. 1340-1460nm,1.8-1.96um or by number from 1: 1-5,220.",
    ),
    "keep_bad_bands": click.option(
        "--keep-bad-bands", is_flag=True, help="Keep bands that the file marks as bad."
    ),
}
_IMAGE = ("key", "nodata", "drop_bands", "keep_bad_bands")
_LABELS = {
    "labels": click.option(
        "--labels",
        type=click.Path(),
        help="File with the ground truth: an array, a raster, or polygons and points.",
    )
}
# For each set of pixels, the options that name its scenes and their labels.
_SETS = {
    "train": ("--dataset", "--labels"),
    "validation": ("--validation-dataset", "--validation-labels"),
    "test": ("--test-dataset", "--test-labels"),
}
_SCENES = {
    "datasets": click.option(
        "--dataset",
        "datasets",
        multiple=True,
        help="Name of a scene (`hsi scenes list`), path of a file, or of a list of scenes (.csv "
        "with image,mask or .txt). Again for each further scene.",
    ),
    "labels": click.option(
        "--labels",
        multiple=True,
        type=click.Path(),
        help="File with the ground truth; again for each further scene, in the same order.",
    ),
    "validation_datasets": click.option(
        "--validation-dataset",
        "validation_datasets",
        multiple=True,
        help="Scene or list to validate.",
    ),
    "validation_labels": click.option(
        "--validation-labels", multiple=True, type=click.Path(), help="Their ground truth."
    ),
    "test_datasets": click.option(
        "--test-dataset", "test_datasets", multiple=True, help="Scene or list for the test."
    ),
    "test_labels": click.option(
        "--test-labels", multiple=True, type=click.Path(), help="Their ground truth."
    ),
}
SCENE_OPTIONS = (*_SCENES, *_READING)
"""Parameters of the options that say which scenes there are and how they are read."""


def scenes(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that name scenes of each set, and those of `reading`.

    The scenes come as one argument `named`: a `Named` for each of train, validation and test.
    """

    @functools.wraps(command)
    def with_named(**values: Any) -> Any:
        named = _named(values)
        return command(named=named, **values)

    decorated = reading(with_named)
    for option in reversed(_SCENES.values()):
        decorated = option(decorated)
    return decorated


def _named(values: dict[str, Any]) -> dict[str, Named]:
    """Take the scenes of each set out of `values`."""
    from hsi.scenes.named import Named

    files = iter([values.pop(name) for name in _SCENES])
    return {
        name: Named(datasets, labels, *_SETS[name])
        for name, datasets, labels in zip(_SETS, files, files, strict=True)
    }


def reading(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how files are read, for a command that asks for them itself.

    Those that were given come as one argument `reading`, by their names in `hsi.load_scene`.
    """
    return _gathered(command, _READING)


def image_files(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of `reading` that do not tell of labels, in the argument `reading`."""
    return _gathered(command, {name: _READING[name] for name in _IMAGE})


def scene_files(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--labels`` and the options of `reading`, all of them in the argument `reading`."""
    return _gathered(command, _LABELS | _READING)


def scene_is_missing(reading: dict[str, Any], advice: str) -> UsageError:
    """Return the error for options that describe another scene where none is named."""
    named = " and ".join(f"--{name.replace('_', '-')}" for name in reading)
    return UsageError(f"{named} describe{'s' if len(reading) == 1 else ''} another scene: {advice}")


def _gathered(command: Callable[..., Any], options: dict[str, Any]) -> Callable[..., Any]:
    """Add options whose values reach the command as one dict, without those not given."""

    @functools.wraps(command)
    def with_reading(**values: Any) -> Any:
        given = {name: values.pop(name) for name in options}
        # 0 is a value of pixels without data; False, a flag that was not given.
        given = {n: value for n, value in given.items() if value is not None and value is not False}
        return command(reading=given, **values)

    decorated: Callable[..., Any] = with_reading
    for option in reversed(options.values()):
        decorated = option(decorated)
    return decorated
