"""The gamma distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from minigrad.arrays.dtypes import finfo
from minigrad.autograd import no_grad, wrap
from minigrad.distributions import constraints
from minigrad.distributions.constraints import Constraint
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.utils import broadcast_all
from minigrad.ops.elementwise import log
from minigrad.ops.special import digamma, lgamma, xlogy
from minigrad.random import standard_gamma
from minigrad.tensors.creation import as_tensor
from minigrad.tensors.tensor import Tensor


class Gamma(Distribution):
    """The gamma distribution, of density rateᵃ xᵃ⁻¹ exp(-rate · x) / Γ(a), a being the concentration.

    `sample` draws torch's numbers. `rsample` is not supported: the derivative of a sample has no closed form.

    Parameters
    ----------
    concentration, rate : Tensor or float
        The two numbers of the density.

    Examples
    --------
    >>> Gamma(3.0, 2.0).mean
    tensor(1.5000)
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """Concentration / rate."""
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        """(concentration - 1) / rate, or 0 where that is negative."""
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        """Concentration / rate²."""
        return self.concentration / self.rate.pow(2)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw samples; no gradient leads from them to the parameters."""
        shape, dtype = self._extended_shape(sample_shape), self.rate.array.dtype
        with no_grad():
            drawn = np.maximum(standard_gamma(self.concentration.expand(shape).array).astype(dtype), np.finfo(dtype).tiny)
            return (wrap(drawn) / self.rate).clamp(min=finfo(self.rate.dtype).tiny)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Not supported: use `sample`, and weigh `log_prob`."""
        raise NotImplementedError("Gamma.rsample() is not supported: the derivative of a sample has no closed form. Use sample()")

    def log_prob(self, value: Any) -> Tensor:
        """a log(rate) + (a - 1) log(value) - rate · value - log Γ(a)."""
        value = as_tensor(value, dtype=self.rate.dtype)
        if self._validate_args:
            self._validate_sample(value)
        return (xlogy(self.concentration, self.rate) + xlogy(self.concentration - 1, value) - self.rate * value
                - lgamma(self.concentration))  # fmt: skip

    def entropy(self) -> Tensor:
        """A - log(rate) + log Γ(a) + (1 - a) ψ(a)."""
        return (self.concentration - log(self.rate) + lgamma(self.concentration)
                + (1.0 - self.concentration) * digamma(self.concentration))  # fmt: skip
