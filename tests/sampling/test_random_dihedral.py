"""Augmentation by the eight symmetries of the square."""

import pytest
import torch

from hsi.errors import UsageError
from hsi.sampling import random_dihedral, turned, turned_places


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def symmetries(patch):
    """Return the eight images (8, C, p, p) of a patch by rotation and reflection."""
    turned = [torch.rot90(patch, k, (1, 2)) for k in range(4)]
    return torch.stack(turned + [image.flip(2) for image in turned])


def test_each_output_is_one_of_eight_and_all_occur_equally_often():
    patch = torch.randn(3, 5, 5, generator=generator())
    patches = patch.expand(4000, -1, -1, -1)
    result = random_dihedral(patches, generator(1))
    same = (result[:, None] == symmetries(patch)).flatten(2).all(2)  # (4000, 8)
    assert (same.sum(1) == 1).all()
    counts = same.sum(0)
    assert (counts - 500).abs().max() < 110  # five standard deviations


def test_samples_are_transformed_each_for_itself():
    patches = torch.randn(64, 2, 7, 7, generator=generator())
    result = random_dihedral(patches, generator(1))
    for before, after in zip(patches, result, strict=True):
        assert any(torch.equal(after, image) for image in symmetries(before))
    torch.testing.assert_close(result.norm(dim=(2, 3)), patches.norm(dim=(2, 3)))
    assert torch.equal(result[:, :, 3, 3], patches[:, :, 3, 3])


def test_input_is_left_alone_and_the_seed_decides():
    patches = torch.randn(32, 2, 5, 5, generator=generator())
    before = patches.clone()
    one, two = random_dihedral(patches, generator(3)), random_dihedral(patches, generator(3))
    assert torch.equal(patches, before)
    assert torch.equal(one, two)
    assert not torch.equal(one, random_dihedral(patches, generator(4)))
    one.zero_()
    assert torch.equal(patches, before)


def test_global_generator_is_not_touched():
    state = torch.get_rng_state()
    random_dihedral(torch.zeros(8, 1, 3, 3), generator())
    assert torch.equal(torch.get_rng_state(), state)


def test_empty_batch():
    assert random_dihedral(torch.zeros(0, 2, 3, 3), generator()).shape == (0, 2, 3, 3)


@pytest.mark.parametrize("shape", [(4, 2, 3, 5), (2, 3, 3)])
def test_patches_must_be_square(shape):
    with pytest.raises(UsageError, match="square"):
        random_dihedral(torch.zeros(shape), generator())


@pytest.mark.parametrize("symmetry", range(8))
def test_pixels_are_found_where_the_turned_map_has_them(symmetry):
    image = torch.arange(12).view(3, 4)
    rows, cols = torch.cartesian_prod(torch.arange(3), torch.arange(4)).unbind(1)
    new_rows, new_cols = turned_places(rows, cols, (3, 4), symmetry)
    assert torch.equal(turned(image, symmetry)[new_rows, new_cols], image[rows, cols])


def test_the_eight_orientations_differ():
    image = torch.arange(9).view(3, 3)
    assert len({tuple(turned(image, n).flatten().tolist()) for n in range(8)}) == 8
