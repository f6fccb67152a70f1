"""A number and what it counts, in words."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is one.

    Examples
    --------
    >>> counted(1, "photograph"), counted(1200, "training photograph")
    ('1 photograph', '1,200 training photographs')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
