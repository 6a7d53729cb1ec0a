"""Convolutions and transposed convolutions.

A convolution is one matrix product: of the windows of an image, copied out into the rows of a matrix, with the weights. Its
derivatives are two more such products, and the three are each other's derivatives. So there are three operations here, each with
the other two as its rules; `products` has the products, and forms of them that are faster.

In memory the channels of a convolution's result come last.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Array
from minigrad.arrays.sums import sum_rows
from minigrad.autograd import op, raw
from minigrad.ops import products
from minigrad.ops.elementwise import attached
from minigrad.ops.shape import squeeze, unsqueeze
from minigrad.ops.windows import Ints, Windows, hashed, ints, place, two_dimensional


def _images(x: Any) -> Any:
    """Signals as images of one row."""
    return x if x.ndim == 4 else x[:, :, None]


@op(name="ConvolutionBackward0", order="L")
def _convolution(x: Array, weight: Array, bias: Array, /, windows: Windows) -> Any:
    """`bias` is 0.0 if there is none."""
    a, w = _images(raw(x)), _images(raw(weight))
    few = windows.groups == 1 and (not windows.last or products.size_of_patches(a, windows) <= products.KEPT)
    patches = products.patches_of(a, windows) if few else None  # kept for the derivative
    value = products.image(a, w, windows, patches)
    if not isinstance(bias, float):
        _add_bias(value.transpose(0, 2, 3, 1), raw(bias))
    return (
        value if x.ndim == 4 else value[:, :, 0],
        lambda g: attached(_transposed_convolution(g, weight, 0.0, windows), x),
        lambda g: attached(_weights(x, g, windows, patches), weight),
        _sum_of_channels,
    )


@op(name="ConvolutionBackward0", order="L")
def _transposed_convolution(y: Array, weight: Array, bias: Array, /, windows: Windows) -> Any:
    value = products.source(_images(raw(y)), _images(raw(weight)), windows)
    if not isinstance(bias, float):
        value = value + raw(bias).reshape(-1, 1, 1)
    return (
        value if y.ndim == 4 else value[:, :, 0],
        lambda g: attached(_convolution(g, weight, 0.0, windows), y),
        lambda g: attached(_weights(g, y, windows), weight),
        _sum_of_channels,
    )


@op(name="ConvolutionBackward0")
def _weights(x: Array, y: Array, /, windows: Windows, patches: Any = None) -> Any:
    value = products.weights(_images(raw(x)), _images(raw(y)), windows, patches)
    return (
        value if x.ndim == 4 else value[:, :, 0],
        lambda g: _transposed_convolution(y, g, 0.0, windows),
        lambda g: _convolution(x, g, 0.0, windows),
    )


def _sum_of_channels(g: Array) -> Any:
    return sum_rows(products.places_of(_images(g))) if isinstance(g, np.ndarray) else g.sum((0, *range(2, g.ndim)))


def _add_bias(memory: Any, bias: Any) -> None:
    """Add a number to each channel; if there is much to add, along whole rows of memory (64 × 14 × 14 × 16: 118 to 54 µs)."""
    if memory.size > 2**14 and memory.flags.c_contiguous:
        width, channels = memory.shape[2:]
        memory = memory.reshape(-1, width * channels)
        bias = bias.reshape(1, channels).repeat(width, 0).reshape(-1)
    memory += bias


# ---- torch's functions -------------------------------------------------------------------------------------------------------


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
    return two_dimensional(size, kernel, s, d, p, out)


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
