"""Sliding windows over images: where they lie, how to show them without copying, and `unfold` and `fold`.

An image has the shape (n, channels, height, width); a signal, (n, channels, length), is an image of one row.

The functions here take `last`, which says whether channels are last in memory. Then a window is a few long runs, and copying it
takes half the time or less (64 images of 16 × 14 × 14, every other 3 × 3 window: 230 µs, not 580). Where there are few channels,
the runs are longer along the rows of the image. NumPy's ufuncs keep the order that they find; `views.settle` brings torch's
back where it makes a difference.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Array
from minigrad.autograd import op, raw
from minigrad.ops.dims import floating

Ints = int | Sequence[int]

# ---- where windows lie -----------------------------------------------------------------------------------------------


class Windows:
    """Where windows lie on an image; every attribute has one entry for rows and one for columns.

    Attributes
    ----------
    size : tuple of int
        Of the image.
    kernel, dilation : tuple of int
        How many taps a window has, and how far they are apart.
    stride : tuple of int
        How far windows are apart.
    before : tuple of int
        How far outside of the image the first window begins.
    out : tuple of int
        How many windows there are.
    groups : int
        Of a convolution: into how many parts the channels are cut.
    depthwise : bool
        Of a convolution: whether each part is one channel, of which one is made.
    last : bool
        Of a convolution: whether windows have longer runs in memory if the channels are last.
    """

    def __init__(self, size: Any, kernel: Any, stride: Any, dilation: Any, before: Any, out: Any) -> None:
        self.size, self.kernel, self.stride, self.dilation, self.before, self.out = size, kernel, stride, dilation, before, out
        self.groups, self.depthwise, self.last = 1, False, True
        self.taps, self.places = math.prod(kernel), math.prod(out)
        axes = list(zip(size, kernel, stride, dilation, before, out, strict=True))
        self.padded = tuple(max(b + n, (o - 1) * s + (k - 1) * d + 1) for n, k, s, d, b, o in axes)
        self.inner = tuple(slice(b, b + n) for n, b in zip(size, before, strict=True))
        self.inside = {True: (slice(None), *self.inner), False: (..., *self.inner)}  # by whether the channels are last
        # For each tap, the part of a padded image that it takes from all windows together.
        rows, columns = ([slice(i * d, i * d + (o - 1) * s + 1, s) for i in range(k)] for _, k, s, d, _, o in axes)
        self.parts = [(..., r, c) for r in rows for c in columns]
        # Taps of one window that are less than a stride apart never meet those of another: fold adds such blocks at once.
        rows, columns = ([slice(i, i + s // math.gcd(s, d)) for i in range(0, k, s // math.gcd(s, d))] for _, k, s, d, _, _ in axes)
        self.blocks = [(slice(None), slice(None), r, c) for r in rows for c in columns]

    @functools.cached_property
    def between(self) -> tuple[Windows, tuple[int, ...]]:
        """For `interleave`: windows on the results of a convolution, and the size of its image in steps of the stride."""
        reach = [-(-((k - 1) * d + 1) // s) for k, d, s in zip(self.kernel, self.dilation, self.stride, strict=True)]
        steps = tuple(max(o + r - 1, -(-n // s)) for o, r, n, s in zip(self.out, reach, self.padded, self.stride, strict=True))
        return Windows(self.out, tuple(reach), (1, 1), (1, 1), tuple(r - 1 for r in reach), steps), steps

    @functools.cached_property
    def turned(self) -> Windows:
        """For `spread_turned`: windows on the results of a convolution, as many as its image has places."""
        reach = ((k - 1) * d - b for k, d, b in zip(self.kernel, self.dilation, self.before, strict=True))
        return Windows(self.out, self.kernel, (1, 1), self.dilation, tuple(reach), self.size)

    @functools.cached_property
    def dense(self) -> Windows:
        """For depthwise convolutions: the same windows without a stride along the rows."""
        (h, w), (s, t) = self.out, self.stride
        return Windows(self.size, self.kernel, (s, 1), self.dilation, self.before, (h, (w - 1) * t + 1))

    @functools.cached_property
    def back(self) -> Windows:
        """For `spread_each`: windows on the results, set apart, as many as the padded image has places."""
        apart = tuple((o - 1) * s + 1 for o, s in zip(self.out, self.stride, strict=True))
        reach = tuple((k - 1) * d for k, d in zip(self.kernel, self.dilation, strict=True))
        return Windows(apart, self.kernel, (1, 1), self.dilation, reach, self.padded)

    def empty(self, like: tuple[int, ...], dtype: Any, last: bool, fill: float = 0) -> Any:
        """Memory for padded images, as many and with as many channels as the shape `like` says, all `fill`."""
        n, channels, *_ = like
        shape = (n, *self.padded, channels) if last else (n, channels, *self.padded)
        return np.zeros(shape, dtype) if fill == 0 else np.full(shape, fill, dtype)

    def pad(self, x: Any, last: bool, fill: float = 0) -> Any:
        """Memory of images with `fill` around them."""
        ordered = x.transpose(0, 2, 3, 1) if last else x
        if self.padded == self.size:
            return np.ascontiguousarray(ordered)
        memory = self.empty(x.shape, x.dtype, last, fill)
        memory[self.inside[last]] = ordered
        return memory

    def over(self, memory: Any, last: bool) -> Any:
        """A view of the windows, (n, *out, *kernel, channels) if `last`, else (channels, *kernel, n, *out)."""
        shape, strides = _layout(self, memory.shape, memory.itemsize, last)
        return np.ndarray(shape, memory.dtype, memory, 0, strides)

    def shown(self, memory: Any, last: bool) -> Any:
        """The same view, of shape (n, channels, *kernel, *out)."""
        return self.over(memory, last).transpose((0, 5, 3, 4, 1, 2) if last else (3, 0, 1, 2, 4, 5))


@functools.lru_cache(maxsize=1024)
def _layout(windows: Windows, memory: tuple[int, ...], size: int, last: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Shape and strides of `Windows.over`, for memory of a shape, and elements of a size."""
    (a, b), (s, t) = windows.dilation, windows.stride
    n, x, y, z = (math.prod(memory[i:]) * size for i in (1, 2, 3, 4))
    if last:
        return (memory[0], *windows.out, *windows.kernel, memory[3]), (n, x * s, y * t, x * a, y * b, z)
    return (memory[1], *windows.kernel, memory[0], *windows.out), (x, y * a, z * b, n, y * s, z * t)


def images(memory: Any, last: bool) -> Any:
    """The images in memory, of shape (n, channels, height, width)."""
    return memory.transpose(0, 3, 1, 2) if last else memory


def unfold(x: Any, windows: Windows, last: bool) -> Any:
    """The windows of images, of shape (n, channels, *kernel, *out), with zeros outside of the images."""
    return windows.shown(windows.pad(x, last), last)


def fold(x: Any, windows: Windows, last: bool) -> Any:
    """The images that windows of shape (n, channels, *kernel, *out) add up to where they overlap: the transpose of `unfold`.

    If the shape is (n, channels, 1, 1, *out), all taps of a window get the same.
    """
    memory = windows.empty(x.shape, x.dtype, last)
    target, one = windows.shown(memory, last), x.shape[2:4] == (1, 1)
    first, *others = windows.blocks
    target[first] = x if one else x[first]
    for block in others:
        target[block] += x if one else x[block]
    return images(memory[windows.inside[last]], last)


# ---- arguments -------------------------------------------------------------------------------------------------------


def ints(name: str, what: str, value: Any, count: int, least: int) -> tuple[int, ...]:
    """One integer for each of `count` dimensions, given as one for all of them or as a sequence."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if not all(hasattr(v, "__index__") for v in values):
        raise TypeError(f"{name}(): {what} must be an int or a tuple of ints, got {value!r}")
    if len(values) not in (1, count) or min(values) < least:
        raise RuntimeError(f"{name}(): expected {what} to be a single integer value or a list of {count} values to match the "
                           f"{count} dimensions of an image, each at least {least}, got {value!r}")
    return tuple(operator.index(v) for v in values) * (count // len(values))


def hashed(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function that keeps its results, with tuples for lists, which it could not keep them under."""
    try:
        return function(*args)
    except TypeError:
        return function(*(tuple(arg) if isinstance(arg, list) else arg for arg in args))


def place(name: str, size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool = False) -> Windows:
    """The windows on images, or signals, of a size."""
    ndim = len(size)
    k, s, d = (ints(name, what, value, ndim, 1) for what, value in
               (("kernel_size", kernel), ("stride", stride), ("dilation", dilation)))  # fmt: skip
    reach = tuple(a * (b - 1) for a, b in zip(d, k, strict=True))
    if padding == "same":
        if max(s) > 1:
            raise RuntimeError(f"{name}(): padding='same' is not supported for strided convolutions, got stride={stride!r}")
        return two_dimensional(size, k, s, d, tuple(r // 2 for r in reach), size)
    if isinstance(padding, str) and padding != "valid":
        raise RuntimeError(f"{name}(): Invalid padding string: {padding!r}; use 'same', 'valid', or numbers")
    p = ints(name, "padding", 0 if padding == "valid" else padding, ndim, 0)
    room = [n + 2 * a - r for n, a, r in zip(size, p, reach, strict=True)]
    if min(room) < 1:
        raise RuntimeError(f"{name}(): windows of {list(k)} do not fit into an input of size {list(size)} with padding {padding} "
                           f"and dilation {dilation}: Output size is too small")
    out = [(n - 1) // a + 1 for n, a in zip(room, s, strict=True)]
    if ceil_mode:  # one more, if it does not begin behind the image
        out = [o + (o * a - (n - 1) < a and o * a < m + b) for o, n, m, a, b in zip(out, room, size, s, p, strict=True)]
    return two_dimensional(size, k, s, d, p, tuple(out))


def two_dimensional(size: Any, kernel: Any, stride: Any, dilation: Any, before: Any, out: Any) -> Windows:
    """Windows on images, or on signals as images of one row."""
    if len(size) == 2:
        return Windows(size, kernel, stride, dilation, before, out)
    return Windows((1, *size), (1, *kernel), (1, *stride), (1, *dilation), (0, *before), (1, *out))


def check_images(name: str, shape: tuple[int, ...], ndim: int = 2) -> None:
    """Refuse what is neither an image (if `ndim` is 1, a signal) nor a batch of them, and images without elements."""
    if len(shape) - ndim not in (1, 2) or 0 in shape[-ndim - 1 :]:
        raise RuntimeError(f"{name}(): Expected {ndim + 1}D or {ndim + 2}D (batch mode) tensor with optional 0 dim batch size "
                           f"for input, but got: {list(shape)}")


def batch(x: Array) -> Any:
    """One image as a batch of one."""
    return x if x.ndim == 4 else x.reshape((1, *x.shape))


# ---- torch's im2col and col2im ---------------------------------------------------------------------------------------


def im2col(input: Array, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1) -> Any:
    """The windows of images as columns: (n, channels, height, width) to (n, channels · taps, number of windows).

    Raises
    ------
    RuntimeError
        If input is no batch of images and no image, or the windows do not fit into it.
    """
    if raw(input).dtype != np.bool_:
        floating("unfold", input)
    check_images("unfold", raw(input).shape)
    return _im2col(input, place("unfold", raw(input).shape[-2:], kernel_size, stride, padding, dilation))


def col2im(
    input: Array, output_size: Ints, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1
) -> Any:
    """Images of `output_size` to which columns add up: the derivative of `im2col`, with the shapes there.

    Raises
    ------
    RuntimeError
        If the columns are not as many, or not as long, as such images give.
    """
    floating("fold", input)
    shape, size = raw(input).shape, ints("fold", "output_size", output_size, 2, 1)
    if len(shape) not in (2, 3):
        raise RuntimeError("fold(): Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero "
                           f"dimensions for input, but got: {list(shape)}")
    windows = place("fold", size, kernel_size, stride, padding, dilation)
    columns = math.prod(windows.out)
    if shape[-2] % windows.taps or shape[-1] != columns:
        raise RuntimeError(f"fold(): expected input's last dimensions to be divisible by the {windows.taps} taps of a window, and "
                           f"to match the number of sliding blocks, {columns}, but got {list(shape)}")
    return _col2im(input, windows)


@op(linear=True, name="Im2ColBackward0")
def _im2col(x: Array, /, windows: Windows) -> Any:
    *n, c, _, _ = x.shape
    value = unfold(batch(x), windows, False).copy()
    return value.reshape(*n, c * windows.taps, windows.places), lambda g: _col2im(g, windows)


@op(linear=True, name="Col2ImBackward0")
def _col2im(x: Array, /, windows: Windows) -> Any:
    *n, c, _ = x.shape
    c //= windows.taps
    images = fold(x.reshape(*(n or [1]), c, *windows.kernel, *windows.out), windows, False)
    return images.reshape(*n, c, *windows.size), lambda g: _im2col(g, windows)
