"""Pooling, `Unfold` and `Fold` as modules: each calls the function of that name in `functional` with its own options."""

from __future__ import annotations

from typing import Any

from minigrad.nn import functional as F
from minigrad.nn.module import FunctionModule, Module
from minigrad.ops.windows import Ints, ints
from minigrad.tensors.tensor import Tensor


class _Pool(FunctionModule):
    """Pooling by windows that are `kernel_size` apart unless there is a `stride`."""

    kernel_size: Ints
    stride: Ints | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.stride is None:
            self.stride = self.kernel_size


class _MaxPool(_Pool):
    hidden = ("return_indices",)

    def __init__(
        self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1, return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, dilation, ceil_mode, return_indices)


class MaxPool2d(_MaxPool):
    """The largest element of each window; see `functional.max_pool2d`."""

    function = F.max_pool2d


class MaxPool1d(_MaxPool):
    """The largest element of each window; see `functional.max_pool1d`."""

    function = F.max_pool1d


class AvgPool2d(_Pool):
    """The mean of each window; see `functional.avg_pool2d`."""

    function = F.avg_pool2d
    hidden = ("ceil_mode", "count_include_pad", "divisor_override")


class AvgPool1d(_Pool):
    """The mean of each window; see `functional.avg_pool1d`."""

    function = F.avg_pool1d
    hidden = ("ceil_mode", "count_include_pad")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("kernel_size", "stride", "padding"):
            size = getattr(self, name)
            setattr(self, name, size if isinstance(size, tuple) else (size,))


class AdaptiveAvgPool2d(FunctionModule):
    """Means of as many windows as give an image of `output_size`; see `functional.adaptive_avg_pool2d`."""

    function = F.adaptive_avg_pool2d


class AdaptiveAvgPool1d(FunctionModule):
    """Means of `output_size` windows; see `functional.adaptive_avg_pool1d`."""

    function = F.adaptive_avg_pool1d


class AdaptiveMaxPool2d(FunctionModule):
    """The largest elements of as many windows as give an image of `output_size`; see `functional.adaptive_max_pool2d`."""

    function = F.adaptive_max_pool2d
    hidden = ("return_indices",)


class AdaptiveMaxPool1d(FunctionModule):
    """The largest elements of `output_size` windows; see `functional.adaptive_max_pool1d`."""

    function = F.adaptive_max_pool1d
    hidden = ("return_indices",)


class LPPool1d(FunctionModule):
    """The p-norm of each window; see `functional.lp_pool1d`."""

    function = F.lp_pool1d


class LPPool2d(FunctionModule):
    """The p-norm of each window; see `functional.lp_pool2d`."""

    function = F.lp_pool2d


class _MaxUnpool(Module):
    dims: int

    def __init__(self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0) -> None:
        super().__init__()
        name = type(self).__name__
        self.kernel_size = ints(name, "kernel_size", kernel_size, self.dims, 1)
        self.stride = self.kernel_size if stride is None else ints(name, "stride", stride, self.dims, 1)
        self.padding = ints(name, "padding", padding, self.dims, 0)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """The way back from `MaxPool1d`; see `functional.max_unpool1d`."""

    dims = 1

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        """Signals of zeros with the elements of the input at `indices`."""
        return F.max_unpool1d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool2d(_MaxUnpool):
    """The way back from `MaxPool2d`; see `functional.max_unpool2d`."""

    dims = 2

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        """Images of zeros with the elements of the input at `indices`."""
        return F.max_unpool2d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class Unfold(FunctionModule):
    """The windows of images as columns; see `functional.unfold`."""

    function = F.unfold


class Fold(FunctionModule):
    """Images that columns add up to; see `functional.fold`."""

    function = F.fold
