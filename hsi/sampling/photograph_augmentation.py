"""Photographs as they might have been taken as well: another part, mirrored, in another light."""

from __future__ import annotations

from typing import Literal

from torch import nn

from hsi.errors import UsageError

PhotographAugmentation = Literal["none", "crop-flip", "crop-flip-color"]
# Share of the area that is left, and how far its sides may be from a square.
AREA, RATIO = (0.5, 1.0), (4 / 5, 5 / 4)
# Brightness, contrast and saturation change by so much at most, as a share.
LIGHT = 0.2
# As the README installs the package, with what is needed here.
INSTALL = 'python -m pip install -c constraints.txt -e ".[transfer]"'


def photograph_augmentation(name: PhotographAugmentation, *, size: int) -> nn.Module | None:
    """Return what turns each photograph of a batch into a variant of its own, at random.

    Parameters
    ----------
    name : {"none", "crop-flip", "crop-flip-color"}
        ``"crop-flip"``: a part of half the area or more, scaled to `size`, and in half of the
        cases mirrored. ``"crop-flip-color"``: brightness, contrast and saturation changed, too.
    size : int
        Side of the result.

    Returns
    -------
    nn.Module or None
        From ``(N, 3, h, w)`` in [0, 1] to ``(N, 3, size, size)`` in [0, 1]; it draws from
        PyTorch's global generator. None if nothing is to be changed.

    Raises
    ------
    UsageError
        If kornia is not installed.
    """
    if name == "none":
        return None
    try:
        from kornia import augmentation
    except ImportError as error:
        raise UsageError(
            f"augmentation '{name}' needs kornia, which is not installed\n"
            f"In the clone of the repository: {INSTALL}\n"
            "Or go without: --augmentation none."
        ) from error
    steps: list[nn.Module] = [
        augmentation.RandomResizedCrop((size, size), scale=AREA, ratio=RATIO),
        augmentation.RandomHorizontalFlip(),
    ]
    if name == "crop-flip-color":
        steps.append(augmentation.ColorJiggle(LIGHT, LIGHT, LIGHT))
    return nn.Sequential(*steps)
