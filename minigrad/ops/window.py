"""Sliding windows over images: convolutions and pooling.

All of it stands on one pair of operations: `unfold` shows the windows of an image, `fold` adds windows up to an image. Each is
the derivative of the other. A convolution is a matrix product of unfolded windows and weights, and a transposed convolution
folds a matrix product up: what is the derivative of the one is the value of the other.

An image has the shape (n, channels, *size), as in torch; an unbatched one lacks the n. The result of a convolution lies in
memory with the channels last, though: then a window is a few long runs of memory, which is what copying it costs. NumPy's
ufuncs keep that order, and `view` and `reshape` bring torch's back where it matters.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.autograd import op, raw, wrap
from minigrad.ops.indexing import scatter_zeros
from minigrad.ops.reduction import mean
from minigrad.ops.shape import squeeze, unsqueeze
from minigrad.types import Array, as_dtype

Ints = int | Sequence[int]

# ---- where windows lie -----------------------------------------------------------------------------------------------


class Windows:
    """Where windows lie on an image; every attribute has one entry per dimension of the image.

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
    """

    def __init__(self, size: Any, kernel: Any, stride: Any, dilation: Any, before: Any, out: Any) -> None:
        self.size, self.kernel, self.stride, self.dilation, self.before, self.out = size, kernel, stride, dilation, before, out
        axes = list(zip(size, kernel, stride, dilation, before, out, strict=True))
        self.padded = tuple(max(b + n, (o - 1) * s + (k - 1) * d + 1) for n, k, s, d, b, o in axes)
        self.inner = tuple(slice(b, b + n) for n, b in zip(size, before, strict=True))
        # Taps of one window that are less than a stride apart never meet those of another: fold adds such blocks at once.
        reach = [s // math.gcd(s, d) for s, d in zip(stride, dilation, strict=True)]
        per_axis = [[slice(i, i + m) for i in range(0, k, m)] for k, m in zip(kernel, reach, strict=True)]
        self.blocks = [(slice(None), slice(None), *block) for block in itertools.product(*per_axis)]
        self.taps, dims = math.prod(kernel), len(size)
        self.to_last, self.to_first = (0, *range(2, dims + 2), 1), (0, dims + 1, *range(1, dims + 1))

    def memory(self, shape: Any, pixels: bool, dtype: Any, fill: float = 0) -> Any:
        """A padded image of as many n and channels as `shape`, all `fill`, as it lies in memory."""
        n, channels, *_ = shape
        shape = (n, *self.padded, channels) if pixels else (n, channels, *self.padded)
        return np.zeros(shape, dtype) if fill == 0 else np.full(shape, fill, dtype)

    def pad(self, x: Any, pixels: bool, fill: float = 0) -> Any:
        """The image with `fill` around it as it lies in memory: channels last if `pixels`."""
        ordered = x.transpose(self.to_last) if pixels else x
        if self.padded == self.size:
            return np.ascontiguousarray(ordered)
        memory = self.memory(x.shape, pixels, x.dtype, fill)
        memory[(slice(None), *self.inner) if pixels else (..., *self.inner)] = ordered
        return memory

    def over(self, memory: Any, pixels: bool) -> Any:
        """The windows of a padded image, of shape (n, channels, *kernel, *out), that show its memory."""
        image = memory.transpose(self.to_first) if pixels else memory
        n, channel, *steps = image.strides
        inside = [step * d for step, d in zip(steps, self.dilation, strict=True)]
        between = [step * s for step, s in zip(steps, self.stride, strict=True)]
        shape = (*image.shape[:2], *self.kernel, *self.out)
        return np.ndarray(shape, image.dtype, memory, strides=(n, channel, *inside, *between))


@op(linear=True)
def unfold(x: Array, /, windows: Windows, pixels: bool) -> Any:
    """The windows of an image, of shape (n, channels, *kernel, *out), with zeros outside of the image.

    `pixels` says that the channels shall be last in memory.
    """
    return windows.over(windows.pad(x, pixels), pixels), lambda g: fold(g, windows, pixels)


@op(linear=True)
def fold(x: Array, /, windows: Windows, pixels: bool) -> Any:
    """The image that windows of shape (n, channels, *kernel, *out) add up to where they overlap."""
    memory = windows.memory(x.shape, pixels, x.dtype)
    target = windows.over(memory, pixels)
    for block in windows.blocks:
        target[block] += x[block]
    image = memory.transpose(windows.to_first) if pixels else memory
    return image[(..., *windows.inner)], lambda g: unfold(g, windows, pixels)


# ---- arguments -------------------------------------------------------------------------------------------------------


def _ints(name: str, what: str, value: Any, count: int, least: int) -> tuple[int, ...]:
    """One integer for each of `count` dimensions, given as one for all of them or as a sequence."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if not all(hasattr(v, "__index__") for v in values):
        raise TypeError(f"{name}(): {what} must be an int or a tuple of ints, got {value!r}")
    if len(values) not in (1, count) or min(values) < least:
        raise RuntimeError(f"{name}(): expected {what} to be a single integer value or a list of {count} values to match the "
                           f"{count} dimensions of an image, each at least {least}, got {value!r}")
    return tuple(operator.index(v) for v in values) * (count // len(values))


def _place(name: str, size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool = False) -> Windows:
    """The windows on images of a size."""
    options = [tuple(option) if isinstance(option, list) else option for option in (kernel, stride, padding, dilation)]
    return _windows(name, size, *options, ceil_mode)


@functools.lru_cache(maxsize=1024, typed=True)
def _windows(name: str, size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> Windows:
    ndim = len(size)
    k, s, d = (_ints(name, what, value, ndim, 1) for what, value in
               (("kernel_size", kernel), ("stride", stride), ("dilation", dilation)))  # fmt: skip
    reach = tuple(a * (b - 1) for a, b in zip(d, k, strict=True))
    if padding == "same":
        if max(s) > 1:
            raise RuntimeError(f"{name}(): padding='same' is not supported for strided convolutions, got stride={stride!r}")
        return Windows(size, k, s, d, tuple(r // 2 for r in reach), size)
    if isinstance(padding, str) and padding != "valid":
        raise RuntimeError(f"{name}(): Invalid padding string: {padding!r}; use 'same', 'valid', or numbers")
    p = _ints(name, "padding", 0 if padding == "valid" else padding, ndim, 0)
    room = [n + 2 * a - r for n, a, r in zip(size, p, reach, strict=True)]
    if min(room) < 1:
        raise RuntimeError(f"{name}(): windows of {list(k)} do not fit into an input of size {list(size)} with padding {padding} "
                           f"and dilation {dilation}: Output size is too small")
    out = [(n - 1) // a + 1 for n, a in zip(room, s, strict=True)]
    if ceil_mode:  # one more, if it does not begin behind the image
        out = [o + (o * a - (n - 1) < a and o * a < m + b) for o, n, m, a, b in zip(out, room, size, s, p, strict=True)]
    return Windows(size, k, s, d, p, tuple(out))


# ---- convolution -----------------------------------------------------------------------------------------------------


class Turn:
    """Axes split up, put in another order and joined again: a way to see an array as a matrix, and back."""

    def __init__(self, split: Sequence[int], order: Sequence[int], joined: Sequence[int], shape: Sequence[int]) -> None:
        self.split, self.order, self.joined, self.shape = tuple(split), tuple(order), tuple(joined), tuple(shape)
        self.turned = tuple(split[i] for i in order)
        self.back_order = tuple(int(i) for i in np.argsort(order))

    def there(self, x: Array) -> Any:
        """From the array to the matrix."""
        return np.transpose(x.reshape(self.split), self.order).reshape(self.joined)

    def back(self, x: Array) -> Any:
        """From the matrix to the array."""
        return np.transpose(x.reshape(self.turned), self.back_order).reshape(self.shape)


@functools.lru_cache(maxsize=1024)
def _turns(windows: Windows, groups: int, n: int, weight: tuple[int, ...], pixels: bool) -> tuple[Turn, Turn, Turn]:
    """How the windows, the images and the weights of a convolution are seen as matrices, one for each group of channels.

    Windows as (taps, places), or (places, taps) if `pixels`; images as (places, channels); weights as (taps, channels).
    """
    channels, c, *kernel = weight
    o, out = channels // groups, windows.out
    places, taps = n * math.prod(out), c * math.prod(kernel)
    k, at = range(3, 3 + len(out)), range(3 + len(out), 3 + 2 * len(out))
    return (
        Turn((n, groups, c, *kernel, *out), (1, 0, *at, *k, 2) if pixels else (1, 2, *k, 0, *at),
             (groups, places, taps) if pixels else (groups, taps, places), (n, groups * c, *kernel, *out)),
        Turn((n, groups, o, *out), (1, 0, *k, 2), (groups, places, o), (n, channels, *out)),
        Turn((groups, o, c, *kernel), (0, *k, 2, 1) if pixels else (0, 2, *k, 1), (groups, taps, o), weight),
    )  # fmt: skip


def _t(matrices: Array) -> Any:
    return matrices.swapaxes(1, 2)


@op(name="ConvolutionBackward0")
def _convolution(x: Array, weight: Array, bias: Any, /, windows: Windows, groups: int) -> Any:
    pixels = _pixels(x, windows)
    by_windows, by_image, by_weight = _turns(windows, groups, len(x), weight.shape, pixels)
    patches, kernel = by_windows.there(unfold(x, windows, pixels)), by_weight.there(weight)
    rows = (patches if pixels else _t(patches)) @ kernel
    if not isinstance(bias, float):
        rows += bias.reshape((groups, 1, -1))

    def to_x(g: Array) -> Array:
        rows = by_image.there(g)
        return fold(by_windows.back(rows @ _t(kernel) if pixels else kernel @ _t(rows)), windows, pixels)

    def to_weight(g: Array) -> Array:
        return by_weight.back((_t(patches) if pixels else patches) @ by_image.there(g))

    return by_image.back(rows), to_x, to_weight, lambda g: by_image.there(g).sum(1).reshape(-1)


@op(name="ConvolutionBackward0")
def _transposed_convolution(x: Array, weight: Array, bias: Any, /, windows: Windows, groups: int) -> Any:
    """What `_convolution` has as derivatives is the value here, and the other way."""
    pixels = _pixels(x, windows)
    by_windows, by_image, by_weight = _turns(windows, groups, len(x), weight.shape, pixels)
    rows, kernel = by_image.there(x), by_weight.there(weight)
    image = fold(by_windows.back(rows @ _t(kernel) if pixels else kernel @ _t(rows)), windows, pixels)

    def patches(g: Array) -> Array:
        found = by_windows.there(unfold(g, windows, pixels))
        return found if pixels else _t(found)

    return (
        image + (bias if isinstance(bias, float) else bias.reshape((-1,) + (1,) * len(windows.size))),
        lambda g: by_image.back(patches(g) @ kernel),
        lambda g: by_weight.back(_t(patches(g)) @ rows),
        lambda g: g.sum((0, *range(2, g.ndim))),
    )


def _pixels(x: Array, windows: Windows) -> bool:
    """Whether windows are read with the channels last in memory: their runs are longer then, unless there are few channels."""
    return raw(x).shape[1] * windows.kernel[-1] > windows.out[-1]


def _convolve(
    name: str, ndim: int, x: Array, weight: Array, bias: Array | None, stride: Any, padding: Any, dilation: Any, groups: int,
    output_padding: Any = None,
) -> Any:
    """Check the operands and take the convolution, a transposed one if there is an `output_padding`."""
    a, w, transposed = raw(x), raw(weight), output_padding is not None
    if a.ndim == ndim + 1 == w.ndim - 1:
        batch = unsqueeze(x, 0)
        return squeeze(_convolve(name, ndim, batch, weight, bias, stride, padding, dilation, groups, output_padding), 0)
    if a.ndim != ndim + 2 or w.ndim != ndim + 2:
        raise RuntimeError(f"Expected {ndim + 1}D (unbatched) or {ndim + 2}D (batched) input to {name}, and a weight of "
                           f"{ndim + 2} dimensions, but got sizes {list(a.shape)} and {list(w.shape)}")
    if groups < 1 or w.shape[0] % groups or not w.shape[0]:
        raise RuntimeError(f"{name}(): groups must be positive and divide dimension 0 of the weight, got {groups} for a weight "
                           f"of size {list(w.shape)}")
    channels, outputs = (w.shape[0], w.shape[1] * groups) if transposed else (w.shape[1] * groups, w.shape[0])
    if a.shape[1] != channels:
        raise RuntimeError(f"{name}(): Given groups={groups}, weight of size {list(w.shape)}, expected input {list(a.shape)} to "
                           f"have {channels} channels, but got {a.shape[1]} channels instead")
    if a.dtype != w.dtype or (bias is not None and raw(bias).dtype != a.dtype):
        raise RuntimeError(f"{name}(): Input type ({a.dtype}), weight type ({w.dtype}) and bias type should be the same; "
                           "convert one of them, as in x.float()")
    if bias is not None and raw(bias).shape != (outputs,):
        raise RuntimeError(f"{name}(): Given weight of size {list(w.shape)}, expected bias to be 1-dimensional with {outputs} "
                           f"elements, but got bias of size {list(raw(bias).shape)} instead")
    added = 0.0 if bias is None else bias
    if transposed:
        windows = _transposed_windows(name, a.shape[2:], w.shape[2:], stride, padding, dilation, output_padding)
        return _transposed_convolution(x, weight, added, windows, groups)
    windows = _place(name, a.shape[2:], w.shape[2:], stride, padding, dilation)
    return _convolution(x, weight, added, windows, groups)


def _transposed_windows(
    name: str, out: tuple[int, ...], kernel: tuple[int, ...], stride: Any, padding: Any, dilation: Any, extra: Any
) -> Windows:
    """The windows of the convolution whose derivative is taken: its results are the inputs here."""
    ndim = len(out)
    s, d = _ints(name, "stride", stride, ndim, 1), _ints(name, "dilation", dilation, ndim, 1)
    if isinstance(padding, str):
        raise TypeError(f"{name}(): argument 'padding' must be a tuple of ints, not {padding!r}")
    p, e = _ints(name, "padding", padding, ndim, 0), _ints(name, "output_padding", extra, ndim, 0)
    if any(c >= max(a, b) for a, b, c in zip(s, d, e, strict=True)):
        raise RuntimeError(f"{name}(): output padding must be smaller than either stride or dilation, but got {extra}, "
                           f"{stride} and {dilation}")
    axes = zip(out, kernel, s, p, d, e, strict=True)
    size = tuple((o - 1) * a - 2 * b + c * (k - 1) + 1 + f for o, k, a, b, c, f in axes)
    if min(size) < 0:
        raise RuntimeError(f"{name}(): Calculated output size {list(size)} is too small")
    return Windows(size, kernel, s, d, p, out)


def conv1d(
    input: Array, weight: Array, bias: Array | None = None, stride: Ints = 1, padding: Any = 0, dilation: Ints = 1, groups: int = 1
) -> Any:
    """`conv2d` for signals of shape (n, channels, length)."""
    return _convolve("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


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
    return _convolve("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Array, weight: Array, bias: Array | None = None, stride: Ints = 1, padding: Ints = 0, output_padding: Ints = 0,
    groups: int = 1, dilation: Ints = 1,
) -> Any:
    """`conv_transpose2d` for signals of shape (n, channels, length)."""
    return _convolve("conv_transpose1d", 1, input, weight, bias, stride, padding, dilation, groups, output_padding)


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
    return _convolve("conv_transpose2d", 2, input, weight, bias, stride, padding, dilation, groups, output_padding)


# ---- torch's im2col and col2im ---------------------------------------------------------------------------------------


def im2col(input: Array, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1) -> Any:
    """The windows of images as columns: (n, channels, height, width) to (n, channels · taps, number of windows).

    Raises
    ------
    RuntimeError
        If input is no batch of images and no image, or the windows do not fit into it.
    """
    _floating("unfold", input)
    _check_images("unfold", input)
    return _im2col(input, _place("unfold", raw(input).shape[-2:], kernel_size, stride, padding, dilation))


def col2im(
    input: Array, output_size: Ints, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1
) -> Any:
    """Images of `output_size` to which columns add up: the derivative of `im2col`, with the shapes there.

    Raises
    ------
    RuntimeError
        If the columns are not as many, or not as long, as such images give.
    """
    _floating("fold", input)
    shape, size = raw(input).shape, _ints("fold", "output_size", output_size, 2, 1)
    if len(shape) not in (2, 3):
        raise RuntimeError("fold(): Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero "
                           f"dimensions for input, but got: {list(shape)}")
    windows = _place("fold", size, kernel_size, stride, padding, dilation)
    columns = math.prod(windows.out)
    if shape[-2] % windows.taps or shape[-1] != columns:
        raise RuntimeError(f"fold(): expected input's last dimensions to be divisible by the {windows.taps} taps of a window, and "
                           f"to match the number of sliding blocks, {columns}, but got {list(shape)}")
    return _col2im(input, windows)


@op(linear=True, name="Im2ColBackward0")
def _im2col(x: Array, /, windows: Windows) -> Any:
    *n, c, _, _ = x.shape
    value = unfold(x.reshape(-1 if n else 1, *x.shape[-3:]), windows, False).copy()
    return value.reshape(*n, c * windows.taps, math.prod(windows.out)), lambda g: _col2im(g, windows)


@op(linear=True, name="Col2ImBackward0")
def _col2im(x: Array, /, windows: Windows) -> Any:
    *n, c, _ = x.shape
    c //= windows.taps
    image = fold(x.reshape(*(n or [1]), c, *windows.kernel, *windows.out), windows, False)
    return image.reshape(*n, c, *windows.size), lambda g: _im2col(g, windows)


# ---- pooling ---------------------------------------------------------------------------------------------------------


def _floating(name: str, x: Array) -> None:
    if raw(x).dtype.kind != "f":
        raise NotImplementedError(f"{name}(): not implemented for {as_dtype(raw(x).dtype)}; convert the tensor first, as in "
                                  "x.float()")


def _check_images(name: str, x: Array, ndim: int = 2) -> None:
    shape = raw(x).shape
    if len(shape) - ndim not in (1, 2) or 0 in shape[-ndim - 1 :]:
        raise RuntimeError(f"{name}(): Expected {ndim + 1}D or {ndim + 2}D (batch mode) tensor with optional 0 dim batch size "
                           f"for input, but got: {list(shape)}")


def _pools(name: str, x: Array, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> Windows:
    _check_images(name, x)
    windows = _place(name, raw(x).shape[-2:], kernel, kernel if stride is None else stride, padding, dilation, ceil_mode)
    if any(2 * p > (k - 1) * d + 1 for p, k, d in zip(windows.before, windows.kernel, windows.dilation, strict=True)):
        raise RuntimeError(f"{name}(): pad should be at most half of effective kernel size, but got pad={padding}, "
                           f"kernel_size={kernel} and dilation={dilation}")
    return windows


def _batch(x: Array) -> Any:
    """One image as a batch of one."""
    return x if x.ndim == 4 else x.reshape((1, *x.shape))


def _channels_last(x: Any) -> bool:
    """How images lie in memory, for results to lie there as they do."""
    return x.strides[1] < x.strides[-1]


def _of_windows(combine: np.ufunc, memory: Any, windows: Windows, pixels: bool) -> Any:
    """The sum or the maximum of each window of a padded image: along one dimension after the other, tap by tap."""
    image = memory.transpose(windows.to_first) if pixels else memory
    along = zip(windows.kernel, windows.stride, windows.dilation, windows.out, strict=True)
    for axis, (k, s, d, o) in enumerate(along, 2):
        taps = [image[(slice(None),) * axis + (slice(i * d, i * d + (o - 1) * s + 1, s),)] for i in range(k)]
        image = combine(taps[0], taps[1]) if k > 1 else taps[0]
        for tap in taps[2:]:
            combine(image, tap, out=image)
    return image.copy() if windows.taps == 1 else image


@op(name="AvgPool2DBackward0", linear=True)
def _avg_pool(x: Array, /, windows: Windows, divisor: Any) -> Any:
    images, shape, result = _batch(x), x.shape, x.shape[:-2] + windows.out
    pixels = _channels_last(images)
    one, all_taps = ((*images.shape[:2], *kernel, *windows.out) for kernel in ((1, 1), windows.kernel))
    values = _of_windows(np.add, windows.pad(images, pixels), windows, pixels) / divisor

    def rule(g: Array) -> Array:
        return fold(np.broadcast_to((g / divisor).reshape(one), all_taps), windows, pixels).reshape(shape)

    return values.astype(x.dtype, copy=False).reshape(result), rule


@op(name="MaxPool2DWithIndicesBackward0")
def _max_pool(x: Array, /, windows: Windows) -> Any:
    images = _batch(raw(x))
    shape, result = images.shape[:2] + windows.out, x.shape[:-2] + windows.out
    pixels = _channels_last(images)
    values = _of_windows(np.maximum, windows.pad(images, pixels, _lowest(images)), windows, pixels)

    def rule(g: Array) -> Array:
        return _put(g.reshape(shape), windows, _largest(_batch(raw(x)), windows)).reshape(x.shape)

    return values.reshape(result), rule


def _lowest(x: Any) -> Any:
    return -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min


def _largest(images: Any, windows: Windows) -> Any:
    """The number of the tap of each window at which the first of its largest elements stands; the last nan, if there is any."""
    pixels = _channels_last(images)
    memory = windows.pad(images, pixels, _lowest(images))
    best, shown = _of_windows(np.maximum, memory, windows, pixels), windows.over(memory, pixels)
    found = np.zeros_like(best, np.min_scalar_type(windows.taps))
    taps = list(enumerate(np.ndindex(windows.kernel)))
    for number, tap in reversed(taps):
        np.copyto(found, number, where=shown[(slice(None), slice(None), *tap)] == best)
    if best.dtype.kind == "f" and np.isnan(best).any():
        for number, tap in taps:
            np.copyto(found, number, where=np.isnan(shown[(slice(None), slice(None), *tap)]))
    return found


@op(linear=True)
def _put(g: Array, /, windows: Windows, taps: Any) -> Any:
    """Images of zeros to which each element of g is added at one tap of its window."""
    pixels = _channels_last(taps)
    memory = windows.memory(g.shape, pixels, g.dtype)
    shown = windows.over(memory, pixels)
    for number, tap in enumerate(np.ndindex(windows.kernel)):
        place = shown[(slice(None), slice(None), *tap)]
        np.add(place, g, out=place, where=taps == number)
    image = memory.transpose(windows.to_first) if pixels else memory
    return image[(..., *windows.inner)], lambda h: _take(h, windows, taps)


@op(linear=True)
def _take(x: Array, /, windows: Windows, taps: Any) -> Any:
    """One tap of each window."""
    pixels = _channels_last(taps)
    shown = windows.over(windows.pad(x, pixels), pixels)
    value = np.zeros_like(taps, x.dtype)
    for number, tap in enumerate(np.ndindex(windows.kernel)):
        np.copyto(value, shown[(slice(None), slice(None), *tap)], where=taps == number)
    return value, lambda g: _put(g, windows, taps)


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
    windows = _pools("max_pool2d", input, kernel_size, stride, padding, dilation, ceil_mode)
    if raw(input).dtype.kind == "b":
        raise NotImplementedError("max_pool2d(): not implemented for torch.bool; convert the tensor first, as in x.float()")
    value = _max_pool(input, windows)
    if not return_indices:
        return value
    taps = np.unravel_index(_largest(_batch(raw(input)), windows), windows.kernel)
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
        Divide by the size of the window; otherwise by how much of it lies inside of the image.
    divisor_override : int, optional
        Divide by this.

    Raises
    ------
    RuntimeError
        If the shape is no image's, or the windows do not fit, or the divisor is 0.
    NotImplementedError
        For bool.
    """
    windows = _pools("avg_pool2d", input, kernel_size, stride, padding, 1, ceil_mode)
    if raw(input).dtype.kind == "b":
        raise NotImplementedError("avg_pool2d(): not implemented for torch.bool; convert the tensor first, as in x.float()")
    if divisor_override == 0:
        raise RuntimeError("avg_pool2d(): divisor must be not zero")
    return _avg_pool(input, windows, divisor_override or _counts(windows, count_include_pad, raw(input).dtype))


@functools.lru_cache(maxsize=256)
def _counts(windows: Windows, padding: bool, dtype: Any) -> Any:
    """How many elements each window has, those in the padding counted or not; behind the padding there are none."""
    counts = []
    for n, k, s, b, o in zip(windows.size, windows.kernel, windows.stride, windows.before, windows.out, strict=True):
        first = np.arange(o) * s - b
        last = np.minimum(first + k, n + b)
        counts.append(last - first if padding else np.minimum(last, n) - np.maximum(first, 0))
    table = np.multiply.outer(*counts)
    return windows.taps if (table == windows.taps).all() else table.astype(dtype if dtype.kind == "f" else np.float64)


# ---- pooling to a given size -----------------------------------------------------------------------------------------


def _adaptive(name: str, x: Array, output_size: Any) -> tuple[list[tuple[int, int]], ...]:
    """For both dimensions, where each of the windows begins and ends that together cover the image."""
    _floating(name, x)
    _check_images(name, x)
    sizes = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size, output_size)
    size = raw(x).shape[-2:]
    filled = _ints(name, "output_size", tuple(n if m is None else m for n, m in zip(size, sizes, strict=False)) + sizes[2:], 2, 0)
    return tuple([(i * n // m, -(-(i + 1) * n // m)) for i in range(m)] for n, m in zip(size, filled, strict=True))


def adaptive_avg_pool2d(input: Array, output_size: Any) -> Any:
    """The means of windows that are as even as they can be and give an image of `output_size`, None for a size as it is.

    Raises
    ------
    RuntimeError
        If the shape is no image's, or a size is negative.
    NotImplementedError
        If input is no floating-point tensor.
    """
    spans = _adaptive("adaptive_avg_pool2d", input, output_size)
    if [len(s) for s in spans] == [1, 1]:
        return mean(input, (-1, -2), True)
    rows, columns = (np.zeros((len(s), n), raw(input).dtype) for s, n in zip(spans, raw(input).shape[-2:], strict=True))
    for matrix, windows in ((rows, spans[0]), (columns, spans[1])):
        for row, (first, last) in zip(matrix, windows, strict=True):
            row[first:last] = 1 / (last - first)
    return _adaptive_avg_pool(input, rows, columns)


@op(name="AdaptiveAvgPool2DBackward0", linear=True)
def _adaptive_avg_pool(x: Array, /, rows: Any, columns: Any) -> Any:
    """To average is to multiply by a matrix, from the left for rows and from the right for columns."""
    return rows @ np.ascontiguousarray(x) @ columns.T, lambda g: _adaptive_avg_pool(g, rows.T, columns.T)


def adaptive_max_pool2d(input: Array, output_size: Any, return_indices: bool = False) -> Any:
    """As `adaptive_avg_pool2d`, but the largest elements; with `return_indices` also their places, as in `max_pool2d`."""
    rows, columns = _adaptive("adaptive_max_pool2d", input, output_size)
    a = raw(input)
    places = np.arange(math.prod(a.shape[-2:])).reshape(a.shape[-2:])
    flat = a.reshape((*a.shape[:-2], places.size))
    found = np.zeros((*a.shape[:-2], len(rows), len(columns)), np.int64)
    for i, j in itertools.product(range(len(rows)), range(len(columns))):
        window = places[slice(*rows[i]), slice(*columns[j])].reshape(-1)
        found[..., i, j] = window[flat[..., window].argmax(-1)]
    value = _adaptive_max_pool(input, found)
    return (value, wrap(found)) if return_indices else value


@op(name="AdaptiveMaxPool2DBackward0")
def _adaptive_max_pool(x: Array, /, places: Any) -> Any:
    shape, result = x.shape, places.shape
    flat = (*shape[:-2], shape[-2] * shape[-1])
    index = places.reshape((*shape[:-2], result[-2] * result[-1]))
    value = np.take_along_axis(raw(x).reshape(flat), index, -1)
    return value.reshape(result), lambda g: scatter_zeros(g.reshape(index.shape), index, x.ndim - 2, flat).reshape(shape)


# ---- of one dimension ------------------------------------------------------------------------------------------------


def _of_rows(pool: Callable[..., Any], name: str, x: Array, *options: Any) -> Any:
    """Pool signals of shape (n, channels, length) or (channels, length) as images of one row."""
    _check_images(name, x, 1)
    result = pool(unsqueeze(x, -2), *options)
    return (squeeze(result[0], -2), squeeze(result[1], -2)) if isinstance(result, tuple) else squeeze(result, -2)


def _row(name: str, options: dict[str, tuple[int, Any]]) -> list[Any]:
    """Numbers for signals as pairs for images of one row: options and what each is for the row, by their names."""
    return [None if v is None else (first, *_ints(name, what, v, 1, first)) for what, (first, v) in options.items()]


def max_pool1d(
    input: Array, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:
    """`max_pool2d` for signals of shape (n, channels, length) or (channels, length); of floating-point numbers only."""
    _floating("max_pool1d", input)
    given = {"kernel_size": (1, kernel_size), "stride": (1, stride), "padding": (0, padding), "dilation": (1, dilation)}
    return _of_rows(max_pool2d, "max_pool1d", input, *_row("max_pool1d", given), ceil_mode, return_indices)


def avg_pool1d(
    input: Array, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """`avg_pool2d` for signals of shape (n, channels, length) or (channels, length)."""
    given = {"kernel_size": (1, kernel_size), "stride": (1, stride), "padding": (0, padding)}
    return _of_rows(avg_pool2d, "avg_pool1d", input, *_row("avg_pool1d", given), ceil_mode, count_include_pad)


def adaptive_avg_pool1d(input: Array, output_size: Ints) -> Any:
    """`adaptive_avg_pool2d` for signals of shape (n, channels, length) or (channels, length)."""
    size = _ints("adaptive_avg_pool1d", "output_size", output_size, 1, 0)
    return _of_rows(adaptive_avg_pool2d, "adaptive_avg_pool1d", input, (1, *size))


def adaptive_max_pool1d(input: Array, output_size: Ints, return_indices: bool = False) -> Any:
    """`adaptive_max_pool2d` for signals of shape (n, channels, length) or (channels, length)."""
    size = _ints("adaptive_max_pool1d", "output_size", output_size, 1, 0)
    return _of_rows(adaptive_max_pool2d, "adaptive_max_pool1d", input, (1, *size), return_indices)
