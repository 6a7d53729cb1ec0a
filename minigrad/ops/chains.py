"""Products of vectors and of more than two matrices: outer products added up, chains, powers, Vandermonde matrices."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Array, as_dtype
from minigrad.autograd import op, raw, wrap
from minigrad.ops.cumulative import cumprod
from minigrad.ops.dims import axis_of, numpy_names
from minigrad.ops.elementwise import mul
from minigrad.ops.indexing import copy
from minigrad.ops.linalg import matmul
from minigrad.ops.matrix import inv
from minigrad.ops.old_order import numbers_first
from minigrad.ops.reduction import sum
from minigrad.ops.shape import cat, clone, flip, narrow, reshape, unsqueeze


@numbers_first(3, "beta", "alpha")
def addr(input: Array, vec1: Array, vec2: Array, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta · input + alpha · (the outer product of two vectors), `input` being broadcast."""
    if raw(vec1).ndim != 1 or raw(vec2).ndim != 1:
        raise RuntimeError(f"addr: Expected 1-D argument vec1 and vec2, but got {raw(vec1).ndim}-D and {raw(vec2).ndim}-D")
    return _addr(input, vec1, vec2, *_fitting("addr", (len(raw(vec1)), len(raw(vec2))), input, vec1, beta, alpha))


@op(promote=True, order="C")
def _addr(c: Array, a: Array, b: Array, /, beta: float, alpha: float) -> Any:
    product = a.reshape((-1, 1)) * b * alpha
    value = product + c * beta if beta else product
    if raw(c).dtype == bool:
        return (value != 0,)
    return value, lambda g: g * beta, lambda g: (g @ b) * alpha, lambda g: (a @ g) * alpha


@numbers_first(3, "beta", "alpha")
def addbmm(input: Array, batch1: Array, batch2: Array, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta · input + alpha · (the sum of all products of two batches of matrices), `input` being broadcast."""
    a, b = raw(batch1).shape, raw(batch2).shape
    if len(a) != 3 or len(b) != 3 or a[0] != b[0] or a[2] != b[1]:
        raise RuntimeError(f"addbmm: expected two batches of shapes (p, n, k) and (p, k, m), got {list(a)} and {list(b)}")
    if not raw(input).dtype == raw(batch1).dtype == raw(batch2).dtype:
        raise RuntimeError(f"addbmm: expected tensors of one dtype, got {raw(input).dtype}, {raw(batch1).dtype} and "
                           f"{raw(batch2).dtype}")
    return _addbmm(input, batch1, batch2, *_fitting("addbmm", (a[1], b[2]), input, batch1, beta, alpha))


@op
def _addbmm(c: Array, a: Array, b: Array, /, beta: float, alpha: float) -> Any:
    product = (a @ b).sum(0) * alpha
    value = product + c * beta if beta else product
    return value, lambda g: g * beta, lambda g: (g @ b.swapaxes(1, 2)) * alpha, lambda g: (a.swapaxes(1, 2) @ g) * alpha


def _fitting(name: str, shape: tuple[int, int], x: Array, factor: Array, beta: float, alpha: float) -> tuple[float, float]:
    """The factors, integers for integers, if x can be added to a product of this shape."""
    try:
        fits = np.broadcast_shapes(raw(x).shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise RuntimeError(f"{name}: input of shape {list(raw(x).shape)} is not broadcastable to the shape {list(shape)} of the "
                           "product")
    return (beta, alpha) if "f" in (raw(x).dtype.kind, raw(factor).dtype.kind) else (int(beta), int(alpha))


def multi_dot(tensors: Sequence[Array]) -> Any:
    """The product of two or more matrices, in the order that takes the fewest multiplications.

    The first may be a vector, which is a row, and so may be the last, which is a column.
    """
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    for i, x in enumerate(tensors):
        ends = i in (0, len(tensors) - 1)
        if raw(x).ndim not in ((1, 2) if ends else (2,)):
            raise RuntimeError(f"multi_dot(): tensor {i} must be {'1D or 2D' if ends else '2D'} but got {raw(x).ndim}D")
        if raw(x).dtype != raw(tensors[0]).dtype:
            raise RuntimeError(f"multi_dot(): all tensors must have the same dtype but got {as_dtype(raw(tensors[0]).dtype)} and "
                               f"{as_dtype(raw(x).dtype)}")
    first, last = tensors[0], tensors[-1]
    matrices = [unsqueeze(first, 0) if raw(first).ndim == 1 else first, *tensors[1:-1],
                unsqueeze(last, 1) if raw(last).ndim == 1 else last]  # fmt: skip
    sizes = [raw(matrices[0]).shape[0], *(raw(x).shape[1] for x in matrices)]
    for x, rows in zip(matrices, sizes, strict=False):
        if raw(x).shape[0] != rows:
            raise RuntimeError(f"multi_dot(): tensors of shapes {', '.join(str(list(raw(x).shape)) for x in tensors)} cannot be "
                               "multiplied: columns of one must be as many as rows of the next")

    shape = raw(first).shape[:-1] + (raw(last).shape[1:] if raw(last).ndim == 2 else ())
    return reshape(_product(matrices, tuple(sizes)), shape)


def _product(matrices: list[Array], sizes: tuple[int, ...]) -> Any:
    if len(matrices) == 1:
        return matrices[0]
    k = _cheapest(sizes)[1]
    return matmul(_product(matrices[:k], sizes[: k + 1]), _product(matrices[k:], sizes[k:]))


@lru_cache(maxsize=1024)
def _cheapest(sizes: tuple[int, ...]) -> tuple[int, int]:
    """How many multiplications a chain of matrices takes at least, and how many of them are in the first factor then.

    Matrix i has ``sizes[i]`` rows and ``sizes[i + 1]`` columns.
    """
    ways = [(_cheapest(sizes[: k + 1])[0] + _cheapest(sizes[k:])[0] + sizes[0] * sizes[k] * sizes[-1], k)
            for k in range(1, len(sizes) - 1)]  # fmt: skip
    return min(ways, default=(0, 0))


def matrix_power(input: Array, n: int) -> Any:
    """The product of `n` factors, each of them the square matrix `input`, or a batch of such; of its inverse for a negative `n`."""
    shape = raw(input).shape
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise RuntimeError(f"linalg.matrix_power: A must be batches of square matrices, but its shape is {list(shape)}")
    if n < 0:
        return matrix_power(inv(input), -n)
    if n == 0:
        return copy(input, wrap(np.eye(shape[-1], dtype=raw(input).dtype)))
    square, result = input, None
    while True:  # by the binary digits of n, the last one first
        n, digit = divmod(n, 2)
        if digit:
            result = square if result is None else matmul(result, square)
        if not n:
            return clone(result) if result is input else result
        square = matmul(square, square)


@numpy_names
def vecdot(x: Array, y: Array, *, dim: int = -1) -> Any:
    """The dot products of vectors that lie along `dim`, the other dimensions being broadcast."""
    axis_of(dim, raw(x).ndim)
    if raw(x).dtype.kind != "f":
        raise RuntimeError(f"linalg.vecdot: Expected a floating point tensor as input. Got {as_dtype(raw(x).dtype)}")
    return sum(mul(x, y), dim)


def linalg_vander(x: Array, *, N: int | None = None) -> Any:
    """The powers x⁰, x¹, ..., xᴺ⁻¹ of each number in a last dimension of their own; as many as there are numbers without `N`."""
    x = x if raw(x).ndim else reshape(x, 1)
    count = raw(x).shape[-1] if N is None else N
    if count <= 1:
        raise RuntimeError("linalg.vander: N must be greater than 1.")
    ones = wrap(np.ones((*raw(x).shape, 1), np.int64 if raw(x).dtype == bool else raw(x).dtype))
    powers = cumprod(mul(unsqueeze(x, -1), wrap(np.ones(count - 1, raw(ones).dtype))), -1)
    return cat([ones, powers], -1)


def vander(x: Array, N: int | None = None, increasing: bool = False) -> Any:
    """The powers of the numbers in a vector, in columns, the highest first unless `increasing`; as many as numbers without `N`."""
    if raw(x).ndim != 1:
        raise RuntimeError(f"vander(): x must be a one-dimensional tensor, got {raw(x).ndim} dimensions")
    count = raw(x).shape[0] if N is None else N
    if count < 0:
        raise RuntimeError(f"vander(): N must be non-negative, got {count}")
    powers = narrow(linalg_vander(x, N=max(count, 2)), -1, 0, count)
    return powers if increasing else flip(powers, -1)
