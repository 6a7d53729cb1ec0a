"""How a loss of many elements becomes one number: `reduction`, or torch's older `size_average` and `reduce`."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from minigrad.autograd import TensorBase

if TYPE_CHECKING:
    from minigrad.tensors.tensor import Tensor

REDUCTIONS = ("mean", "sum", "none")


def checked(name: str, reduction: str, size_average: bool | None, reduce: bool | None, *tensors: Any) -> str:
    """The reduction, after what every loss checks: that its operands are tensors, and that there is such a reduction."""
    for position, x in enumerate(tensors, 1):
        if not isinstance(x, TensorBase):
            raise TypeError(f"{name}(): argument {position} must be Tensor, not {type(x).__name__}; make one with torch.tensor()")
    if size_average is not None or reduce is not None:
        return older_reduction(size_average, reduce, stacklevel=4)
    if reduction == "elementwise_mean":
        warnings.warn("reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.", stacklevel=4)
        return "mean"
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction; use 'mean', 'sum' or 'none'")
    return reduction


def older_reduction(size_average: bool | None, reduce: bool | None, stacklevel: int) -> str:
    """The reduction that torch's older arguments ask for."""
    average, one = size_average in (None, True), reduce in (None, True)
    reduction = "mean" if average and one else "sum" if one else "none"
    warnings.warn(f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
                  stacklevel=stacklevel)
    return reduction


def reduced(values: Tensor, reduction: str) -> Any:
    """The mean, the sum, or all of the values."""
    return values.mean() if reduction == "mean" else values.sum() if reduction == "sum" else values
