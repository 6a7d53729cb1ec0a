"""The activations of `functional` as modules: a class names the options, in torch's order, and the function."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from minigrad.creation import full
from minigrad.nn import functional as F
from minigrad.nn.init import constant_
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor


@dataclass(eq=False, repr=False)
class _Activation(Module):
    """What has options and nothing else."""

    def __post_init__(self) -> None:
        super().__init__()

    def extra_repr(self) -> str:
        """The options; whether it writes over its input only if it does."""
        options = {option.name: getattr(self, option.name) for option in fields(self) if option.repr}
        return ", ".join(f"{name}={value!r}" for name, value in options.items() if name != "inplace" or value)


@dataclass(eq=False, repr=False)
class _InPlace(_Activation):
    """An activation whose only option is to write over its input."""

    inplace: bool = False


class ReLU(_InPlace):
    """max(x, 0)."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply it to each element."""
        return F.relu(input, self.inplace)


class ReLU6(_InPlace):
    """min(max(x, 0), 6)."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply it to each element."""
        return F.relu6(input, self.inplace)


class SELU(_InPlace):
    """Self-normalising `ELU`."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply it to each element."""
        return F.selu(input, self.inplace)


class SiLU(_InPlace):
    """x · sigmoid(x)."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply it to each element."""
        return F.silu(input, self.inplace)


class Mish(_InPlace):
    """x · tanh(softplus(x))."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply it to each element."""
        return F.mish(input, self.inplace)


@dataclass(eq=False, repr=False)
class Hardsigmoid(_Activation):
    """min(max(x + 3, 0), 6) / 6."""

    inplace: bool = field(default=False, repr=False)

    def forward(self, input: Tensor) -> Tensor:
        """Apply it to each element."""
        return F.hardsigmoid(input, self.inplace)


@dataclass(eq=False, repr=False)
class Hardswish(_Activation):
    """x · hardsigmoid(x)."""

    inplace: bool = field(default=False, repr=False)

    def forward(self, input: Tensor) -> Tensor:
        """Apply it to each element."""
        return F.hardswish(input, self.inplace)


class Sigmoid(_Activation):
    """1 / (1 + exp(-x))."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply it to each element."""
        return F.sigmoid(input)


class Tanh(_Activation):
    """The hyperbolic tangent."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply it to each element."""
        return F.tanh(input)


class LogSigmoid(_Activation):
    """log(sigmoid(x))."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply it to each element."""
        return F.logsigmoid(input)


class Softsign(_Activation):
    """x / (1 + |x|)."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply it to each element."""
        return F.softsign(input)


@dataclass(eq=False, repr=False)
class LeakyReLU(_Activation):
    """x where x > 0, negative_slope · x elsewhere."""

    negative_slope: float = 0.01
    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        """Apply it to each element."""
        return F.leaky_relu(input, self.negative_slope, self.inplace)


@dataclass(eq=False, repr=False)
class ELU(_Activation):
    """x where x > 0, alpha · (exp(x) - 1) elsewhere."""

    alpha: float = 1.0
    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        """Apply it to each element."""
        return F.elu(input, self.alpha, self.inplace)


@dataclass(eq=False, repr=False)
class Hardtanh(_Activation):
    """x limited to the range from min_val to max_val."""

    min_val: float = -1.0
    max_val: float = 1.0
    inplace: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.max_val > self.min_val:
            raise AssertionError(f"max_val ({self.max_val}) must be greater than min_val ({self.min_val})")

    def forward(self, input: Tensor) -> Tensor:
        """Apply it to each element."""
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)


@dataclass(eq=False, repr=False)
class GELU(_Activation):
    """x · Φ(x), Φ being the normal distribution; an approximation with ``approximate="tanh"``."""

    approximate: str = "none"

    def forward(self, input: Tensor) -> Tensor:
        """Apply it to each element."""
        return F.gelu(input, approximate=self.approximate)


@dataclass(eq=False, repr=False)
class Softplus(_Activation):
    """log(1 + exp(beta · x)) / beta; x itself where beta · x exceeds the threshold."""

    beta: float = 1.0
    threshold: float = 20.0

    def forward(self, input: Tensor) -> Tensor:
        """Apply it to each element."""
        return F.softplus(input, self.beta, self.threshold)


@dataclass(eq=False, repr=False)
class GLU(_Activation):
    """One half of x along `dim` times the sigmoid of the other (Dauphin et al., 2017)."""

    dim: int = -1

    def forward(self, input: Tensor) -> Tensor:
        """Apply it to each slice along the dimension."""
        return F.glu(input, self.dim)


@dataclass(eq=False, repr=False)
class Softmax(_Activation):
    """exp(x) / Σ exp(x) along `dim`."""

    dim: int | None = None

    def forward(self, input: Tensor) -> Tensor:
        """Apply it to each slice along the dimension."""
        return F.softmax(input, self.dim)


@dataclass(eq=False, repr=False)
class Softmin(_Activation):
    """softmax(-x) along `dim`."""

    dim: int | None = None

    def forward(self, input: Tensor) -> Tensor:
        """Apply it to each slice along the dimension."""
        return F.softmin(input, self.dim)


@dataclass(eq=False, repr=False)
class LogSoftmax(_Activation):
    """log(softmax(x)) along `dim`."""

    dim: int | None = None

    def forward(self, input: Tensor) -> Tensor:
        """Apply it to each slice along the dimension."""
        return F.log_softmax(input, self.dim)


class Softmax2d(_Activation):
    """Softmax over the channels of images, of shape (n, channels, height, width) or (channels, height, width)."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply it at each place."""
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D instead")
        return F.softmax(input, -3)


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
