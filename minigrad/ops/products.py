"""The matrix products that a convolution and its derivatives are: the idea first, then the forms that are faster.

Three matrices meet in them:

    places   images; a row has the channels of one place            (n · places, channels)
    patches  the windows of images; a row has one window            (n · places, taps · channels, or channels · taps)
    kernel   the weights of the taps, in the same order             (out, taps · channels, or channels · taps)

Each product is a derivative of the other two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.ops.windows import Windows, fold, images

# ---- the idea --------------------------------------------------------------------------------------------------------------


def places_of(x: Any) -> Any:
    """Images as a matrix, a row for each place."""
    return x.transpose(0, 2, 3, 1).reshape(-1, x.shape[1])


def patches_of(x: Any, windows: Windows) -> Any:
    """The windows of images as a matrix, a row for each window."""
    last, places, taps = windows.last, len(x) * windows.places, x.shape[1] * windows.taps
    seen = windows.over(windows.pad(x, last), last)
    return seen.reshape(places, taps) if last else seen.reshape(taps, places).T


def convolve(x: Any, weight: Any, windows: Windows, patches: Any = None) -> Any:
    """Images of weighted windows: patches · kernelᵀ."""
    patches = patches_of(x, windows) if patches is None else patches
    kernel = (weight.transpose(0, 2, 3, 1) if windows.last else weight).reshape(len(weight), patches.shape[1])
    return np.dot(patches, kernel.T).reshape(len(x), *windows.out, len(weight)).transpose(0, 3, 1, 2)


def weigh(x: Any, y: Any, windows: Windows, patches: Any = None) -> Any:
    """Weights, from the windows of x and what was made of them: placesᵀ · patches."""
    patches = patches_of(x, windows) if patches is None else patches
    outputs, channels = y.shape[1], x.shape[1]
    if windows.last:
        product = np.dot(places_of(y).T, patches).reshape(outputs, *windows.kernel, channels)
        return np.ascontiguousarray(product.transpose(0, 3, 1, 2))
    # The windows lie tap by tap. Transposed, the product reads them in order (32 × 3 × 32 × 32 to 16: 661 to 279 µs).
    return np.dot(patches.T, places_of(y)).T.reshape(outputs, channels, *windows.kernel)


def spread(y: Any, weight: Any, windows: Windows) -> Any:
    """Images over which each place of y is spread, weighted: places · kernel, folded."""
    n, (o, c, h, w) = len(y), weight.shape
    taps = np.dot(weight.reshape(o, -1).T, places_of(y).T).reshape(c, h, w, n, *windows.out)
    return fold(taps.transpose(3, 0, 1, 2, 4, 5), windows, windows.last)


# ---- no stride and many channels: spread as a convolution ------------------------------------------------------------------
# Each place of the image is a sum over the windows that reach it, weighted by the taps in reverse: a convolution of y. Nothing
# has to be folded (32 × 64 × 16 × 16 to 32, 3 × 3: in four fifths of the time).


def spread_turned(y: Any, weight: Any, windows: Windows) -> Any:
    """`spread` for windows that are one apart."""
    return in_lots(y, weight[:, :, ::-1, ::-1].swapaxes(0, 1), windows.turned)


# ---- a stride: spread without adding up ------------------------------------------------------------------------------------
# Of the places of the image that lie between two windows, each is a sum over the few windows that reach there: a convolution
# of y. All of these are one product, whose results are put side by side (64 × 16 × 7 × 7 to 14 × 14: in two thirds of the
# time).


def interleave(y: Any, weight: Any, windows: Windows) -> Any:
    """`spread` for windows that are further apart."""
    n, (o, c, h, w) = len(y), weight.shape
    (a, b), (s, t), (inner, (rows, columns)) = windows.dilation, windows.stride, windows.between
    height, width = inner.kernel
    taps = np.zeros((height * s, width * t, o, c), y.dtype)
    taps[: (h - 1) * a + 1 : a, : (w - 1) * b + 1 : b] = weight.transpose(2, 3, 0, 1)
    kernel = taps.reshape(height, s, width, t, o, c)[::-1, :, ::-1].transpose(0, 2, 4, 1, 3, 5)
    product = np.dot(patches_of(y, inner), kernel.reshape(height * width * o, s * t * c))
    image = product.reshape(n, rows, columns, s, t, c).transpose(0, 1, 3, 2, 4, 5).reshape(n, rows * s, columns * t, c)
    return images(image[windows.inside[True]], True)


# ---- many windows: lots that stay in the cache -----------------------------------------------------------------------------
# Windows that were just copied are multiplied while they are still in the second-level cache (16 × 64 × 32 × 32: in two thirds
# of the time). Windows that lie tap by tap, those of few channels, stay together: cut, they would have shorter runs.

CACHED = 2**19  # bytes of windows that stay in the cache
KEPT = 2**23  # bytes of windows that are kept for the derivative; more are copied anew when it is taken


def size_of_patches(x: Any, windows: Windows) -> int:
    """How many bytes the windows of images take."""
    return len(x) * x.shape[1] * windows.places * windows.taps * x.itemsize


def _lots(x: Any, windows: Windows) -> list[slice]:
    n, whole = len(x), size_of_patches(x, windows)
    lot = max(1, n * CACHED // whole) if windows.last and whole > 2 * CACHED else max(1, n)
    return [slice(i, i + lot) for i in range(0, max(1, n), lot)]


def in_lots(x: Any, weight: Any, windows: Windows) -> Any:
    """`convolve`, one lot of images after the other."""
    lots = [convolve(x[lot], weight, windows) for lot in _lots(x, windows)]
    return lots[0] if len(lots) == 1 else np.concatenate(lots)


def weigh_in_lots(x: Any, y: Any, windows: Windows) -> Any:
    """`weigh`, one lot of images after the other."""
    first, *others = _lots(x, windows)
    return sum((weigh(x[lot], y[lot], windows) for lot in others), weigh(x[first], y[first], windows))


# ---- weights of their own for each channel: runs instead of products -------------------------------------------------------
# A product of matrices would be one of vectors here. What a tap sees of a row of windows, next to each other, is one run of
# memory, all channels of one place after those of another. So `einsum` multiplies and adds up runs, without copying windows.
# Where windows are further apart, the results in between are left out, or are zeros (32 × 32 × 16 × 16, 3 × 3, forward and
# backward: 3.7 ms, not 15.9 as 32 convolutions).


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


def convolve_each(x: Any, weight: Any, windows: Windows) -> Any:
    """`convolve`, where each channel has weights of its own."""
    rows, columns = windows.dense.out
    kernel = weight.transpose(2, 3, 1, 0).repeat(columns, 2).reshape(*windows.kernel, columns * len(weight))
    value = np.einsum("nhijr,ijr->nhr", _runs(x, windows.dense), kernel).reshape(len(x), rows, columns, len(weight))
    return images(np.ascontiguousarray(value[:, :, :: windows.stride[1]]), True)


def weigh_each(x: Any, y: Any, windows: Windows) -> Any:
    """`weigh`, where each channel has weights of its own."""
    (n, c, h, _), width = y.shape, windows.dense.out[1]
    run = _apart(y, (1, windows.stride[1])).reshape(n, h, width * c)
    product = np.einsum("nhijr,nhr->ijr", _runs(x, windows.dense), run).reshape(*windows.kernel, width, c)
    return np.ascontiguousarray(product.sum(2).transpose(2, 0, 1))[:, None]


def spread_each(y: Any, weight: Any, windows: Windows) -> Any:
    """`spread`, where each channel has weights of its own: a convolution of y set apart with the weights in reverse."""
    apart = images(_apart(y, windows.stride), True)
    return convolve_each(apart, weight[:, :, ::-1, ::-1], windows.back)[windows.inside[False]]


# ---- which form is taken -----------------------------------------------------------------------------------------------------


def image(x: Any, weight: Any, windows: Windows, patches: Any = None) -> Any:
    """The fastest `convolve`."""
    if windows.groups > 1:
        return _by_group(convolve, convolve_each, x, weight, windows, 1, 0)
    return in_lots(x, weight, windows) if patches is None else convolve(x, weight, windows, patches)


def weights(x: Any, y: Any, windows: Windows, patches: Any = None) -> Any:
    """The fastest `weigh`."""
    if windows.groups > 1:
        return _by_group(weigh, weigh_each, x, y, windows, 0, 1)
    return weigh_in_lots(x, y, windows) if patches is None else weigh(x, y, windows, patches)


def source(y: Any, weight: Any, windows: Windows) -> Any:
    """The fastest `spread`."""
    if windows.groups > 1:
        return _by_group(source_of_one_group, spread_each, y, weight, windows, 1, 0)
    return source_of_one_group(y, weight, windows)


def source_of_one_group(y: Any, weight: Any, windows: Windows) -> Any:
    """The fastest `spread` of channels that all meet."""
    if windows.stride != (1, 1):
        return interleave(y, weight, windows)
    turns = windows.last and min(windows.turned.before) >= 0  # else there are more zeros around the image than windows reach
    return spread_turned(y, weight, windows) if turns else spread(y, weight, windows)


def _by_group(
    product: Callable[..., Any], depthwise: Callable[..., Any], a: Any, b: Any, windows: Windows, joined: int, cut: int
) -> Any:
    """Apply a product to each group of channels: `a` is cut at axis 1, `b` at axis `cut`, and the results joined at an axis."""
    if windows.depthwise:
        wide = np.float32 if a.dtype == np.float16 else a.dtype  # einsum adds float16 up in float16
        return depthwise(a.astype(wide, copy=False), b.astype(wide, copy=False), windows).astype(a.dtype, copy=False)
    parts = np.split(a, windows.groups, 1), np.split(b, windows.groups, cut)
    return np.concatenate([product(*pair, windows) for pair in zip(*parts, strict=True)], joined)
