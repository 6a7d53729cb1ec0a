"""The categorical distribution: one of several classes."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from minigrad.arrays.dtypes import Size, finfo
from minigrad.distributions import constraints
from minigrad.distributions.constraints import Constraint
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.utils import lazy_property, logits_to_probs, probs_to_logits
from minigrad.ops.shape import broadcast_tensors
from minigrad.tensors.creation import arange, full
from minigrad.tensors.sampling import multinomial
from minigrad.tensors.tensor import Tensor


class Categorical(Distribution):
    """One of the classes 0 to n - 1, each with its probability.

    Parameters
    ----------
    probs, logits : Tensor of shape (\\*batch_shape, n)
        Probabilities, or their logarithms: one of the two. Either may lack a factor, or a constant, that normalises a row.

    Examples
    --------
    >>> import minigrad as torch
    >>> _ = torch.manual_seed(0)
    >>> policy = Categorical(logits=torch.tensor([0.0, 1.0, 2.0]))
    >>> action = policy.sample()
    >>> action, policy.log_prob(action)
    (tensor(2), tensor(-0.4076))
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True

    def __init__(self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        name, parameter = ("logits", logits) if probs is None else ("probs", probs)
        if not isinstance(parameter, Tensor):
            raise TypeError(f"Categorical: `{name}` must be a tensor, got {type(parameter).__name__}")
        if parameter.dim() < 1:
            raise ValueError(f"`{name}` parameter must be at least one-dimensional.")
        if probs is None:
            self.logits = parameter - parameter.logsumexp(-1, keepdim=True)
        else:
            self.probs = parameter / parameter.sum(-1, keepdim=True)
        self._num_events = parameter.shape[-1]
        super().__init__(parameter.shape[:-1], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distributions for a larger `batch_shape`."""
        new = super().expand(batch_shape, _instance)
        new._num_events = self._num_events
        return new

    @property
    def support(self) -> Constraint:
        """0 to n - 1."""
        return constraints.integer_interval(0, self._num_events - 1)

    @lazy_property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities."""
        return probs_to_logits(self.probs)

    @lazy_property
    def probs(self) -> Tensor:
        """The probabilities; each row adds up to 1."""
        return logits_to_probs(self.logits)

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter."""
        return Size((*self.batch_shape, self._num_events))

    @property
    def mean(self) -> Tensor:
        """Nan: classes have no order."""
        return full(self._extended_shape(), math.nan, dtype=self.probs.dtype)

    @property
    def mode(self) -> Tensor:
        """The likeliest class."""
        return self.probs.argmax(-1)

    @property
    def variance(self) -> Tensor:
        """Nan, like the mean."""
        return self.mean

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw classes, int64."""
        sample_shape = Size(sample_shape)
        rows = self.probs.reshape(-1, self._num_events)
        drawn = multinomial(rows, sample_shape.numel(), True).T
        return drawn.reshape(self._extended_shape(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of each class in `value`."""
        if self._validate_args:
            self._validate_sample(value)
        places, logits = broadcast_tensors(value.long().unsqueeze(-1), self.logits)
        return logits.gather(-1, places[..., :1]).squeeze(-1)

    def entropy(self) -> Tensor:
        """-∑ p log p; a class of probability 0 adds nothing."""
        logits = self.logits.clamp(min=finfo(self.logits.dtype).min)
        return -(logits * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """0 to n - 1, along a new first dimension; with `expand` for each distribution of the batch."""
        values = arange(self._num_events).view(-1, *[1] * len(self.batch_shape))
        return values.expand(-1, *self.batch_shape) if expand else values
