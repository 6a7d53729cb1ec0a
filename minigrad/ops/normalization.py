"""Normalisation: subtract the mean, divide by the standard deviation, then scale and shift by learned values.

Batch, layer, group and instance normalisation differ only in the elements over which the mean is taken.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import HALF, SINGLE, Array, as_dtype
from minigrad.arrays.sums import ones, total
from minigrad.autograd import cast, count_change, is_grad_enabled, needs_grad, op, raw
from minigrad.autograd.views import lies_as
from minigrad.ops.dims import axis_of
from minigrad.ops.elementwise import attached, rsqrt
from minigrad.ops.reduction import mean

# What stands between here and the operations is there for speed: each does for arrays, in one or two passes through memory,
# what it does for tensors in an expression.


LONG = 2**15  # longer rows are added pairwise: one number after the other would err by 1e-5 for a million of float32


def _total(x: Array, axes: tuple[int, ...]) -> Array:
    """The sum over `axes` (the first, the last ones, or both), which stay, with size 1.

    Products with ones: for (64, 16, 196) and axes 0 and 2 it takes 20 instead of 74 µs.
    """
    if not isinstance(x, np.ndarray):
        return x.sum(axis=axes, keepdims=True) if axes else x
    kept = [1 if a in axes else n for a, n in enumerate(x.shape)]
    for a in axes:
        if a == 0:
            x = total(x, (0,), keepdim=True)
        elif x.shape[-1] <= LONG:
            x = x @ ones(x.shape[-1], x.dtype)
        else:
            x = np.add.reduce(x, -1)
    return x.reshape(kept)


def _dot(a: Array, b: Array, axes: tuple[int, ...]) -> Array:
    """``_total(a * b, axes)``."""
    if axes == (a.ndim - 1,) and isinstance(a, np.ndarray) and a.shape[-1] <= LONG:  # without the array of the products
        return np.vecdot(a, b)[..., None]
    return _total(a * b, axes)


def _along(x: Array, p: Array) -> Array:
    """What is the same for all ``x[i]``, written out in the shape and the order in memory that they have.

    To multiply (64, 16, 196) by (1, 16, 196) takes 30 µs, by (1, 16, 1) 90, and 370 where channels come last in memory.
    """
    if not isinstance(x, np.ndarray) or len(x) < 2 or len(p) > 1 or p.shape[1:] == x.shape[1:]:
        return p
    whole = np.empty_like(x[:1])
    whole[...] = p
    return whole


# ---- the operations --------------------------------------------------------------------------------------------------


def _name(kind: str, *_: Any) -> str:
    return f"Native{kind}NormBackward0"


def _seen_as(shape: tuple[int, ...], p: Array) -> Array:
    return p if isinstance(p, float) else p.reshape(shape)


@op(name=_name, in_single=True, order="C")
def _normalise(
    x: Array, weight: Array, bias: Array, /, kind: str, view: tuple[int, ...], over: tuple[int, ...], per: tuple[int, ...],
    eps: float, moments: list[Any],
) -> Any:
    """(x - mean) / √(variance + eps) · weight + bias.

    x is seen in the shape `view`, and the mean taken over the axes `over` of that; weight and bias (or 1.0 and 0.0) are
    seen in the shape `per`. Mean and variance are left in `moments`.
    """
    shape, x, n = x.shape, x.reshape(view), math.prod(view[a] for a in over) or 1  # of no values the mean is 0
    middle = _total(x, over) / n
    d = x - _along(x, middle)
    variance = _dot(d, d, over) / n
    moments[:] = raw(middle), raw(variance)
    inverse = 1 / np.sqrt(variance + eps)
    scale = _along(x, inverse * _seen_as(per, weight))
    value = d * scale
    if not isinstance(bias, float):
        value += _along(x, bias.reshape(per))
    repeated = tuple(a for a, size in enumerate(per) if size == 1 != view[a])  # axes along which weight and bias are

    def to_x(g: Array) -> Array:
        g = g.reshape(view) * scale
        result = d * _along(d, inverse * inverse * _dot(g, d, over) / -n)
        result += g
        result -= _along(d, _total(g, over) / n)
        return result.reshape(shape)

    def to_weight(g: Array) -> Array:
        inner = tuple(a for a in over if a in repeated)  # along these `inverse` is the same: sum first, then multiply
        outer = tuple(a for a in repeated if a not in inner)
        sums = _dot(g.reshape(view), d, inner)
        if outer and len(view) == 2:  # many rows, each with a factor of its own
            return (inverse.T @ sums).reshape(weight.shape)
        return _total(sums * inverse, outer).reshape(weight.shape)

    return value.reshape(shape), to_x, to_weight, lambda g: _total(g.reshape(view), repeated).reshape(bias.shape)


@op(name=_name, in_single=True, order="C")
def _rescale(
    x: Array, weight: Array, bias: Array, mean: Array, variance: Array, /, kind: str, view: tuple[int, ...], per: tuple[int, ...],
    eps: float,
) -> Any:
    """The same with mean and variance known beforehand."""
    given, shape, x, mean = x, x.shape, x.reshape(view), mean.reshape(per)
    inverse = 1 / np.sqrt(variance.reshape(per) + eps)
    scale = inverse * _seen_as(per, weight)
    repeated = tuple(a for a, size in enumerate(per) if size == 1 != view[a])
    value = x * _along(x, scale)
    value += _along(x, _seen_as(per, bias) - mean * scale)
    return (
        value.reshape(shape),
        lambda g: attached((g.reshape(view) * _along(x, scale)).reshape(shape), given),
        lambda g: (_dot(g.reshape(view), x - _along(x, mean), repeated) * inverse).reshape(weight.shape),
        lambda g: _total(g.reshape(view), repeated).reshape(bias.shape),
    )


# ---- under torch's names ---------------------------------------------------------------------------------------------


def _check(name: str, x: Any, shape: tuple[int, ...], **parameters: Any) -> None:
    """Parameters, as far as there are any, must have this shape and the dtype of x; beside float16, float32 is right as well."""
    if x.dtype.kind != "f":
        raise NotImplementedError(f"{name}(): not implemented for {as_dtype(x.dtype)}; convert the input first, as in x.float()")
    dtypes = (HALF, SINGLE) if x.dtype == HALF else (x.dtype,)
    for what, p in parameters.items():
        if p is not None and (raw(p).shape != shape or raw(p).dtype not in dtypes):
            raise RuntimeError(f"{name}(): for an input of shape {list(x.shape)} and dtype {x.dtype}, {what} should have the shape "
                               f"{list(shape)} and the same dtype, but it has {list(raw(p).shape)} and {raw(p).dtype}")


def _given(weight: Any, bias: Any) -> tuple[Any, Any]:
    return 1.0 if weight is None else weight, 0.0 if bias is None else bias


def _several(shape: tuple[int, ...], values: int) -> None:
    if values == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {list(shape)}: one value alone "
                         "has no variance")


def batch_norm(
    input: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None, training: bool = False,
    momentum: float = 0.1, eps: float = 1e-5,
) -> Any:
    """Normalise each channel over the batch and all its places: in training with their mean and variance, else with running ones.

    Parameters
    ----------
    input : Tensor of shape (n, channels) or (n, channels, ...)
        float16, float32 or float64.
    running_mean, running_var : Tensor of shape (channels), or None
        In training they are moved, in place, towards mean and (unbiased) variance of this batch; otherwise they are used.
    weight, bias : Tensor of shape (channels), optional
        What to multiply the result by, and then to add.
    training : bool
        Use the mean and the (biased) variance of this batch.
    momentum : float
        How much this batch counts for in the running values.
    eps : float
        Added to the variance before its square root is taken.

    Raises
    ------
    ValueError
        If there is one value per channel in training, or one of the running values without the other; if `eps` is negative, or 0
        in training.
    RuntimeError
        If shapes or dtypes do not fit, or running values are missing outside training, or require a gradient.
    """
    if eps < 0 or (training and eps == 0):
        raise ValueError(f"batch_norm eps must be {'positive during training' if training else 'non-negative'}, but got {eps}")
    x, running = raw(input), (running_mean, running_var)
    if x.ndim < 2:
        raise (IndexError if running_mean is None else RuntimeError)("batch_norm(): expected an input of shape (n, channels, ...), "
                                                                     f"got shape {list(x.shape)}")
    channels, missing = x.shape[1], (running_mean is None) + (running_var is None)
    if missing == 1 if training else missing:
        raise (ValueError if training else RuntimeError)("batch_norm(): give both running_mean and running_var, or in training "
                                                         "neither of them")
    if is_grad_enabled() and any(map(needs_grad, running)):
        raise RuntimeError("batch_norm(): there is no derivative for running_mean and running_var; they cannot require a gradient")
    _check("batch_norm", x, (channels,), weight=weight, bias=bias, running_mean=running_mean, running_var=running_var)
    view, per = (*x.shape[:2], math.prod(x.shape[2:])), (1, channels, 1)
    if not training:
        return lies_as(_rescale(input, *_given(weight, bias), *running, "Batch", view, per, eps), [input], "L")
    n, moments = x.size // max(channels, 1), []  # type: ignore[var-annotated]
    _several(x.shape, n)
    result = _normalise(input, *_given(weight, bias), "Batch", view, (0, 2), per, eps, moments)
    if not missing and n:
        for old, new in zip(running, (moments[0], moments[1] * (n / (n - 1))), strict=True):
            _move(old, new.reshape(-1), momentum)
    return lies_as(result, [input], "L")


def layer_norm(
    input: Any, normalized_shape: Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Normalise over the last dimensions: over those of `normalized_shape`, the shape of weight and bias as well.

    Raises
    ------
    RuntimeError
        If the input does not end in these dimensions, or shapes or dtypes do not fit otherwise.
    """
    lead, shape = _ends_in(normalized_shape, raw(input).shape)
    _check("layer_norm", raw(input), shape, weight=weight, bias=bias)
    n = math.prod(shape)
    return _normalise(input, *_given(weight, bias), "Layer", (math.prod(lead), n), (1,), (1, n), eps, [])


def _ends_in(normalized_shape: Sequence[int], shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """`shape` in two parts, of which the second is `normalized_shape`."""
    if not isinstance(normalized_shape, (tuple, list)):
        raise TypeError(f"normalized_shape must be a tuple of ints, not {type(normalized_shape).__name__}")
    ending = tuple(normalized_shape)
    if not ending or shape[-len(ending) :] != ending:
        raise RuntimeError(f"Given normalized_shape={list(ending)}, expected at least one dimension, and an input that ends "
                           f"in them, but got input of size {list(shape)}")
    return shape[: -len(ending)], ending


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Normalise each sample of shape (channels, ...) over groups of neighbouring channels; weight and bias are per channel.

    Raises
    ------
    RuntimeError
        If the channels cannot be divided into so many groups, or shapes or dtypes do not fit otherwise.
    ValueError
        If there is one value alone to be normalised.
    """
    x = raw(input)
    if x.ndim < 2 or num_groups < 0 or x.shape[1] % num_groups:
        raise RuntimeError("group_norm(): expected an input of shape (n, channels, ...), and a positive num_groups that divides "
                           f"the number of channels, but got num_groups={num_groups} and shape {list(x.shape)}")
    _several(x.shape, x.size // num_groups)
    _check("group_norm", x, x.shape[1:2], weight=weight, bias=bias)
    view = (len(x), num_groups, x.shape[1] // num_groups, math.prod(x.shape[2:]))
    result = _normalise(input, *_given(weight, bias), "Group", view, (2, 3), (1, *view[1:3], 1), eps, [])
    return lies_as(result, [input], "L")


def instance_norm(
    input: Any, running_mean: Any = None, running_var: Any = None, weight: Any = None, bias: Any = None,
    use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:
    """Normalise each channel of each sample over its places: `group_norm` with one channel to a group.

    Parameters
    ----------
    input : Tensor of shape (n, channels, ...)
        float16, float32 or float64.
    running_mean, running_var : Tensor of shape (channels), optional
        They are moved, in place, towards the mean over the samples of their means and (unbiased) variances.
    weight, bias : Tensor of shape (channels), optional
        What to multiply the result by, and then to add.
    use_input_stats : bool
        False: use the running values, as `batch_norm` does outside training.
    momentum, eps : float
        As in `batch_norm`.

    Raises
    ------
    ValueError
        If there is one value per channel.
    RuntimeError
        If shapes or dtypes do not fit, or running values are needed and missing.
    """
    x = raw(input)
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    n, channels, places = len(x), x.shape[axis_of(1, x.ndim)], math.prod(x.shape[2:])
    if places == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {list(x.shape)}")
    _check("instance_norm", x, (channels,), weight=weight, bias=bias, running_mean=running_mean, running_var=running_var)
    moments: list[Any] = []
    view = (n, channels, 1, places)
    result = _normalise(input, *_given(weight, bias), "Group", view, (2, 3), (1, channels, 1, 1), eps, moments)
    for old, new in ((running_mean, moments[0]), (running_var, moments[1] * (places / max(places - 1, 1)))):
        if old is not None:
            _move(old, new.reshape(n, channels).mean(0), momentum)
    return result


def _move(running: Any, new: Any, momentum: float) -> None:
    """Move a running value, in place, towards a new one."""
    running.array *= 1 - momentum
    running.array += momentum * new
    count_change(running)


def rms_norm(input: Any, normalized_shape: Sequence[int], weight: Any = None, eps: float | None = None) -> Any:
    """Divide by the root of the mean square over the last dimensions, those of `normalized_shape`; nothing is subtracted.

    `eps` is added to the mean square; by default, it is what separates 1 from the next number.
    """
    if raw(input).ndim < len(normalized_shape):
        raise ValueError(f"Input tensor must have at least {len(normalized_shape)} dimensions, but got {raw(input).ndim}")
    lead, shape = _ends_in(normalized_shape, raw(input).shape)
    _check("rms_norm", raw(input), shape, weight=weight)
    x = cast(input, SINGLE) if raw(input).dtype == HALF else input
    square = mean(x**2, tuple(range(len(lead), raw(x).ndim)), True)
    result = x * rsqrt(square + (float(np.finfo(raw(x).dtype).eps) if eps is None else eps))
    result = result if weight is None else result * weight
    return result if x is input else cast(result, HALF)
