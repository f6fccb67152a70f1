"""Each term of the loss, against its equation in NumPy."""

import numpy as np
import pytest
import torch

from hsi.retrieval import cross_modal_loss


@pytest.fixture(params=range(5))
def batch(request):
    """Places, predicted labels and targets, in float64."""
    rng = np.random.default_rng(request.param)
    number, dimensions, classes = rng.integers(2, 9), rng.integers(1, 7), rng.integers(2, 5)
    return {
        "u": rng.normal(size=(number, dimensions)),
        "v": 3 * rng.normal(size=(number, dimensions)),
        "predicted_u": rng.normal(size=(number, classes)),
        "predicted_v": rng.normal(size=(number, classes)),
        "targets": rng.integers(0, classes, number),
    }


def terms(batch):
    return cross_modal_loss(
        *(torch.from_numpy(batch[name]) for name in ("u", "v")),
        **{name: torch.from_numpy(batch[name]) for name in list(batch)[2:]},
    )


def test_labels(batch):
    truth = np.eye(batch["predicted_u"].shape[1])[batch["targets"]]
    expected = sum(
        np.sqrt(((batch[name] - truth) ** 2).sum(axis=1)).mean()
        for name in ("predicted_u", "predicted_v")
    )
    assert float(terms(batch).labels) == pytest.approx(expected)


def test_likelihood(batch):
    u, v, targets = batch["u"], batch["v"], batch["targets"]
    alike = targets[:, None] == targets
    expected = 0.0
    for one, other in ((u, v), (u, u), (v, v)):
        lengths = np.outer(np.linalg.norm(one, axis=1), np.linalg.norm(other, axis=1))
        halves = 0.5 * (one @ other.T) / lengths
        expected += (np.log(1 + np.exp(halves)) - alike * halves).mean()
    assert float(terms(batch).likelihood) == pytest.approx(expected)


def test_invariance(batch):
    expected = np.sqrt(((batch["u"] - batch["v"]) ** 2).sum(axis=1)).mean()
    assert float(terms(batch).invariance) == pytest.approx(expected)


def test_total_is_weighted(batch):
    found = terms(batch)
    expected = float(found.labels) + 0.25 * float(found.likelihood) + 4 * float(found.invariance)
    assert float(found.total(alpha=0.25, beta=4)) == pytest.approx(expected)


def test_modalities_may_be_exchanged(batch):
    other = {
        "u": batch["v"], "v": batch["u"], "predicted_u": batch["predicted_v"],
        "predicted_v": batch["predicted_u"], "targets": batch["targets"],
    }  # fmt: skip
    for one, two in zip(terms(batch), terms(other), strict=True):
        assert float(one) == pytest.approx(float(two))


def test_gradients_are_finite_where_norms_are_zero(batch):
    """The square root of a norm has no slope there."""
    u = torch.from_numpy(batch["u"])
    u[0] = 0
    u.requires_grad_()
    predicted = torch.nn.functional.one_hot(torch.from_numpy(batch["targets"])).double()
    found = cross_modal_loss(
        u, u.detach().clone(), predicted_u=predicted, predicted_v=predicted,
        targets=torch.from_numpy(batch["targets"]),
    )  # fmt: skip
    assert found.invariance.item() == found.labels.item() == 0
    found.total(alpha=1.0, beta=1.0).backward()
    assert u.grad.isfinite().all()
