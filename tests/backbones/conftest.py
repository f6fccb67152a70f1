"""torchvision, the outside measure.

Next to a PyTorch without CUDA it is imported only after the two operators that it registers fakes
for have been defined.
"""

import pytest
import torch

OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


@pytest.fixture(scope="session")
def torchvision():
    try:
        import torchvision
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")
        for operator in OPERATORS:
            library.define(operator)
        import torchvision
    import torchvision.models

    return torchvision
