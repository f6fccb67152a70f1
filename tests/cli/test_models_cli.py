"""``hsi models``."""

import json
import subprocess
from pathlib import Path

import pytest

from hsi.models import MODELS


def test_every_network_is_listed_with_its_size(hsi_command):
    done = hsi_command("models")
    assert done.code == 0
    for name in MODELS:
        assert name in done.out
    assert "5,122,240" in done.out  # the paper's 5,122,176, and 64 for the batch norm
    assert "30 components, 16 classes, 25x25 patches" in done.out


def test_sizes_follow_from_the_options(hsi_command):
    done = hsi_command("models", "--components", 15, "--classes", 9, "--json")
    sizes = {row["model"]: row for row in json.loads(done.out)}
    assert sizes.keys() == MODELS.keys()
    assert sizes["hybridsn"]["parameters"] == 4_844_793 + 64
    assert all(row["macs_per_patch"] > 10**6 for row in sizes.values())


@pytest.mark.parametrize("arguments", [["models"], ["models", "--json"], ["scenes", "list"]])
def test_a_reader_that_has_enough_ends_it_quietly(start_hsi, arguments):
    """As in ``hsi models | head -1``."""
    process = start_hsi(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("arguments", [["models"], ["models", "--json"]])
def test_a_full_disk_is_one_message(start_hsi, arguments):
    with Path("/dev/full").open("w") as full:
        process = start_hsi(*arguments, stdout=full, stderr=subprocess.PIPE, text=True)
        assert process.stderr.read() == "Error: No space left on device\n"
    assert process.wait(timeout=60) == 1


def test_a_network_that_cannot_be_of_that_size_has_a_dash_and_a_note(hsi_command):
    done = hsi_command("models", "--components", 10)
    assert done.code == 0
    dashed = [line for line in done.out.splitlines() if "hybridsn-dw" in line]
    assert dashed[0].split()[3::2] == ["-", "-"]
    assert "Note: hybridsn-dw cannot work on 10 bands" in done.err
    done = hsi_command("models", "--components", 10, "--json")
    sizes = {row["model"]: row["parameters"] for row in json.loads(done.out)}
    assert sizes["hybridsn"] is None
    assert sizes["hybridsn-2d3d"] > 10**6
