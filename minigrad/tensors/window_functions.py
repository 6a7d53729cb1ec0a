"""Windows by which a piece of a signal is multiplied before its spectrum is computed: `hann_window` and its relatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import as_dtype, get_default_dtype
from minigrad.arrays.memory import allocating
from minigrad.tensors.creation import memory_options, tensor
from minigrad.tensors.tensor import Tensor


def _window(
    name: str, length: int, periodic: bool, formula: Callable[[Any], Any], dtype: Any, device: Any, requires_grad: bool
) -> Tensor:
    """The values of `formula` at `length` places between 0 and 1; a `periodic` window leaves out the last place, which is the
    first one of the next period."""
    dtype = get_default_dtype() if dtype is None else as_dtype(dtype)
    if not dtype.is_floating_point:
        raise RuntimeError(f"{name} expects floating point dtypes, got: {dtype}")
    if length < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={length}")
    places = np.arange(length) / max(length if periodic else length - 1, 1)
    values = formula(places) if length > 1 else np.ones(length)
    return tensor(values, dtype=dtype, device=device, requires_grad=requires_grad)


def _cosines(*weights: float) -> Callable[[Any], Any]:
    """The sum w₀ - w₁ cos 2πx + w₂ cos 4πx - ..."""
    return lambda x: sum((-1) ** k * w * np.cos(2 * np.pi * k * x) for k, w in enumerate(weights))


@memory_options
@allocating
def hann_window(
    window_length: int, periodic: bool = True, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """½ - ½ cos 2πx.

    Examples
    --------
    >>> hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _window("hann_window", window_length, periodic, _cosines(0.5, 0.5), dtype, device, requires_grad)


@memory_options
@allocating
def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``alpha - beta`` cos 2πx."""
    return _window("hamming_window", window_length, periodic, _cosines(alpha, beta), dtype, device, requires_grad)


@memory_options
@allocating
def blackman_window(
    window_length: int, periodic: bool = True, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """0.42 - ½ cos 2πx + 0.08 cos 4πx."""
    return _window("blackman_window", window_length, periodic, _cosines(0.42, 0.5, 0.08), dtype, device, requires_grad)


@memory_options
@allocating
def bartlett_window(
    window_length: int, periodic: bool = True, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A triangle: 1 - |2x - 1|."""
    return _window("bartlett_window", window_length, periodic, lambda x: 1 - np.abs(2 * x - 1), dtype, device, requires_grad)


@memory_options
@allocating
def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """I₀(beta √(1 - (2x - 1)²)) / I₀(beta), I₀ being the modified Bessel function of order 0."""
    def formula(x: Any) -> Any:
        return np.i0(beta * np.sqrt(np.maximum(1 - (2 * x - 1) ** 2, 0))) / np.i0(beta)

    return _window("kaiser_window", window_length, periodic, formula, dtype, device, requires_grad)
