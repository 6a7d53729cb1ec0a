"""Sliding windows over images: convolutions, and `unfold` and `fold`.

An image has the shape (n, channels, height, width); a signal, (n, channels, length), is an image of one row. A convolution is
one matrix product: of the windows of an image, copied out into the rows of a matrix, with the weights. Its derivatives are two
more products, and these three are each other's derivatives.

In memory the channels of a convolution's result come last. Then a window is a few long runs, and copying it takes half the
time or less (64 images of 16 × 14 × 14, every other 3 × 3 window: 230 µs, not 580). NumPy's ufuncs keep that order; `view` and
`reshape` bring torch's back where it makes a difference. Where there are few channels, the runs are longer along the rows of
the image. So each function here takes `last`, which says that channels are, or shall be, last in memory.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Array
from minigrad.arrays.sums import sum_rows
from minigrad.autograd import op, raw
from minigrad.ops.dims import floating
from minigrad.ops.shape import squeeze, unsqueeze

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
        """For `_spread`: windows on the results of a convolution, and the size of its image in steps of the stride."""
        reach = [-(-((k - 1) * d + 1) // s) for k, d, s in zip(self.kernel, self.dilation, self.stride, strict=True)]
        steps = tuple(max(o + r - 1, -(-n // s)) for o, r, n, s in zip(self.out, reach, self.padded, self.stride, strict=True))
        return Windows(self.out, tuple(reach), (1, 1), (1, 1), tuple(r - 1 for r in reach), steps), steps

    @functools.cached_property
    def dense(self) -> Windows:
        """For depthwise convolutions: the same without a stride along the rows."""
        (h, w), (s, t) = self.out, self.stride
        return Windows(self.size, self.kernel, (s, 1), self.dilation, self.before, (h, (w - 1) * t + 1))

    @functools.cached_property
    def back(self) -> Windows:
        """For `_spread_each`: windows on the results, set apart, as many as the padded image has places."""
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
        return _two_dimensional(size, k, s, d, tuple(r // 2 for r in reach), size)
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
    return _two_dimensional(size, k, s, d, p, tuple(out))


def _two_dimensional(size: Any, kernel: Any, stride: Any, dilation: Any, before: Any, out: Any) -> Windows:
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


# ---- convolution -----------------------------------------------------------------------------------------------------
#
# Three products of matrices, each of which is a derivative of the others:
#   places   images; a row has the channels of one place            (n · places, channels)
#   patches  the windows of images; a row has one window            (n · places, taps · channels, or channels · taps)
#   kernel   the weights of the taps, in the same order             (out, taps · channels, or channels · taps)


def _places(x: Any) -> Any:
    return x.transpose(0, 2, 3, 1).reshape(-1, x.shape[1])


def _patches(x: Any, windows: Windows) -> Any:
    last, places, taps = windows.last, len(x) * windows.places, x.shape[1] * windows.taps
    seen = windows.over(windows.pad(x, last), last)
    return seen.reshape(places, taps) if last else seen.reshape(taps, places).T


def _convolve(x: Any, weight: Any, windows: Windows, patches: Any) -> Any:
    """Images of weighted windows: patches · kernelᵀ."""
    patches = _patches(x, windows) if patches is None else patches
    kernel = (weight.transpose(0, 2, 3, 1) if windows.last else weight).reshape(len(weight), patches.shape[1])
    return (patches @ kernel.T).reshape(len(x), *windows.out, len(weight)).transpose(0, 3, 1, 2)


def _weigh(x: Any, y: Any, windows: Windows, patches: Any) -> Any:
    """Weights, from the windows of x and what was made of them: placesᵀ · patches."""
    product = _places(y).T @ (_patches(x, windows) if patches is None else patches)
    shape = y.shape[1], x.shape[1], *windows.kernel
    if not windows.last:
        return product.reshape(shape)
    return np.ascontiguousarray(product.reshape(shape[0], *windows.kernel, shape[1]).transpose(0, 3, 1, 2))


def _spread(y: Any, weight: Any, windows: Windows) -> Any:
    """Images over which each place of y is spread, weighted: places · kernel, folded."""
    if windows.stride != (1, 1):
        return _interleave(y, weight, windows)
    n, (o, c, h, w) = len(y), weight.shape
    if windows.last:  # tap by tap, so that folding adds runs of whole rows
        kernel = np.ascontiguousarray(weight.transpose(2, 3, 0, 1)).reshape(h * w, o, c)
        seen = (_places(y) @ kernel).reshape(h, w, n, *windows.out, c).transpose(2, 5, 0, 1, 3, 4)
    else:
        seen = (weight.reshape(o, -1).T @ _places(y).T).reshape(c, h, w, n, *windows.out).transpose(3, 0, 1, 2, 4, 5)
    return fold(seen, windows, windows.last)


def _interleave(y: Any, weight: Any, windows: Windows) -> Any:
    """The same where windows are further apart, without adding up.

    Of the places of the image that lie between two windows, each is a sum over the few windows that reach there: a
    convolution of y. All of these are one product, whose results are put side by side. (64 × 16 × 7 × 7 to 14 × 14: in two
    thirds of the time.)
    """
    n, (o, c, h, w) = len(y), weight.shape
    (a, b), (s, t), (inner, (rows, columns)) = windows.dilation, windows.stride, windows.between
    height, width = inner.kernel
    taps = np.zeros((height * s, width * t, o, c), y.dtype)
    taps[: (h - 1) * a + 1 : a, : (w - 1) * b + 1 : b] = weight.transpose(2, 3, 0, 1)
    kernel = taps.reshape(height, s, width, t, o, c)[::-1, :, ::-1].transpose(0, 2, 4, 1, 3, 5)
    product = _patches(y, inner) @ kernel.reshape(height * width * o, s * t * c)
    image = product.reshape(n, rows, columns, s, t, c).transpose(0, 1, 3, 2, 4, 5).reshape(n, rows * s, columns * t, c)
    return images(image[windows.inside[True]], True)


# Where each channel has weights of its own, a product of matrices would be one of vectors. What a tap sees of a row of
# windows, next to each other, is one run of memory, all channels of one place after those of another; so `einsum` multiplies
# and adds up runs, without copying windows. Between windows further apart the results are left out, or are zeros.
# (32 × 32 × 16 × 16, 3 × 3, forward and backward: 3.7 ms, not 15.9 as 32 convolutions.)


def _runs(x: Any, windows: Windows) -> Any:
    """The windows of images without a stride along the rows, as runs: (n, rows, *kernel, columns · channels)."""
    memory = windows.pad(x, True)
    seen = windows.over(memory, True)
    n, rows, columns, height, width, channels = seen.shape
    strides = (*seen.strides[:2], *seen.strides[3:])
    return np.ndarray((n, rows, height, width, columns * channels), x.dtype, memory, 0, strides)


def _apart(y: Any, stride: tuple[int, int]) -> Any:
    """Images with zeros between their places, channels last in memory."""
    places = y.transpose(0, 2, 3, 1)
    if stride == (1, 1):
        return places
    (n, h, w, c), (s, t) = places.shape, stride
    memory = np.zeros((n, (h - 1) * s + 1, (w - 1) * t + 1, c), y.dtype)
    memory[:, ::s, ::t] = places
    return memory


def _convolve_each(x: Any, weight: Any, windows: Windows) -> Any:
    """`_convolve`, where each channel has weights of its own."""
    rows, columns = windows.dense.out
    kernel = weight.transpose(2, 3, 1, 0).repeat(columns, 2).reshape(*windows.kernel, columns * len(weight))
    value = np.einsum("nhijr,ijr->nhr", _runs(x, windows.dense), kernel).reshape(len(x), rows, columns, len(weight))
    return images(np.ascontiguousarray(value[:, :, :: windows.stride[1]]), True)


def _weigh_each(x: Any, y: Any, windows: Windows) -> Any:
    (n, c, h, _), width = y.shape, windows.dense.out[1]
    run = _apart(y, (1, windows.stride[1])).reshape(n, h, width * c)
    product = np.einsum("nhijr,nhr->ijr", _runs(x, windows.dense), run).reshape(*windows.kernel, width, c)
    return np.ascontiguousarray(product.sum(2).transpose(2, 0, 1))[:, None]


def _spread_each(y: Any, weight: Any, windows: Windows) -> Any:
    """The same as a convolution of y set apart with the weights in reverse."""
    apart = images(_apart(y, windows.stride), True)
    return _convolve_each(apart, weight[:, :, ::-1, ::-1], windows.back)[windows.inside[False]]


_DEPTHWISE: dict[Any, Callable[..., Any]] = {_convolve: _convolve_each, _weigh: _weigh_each, _spread: _spread_each}


def _by_group(function: Callable[..., Any], a: Any, b: Any, axis: int, windows: Windows, *patches: Any) -> Any:
    """Apply one of the three products to each group of channels, cut from images at axis 1 and from weights at axis 0."""
    if windows.groups == 1:
        return function(a, b, windows, *patches)
    if windows.depthwise:
        wide = np.float32 if a.dtype == np.float16 else a.dtype  # einsum adds float16 up in float16
        value = _DEPTHWISE[function](a.astype(wide, copy=False), b.astype(wide, copy=False), windows)
        return value.astype(a.dtype, copy=False)
    parts = np.split(a, windows.groups, 1), np.split(b, windows.groups, 0 if axis else 1)
    return np.concatenate([function(*pair, windows, *patches) for pair in zip(*parts, strict=True)], axis)


def _images(x: Any) -> Any:
    """Signals as images of one row."""
    return x if x.ndim == 4 else x[:, :, None]


@op(name="ConvolutionBackward0")
def _convolution(x: Array, weight: Array, bias: Array, /, windows: Windows) -> Any:
    """`bias` is 0.0 if there is none."""
    a, w = _images(raw(x)), _images(raw(weight))
    patches = _patches(a, windows) if windows.groups == 1 else None
    value = _by_group(_convolve, a, w, 1, windows, patches)
    if not isinstance(bias, float):
        _add_bias(value.transpose(0, 2, 3, 1), raw(bias))
    return (
        value if x.ndim == 4 else value[:, :, 0],
        lambda g: _transposed_convolution(g, weight, 0.0, windows),
        lambda g: _weights(x, g, windows, patches),
        _sum_of_channels,
    )


def _add_bias(memory: Any, bias: Any) -> None:
    """Add a number to each channel; if there is much to add, along whole rows of memory (64 × 14 × 14 × 16: 118 to 54 µs)."""
    if memory.size > 2**14 and memory.flags.c_contiguous:
        width, channels = memory.shape[2:]
        memory = memory.reshape(-1, width * channels)
        bias = bias.reshape(1, channels).repeat(width, 0).reshape(-1)
    memory += bias


@op(name="ConvolutionBackward0")
def _transposed_convolution(y: Array, weight: Array, bias: Array, /, windows: Windows) -> Any:
    value = _by_group(_spread, _images(raw(y)), _images(raw(weight)), 1, windows)
    if not isinstance(bias, float):
        value = value + raw(bias).reshape(-1, 1, 1)
    return (
        value if y.ndim == 4 else value[:, :, 0],
        lambda g: _convolution(g, weight, 0.0, windows),
        lambda g: _weights(g, y, windows),
        _sum_of_channels,
    )


@op(name="ConvolutionBackward0")
def _weights(x: Array, y: Array, /, windows: Windows, patches: Any = None) -> Any:
    value = _by_group(_weigh, _images(raw(x)), _images(raw(y)), 0, windows, patches)
    return (
        value if x.ndim == 4 else value[:, :, 0],
        lambda g: _transposed_convolution(y, g, 0.0, windows),
        lambda g: _convolution(x, g, 0.0, windows),
    )


def _sum_of_channels(g: Array) -> Any:
    return sum_rows(_places(_images(g))) if isinstance(g, np.ndarray) else g.sum((0, *range(2, g.ndim)))


def _checked(
    name: str, x: Array, weight: Array, bias: Array | None, stride: Any, padding: Any, dilation: Any, groups: int,
    output_padding: Any = None,
) -> Any:
    """Check the operands and take the convolution, a transposed one if there is an `output_padding`."""
    a, w, added = raw(x), raw(weight), None if bias is None else raw(bias)
    if a.ndim == w.ndim - 1:
        batch = unsqueeze(x, 0)
        return squeeze(_checked(name, batch, weight, bias, stride, padding, dilation, groups, output_padding), 0)
    shapes = a.shape, w.shape, None if added is None else added.shape
    windows = hashed(_planned, name, *shapes, groups, stride, padding, dilation, output_padding)
    if a.dtype != w.dtype or (added is not None and added.dtype != a.dtype):
        raise RuntimeError(f"{name}(): Input type ({a.dtype}), weight type ({w.dtype}) and bias type should be the same; "
                           "convert one of them, as in x.float()")
    if output_padding is None:
        return _convolution(x, weight, 0.0 if bias is None else bias, windows)
    if bias is None:
        bias = np.zeros(w.shape[1] * groups, a.dtype)  # a sum lies in memory without gaps
    return _transposed_convolution(x, weight, bias, windows)


@functools.lru_cache(maxsize=1024, typed=True)
def _planned(name: str, x: Any, w: Any, bias: Any, groups: int, stride: Any, padding: Any, dilation: Any, extra: Any) -> Windows:
    """The windows of a convolution of tensors of these shapes, which are checked."""
    ndim = 1 if name.endswith("1d") else 2
    if len(x) != ndim + 2 or len(w) != ndim + 2:
        raise RuntimeError(f"Expected {ndim + 1}D (unbatched) or {ndim + 2}D (batched) input to {name}, and a weight of "
                           f"{ndim + 2} dimensions, but got sizes {list(x)} and {list(w)}")
    if groups < 1 or w[0] % groups or not w[0]:
        raise RuntimeError(f"{name}(): groups must be positive and divide dimension 0 of the weight, got {groups} for a weight "
                           f"of size {list(w)}")
    channels, outputs = (w[1] * groups, w[0]) if extra is None else (w[0], w[1] * groups)
    if x[1] != channels:
        raise RuntimeError(f"{name}(): Given groups={groups}, weight of size {list(w)}, expected input {list(x)} to "
                           f"have {channels} channels, but got {x[1]} channels instead")
    if bias is not None and bias != (outputs,):
        raise RuntimeError(f"{name}(): Given weight of size {list(w)}, expected bias to be 1-dimensional with {outputs} "
                           f"elements, but got bias of size {list(bias)} instead")
    if extra is None:
        windows = place(name, x[2:], w[2:], stride, padding, dilation)
    else:
        windows = _transposed_windows(name, x[2:], w[2:], stride, padding, dilation, extra)
    windows.groups, windows.last = groups, w[1] * windows.kernel[1] > windows.out[1]
    windows.depthwise = w[:2] == (groups, 1)
    return windows


def _transposed_windows(
    name: str, out: tuple[int, ...], kernel: tuple[int, ...], stride: Any, padding: Any, dilation: Any, extra: Any
) -> Windows:
    """The windows of the convolution whose derivative is taken: its results are the inputs here."""
    ndim = len(out)
    s, d = ints(name, "stride", stride, ndim, 1), ints(name, "dilation", dilation, ndim, 1)
    if isinstance(padding, str):
        raise TypeError(f"{name}(): argument 'padding' must be a tuple of ints, not {padding!r}")
    p, e = ints(name, "padding", padding, ndim, 0), ints(name, "output_padding", extra, ndim, 0)
    if any(c >= max(a, b) for a, b, c in zip(s, d, e, strict=True)):
        raise RuntimeError(f"{name}(): output padding must be smaller than either stride or dilation, but got {extra}, "
                           f"{stride} and {dilation}")
    axes = zip(out, kernel, s, p, d, e, strict=True)
    size = tuple((o - 1) * a - 2 * b + c * (k - 1) + 1 + f for o, k, a, b, c, f in axes)
    if min(size) < 0:
        raise RuntimeError(f"{name}(): Calculated output size {list(size)} is too small")
    return _two_dimensional(size, kernel, s, d, p, out)


def conv1d(
    input: Array, weight: Array, bias: Array | None = None, stride: Ints = 1, padding: Any = 0, dilation: Ints = 1, groups: int = 1
) -> Any:
    """`conv2d` for signals of shape (n, channels, length)."""
    return _checked("conv1d", input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Array, weight: Array, bias: Array | None = None, stride: Ints = 1, padding: Any = 0, dilation: Ints = 1, groups: int = 1
) -> Any:
    """The products of the windows of an image with the weights, summed: a cross-correlation, which is called convolution.

    Parameters
    ----------
    input : Tensor of shape (n, in, height, width) or (in, height, width)
        Images.
    weight : Tensor of shape (out, in / groups, kernel height, kernel width)
        What the windows are multiplied by.
    bias : Tensor of shape (out), optional
        What is added.
    stride, dilation : int or pair of int
        How far windows are apart, and elements of one window.
    padding : int, pair of int, "valid" or "same"
        How many zeros go around the image: none if "valid"; if "same", for a stride of 1, as many as keep its size.
    groups : int
        Into how many parts the channels are cut, each result being made of one part.

    Returns
    -------
    Tensor of shape (n, out, ...) or (out, ...), its channels last in memory.

    Raises
    ------
    RuntimeError
        If shapes, dtypes or numbers do not go together.

    Examples
    --------
    >>> import minigrad as torch
    >>> conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 2, 2), stride=2, padding=1)
    tensor([[[[1., 2.],
              [2., 4.]]]])
    """
    return _checked("conv2d", input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Array, weight: Array, bias: Array | None = None, stride: Ints = 1, padding: Ints = 0, output_padding: Ints = 0,
    groups: int = 1, dilation: Ints = 1,
) -> Any:
    """`conv_transpose2d` for signals of shape (n, channels, length)."""
    return _checked("conv_transpose1d", input, weight, bias, stride, padding, dilation, groups, output_padding)


def conv_transpose2d(
    input: Array, weight: Array, bias: Array | None = None, stride: Ints = 1, padding: Ints = 0, output_padding: Ints = 0,
    groups: int = 1, dilation: Ints = 1,
) -> Any:
    """The derivative of `conv2d` with the same arguments, as a function of its own: it goes from small images to large ones.

    Parameters
    ----------
    weight : Tensor of shape (in, out / groups, kernel height, kernel width)
        Weights of the convolution that goes the other way.
    output_padding : int or pair of int
        How much larger than the smallest possible size the result is to be: a stride gives several sizes the same result.

    Raises
    ------
    RuntimeError
        If shapes, dtypes or numbers do not go together.
    """
    return _checked("conv_transpose2d", input, weight, bias, stride, padding, dilation, groups, output_padding)


# ---- torch's im2col and col2im ---------------------------------------------------------------------------------------


def im2col(input: Array, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1) -> Any:
    """The windows of images as columns: (n, channels, height, width) to (n, channels · taps, number of windows).

    Raises
    ------
    RuntimeError
        If input is no batch of images and no image, or the windows do not fit into it.
    """
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
