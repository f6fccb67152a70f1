"""A seed is a promise: the splits that it gave once, it gives for good."""

import hashlib

import numpy as np
import pytest

from hsi.sampling import Sets, split_folds, split_pixels, split_scenes

CLASSES = np.random.default_rng(5).choice([0, 3, 7, 14, 20], size=(5, 6))
MADE = np.kron(CLASSES, np.ones((13, 12), int))


def digest(split):
    """Return the first digits of the sha256 of the three masks."""
    packed = [np.packbits(mask).tobytes() for mask in (split.train, split.validation, split.test)]
    return hashlib.sha256(b"".join(packed)).hexdigest()[:16]


@pytest.mark.parametrize(
    ("method", "patch_size", "train", "validation", "seed", "expected"),
    [
        ("random", 7, 0.1, 0.0, 0, "f0b80b151686613d"),
        ("random", 9, 0.2, 0.1, 1, "24fb776102aaad83"),
        ("random", 5, 6, 4, 0, "93cba6a11dfe10a6"),
        ("blocks", 7, 0.1, 0.0, 0, "e132787fe9a4f49e"),
        ("blocks", 9, 0.2, 0.1, 1, "31f1ffa185ae6a8f"),
        ("blocks", 5, 6, 4, 0, "6f85897bc07d6980"),
    ],
)  # fmt: skip
def test_made_scene(method, patch_size, train, validation, seed, expected):
    split = split_pixels(
        MADE, method=method, patch_size=patch_size, train=train, validation=validation, seed=seed
    )
    assert digest(split) == expected


@pytest.mark.parametrize(
    ("fold", "seed", "patch_size", "whole", "part"),
    [
        (0, 0, 5, "fcfe5c2392036803", "8b05c3386e146f1c"),
        (2, 0, 5, "7addd28e8748588a", "366d23a74d959800"),
        (1, 3, 9, "ee756fb048f90026", "7786ef0a2e9beb36"),
    ],
)
def test_made_scene_by_folds(fold, seed, patch_size, whole, part):
    how = {"folds": 4, "fold": fold, "seed": seed, "patch_size": patch_size}
    assert digest(split_folds(MADE, **how)) == whole
    assert digest(split_folds(MADE, train=0.5, validation=0.1, **how)) == part


def test_a_real_scene_by_folds(real_labels):
    assert digest(split_folds(real_labels("indian_pines"), fold=3)) == "c2bdd5b2cbe1a172"


def test_made_scene_by_regions():
    left = np.broadcast_to(np.arange(MADE.shape[1]) < 30, MADE.shape)
    regions = Sets(left, np.zeros_like(left), ~left)
    half = split_scenes(MADE, regions, train=0.5, validation=0.1, seed=1)
    assert digest(half) == "1957f79a0c010e6f"
    assert digest(split_scenes(MADE, regions)) == "24cc907a35c56ce6"


@pytest.mark.parametrize(
    ("name", "method", "seed", "expected"),
    [
        ("indian_pines", "random", 0, "1b495bcc520f9856"),
        ("indian_pines", "blocks", 0, "2fe35ee9d7e6f978"),
        ("salinas_a", "random", 0, "e8a07c9aec3c6cdd"),
        ("salinas_a", "blocks", 0, "c2e38d0466c81562"),
        ("pavia_university", "random", 0, "6972427fea6fbcb0"),
        ("pavia_university", "blocks", 0, "745bf6b5fbd17c90"),
        ("salinas", "random", 0, "fd48b0cd20bff5e4"),
        ("salinas", "blocks", 0, "227d3e4d2072fce6"),
        ("ksc", "random", 0, "39945295460a5862"),
        ("ksc", "blocks", 0, "ddaed290a27c906c"),
        ("botswana", "random", 0, "6e02c9ed971e7957"),
        ("botswana", "blocks", 0, "9fa17c5b5324394a"),
        ("pavia_centre", "random", 0, "bffec78e2a07d474"),
        ("pavia_centre", "blocks", 0, "1e3ae7e2ef05c5ed"),
    ],
)  # fmt: skip
def test_real_scenes(real_split, name, method, seed, expected):
    assert digest(real_split(name, method, seed)) == expected
