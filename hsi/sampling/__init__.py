"""Which pixels to learn from and to test on, and what a network is given of them."""

from hsi.sampling.augmentation import random_dihedral, turned, turned_places
from hsi.sampling.blocks import Sets
from hsi.sampling.by_folds import split_folds
from hsi.sampling.by_scenes import split_scenes
from hsi.sampling.folds import BlockKFold
from hsi.sampling.given import GivenSets, split_given
from hsi.sampling.overlap import Overlap, overlap_audit
from hsi.sampling.patches import PatchDataset
from hsi.sampling.pixels import split_pixels
from hsi.sampling.reduction import BandPCA
from hsi.sampling.reductions import Reduction, make_reduction, read_reduction
from hsi.sampling.scaling import BandScaler
from hsi.sampling.scene_pixels import ScenePixels
from hsi.sampling.split import ClassCount, Split
from hsi.sampling.targets import class_ids, to_labels, to_targets

__all__ = [
    "BandPCA",
    "BandScaler",
    "BlockKFold",
    "ClassCount",
    "GivenSets",
    "Overlap",
    "PatchDataset",
    "Reduction",
    "ScenePixels",
    "Sets",
    "Split",
    "class_ids",
    "make_reduction",
    "overlap_audit",
    "random_dihedral",
    "read_reduction",
    "split_folds",
    "split_given",
    "split_pixels",
    "split_scenes",
    "to_labels",
    "to_targets",
    "turned",
    "turned_places",
]
