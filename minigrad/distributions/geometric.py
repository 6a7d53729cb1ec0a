"""The geometric distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from minigrad.arrays.dtypes import finfo
from minigrad.autograd import no_grad
from minigrad.distributions import constraints
from minigrad.distributions.constraints import Constraint
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.utils import broadcast_all, lazy_property, logits_to_probs, probs_to_logits
from minigrad.nn.functional import binary_cross_entropy_with_logits
from minigrad.ops.elementwise import log, log1p
from minigrad.tensors.creation import empty, zeros_like
from minigrad.tensors.tensor import Tensor


class Geometric(Distribution):
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

    arg_constraints: ClassVar[dict[str, Constraint]] = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.nonnegative_integer

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        (parameter,) = broadcast_all(logits if probs is None else probs)
        setattr(self, "logits" if probs is None else "probs", parameter)
        super().__init__(parameter.shape, validate_args=validate_args)
        if self._validate_args and probs is not None and not (parameter > 0).all():
            raise ValueError(f"Expected parameter probs ({type(parameter).__name__} of shape {tuple(parameter.shape)}) of "
                             f"distribution {self!r} to be positive but found invalid values:\n{parameter.data[~(parameter > 0)]}")

    @lazy_property
    def logits(self) -> Tensor:
        """The log odds of success."""
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self) -> Tensor:
        """The probability of success."""
        return logits_to_probs(self.logits, is_binary=True)

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
