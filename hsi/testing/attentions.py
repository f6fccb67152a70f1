"""What an attention block promises, whoever wrote it."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable

import numpy as np
import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from hsi.inference import predict_scene
from hsi.layers.attention import attention_factory
from hsi.models import build_model
from hsi.testing.battery import draw_state, learns, require, require_near, run_all, seeded

CHANNELS = (1, 2, 5, 16, 33)
# A network whose head begins with attention, as small as it can be.
BANDS, CLASSES, PATCH_SIZE = 13, 4, 11
# Nothing in a picture of ordinary values is larger; in half precision it would be infinite.
LARGE = 1e4


def check_attention(block: str | Callable[[int], nn.Module]) -> None:
    """Check that an attention block can be used in any network.

    Parameters
    ----------
    block : str or callable
        A name for `hsi.build_attention`, or a function from a number of channels to a module.

    Raises
    ------
    CheckFailedError
        An `AssertionError` with the promise that is not kept:

        - the input is left alone;
        - ``(N, C, h, w)`` comes back in the same shape, for any number of channels and any size;
        - values stay finite for images of zeros and of large values, and follow the input's type;
        - an image is treated as if it were alone, in evaluation mode twice to the same bits;
        - every weight learns;
        - what is drawn while it is trained comes from PyTorch's generator;
        - weights, and whatever else training changes, go through a file;
        - in a network, the map of a scene is what its patches give one by one.

    Examples
    --------
    >>> from hsi.testing import check_attention
    >>> check_attention("eca")
    >>> class Shuffle(nn.Module):
    ...     def __init__(self, channels):
    ...         super().__init__()
    ...     def forward(self, x):
    ...         return x * x.mean(dim=(0, 2, 3), keepdim=True).sigmoid()
    >>> try:
    ...     check_attention(Shuffle)
    ... except AssertionError as failed:
    ...     print(str(failed).splitlines()[0])
    Shuffle breaks a promise: each image is treated as if it were alone
    """
    what = block if isinstance(block, str) else getattr(block, "__name__", repr(block))
    build = attention_factory(block)
    assert build is not None
    made = _Made(build)
    run_all(
        what,
        [
            ("the input is left alone", made.leaves_input),
            ("the shape is kept, whatever the channels and the size", made.keeps_shape),
            ("values stay finite, and of the type of the input", made.stays_finite),
            ("in evaluation mode, the same image gives the same bits", made.repeats),
            ("each image is treated as if it were alone", made.is_alone),
            ("every weight learns", made.learns),
            ("what is drawn comes from PyTorch's generator", made.draws_from_the_seed),
            ("weights go through a file", made.goes_through_a_file),
            ("a map is what each patch by itself gives", made.keeps_the_contract),
        ],
    )


class _Made:
    """A block of several widths, with drawn weights."""

    def __init__(self, build: Callable[[int], nn.Module]) -> None:
        self.build = build

    def block(self, channels: int = 16) -> nn.Module:
        with seeded(channels):
            block = self.build(channels).double().eval()
            draw_state(block)
        return block

    @torch.no_grad()
    def keeps_shape(self) -> None:
        for channels in CHANNELS:
            block = self.block(channels)
            for images, height, width in ((1, 1, 1), (2, 3, 7), (3, 9, 2)):
                x = _images(images, channels, height, width)
                y = block(x)
                require(
                    y.shape == x.shape, f"{tuple(y.shape)} came of an input of {tuple(x.shape)}"
                )

    @torch.no_grad()
    def is_alone(self) -> None:
        for channels in CHANNELS:
            block, x = self.block(channels), _images(3, channels, 5, 4)
            together = block(x)
            alone = torch.cat([block(each[None]) for each in x])
            wrong = sum(
                not torch.allclose(one, two, rtol=1e-9, atol=1e-9)
                for one, two in zip(together, alone, strict=True)
            )
            require_near(
                together, alone, 1e-9, f"{wrong} of 3 images came out otherwise than alone"
            )

    @torch.no_grad()
    def repeats(self) -> None:
        block, x = self.block(), _images(2, 16, 5, 4)
        require(torch.equal(block(x), block(x)), "two calls gave different values")

    @torch.no_grad()
    def leaves_input(self) -> None:
        block, x = self.block(), _images(2, 16, 5, 4)
        before = x.clone()
        block(x)
        require(torch.equal(x, before), "the input was changed in place")

    @torch.no_grad()
    def stays_finite(self) -> None:
        for type_ in (torch.float64, torch.float32):
            block = self.block().to(type_)
            for x in (torch.zeros(2, 16, 5, 4), LARGE * _images(2, 16, 5, 4)):
                y = block(x.to(type_))
                require(y.dtype == type_, f"{y.dtype} came of {type_}")
                require(
                    bool(y.isfinite().all()),
                    f"values that are no numbers came of values up to {float(x.abs().max()):g}",
                )

    def learns(self) -> None:
        block = self.block().train()
        x = _images(4, 16, 6, 5)
        learns(block, (block(x) * _images(4, 16, 6, 5, seed=2)).sum())

    @torch.no_grad()
    def draws_from_the_seed(self) -> None:
        x = _images(2, 16, 5, 4)
        results = []
        for _ in range(2):
            block = self.block().train()
            with seeded(3):
                results.append(torch.stack([block(x) for _ in range(3)]))
        require(torch.equal(*results), "two trainings with the same seed differ")

    @torch.no_grad()
    def goes_through_a_file(self) -> None:
        block, x = self.block(), _images(2, 16, 5, 4)
        for number in range(3):  # which may change what the block keeps
            block.train()(_images(2, 16, 5, 4, seed=number))
        block.eval()
        content = save({name: value.contiguous() for name, value in block.state_dict().items()})
        again = self.build(16).double().eval()
        again.load_state_dict(load(io.BytesIO(content).getvalue()))
        require(torch.equal(again(x), block(x)), "another block with its weights differs")
        require(torch.equal(copy.deepcopy(block)(x), block(x)), "its copy differs")

    def keeps_the_contract(self) -> None:
        with seeded(0):
            model = build_model(
                "hybridsn-dw", bands=BANDS, classes=CLASSES, patch_size=PATCH_SIZE,
                attention=self.build,
            ).double().eval()  # fmt: skip
            draw_state(model)
        # Wider than a patch by far, as scenes are.
        cube = np.random.default_rng(0).standard_normal((6, 70, BANDS))
        dense, patches = (
            torch.from_numpy(predict_scene(model, cube, method=method, device="cpu"))
            for method in ("dense", "patches")
        )
        require_near(dense, patches, 1e-9, "the scene at once and patch by patch")


def _images(*shape: int, seed: int = 1) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))
