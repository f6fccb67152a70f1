"""Which pixels to learn from and to test on, and what a network is given of them."""

from hsi.sampling.augmentation import random_dihedral, turned, turned_places
from hsi.sampling.blocks import Sets
from hsi.sampling.by_scenes import split_scenes
from hsi.sampling.overlap import Overlap, overlap_audit
from hsi.sampling.patches import PatchDataset
from hsi.sampling.pixels import split_pixels
from hsi.sampling.reduction import BandPCA
from hsi.sampling.scaling import BandScaler
from hsi.sampling.split import ClassCount, Split
from hsi.sampling.targets import class_ids, to_labels, to_targets

__all__ = [
    "BandPCA",
    "BandScaler",
    "ClassCount",
    "Overlap",
    "PatchDataset",
    "Sets",
    "Split",
    "class_ids",
    "overlap_audit",
    "random_dihedral",
    "split_pixels",
    "split_scenes",
    "to_labels",
    "to_targets",
    "turned",
    "turned_places",
]
