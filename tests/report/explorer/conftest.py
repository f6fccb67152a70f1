import base64
import json
import re

import numpy as np
import pytest

from hsi.report.explorer.packing import Block, unpack
from hsi.scenes import Scene


@pytest.fixture
def read_page():
    """Return a function that reads a page's data as a program of another kind would."""

    def read(page):
        elements = dict(re.findall(r'<script type="[^"]+" id="hsi-([^"]+)">(.*?)</script>', page))
        about = json.loads(elements["data"])
        arrays = {
            name: unpack(
                Block(
                    type=block["type"],
                    shape=tuple(block["shape"]),
                    data=base64.b64decode(elements[name], validate=True),
                )
            )
            for name, block in about["blocks"].items()
        }
        return about, arrays

    return read


@pytest.fixture
def make_scene():
    """Return a function that makes a scene of random numbers with labels."""

    def make(rows=12, cols=9, bands=6, *, dtype=np.int16, labelled=True, **more):
        rng = np.random.default_rng(5)
        cube = rng.normal(900, 300, (rows, cols, bands))
        if np.dtype(dtype).kind == "f":
            cube /= 10_000
        labels = rng.choice(np.array([0, 3, 11], dtype=np.int32), (rows, cols))
        more = {"name": "made", "labels": labels if labelled else None} | more
        return Scene(cube=cube.astype(dtype), **more)

    return make
