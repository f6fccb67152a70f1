"""Variants of photographs: which there are, and that a seed gives the same ones."""

import re
import sys
from pathlib import Path

import pytest
import torch

from hsi.errors import UsageError
from hsi.sampling.photograph_augmentation import INSTALL, photograph_augmentation


@pytest.fixture(scope="module")
def ramp():
    """A photograph whose red rises to the right, and whose green rises downwards."""
    rise = torch.linspace(0, 1, 40).expand(40, 40)
    return torch.stack([rise, rise.T, torch.full((40, 40), 0.5)]).expand(32, 3, 40, 40)


def test_none_is_none():
    assert photograph_augmentation("none", size=32) is None


@pytest.mark.parametrize("name", ["crop-flip", "crop-flip-color"])
def test_a_seed_gives_the_same_variants(ramp, name):
    augment = photograph_augmentation(name, size=32)
    torch.manual_seed(1)
    first = augment(ramp)
    torch.manual_seed(1)
    assert torch.equal(augment(ramp), first)
    assert not torch.equal(augment(ramp), first)
    assert first.shape == (32, 3, 32, 32)
    assert 0 <= first.min() <= first.max() <= 1
    # Each of a batch is another one.
    assert len({tuple(each.flatten().tolist()) for each in first}) == 32


def test_parts_and_reflections_but_no_colours(ramp):
    torch.manual_seed(0)
    variants = photograph_augmentation("crop-flip", size=32)(ramp)
    across = (variants[:, 0, :, -1] - variants[:, 0, :, 0]).mean(1)
    down = (variants[:, 1, -1] - variants[:, 1, 0]).mean(1)
    # To the right or, mirrored, to the left; about half of them.
    assert 6 < (across < 0).sum() < 26
    assert (down > 0).all()
    # A side of a part of half the area, at most 5:4, is 0.63 of the whole or more.
    assert (across.abs() > 0.6).all()
    assert (across.abs() <= 1).all()
    assert torch.allclose(variants[:, 2], torch.tensor(0.5), atol=1e-6)


def test_other_light(ramp):
    torch.manual_seed(0)
    variants = photograph_augmentation("crop-flip-color", size=32)(ramp)
    assert variants[:, 2].mean((1, 2)).std() > 0.02


def test_without_kornia_the_error_says_how_the_readme_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "kornia", None)
    with pytest.raises(UsageError, match=re.escape(INSTALL)):
        photograph_augmentation("crop-flip", size=32)
    root = Path(__file__).parents[2]
    # As the package itself is installed, with one extra.
    plain = INSTALL.replace('".[transfer]"', ".")
    assert f"{plain} && hsi train" in (root / "README.md").read_text(encoding="utf-8")
    for page in ("README.md", "docs/transfer.md"):
        assert f"`{INSTALL}`" in (root / page).read_text(encoding="utf-8")
    assert photograph_augmentation("none", size=32) is None
