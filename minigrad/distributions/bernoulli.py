"""The Bernoulli distribution: one of 0 and 1."""

from __future__ import annotations

import math
from typing import Any

from minigrad.arrays.dtypes import Size
from minigrad.autograd import no_grad
from minigrad.distributions import constraints
from minigrad.distributions.families import OfTrials
from minigrad.distributions.utils import broadcast_all
from minigrad.nn.functional import binary_cross_entropy_with_logits
from minigrad.tensors.creation import arange
from minigrad.tensors.sampling import bernoulli
from minigrad.tensors.tensor import Tensor


class Bernoulli(OfTrials):
    """1 with probability `probs`, else 0.

    Parameters
    ----------
    probs, logits : Tensor or float
        The probability of 1, or its log odds, log(p / (1 - p)): one of the two.

    Examples
    --------
    >>> import minigrad as torch
    >>> _ = torch.manual_seed(0)
    >>> Bernoulli(torch.tensor(0.3)).sample((5,))
    tensor([0., 0., 1., 1., 0.])
    """

    support = constraints.boolean
    has_enumerate_support = True

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter."""
        return self.batch_shape

    @property
    def mean(self) -> Tensor:
        """The probability of 1."""
        return self.probs

    @property
    def mode(self) -> Tensor:
        """The likelier of 0 and 1; nan where neither is."""
        return (self.probs >= 0.5).to(self.probs).masked_fill(self.probs == 0.5, math.nan)

    @property
    def variance(self) -> Tensor:
        """p(1 - p)."""
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw samples; no gradient leads from them to the parameter."""
        with no_grad():
            return bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        """log p where the value is 1, log(1 - p) where it is 0."""
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self) -> Tensor:
        """-p log p - (1 - p) log(1 - p)."""
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """0 and 1, along a new first dimension; with `expand` for each distribution of the batch."""
        parameter = next(iter(self._parameters().values()))
        values = arange(2, dtype=parameter.dtype).view(-1, *[1] * len(self.batch_shape))
        return values.expand(-1, *self.batch_shape) if expand else values
