"""A trained denoiser: all that it takes to denoise a scene, in one file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from hsi.denoising import DnCNN, On, Planes
from hsi.errors import UsageError
from hsi.inference.mode import evaluating
from hsi.training.model_file import ALTERED, damaged, read_model, within, write_model

FORMAT = "denoiser 1"
# Feature maps of this many values are computed at once: about 1 GB of memory with their copies.
MOST_VALUES = 2**26


@dataclass(frozen=True, kw_only=True, eq=False)
class Denoiser:
    """A network and what it sees of a scene.

    Attributes
    ----------
    network : DnCNN
        In evaluation mode.
    on : {"components", "bands"}
        The images that it sees; see `hsi.denoising.Planes`.
    learned : dict
        What noise it learned: ``sigma`` and ``noise``, as in the settings.
    """

    network: DnCNN
    on: On
    learned: dict[str, Any] = field(default_factory=dict)

    def check_bands(self, bands: int, *, name: str) -> None:
        """Raise UsageError if a scene has fewer bands than are denoised together."""
        if bands < self.network.channels:
            raise UsageError(
                f"the network denoises {self.network.channels} neighbouring bands together, "
                f"but {name} has {bands} to denoise\n"
                "Train one with a smaller --group, or on components: --on components."
            )

    def cleaned(self, images: NDArray[np.float64], planes: Planes) -> NDArray[np.float64]:
        """Return images without the noise that the network finds in them.

        Parameters
        ----------
        images : ndarray of float64
            ``(rows, cols, planes)`` as `Planes.images` gives them, 0 where no data is. Pixels
            nearer to an edge than the network's `halo` are right only if the scene ends there.
        planes : Planes
            Whose images these are.

        Returns
        -------
        ndarray of float64
            Of the same shape.
        """
        weight = next(self.network.parameters())
        scaled = np.ascontiguousarray((images / planes.unit).transpose(2, 0, 1))
        noise = np.empty_like(scaled)
        channels = self.network.channels
        with evaluating(self.network):
            for starts in self._batches(*scaled.shape):
                some = np.stack([scaled[start : start + channels] for start in starts])
                found = self.network(torch.from_numpy(some).to(weight.device, weight.dtype))
                for start, each in zip(starts, found.double().cpu().numpy(), strict=True):
                    noise[start : start + channels] = each
        return images - noise.transpose(1, 2, 0) * planes.unit

    def _batches(self, count: int, rows: int, cols: int) -> Iterator[list[int]]:
        """Yield where the groups of channels begin that are computed together."""
        channels = self.network.channels
        # What does not divide evenly ends with a group that overlaps the one before.
        starts = sorted({min(start, count - channels) for start in range(0, count, channels)})
        together = max(1, MOST_VALUES // (64 * rows * cols))
        for first in range(0, len(starts), together):
            yield starts[first : first + together]

    def save(self, path: Path | str) -> None:
        """Write everything to `path`, a safetensors file, all of it or nothing."""
        about = {
            "format": FORMAT,
            "network": {"channels": self.network.channels, "depth": self.network.depth},
            "on": self.on,
            "learned": self.learned,
        }
        state = self.network.state_dict().items()
        write_model(path, about=about, tensors={f"network.{name}": value for name, value in state})

    @classmethod
    def load(cls, path: Path | str) -> Denoiser:
        """Read what `save` wrote.

        Raises
        ------
        RunError
            If the file is missing, damaged, or not one of these.
        """
        about, tensors = read_model(path, format_=FORMAT)
        try:
            with torch.device("meta"):
                network = DnCNN(**about["network"])
            network.load_state_dict(within(tensors, "network."), assign=True)
            if about["on"] not in get_args(On):
                raise ValueError(f"it denoises {about['on']!r}")
            learned = dict(about["learned"])
        except ALTERED as error:
            raise damaged(path, error) from error
        return cls(network=network.eval(), on=about["on"], learned=learned)
