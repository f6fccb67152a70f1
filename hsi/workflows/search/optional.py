"""Optuna, which an extra installs: whether it is there, and quietly."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from hsi.errors import UsageError

INSTALL = 'python -m pip install -c constraints.txt -e ".[search]"'


def check_optuna() -> None:
    """Raise UsageError unless Optuna is installed."""
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "a search needs optuna, which is not installed\n"
            f"In the clone of the repository: {INSTALL}"
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna from telling of its doings, and of features that it calls experimental."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
