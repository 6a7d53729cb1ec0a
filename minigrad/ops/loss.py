"""Loss functions as single operations: the value, reduced, and its derivatives (`nn.functional` checks arguments).

`reduction` is "none", "sum" or "mean" everywhere. Targets have a derivative where torch gives them one, weights none.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Array
from minigrad.arrays.sums import count_up, ones
from minigrad.autograd import op, raw
from minigrad.ops.activation import logsigmoid
from minigrad.ops.elementwise import gate, sigmoid

# ---- of class indices ------------------------------------------------------------------------------------------------


@op(in_single=True)
def nll_loss(log_probs: Array, target: Array, weight: Array, /, ignore_index: int, reduction: str) -> Any:
    """What each row of `log_probs` (n, classes) says of its class in `target` (n), negated, times the class's weight.

    Parameters
    ----------
    weight : array of shape (classes), or 1.0
        What each class counts for; the mean is divided by the sum of what the rows count for.
    ignore_index : int
        A target that is left out, of the mean, too.

    Raises
    ------
    IndexError
        If there is no such class.
    """
    rows, classes, counts = _rows_that_count(raw(log_probs), target, weight, ignore_index)
    value, scale = _weighed(raw(log_probs)[rows, classes], rows, counts, len(target), reduction)
    width = log_probs.shape[1]
    return value, lambda g: gate(g[..., None] * -scale, log_probs, _one_hot(target, width))


@op(name="NllLossBackward0", in_single=True)
def cross_entropy(x: Array, target: Array, weight: Array, /, ignore_index: int, reduction: str) -> Any:
    """`nll_loss` of the `log_softmax` of each row of `x`, in one pass, without the arrays in between."""
    n, width = x.shape
    shifted = x - _row_maxima(raw(x))
    powers = np.exp(shifted)
    total = np.dot(powers, ones(width, x.dtype)[:, None])  # twice as fast as powers.sum(axis=1) where rows are short
    rows, classes, counts = _rows_that_count(raw(x), target, weight, ignore_index)
    log_total = np.log(raw(total))[:, 0]
    log_probs = raw(shifted)[rows, classes] - (log_total if counts is None else log_total[rows])
    value, scale = _weighed(log_probs, rows, counts, n, reduction)
    if counts is None:
        return value, lambda g: (powers / total - _one_hot(target, width)) * (g[..., None] * scale)
    kept = (target != ignore_index)[:, None]

    def rule(g: Array) -> Array:
        scaled = np.where(kept, g[..., None] * scale, 0)  # nothing goes back to rows that are ignored, not even a nan
        if np.isfinite(scale).all():
            return (powers / total - _one_hot(target, width)) * scaled
        return powers / total * scaled - gate(scaled, x, _one_hot(target, width))  # weights of 0 only: inf goes as far as in torch

    return value, rule


def _row_maxima(x: Any) -> Any:
    """``x.max(1, keepdims=True)``; short rows are turned into columns first (for 256 × 10: 11.5 to 3.2 µs)."""
    return np.maximum.reduce(x.T.copy())[:, None] if x.shape[1] < 64 else np.maximum.reduce(x, axis=1, keepdims=True)


def _rows_that_count(x: Any, target: Any, weight: Any, ignore_index: int) -> tuple[Any, Any, Any]:
    """Rows whose target is not to be ignored, their targets, and what each counts for: None where all rows count 1."""
    n, width = x.shape
    plain = isinstance(weight, float)
    # In the common case one comparison is enough: read as uint64, a negative number is a huge one.
    if plain and not 0 <= ignore_index < width and (n == 0 or np.maximum.reduce(target.view(np.uint64)) < width):
        return count_up(n), target, None
    rows = np.flatnonzero(target != ignore_index)
    classes = target[rows]
    wrong = classes[(classes < 0) | (classes >= width)]
    if wrong.size:
        raise IndexError(f"Target {wrong[0]} is out of bounds: there are {width} classes, 0 to {width - 1}.")
    return rows, classes, np.ones(len(rows), x.dtype) if plain else weight[classes]


def _weighed(log_probs: Any, rows: Any, counts: Any, n: int, reduction: str) -> tuple[Any, Any]:
    """The reduced loss, and what the gradient of each row has to be multiplied by: one number, or a column of n."""
    if counts is None:
        if reduction == "none":
            return -log_probs, 1.0
        value = 0 - np.add.reduce(log_probs)
        return (value, 1.0) if reduction == "sum" else (value / n if n else value * np.nan, 1 / max(n, 1))
    scale = np.zeros((n, 1), log_probs.dtype)
    scale[rows, 0] = counts
    if reduction == "none":
        value = np.zeros(n, log_probs.dtype)
        value[rows] = -log_probs * counts
        return value, scale
    value = 0 - (log_probs * counts).sum()
    if reduction == "sum":
        return value, scale
    scale[rows, 0] /= counts.sum()
    return value / counts.sum(), scale


def _one_hot(target: Any, width: int) -> Any:
    return target[:, None] == count_up(width)


# ---- of pairs of elements --------------------------------------------------------------------------------------------


def _reduced(losses: Any, reduction: str) -> tuple[Any, int]:
    """The reduced value, and the number by which the gradient of each element has to be divided."""
    if reduction == "none":
        return losses, 1
    value = np.add.reduce(losses, axis=None)
    if reduction == "sum":
        return value, 1
    return value / losses.size if losses.size else value * np.nan, max(losses.size, 1)


@op(promote=True, in_single=True)
def mse_loss(x: Array, y: Array, /, reduction: str) -> Any:
    """(x - y)²."""
    d = x - y
    value, n = _reduced(raw(d) * raw(d), reduction)
    return value, lambda g: g * (2 / n) * d, lambda g: g * (-2 / n) * d


@op(promote=True, in_single=True)
def smooth_l1_loss(x: Array, y: Array, /, reduction: str, beta: float) -> Any:
    """(x - y)² / 2beta where |x - y| < beta, and |x - y| - beta/2 elsewhere."""
    return _rounded_corner(x - y, reduction, beta, 1 / beta)


@op(promote=True, in_single=True)
def huber_loss(x: Array, y: Array, /, reduction: str, delta: float) -> Any:
    """(x - y)² / 2 where |x - y| <= delta, and delta · (|x - y| - delta/2) elsewhere."""
    return _rounded_corner(x - y, reduction, delta, 1.0)


def _rounded_corner(d: Array, reduction: str, width: float, scale: float) -> Any:
    """scale · d² / 2 where |d| < width, and straight on from there."""
    size = np.abs(raw(d))
    near = np.minimum(size, width)
    value, n = _reduced(near * (size - near / 2) * scale, reduction)

    def rule(g: Array) -> Array:
        return g / n * (np.clip(d, -width, width) * scale)

    return value, rule, lambda g: -rule(g)


_BCE_FLOOR = float(np.float32(1e-12))  # torch's, a float32 constant; keeps the derivative finite at 0 and 1


@op(name="SoftMarginLossBackward0", promote=True, in_single=True)
def soft_margin(x: Array, target: Array, /, reduction: str) -> Any:
    """log(1 + exp(-target · x)); torch has no derivative for the target."""
    z = np.exp(-target * x)
    value, n = _reduced(np.log1p(raw(z)), reduction)
    return value, lambda g: g / n * (-target * z / (z + 1))


@op(promote=True, in_single=True)
def binary_cross_entropy(p: Array, target: Array, weight: Array, /, reduction: str) -> Any:
    """-(target · log p + (1 - target) · log(1 - p)), no logarithm being taken for less than -100."""
    q, t = raw(p), raw(target)
    losses = (t - 1) * np.maximum(np.log1p(-q), -100) - t * np.maximum(np.log(q), -100)
    value, n = _reduced(losses * weight, reduction)
    return (
        value,
        lambda g: g / n * weight * ((p - target) / np.maximum((1 - p) * p, _BCE_FLOOR)),
        lambda g: g / n * weight * (np.log1p(-p) - np.log(p)),
    )


@op(promote=True, in_single=True)
def binary_cross_entropy_with_logits(
    x: Array, target: Array, weight: Array, pos_weight: Array, /, reduction: str
) -> Any:
    """`binary_cross_entropy` of sigmoid(x), exact for any x; terms with the target 1 count `pos_weight` times."""
    positives = target * (pos_weight - 1) + 1
    value, n = _reduced(((1 - raw(target)) * raw(x) - raw(positives) * logsigmoid(raw(x))) * weight, reduction)
    return (
        value,
        lambda g: g / n * weight * (1 - target - positives * sigmoid(-x)),
        lambda g: g / n * weight * -(x + (pos_weight - 1) * logsigmoid(x)),
    )
