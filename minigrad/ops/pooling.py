"""Pooling: the mean or the largest element of each window of an image. Adaptive pooling chooses windows for a given output size."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Array
from minigrad.arrays.layout import channels_come_last, contiguous_format
from minigrad.autograd import TensorBase, op, raw, wrap
from minigrad.ops.dims import floating
from minigrad.ops.elementwise import attached, masked
from minigrad.ops.indexing import scatter_zeros
from minigrad.ops.reduction import mean
from minigrad.ops.shape import clone, squeeze, unsqueeze
from minigrad.ops.windows import Ints, Windows, batch, check_images, fold, hashed, images, ints, place


@functools.lru_cache(maxsize=1024, typed=True)
def _planned(name: str, x: Any, dtype: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> Windows:
    """The windows on images of shape x, which is checked."""
    if dtype.kind == "b":
        raise NotImplementedError(f"{name}(): not implemented for torch.bool; convert the tensor first, as in x.float()")
    check_images(name, x)
    windows = place(name, x[-2:], kernel, kernel if stride in (None, ()) else stride, padding, dilation, ceil_mode)
    if any(2 * p > (k - 1) * d + 1 for p, k, d in zip(windows.before, windows.kernel, windows.dilation, strict=True)):
        raise RuntimeError(f"{name}(): pad should be at most half of effective kernel size, but got pad={padding}, "
                           f"kernel_size={kernel} and dilation={dilation}")
    return windows


@functools.lru_cache(maxsize=1024, typed=True)
def _averaged(x: Any, dtype: Any, kernel: Any, stride: Any, padding: Any, ceil_mode: bool, outside: bool, divisor: Any) -> Any:
    """The windows on images of shape x, and by what to divide the sum of each: how many elements it has, in the padding or not."""
    windows = _planned("avg_pool2d", x, dtype, kernel, stride, padding, 1, ceil_mode)
    if divisor == 0:
        raise RuntimeError("avg_pool2d(): divisor must be not zero")
    counts = []
    for n, k, s, b, o in zip(windows.size, windows.kernel, windows.stride, windows.before, windows.out, strict=True):
        first = np.arange(o) * s - b
        last = np.minimum(first + k, n + b)  # behind the padding there is nothing to count
        counts.append(last - first if outside else np.minimum(last, n) - np.maximum(first, 0))
    table = np.multiply.outer(*counts)
    same = windows.taps if (table == windows.taps).all() else table.astype(dtype if dtype.kind == "f" else np.float64)
    return windows, divisor or same


def _lowest(dtype: Any) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _combined(combine: np.ufunc, memory: Any, windows: Windows, last: bool) -> Any:
    """The sum or the maximum of each window of padded images: at once if windows are large and few, else tap by tap."""
    if windows.taps > windows.places:
        return combine.reduce(windows.shown(memory, last), (2, 3))
    x = images(memory, last)
    along = zip(windows.kernel, windows.stride, windows.dilation, windows.out, strict=True)
    for axis, (k, s, d, o) in enumerate(along, 2):  # along one dimension after the other
        before = (slice(None),) * axis
        taps = [x[(*before, slice(i * d, i * d + (o - 1) * s + 1, s))] for i in range(k)]
        x = combine(taps[0], taps[1]) if k > 1 else taps[0]
        for tap in taps[2:]:
            combine(x, tap, out=x)
    return x.copy() if windows.taps == 1 else x


@op(name="AvgPool2DBackward0", order="L")
def _avg_pool(x: Array, /, windows: Windows, divisor: Any) -> Any:
    a = batch(raw(x))
    last = channels_come_last(a)
    value = (_combined(np.add, windows.pad(a, last), windows, last) / divisor).astype(a.dtype, copy=False)
    return value.reshape(x.shape[:-2] + windows.out), lambda g: attached(_avg_spread(g, windows, divisor), x)


@op(linear=True)
def _avg_spread(g: Array, /, windows: Windows, divisor: Any) -> Any:
    """An equal share of each element for each tap of its window."""
    shares = batch(g) / divisor
    spread = fold(shares[:, :, None, None], windows, channels_come_last(shares))
    return spread.reshape(g.shape[:-2] + windows.size), lambda h: _avg_pool(h, windows, divisor)


@op(name="MaxPool2DWithIndicesBackward0", order="L")
def _max_pool(x: Array, /, windows: Windows) -> Any:
    a = batch(raw(x))
    last = channels_come_last(a)
    value = _combined(np.maximum, windows.pad(a, last, _lowest(a.dtype)), windows, last)
    return value.reshape(x.shape[:-2] + windows.out), lambda g: attached(_put(g, windows, _largest(batch(raw(x)), windows)), x)


def _largest(x: Any, windows: Windows) -> list[Any]:
    """For each tap, whether it is the first of the largest elements of its window; the last nan, if there is any."""
    last = channels_come_last(x)
    memory = windows.pad(x, last, _lowest(x.dtype))
    best, x = _combined(np.maximum, memory, windows, last), images(memory, last)
    free = np.ones_like(best, bool)
    found = []
    for part in windows.parts:
        found.append((x[part] == best) & free)
        free ^= found[-1]
    if free.any():
        for part, largest in zip(reversed(windows.parts), reversed(found), strict=True):
            largest |= np.isnan(x[part]) & free
            free &= ~largest
    return found


@op(linear=True)
def _put(g: Array, /, windows: Windows, found: list[Any]) -> Any:
    """Images of zeros to which each element of g is added at that tap of its window that was found."""
    shares = batch(g)
    last = channels_come_last(found[0])
    spread = images(windows.empty(shares.shape, g.dtype, last), last)
    for part, where in zip(windows.parts, found, strict=True):
        spread[part] += masked(shares, where)
    return spread[(..., *windows.inner)].reshape(g.shape[:-2] + windows.size), lambda h: _take(h, windows, found)


@op(linear=True)
def _take(x: Array, /, windows: Windows, found: list[Any]) -> Any:
    """Of each window the tap that was found."""
    last = channels_come_last(found[0])
    padded = images(windows.pad(batch(x), last), last)
    value = sum(masked(padded[part], where) for part, where in zip(windows.parts, found, strict=True))
    return value.reshape(x.shape[:-2] + windows.out), lambda g: _put(g, windows, found)


def max_pool2d(
    input: Array, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of an image; the gradient goes to the first of several.

    Parameters
    ----------
    input : Tensor of shape (n, channels, height, width) or (channels, height, width)
        Images.
    kernel_size : int or pair of int
        The size of a window.
    stride : int or pair of int, optional
        How far windows are apart. Default: `kernel_size`, so that they lie side by side.
    padding : int or pair of int
        How much smallest numbers go around the image, at most half of `kernel_size`.
    dilation : int or pair of int
        How far the elements of one window are apart.
    ceil_mode : bool
        Take a last window that reaches over the edge, too.
    return_indices : bool
        Give the places of the largest elements as well, counted row by row through the image.

    Returns
    -------
    Tensor, or (Tensor, int64 Tensor)

    Raises
    ------
    RuntimeError
        If the shape is no image's, or the windows do not fit.
    NotImplementedError
        For bool.
    """
    a = raw(input)
    windows = hashed(_planned, "max_pool2d", a.shape, a.dtype, kernel_size, stride, padding, dilation, ceil_mode)
    value = _max_pool(input, windows)
    if not return_indices:
        return value
    number = sum(k * where for k, where in enumerate(_largest(batch(a), windows)))
    taps = np.unravel_index(number, windows.kernel)
    starts = (np.arange(o) * s - b for o, s, b in zip(windows.out, windows.stride, windows.before, strict=True))
    rows, columns = (t * d + start for t, d, start in zip(taps, windows.dilation, np.ix_(*starts), strict=True))
    return value, wrap((rows * windows.size[1] + columns).reshape(raw(value).shape))


def avg_pool2d(
    input: Array, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Any:
    """The mean of each window of an image.

    Parameters
    ----------
    input, kernel_size, stride, padding, ceil_mode
        As in `max_pool2d`, but with zeros around the image.
    count_include_pad : bool
        Divide by the size of the window; otherwise by how much of it lies inside the image.
    divisor_override : int, optional
        Divide by this.

    Raises
    ------
    RuntimeError
        If the shape is no image's, or the windows do not fit, or the divisor is 0.
    NotImplementedError
        For bool.
    """
    a = raw(input)
    options = kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    return _avg_pool(input, *hashed(_averaged, a.shape, a.dtype, *options))


# ---- pooling to a given size -----------------------------------------------------------------------------------------


def _spans(name: str, shape: tuple[int, ...], output_size: Any) -> tuple[list[tuple[int, int]], ...]:
    """For both dimensions, where each of the windows begins and ends that together cover images of a shape."""
    if isinstance(output_size, (tuple, list)) and len(shape) <= len(output_size):
        raise ValueError(f"{name}(): Input dimension should be at least {len(output_size) + 1}, got {len(shape)}")
    check_images(name, shape)
    sizes = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size, output_size)
    size = shape[-2:]
    filled = ints(name, "output_size", tuple(n if m is None else m for n, m in zip(size, sizes, strict=False)) + sizes[2:], 2, 0)
    return tuple([(i * n // m, -(-(i + 1) * n // m)) for i in range(m)] for n, m in zip(size, filled, strict=True))


@functools.lru_cache(maxsize=1024, typed=True)
def _averages(shape: tuple[int, ...], dtype: Any, output_size: Any) -> Any:
    """By which matrices to multiply images from the left and from the right; None if all of an image is averaged.

    They are kept: for one image of 10 × 4 × 4 to 2 × 2, adaptive_avg_pool2d takes 8 µs with them, 21 without.
    """
    spans = _spans("adaptive_avg_pool2d", shape, output_size)
    if [len(s) for s in spans] == [1, 1]:
        return None
    rows, columns = (np.zeros((len(s), n), dtype) for s, n in zip(spans, shape[-2:], strict=True))
    for matrix, windows in ((rows, spans[0]), (columns, spans[1])):
        for row, (first, last) in zip(matrix, windows, strict=True):
            row[first:last] = 1 / (last - first)
        matrix.flags.writeable = False
    return rows, columns


def adaptive_avg_pool2d(input: Array, output_size: Any) -> Any:
    """The means of windows that are as even as they can be and give an image of `output_size`, None for a size as it is.

    Raises
    ------
    RuntimeError
        If the shape is no image's, or a size is negative.
    NotImplementedError
        If input is no floating-point tensor.
    """
    floating("adaptive_avg_pool2d", input)
    matrices = hashed(_averages, raw(input).shape, raw(input).dtype, output_size)
    return mean(input, (-1, -2), True) if matrices is None else _adaptive_avg_pool(input, *matrices)


@op(name="AdaptiveAvgPool2DBackward0", order="L")
def _adaptive_avg_pool(x: Array, /, rows: Any, columns: Any) -> Any:
    """To average is to multiply by a matrix, from the left for rows and from the right for columns."""
    return rows @ np.ascontiguousarray(raw(x)) @ columns.T, lambda g: attached(_adaptive_avg_pool(g, rows.T, columns.T), x)


def adaptive_max_pool2d(input: Array, output_size: Any, return_indices: bool = False) -> Any:
    """As `adaptive_avg_pool2d`, but the largest elements; with `return_indices` also their places, as in `max_pool2d`."""
    floating("adaptive_max_pool2d", input)
    a = raw(input)
    rows, columns = _spans("adaptive_max_pool2d", a.shape, output_size)
    places = np.arange(math.prod(a.shape[-2:])).reshape(a.shape[-2:])
    flat = a.reshape((*a.shape[:-2], places.size))
    found = np.zeros((*a.shape[:-2], len(rows), len(columns)), np.int64)
    for i, j in itertools.product(range(len(rows)), range(len(columns))):
        window = places[slice(*rows[i]), slice(*columns[j])].reshape(-1)
        found[..., i, j] = window[flat[..., window].argmax(-1)]
    indices = wrap(found)
    value = _adaptive_max_pool(input, indices)
    return (value, indices) if return_indices else value


@op(name="AdaptiveMaxPool2DBackward0", order="L")
def _adaptive_max_pool(x: Array, places: Array, /) -> Any:
    shape, result = x.shape, places.shape
    flat = (*shape[:-2], shape[-2] * shape[-1])
    index = places.reshape((*shape[:-2], result[-2] * result[-1]))
    value = np.take_along_axis(raw(x).reshape(flat), index, -1)

    def rule(g: Array) -> Array:
        return attached(scatter_zeros(g.reshape(index.shape), index, x.ndim - 2, flat).reshape(shape), x)

    return value.reshape(result), rule


# ---- of one dimension ------------------------------------------------------------------------------------------------


def _of_rows(pool: Callable[..., Any], name: str, x: Array, *options: Any) -> Any:
    """Pool signals of shape (n, channels, length) or (channels, length) as images of one row."""
    check_images(name, raw(x).shape, 1)
    result = pool(unsqueeze(x, -2), *options)
    return (squeeze(result[0], -2), squeeze(result[1], -2)) if isinstance(result, tuple) else squeeze(result, -2)


def _row(name: str, options: dict[str, tuple[int, Any]]) -> list[Any]:
    """Numbers for signals as pairs for images of one row: options and what each is for the row, by their names."""
    return [None if v is None else (first, *ints(name, what, v, 1, first)) for what, (first, v) in options.items()]


def max_pool1d(
    input: Array, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:
    """`max_pool2d` for signals of shape (n, channels, length) or (channels, length); of floating-point numbers only."""
    floating("max_pool1d", input)
    given = {"kernel_size": (1, kernel_size), "stride": (1, stride), "padding": (0, padding), "dilation": (1, dilation)}
    result = _of_rows(max_pool2d, "max_pool1d", input, *_row("max_pool1d", given), ceil_mode, return_indices)
    if isinstance(result, TensorBase) and not (result._requires_grad or result.array.flags.c_contiguous):
        return clone(result, memory_format=contiguous_format)  # where no gradient is asked for, torch computes it in another way
    return result


def avg_pool1d(
    input: Array, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """`avg_pool2d` for signals of shape (n, channels, length) or (channels, length)."""
    given = {"kernel_size": (1, kernel_size), "stride": (1, stride), "padding": (0, padding)}
    return _of_rows(avg_pool2d, "avg_pool1d", input, *_row("avg_pool1d", given), ceil_mode, count_include_pad)


def adaptive_avg_pool1d(input: Array, output_size: Ints) -> Any:
    """`adaptive_avg_pool2d` for signals of shape (n, channels, length) or (channels, length)."""
    size = ints("adaptive_avg_pool1d", "output_size", output_size, 1, 0)
    return _of_rows(adaptive_avg_pool2d, "adaptive_avg_pool1d", input, (1, *size))


def adaptive_max_pool1d(input: Array, output_size: Ints, return_indices: bool = False) -> Any:
    """`adaptive_max_pool2d` for signals of shape (n, channels, length) or (channels, length)."""
    size = ints("adaptive_max_pool1d", "output_size", output_size, 1, 0)
    return _of_rows(adaptive_max_pool2d, "adaptive_max_pool1d", input, (1, *size), return_indices)
