"""Land: which field each part of a pixel belongs to, and what grows there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsi.scenes.synthetic.materials import Material
from hsi.scenes.synthetic.random_bits import Random

Ids = NDArray[np.int64]

# A pixel is 3 x 3 parts of land, and optics make it see one more on each side: 5 x 5.
PARTS, SEEN = 3, 5


def divide_land(random: Random, rows: int, cols: int, *, count: int) -> Ids:
    """Return the field, 0 to ``count - 1``, of each part of each pixel.

    Land is divided as heirs do it: the largest field in two, across its longer side, again and
    again. The borders are not quite parallel and not quite straight. The shape of the result is
    ``(3 rows + 2, 3 cols + 2)``: pixels at the edge see one part beyond it.
    """
    shape = PARTS * rows + SEEN - PARTS, PARTS * cols + SEEN - PARTS
    row, col = np.indices(shape)
    bends = [4.5 * random.surface(*shape, spacing=36).ravel() for _ in range(2)]
    # Turned against the image by an angle of the triangle with sides 5, 12 and 13.
    down = (12 * row + 5 * col).ravel() / 13 + bends[0]
    right = (12 * col - 5 * row).ravel() / 13 + bends[1]

    fields = [np.arange(row.size)]
    while len(fields) < count:
        parts = fields.pop(max(range(len(fields)), key=lambda n: len(fields[n])))
        long, short = down[parts], right[parts]
        if long.max() - long.min() < short.max() - short.min():
            long, short = short, long
        place = long + random.uniform(-0.2, 0.2) * short
        border = place.min() + random.uniform(0.2, 0.8) * (place.max() - place.min())
        fields += [parts[place < border], parts[place >= border]]

    field_of_part = np.empty(row.size, dtype=np.int64)
    for number, parts in enumerate(fields):
        field_of_part[parts] = number
    return field_of_part.reshape(shape)


def assign_materials(fields: Ids, materials: tuple[Material, ...]) -> Ids:
    """Return the position in `materials` for each field; each material gets at least two fields.

    From the largest field down, each goes to the material that lacks most of its area.
    """
    sizes = np.bincount(fields.ravel()).tolist()
    areas = [material.area for material in materials]
    lacks = [area * fields.size / sum(areas) for area in areas]
    owed = [2] * len(materials)
    uses = np.zeros(len(sizes), dtype=np.int64)
    for done, field in enumerate(sorted(range(len(sizes)), key=lambda n: -sizes[n])):
        spare = len(sizes) - done > sum(owed)
        takers = [n for n in range(len(materials)) if spare or owed[n]]
        use = max(takers, key=lambda n: lacks[n])
        uses[field] = use
        lacks[use] -= sizes[field]
        owed[use] = max(owed[use] - 1, 0)
    return uses


def with_tracks(fields: Ids) -> Ids:
    """Return the parts with a track between fields: one more id, the highest."""
    track = np.zeros(fields.shape, dtype=np.bool_)
    track[1:] |= fields[1:] != fields[:-1]
    track[:, 1:] |= fields[:, 1:] != fields[:, :-1]
    return np.where(track, fields.max() + 1, fields)


def seen_shares(fields: Ids) -> NDArray[np.uint8]:
    """Return ``(rows, cols, fields)``: how many of the parts that a pixel sees are of a field."""
    rows, cols = (length // PARTS for length in fields.shape)
    row, col = np.indices((rows, cols))
    shares = np.zeros((rows, cols, int(fields.max()) + 1), dtype=np.uint8)
    for down in range(SEEN):
        for right in range(SEEN):
            shares[row, col, fields[PARTS * row + down, PARTS * col + right]] += 1
    return shares
