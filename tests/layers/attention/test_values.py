"""What the attention blocks compute, against their papers' definitions in NumPy.

Images are ``(N, C, h, w)``, and ``w`` are weights by name.
"""

import math

import numpy as np
import pytest
import torch

from hsi.layers.attention import ATTENTIONS


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x, axis):
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def pointwise(x, w, layer):
    """Apply a 1x1 convolution to (N, C, ...)."""
    matrix = w[f"{layer}.weight"]
    out = np.einsum("oc,nc...->no...", matrix.reshape(matrix.shape[:2]), x)
    bias = w.get(f"{layer}.bias")
    return out if bias is None else out + bias.reshape(-1, *[1] * (x.ndim - 2))


def batch_norm(x, w, layer):
    mean, var, scale, shift = (
        w[f"{layer}.{part}"].reshape(-1, *[1] * (x.ndim - 2))
        for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / np.sqrt(var + 1e-5) * scale + shift


def convolution(x, kernels, *, dilation=1, groups=1):
    """Correlate, padded so that the size stays, by adding up shifted images."""
    side = kernels.shape[2]
    margin = dilation * (side // 2)
    padded = np.pad(x, ((0, 0), (0, 0), (margin, margin), (margin, margin)))
    N, C, h, w = x.shape
    out = np.zeros((N, len(kernels), h, w))
    of_group, out_of_group = C // groups, len(kernels) // groups
    for o in range(len(kernels)):
        first = o // out_of_group * of_group
        for i, j in np.ndindex(side, side):
            part = padded[
                :, first : first + of_group, i * dilation : i * dilation + h,
                j * dilation : j * dilation + w,
            ]  # fmt: skip
            out[:, o] += np.einsum("c,nchw->nhw", kernels[o, :, i, j], part)
    return out


def numpy_se(x, w):
    hidden = np.maximum(pointwise(x.mean((2, 3)), w, "fc1"), 0)
    return x * sigmoid(pointwise(hidden, w, "fc2"))[:, :, None, None]


def numpy_eca(x, w):
    means, kernel = x.mean((2, 3)), w["conv.weight"].ravel()
    weights = np.stack([np.convolve(row, kernel[::-1], mode="same") for row in means])
    return x * sigmoid(weights)[:, :, None, None]


def numpy_cbam(x, w):
    def shared(pooled):
        return pointwise(np.maximum(pointwise(pooled, w, "mlp.0"), 0), w, "mlp.2")

    x = x * sigmoid(shared(x.mean((2, 3))) + shared(x.max((2, 3))))[:, :, None, None]
    pooled = np.stack([x.mean(1), x.max(1)], axis=1)
    return x * sigmoid(batch_norm(convolution(pooled, w["conv.weight"]), w, "norm"))


def numpy_sk(x, w):
    three, five = (
        np.maximum(
            batch_norm(
                convolution(x, w[f"branches.{n}.0.weight"], dilation=n + 1, groups=4),
                w, f"branches.{n}.1",
            ), 0,
        )
        for n in range(2)
    )  # fmt: skip
    hidden = pointwise((three + five).mean((2, 3)), w, "fuse.0")
    scores = pointwise(np.maximum(batch_norm(hidden, w, "fuse.1"), 0), w, "select")
    # With two branches a softmax is a sigmoid of the difference.
    share = sigmoid(scores[:, : x.shape[1]] - scores[:, x.shape[1] :])[:, :, None, None]
    return share * three + (1 - share) * five


def numpy_da(x, w):
    flat = x.reshape(*x.shape[:2], -1)
    query, key, value = (pointwise(flat, w, layer) for layer in ("query", "key", "value"))
    out = flat.copy()
    for n in range(len(x)):
        for j in range(flat.shape[2]):
            share = softmax(key[n].T @ query[n][:, j], 0)
            out[n, :, j] += w["position_scale"] * (value[n] @ share)
        for j in range(flat.shape[1]):
            share = softmax(flat[n] @ flat[n][j], 0)
            out[n, j] += w["channel_scale"] * (share @ flat[n])
    return out.reshape(x.shape)


def numpy_ca(x, w):
    def mixed(means):
        hidden = batch_norm(pointwise(means, w, "mix.0"), w, "mix.1")
        return hidden * np.clip(hidden + 3, 0, 6) / 6

    rows = sigmoid(pointwise(mixed(x.mean(3)), w, "of_rows"))
    cols = sigmoid(pointwise(mixed(x.mean(2)), w, "of_cols"))
    return x * rows[:, :, :, None] * cols[:, :, None, :]


def numpy_mhsa(x, w, heads=4):
    N, C = x.shape[:2]
    places = x.reshape(N, C, -1).transpose(0, 2, 1)
    parts = places @ w["to_parts.weight"].T + w["to_parts.bias"]
    out = np.zeros_like(places)
    d = C // heads
    for n, head in np.ndindex(N, heads):
        query, key, value = (
            parts[n][:, part * C + head * d : part * C + (head + 1) * d] for part in range(3)
        )
        share = softmax(query @ key.T / math.sqrt(d), 1)
        out[n, :, head * d : (head + 1) * d] = share @ value
    mixed = out @ w["mix.weight"].T + w["mix.bias"]
    return x + mixed.transpose(0, 2, 1).reshape(x.shape)


def numpy_se_var1(x, w):
    return x * sigmoid(x.mean((2, 3), keepdims=True))


def numpy_se_var2(x, w):
    return x * sigmoid(w["weight"] * x.mean((2, 3), keepdims=True))


def numpy_se_var3(x, w):
    matrix = w["fc.weight"][:, :, 0, 0]
    return x * sigmoid(x.mean((2, 3)) @ matrix.T)[:, :, None, None]


REFERENCES = {
    "se": (numpy_se, {"reduction": 3}), "eca": (numpy_eca, {}),
    "cbam": (numpy_cbam, {"reduction": 3}), "sk": (numpy_sk, {"groups": 4, "smallest": 5}),
    "da": (numpy_da, {"reduction": 4}), "ca": (numpy_ca, {"smallest": 5}),
    "mhsa": (numpy_mhsa, {"heads": 4}), "se-var1": (numpy_se_var1, {}),
    "se-var2": (numpy_se_var2, {}), "se-var3": (numpy_se_var3, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTENTIONS)
@pytest.mark.parametrize("size", [(5, 7), (1, 1), (2, 9)])
def test_values_equal_the_definition_in_numpy(drawn, image, name, size):
    reference, options = REFERENCES[name]
    block = drawn(name, 12, **options)
    x = image(3, 12, *size)
    weights = {key: value.numpy() for key, value in block.state_dict().items()}
    with torch.no_grad():
        found = block(x).numpy()
    np.testing.assert_allclose(found, reference(x.numpy(), weights), rtol=1e-10, atol=1e-10)
