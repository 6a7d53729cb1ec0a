"""Initial values of parameters, under the names of `torch.nn.init`. The same seed gives torch's numbers.

Every function fills its tensor in place, without recording it, and returns it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Collection
from typing import Any

import numpy as np

from minigrad import random
from minigrad.autograd import count_change, unwrapped
from minigrad.random import Stream
from minigrad.tensors.tensor import Tensor


def _changed(tensor: Tensor) -> Tensor:
    """Count a change of the tensor's memory."""
    count_change(tensor)
    return tensor


def _check_dims(tensor: Tensor, allowed: Collection[int], words: str) -> None:
    if tensor.ndim not in allowed:
        raise ValueError(f"Only tensors with {words} dimensions are supported, got shape {list(tensor.shape)}")


def calculate_gain(nonlinearity: str, param: Any = None) -> float:
    """By what to multiply the standard deviation of weights before a nonlinearity, so that variances stay as they are.

    Parameters
    ----------
    nonlinearity : str
        "linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu", or a convolution ("conv2d").
    param : float, optional
        The negative slope of "leaky_relu". Default: 0.01.

    Raises
    ------
    ValueError
        For another nonlinearity, or a slope that is no number.

    Examples
    --------
    >>> calculate_gain("relu")
    1.4142135623730951
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    convolutions = [f"conv{transposed}{n}d" for transposed in ("", "_transpose") for n in (1, 2, 3)]
    gains = {"tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 3.0 / 4}
    gains |= dict.fromkeys(["linear", "sigmoid", *convolutions], 1.0)
    if nonlinearity not in gains:
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}; use one of {', '.join(gains)}, leaky_relu")
    return gains[nonlinearity]


# ---- plain -----------------------------------------------------------------------------------------------------------


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Stream = None) -> Tensor:
    """Fill with uniform numbers of [a, b)."""
    random.uniform_(tensor.array, unwrapped(a), unwrapped(b), generator)
    return _changed(tensor)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Stream = None) -> Tensor:
    """Fill with normal numbers."""
    random.normal_(tensor.array, unwrapped(mean), unwrapped(std), generator)
    return _changed(tensor)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number."""
    tensor.array[...] = val
    return _changed(tensor)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with the identity: ones on the diagonal, zeros elsewhere."""
    _check_dims(tensor, (2,), "2")
    tensor.array[...] = np.eye(*tensor.shape)
    return _changed(tensor)


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill the weights of a convolution, of 3 to 5 dimensions, so that it passes its channels on unchanged."""
    _check_dims(tensor, (3, 4, 5), "3, 4, or 5")
    if tensor.shape[0] % groups:
        raise ValueError(f"dim 0 must be divisible by groups, got {tensor.shape[0]} and {groups}")
    per_group = tensor.shape[0] // groups
    centre = tuple(n // 2 for n in tensor.shape[2:])
    zeros_(tensor)
    for group in range(groups):
        for channel in range(min(per_group, tensor.shape[1])):
            tensor.array[(group * per_group + channel, channel, *centre)] = 1
    return tensor


# ---- by the size of the layer ----------------------------------------------------------------------------------------


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """How many numbers each output of a layer with these weights is made of, and how many each input takes part in."""
    if tensor.ndim < 2:
        raise ValueError(f"Fan in and fan out can not be computed for tensor with fewer than 2 dimensions, got {tensor.shape}")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Stream = None) -> Tensor:
    """Fill with uniform numbers of variance 2 gain² / (fan_in + fan_out) (Glorot and Bengio, 2010)."""
    bound = math.sqrt(3.0) * (gain * math.sqrt(2.0 / sum(_calculate_fan_in_and_fan_out(tensor))))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Stream = None) -> Tensor:
    """Fill with normal numbers of variance 2 gain² / (fan_in + fan_out) (Glorot and Bengio, 2010)."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(_calculate_fan_in_and_fan_out(tensor))), generator)


def kaiming_uniform_(tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
                     generator: Stream = None) -> Tensor:  # fmt: skip
    """Fill with uniform numbers of variance gain² / fan (He et al., 2015).

    Parameters
    ----------
    a : float
        The negative slope of the "leaky_relu" after the layer.
    mode : str
        "fan_in" to keep variances in the forward pass, "fan_out" to keep them in the backward pass.
    nonlinearity : str
        What follows the layer; see `calculate_gain`.

    Raises
    ------
    ValueError
        If the tensor has fewer than two dimensions, or mode or nonlinearity is unknown.
    """
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
                    generator: Stream = None) -> Tensor:  # fmt: skip
    """Fill with normal numbers of variance gain² / fan; see `kaiming_uniform_`."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if tensor.numel() == 0:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return 1.0
    modes = ["fan_in", "fan_out"]
    if mode.lower() not in modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {modes}")
    return calculate_gain(nonlinearity, a) / math.sqrt(_calculate_fan_in_and_fan_out(tensor)[modes.index(mode.lower())])


# ---- with a condition ------------------------------------------------------------------------------------------------


def trunc_normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
                  generator: Stream = None) -> Tensor:  # fmt: skip
    """Fill with normal numbers of [a, b]: numbers outside are drawn again, so the standard deviation becomes smaller."""
    mean, std, a, b = map(unwrapped, (mean, std, a, b))
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn("mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be incorrect.",
                      stacklevel=2)
    below_a, below_b = ((1.0 + math.erf((x - mean) / std / math.sqrt(2.0))) / 2.0 for x in (a, b))  # share of the numbers
    fill = _redraw_normals if below_b - below_a > 0.3 else _accept_uniforms  # where most normal numbers would be rejected
    fill(tensor.array, mean, std, a, b, generator)
    return _changed(tensor)


def _redraw_normals(array: Any, mean: float, std: float, a: float, b: float, generator: Stream) -> None:
    low, high = array.dtype.type(a), array.dtype.type(b)
    random.normal_(array, mean, std, generator)
    while (outside := (array < low) | (array > high)).any():
        again = random.normal_(np.empty_like(array), mean, std, generator)
        array[outside] = again[outside]


def _accept_uniforms(array: Any, mean: float, std: float, a: float, b: float, generator: Stream) -> None:
    """Take uniform numbers of [a, b], each with the probability that the normal density there bears to its peak."""
    log_peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
    pending = np.ones(array.shape, bool)
    while pending.any():
        drawn = random.uniform_(np.empty_like(array), a, b, generator)
        array[pending] = drawn[pending]
        log_density = ((drawn - mean) / std) ** 2 * -0.5 - log_peak
        with np.errstate(divide="ignore"):
            pending &= np.log(random.uniform_(np.empty_like(array), generator=generator)) > log_density


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Stream = None) -> Tensor:
    """Fill with a (semi-)orthogonal matrix; dimensions after the first are taken as one (Saxe et al., 2013).

    The factor comes from another linear-algebra library than torch's: the numbers agree to rounding.
    """
    _check_dims(tensor, range(2, 65), "2 or more")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    flat = random.normal((rows, tensor.numel() // rows), tensor.array.dtype, generator=generator)
    q, r = np.linalg.qr(flat if rows >= flat.shape[1] else flat.T)
    q = q * np.sign(np.diagonal(r))  # makes it uniform among all orthogonal matrices (Mezzadri, 2006)
    tensor.array[...] = ((q if rows >= flat.shape[1] else q.T) * gain).reshape(tensor.shape)
    return _changed(tensor)


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Stream = None) -> Tensor:
    """Fill a matrix with normal numbers, and set the share `sparsity` of each column to zero (Martens, 2010)."""
    _check_dims(tensor, (2,), "2")
    normal_(tensor, 0.0, std, generator)
    rows, columns = tensor.shape
    for column in range(columns):
        tensor.array[random.randperm(rows)[: math.ceil(sparsity * rows)], column] = 0  # as torch: not from `generator`
    return tensor
