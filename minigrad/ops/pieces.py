"""Joining and cutting under other names, written in terms of `cat`, `narrow` and `reshape` (see `shape`)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Array
from minigrad.autograd import TensorBase, op, raw, wrap
from minigrad.ops.dims import axis_of, numpy_names
from minigrad.ops.indexing import index_select
from minigrad.ops.shape import _some, axis_of_some, cat, diag, flip, meshgrid, narrow, reshape, split, stack, unsqueeze

# ---- cutting ---------------------------------------------------------------------------------------------------------------


@numpy_names
def split_with_sizes(input: Array, split_sizes: Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """Cut along `dim` into pieces of the given sizes."""
    if isinstance(split_sizes, int):
        raise TypeError("split_with_sizes(): argument 'split_sizes' must be a tuple of ints, not int; use split for one size")
    return split(input, list(split_sizes), dim)


def tensor_split(input: Array, indices_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Cut along `dim` into so many pieces, the first ones larger by one if need be, or before each of the given indices.

    Examples
    --------
    >>> import minigrad as torch
    >>> tensor_split(torch.arange(5), 2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    >>> tensor_split(torch.arange(5), (1, 3))
    (tensor([0]), tensor([1, 2]), tensor([3, 4]))
    """
    size = raw(input).shape[axis_of_some("tensor_split", input, dim)]
    if isinstance(indices_or_sections, TensorBase):
        if indices_or_sections.array.dtype != np.int64 or indices_or_sections.array.ndim > 1:
            raise RuntimeError("tensor_split expected tensor_indices_or_sections to be int64 and of at most 1 dimension, got "
                               f"{indices_or_sections.array.dtype} of shape {list(indices_or_sections.array.shape)}")
        indices_or_sections = indices_or_sections.array.tolist()
    if isinstance(indices_or_sections, int):
        n = indices_or_sections
        if n <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {n}")
        cuts = [size // n * i + min(i, size % n) for i in range(1, n)]
    else:
        cuts = [min(max(i + size if i < 0 else i, 0), size) for i in indices_or_sections]
    return tuple(narrow(input, dim, begin, max(end - begin, 0)) for begin, end in zip([0, *cuts], [*cuts, size], strict=True))


def _split_along(name: str, x: Array, at: Any, dim: int, least: int) -> tuple[Any, ...]:
    shape = raw(x).shape
    if len(shape) < least:
        raise RuntimeError(f"torch.{name} requires a tensor with at least {least} dimension, but got a tensor with {len(shape)} "
                           "dimensions!")
    if isinstance(at, int) and (at <= 0 or shape[dim] % at):
        raise RuntimeError(f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension {shape[dim]} is "
                           f"not divisible by the split_size {at}!")
    return tensor_split(x, at, dim)


def hsplit(input: Array, indices_or_sections: Any) -> tuple[Any, ...]:
    """`tensor_split` along the second dimension, of a vector along its only one; into pieces of one size."""
    return _split_along("hsplit", input, indices_or_sections, 1 if raw(input).ndim > 1 else 0, 1)


def vsplit(input: Array, indices_or_sections: Any) -> tuple[Any, ...]:
    """`tensor_split` along the first dimension, into pieces of one size."""
    return _split_along("vsplit", input, indices_or_sections, 0, 2)


def dsplit(input: Array, indices_or_sections: Any) -> tuple[Any, ...]:
    """`tensor_split` along the third dimension, into pieces of one size."""
    return _split_along("dsplit", input, indices_or_sections, 2, 3)


# ---- at least so many dimensions -------------------------------------------------------------------------------------------


def _each(function: Any, tensors: tuple[Any, ...]) -> Any:
    """One result for one tensor; a tuple for several, given one by one or in a sequence."""
    if len(tensors) == 1 and isinstance(tensors[0], (TensorBase, np.ndarray)):
        return function(tensors[0])
    several = tensors[0] if len(tensors) == 1 else tensors
    return tuple(function(x) for x in several)


def _at_least_1d(x: Array) -> Any:
    return x if raw(x).ndim else reshape(x, 1)


def _at_least_2d(x: Array) -> Any:
    return reshape(x, 1, 1) if raw(x).ndim == 0 else unsqueeze(x, 0) if raw(x).ndim == 1 else x


def _at_least_3d(x: Array) -> Any:
    return unsqueeze(_at_least_2d(x), -1) if 0 < raw(x).ndim < 3 else reshape(x, 1, 1, 1) if raw(x).ndim == 0 else x


def atleast_1d(*tensors: Any) -> Any:
    """A tensor without dimensions seen with one; others as they are. Of several tensors, a tuple."""
    return _each(_at_least_1d, tensors)


def atleast_2d(*tensors: Any) -> Any:
    """A vector seen as the row of a matrix, a tensor without dimensions likewise; others as they are."""
    return _each(_at_least_2d, tensors)


def atleast_3d(*tensors: Any) -> Any:
    """Tensors of fewer than 3 dimensions seen with 3: of shape (1, n, 1) for a vector, (n, m, 1) for a matrix."""
    return _each(_at_least_3d, tensors)


# ---- joining ---------------------------------------------------------------------------------------------------------------


def dstack(tensors: Any) -> Any:
    """The tensors, each with at least 3 dimensions (see `atleast_3d`), joined along the third."""
    return cat([_at_least_3d(x) for x in _some("dstack", tensors)], 2)


def column_stack(tensors: Any) -> Any:
    """Vectors as the columns of a matrix, and matrices beside each other."""
    return cat([reshape(x, -1, 1) if raw(x).ndim < 2 else x for x in _some("column_stack", tensors)], 1)


# ---- turning ---------------------------------------------------------------------------------------------------------------


def rot90(input: Array, k: int = 1, dims: Sequence[int] = (0, 1)) -> Any:
    """Turned by a quarter `k` times, from the first of two dimensions towards the second."""
    n = raw(input).ndim
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if n < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {n}")
    a, b = (axis_of(d, n) for d in dims)
    if a == b:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    return _rot90(input, k % 4, (a, b))


@op(linear=True)
def _rot90(x: Array, /, k: int, dims: tuple[int, int]) -> Any:
    return np.rot90(x, k, dims).copy(), lambda g: _rot90(g, -k % 4, dims)


def fliplr(input: Array) -> Any:
    """The elements in reverse order along the second dimension."""
    if raw(input).ndim < 2:
        raise RuntimeError(f"fliplr(): Input must be >= 2-d, got shape {list(raw(input).shape)}")
    return flip(input, 1)


def flipud(input: Array) -> Any:
    """The elements in reverse order along the first dimension."""
    if raw(input).ndim < 1:
        raise RuntimeError("flipud(): Input must be >= 1-d, got a tensor without dimensions")
    return flip(input, 0)



# ---- making matrices of pieces -----------------------------------------------------------------------------------------------


def block_diag(*tensors: Any) -> Any:
    """The matrices along the diagonal of a large one, which is 0 elsewhere; vectors are matrices of one row."""
    blocks = [atleast_2d(x) for x in tensors]
    if any(raw(x).ndim > 2 for x in blocks):
        raise RuntimeError("block_diag(): Input tensors must have 2 or fewer dimensions, got "
                           f"{[list(raw(x).shape) for x in blocks]}")
    width, before, rows = sum(raw(x).shape[1] for x in blocks), 0, []
    for x in blocks:
        height, columns = raw(x).shape
        kind = raw(x).dtype
        left, right = (wrap(np.zeros((height, n), kind)) for n in (before, width - before - columns))
        rows.append(cat([left, x, right], 1))
        before += columns
    return cat(rows, 0) if rows else wrap(np.zeros((1, 0), np.float32))


def cartesian_prod(*tensors: Any) -> Any:
    """All ways of taking one element of each vector, one a row; of a single vector, itself."""
    if any(raw(x).ndim != 1 for x in tensors):
        raise RuntimeError(f"cartesian_prod(): Expect a 1D vector, but got shapes {[list(raw(x).shape) for x in tensors]}")
    if len(tensors) == 1:
        return tensors[0]
    return stack([reshape(x, -1) for x in meshgrid(*tensors, indexing="ij")], 1)


def combinations(input: Array, r: int = 2, with_replacement: bool = False) -> Any:
    """All ways of taking `r` elements of a vector in their order, one a row; `with_replacement`: also the same one again."""
    if raw(input).ndim != 1:
        raise RuntimeError(f"combinations(): Expect a 1D vector, but got shape {list(raw(input).shape)}")
    if r < 0:
        raise RuntimeError(f"combinations(): Expect a non-negative number, but got {r}")
    if r == 0:
        return wrap(np.zeros(0, raw(input).dtype))
    chosen = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = np.array(list(chosen(range(len(raw(input))), r)), np.int64).reshape(-1, r)
    return reshape(index_select(input, 0, wrap(places.reshape(-1))), *places.shape)


def diagflat(input: Array, offset: int = 0) -> Any:
    """A matrix with all the elements of `input` on a diagonal, `offset` places above the main one."""
    return diag(reshape(input, -1), offset)
