"""Views with strides of your own: overlapping windows, or any other way of looking at the same memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Array
from minigrad.arrays.storage import first_byte, shown
from minigrad.autograd import op, raw
from minigrad.ops.dims import axis_of

# ---- windows -------------------------------------------------------------------------------------------------------------


def unfold(input: Array, dimension: int, size: int, step: int) -> Any:
    """Windows of `size` elements along `dimension`, one each `step` elements; they become the last dimension of the result.

    Examples
    --------
    >>> import minigrad as torch
    >>> unfold(torch.arange(5), 0, 3, 2)
    tensor([[0, 1, 2],
            [2, 3, 4]])
    """
    shape = raw(input).shape
    axis = axis_of(dimension, len(shape))
    if size < 0 or step <= 0:
        raise RuntimeError(f"unfold(): size must not be negative and step must be > 0, got size={size} and step={step}")
    if size > (shape[axis] if shape else 1):
        raise RuntimeError(f"maximum size for tensor at dimension {dimension} is {shape[axis] if shape else 1} but size is {size}")
    return _unfold(input, axis, size, step)


@op(linear=True, view=True)
def _unfold(x: Array, /, axis: int, size: int, step: int) -> Any:
    shape, whole = x.shape, raw(x)
    if not shape:
        return whole.reshape(1)[:size], lambda g: g.sum()
    windows = (*shape[:axis], (shape[axis] - size) // step + 1, *shape[axis + 1 :], size)
    steps = (*whole.strides[:axis], whole.strides[axis] * step, *whole.strides[axis + 1 :], whole.strides[axis])
    return shown(whole, windows, steps, first_byte(whole)), lambda g: _unfold_zeros(g, axis, step, shape)


@op(linear=True, name="UnfoldBackwardBackward0")
def _unfold_zeros(g: Array, /, axis: int, step: int, shape: tuple[int, ...]) -> Any:
    """Zeros to which the windows in `g` are added where they were taken from."""
    whole, size = np.zeros(shape, g.dtype), g.shape[-1]
    for i in range(size):  # the elements of number i of all windows never overlap
        whole[(*(slice(None),) * axis, slice(i, i + g.shape[axis] * step - step + 1, step))] += g[..., i]
    return whole, lambda h: _unfold(h, axis, size, step)


# ---- any steps -----------------------------------------------------------------------------------------------------------


def as_strided(input: Array, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None) -> Any:
    """The memory of `input` in another shape: from one index to the next it goes `stride` elements on.

    Parameters
    ----------
    size, stride : sequence of int
        Sizes of the dimensions, and the steps along them, in elements.
    storage_offset : int, optional
        The first element, counted from the beginning of the memory. Default: that of `input`.

    Raises
    ------
    RuntimeError
        If sizes and steps differ in number, are negative, or lead out of the memory.
    """
    size, stride = tuple(size), tuple(stride)
    if len(size) != len(stride):
        raise RuntimeError(f"mismatch in length of strides and shape: as_strided() got size {list(size)} and stride {list(stride)}")
    if min((*size, *stride, storage_offset or 0), default=0) < 0:
        raise RuntimeError(f"as_strided: negative sizes, strides and offsets are not supported, got {list(size)}, {list(stride)} "
                           f"and {storage_offset}")
    return _as_strided(input, size, stride, storage_offset)


@op(linear=True, view=True)
def _as_strided(x: Array, /, size: tuple[int, ...], stride: tuple[int, ...], storage_offset: int | None) -> Any:
    whole = raw(x)
    width, shape = whole.itemsize, whole.shape
    first = first_byte(whole) if storage_offset is None else storage_offset * width
    steps = tuple(n * width for n in stride)

    def rule(g: Array) -> Array:
        places = _cells(shape, whole.strides, first_byte(whole), width)
        seen = _cells(size, steps, first, width)
        cells = max(int(places.max(initial=-1)), int(seen.max(initial=-1))) + 1
        sharers = np.maximum(np.bincount(places.ravel(), minlength=cells), 1)  # how many elements of x each cell holds
        return _moved(g, seen, places, sharers)

    return shown(whole, size, steps, first), rule


def _cells(shape: tuple[int, ...], strides: Sequence[int], first: int, width: int) -> np.ndarray[Any, Any]:
    """The number of each element among the cells of the memory."""
    cells = np.asarray(first // width)
    for n, step in zip(shape, strides, strict=True):
        cells = cells[..., None] + np.arange(n) * (step // width)
    return cells


@op(linear=True, name="AsStridedBackwardBackward0")
def _moved(g: Array, /, source: Any, target: Any, sharers: Any) -> Any:
    """Each element of `g` brought from its cell in `source` to that cell in `target`; `sharers` share what arrives in a cell."""
    memory = np.bincount(source.ravel(), raw(g).ravel(), len(sharers)) / sharers
    return memory[target].astype(g.dtype), lambda h: _moved(h, target, source, sharers)
