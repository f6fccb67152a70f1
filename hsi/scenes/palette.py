"""Colours of classes that stay apart, also for colour-blind readers."""

from __future__ import annotations

import colorsys

Color = tuple[int, int, int]

# The first seven are Okabe and Ito's (Color Universal Design, 2008) without black, which marks
# unlabelled pixels. Each further one is the colour of a coarse RGB grid that lies farthest in
# CIELAB from black, white and all before it, seen normally and with the simulated deuteranopia and
# protanopia of Machado et al., doi:10.1109/TVCG.2009.113.
PALETTE = (
    "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#0000ff",
    "#5566ff", "#00ff88", "#554400", "#770066", "#ee3355", "#663333", "#6600aa", "#55eeff",
    "#aaccaa", "#6699ff", "#cc11aa", "#aadd55", "#337777", "#0011cc", "#552288", "#aa00dd",
)  # fmt: skip


def parse_color(text: str) -> Color:
    """Return red, green and blue (0..255) of a colour written as ``#rrggbb``.

    Raises
    ------
    ValueError
        If it is written otherwise.
    """
    digits = text.removeprefix("#")
    if len(text) != 7 or len(digits) != 6:
        raise ValueError(f"a colour is written like #1f77b4, not {text!r}")
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


def complete_colors(ids: list[int], colors: dict[int, Color]) -> dict[int, Color]:
    """Return a colour for each of `ids`, distinct, keeping those given where they are distinct.

    Parameters
    ----------
    ids : list of int
        Class ids. Where none is given, the first id has the first colour, and so on.
    colors : dict
        Colours that are given already. Of two equal ones, the lower id keeps it.
    """
    complete: dict[int, Color] = {}
    # Black is the colour of pixels without a class; several classes may share it in a file.
    taken = {(0, 0, 0)}
    for each in sorted(colors):
        if colors[each] not in taken:
            complete[each] = colors[each]
            taken.add(colors[each])
    wanted = sorted({*ids, *colors} - complete.keys())
    fresh = (color for color in map(_nth_color, range(10**6)) if color not in taken)
    for each in wanted:
        complete[each] = next(fresh)
        taken.add(complete[each])
    return {each: complete[each] for each in sorted(complete)}


def _nth_color(n: int) -> Color:
    if n < len(PALETTE):
        return parse_color(PALETTE[n])
    # Beyond the table: golden-angle hues in changing lightness. Distinct, if not always by eye.
    hue = (n * 0.618034) % 1
    channels = colorsys.hls_to_rgb(hue, 0.25 + 0.5 * ((n * 0.7548777) % 1), 0.85)
    red, green, blue = (round(255 * channel) for channel in channels)
    return red, green, blue
