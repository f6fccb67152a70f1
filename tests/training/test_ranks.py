"""Two processes that train together come to what one process does."""

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import nn

from hsi.backbones.efficientnet import StochasticDepth
from hsi.errors import RunError, UsageError
from hsi.layers import gather_windows, pad_scene
from hsi.models import PatchNetwork
from hsi.sampling import random_dihedral
from hsi.torchrun import Launched
from hsi.training import batches
from hsi.training.batches import Crops, Patches, Region
from hsi.training.in_step import drops_in_trunk, in_step
from hsi.training.part import part_of
from hsi.training.ranks import Ranks, unbroken
from hsi.training.step import batch_loss

PROGRAM = Path(__file__).with_name("fit_on_ranks.py")
CPU = torch.device("cpu")


@pytest.mark.slow
def test_two_processes_equal_one_with_the_doubled_batch(tmp_path, monkeypatch):
    """Weights, statistics and history, in float64, with dropout and augmentation."""
    monkeypatch.setattr(batches, "CROP", batches.CROP)
    monkeypatch.setattr(batches, "LARGEST_REGION", batches.LARGEST_REGION)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run([*command, PROGRAM, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    program = runpy.run_path(str(PROGRAM))
    with torch.random.fork_rng(devices=[]):
        for case in program["CASES"]:
            expected = program["trained"](case)
            found, other = (load_file(tmp_path / f"{case}-{rank}.safetensors") for rank in range(2))
            assert found.keys() == expected.keys()
            for name, value in expected.items():
                # What a softmax is indifferent to gets rounding as its gradient, and Adam's steps
                # are as large for it as for any other.
                near = {"rtol": 1e-7, "atol": 1e-9 * float(value.abs().max())}
                torch.testing.assert_close(found[name], value, **near, msg=f"{case}: {name}")
                assert torch.equal(found[name], other[name]), f"{case}: {name}"


def drawn(kind, *, seed=0, pixels=24):
    """Return the batches of an epoch, targets and how a patch is to be told from others."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, 3, (17, 13))
    chosen = np.argwhere(rng.random(targets.shape) < 0.4)
    made = kind(chosen, targets, batch_size=pixels, class_balance=0.5, device=CPU)
    return list(made.epoch(torch.Generator().manual_seed(seed)))


def patches(batch, side=5):
    """Return the patch of each pixel of a batch, whichever region it is cut from."""
    number = torch.arange(17.0 * 13).view(1, 17, 13) + 1
    padded = pad_scene(number, side)
    if batch.corners is None:
        return gather_windows(padded, batch.rows, batch.cols, side)
    height, width = (each + side - 1 for each in batch.size)
    regions = torch.stack(
        [padded[:, r : r + height, c : c + width] for r, c in batch.corners.tolist()]
    )
    return gather_windows(regions, batch.rows, batch.cols, side, regions=batch.regions)


@given(
    kind=st.sampled_from([Patches, Region, Crops]), size=st.integers(1, 5),
    seed=st.integers(0, 9), cut=st.booleans(),
)  # fmt: skip
def test_the_parts_of_a_batch_are_its_pixels(kind, size, seed, cut):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "CROP", 6)
        whole = drawn(kind, seed=seed)[-1]
    parts = [part_of(whole, rank=rank, size=size, cut=cut) for rank in range(size)]
    places = torch.cat([part.part.places for part in parts])
    assert torch.equal(places.sort().values, torch.arange(len(whole.truth)))
    assert max(len(part.truth) for part in parts) - min(len(part.truth) for part in parts) <= 1
    assert torch.equal(torch.cat([part.truth for part in parts]), whole.truth[places])
    assert torch.equal(torch.cat([patches(part) for part in parts]), patches(whole)[places])
    if cut and kind is Region and size > 1:  # the trunk is shared, too
        assert all(np.prod(part.size) < np.prod(whole.size) for part in parts)

    scores = torch.randn(len(whole.truth), 3, dtype=torch.float64)
    expected = batch_loss(scores, whole, label_smoothing=0.2)
    found = [batch_loss(scores[part.part.places], part, label_smoothing=0.2) for part in parts]
    torch.testing.assert_close(sum(found), expected)


def test_a_step_of_too_few_pixels_is_refused():
    whole = drawn(Patches)[0]
    with pytest.raises(UsageError, match=r"processes cannot share a step of \d+ .*\n.*--batch"):
        part_of(whole, rank=0, size=len(whole.truth) + 1, cut=True)


def test_each_patch_is_turned_as_among_all():
    squares = torch.arange(7 * 2 * 9.0).view(7, 2, 3, 3)
    whole = random_dihedral(squares, torch.Generator().manual_seed(1))
    places = torch.tensor([5, 0, 2])
    part = random_dihedral(squares[places], torch.Generator().manual_seed(1), part=(places, 7))
    assert torch.equal(part, whole[places])


@pytest.mark.parametrize(
    "dropping", [nn.Dropout(0.5), nn.Dropout2d(0.5), StochasticDepth(0.5)], ids=str
)
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_what_is_dropped_is_drawn_for_all(dropping, order):
    network = PatchNetwork(
        trunk=nn.Identity(), head=dropping, bands=3, classes=3, patch_size=4, receptive_field=1
    )
    assert not drops_in_trunk(network)
    whole = drawn(Patches)[0]
    x = torch.randn(len(whole.truth), 3, 4, 4).contiguous(memory_format=order)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        expected = network.head(x)
        assert 0 < (expected == 0).double().mean() < 1
        for rank in range(2):
            torch.manual_seed(2)
            part = part_of(whole, rank=rank, size=2, cut=True)
            with in_step(network, part, summed=lambda values: values):
                found = network.head(x[part.part.places])
            assert torch.equal(found, expected[part.part.places])
        torch.manual_seed(2)
        assert torch.equal(network.head(x), expected)  # as before


class Pretended(Ranks):
    """Two ranks, of which the other always says the same."""

    def __init__(self, rank, other):
        process = Launched(
            rank=rank, size=2, local_rank=rank, local_size=2, address=("", 0), kept=False,
            restarts=0,
        )  # fmt: skip
        super().__init__(process, CPU)
        self.other = list(other)

    def gathered(self, said):
        return [said, self.other.pop(0)] if self.first else [self.other.pop(0), said]


def fail():
    raise UsageError("no such scene")


def test_what_fails_in_one_rank_ends_all_and_is_said_by_the_first():
    assert Pretended(0, [None]).agreed(lambda: 7) == 7
    with pytest.raises(UsageError, match=r"^no such scene$"):
        Pretended(0, [None]).agreed(fail)
    with pytest.raises(UsageError, match=r"^in process 1 of 2: no such file$"):
        Pretended(0, [("no such file", 2)]).agreed(lambda: 7)
    for other, work in (([None], fail), ([("no such scene", 2)], lambda: 7)):
        with pytest.raises(SystemExit) as ended:
            Pretended(1, other).agreed(work)
        assert ended.value.code == 2


def test_ranks_that_would_learn_from_different_things_are_refused():
    facts = {"scene": "a", "split": "b", "version of torch": "2"}
    Pretended(0, [("there", facts), None]).check_alike(facts)
    other = facts | {"split": "c", "version of torch": "1"}
    named = "process 1, on there, has another split and another version of torch than process 0"
    with pytest.raises(RunError, match=named):
        Pretended(0, [("there", other), None]).check_alike(facts)


def test_only_a_lost_connection_is_said_to_be_one():
    process = Pretended(1, []).launched
    lost = "[/sources/gloo/transport/tcp/pair.cc:553] Connection closed by peer [::1]:1. Perhaps"
    said = r"reached: Connection closed .*\nProcess 1 of 2 ends"
    with pytest.raises(RunError, match=said), unbroken(process):
        raise RuntimeError(lost)
    with pytest.raises(RuntimeError, match="shapes differ"), unbroken(process):
        raise RuntimeError("shapes differ")
