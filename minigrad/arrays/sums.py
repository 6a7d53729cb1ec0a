"""Sums of arrays, as exact as torch's and faster than NumPy's, and small arrays that are kept for reuse."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import HALF, SINGLE, Array

BLOCK = 512


def total(x: np.ndarray[Any, Any], axes: tuple[int, ...], keepdim: bool = False) -> Any:
    """Floating-point x summed along `axes`, as exactly as torch does it.

    NumPy adds pairwise only along the last axis. Elsewhere it adds row after row, which errs by 1e-4 for a million rows. Here rows
    are added by products with ones, `BLOCK` at a time. That is faster, too: 2.2 to 0.1 ms for (100000, 8) float32, 7.9 to 2.7 µs
    for (64, 10).
    """
    if x.dtype == HALF:
        return np.add.reduce(x, axes, dtype=SINGLE, keepdims=keepdim).astype(HALF)  # type: ignore[call-overload]
    shape, last = x.shape, x.ndim - 1
    if not axes or last in axes or axes != tuple(range(axes[0], axes[-1] + 1)) or not x.flags.c_contiguous or not x.size:
        return np.add.reduce(x, axes, keepdims=keepdim)  # type: ignore[call-overload]
    front, back = shape[: axes[0]], shape[axes[-1] + 1 :]
    rows = x.reshape(math.prod(front), -1, math.prod(back))
    while rows.shape[1] > 2 * BLOCK:
        whole = rows.shape[1] // BLOCK * BLOCK
        blocks = rows[:, :whole].reshape(rows.shape[0], -1, BLOCK, rows.shape[2])
        rows = np.concatenate([ones(BLOCK, x.dtype) @ blocks, rows[:, whole:]], 1)
    return (ones(rows.shape[1], x.dtype) @ rows).reshape((*front, *((1,) * (len(axes) if keepdim else 0)), *back))


def sum_rows(g: Any) -> Any:
    """``g.sum(0)`` of a matrix, as a product with ones: 18 times faster for (12544, 16) float32 (182 to 10 µs)."""
    if not isinstance(g, np.ndarray):
        return g.sum(0)
    return ones(g.shape[0], g.dtype) @ g if g.shape[0] <= 2 * BLOCK else total(g, (0,))


def unbroadcast(g: Array, shape: tuple[int, ...]) -> Array:
    """`g` summed over the axes along which an operand of `shape` was repeated to the shape of `g`.

    To repeat a value is to use it several times, so its derivative is the sum of theirs.
    """
    lead = g.ndim - len(shape)
    if lead == 1 and g.shape[1:] == shape and g.ndim == 2:
        return sum_rows(g)
    repeated = tuple(range(lead)) + tuple(i + lead for i, n in enumerate(shape) if n == 1 and g.shape[i + lead] != 1)
    if isinstance(g, np.ndarray):
        return total(g, repeated, True).reshape(shape)
    return g.sum(axis=repeated, keepdims=True).reshape(shape)


def _kept(make: Callable[..., Any]) -> Callable[..., Any]:
    """Keep small arrays for the next time (0.1 µs instead of 1.2). They are read-only."""

    @functools.lru_cache(maxsize=64)
    def kept(*args: Any) -> Any:
        array = make(*args)
        array.flags.writeable = False
        return array

    @functools.wraps(make)
    def get(n: int, *dtype: Any) -> Any:
        return kept(n, *dtype) if n <= 2**14 else make(n, *dtype)

    return get


@_kept
def ones(n: int, dtype: Any) -> Array:
    """A vector of ones."""
    return np.ones(n, getattr(dtype, "numpy", dtype))


@_kept
def count_up(n: int) -> Array:
    """The numbers 0 to n - 1."""
    return np.arange(n)
