"""The geometric distribution."""

from __future__ import annotations

from typing import Any

from minigrad.arrays.dtypes import finfo
from minigrad.autograd import no_grad
from minigrad.distributions import constraints
from minigrad.distributions.families import OfTrials
from minigrad.distributions.utils import broadcast_all
from minigrad.nn.functional import binary_cross_entropy_with_logits
from minigrad.ops.elementwise import log, log1p
from minigrad.tensors.creation import empty, zeros_like
from minigrad.tensors.tensor import Tensor


class Geometric(OfTrials):
    """How many trials fail before the first that succeeds: k with probability p (1 - p)ᵏ.

    Parameters
    ----------
    probs, logits : Tensor or float
        The probability of success, above 0, or its log odds: one of the two.

    Examples
    --------
    >>> Geometric(0.2).mean
    tensor(4.)
    """

    support = constraints.nonnegative_integer

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        super().__init__(probs, logits, validate_args)
        if self._validate_args and probs is not None and not (self.probs > 0).all():
            wrong = self.probs.data[~(self.probs > 0)]
            raise ValueError(f"Expected parameter probs ({type(self.probs).__name__} of shape {tuple(self.probs.shape)}) of "
                             f"distribution {self!r} to be positive but found invalid values:\n{wrong}")

    @property
    def mean(self) -> Tensor:
        """1/p - 1."""
        return 1.0 / self.probs - 1.0

    @property
    def mode(self) -> Tensor:
        """0."""
        return zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        """(1/p - 1) / p."""
        return (1.0 / self.probs - 1.0) / self.probs

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw samples: log(u) / log(1 - p), rounded down, u uniform between 0 and 1."""
        with no_grad():
            u = empty(self._extended_shape(sample_shape), dtype=self.probs.dtype).uniform_(finfo(self.probs.dtype).tiny, 1)
            return (log(u) / log1p(-self.probs)).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        """Value log(1 - p) + log(p)."""
        if self._validate_args:
            self._validate_sample(value)
        value, probs = broadcast_all(value, self.probs)
        probs = probs.clone()
        probs[(probs == 1) & (value == 0)] = 0
        return value * log1p(-probs) + log(self.probs)

    def entropy(self) -> Tensor:
        """That of one trial, divided by p."""
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none") / self.probs
