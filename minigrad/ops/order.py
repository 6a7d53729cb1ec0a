"""The rank of elements among others: order statistics, histograms, and places in a sorted sequence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Array, as_dtype, dtype_of_number
from minigrad.autograd import TensorBase, raw, unwrapped, wrap
from minigrad.ops.arithmetic import lerp
from minigrad.ops.dims import axis_of, floating, numpy_names
from minigrad.ops.elementwise import ceil, floor, mul, round, sub, where
from minigrad.ops.indexing import take_along_dim
from minigrad.ops.reduction import argsort, at_places, return_type, sort
from minigrad.ops.shape import movedim, reshape, squeeze

# ---- order statistics ------------------------------------------------------------------------------------------------------


def _size_along(name: str, x: Array, dim: int) -> int:
    """The size of x along `dim`, which must not be 0."""
    shape = raw(x).shape
    axis = axis_of(dim, len(shape))
    if shape and not shape[axis]:
        raise IndexError(f"{name}(): Expected reduction dim {dim} to have non-zero size, got shape {list(shape)}")
    return shape[axis] if shape else 1


@numpy_names
def kthvalue(input: Array, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """``(values, indices)`` of the element of rank `k` along `dim`, 1 being the rank of the smallest.

    Raises
    ------
    RuntimeError
        If there are fewer elements.
    """
    if raw(input).dtype == np.bool_:
        raise NotImplementedError("kthvalue(): not implemented for bools; convert the tensor first, as in x.int()")
    size = _size_along("kthvalue", input, dim)
    if not 1 <= k <= size:
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {dim}: expected 1 to {size}, got {k}")
    order, axis = raw(argsort(input, dim)), axis_of(dim, raw(input).ndim)
    return at_places("kthvalue", input, wrap(order.take([k - 1], axis) if order.ndim else order), dim, keepdim or not order.ndim)


@numpy_names
def mode(input: Array, dim: int = -1, keepdim: bool = False) -> Any:
    """``(values, indices)`` of the most frequent element along `dim`, the smallest of several, and where it stands last."""
    size, axis = _size_along("mode", input, dim), axis_of(dim, raw(input).ndim)
    x = np.atleast_1d(raw(input))
    order = np.argsort(x, axis, stable=True)
    row, place = (np.moveaxis(a, axis, -1) for a in (np.take_along_axis(x, order, axis), order))
    number = np.arange(size)
    begins = np.where(np.diff(row, axis=-1, prepend=row[..., :1]) != 0, number, 0)  # where equal elements begin
    ends = (number - np.maximum.accumulate(begins, -1)).argmax(-1, keepdims=True)  # where the first of the longest runs ends
    indices = np.moveaxis(np.take_along_axis(place, ends, -1), -1, axis)
    if not raw(input).ndim:
        indices, keepdim = indices.reshape(()), True
    return at_places("mode", input, wrap(indices), dim, keepdim)


@numpy_names
def quantile(input: Array, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear") -> Any:
    """The elements below which the shares `q` of all elements lie, or of those along `dim`; nan where one of them is.

    Parameters
    ----------
    q : float or Tensor of shape () or (n)
        Shares between 0 and 1. The results for several make up the first dimension.
    interpolation : str
        What to take between two elements: ``"linear"``, ``"lower"``, ``"higher"``, ``"midpoint"`` or ``"nearest"``.

    Raises
    ------
    RuntimeError
        If the dtype is neither float32 nor float64, differs from that of `q`, or `q` is out of range.
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation)


@numpy_names
def nanquantile(input: Array, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear") -> Any:
    """`quantile` of what is not nan."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation)


_BETWEEN = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(name: str, x: Array, q: Any, dim: int | None, keepdim: bool, interpolation: str) -> Any:
    kind, shares = raw(x).dtype, np.asarray(unwrapped(q))
    if kind not in (np.float32, np.float64) or (isinstance(q, (TensorBase, np.ndarray)) and shares.dtype != kind):
        raise RuntimeError(f"{name}() expects float32 or float64, and q of the dtype of the input, got {kind} and {shares.dtype}")
    if shares.ndim > 1 or not ((shares >= 0) & (shares <= 1)).all():
        raise RuntimeError(f"{name}() q must be in the range [0, 1], a number or a 1-d tensor, but got {shares.tolist()}")
    if interpolation not in _BETWEEN:
        raise RuntimeError(f"{name}() interpolation must be one of {', '.join(_BETWEEN)}, but got {interpolation}")
    if not raw(x).size:
        raise RuntimeError(f"{name}() input tensor must be non-empty, got shape {list(raw(x).shape)}")
    shape, axis = raw(x).shape, 0 if dim is None else axis_of(dim, raw(x).ndim)
    ordered = sort(reshape(x, -1) if dim is None or not shape else movedim(x, axis, -1), -1)[0]
    values = raw(ordered)
    missing, last = np.isnan(values).sum(-1, keepdims=True), values.shape[-1] - 1
    steps = np.maximum(last - missing, 0) if name == "nanquantile" else np.full(missing.shape, last)  # nan comes last
    rank = mul(q if isinstance(q, TensorBase) else wrap(shares.astype(kind)), wrap(steps.astype(kind)))
    if name == "quantile":
        rank = where(wrap(missing > 0), wrap(np.asarray(last, kind)), rank)
    if interpolation in ("lower", "higher", "nearest"):
        rank = {"lower": floor, "higher": ceil, "nearest": round}[interpolation](rank)
    below = np.floor(raw(rank)).astype(np.int64)
    result = take_along_dim(ordered, wrap(below), -1)
    if interpolation in ("linear", "midpoint"):
        weight = wrap(np.full_like(raw(rank), 0.5)) if interpolation == "midpoint" else sub(rank, wrap(below.astype(kind)))
        result = lerp(result, take_along_dim(ordered, wrap(np.ceil(raw(rank)).astype(np.int64)), -1), weight)
    kept = [1] * len(shape) if dim is None else [1 if i == axis else n for i, n in enumerate(shape)]
    result = movedim(result, -1, 0).reshape(shares.size, *kept)
    if not keepdim and shape:
        result = reshape(result, shares.size, *([] if dim is None else kept[:axis] + kept[axis + 1 :]))
    return result if shares.ndim else squeeze(result, 0)


# ---- histograms ------------------------------------------------------------------------------------------------------------


def _limits(name: str, x: Any, low: float, high: float) -> tuple[float, float]:
    """The range of a histogram: that of the elements if none is given, and never empty."""
    if low == high == 0:
        low, high = (float(x.min()), float(x.max())) if x.size else (0.0, float(name == "histogram"))
    if low > high or not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"{name}: range of [{low}, {high}] is not finite, or its end is before its beginning: max must be "
                           "larger than min")
    return (low - 0.5, high + 0.5) if low == high and name == "histogram" else (low - 1, high + 1) if low == high else (low, high)


def histc(input: Array, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    """How many elements lie in each of `bins` equal parts of the range from `min` to `max`, by default that of the elements."""
    x = raw(input)
    floating("histc", x)
    if bins <= 0:
        raise RuntimeError(f"histc(): bins must be > 0, but got {bins}")
    low, high = _limits("histc", x, min, max)
    inside = x[(x >= low) & (x <= high)].astype(np.float64)
    part = ((inside - low) / (high - low) * bins).astype(np.int64)
    return wrap(np.bincount(np.minimum(part, bins - 1), minlength=bins).astype(x.dtype))


_Histogram = return_type("histogram", "hist", "bin_edges")


def histogram(
    input: Array, bins: Any = 100, *, range: tuple[float, float] | None = None, weight: Array = None, density: bool = False
) -> Any:
    """``(hist, bin_edges)``: how many elements lie between neighbouring edges; the last edge belongs to the last bin.

    Parameters
    ----------
    bins : int or 1-d Tensor
        The number of equal bins, or their edges.
    range : pair of float, optional
        Where the first bin begins and the last one ends. Default: the range of the elements.
    weight : Tensor, optional
        What each element counts for.
    density : bool
        Divide such that the bins have area 1 in all.
    """
    x = raw(input)
    floating("histogram", x)
    if isinstance(bins, (TensorBase, np.ndarray)):
        edges = raw(bins)
        if edges.dtype != x.dtype or edges.ndim != 1:
            raise RuntimeError(f"histogram(): bins should be 1-d and of the dtype of the input, {x.dtype}, got shape "
                               f"{list(edges.shape)} of {edges.dtype}")
    else:
        if bins <= 0:
            raise RuntimeError(f"histogram(): bins must be > 0, but got {bins}")
        edges = np.linspace(*_limits("histogram", x, *(range or (0, 0))), bins + 1).astype(x.dtype)
    if weight is not None and raw(weight).shape != x.shape:
        raise RuntimeError(f"histogram(): weight should have the shape of the input, {list(x.shape)}, got "
                           f"{list(raw(weight).shape)}")
    hist = np.histogram(x, edges, weights=None if weight is None else raw(weight), density=density)[0]
    return _Histogram(wrap(hist.astype(x.dtype)), wrap(edges.copy()))


# ---- places in what is sorted ----------------------------------------------------------------------------------------------


def _side(side: str | None, right: bool) -> Any:
    if side not in (None, "left", "right"):
        raise RuntimeError(f"searchsorted(): side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError("searchsorted(): side and right can't be set to opposites, got side of left while right was True")
    return "right" if right else side or "left"


def searchsorted(
    sorted_sequence: Array, input: Any, *, out_int32: bool = False, right: bool = False, side: str | None = None,
    sorter: Array = None,
) -> Any:
    """Where in `sorted_sequence` each element of `input` would have to be put in, for the last dimension to stay sorted.

    Parameters
    ----------
    sorted_sequence : Tensor of shape (n) or (..., n)
    input : number or Tensor of any shape, or of shape (..., m)
    out_int32 : bool
        Give int32 instead of int64.
    right, side : bool, str
        ``right=True`` and ``side="right"``: after equal elements, not before them.
    sorter : int64 Tensor of the shape of `sorted_sequence`, optional
        The indices that sort a `sorted_sequence` that isn't.

    Examples
    --------
    >>> import minigrad as torch
    >>> searchsorted(torch.tensor([1, 3, 5]), torch.tensor([3, 4]))
    tensor([1, 2])
    """
    before = _side(side, right)
    rows = raw(sorted_sequence)
    values = np.asarray(unwrapped(input))
    if sorter is not None:
        if raw(sorter).shape != rows.shape or raw(sorter).dtype != np.int64:
            raise RuntimeError(f"searchsorted(): sorter must be int64 and of the shape of the boundaries, {list(rows.shape)}, got "
                               f"{list(raw(sorter).shape)} of {raw(sorter).dtype}")
        rows = np.take_along_axis(rows, raw(sorter), -1)
    if rows.ndim != 1 and rows.shape[:-1] != values.shape[:-1]:
        raise RuntimeError("searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries "
                           f"tensor and input value tensor must match, but we got {list(rows.shape)} and {list(values.shape)}")
    if rows.ndim == 1:
        found = np.searchsorted(rows, values, before)
    else:
        found = np.empty(values.shape, np.int64)
        for place in np.ndindex(values.shape[:-1]):
            found[place] = np.searchsorted(rows[place], values[place], before)
    return wrap(np.asarray(found, np.int32 if out_int32 else np.int64))


def msort(input: Array) -> Any:
    """The elements sorted along the first dimension."""
    return sort(input, 0).values


def bucketize(input: Any, boundaries: Array, *, out_int32: bool = False, right: bool = False) -> Any:
    """The number of the interval between sorted `boundaries` that each element lies in; `right`: a boundary belongs to the next."""
    if raw(boundaries).ndim != 1:
        raise RuntimeError(f"bucketize(): boundaries tensor must be 1 dimension, but got dim({raw(boundaries).ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Any:
    """Where an element of `elements` is one of `test_elements`, or with `invert` none of them; one of both may be a number."""
    a, b = (np.asarray(x, dtype_of_number(x).numpy) if isinstance(x, (bool, int, float)) else raw(x)
            for x in (elements, test_elements))
    if np.bool_ in (a.dtype, b.dtype):
        raise RuntimeError(f"isin(): bools are not supported, got {as_dtype(a.dtype)} and {as_dtype(b.dtype)}")
    return wrap(np.isin(a, b, assume_unique, invert))
