"""The Dirichlet distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from minigrad.autograd import wrap
from minigrad.distributions import constraints
from minigrad.distributions.constraints import Constraint
from minigrad.distributions.distribution import Distribution
from minigrad.nn.functional import one_hot
from minigrad.ops.special import digamma, lgamma, xlogy
from minigrad.random import standard_gamma
from minigrad.tensors.tensor import Tensor


class Dirichlet(Distribution):
    """Rows of probabilities, of density proportional to ∏ xᵢ to the power of concentrationᵢ - 1.

    `sample` draws torch's numbers. `rsample` is not supported: the derivative of a sample has no closed form.

    Parameters
    ----------
    concentration : Tensor of shape (\\*batch_shape, n)
        The larger, the nearer samples are to the mean.

    Examples
    --------
    >>> from minigrad import tensor
    >>> Dirichlet(tensor([1.0, 3.0])).mean
    tensor([0.2500, 0.7500])
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if concentration.dim() < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """The concentration of each, divided by their sum."""
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def mode(self) -> Tensor:
        """The mean for concentrations smaller by 1; where all are below 1, a corner."""
        less = (self.concentration - 1).clamp(min=0.0)
        mode = less / less.sum(-1, True)
        corner = (self.concentration < 1).all(-1)
        mode[corner] = one_hot(mode[corner].argmax(-1), less.shape[-1]).to(mode)
        return mode

    @property
    def variance(self) -> Tensor:
        """C (s - c) / (s² (s + 1)), s being the sum of the concentrations c."""
        total = self.concentration.sum(-1, True)
        return self.concentration * (total - self.concentration) / (total.pow(2) * (total + 1))

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw samples: gamma numbers, divided by their sum."""
        array = self.concentration.expand(self._extended_shape(sample_shape)).array
        drawn = standard_gamma(array.astype(np.float64))
        kind = array.dtype.type
        ratio = (drawn / drawn.sum(-1, keepdims=True)).astype(array.dtype)
        return wrap(np.clip(ratio, np.finfo(kind).tiny, np.nextafter(kind(1), kind(0))))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Not supported: use `sample`, and weigh `log_prob`."""
        raise NotImplementedError("Dirichlet.rsample() is not supported: the derivative of a sample has no closed form. "
                                  "Use sample()")

    def log_prob(self, value: Tensor) -> Tensor:
        """∑ (c - 1) log(value) + log Γ(∑ c) - ∑ log Γ(c)."""
        if self._validate_args:
            self._validate_sample(value)
        return (xlogy(self.concentration - 1.0, value).sum(-1) + lgamma(self.concentration.sum(-1))
                - lgamma(self.concentration).sum(-1))  # fmt: skip

    def entropy(self) -> Tensor:
        """∑ log Γ(c) - log Γ(s) - (n - s) ψ(s) - ∑ (c - 1) ψ(c), s being the sum of the concentrations c."""
        n, total = self.concentration.shape[-1], self.concentration.sum(-1)
        return (lgamma(self.concentration).sum(-1) - lgamma(total) - (n - total) * digamma(total)
                - ((self.concentration - 1.0) * digamma(self.concentration)).sum(-1))  # fmt: skip
