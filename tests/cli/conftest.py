"""Trainings on the command line that take a second."""

import pytest

# A training that takes a second, but for --epochs.
QUICK = (
    "--patch-size", "9", "--components", "13", "--train", "0.15", "--batch-size", "16",
    "--device", "cpu",
)  # fmt: skip
BRIEFLY = (*QUICK, "--epochs", "2")


@pytest.fixture
def quick(files):
    """Arguments of a short training on the small scene."""
    return "train", "--dataset", files / "cube.npy", "--labels", files / "truth.npy", *BRIEFLY


@pytest.fixture
def briefly():
    """Arguments of a short training on scenes that are yet to be named."""
    return "train", *BRIEFLY
