"""Random layers beside dropout, as functions: alpha dropout, which keeps mean and variance, and `rrelu`, of random slopes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import random
from minigrad.arrays.dtypes import Array
from minigrad.autograd import op, wrap
from minigrad.autograd.views import empty_in_order_of
from minigrad.tensors.tensor import Tensor

_FLOOR = -1.7580993408473766  # where `selu` ends for very negative numbers


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """In training, each element is replaced by the floor of `selu` with probability `p` (Klambauer et al., 2017).

    Then all are scaled and shifted, so that mean 0 and variance 1 stay what they are.

    Raises
    ------
    ValueError
        If `p` is not between 0 and 1.
    """
    return _drop(input, empty_in_order_of(input), p, training, inplace)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """`alpha_dropout` of whole channels, which lie along the second dimension."""
    if input.ndim < 2 and training and p and input.numel():
        raise RuntimeError(f"Feature dropout requires at least 2 dimensions in the input, got {input.ndim}")
    return _drop(input, np.empty((*input.shape[:2], *[1] * (input.ndim - 2)), input.array.dtype), p, training, inplace)


def _drop(input: Tensor, noise: Any, p: float, training: bool, inplace: bool) -> Tensor:
    """Alpha dropout of what one element of `noise`, an array to be filled, decides on."""
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0 or input.numel() == 0:
        return input
    if p == 1:
        return input.mul_(0) if inplace else input * 0
    random.bernoulli_(noise, 1 - p)
    scale = 1 / math.sqrt((_FLOOR * _FLOOR * p + 1) * (1 - p))
    shift = (noise - 1) * noise.dtype.type(-_FLOOR * scale) + noise.dtype.type(-_FLOOR * scale * p)
    noise *= noise.dtype.type(scale)
    return input.mul_(wrap(noise)).add_(wrap(shift)) if inplace else input * wrap(noise) + wrap(shift)


def rrelu(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """`leaky_relu` with a slope that is drawn for each element, between `lower` and `upper`; their mean outside of training.

    Raises
    ------
    RuntimeError
        If `lower` is larger than `upper`, or one of them is not finite.
    """
    if not (math.isfinite(lower) and math.isfinite(upper) and lower <= upper):
        raise RuntimeError(f"rrelu: lower and upper must be finite, and lower not larger than upper, got {lower} and {upper}")
    array = input.array
    slopes, negative = np.ones(array.shape, array.dtype), array <= 0
    slopes[negative] = random.uniform(int(negative.sum()), np.float64, lower, upper) if training else (lower + upper) / 2
    result = _sloped(input, slopes)
    return input.copy_(result) if inplace else result


@op(linear=True, name="RreluWithNoiseBackward0")
def _sloped(x: Array, /, slopes: Any) -> Any:
    return x * slopes, lambda g: g * slopes
