"""Dask, which an extra installs: whether it is there, and quietly."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from hsi.errors import UsageError

INSTALL = 'python -m pip install -c constraints.txt -e ".[dask]"'
# The loggers to which Dask gives a level of their own.
_LOGGERS = ("distributed", "distributed.client", "bokeh", "tornado", "tornado.application")


def check_dask() -> None:
    """Raise UsageError unless Dask and its scheduler are installed."""
    try:
        import dask
        import distributed  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "a cluster needs dask and distributed, which are not installed\n"
            f"In the clone of the repository: {INSTALL}"
        ) from error
    del dask


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Dask from writing to the terminal, here and in workers that are started within."""
    import dask
    import distributed  # noqa: F401 - it sets its loggers up when it is imported

    silent = dict.fromkeys(_LOGGERS, "critical")
    before = {name: logging.getLogger(name).level for name in _LOGGERS}
    with dask.config.set({"logging": silent}):
        for name in _LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            for name, level in before.items():
                logging.getLogger(name).setLevel(level)
