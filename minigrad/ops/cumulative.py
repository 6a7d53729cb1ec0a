"""Running products, extremes and sums along a dimension, and differences of neighbours (`cumsum` is in `reduction`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Array, as_dtype
from minigrad.autograd import cast, op, raw, wrap
from minigrad.ops.comparison import logical_xor
from minigrad.ops.dims import WIDER, axis_of, floating, numpy_names
from minigrad.ops.elementwise import sub
from minigrad.ops.reduction import at_places, cumsum
from minigrad.ops.shape import cat, clone, narrow

# NumPy's type hints have no place for `accumulate` of any dtype.
_multiply: Any = np.multiply
_logaddexp: Any = np.logaddexp


@numpy_names
def cumprod(input: Array, dim: int, *, dtype: Any = None) -> Any:
    """Running products along `dim`; integers and bools are multiplied as int64."""
    return _cumprod(input if dtype is None else cast(input, as_dtype(dtype).numpy), axis_of(dim, raw(input).ndim))


@op(order="C")
def _cumprod(x: Array, /, axis: int) -> Any:
    kind = x.dtype if raw(x).dtype.kind == "f" else np.dtype(np.int64)
    if not x.ndim:
        return x.astype(kind) if isinstance(x, np.ndarray) else x, lambda g: g
    if isinstance(x, np.ndarray):
        out: Any = _multiply.accumulate(x, axis, dtype=WIDER.get(kind, kind)).astype(kind)
    else:
        out = _cumprod(x, axis)

    def rule(g: Array) -> Array:
        if (raw(x) != 0).all():
            return _sums_behind(g * out, axis) / x
        # For each element, the products without it: those of a square of copies with ones on the diagonal.
        row, h, n = x.swapaxes(axis, -1), g.swapaxes(axis, -1), x.shape[axis]
        others = np.where(np.eye(n, dtype=bool), 1, np.broadcast_to(row.reshape((*row.shape[:-1], 1, n)), (*row.shape, n)))
        products = _cumprod(others, others.ndim - 1) * np.triu(np.ones((n, n), raw(x).dtype))
        return (products * h.reshape((*h.shape[:-1], 1, n))).sum(axis=-1).swapaxes(axis, -1)

    return out, rule


def _sums_behind(x: Array, axis: int) -> Any:
    """For each element, the sum of it and all after it."""
    return np.flip(cumsum(np.flip(x, axis), axis), axis)


@numpy_names
def cummax(input: Array, dim: int) -> Any:
    """``(values, indices)`` of the largest element so far along `dim`; of equal ones, the last."""
    return _extreme_so_far(np.maximum, "cummax", input, dim)


@numpy_names
def cummin(input: Array, dim: int) -> Any:
    """``(values, indices)`` of the smallest element so far along `dim`; of equal ones, the last."""
    return _extreme_so_far(np.minimum, "cummin", input, dim)


def _extreme_so_far(extreme: Any, name: str, x: Array, dim: int) -> Any:
    array, axis = np.atleast_1d(raw(x)), axis_of(dim, raw(x).ndim)
    found = extreme.accumulate(array, axis)
    here = np.arange(array.shape[axis]).reshape([-1 if i == axis else 1 for i in range(array.ndim)])
    places = np.maximum.accumulate(np.where((array == found) | np.isnan(array), here, 0), axis)
    return at_places(name, x, wrap(places.reshape(raw(x).shape)), dim)


@numpy_names
def logcumsumexp(input: Array, dim: int) -> Any:
    """log Σ exp(input) of the elements so far along `dim`, without overflow."""
    floating("logcumsumexp", input)
    return _logcumsumexp(input, axis_of(dim, raw(input).ndim), False)


@op(in_single=True, order="C")
def _logcumsumexp(x: Array, /, axis: int, backwards: bool) -> Any:
    if not x.ndim:
        return raw(x).copy(), lambda g: g
    if isinstance(x, np.ndarray):
        sums = _logaddexp.accumulate(np.flip(x, axis) if backwards else x, axis)
        out: Any = np.flip(sums, axis) if backwards else sums
    else:
        out = _logcumsumexp(x, axis, backwards)

    def rule(g: Array) -> Array:
        """Σ g exp(x - out) over the elements after it, in logarithms, of positive and negative g separately."""
        size, least = np.log(np.abs(g)), float(np.finfo(raw(x).dtype).min)
        plus, minus = (_logcumsumexp(np.where(sign, size, least) - out, axis, not backwards) + x for sign in (g > 0, g < 0))
        return np.exp(plus) - np.exp(minus)

    return out, rule


@numpy_names
def diff(input: Array, n: int = 1, dim: int = -1, prepend: Array = None, append: Array = None) -> Any:
    """Each element along `dim` minus the one before it, `n` times over; of bools, where they differ.

    `prepend` and `append` are first put before and after the elements.
    """
    if not raw(input).ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    if n == 0:
        return clone(input)
    if prepend is not None or append is not None:
        input = cat([x for x in (prepend, input, append) if x is not None], dim)
    for _ in range(n):
        size = raw(input).shape[axis_of(dim, raw(input).ndim)]
        later, earlier = (narrow(input, dim, start, max(size - 1, 0)) for start in (min(1, size), 0))
        input = logical_xor(later, earlier) if raw(input).dtype == np.bool_ else sub(later, earlier)
    return input
