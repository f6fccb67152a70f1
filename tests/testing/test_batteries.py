"""The batteries for networks and attention of one's own: what they let pass, and what they find."""

import pytest
import torch
from torch import nn

from hsi.backbones import BACKBONES
from hsi.errors import UsageError
from hsi.layers.attention import ATTENTIONS
from hsi.models import MODELS, PatchNetwork
from hsi.testing import CheckFailedError, check_attention, check_model

# One of each kind: 2-D and 3-D with batch norms, spectra alone, attention over positions.
TRAINED = ("hybridsn-dw", "cnn1d-hu", "ssftt")


@pytest.mark.slow
def test_all_own_networks_pass(small_network, counted, how_many):
    name = small_network.name
    # An attention over positions has nothing to weigh where there is one.
    side = 9 if name == "ssftt" else small_network.patch_size
    check_model(
        name, bands=max(8, small_network.bands), patch_size=side,
        trainable=name in how_many(TRAINED, (name,)),
    )  # fmt: skip
    counted("extensions", "networks that pass their battery")


@pytest.mark.slow
def test_all_own_estimators_pass(estimator_name, counted):
    check_model(estimator_name, bands=9, patch_size=1)
    counted("extensions", "networks that pass their battery")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_all_image_networks_pass(name, counted, how_many):
    # Otherwise a small one: they share their code.
    if name not in how_many(("shufflenet_v2_x0_5",), BACKBONES):
        pytest.skip("with --long")
    check_model(name, bands=9, patch_size=33, trainable=how_many(False, True))
    counted("extensions", "networks that pass their battery")


@pytest.mark.parametrize("name", ATTENTIONS)
def test_all_own_attention_passes(name, counted):
    check_attention(name)
    counted("extensions", "attention blocks that pass their battery")


def test_names_that_there_are_not():
    with pytest.raises(UsageError, match="did you mean 'hybridsn'"):
        check_model("hybridsm")
    with pytest.raises(UsageError, match="did you mean 'cbam'"):
        check_attention("cbamm")


class Block(nn.Module):
    """An attention block like any other."""

    def __init__(self, channels):
        super().__init__()
        self.linear = nn.Linear(channels, channels)

    def forward(self, x):
        return x * self.weights(x)[:, :, None, None]

    def weights(self, x):
        return self.linear(x.mean(dim=(2, 3))).sigmoid()


class OfAnotherShape(Block):
    def forward(self, x):
        return super().forward(x)[..., :-1] if x.shape[3] > 6 else super().forward(x)


class OfTheBatch(Block):
    def weights(self, x):
        return self.linear(x.mean(dim=(0, 2, 3), keepdim=True)[:, :, 0, 0]).sigmoid()


class Dropping(Block):
    def forward(self, x):
        return nn.functional.dropout(super().forward(x), 0.2, training=True)


class InPlace(Block):
    def forward(self, x):
        return x.mul_(self.weights(x)[:, :, None, None])


class Dividing(Block):
    def forward(self, x):
        return super().forward(x) / x.abs().amax(dim=(2, 3), keepdim=True)


class Idle(Block):
    def __init__(self, channels):
        super().__init__(channels)
        self.more = nn.Parameter(torch.ones(channels))


class Forgetful(Block):
    def __init__(self, channels):
        super().__init__(channels)
        self.factor = float(torch.rand(()))

    def forward(self, x):
        return super().forward(x) * self.factor


BLOCKS = [
    (OfAnotherShape, "the shape is kept"),
    (OfTheBatch, "each image is treated as if it were alone"),
    (InPlace, "the input is left alone"),
    (Dividing, "values stay finite"),
    (Idle, "every weight learns"),
    (Forgetful, "weights go through a file"),
]


@pytest.mark.parametrize(("block", "promise"), BLOCKS, ids=[each.__name__ for each, _ in BLOCKS])
def test_blocks_that_break_a_promise(block, promise, counted):
    check_attention(Block)
    with pytest.raises(CheckFailedError) as failed:
        check_attention(block)
    assert str(failed.value).startswith(f"{block.__name__} breaks a promise: {promise}")
    counted("extensions", "broken networks, blocks and readers that are found")


def test_a_block_that_draws_is_found():
    with pytest.raises(CheckFailedError, match=r"alone|same bits"):
        check_attention(Dropping)


def network(*, trunk=None, head=None, field=3):
    """Return a builder whose parts can be exchanged."""

    def build(*, bands, classes, patch_size, norm="batch", dropout=0.4):
        if min(bands, classes, patch_size) < 1:
            raise UsageError("sizes are at least 1")
        window = patch_size - field + 1
        layers = nn.Sequential(nn.Conv2d(bands, 4, 3), nn.ReLU())
        last = nn.Sequential(nn.Flatten(), nn.Linear(4 * window**2, classes))
        return PatchNetwork(
            trunk=trunk(bands) if trunk else layers,
            head=head(4, window, classes) if head else last,
            bands=bands, classes=classes, patch_size=patch_size, receptive_field=field,
        )  # fmt: skip

    return build


class Head(nn.Module):
    def __init__(self, channels, window, classes):
        super().__init__()
        self.linear = nn.Linear(channels * window**2, classes)

    def forward(self, x):
        return self.linear(x.flatten(1))


class AgainstTheBatch(Head):
    def forward(self, x):
        return super().forward(x - x.mean(dim=0, keepdim=True))


class Unused(Head):
    def __init__(self, channels, window, classes):
        super().__init__(channels, window, classes)
        self.more = nn.Linear(3, 3)


class Once(Head):
    def forward(self, x):
        return super().forward(x)[:1]


class Keeping(Head):
    """What it has seen is no part of its state."""

    def __init__(self, channels, window, classes):
        super().__init__(channels, window, classes)
        self.seen = 0.0

    def forward(self, x):
        if self.training:
            self.seen += float(x.detach().abs().mean())
        scores = super().forward(x)
        return scores + self.seen * torch.arange(scores.shape[1])


def careless(*, bands, classes, patch_size, norm="batch", dropout=0.4):
    return network()(bands=max(1, bands), classes=max(1, classes), patch_size=max(3, patch_size))


def padded(bands):
    return nn.Conv2d(bands, 4, 3, padding=1)


def of_two_draws(bands):
    layer = nn.Conv2d(bands, 4, 3)
    nn.init.normal_(layer.weight, generator=torch.Generator().manual_seed(torch.seed() % 2**31))
    return layer


NETWORKS = {
    "once": (network(head=Once), "patches become logits"),
    "careless": (careless, "what it cannot take is refused"),
    "padded": (
        network(trunk=padded, field=1),
        "a trunk gives the same for a scene as for its patches",
    ),
    "two-draws": (network(trunk=of_two_draws), "the same seed gives the same weights"),
    "batch": (network(head=AgainstTheBatch), "the logits of a patch depend on the patch alone"),
    "unused": (network(head=Unused), "every weight learns"),
    "keeping": (network(head=Keeping), "a trained network goes through a file"),
}


@pytest.fixture
def registered(monkeypatch):
    """Return a function that makes a network known for a test, whatever is wrong with it."""
    return lambda name, build: monkeypatch.setitem(MODELS, name, build)


def test_a_network_of_ones_own_passes(registered):
    registered("own", network())
    check_model("own", bands=9, patch_size=5)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_that_break_a_promise(registered, counted, name):
    build, promise = NETWORKS[name]
    registered(name, build)
    with pytest.raises(CheckFailedError) as failed:
        check_model(name, bands=9, patch_size=5)
    assert str(failed.value).startswith(f"{name} breaks a promise: {promise}")
    counted("extensions", "broken networks, blocks and readers that are found")
