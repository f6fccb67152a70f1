"""A made scene that behaves like a real one, and is the same on every machine.

Farmland as an imaging spectrometer sees it: fields of similar crops, mixed pixels along their
borders, hills that change the illumination, and noise that is worst where the atmosphere absorbs.
It is no measurement; it serves first steps, tests and timings.

The same arguments give the same bits whatever the processor, the operating system and the version
of NumPy. So all numbers come from `+`, `-`, `*`, `/`, `sqrt` and comparisons, which IEEE 754 rounds
in one way only; fractions are summed in loops of fixed order; and the random bits are the raw
stream of PCG64, which NumPy keeps for good. `exp`, `sin`, matrix products, `np.sum` of fractions
and NumPy's distributions have no such promise: do not use them here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsi.errors import UsageError
from hsi.scenes.scene import Scene

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Material:
    """What a field is made of.

    Plants hide the share `cover` of its ground; the share `straw` of the plants is dry, the rest
    are leaves with so much chlorophyll and water as the usual leaf, 1, has. Clay colours the bare
    ground. `area` is relative to that of the other materials.
    """

    name: str
    area: int
    cover: float
    straw: float
    chlorophyll: float
    water: float
    clay: float


# Pairs that are hard to tell apart stand together; a scene of few classes takes the first ones.
MATERIALS = (
    #        name          area cover straw chlorophyll water clay
    Material("Maize", 20, 0.70, 0.05, 1.30, 1.20, 0.3),
    Material("Sorghum", 9, 0.66, 0.08, 1.15, 1.05, 0.3),
    Material("Winter wheat", 18, 0.80, 0.30, 0.80, 0.70, 0.4),
    Material("Winter barley", 11, 0.78, 0.37, 0.72, 0.62, 0.4),
    Material("Stubble", 13, 0.55, 0.90, 0.50, 0.30, 0.4),
    Material("Fallow", 6, 0.45, 0.82, 0.60, 0.40, 0.5),
    Material("Meadow", 12, 0.90, 0.15, 0.95, 0.95, 0.4),
    Material("Alfalfa", 2, 0.88, 0.10, 1.05, 1.05, 0.4),
    Material("Sugar beet", 8, 0.85, 0.02, 1.20, 1.50, 0.5),
    Material("Potatoes", 5, 0.80, 0.05, 1.10, 1.35, 0.5),
    Material("Vineyard", 4, 0.40, 0.15, 0.95, 0.80, 0.8),
    Material("Orchard", 3, 0.45, 0.12, 1.05, 0.85, 0.8),
)
WOOD = Material("", 10, 0.95, 0.25, 1.60, 0.90, 0.2)  # land that is no field
TRACK = Material("", 0, 0.25, 0.50, 0.70, 0.60, 0.6)

DEFAULTS = {"rows": 96, "cols": 96, "bands": 120, "classes": 8, "seed": 0}
# Of numbers in the order of DEFAULTS. Smaller scenes would be all borders.
RANGES = ((32, 1024), (32, 1024), (8, 500), (2, len(MATERIALS)), (0, 2**64 - 1))
PIXELS_PER_CLASS = 256

FIELDS_PER_CLASS = 5
# A pixel is 3 x 3 parts of land, and optics make it see one more on each side: 5 x 5.
PARTS, SEEN = 3, 5
# It has a label where at least this many of those 25 parts belong to one field.
PURE = 20


def synthetic_scene(
    *, rows: int = 96, cols: int = 96, bands: int = 120, classes: int = 8, seed: int = 0
) -> Scene:
    """Make a scene of farmland, the same for the same arguments on every machine.

    Parameters
    ----------
    rows, cols : int
        Pixels, 32 to 1024 each, and at least 256 for each class.
    bands : int
        Bands from 400 to 2500 nm at equal distances, 8 to 500.
    classes : int
        2 to 12, ids from 1, of unequal size and in similar pairs.
    seed : int
        Not negative. Another seed is another landscape.

    Returns
    -------
    Scene
        Cube of uint16: reflectance times 10,000. Borders of fields and woods have no label.

    Raises
    ------
    UsageError
        If an argument is out of range.
    """
    arguments = {"rows": rows, "cols": cols, "bands": bands, "classes": classes, "seed": seed}
    for (name, value), (low, high) in zip(arguments.items(), RANGES, strict=True):
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise UsageError(
                f"{name}={value!r} for the synthetic scene; expected a whole number {low}..{high}"
            )
    if rows * cols < PIXELS_PER_CLASS * classes:
        raise UsageError(
            f"{rows} x {cols} pixels are too few for {classes} classes in the synthetic scene; "
            f"expected at least {PIXELS_PER_CLASS} for each"
        )
    random = Random(seed)
    wavelengths = 400 + 2100 * np.arange(bands) / (bands - 1)
    materials = (WOOD, *MATERIALS[:classes])

    fields = divide_land(random, rows, cols, count=FIELDS_PER_CLASS * len(materials))
    uses = assign_materials(fields, materials)
    shares = seen_shares(with_tracks(fields))
    surfaces = [Surface.draw(random, materials[use], wavelengths) for use in uses]
    surfaces.append(Surface.draw(random, TRACK, wavelengths))
    cube = observe(random, shares, surfaces, wavelengths)

    owner = shares[:, :, :-1].argmax(axis=2)  # the last one is the tracks
    labels = np.where(shares[:, :, :-1].max(axis=2) >= PURE, uses[owner], 0).astype(np.int32)
    return Scene(
        name="synthetic",
        cube=cube,
        labels=labels,
        class_names={each: materials[each].name for each in range(1, classes + 1)},
        wavelengths=wavelengths,
        components=15,
        # A name is all that `load_scene` takes, and it stands for the default scene.
        source={"dataset": "synthetic"} if arguments == DEFAULTS else {},
        metadata={
            "title": "Synthetic farmland",
            "sensor": "none: generated by hsi, not measured",
            "generated_with": arguments,
        },
    )


class Random:
    """Random numbers made of PCG64's raw bits."""

    def __init__(self, seed: int) -> None:
        self._bits = np.random.PCG64(seed)

    def uniform(self, low: float, high: float) -> float:
        """Return one number between `low` and `high`, evenly distributed."""
        return low + (high - low) * ((int(self._bits.random_raw()) >> 11) / 2**53)

    def normal(self, *shape: int) -> Floats:
        """Return nearly normal numbers: mean 0, standard deviation 1, none beyond 3.47.

        Each is the sum of four even ones of 16 bits (the distribution of Irwin and Hall).
        """
        raw = self._bits.random_raw(shape)
        total = np.zeros(shape, dtype=np.int64)
        for shift in (0, 16, 32, 48):
            total += ((raw >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.int64)
        return (total - 2 * 0xFFFF) / 37837.2  # 65536 / sqrt(3)

    def surface(self, rows: int, cols: int, *, spacing: int) -> Floats:
        """Return ``(rows, cols)``: normal numbers at knots, and a soft passage between them."""
        surface = self.normal(rows // spacing + 2, cols // spacing + 2)
        for length in (rows, cols):
            knot, rest = np.divmod(np.arange(length), spacing)
            t = (rest / spacing)[:, None]
            surface = surface[knot] + (surface[knot + 1] - surface[knot]) * (t * t * (3 - 2 * t))
            surface = surface.T  # the other axis next
        return surface


# Land: which field each part of a pixel belongs to.


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


# Spectra: reflectance (bands,) at wavelengths in nanometres, without a unit.


def _peak(wavelengths: Floats, center: float, width: float) -> Floats:
    """Return a Lorentzian curve: 1 at `center`, one half at `width` on either side."""
    distance = (wavelengths - center) / width
    return 1 / (1 + distance * distance)


def _absorb(spectrum: Floats, wavelengths: Floats, *features: tuple[float, float, float]) -> Floats:
    """Return the spectrum with absorptions: (centre, half width, depth) each."""
    for center, width, depth in features:
        spectrum = spectrum / (1 + depth * _peak(wavelengths, center, width))
    return spectrum


def leaf_reflectance(wavelengths: Floats, *, chlorophyll: float, water: float) -> Floats:
    """Return green leaves: a green peak, the red edge, and water at 970 to 1940 nm."""
    visible = 0.035 + 0.075 / chlorophyll * _peak(wavelengths, 552, 38)
    past_edge = (wavelengths - (702 + 14 * chlorophyll)) / 17
    edge = (1 + past_edge / np.sqrt(1 + past_edge * past_edge)) / 2
    return _absorb(
        visible + 0.47 * edge, wavelengths,
        (670, 25, 0.8 * chlorophyll), (970, 25, 0.08 * water), (1200, 38, 0.18 * water),
        (1450, 75, 1.5 * water), (1940, 90, 3.0 * water), (2650, 330, 3.0 * water),
    )  # fmt: skip


def straw_reflectance(wavelengths: Floats) -> Floats:
    """Return dry plants: bright beyond the visible, cellulose and lignin at 2100 and 2310 nm."""
    beyond = wavelengths - 350
    return _absorb(
        0.04 + 0.50 * beyond / (beyond + 420), wavelengths,
        (480, 120, 0.3), (1450, 60, 0.12), (1940, 70, 0.25),
        (2100, 55, 0.22), (2310, 45, 0.20), (2600, 200, 0.50),
    )  # fmt: skip


def soil_reflectance(wavelengths: Floats, *, brightness: float, clay: float) -> Floats:
    """Return bare ground: iron at 500 and 880 nm, water at 1940 nm, clay at 2205 nm."""
    beyond = wavelengths - 300
    return _absorb(
        0.42 * brightness * beyond / (beyond + 700), wavelengths,
        (500, 90, 0.35), (880, 110, 0.08), (1420, 35, 0.15 * clay),
        (1935, 60, 0.35), (2205, 32, 0.6 * clay),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Surface:
    """One field from above: leaves and straw over bare ground (fractions as in `Material`)."""

    leaf: Floats
    bare: Floats
    cover: float
    straw: float

    @classmethod
    def draw(cls, random: Random, material: Material, wavelengths: Floats) -> Surface:
        """Return a field of `material` that is not quite like any other."""

        def about(value: float, spread: float) -> float:
            return value * random.uniform(1 - spread, 1 + spread)

        chlorophyll, water = about(material.chlorophyll, 0.08), about(material.water, 0.10)
        brightness, clay = about(1, 0.12), about(material.clay, 0.15)
        return cls(
            leaf=leaf_reflectance(wavelengths, chlorophyll=chlorophyll, water=water),
            bare=soil_reflectance(wavelengths, brightness=brightness, clay=clay),
            cover=about(material.cover, 0.06),
            straw=about(material.straw, 0.10),
        )


# Observation: what the sensor makes of it.


def seen_shares(fields: Ids) -> NDArray[np.uint8]:
    """Return ``(rows, cols, fields)``: how many of the parts that a pixel sees are of a field."""
    rows, cols = (length // PARTS for length in fields.shape)
    row, col = np.indices((rows, cols))
    shares = np.zeros((rows, cols, int(fields.max()) + 1), dtype=np.uint8)
    for down in range(SEEN):
        for right in range(SEEN):
            shares[row, col, fields[PARTS * row + down, PARTS * col + right]] += 1
    return shares


def observe(
    random: Random, shares: NDArray[np.uint8], surfaces: list[Surface], wavelengths: Floats
) -> NDArray[np.uint16]:
    """Return the cube: mixed surfaces in uneven light, with noise, times 10,000."""
    rows, cols, _ = shares.shape

    def uneven(patches: float, pixels: float, *, spacing: int) -> Floats:
        smooth = random.surface(rows, cols, spacing=spacing)
        return patches * smooth + pixels * random.normal(rows, cols)

    growth = uneven(0.05, 0.04, spacing=10)  # added to the share of ground that is covered
    ripeness = uneven(0.05, 0.05, spacing=8)  # added to the share of straw
    light = 1 + uneven(0.08, 0.02, spacing=32)
    straw = straw_reflectance(wavelengths)
    noise = noise_level(random, wavelengths)

    cube = np.empty((rows, cols, len(wavelengths)), dtype=np.uint16)
    for row in range(rows):
        line = np.zeros((cols, len(wavelengths)))
        for field in np.flatnonzero(shares[row].max(axis=0)):
            surface, seen = surfaces[field], np.flatnonzero(shares[row, :, field])
            ripe = np.clip(surface.straw + ripeness[row, seen], 0, 1)[:, None]
            cover = np.clip(surface.cover + growth[row, seen], 0, 1)[:, None]
            plants = surface.leaf + ripe * (straw - surface.leaf)
            mixture = surface.bare + cover * (plants - surface.bare)
            line[seen] += shares[row, seen, field, None].astype(np.float64) / SEEN**2 * mixture
        line = line * light[row][:, None] + noise * random.normal(*line.shape)
        cube[row] = np.rint(10_000 * np.clip(line, 0, 1))
    return cube


def noise_level(random: Random, wavelengths: Floats) -> Floats:
    """Return the standard deviation of each band's noise, in reflectance.

    Vapour in the air leaves little light near 1390 and 1880 nm, and the sun gives little at either
    end. One band in forty is a bad one.
    """
    level = np.full(len(wavelengths), 0.003)
    for center, width, more in (
        (400, 40, 0.004), (1390, 25, 0.030), (1880, 35, 0.040), (2500, 60, 0.010),
    ):  # fmt: skip
        level += more * _peak(wavelengths, center, width)
    for _ in range(len(wavelengths) // 40):
        level[int(random.uniform(0, len(wavelengths)))] *= 5
    return level
