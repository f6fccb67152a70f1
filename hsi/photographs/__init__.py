"""Photographs in folders, one folder a class: what is in them, and what is wrong with them."""

from hsi.photographs.audit import ClassDifference, class_difference, copies_between, equal_groups
from hsi.photographs.decode import SUFFIXES, read_photograph, square
from hsi.photographs.folders import ClassFolder, PhotographSets, find_photographs, open_sets
from hsi.photographs.split import draw_validation
from hsi.photographs.store import Decoded, Unreadable, decode_all

__all__ = [
    "SUFFIXES",
    "ClassDifference",
    "ClassFolder",
    "Decoded",
    "PhotographSets",
    "Unreadable",
    "class_difference",
    "copies_between",
    "decode_all",
    "draw_validation",
    "equal_groups",
    "find_photographs",
    "open_sets",
    "read_photograph",
    "square",
]
