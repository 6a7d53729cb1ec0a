"""More ways of writing at indices: adding, copying, and reducing what goes to the same place. `indexing` has the basic ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Array, as_element
from minigrad.autograd import TensorBase, cast, op, raw, wrap
from minigrad.ops.add_at import add_at
from minigrad.ops.dims import axis_of, numpy_names
from minigrad.ops.elementwise import div
from minigrad.ops.indexing import (
    _HOLE,
    _check_places,
    _fits,
    _flat_places,
    _gather,
    _index_tensor,
    _scattered,
    _used,
    gather,
    getitem,
    index_select,
    parse_index,
    put_at,
    put_zeros,
)
from minigrad.ops.shape import _embed, broadcast_tensors, diagonal, reshape

# ---- in the flattened tensor -----------------------------------------------------------------------------------------------


def _places(name: str, x: Array, index: Array) -> None:
    """Refuse what does not name elements of the flattened x."""
    if raw(index).dtype != np.int64:
        raise RuntimeError(f"{name}(): Expected a long tensor for index, but got {raw(index).dtype}")
    size = raw(x).size
    wrong = raw(index)[(raw(index) < -size) | (raw(index) >= size)]
    if wrong.size:
        raise IndexError(f"{name}(): out of range: tried to access index {wrong[0]} on a tensor of {size} elements.")


def take(input: Array, index: Array) -> Any:
    """The elements of the flattened `input` at the indices, in the shape of `index`; negative ones count from the end."""
    _places("take", input, index)
    return _take(input, index)


@op
def _take(x: Array, index: Array, /) -> Any:
    shape = x.shape
    return raw(x).reshape(-1)[index], lambda g: put_zeros(g, [index], (_HOLE,), (math.prod(shape),)).reshape(shape)


def put(input: Array, index: Array, source: Array, accumulate: bool = False) -> Any:
    """`input` with the elements of `source` written at these places of the flattened tensor, or added there."""
    _places("put_", input, index)
    if raw(input).dtype != raw(source).dtype:
        raise RuntimeError(f"put_(): self and source expected to have the same dtype, but got {raw(input).dtype} and "
                           f"{raw(source).dtype}")
    if raw(source).size != raw(index).size:
        raise IndexError("put_(): Expected source and index to have the same number of elements, but got source.numel() = "
                         f"{raw(source).size}, index.numel() = {raw(index).size}")
    return _put(input, source, index, accumulate)


@op
def _put(x: Array, source: Array, index: Array, /, accumulate: bool) -> Any:
    out, shape = raw(x).flatten(), source.shape
    if accumulate:
        np.add.at(out, index.reshape(-1), raw(source).reshape(-1))
    else:
        out[index.reshape(-1)] = raw(source).reshape(-1)

    def rest(g: Array) -> Array:
        return g if accumulate else _put(g, np.zeros(shape, raw(g).dtype), index, False)

    return out.reshape(x.shape), rest, lambda g: _take(g, index).reshape(shape)


def index_put(input: Array, indices: Any, values: Array, accumulate: bool = False) -> Any:
    """`input` after ``input[indices] = values``, or with `accumulate` after ``+=``, which adds up what meets at one place.

    Parameters
    ----------
    indices : tuple of Tensor
        Index arrays or masks, for as many dimensions from the first on.
    """
    if not isinstance(indices, (tuple, list)):
        raise TypeError(f"index_put(): argument 'indices' (position 2) must be tuple of Tensors, not {type(indices).__name__}")
    for i, part in enumerate(indices):
        if not isinstance(part, (TensorBase, np.ndarray)):
            raise TypeError(f"index_put(): expected Tensor as element {i} of the indices, but got {type(part).__name__}")
    if raw(values).dtype != raw(input).dtype:
        raise RuntimeError("Index put requires the source and destination dtypes match, got "
                           f"{raw(input).dtype} for the destination and {raw(values).dtype} for the source.")
    arrays = parse_index(input, tuple(wrap(np.atleast_1d(raw(part))) if not raw(part).ndim else part for part in indices))[1]
    return put_at(input, values, *arrays, template=(_HOLE,) * len(arrays), accumulate=accumulate)


# ---- slices along a dimension ----------------------------------------------------------------------------------------------


def _slices(name: str, x: Array, dim: int, index: Array, source: Array) -> int:
    """The axis, once it is known that `source` has a slice along it for each index."""
    axis, shape, theirs = axis_of(dim, raw(x).ndim), list(raw(x).shape), list(raw(source).shape)
    if raw(index).ndim > 1:
        raise IndexError(f"{name}_(): Index is supposed to be a vector, but got dim: {raw(index).ndim}")
    if raw(x).dtype != raw(source).dtype:
        raise RuntimeError(f"{name}_(): self and source expected to have the same dtype, but got {raw(x).dtype} and "
                           f"{raw(source).dtype}")
    count = theirs[axis] if theirs else 1
    if raw(index).size != count:
        raise (IndexError if name == "index_copy" else RuntimeError)(
            f"{name}_(): Number of indices ({raw(index).size}) should be equal to source.size(dim): ({count}), for dim: {dim}")
    if len(theirs) != len(shape) or theirs[:axis] + theirs[axis + 1 :] != shape[:axis] + shape[axis + 1 :]:
        raise RuntimeError(f"{name}_(): source tensor shape must match self tensor shape, excluding the specified dimension. Got "
                           f"self.shape = {shape} source.shape = {theirs}")
    size = shape[axis] if shape else 1
    wrong = raw(index)[(raw(index) < 0) | (raw(index) >= size)]
    if wrong.size:
        raise (IndexError if name == "index_copy" else RuntimeError)(
            f"{name}_(): index {wrong.reshape(-1)[0]} is out of bounds for dimension {dim} with size {size}")
    return axis


def _at(axis: int, index: Any) -> tuple[Any, ...]:
    return (*(slice(None),) * axis, index.reshape(-1))


@numpy_names
def index_add(input: Array, dim: int, index: Array, source: Array, *, alpha: float = 1) -> Any:
    """`input` with alpha times each slice of `source` along `dim` added to the slice that `index` names."""
    _index_tensor("index_add", index)
    alpha = alpha if raw(input).dtype.kind == "f" else int(alpha)
    return _index_add(input, source, index, _slices("index_add", input, dim, index, source), alpha)


@op
def _index_add(x: Array, source: Array, index: Array, /, axis: int, alpha: float) -> Any:
    shape = source.shape
    added = add_at(raw(source), _at(axis, index), x.shape) if x.ndim else raw(source)
    if alpha != 1:
        added = added * np.asarray(alpha).astype(added.dtype)
    return (
        raw(x) + added,
        lambda g: g,
        lambda g: index_select(g, axis, index).reshape(shape) * alpha,
    )


@numpy_names
def index_copy(input: Array, dim: int, index: Array, source: Array) -> Any:
    """`input` with the slices of `source` along `dim` in the places that `index` names."""
    if raw(index).dtype != np.int64:
        raise RuntimeError(f"index_copy_(): Expected a long tensor for index, but got {raw(index).dtype}")
    return _index_copy(input, source, index, _slices("index_copy", input, dim, index, source))


@op
def _index_copy(x: Array, source: Array, index: Array, /, axis: int) -> Any:
    shape, out = source.shape, np.atleast_1d(raw(x).copy())
    out[_at(axis, index)] = np.atleast_1d(raw(source))
    return (
        out.reshape(x.shape),
        lambda g: _index_copy(g, np.zeros(shape, raw(g).dtype), index, axis),
        lambda g: index_select(g, axis, index).reshape(shape),
    )


# ---- one element for each index --------------------------------------------------------------------------------------------


def _source(name: str, x: Array, index: Array, src: Array) -> None:
    """Refuse a `src` that does not have an element of x's dtype for each index."""
    if not isinstance(src, (TensorBase, np.ndarray)):
        raise TypeError(f"{name}(): argument 'src' must be Tensor, not {type(src).__name__}")
    _fits(name, raw(src), raw(index), -1)
    if raw(x).dtype != raw(src).dtype:
        raise RuntimeError(f"{name}(): Expected self.dtype to be equal to src.dtype, got {raw(x).dtype} and {raw(src).dtype}")


def _read_back(g: Array, index: Any, axis: int, source: tuple[int, ...]) -> Array:
    """The derivative for `src`, of which only the corner that has the shape of the index was used."""
    if not index.size:
        return np.zeros(source, raw(g).dtype)
    g = _gather(g, index, axis)
    return g.reshape(source) if index.size == math.prod(source) else _embed(g, tuple(map(slice, index.shape)), source)


@numpy_names
def scatter_add(input: Array, dim: int, index: Array, src: Array) -> Any:
    """`input` with the elements of `src` added at the places that gather would read."""
    _index_tensor("scatter_add", index)
    axis = axis_of(dim, raw(input).ndim)
    _fits("scatter_add", raw(input), raw(index), axis)
    _source("scatter_add", input, index, src)
    return _scatter_add(input, src, index, axis)


@op
def _scatter_add(x: Array, src: Array, index: Array, /, axis: int) -> Any:
    shape, source = x.shape, src.shape
    _check_places("scatter_add", index, shape[axis] if shape else 1)
    return raw(x) + _scattered(raw(src), index, axis, shape), lambda g: g, lambda g: _read_back(g, index, axis, source)


@numpy_names
def scatter(input: Array, dim: int, index: Array, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Any:
    """`input` with the elements of `src` (a tensor, or one number) written at the places that gather would read.

    With `reduce`, ``"add"`` or ``"multiply"``, they are combined with what is there, and there is no derivative.
    """
    _index_tensor("scatter", index)
    axis = axis_of(dim, raw(input).ndim)
    _fits("scatter", raw(input), raw(index), axis)
    if reduce not in (None, "add", "multiply"):
        raise RuntimeError(f"scatter(): reduce argument must be either add or multiply, got {reduce!r}")
    if src is not None and value is not None:
        raise TypeError("scatter(): got both src and value; give one of them")
    number = src is None or not isinstance(src, (TensorBase, np.ndarray))
    if number:
        src = np.broadcast_to(as_element("scatter()", value if src is None else src, raw(input).dtype), raw(index).shape)
    _source("scatter", input, index, src)
    if reduce is not None:
        return _scatter_combined(input, src, index, axis, reduce)
    return _scatter(input, src, index, axis, number)


@op(name=lambda axis, value=False: f"ScatterBackward{int(value)}")
def _scatter(x: Array, src: Array, index: Array, /, axis: int, value: bool = False) -> Any:
    source = src.shape
    _check_places("scatter", index, x.shape[axis] if x.ndim else 1)
    out = raw(x).copy()
    out.reshape(-1)[_flat_places(x.shape, index, axis)] = _used(raw(src), index)
    return (
        out,
        lambda g: _scatter(g, np.zeros(index.shape, raw(g).dtype), index, axis),
        lambda g: _read_back(g, index, axis, source),
    )


@op(name="torch::autograd::NotImplemented")
def _scatter_combined(x: Array, src: Array, index: Array, /, axis: int, reduce: str) -> Any:
    def rule(g: Array) -> Array:
        raise RuntimeError("derivative for aten::scatter with reduce is not implemented; use scatter_reduce")

    return _met(np.add if reduce == "add" else np.multiply, raw(x), raw(src), index, axis), rule, rule


@numpy_names
def scatter_reduce(input: Array, dim: int, index: Array, src: Array, reduce: str, *, include_self: bool = True) -> Any:
    """What meets at the places that gather would read, reduced to one number.

    Parameters
    ----------
    reduce : str
        ``"sum"``, ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``.
    include_self : bool
        Whether the element of `input` at a place takes part.
    """
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    _index_tensor("scatter_reduce", index)
    axis = axis_of(dim, raw(input).ndim)
    _fits("scatter_reduce", raw(input), raw(index), axis)
    _source("scatter_reduce", input, index, src)
    kind = raw(input).dtype
    if reduce in ("sum", "mean"):
        start = input if include_self else scatter(input, dim, index, 0)
        result = scatter_add(start, dim, index, src)
        if reduce == "sum":
            return result
        ones = wrap(np.ones(raw(input).shape, kind))
        counted = ones if include_self else scatter(ones, dim, index, 0)
        counts = wrap(np.maximum(raw(scatter_add(counted, dim, index, wrap(np.ones(raw(src).shape, kind)))), 1))
        return div(result, counts) if kind.kind == "f" else div(result, counts, rounding_mode="floor")
    if not include_self:
        least = {"prod": 1, "amax": -math.inf, "amin": math.inf}[reduce]
        if kind.kind in "iu" and reduce != "prod":
            least = np.iinfo(kind).min if reduce == "amax" else np.iinfo(kind).max
        input = scatter(input, dim, index, bool(least > 0) if kind.kind == "b" else least)
    return (_scatter_prod if reduce == "prod" else _scatter_extreme)(input, src, index, axis, reduce)


def _met(function: Any, x: Any, src: Any, index: Any, axis: int) -> Any:
    """x with `function` applied at each place to what is there and to an element of src."""
    out = np.atleast_1d(x.copy())
    if index.size:
        places = list(np.ogrid[tuple(map(slice, index.shape or (1,)))])
        places[axis] = index.reshape(index.shape or (1,))
        function.at(out, tuple(places), np.atleast_1d(src)[tuple(map(slice, index.shape or (1,)))])
    return out.reshape(x.shape)


@op(name="ScatterReduceBackward0")
def _scatter_extreme(x: Array, src: Array, index: Array, /, axis: int, reduce: str) -> Any:
    """Those that equal the result share the gradient evenly."""
    out = _met(np.maximum if reduce == "amax" else np.minimum, raw(x), raw(src), index, axis)
    kind, shape = raw(x).dtype, src.shape
    ours = (raw(x) == out).astype(kind)
    theirs = (raw(src) == _read(out, index, axis, shape)) & _takes_part(index, shape)
    sharing = np.maximum(ours + _scatter_sum(theirs, index, axis, x.shape), 1).astype(kind)
    return out, lambda g: g * (ours / sharing), lambda g: _read(g / sharing, index, axis, shape) * theirs


def _takes_part(index: Any, shape: tuple[int, ...]) -> Any:
    """Where an element of src, which may be larger than the index, takes part."""
    used = np.zeros(shape, bool)
    used[tuple(map(slice, index.shape))] = True
    return used


@op(name="ScatterReduceBackward0")
def _scatter_prod(x: Array, src: Array, index: Array, /, axis: int, reduce: str) -> Any:
    """An element's slope is the product of the others; where it is not 0, that is the result divided by it."""
    out = _met(np.multiply, raw(x), raw(src), index, axis)
    shape = src.shape

    def to_x(g: Array) -> Array:
        ours = np.where(raw(x) == 0, 1, x)
        return g * _scatter_prod(ours, src, index, axis, reduce) / ours

    def to_source(g: Array) -> Array:
        zero = raw(src) == 0
        alone = zero & (_read(_scatter_sum(zero, index, axis, x.shape), index, axis, shape) == 1)
        others = _read(g * _scatter_prod(x, np.where(alone, 1, src), index, axis, reduce), index, axis, shape)
        whole = _read(g * _scatter_prod(x, src, index, axis, reduce), index, axis, shape)
        return np.where(alone, others, whole / np.where(zero, 1, src))

    return out, to_x, to_source


def _scatter_sum(values: Any, index: Any, axis: int, shape: tuple[int, ...]) -> Any:
    return _met(np.add, np.zeros(shape, np.int64), values.astype(np.int64), index, axis)


def _read(x: Array, index: Any, axis: int, shape: tuple[int, ...]) -> Any:
    """What gather reads, in the corner of zeros of `shape`."""
    if not index.size:
        return np.zeros(shape, raw(x).dtype)
    found = gather(x, axis, index)
    return found if found.shape == shape else _embed(found, tuple(map(slice, index.shape)), shape)


@numpy_names
def select_scatter(input: Array, src: Array, dim: int, index: int) -> Any:
    """`input` with `src` in the place of ``input.select(dim, index)``."""
    axis = axis_of(dim, raw(input).ndim)
    if not -raw(input).shape[axis] <= index < raw(input).shape[axis]:
        raise IndexError(f"select(): index {index} out of range for tensor of size {list(raw(input).shape)} at dimension {axis}")
    return _written("select_scatter", input, src, (slice(None),) * axis + (index,))


@numpy_names
def slice_scatter(
    input: Array, src: Array, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Any:
    """`input` with `src` in the place of the slice ``start:end:step`` along `dim`."""
    axis = axis_of(dim, raw(input).ndim)
    return _written("slice_scatter", input, src, (slice(None),) * axis + (slice(start, end, step),))


def diagonal_scatter(input: Array, src: Array, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """`input` with `src` in the place of ``input.diagonal(offset, dim1, dim2)``."""
    shape = raw(input).shape
    numbers = np.arange(math.prod(shape)).reshape(shape)
    places = raw(diagonal(wrap(numbers), offset, dim1, dim2))
    rows = _written("diagonal_scatter", reshape(input, -1), src, (places,))
    return reshape(rows, shape)


def _written(name: str, x: Array, src: Array, template: tuple[Any, ...]) -> Any:
    expected = raw(x)[template].shape
    if raw(src).shape != expected:
        raise RuntimeError(f"{name}(): expected src to have a size equal to the slice of self: src size = {list(raw(src).shape)}, "
                           f"slice size = {list(expected)}")
    return put_at(x, cast(src, raw(x).dtype), template=template)


def masked_scatter(input: Array, mask: Array, source: Array) -> Any:
    """`input` with the elements of `source`, in their order, where `mask` is True.

    Raises
    ------
    RuntimeError
        If there are too few of them, or dtypes do not fit.
    """
    if raw(mask).dtype != np.bool_:
        raise RuntimeError(f"masked_scatter_ only supports boolean masks, but got mask with dtype {raw(mask).dtype}")
    if raw(input).dtype != raw(source).dtype:
        raise RuntimeError(f"masked_scatter: expected self and source to have same dtypes but got {raw(input).dtype} and "
                           f"{raw(source).dtype}")
    input, mask = broadcast_tensors(input, mask)
    if raw(mask).sum() > raw(source).size:
        raise RuntimeError(f"masked_scatter(): Number of elements of source ({raw(source).size}) < number of ones in mask "
                           f"({raw(mask).sum()})")
    return _masked_scatter(input, source, mask)


@op
def _masked_scatter(x: Array, source: Array, mask: Array, /) -> Any:
    count, shape, out = int(mask.sum()), source.shape, raw(x).copy()
    out[mask] = raw(source).reshape(-1)[:count]
    return (
        out,
        lambda g: np.where(mask, 0, g),
        lambda g: _embed(getitem(g, mask), (slice(count),), (math.prod(shape),)).reshape(shape),
    )
