"""Layers: `Linear`, those that change the shape, and `Dropout`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.autograd import wrap
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor
from minigrad.types import as_dtype, check_device, get_default_dtype


class Identity(Module):
    """Passes its input on; any arguments are taken and not used."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """The input."""
        return input


class Linear(Module):
    """``x @ weight.T + bias``, for x of shape (..., in_features).

    From the same seed, the first values are torch's: uniform numbers of ±1/√in_features.

    Parameters
    ----------
    in_features, out_features : int
        Sizes of the last dimension of input and result.
    bias : bool
        Add a bias.
    dtype : dtype, optional
        Of weight and bias. Default: the default dtype.

    Attributes
    ----------
    weight : Parameter of shape (out_features, in_features)
    bias : Parameter of shape (out_features), or None

    Raises
    ------
    TypeError, RuntimeError
        If a size is no integer, or negative.
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        check_device(device)
        for size in (in_features, out_features):
            if not isinstance(size, (int, np.integer)):
                raise TypeError(f"Linear(): in_features and out_features must be int, got {in_features!r} and "
                                f"{out_features!r}")
            if size < 0:
                raise RuntimeError(f"Linear(): sizes must not be negative, got {in_features} and {out_features}")
        self.in_features, self.out_features = in_features, out_features
        kind = (get_default_dtype() if dtype is None else as_dtype(dtype)).numpy
        self.weight = Parameter(wrap(np.empty((out_features, in_features), kind)))
        self.register_parameter("bias", Parameter(wrap(np.empty(out_features, kind))) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values for weight and bias."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))  # that is: uniform numbers of ±1/√in_features
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """``input @ weight.T + bias``."""
        parameters = self._parameters  # self.weight would take Module.__getattr__'s way round
        return F.linear(input, parameters["weight"], parameters["bias"])

    def extra_repr(self) -> str:
        """Sizes, and whether there is a bias."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Flatten(Module):
    """Dimensions `start_dim` to `end_dim` made one; the first, the batch, is left as it is unless told otherwise."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        """The same elements in fewer dimensions."""
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """The dimensions."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Dimension `dim` cut into several, of the sizes in `unflattened_size`."""

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if isinstance(dim, str):
            raise NotImplementedError(f"Unflatten(): dim={dim!r}: named dimensions are not supported, give a number")
        if not isinstance(unflattened_size, (tuple, list)):
            raise TypeError("unflattened_size must be a tuple of ints, but found type "
                            f"{type(unflattened_size).__name__}")
        for position, size in enumerate(unflattened_size):
            if not isinstance(size, int):
                raise TypeError("unflattened_size must be tuple of ints, but found element of type "
                                f"{type(size).__name__} at pos {position}")
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        """The same elements in more dimensions."""
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        """Dimension and sizes."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class Dropout(Module):
    """In training, sets each element to 0 with probability `p` and divides the others by 1 - p."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p, self.inplace = p, inplace

    def forward(self, input: Tensor) -> Tensor:
        """The input, with some elements dropped in training."""
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}, inplace={self.inplace}"
