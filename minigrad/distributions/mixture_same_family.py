"""Mixtures: samples of one of several distributions of a kind."""

from __future__ import annotations

from typing import Any, ClassVar

from minigrad.arrays.dtypes import Size
from minigrad.autograd import no_grad
from minigrad.distributions import constraints
from minigrad.distributions.categorical import Categorical
from minigrad.distributions.constraints import Constraint
from minigrad.distributions.distribution import Distribution
from minigrad.ops.reduction import log_softmax, logsumexp
from minigrad.tensors.tensor import Tensor


class MixtureSameFamily(Distribution):
    """Samples of one of k distributions, which one being drawn first: a Gaussian mixture, for example.

    Parameters
    ----------
    mixture_distribution : Categorical
        Draws which.
    component_distribution : Distribution of batch_shape (..., k)
        The distributions, along the last dimension of their batch.

    Raises
    ------
    ValueError
        If they are not such distributions, or their sizes do not go together.

    Examples
    --------
    >>> from minigrad import tensor
    >>> from minigrad.distributions import Normal
    >>> MixtureSameFamily(Categorical(tensor([0.25, 0.75])), Normal(tensor([-1.0, 1.0]), 0.5)).mean
    tensor(0.5000)
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {}

    def __init__(
        self, mixture_distribution: Categorical, component_distribution: Distribution, validate_args: bool | None = None
    ) -> None:
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(" The Mixture distribution needs to be an  instance of torch.distributions.Categorical")
        if not isinstance(component_distribution, Distribution):
            raise ValueError("The Component distribution needs to be an instance of torch.distributions.Distribution")
        of_mixture, (*rest, count) = mixture_distribution.batch_shape, component_distribution.batch_shape
        batch_shape = Size(rest)
        if any(1 not in (n, m) and n != m for n, m in zip(reversed(of_mixture), reversed(batch_shape), strict=False)):
            raise ValueError(f"`mixture_distribution.batch_shape` ({of_mixture}) is not compatible with "
                             f"`component_distribution.batch_shape`({batch_shape})")
        choices = mixture_distribution.logits.shape[-1]
        if choices != count:
            raise ValueError(f"`mixture_distribution component` ({choices}) does not equal "
                             f"`component_distribution.batch_shape[-1]` ({count})")
        self.mixture_distribution, self.component_distribution = mixture_distribution, component_distribution
        super().__init__(batch_shape, component_distribution.event_shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distributions for a larger `batch_shape`."""
        new = super().expand(batch_shape, _instance)
        count = self.component_distribution.batch_shape[-1]
        new.component_distribution = self.component_distribution.expand((*batch_shape, count))
        new.mixture_distribution = self.mixture_distribution.expand(batch_shape)
        return new

    @property
    def support(self) -> Constraint:
        """That of the components, of each sample."""
        return constraints.MixtureSameFamilyConstraint(self.component_distribution.support)

    def _along(self, x: Tensor) -> Tensor:
        """A sample for each of the components, along a new dimension."""
        return x.unsqueeze(-1 - len(self.event_shape))

    def _mixed(self, x: Tensor) -> Tensor:
        """The mean over the components."""
        probs = self.mixture_distribution.probs
        missing = len(self.batch_shape) - len(self.mixture_distribution.batch_shape)
        gaps = 0 if len(self.mixture_distribution.batch_shape) == 1 else missing
        probs = probs.reshape(*probs.shape[:-1], *[1] * gaps, probs.shape[-1], *[1] * len(self.event_shape))
        return (probs * x).sum(-1 - len(self.event_shape))

    @property
    def mean(self) -> Tensor:
        """The mean of the means."""
        return self._mixed(self.component_distribution.mean)

    @property
    def variance(self) -> Tensor:
        """The mean of the variances, and the variance of the means."""
        between = (self.component_distribution.mean - self._along(self.mean)).pow(2.0)
        return self._mixed(self.component_distribution.variance) + self._mixed(between)

    def cdf(self, value: Tensor) -> Tensor:
        """The mean of those of the components."""
        return (self.component_distribution.cdf(self._along(value)) * self.mixture_distribution.probs).sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        """log ∑ p exp(log_prob of the component)."""
        if self._validate_args:
            self._validate_sample(value)
        each = self.component_distribution.log_prob(self._along(value))
        return logsumexp(each + log_softmax(self.mixture_distribution.logits, -1), -1)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw which component, then samples of all of them, of which the drawn one is taken."""
        with no_grad():
            chosen = self.mixture_distribution.sample(sample_shape)
            samples = self.component_distribution.sample(sample_shape)
            dim = len(Size(sample_shape)) + len(self.batch_shape)
            places = chosen.reshape(*chosen.shape, *[1] * (len(self.event_shape) + 1))
            return samples.gather(dim, places.repeat(*[1] * len(chosen.shape), 1, *self.event_shape)).squeeze(dim)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self.mixture_distribution},\n  {self.component_distribution})"
