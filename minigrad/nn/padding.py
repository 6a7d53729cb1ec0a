"""Padding as modules: `functional.pad`, by a number of elements before and after each of the last 1, 2 or 3 dimensions."""

from __future__ import annotations

from typing import Any

from minigrad.nn import functional as F
from minigrad.nn.module import Module
from minigrad.tensors.tensor import Tensor


class _Pad(Module):
    """What the padding layers share.

    Parameters
    ----------
    padding : int or sequence of int
        One number for all sides; or (before, after) of the last dimension, then of the one before, and so on.
    """

    mode, ndim = "constant", 1
    value: float | None = None

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = tuple(padding) if hasattr(padding, "__iter__") else (padding,) * (2 * self.ndim)

    def forward(self, input: Tensor) -> Tensor:
        """The padded input."""
        return F.pad(input, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        """The padding."""
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        """Padding and value."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """Pads signals with a number."""


class ConstantPad2d(_ConstantPad):
    """Pads images with a number."""

    ndim = 2


class ConstantPad3d(_ConstantPad):
    """Pads volumes with a number."""

    ndim = 3


class _ZeroPad(_ConstantPad):
    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    extra_repr = _Pad.extra_repr


class ZeroPad1d(_ZeroPad, ConstantPad1d):
    """Pads signals with zeros."""


class ZeroPad2d(_ZeroPad, ConstantPad2d):
    """Pads images with zeros."""


class ZeroPad3d(_ZeroPad, ConstantPad3d):
    """Pads volumes with zeros."""


class ReflectionPad1d(_Pad):
    """Pads signals with what comes before the edge, backwards."""

    mode = "reflect"


class ReflectionPad2d(ReflectionPad1d):
    """Pads images with what comes before the edge, backwards."""

    ndim = 2


class ReflectionPad3d(ReflectionPad1d):
    """Pads volumes with what comes before the edge, backwards."""

    ndim = 3


class ReplicationPad1d(_Pad):
    """Pads signals with the element at the edge."""

    mode = "replicate"


class ReplicationPad2d(ReplicationPad1d):
    """Pads images with the element at the edge."""

    ndim = 2


class ReplicationPad3d(ReplicationPad1d):
    """Pads volumes with the element at the edge."""

    ndim = 3


class CircularPad1d(_Pad):
    """Pads signals with what is at the other end."""

    mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        """The padded input."""
        if input.dim() not in (self.ndim + 1, self.ndim + 2):
            raise ValueError(f"expected {self.ndim + 1}D or {self.ndim + 2}D input (got {input.dim()}D input)")
        return super().forward(input)


class CircularPad2d(CircularPad1d):
    """Pads images with what is at the other end."""

    ndim = 2


class CircularPad3d(CircularPad1d):
    """Pads volumes with what is at the other end."""

    ndim = 3
