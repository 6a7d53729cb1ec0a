"""Operations that combine many elements into one (sum, mean, max …) or work along a dimension (cumsum, softmax)."""

from __future__ import annotations

import builtins
import math
import operator
import warnings
from collections import namedtuple
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import DOUBLE, SINGLE, Array, as_dtype
from minigrad.arrays.memory import allocating
from minigrad.arrays.sums import total
from minigrad.autograd import TensorBase, cast, op, raw, wrap
from minigrad.ops.comparison import isnan, logical_not
from minigrad.ops.dims import WIDER, Dim, axes_of, axis_of, floating, numpy_names, spread
from minigrad.ops.elementwise import gate, maximum, minimum, sign, where
from minigrad.ops.indexing import gather, scatter_zeros
from minigrad.ops.selection import first_of

# NumPy's type hints have no place for `keepdims` as a variable.
_add: Any = np.add
_multiply: Any = np.multiply
_or: Any = np.logical_or
_and: Any = np.logical_and


def _floating(name: str, x: Array) -> None:
    if raw(x).dtype.kind != "f":
        raise RuntimeError(f"{name}(): input must be a floating-point tensor, got {as_dtype(raw(x).dtype)}; convert it first, "
                           "as in x.float()")


def _nonempty(name: str, x: Array, dim: Dim, axes: tuple[int, ...]) -> None:
    if raw(x).size == 0 and (dim is None or dim == ()):
        raise RuntimeError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim "
                           "with the 'dim' argument.")
    if builtins.any(raw(x).shape[a] == 0 for a in axes):
        raise IndexError(f"{name}(): cannot reduce over a dimension of size 0 (shape {list(raw(x).shape)}): it has no identity")


def _with_dim(name: str) -> Any:
    """Node names end in 1 where a dimension was given: ``SumBackward1``."""
    return lambda dim=None, *_, **__: f"{name}Backward{int(dim is not None)}"


# ---- sums ----------------------------------------------------------------------------------------------------------------


@op(linear=True, name=_with_dim("Sum"), order="C")
def sum(x: Array, /, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum of all elements, or along `dim`; integers and bools are summed as int64."""
    before, shape, axes = x.dtype, x.shape, axes_of(dim, x.ndim)
    if dtype is not None:
        x = x.astype(as_dtype(dtype).numpy)
    if x.dtype.kind != "f":
        return (_add.reduce(x, axes, dtype=_sum_dtype(x, dtype), keepdims=keepdim),)
    return total(x, axes, keepdim), lambda g: spread(g if dtype is None else cast(g, before), axes, shape)


@numpy_names
def nansum(input: Array, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """`sum` of the elements that are not nan."""
    if raw(input).dtype.kind != "f":
        return sum(input, dim, keepdim, dtype=dtype)
    return _nansum(input if dtype is None else cast(input, as_dtype(dtype).numpy), dim, keepdim)


@op(order="C")
def _nansum(x: Array, /, dim: Dim, keepdim: bool) -> Any:
    shape, axes, known = x.shape, axes_of(dim, x.ndim), ~np.isnan(raw(x))
    return total(np.where(known, raw(x), 0), axes, keepdim), lambda g: gate(spread(g, axes, shape), x, known)


@numpy_names
def nanmean(input: Array, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """`mean` of the elements that are not nan."""
    if dtype is not None:
        input = cast(input, as_dtype(dtype).numpy)
    _floating("nanmean", input)
    return nansum(input, dim, keepdim) / sum(logical_not(isnan(input)), dim, keepdim)


def _sum_dtype(x: Any, dtype: Any) -> Any:
    """The dtype in which x, already of the `dtype` asked for if any, is summed or multiplied up: integers as int64."""
    return x.dtype if dtype is not None or x.dtype.kind == "f" else np.dtype(np.int64)


@numpy_names
def mean(input: Array, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The arithmetic mean of all elements, or along `dim`.

    Raises
    ------
    RuntimeError
        If the elements are not floating-point numbers.
    """
    if dtype is not None:
        input = cast(input, as_dtype(dtype).numpy)
    _floating("mean", input)
    return _mean(input, dim, keepdim)


@op(name=_with_dim("Mean"), in_single=True, order="C")
def _mean(x: Array, /, dim: Dim, keepdim: bool) -> Any:
    shape, axes = x.shape, axes_of(dim, x.ndim)
    n = math.prod(shape[a] for a in axes)
    whole = total(raw(x), axes, keepdim)
    return whole / n if n else whole * math.nan, lambda g: spread(g / n, axes, shape)


@numpy_names
def var(input: Array, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None) -> Any:
    """The variance: Σ (input - mean)² / (n - correction), the correction being 1 unless ``unbiased=False``."""
    return _var(input, *_variance_options("var", input, dim, unbiased, correction), keepdim)


@numpy_names
def std(input: Array, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None) -> Any:
    """The standard deviation, √var."""
    return _std(input, *_variance_options("std", input, dim, unbiased, correction), keepdim)


@numpy_names
def var_mean(input: Array, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None) -> Any:
    """The variance and the mean; the arguments are those of `var`."""
    return _with_mean("var_mean", _var, input, dim, unbiased, keepdim, correction)


@numpy_names
def std_mean(input: Array, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None) -> Any:
    """The standard deviation and the mean; the arguments are those of `std`."""
    return _with_mean("std_mean", _std, input, dim, unbiased, keepdim, correction)


def _with_mean(name: str, spread: Any, x: Array, dim: Any, unbiased: Any, keepdim: bool, correction: Any) -> tuple[Any, Any]:
    dim, correction = _variance_options(name, x, dim, unbiased, correction)
    results = spread(x, dim, correction, keepdim), mean(x, dim, keepdim)
    for result in results:
        if result._node is not None:
            result._node.title = f"{name.title().replace('_', '')}Backward0"  # in torch, it is one operation with two results
    return results


def _variance_options(name: str, x: Array, dim: Any, unbiased: Any, correction: Any) -> tuple[Any, float]:
    _floating(name, x)
    if isinstance(dim, bool):  # std(unbiased)
        dim, unbiased = None, dim
    correction = correction if correction is not None else int(unbiased is not False)
    if math.prod(raw(x).shape[a] for a in axes_of(dim, raw(x).ndim)) <= correction:
        warnings.warn(f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor (input "
                      "numel divided by output numel): one value has no deviation", stacklevel=4)
    return dim, correction


def _centred(x: Array, dim: Dim) -> tuple[Array, tuple[int, ...], int]:
    axes = axes_of(dim, x.ndim)
    return x - mean(x, axes, True), axes, math.prod(x.shape[a] for a in axes)


@op(in_single=True, order="C")
def _var(x: Array, /, dim: Dim, correction: float, keepdim: bool) -> Any:
    shape, (d, axes, n) = x.shape, _centred(x, dim)
    freedom = builtins.max(n - correction, 0)
    out = total(raw(d * d), axes, keepdim) / np.asarray(freedom, raw(x).dtype)
    return out, lambda g: spread(g * 2 / freedom if freedom else g * math.inf, axes, shape) * d


@op(in_single=True, order="C")
def _std(x: Array, /, dim: Dim, correction: float, keepdim: bool) -> Any:
    out = np.sqrt(_var(x, dim, correction, keepdim))
    shape, (d, axes, n) = x.shape, _centred(x, dim)
    freedom = builtins.max(n - correction, 0)

    def rule(g: Array) -> Array:
        slope = _quotient(g, out * freedom)
        return spread(slope, axes, shape) * d

    return out, rule


def _quotient(g: Array, y: Array) -> Array:
    """g / y, and 0 where y is 0; no division by zero takes place, whose own derivative would be nan."""
    return np.where(y == 0, 0, g) / np.where(y == 0, 1, y)


@numpy_names
def prod(input: Array, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The product of all elements, or along `dim`; integers and bools are multiplied as int64."""
    if dim is not None and not hasattr(dim, "__index__"):
        raise TypeError(f"prod(): dim must be an integer, not {type(dim).__name__}; multiply along one dimension after the other")
    return _prod(input if dtype is None else cast(input, as_dtype(dtype).numpy), dim, keepdim, dtype)


@op(name=_with_dim("Prod"), in_single=True, order="C")
def _prod(x: Array, /, dim: int | None, keepdim: bool, dtype: Any = None) -> Any:
    shape, axes = x.shape, axes_of(dim, x.ndim)
    out = _multiply.reduce(raw(x), axes, dtype=_sum_dtype(raw(x), dtype), keepdims=keepdim)
    if not shape:
        return out, lambda g: g
    if (raw(x) != 0).all():
        return out, lambda g: spread(g * _prod(x, dim, keepdim), axes, shape) / x

    def others(x: Array) -> Array:
        """For each element, the product of those before it and those after it.

        On tensors, which are differentiated in turn: copies stacked to a square, with ones on the diagonal, each row multiplied up.
        """
        row = x.reshape(-1) if dim is None or not shape else x.swapaxes(axes[0], -1)
        n = row.shape[-1]
        if isinstance(row, np.ndarray):
            ends = np.ones((*row.shape[:-1], 1), row.dtype)
            behind = _multiply.accumulate(np.concatenate([ends, row[..., :0:-1]], -1), -1)[..., ::-1]
            product: Any = _multiply.accumulate(np.concatenate([ends, row[..., :-1]], -1), -1) * behind
        else:
            ones = np.where(np.eye(n, dtype=bool), 1, np.broadcast_to(row.reshape((*row.shape[:-1], 1, n)), (*row.shape, n)))
            product = _prod(ones, -1, False)
        return product.reshape(shape) if dim is None or not shape else product.swapaxes(axes[0], -1)

    return out, lambda g: spread(g, axes, shape) * others(x)


# ---- extremes ------------------------------------------------------------------------------------------------------------


def _extreme(reduce: Any, x: Array, dim: Dim, keepdim: bool) -> Any:
    """The largest (or smallest) elements; those that tie share the gradient evenly."""
    axes = axes_of(dim, x.ndim)
    _nonempty("amax" if reduce is np.maximum else "amin", x, dim, axes)
    return _shared(x, reduce.reduce(raw(x), axes, keepdims=True), dim, keepdim)


def _shared(x: Array, top: Any, dim: Dim, keepdim: bool) -> Any:
    """`top`, found among the elements of x; those that equal it share the gradient evenly."""
    shape, axes = x.shape, axes_of(dim, x.ndim)
    chosen = raw(x) == top
    if dim is None:  # as in torch, max() and min() know where their nan came from, amax and amin do not
        chosen |= np.isnan(top) & np.isnan(raw(x))
    ties = chosen.sum(axes, keepdims=keepdim).astype(raw(x).dtype)
    return top if keepdim else top.squeeze(axes), lambda g: spread(g / ties, axes, shape) * chosen


@op(order="C")
def amax(x: Array, /, dim: Dim = (), keepdim: bool = False) -> Any:
    """The largest element, or the largest along `dim`; elements that tie share the gradient evenly."""
    return _extreme(np.maximum, x, dim, keepdim)


@op(order="C")
def amin(x: Array, /, dim: Dim = (), keepdim: bool = False) -> Any:
    """The smallest element, or the smallest along `dim`; elements that tie share the gradient evenly."""
    return _extreme(np.minimum, x, dim, keepdim)


@op(name="MaxBackward1")
def _max(x: Array, /) -> Any:
    return _extreme(np.maximum, x, None, False)


@op(name="MinBackward1")
def _min(x: Array, /) -> Any:
    return _extreme(np.minimum, x, None, False)


@op(order="C")
def argmax(x: Array, /, dim: int | None = None, keepdim: bool = False) -> Any:
    """The index of the first largest element: in the flattened tensor, or along `dim`."""
    return (_arg_extreme(np.argmax, x, dim, keepdim),)


@op(order="C")
def argmin(x: Array, /, dim: int | None = None, keepdim: bool = False) -> Any:
    """The index of the first smallest element: in the flattened tensor, or along `dim`."""
    return (_arg_extreme(np.argmin, x, dim, keepdim),)


def _arg_extreme(find: Any, x: Any, dim: int | None, keepdim: bool) -> Any:
    axes = axes_of(dim, x.ndim)
    if dim is not None and not hasattr(dim, "__index__"):
        raise TypeError(f"{find.__name__}(): dim must be an integer, not {type(dim).__name__}")
    if x.dtype == np.bool_:
        raise RuntimeError(f"{find.__name__}: not implemented for 'Bool' tensors; convert it, as in x.int()")
    if dim is None and x.size == 0:
        raise IndexError(f"{find.__name__}(): Expected reduction dim to be specified for input.numel() == 0. Specify the "
                         "reduction dim with the 'dim' argument.")
    _nonempty(find.__name__, x, dim, axes)
    return find(x, axis=None if dim is None or x.ndim == 0 else axes[0], keepdims=keepdim)


def return_type(name: str, *fields: str) -> Any:
    """The class of a result of several tensors: a tuple with names, printed as torch prints it."""
    shown = f"torch.return_types.{name}(\n" + ",\n".join(f"{field}={{{i}!r}}" for i, field in enumerate(fields)) + ")"
    return type(name, (namedtuple(name, fields),), {"__slots__": (), "__repr__": lambda self: shown.format(*self)})


_PAIRS = {name: return_type(name, "values", "indices")
          for name in ("max", "min", "sort", "topk", "median", "nanmedian", "cummax", "cummin", "kthvalue", "mode")}


@numpy_names
def max(input: Array, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The largest element; along `dim`, ``(values, indices)`` of the first largest; of two tensors, the larger of each pair."""
    return _max_or_min(_max, "max", input, other if dim is None else dim, keepdim)


@numpy_names
def min(input: Array, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The smallest element; along `dim`, ``(values, indices)`` of the first smallest; of two tensors, the smaller of each."""
    return _max_or_min(_min, "min", input, other if dim is None else dim, keepdim)


def _max_or_min(whole: Any, name: str, x: Array, dim: Any, keepdim: bool) -> Any:
    if isinstance(dim, (TensorBase, np.ndarray)):
        return (maximum if whole is _max else minimum)(x, dim)
    if dim is None:
        if raw(x).size == 0:
            raise RuntimeError(f"{whole.op.name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the "
                               "reduction dim with the 'dim' argument.")
        return whole(x)
    ordered = cast(x, np.dtype(np.uint8)) if raw(x).dtype == np.bool_ else x
    indices = (argmax if whole is _max else argmin)(ordered, dim, True)
    return at_places(name, x, indices, dim, keepdim)


def at_places(name: str, x: Array, indices: Array, dim: int, keepdim: bool = True) -> Any:
    """``(values, indices)``, of the type that torch gives the function `name`: the elements of x along `dim` at the indices."""
    values = _values(x, indices, axis_of(dim, raw(x).ndim), keepdim, f"{name.title()}Backward{int(name == 'median')}")
    return _PAIRS[name](values, indices if keepdim else indices.squeeze(dim))


@op(name=lambda axis, keepdim, name: name, order="C")
def _values(x: Array, indices: Array, /, axis: int, keepdim: bool, name: str) -> Any:
    """The elements of x at `indices`."""
    shape, kept = x.shape, indices.shape
    if not shape:
        return raw(x).copy(), lambda g: g
    out = np.take_along_axis(raw(x), indices, axis)
    return out if keepdim else out.squeeze(axis), lambda g: scatter_zeros(g.reshape(kept), indices, axis, shape)


# ---- order ---------------------------------------------------------------------------------------------------------------


@op
def argsort(x: Array, /, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The indices that sort x along `dim`; of equal elements the first comes first, and nan is larger than any number."""
    axis = axis_of(dim, x.ndim)
    if not x.ndim:
        return (np.zeros((), np.int64),)
    if not descending:
        return (np.argsort(x, axis, stable=True),)
    return (x.shape[axis] - 1 - np.flip(np.argsort(np.flip(x, axis), axis, stable=True), axis),)


@numpy_names
def sort(input: Array, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """``(values, indices)``, sorted along `dim`."""
    return at_places("sort", input, argsort(input, dim, descending), dim)


@numpy_names
def topk(input: Array, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """``(values, indices)`` of the `k` largest (or smallest) elements along `dim`, in order.

    Raises
    ------
    RuntimeError
        If there are fewer, or the elements are bools.
    """
    if isinstance(k, bool) or not hasattr(k, "__index__"):
        raise TypeError(f"topk(): argument 'k' must be int, not {type(k).__name__}")
    for name, flag in (("largest", largest), ("sorted", sorted)):
        if not isinstance(flag, bool):
            raise TypeError(f"topk(): argument '{name}' must be bool, not {type(flag).__name__}")
    k = operator.index(k)
    x, axis = np.atleast_1d(raw(input)), axis_of(dim, raw(input).ndim)
    rows, size = np.moveaxis(x, axis, -1), x.shape[axis]
    if x.dtype == np.bool_:
        raise RuntimeError("topk(): not implemented for bools; convert the tensor first, as in x.int()")
    if not 0 <= k <= size:
        raise RuntimeError(f"topk(): k must be in the range of the dimension, got k={k} for shape {list(raw(input).shape)}")
    k = k if raw(input).ndim else 1  # as torch, of a tensor without dimensions its element
    places = np.argpartition(rows, size - k if largest else k - 1) if 0 < k < size else np.argsort(rows)
    chosen = np.sort(places[..., size - k :] if largest else places[..., :k])  # in order, for those that tie
    order = argsort(np.take_along_axis(rows, chosen, -1), -1, largest)
    indices = np.take_along_axis(chosen, order, -1)
    for row in map(tuple, np.argwhere(_equals_compete(rows, indices))):
        keys = np.unique(rows[row], return_inverse=True)[1]
        indices[row] = first_of(-keys if largest else keys, k)
    indices = np.moveaxis(indices, -1, axis)
    return at_places("topk", input, wrap(np.array(indices.reshape(indices.shape if raw(input).ndim else ()), order="C")), dim)


def _equals_compete(rows: Any, indices: Any) -> Any:
    """For each row, whether two of the elements at `indices`, which are in order, are equal, or their last and another one."""
    values = np.take_along_axis(rows, indices, -1)
    if not values.size:
        return False

    def same(a: Any, b: Any) -> Any:
        return (a == b) | (np.isnan(a) & np.isnan(b))

    return same(values[..., 1:], values[..., :-1]).any(-1) | (same(rows, values[..., -1:]).sum(-1) > 1)


@numpy_names
def median(input: Array, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle element, the smaller one of two; along `dim`, ``(values, indices)``. It is nan if one element is."""
    if raw(input).dtype == np.bool_:
        raise NotImplementedError("median(): not implemented for torch.bool; convert the tensor first, as in x.int()")
    if dim is None:
        return _median(input)
    _nonempty("median", input, dim, axes_of(dim, raw(input).ndim))
    size = raw(input).shape[axis_of(dim, raw(input).ndim)] if raw(input).ndim else 1
    missing = sum(isnan(input), dim, True)
    middle = where(missing > 0, size - missing, (size - 1) // 2)  # or where the first nan went
    return at_places("median", input, gather(argsort(input, dim), dim, middle), dim, keepdim)


@op
def _median(x: Array, /) -> Any:
    row = np.sort(raw(x), axis=None)
    middle = row[-1 if row.size and np.isnan(row[-1]) else (row.size - 1) // 2] if row.size else np.asarray(math.nan, row.dtype)
    return _shared(x, middle.reshape((1,) * x.ndim), None, False)


def unique(input: Array, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: Any = None) -> Any:
    """The different elements, or slices along `dim`, in order; on request also where each one went, and how often each occurs."""
    axis = None if dim is None else axis_of(dim, raw(input).ndim)
    found = np.unique(raw(input), False, return_inverse, return_counts, axis, equal_nan=False)  # type: ignore[call-overload]
    return tuple(map(wrap, found)) if isinstance(found, tuple) else wrap(found)


@allocating
def bincount(input: Array, weights: Array = None, minlength: int = 0) -> Any:
    """How often each number from 0 on is in a vector of integers; with `weights`, the sum of those of its places."""
    x, counted = raw(input), None if weights is None else raw(weights)
    if x.ndim != 1 or x.dtype.kind not in "iu" or builtins.min(x.min(initial=0), minlength) < 0:
        raise RuntimeError(f"bincount only supports 1-d non-negative integral inputs, got shape {list(x.shape)} of {x.dtype}")
    if counted is not None and counted.shape != x.shape:
        raise RuntimeError(f"bincount(): weights should be 1-d and have the same length as input, got {list(counted.shape)}")
    result = np.bincount(x, counted, minlength)
    return wrap(result.astype(counted.dtype) if counted is not None and counted.dtype == SINGLE else result)


@op(order="C")
def count_nonzero(x: Array, /, dim: Dim = None) -> Any:
    """How many elements are not zero: of all, or along `dim`."""
    return (np.count_nonzero(x, axes_of(dim, x.ndim)),)


@op(order="C")
def any(x: Array, /, dim: Dim = None, keepdim: bool = False) -> Any:
    """Whether at least one element is not zero."""
    return (_truth(_or.reduce(x, axes_of(dim, x.ndim), keepdims=keepdim), x),)


@op(order="C")
def all(x: Array, /, dim: Dim = None, keepdim: bool = False) -> Any:
    """Whether every element is not zero."""
    return (_truth(_and.reduce(x, axes_of(dim, x.ndim), keepdims=keepdim), x),)


def _truth(result: Any, x: Any) -> Any:
    """Bools; but torch, for historical reasons, gives uint8 for uint8."""
    return result if x.dtype != np.uint8 else np.asarray(result, np.uint8)


# ---- along a dimension ---------------------------------------------------------------------------------------------------


@op(linear=True, order="C")
def _cumsum(x: Array, /, axis: int, backwards: bool = False) -> Any:
    kind, wide = (x.dtype, WIDER.get(x.dtype, DOUBLE)) if x.dtype.kind == "f" else (np.dtype(np.int64),) * 2
    if x.ndim == 0:
        return x.astype(kind), lambda g: g
    sums = np.add.accumulate(np.flip(x, axis) if backwards else x, axis, dtype=wide)
    sums += 0  # as in torch, sums begin with 0: those of -0 are 0
    return (np.flip(sums, axis) if backwards else sums).astype(kind), lambda g: _cumsum(g, axis, not backwards)


@numpy_names
def cumsum(input: Array, dim: int, *, dtype: Any = None) -> Any:
    """Running sums along `dim`."""
    return _cumsum(input if dtype is None else cast(input, as_dtype(dtype).numpy), axis_of(dim, raw(input).ndim))


@op(promote="floating", in_single=True, order="C")
def logsumexp(x: Array, /, dim: Dim, keepdim: bool = False) -> Any:
    """log Σ exp(x) along `dim`; stable: the largest element is taken out first, so that exp cannot overflow."""
    shape, axes = x.shape, axes_of(dim, x.ndim)
    top = raw(x).max(axis=axes, keepdims=True, initial=-math.inf)
    top = np.where(np.isfinite(top), top, 0).astype(raw(x).dtype)
    out = np.log(np.exp(x - top).sum(axis=axes, keepdims=True)) + top
    result = out if keepdim else out.reshape(tuple(n for i, n in enumerate(shape) if i not in axes))
    return result, lambda g: spread(g, axes, shape) * np.exp(x - out)


@numpy_names
def softmax(input: Array, dim: int, *, dtype: Any = None) -> Any:
    """exp(input) / Σ exp(input) along `dim`; of the shape of `input`."""
    return _softmax(input if dtype is None else cast(input, as_dtype(dtype).numpy), dim)


@op(in_single=True, order="C")
def _softmax(x: Array, /, dim: int) -> Any:
    floating("softmax", x)
    axis = axis_of(dim, x.ndim)
    powers = np.exp(x - _top(x, axis))
    if x.ndim == 0:
        return np.exp(x - x), lambda g: g - g
    out = powers / powers.sum(axis=axis, keepdims=True)
    return out, lambda g: out * (g - (g * out).sum(axis=axis, keepdims=True))


@numpy_names
def log_softmax(input: Array, dim: int, *, dtype: Any = None) -> Any:
    """log(softmax(input)) along `dim`; of the shape of `input`. Exact: no exponential of a large number is taken."""
    return _log_softmax(input if dtype is None else cast(input, as_dtype(dtype).numpy), dim)


@op(in_single=True, order="C")
def _log_softmax(x: Array, /, dim: int) -> Any:
    floating("log_softmax", x)
    axis = axis_of(dim, x.ndim)
    if x.ndim == 0:
        return x - x, lambda g: g - g
    shifted = x - _top(x, axis)
    out = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return out, lambda g: g - np.exp(out) * g.sum(axis=axis, keepdims=True)


def _top(x: Array, axis: int) -> Any:
    return raw(x).max(axis=axis, keepdims=True, initial=-math.inf) if x.ndim else raw(x)


@op(name="LinalgVectorNormBackward0", in_single=True, order="C")
def norm_along(x: Array, /, p: float, dim: Dim, keepdim: bool) -> Any:
    """(Σ |x|^p)^(1/p) along `dim`."""
    shape, axes = x.shape, axes_of(dim, x.ndim)
    if math.isinf(p):
        out, share = _extreme(np.maximum if p > 0 else np.minimum, np.abs(x), dim, keepdim)
        return out, lambda g: share(g) * sign(x)
    if p == 0:
        return _add.reduce(raw(x) != 0, axes, keepdims=keepdim).astype(raw(x).dtype), lambda g: None
    if p == 1:
        return _add.reduce(np.abs(raw(x)), axes, keepdims=keepdim), lambda g: spread(g, axes, shape) * sign(x)
    if p == 2:
        out = np.sqrt((x * x).sum(axis=axes, keepdims=keepdim))
        return out, lambda g: x * spread(_quotient(g, out), axes, shape)
    out = (np.abs(x) ** p).sum(axis=axes, keepdims=keepdim) ** (1 / p)

    def rule(g: Array) -> Array:
        scale = spread(_quotient(g, out ** (p - 1)), axes, shape)
        return np.where(x == 0, 0, sign(x) * np.abs(x) ** (p - 1)) * scale

    return out, rule
