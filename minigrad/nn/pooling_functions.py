"""Pooling beside the largest element and the mean: powers, and the way back from the largest element."""

from __future__ import annotations

import math
from typing import Any

from minigrad.autograd import wrap
from minigrad.ops.pooling import avg_pool1d, avg_pool2d, max_pool1d, max_pool2d
from minigrad.ops.windows import Ints, ints
from minigrad.tensors.creation import zeros
from minigrad.tensors.tensor import Tensor


def lp_pool2d(input: Tensor, norm_type: float, kernel_size: Ints, stride: Ints | None = None, ceil_mode: bool = False) -> Tensor:
    """(Σ x^p)^(1/p) over each window, p being `norm_type`; for infinity the largest |x|, for its negative the smallest."""
    size = math.prod(ints("lp_pool2d", "kernel_size", kernel_size, 2, 1))
    return _lp_pool(avg_pool2d, max_pool2d, size, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool1d(input: Tensor, norm_type: float, kernel_size: Ints, stride: Ints | None = None, ceil_mode: bool = False) -> Tensor:
    """`lp_pool2d` for signals of shape (n, channels, length) or (channels, length)."""
    size = math.prod(ints("lp_pool1d", "kernel_size", kernel_size, 1, 1))
    return _lp_pool(avg_pool1d, max_pool1d, size, input, norm_type, kernel_size, stride, ceil_mode)


def _lp_pool(mean: Any, largest: Any, size: int, x: Tensor, p: float, kernel: Ints, stride: Ints | None, ceil_mode: bool) -> Tensor:
    if math.isinf(p):
        extreme: Tensor = largest(x.abs() if p > 0 else -x.abs(), kernel, stride, 0, 1, ceil_mode)
        return extreme if p > 0 else -extreme
    means: Tensor = mean(x.pow(p), kernel, stride, 0, ceil_mode)
    return (means.sign() * means.abs().relu()).mul(size).pow(1 / p)


def max_unpool2d(
    input: Tensor, indices: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, output_size: Any = None
) -> Tensor:
    """An image of zeros with each element of `input` in the place from which `max_pool2d` took it.

    Parameters
    ----------
    input, indices : Tensor of shape (n, channels, height, width) or (channels, height, width)
        What `max_pool2d` gives with ``return_indices=True``.
    kernel_size, stride, padding : int or pair of int
        Those of the pooling.
    output_size : sequence of int, optional
        The size of the image, where several give the same when they are pooled.

    Raises
    ------
    ValueError
        If `output_size` does not go with the other sizes.
    RuntimeError
        If an index is outside of the image, or the shapes differ.
    """
    return _unpooled("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool1d(
    input: Tensor, indices: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, output_size: Any = None
) -> Tensor:
    """`max_unpool2d` for signals of shape (n, channels, length) or (channels, length)."""
    return _unpooled("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


def _unpooled(
    name: str, dims: int, x: Tensor, indices: Tensor, kernel: Ints, stride: Ints | None, padding: Ints, output_size: Any
) -> Tensor:
    kernel = ints(name, "kernel_size", kernel, dims, 1)
    step, before = ints(name, "stride", kernel if stride is None else stride, dims, 1), ints(name, "padding", padding, dims, 0)
    usual = [(n - 1) * s + k - 2 * b for n, s, k, b in zip(x.shape[-dims:], step, kernel, before, strict=True)]
    size = usual if output_size is None else list(output_size)[-dims:]
    if output_size is not None and len(output_size) not in (dims, dims + 2):
        raise ValueError(f"output_size should be a sequence containing {dims} or {dims + 2} elements, but it has a length of "
                         f"'{len(output_size)}'")
    for n, m, s in zip(size, usual, step, strict=True):
        if output_size is not None and not m - s < n < m + s:
            raise ValueError(f'invalid output_size "{output_size}" (each must be less than the stride away from {usual})')
    if str(indices.dtype) != "torch.int64" or indices.shape != x.shape:
        raise RuntimeError(f"{name}(): expected int64 indices of the shape of the input, {list(x.shape)}, but got {indices.dtype} "
                           f"of shape {list(indices.shape)}")
    places = indices.array
    if places.size and not 0 <= places.min() <= places.max() < math.prod(size):
        raise RuntimeError(f"{name}(): found an invalid max index: {places.max()} (output volumes are of size {size})")
    lead = x.shape[:-dims]
    image = zeros(*lead, math.prod(size), dtype=x.dtype)
    return image.scatter(-1, wrap(places.reshape(*lead, -1)), x.reshape(*lead, -1)).reshape(*lead, *size)
