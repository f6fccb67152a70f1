"""Rectangles laid out without overlap, on a canvas that is hardly larger than they are."""

from __future__ import annotations

from collections.abc import Sequence

# Widths of the canvas that are tried.
TRIALS = 64


def pack(
    sizes: Sequence[tuple[int, int]], gap: int
) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """Lay rectangles out in shelves, with at least `gap` rows or columns between any two.

    Of several widths of the canvas, the one with the smallest area is taken, and of equal ones the
    one nearest to a square. The area is that with a margin of `gap`. Rectangles of equal height
    keep their order.

    Parameters
    ----------
    sizes : sequence of (int, int)
        Rows and columns of each.
    gap : int
        From 0.

    Returns
    -------
    list of (int, int)
        The upper left corner of each.
    (int, int)
        Rows and columns of the canvas; there is no gap at its edges.

    Examples
    --------
    >>> pack([(32, 32)] * 4, gap=12)
    ([(0, 0), (0, 44), (44, 0), (44, 44)], (76, 76))
    """
    order = sorted(range(len(sizes)), key=lambda each: -sizes[each][0])
    widest = max(cols for _, cols in sizes)
    widths, total = set(), -gap
    for each in order:
        total += sizes[each][1] + gap
        widths.add(max(widest, total))
    tried = sorted(widths)
    step = max(1, len(tried) // TRIALS)
    layouts = (_in_shelves(sizes, order, gap, width) for width in tried[::step])

    def cost(found: tuple[list[tuple[int, int]], tuple[int, int]]) -> tuple[int, int]:
        # With a gap around the whole, as patches at its border need it; else a strip would win.
        rows, cols = found[1]
        return (rows + gap) * (cols + gap), max(rows, cols)

    return min(layouts, key=cost)


def _in_shelves(
    sizes: Sequence[tuple[int, int]], order: list[int], gap: int, width: int
) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """Fill one shelf after the other with rectangles of falling height."""
    corners = [(0, 0)] * len(sizes)
    top = left = right = 0
    height = sizes[order[0]][0]
    for each in order:
        rows, cols = sizes[each]
        if left + cols > width:
            top, left, height = top + height + gap, 0, rows
        corners[each] = (top, left)
        left += cols + gap
        right = max(right, left - gap)
    return corners, (top + height, right)
