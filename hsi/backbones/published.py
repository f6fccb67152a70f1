"""Weights learned on ImageNet that torchvision's makers publish: where they are, and as which file.

The digits at the end of a file's name are the first of its sha256. Where torchvision has several
for a network, these are its first, ``IMAGENET1K_V1``: trained on plain labels. The later ones have
the better scores on ImageNet, from smoothed labels and mixed images, but features learned that way
serve other tasks less well: Kornblith, Chen, Lee, Norouzi (2021), "Why Do Better Loss Functions
Lead to Less Transferable Features?", https://arxiv.org/abs/2010.16402.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from hsi.downloads import (
    cache_folder,
    data_folder,
    reachable_addresses,
    retrieve,
    sha256,
)
from hsi.errors import UsageError, WeightsError
from hsi.web import NotSentError

SERVER = "https://download.pytorch.org/models/"
FOLDER = "weights"

FILES = {
    "alexnet": "alexnet-owt-7be5be79.pth",
    "vgg11": "vgg11-8a719046.pth",
    "vgg11_bn": "vgg11_bn-6002323d.pth",
    "vgg13": "vgg13-19584684.pth",
    "vgg13_bn": "vgg13_bn-abd245e5.pth",
    "vgg16": "vgg16-397923af.pth",
    "vgg16_bn": "vgg16_bn-6c64b313.pth",
    "vgg19": "vgg19-dcbb9e9d.pth",
    "vgg19_bn": "vgg19_bn-c79401a0.pth",
    "googlenet": "googlenet-1378be20.pth",
    "resnet18": "resnet18-f37072fd.pth",
    "resnet34": "resnet34-b627a593.pth",
    "resnet50": "resnet50-0676ba61.pth",
    "resnet101": "resnet101-63fe2227.pth",
    "resnet152": "resnet152-394f9c45.pth",
    "resnext50_32x4d": "resnext50_32x4d-7cdf4587.pth",
    "resnext101_32x8d": "resnext101_32x8d-8ba56ff5.pth",
    "densenet121": "densenet121-a639ec97.pth",
    "densenet161": "densenet161-8d451a50.pth",
    "densenet169": "densenet169-b2777c0a.pth",
    "densenet201": "densenet201-c1103571.pth",
    "mobilenet_v2": "mobilenet_v2-b0353104.pth",
    "shufflenet_v2_x0_5": "shufflenetv2_x0.5-f707e7126e.pth",
    "shufflenet_v2_x1_0": "shufflenetv2_x1-5666bf0f80.pth",
    "shufflenet_v2_x1_5": "shufflenetv2_x1_5-3c479a10.pth",
    "shufflenet_v2_x2_0": "shufflenetv2_x2_0-8be3c8ee.pth",
    "efficientnet_b0": "efficientnet_b0_rwightman-7f5810bc.pth",
    "efficientnet_b1": "efficientnet_b1_rwightman-bac287d4.pth",
    "efficientnet_b2": "efficientnet_b2_rwightman-c35c1473.pth",
    "efficientnet_b3": "efficientnet_b3_rwightman-b3899882.pth",
    "efficientnet_b4": "efficientnet_b4_rwightman-23ab8bcd.pth",
    "efficientnet_b5": "efficientnet_b5_lukemelas-1a07897c.pth",
    "efficientnet_b6": "efficientnet_b6_lukemelas-24a108a5.pth",
    "efficientnet_b7": "efficientnet_b7_lukemelas-c5b4e57e.pth",
}


class Standardization(NamedTuple):
    """Mean and deviation of red, green and blue in [0, 1] by which a network's input is scaled."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


IMAGENET = Standardization((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
# Learned in another program, on photographs between -1 and 1.
FROM_MINUS_ONE = Standardization((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def standardization(name: str) -> Standardization:
    """Return how the published weights of a network expect photographs to be scaled."""
    return FROM_MINUS_ONE if name == "googlenet" else IMAGENET


def locate_weights(name: str) -> Path:
    """Return the path of the published weights of a network, downloaded if need be.

    They are looked for in ``$HSI_DATA``, its subfolder ``weights``, the folder in which torchvision
    keeps them, and the cache, to which they are downloaded.

    Raises
    ------
    UsageError
        If none are published for that network.
    WeightsError
        If they cannot be downloaded, or have not the published sha256.
    """
    if name not in FILES:
        raise UsageError(
            f"there are no published weights for {name}\nThere are for: {', '.join(FILES)}"
        )
    file = FILES[name]
    for folder in _folders():
        if (folder / file).is_file():
            return _checked(folder / file)
    target = cache_folder() / FOLDER / file
    _download(SERVER + file, target)
    return target


def _folders() -> list[Path]:
    """Return the folders in which weights may lie already."""
    from torch.hub import get_dir

    data = data_folder()
    given = [data / FOLDER, data] if data else []
    return [*given, Path(get_dir()) / "checkpoints", cache_folder() / FOLDER]


def _digits(file: str) -> str:
    """Return the first digits of the sha256 that a file's name ends with."""
    return Path(file).stem.rpartition("-")[2]


def _checked(path: Path) -> Path:
    digits = _digits(path.name)
    try:
        actual = sha256(path)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from error
    if not actual.startswith(digits):
        raise WeightsError(
            f"{path} is damaged: its sha256 begins with {actual[: len(digits)]}, that of the "
            f"published file with {digits}\nDelete it, to have it downloaded anew."
        )
    return path


def _download(address: str, target: Path) -> None:
    digits = _digits(target.name)
    if not reachable_addresses((address,)):
        raise _not_downloaded(address, f"{urlsplit(address).netloc} does not answer")
    try:
        retrieve([address], target, sha256=digits)
    except NotSentError as failure:
        reason = str(failure)
        if failure.received:
            received = failure.received[: len(digits)]
            reason += f", whose sha256 begins with {received}, that of the weights with {digits}"
        raise _not_downloaded(address, reason) from failure
    except OSError as error:
        raise WeightsError(
            f"{target.name} cannot be stored in {target.parent}: {error.strerror or error}\n"
            "Make room there, or pass the path of the file as weights."
        ) from error


def _not_downloaded(address: str, reason: str) -> WeightsError:
    data = os.environ.get("HSI_DATA") or "$HSI_DATA"
    return WeightsError(
        f"weights could not be downloaded: {reason}\n"
        f"  {address}\n"
        f"Download that elsewhere and put it into {data}{os.sep}{FOLDER}{os.sep}, or pass its path "
        "as weights."
    )
