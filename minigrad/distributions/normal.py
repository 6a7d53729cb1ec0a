"""The normal distribution."""

from __future__ import annotations

import math
from typing import Any

from minigrad.autograd import no_grad
from minigrad.distributions.families import Symmetric
from minigrad.ops.elementwise import log
from minigrad.ops.special import erf, erfinv
from minigrad.tensors.creation import empty
from minigrad.tensors.sampling import normal
from minigrad.tensors.tensor import Tensor


class Normal(Symmetric):
    """The normal distribution, of density exp(-(x - loc)² / 2 scale²) / (scale √2π).

    Parameters
    ----------
    loc, scale : Tensor or float
        Mean and standard deviation.

    Examples
    --------
    >>> import minigrad as torch
    >>> _ = torch.manual_seed(0)
    >>> d = Normal(torch.tensor([0.0, 10.0]), 1.0)
    >>> x = d.sample()
    >>> x, d.log_prob(x)
    (tensor([1.5410, 9.7066]), tensor([-2.1063, -0.9620]))
    """

    @property
    def stddev(self) -> Tensor:
        """`scale`."""
        return self.scale

    @property
    def variance(self) -> Tensor:
        """scale²."""
        return self.stddev.pow(2)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw samples; no gradient leads from them to the parameters."""
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return normal(self.loc.expand(shape), self.scale.expand(shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Loc + ε scale, ε standard normal."""
        eps = empty(self._extended_shape(sample_shape), dtype=self.loc.dtype).normal_()
        return self.loc + eps * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        """-(value - loc)² / 2 scale² - log scale - log √2π."""
        if self._validate_args:
            self._validate_sample(value)
        return -((value - self.loc) ** 2) / (2 * self.scale**2) - self.scale.log() - math.log(math.sqrt(2 * math.pi))

    def cdf(self, value: Tensor) -> Tensor:
        """(1 + erf((value - loc) / (scale √2))) / 2."""
        if self._validate_args:
            self._validate_sample(value)
        return 0.5 * (1 + erf((value - self.loc) * self.scale.reciprocal() / math.sqrt(2)))

    def icdf(self, value: Tensor) -> Tensor:
        """Loc + scale √2 erfinv(2 value - 1)."""
        return self.loc + self.scale * erfinv(2 * value - 1) * math.sqrt(2)

    def entropy(self) -> Tensor:
        """(1 + log 2π) / 2 + log scale."""
        return 0.5 + 0.5 * math.log(2 * math.pi) + log(self.scale)
