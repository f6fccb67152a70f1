"""The loss of deep supervised cross-modal retrieval, in its terms.

Equations 2 to 8 of L. Zhen et al., "Deep Supervised Cross-Modal Retrieval", CVPR 2019; with means
in place of sums, as in the authors' own code, so that weights do not depend on the batch.
"""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor
from torch.linalg import vector_norm

# The cosine of a place at the origin is 0, and its gradient stays small.
SHORTEST = 1e-6


class LossTerms(NamedTuple):
    """What the loss adds up; each a scalar."""

    labels: Tensor
    """Distance between predicted and true labels, a mean over rows, of both modalities."""
    likelihood: Tensor
    """Negative log-likelihood that pairs of one class are alike: within and between modalities."""
    invariance: Tensor
    """Distance between the two places of each row, a mean over rows."""

    def total(self, *, alpha: float, beta: float) -> Tensor:
        """Return ``labels + alpha * likelihood + beta * invariance``."""
        return self.labels + alpha * self.likelihood + beta * self.invariance


def cross_modal_loss(
    u: Tensor, v: Tensor, *, predicted_u: Tensor, predicted_v: Tensor, targets: Tensor
) -> LossTerms:
    """Return the terms of the loss of a batch of pairs.

    Parameters
    ----------
    u, v : Tensor
        ``(N, dimensions)`` places of both modalities in the common space.
    predicted_u, predicted_v : Tensor
        ``(N, classes)`` labels that are predicted from them.
    targets : Tensor
        ``(N,)`` int64, the class of each pair.
    """
    truth = F.one_hot(targets, predicted_u.shape[1]).to(predicted_u.dtype)
    alike = (targets[:, None] == targets[None, :]).to(u.dtype)
    return LossTerms(
        labels=vector_norm(predicted_u - truth, dim=1).mean()
        + vector_norm(predicted_v - truth, dim=1).mean(),
        likelihood=_likelihood(u, v, alike) + _likelihood(u, u, alike) + _likelihood(v, v, alike),
        invariance=vector_norm(u - v, dim=1).mean(),
    )


def _likelihood(one: Tensor, other: Tensor, alike: Tensor) -> Tensor:
    """Return the mean of ``log(1 + exp(G)) - S G``, where G is half the cosine of each pair."""
    halves = F.normalize(one, eps=SHORTEST) @ F.normalize(other, eps=SHORTEST).T / 2
    return (F.softplus(halves) - alike * halves).mean()
