"""Images of another size, as Pillow computes them, and PyTorch after it: each pixel is a weighted sum of those around its place.

A filter says how much a pixel counts by its distance. Where the image gets smaller, the filter is stretched until it covers all
pixels that go into one; that keeps edges from breaking up (*antialiasing*). Rows and columns are resampled one after the other, so
each is a product with a matrix of weights. The filters are those of Pillow's ``Resample.c``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from enum import Enum
from typing import Any

import numpy as np

from minigrad.tensors.creation import from_numpy
from minigrad.tensors.tensor import Tensor


class InterpolationMode(Enum):
    """How pixels between pixels are found."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


def _sinc(x: float) -> float:
    return math.sin(math.pi * x) / (math.pi * x) if x else 1.0


def _cubic(x: float) -> float:
    """Keys' cubic convolution with a = -1/2."""
    x = abs(x)
    return (1.5 * x - 2.5) * x * x + 1 if x < 1 else ((-0.5 * x + 2.5) * x - 4) * x + 2 if x < 2 else 0.0


def _hamming(x: float) -> float:
    """A sinc under Hamming's window, whose two constants Pillow stores in single precision."""
    return _sinc(x) * (_054 + _046 * math.cos(math.pi * x)) if abs(x) < 1 else 0.0


_054, _046 = float(np.float32(0.54)), float(np.float32(0.46))

FILTERS: dict[InterpolationMode, tuple[float, Callable[[float], float]]] = {  # how far each reaches, and what it is
    InterpolationMode.BOX: (0.5, lambda x: float(-0.5 < x <= 0.5)),
    InterpolationMode.BILINEAR: (1.0, lambda x: max(0.0, 1 - abs(x))),
    InterpolationMode.HAMMING: (1.0, _hamming),
    InterpolationMode.BICUBIC: (2.0, _cubic),
    InterpolationMode.LANCZOS: (3.0, lambda x: _sinc(x) * _sinc(x / 3) if abs(x) < 3 else 0.0),
}


@functools.lru_cache(maxsize=64)
def weights(before: int, after: int, mode: InterpolationMode) -> Any:
    """How much each of `before` pixels counts for each of `after`: float64 of shape (after, before)."""
    reach, filter_ = FILTERS[mode]
    scale = before / after
    stretch = max(scale, 1.0)
    matrix = np.zeros((after, before))
    for i in range(after):
        center = (i + 0.5) * scale
        first, last = max(int(center - reach * stretch + 0.5), 0), min(int(center + reach * stretch + 0.5), before)
        row = [filter_((j - center + 0.5) / stretch) for j in range(first, last)]
        matrix[i, first:last] = np.array(row) / sum(row)
    return matrix


def resampled(image: Any, size: tuple[int, int], mode: InterpolationMode) -> Any:
    """Floating-point images (..., height, width), an array or a tensor, in another size."""
    kind = image.dtype.numpy if isinstance(image, Tensor) else image.dtype
    rows, columns = (weights(n, m, mode).astype(kind) for n, m in zip(image.shape[-2:], size, strict=True))
    if isinstance(image, Tensor):
        return from_numpy(rows) @ (image @ from_numpy(columns.T))
    return rows @ (image @ columns.T)


FRACTION = 22  # bits of Pillow's weights behind the point


def resampled_bytes(image: Any, size: tuple[int, int], mode: InterpolationMode) -> Any:
    """Images of bytes (..., height, width) in another size, bit for bit as Pillow 13 computes them.

    Both passes round to bytes, so their order shows. Columns come first, unless the height shrinks by more than twice as many
    pixels as the width.
    """
    shorter, narrower = image.shape[-2] - size[0], image.shape[-1] - size[1]
    for axis in (-2, -1) if shorter > max(0, 2 * narrower) else (-1, -2):
        before, after = image.shape[axis], size[axis]
        if before == after:
            continue
        exact = weights(before, after, mode) * (1 << FRACTION)
        whole = np.trunc(exact + np.copysign(0.5, exact)).astype(np.int64)
        sums = np.moveaxis(np.moveaxis(image, axis, -1).astype(np.int64) @ whole.T, -1, axis)
        image = np.clip((sums + (1 << (FRACTION - 1))) >> FRACTION, 0, 255).astype(np.uint8)
    return image


def nearest(image: Any, size: tuple[int, int], centers: bool) -> Any:
    """Images (..., height, width) in another size, each pixel being the nearest one; counted from centers, or from corners."""
    places = (np.minimum(((np.arange(m) + 0.5 * centers) * (n / m)).astype(np.int64), n - 1)
              for n, m in zip(image.shape[-2:], size, strict=True))  # fmt: skip
    return at(image, *places)


def at(image: Any, rows: Any, columns: Any) -> Any:
    """These rows and columns of images (..., height, width), an array or a tensor."""
    places = rows[:, None], columns
    return image[(..., *(from_numpy(each) for each in places))] if isinstance(image, Tensor) else image[(..., *places)]
