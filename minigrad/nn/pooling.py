"""Pooling as modules, `Unfold` and `Fold`: the functions of the same names in `functional`, with their options kept."""

from __future__ import annotations

from typing import Any

from minigrad.nn import functional as F
from minigrad.nn.module import FunctionModule
from minigrad.ops.window import Ints


class _MaxPool(FunctionModule):
    hidden = ("return_indices",)

    def __init__(
        self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1, return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        stride = kernel_size if stride is None else stride
        super().__init__(kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation,
                         return_indices=return_indices, ceil_mode=ceil_mode)  # fmt: skip


class MaxPool2d(_MaxPool):
    """The largest element of each window; see `functional.max_pool2d`."""

    function = F.max_pool2d


class MaxPool1d(_MaxPool):
    """The largest element of each window; see `functional.max_pool1d`."""

    function = F.max_pool1d


class AvgPool2d(FunctionModule):
    """The mean of each window; see `functional.avg_pool2d`."""

    function = F.avg_pool2d
    hidden = ("ceil_mode", "count_include_pad", "divisor_override")

    def __init__(
        self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> None:
        stride = kernel_size if stride is None else stride
        super().__init__(kernel_size=kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode,
                         count_include_pad=count_include_pad, divisor_override=divisor_override)  # fmt: skip


class AvgPool1d(FunctionModule):
    """The mean of each window; see `functional.avg_pool1d`."""

    function = F.avg_pool1d
    hidden = AvgPool2d.hidden

    def __init__(
        self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        sizes = (n if isinstance(n, tuple) else (n,) for n in (kernel_size, kernel_size if stride is None else stride, padding))
        kernel, step, pad = sizes
        super().__init__(kernel_size=kernel, stride=step, padding=pad, ceil_mode=ceil_mode, count_include_pad=count_include_pad)


class _AdaptiveAvgPool(FunctionModule):
    def __init__(self, output_size: Any) -> None:
        super().__init__(output_size=output_size)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """Means of as many windows as give an image of `output_size`; see `functional.adaptive_avg_pool2d`."""

    function = F.adaptive_avg_pool2d


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """Means of `output_size` windows; see `functional.adaptive_avg_pool1d`."""

    function = F.adaptive_avg_pool1d


class _AdaptiveMaxPool(FunctionModule):
    hidden = ("return_indices",)

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size=output_size, return_indices=return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest elements of as many windows as give an image of `output_size`; see `functional.adaptive_max_pool2d`."""

    function = F.adaptive_max_pool2d


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest elements of `output_size` windows; see `functional.adaptive_max_pool1d`."""

    function = F.adaptive_max_pool1d


class Unfold(FunctionModule):
    """The windows of images as columns; see `functional.unfold`."""

    function = F.unfold

    def __init__(self, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1) -> None:
        super().__init__(kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride)


class Fold(FunctionModule):
    """Images that columns add up to; see `functional.fold`."""

    function = F.fold

    def __init__(self, output_size: Ints, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1) -> None:
        super().__init__(output_size=output_size, kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride)
