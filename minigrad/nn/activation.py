"""The activations of `functional` as modules. A class names its function and takes its options."""

from __future__ import annotations

import warnings
from typing import Any

from minigrad.nn import functional as F
from minigrad.nn.init import constant_
from minigrad.nn.module import FunctionModule, Module
from minigrad.nn.parameter import Parameter
from minigrad.tensors.creation import full
from minigrad.tensors.tensor import Tensor


class ReLU(FunctionModule):
    """max(x, 0)."""

    function = F.relu


class ReLU6(FunctionModule):
    """min(max(x, 0), 6)."""

    function = F.relu6


class SELU(FunctionModule):
    """Self-normalising `ELU`."""

    function = F.selu


class SiLU(FunctionModule):
    """x · sigmoid(x)."""

    function = F.silu


class Mish(FunctionModule):
    """x · tanh(softplus(x))."""

    function = F.mish


class Hardsigmoid(FunctionModule):
    """min(max(x + 3, 0), 6) / 6."""

    function = F.hardsigmoid
    hidden = ("inplace",)


class Hardswish(FunctionModule):
    """x · hardsigmoid(x)."""

    function = F.hardswish
    hidden = ("inplace",)


class Sigmoid(FunctionModule):
    """1 / (1 + exp(-x))."""

    function = F.sigmoid


class Tanh(FunctionModule):
    """The hyperbolic tangent."""

    function = F.tanh


class LogSigmoid(FunctionModule):
    """log(sigmoid(x))."""

    function = F.logsigmoid


class Softsign(FunctionModule):
    """x / (1 + |x|)."""

    function = F.softsign


class LeakyReLU(FunctionModule):
    """x where x > 0, negative_slope · x elsewhere."""

    function = F.leaky_relu


class ELU(FunctionModule):
    """x where x > 0, alpha · (exp(x) - 1) elsewhere."""

    function = F.elu


class Hardtanh(FunctionModule):
    """x limited to the range from min_val to max_val."""

    function = F.hardtanh

    def __init__(
        self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False, min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        for old, value in (("min_value", min_value), ("max_value", max_value)):
            if value is not None:
                warnings.warn(f"keyword argument `{old}` is deprecated and renamed to `{old[:-2]}`", FutureWarning, stacklevel=2)
        min_val, max_val = min_val if min_value is None else min_value, max_val if max_value is None else max_value
        super().__init__(min_val, max_val, inplace)
        if not max_val > min_val:
            raise AssertionError(f"max_val ({max_val}) must be greater than min_val ({min_val})")


class CELU(FunctionModule):
    """x where x > 0, alpha · (exp(x / alpha) - 1) elsewhere."""

    function = F.celu


class Threshold(FunctionModule):
    """x where x > threshold, `value` elsewhere."""

    function = F.threshold


class Hardshrink(FunctionModule):
    """x where |x| > lambd, 0 elsewhere."""

    function = F.hardshrink

    def extra_repr(self) -> str:
        """The number."""
        return str(self.lambd)


class Softshrink(Hardshrink):
    """x brought nearer to 0 by lambd, and 0 where it is no farther away than that."""

    function = F.softshrink


class Tanhshrink(FunctionModule):
    """x - tanh(x)."""

    function = F.tanhshrink


class GELU(FunctionModule):
    """x · Φ(x), Φ being the normal distribution; an approximation with ``approximate="tanh"``."""

    function = F.gelu

    def __init__(self, approximate: str = "none") -> None:
        super().__init__(approximate=approximate)


class Softplus(FunctionModule):
    """log(1 + exp(beta · x)) / beta; x itself where beta · x exceeds the threshold."""

    function = F.softplus


class GLU(FunctionModule):
    """One half of x along `dim` times the sigmoid of the other (Dauphin et al., 2017)."""

    function = F.glu


class _AlongDim(FunctionModule):
    """A function along `dim`; its `dtype` is not the module's to choose."""

    hidden = ("dtype",)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__(dim)


class Softmax(_AlongDim):
    """exp(x) / Σ exp(x) along `dim`."""

    function = F.softmax


class Softmin(_AlongDim):
    """softmax(-x) along `dim`."""

    function = F.softmin


class LogSoftmax(_AlongDim):
    """log(softmax(x)) along `dim`."""

    function = F.log_softmax


class Softmax2d(Module):
    """Softmax over the channels of images, of shape (n, channels, height, width) or (channels, height, width)."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply it at each place."""
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D instead")
        return F.softmax(input, -3)


class RReLU(Module):
    """`LeakyReLU` with a slope that is drawn for each element in training; see `functional.rrelu`."""

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower, self.upper, self.inplace = lower, upper, inplace

    def forward(self, input: Tensor) -> Tensor:
        """The input, its negative elements multiplied by slopes."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        """The range of slopes."""
        return f"lower={self.lower}, upper={self.upper}" + (", inplace=True" if self.inplace else "")


class PReLU(Module):
    """x where x > 0, weight · x elsewhere: one weight to be learned, or one for each of the channels (He et al., 2015)."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(full((num_parameters,), float(init), dtype=dtype, device=device))

    def reset_parameters(self) -> None:
        """Set the weights to their first value."""
        constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        """Apply it to each element."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """How many weights."""
        return f"num_parameters={self.num_parameters}"
