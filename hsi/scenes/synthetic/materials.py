"""What fields are made of."""

from __future__ import annotations

from dataclasses import dataclass


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
