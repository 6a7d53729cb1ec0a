"""Resampling of signals and images: each element of the result is a weighted mean of a few neighbours along each dimension.

Along one dimension, a *tap* says which element of the input each element of the result reads, and with which weight. The
nearest neighbour takes one tap, linear interpolation two, cubic four. The dimensions are resampled one after the other.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from minigrad.arrays.dtypes import Array, as_dtype
from minigrad.autograd import op, raw
from minigrad.ops.pooling import adaptive_avg_pool1d, adaptive_avg_pool2d

Taps: TypeAlias = list[tuple[Any, Any]]  # (index, weight) of each tap: one entry per element of the result

# For each mode: the number of dimensions behind channels (None: any), and torch's name for the operation.
MODES = {"nearest": (None, "Nearest"), "nearest-exact": (None, "NearestExact"), "linear": (1, "Linear"),
         "bilinear": (2, "Bilinear"), "trilinear": (3, "Trilinear"), "bicubic": (2, "Bicubic")}  # fmt: skip


@op(linear=True, in_single=True, name=lambda plan, name: name, order="L")
def _resample(x: Array, /, plan: tuple[tuple[int, int, Taps], ...], name: str) -> Any:
    y = x if plan else x.copy()
    for axis, _, taps in plan:
        parts = [np.take(y, index, axis) * weight for index, weight in taps]
        y = functools.reduce(np.add, parts)
    return y, lambda g: _resample_back(g, plan, name)


@op(linear=True, in_single=True)
def _resample_back(g: Array, /, plan: tuple[tuple[int, int, Taps], ...], name: str) -> Any:
    """Each element's shares added up where they were read."""
    spread = g
    for axis, size, taps in reversed(plan):
        total = np.zeros((*spread.shape[:axis], size, *spread.shape[axis + 1 :]), spread.dtype)
        for index, weight in taps:
            first = np.flatnonzero(np.diff(index, prepend=-1))  # indices rise: equal ones are neighbours
            total[(slice(None),) * axis + (index[first],)] += np.add.reduceat(spread * weight, first, axis)
        spread = total
    return spread, lambda h: _resample(h, plan, name)


@functools.lru_cache(maxsize=256)
def _taps(mode: str, size: int, out: int, scale: float | None, align_corners: bool, axis: int, ndim: int, dtype: Any) -> Taps:
    """The taps along one dimension, computed in the dtype in which torch does."""
    one, half, places = dtype.type(1), dtype.type(0.5), np.arange(out).astype(dtype)
    step = dtype.type(size) / dtype.type(out) if scale is None else dtype.type(1 / scale)
    if align_corners:  # the outermost elements stay outermost
        step = dtype.type(size - 1) / dtype.type(out - 1) if out > 1 else dtype.type(0)
    if mode == "nearest":
        return [(np.minimum(np.floor(places * step).astype(int), size - 1), one)]
    source = places * step if align_corners else (places + half) * step - half
    if mode != "bicubic":
        source = np.maximum(source, 0)
    if mode == "nearest-exact":
        return [(np.minimum(np.floor(source + half).astype(int), size - 1), one)]
    left = np.minimum(np.floor(source).astype(int), size - 1)
    t = np.clip(source - left.astype(dtype), 0, 1)  # how far from it to the next
    weights = [one - t, t] if mode != "bicubic" else [_far(t + one), _near(t), _near(one - t), _far(2 - t)]
    first = 0 if mode != "bicubic" else -1
    weights = [weight.reshape(-1, *[1] * (ndim - 1 - axis)) for weight in weights]
    return [(np.clip(left + first + i, 0, size - 1), weight) for i, weight in enumerate(weights)]


A = -0.75  # of Keys' cubic convolution kernel, as torch has it


def _near(x: Any) -> Any:
    """The kernel at a distance of at most 1."""
    return ((A + 2) * x - (A + 3)) * x * x + 1


def _far(x: Any) -> Any:
    """The kernel at a distance from 1 to 2."""
    return ((A * x - 5 * A) * x + 8 * A) * x - 4 * A


def interpolate(
    input: Any, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest", align_corners: bool | None = None, recompute_scale_factor: bool | None = None, antialias: bool = False,
) -> Any:
    """Bring signals or images to another size.

    Parameters
    ----------
    input : Tensor of shape (n, channels, length), (n, channels, height, width) or (n, channels, depth, height, width)
    size : int or sequence of int
        Of the result, without n and channels.
    scale_factor : float or sequence of float
        How many times as large the result is to be. One of this and `size` must be given.
    mode : str
        "nearest", "nearest-exact"; "linear" for signals, "bilinear" and "bicubic" for images, "trilinear" for volumes; or
        "area", the mean of windows.
    align_corners : bool, optional
        Put the first and the last elements of input and result on top of each other, instead of their outer edges.
    recompute_scale_factor : bool, optional
        Take the ratio of the sizes for the scale, instead of `scale_factor`.
    antialias
        Not supported.

    Returns
    -------
    Tensor of shape (n, channels, *size), of the input's dtype

    Raises
    ------
    ValueError
        If not one of `size` and `scale_factor` is given, or their number does not fit.
    NotImplementedError
        For `antialias`, and for a mode that does not go with the number of dimensions.
    RuntimeError
        If the result would be empty.

    Examples
    --------
    >>> import minigrad as torch
    >>> interpolate(torch.tensor([[[1.0, 2.0]]]), scale_factor=2, mode="linear")
    tensor([[[1.0000, 1.2500, 1.7500, 2.0000]]])
    """
    shape = raw(input).shape
    sizes, ndim = shape[2:], len(shape) - 2
    if align_corners is not None and mode in ("nearest", "nearest-exact", "area"):
        raise ValueError("align_corners option can only be set with the interpolating modes: linear, bilinear, bicubic, trilinear")
    if (size is None) == (scale_factor is None):
        raise ValueError("only one of size or scale_factor should be defined" if size is not None else
                         "either size or scale_factor should be defined")  # fmt: skip
    given: Any = size if scale_factor is None else scale_factor
    values: list[Any] = list(given) if isinstance(given, (list, tuple)) else [given] * ndim
    if len(values) != ndim:
        raise ValueError("Input and output must have the same number of spatial dimensions, but got input with spatial dimensions "
                         f"of {list(sizes)} and {'output size' if scale_factor is None else 'scale_factor'} of {given}")
    if recompute_scale_factor and size is not None:
        raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    if antialias:
        if mode not in ("bilinear", "bicubic") or ndim != 2:
            raise ValueError("Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as input")
        raise NotImplementedError("interpolate(): antialias=True is not supported")
    scales: list[Any] = [None] * ndim
    if scale_factor is None:
        if not all(hasattr(n, "__index__") for n in values):
            raise TypeError(f"expected size to be one of int or a tuple of int, but got types {[type(n) for n in values]}")
        out = [int(n) for n in values]
    else:
        out = [int(n * scale) for n, scale in zip(sizes, values, strict=True)]
        if not recompute_scale_factor:
            scales = [scale if scale > 0 else None for scale in values]
    if mode == "area" and ndim in (1, 2):
        return adaptive_avg_pool1d(input, out[0]) if ndim == 1 else adaptive_avg_pool2d(input, tuple(out))
    if mode not in MODES or MODES[mode][0] not in (None, ndim) or ndim not in (1, 2, 3):
        raise NotImplementedError(f"interpolate(): no mode {mode!r} for inputs of {len(shape)} dimensions; use 'nearest' "
                                  "or 'nearest-exact' for 3, 4 or 5, 'linear' for 3, 'bilinear' or 'bicubic' for 4, 'trilinear' "
                                  "for 5, 'area' for 3 or 4")
    return _interpolated(input, mode, tuple(out), tuple(scales), bool(align_corners))


def _interpolated(input: Any, mode: str, out: tuple[int, ...], scales: tuple[Any, ...], align_corners: bool) -> Any:
    shape, dtype = raw(input).shape, raw(input).dtype
    ndim = len(shape) - 2
    if min(out) <= 0 or min(shape[1:]) <= 0:
        raise RuntimeError(f"Input and output sizes should be greater than 0, but got input of shape {list(shape)} and output size "
                           f"{list(out)}")
    if dtype.kind != "f" and not (dtype == np.uint8 and mode.startswith("nearest")):
        raise NotImplementedError(f"interpolate(): mode {mode!r} is not implemented for {as_dtype(dtype)}; convert the tensor "
                                  "first, as in x.float()")
    inner = np.dtype(np.float64) if dtype == np.float64 else np.dtype(np.float32)
    if mode == "nearest" and out == shape[2:] and ndim == 2:
        scales = (None, None)  # torch copies such images, whatever the scale
    plan = []
    for axis in range(len(shape) - 1, 1, -1):
        size, n, scale = shape[axis], out[axis - 2], scales[axis - 2]
        if n != size or ("linear" not in mode and scale not in (None, 1)):
            plan.append((axis, size, _taps(mode, size, n, scale, align_corners, axis, len(shape), inner)))
    if dtype == np.uint8:
        plan = [(axis, size, [(index, np.uint8(1)) for index, _ in taps]) for axis, size, taps in plan]
    name = f"Upsample{MODES[mode][1]}{ndim}DBackward0"
    return _resample(input, tuple(plan), name)
