"""Checks of the numbers that attention blocks are built from."""

from __future__ import annotations

import numbers

from hsi.errors import UsageError


def check_count(name: str, value: int) -> None:
    """Refuse what is no whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
        raise UsageError(f"{name} must be a whole number of at least 1, not {value!r}")


def check_divides(name: str, parts: int, channels: int) -> None:
    """Refuse a number of parts that channels cannot be divided into evenly."""
    check_count(name, parts)
    if channels % parts:
        divisors = [n for n in range(1, channels + 1) if channels % n == 0]
        raise UsageError(
            f"{channels} channels cannot be divided evenly into {name}={parts}\n"
            f"These can: {', '.join(map(str, divisors))}"
        )


def hidden_units(channels: int, *, reduction: int, smallest: int = 1) -> int:
    """Return ``channels // reduction``, but no fewer than `smallest`.

    Raises
    ------
    UsageError
        If one of the three is no whole number of at least 1.

    Examples
    --------
    >>> hidden_units(64, reduction=16), hidden_units(8, reduction=16)
    (4, 1)
    """
    check_count("channels", channels)
    check_count("reduction", reduction)
    check_count("smallest", smallest)
    return max(smallest, channels // reduction)
