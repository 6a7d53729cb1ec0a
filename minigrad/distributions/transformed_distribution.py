"""Distributions of transformed samples: `TransformedDistribution`, and some that have names of their own."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from minigrad.arrays.dtypes import Size, finfo
from minigrad.autograd import no_grad
from minigrad.distributions import constraints
from minigrad.distributions.constraints import Constraint
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.independent import Independent
from minigrad.distributions.normal import Normal
from minigrad.distributions.transforms import AbsTransform, AffineTransform, ComposeTransform, ExpTransform, Transform
from minigrad.distributions.uniform import Uniform
from minigrad.distributions.utils import broadcast_all, sum_rightmost
from minigrad.ops.elementwise import where
from minigrad.tensors.creation import full_like, zeros_like
from minigrad.tensors.tensor import Tensor


class TransformedDistribution(Distribution):
    """What becomes of the samples of a distribution by some transforms.

    The density of y = f(x) is that of x, divided by |dy/dx|.

    Parameters
    ----------
    base_distribution : Distribution
        Where x comes from.
    transforms : Transform or list of Transform
        What is done to x, the first one first.

    Raises
    ------
    ValueError
        If something is no transform.

    Examples
    --------
    >>> import minigrad as torch
    >>> from minigrad.distributions import Normal, TanhTransform
    >>> d = TransformedDistribution(Normal(0.0, 1.0), TanhTransform())
    >>> d.log_prob(torch.tensor(0.5))
    tensor(-0.7821)
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {}

    def __init__(self, base_distribution: Distribution, transforms: Any, validate_args: bool | None = None) -> None:
        self.transforms = [transforms] if isinstance(transforms, Transform) else transforms
        if not isinstance(self.transforms, list):
            raise ValueError(f"transforms must be a Transform or list, but was {transforms}")
        if not all(isinstance(each, Transform) for each in self.transforms):
            raise ValueError("transforms must be a Transform or a list of Transforms")
        whole = ComposeTransform(self.transforms)
        shape, own_dim = base_distribution.batch_shape + base_distribution.event_shape, len(base_distribution.event_shape)
        if len(shape) < whole.domain.event_dim:
            raise ValueError(f"base_distribution needs to have shape with size at least {whole.domain.event_dim}, but got {shape}.")
        result = Size(whole.forward_shape(shape))
        before = Size(whole.inverse_shape(result))
        if before != shape:
            base_distribution = base_distribution.expand(before[: len(before) - own_dim])
        if whole.domain.event_dim > own_dim:
            base_distribution = Independent(base_distribution, whole.domain.event_dim - own_dim)
        self.base_dist: Any = base_distribution
        event_dim = max(whole.codomain.event_dim, own_dim + whole.codomain.event_dim - whole.domain.event_dim)
        cut = len(result) - event_dim
        super().__init__(result[:cut], result[cut:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distributions for a larger `batch_shape`."""
        new = super().expand(batch_shape, _instance)
        shape = Size(ComposeTransform(self.transforms).inverse_shape(Size(batch_shape) + self.event_shape))
        new.base_dist = self.base_dist.expand(shape[: len(shape) - len(self.base_dist.event_shape)])
        new.transforms = self.transforms
        return new

    @property
    def support(self) -> Constraint:
        """Where the last transform leads."""
        if not self.transforms:
            return self.base_dist.support
        region = self.transforms[-1].codomain
        more = len(self.event_shape) - region.event_dim
        return constraints.independent(region, more) if more > 0 else region

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        """As for the base distribution."""
        return self.base_dist.has_rsample

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Samples of the base distribution, transformed."""
        with no_grad():
            return self._transformed(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Samples of the base distribution, transformed; gradients pass."""
        return self._transformed(self.base_dist.rsample(sample_shape))

    def _transformed(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform(x)
        return x

    def log_prob(self, value: Tensor) -> Tensor:
        """That of x, less log |dy/dx|."""
        if self._validate_args:
            self._validate_sample(value)
        event_dim, total, y = len(self.event_shape), 0.0, value
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            event_dim += transform.domain.event_dim - transform.codomain.event_dim
            total = total - sum_rightmost(transform.log_abs_det_jacobian(x, y), event_dim - transform.domain.event_dim)
            y = x
        return total + sum_rightmost(self.base_dist.log_prob(y), event_dim - len(self.base_dist.event_shape))

    def _rising(self, value: Tensor) -> Tensor:
        """1 - value, where the transforms turn the order of samples round."""
        sign = math.prod(transform.sign for transform in self.transforms)
        return value if isinstance(sign, int) and sign == 1 else sign * (value - 0.5) + 0.5

    def cdf(self, value: Tensor) -> Tensor:
        """That of x, or what it lacks to 1."""
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        if self._validate_args:
            self.base_dist._validate_sample(value)
        return self._rising(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        """That of x, transformed."""
        return self._transformed(self.base_dist.icdf(self._rising(value)))


class LogNormal(TransformedDistribution):
    """exp(x) for a normal x.

    Parameters
    ----------
    loc, scale : Tensor or float
        Mean and standard deviation of x.
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Normal(loc, scale, validate_args=validate_args), ExpTransform(), validate_args=validate_args)

    @property
    def loc(self) -> Tensor:
        """The mean of the logarithm."""
        return self.base_dist.loc

    @property
    def scale(self) -> Tensor:
        """The standard deviation of the logarithm."""
        return self.base_dist.scale

    @property
    def mean(self) -> Tensor:
        """exp(loc + scale² / 2)."""
        return (self.loc + self.scale.pow(2) / 2).exp()

    @property
    def mode(self) -> Tensor:
        """exp(loc - scale²)."""
        return (self.loc - self.scale.square()).exp()

    @property
    def variance(self) -> Tensor:
        """(exp(scale²) - 1) exp(2 loc + scale²)."""
        square = self.scale.pow(2)
        return square.expm1() * (2 * self.loc + square).exp()

    def entropy(self) -> Tensor:
        """That of the normal distribution, and loc."""
        return self.base_dist.entropy() + self.loc


class HalfNormal(TransformedDistribution):
    """|x| for a normal x of mean 0.

    Parameters
    ----------
    scale : Tensor or float
        Standard deviation of x.
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {"scale": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Normal(0, scale, validate_args=False), AbsTransform(), validate_args=validate_args)

    @property
    def scale(self) -> Tensor:
        """The standard deviation of x."""
        return self.base_dist.scale

    @property
    def mean(self) -> Tensor:
        """Scale √(2/π)."""
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def mode(self) -> Tensor:
        """0."""
        return zeros_like(self.scale)

    @property
    def variance(self) -> Tensor:
        """Scale² (1 - 2/π)."""
        return self.scale.pow(2) * (1 - 2 / math.pi)

    def log_prob(self, value: Tensor) -> Tensor:
        """That of x, and log 2; -inf below 0."""
        if self._validate_args:
            self._validate_sample(value)
        return where(value >= 0, self.base_dist.log_prob(value) + math.log(2), -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        """2 cdf(x) - 1."""
        if self._validate_args:
            self._validate_sample(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, value: Tensor) -> Tensor:
        """The inverse of `cdf`."""
        return self.base_dist.icdf((value + 1) / 2)

    def entropy(self) -> Tensor:
        """That of x, less log 2."""
        return self.base_dist.entropy() - math.log(2)


EULER = 0.57721566490153286060


class Gumbel(TransformedDistribution):
    """The largest of many exponential numbers: loc - scale · log(-log u), u uniform between 0 and 1.

    Parameters
    ----------
    loc, scale : Tensor or float
        Where it lies, and how wide it is.
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        info = finfo(self.loc.dtype)
        base = Uniform(full_like(self.loc, info.tiny), full_like(self.loc, 1 - info.eps), validate_args=validate_args)
        logarithm = ExpTransform().inv
        negated = AffineTransform(0, -full_like(self.scale, 1))
        super().__init__(base, [logarithm, negated, logarithm, AffineTransform(loc, -self.scale)], validate_args=validate_args)

    def log_prob(self, value: Tensor) -> Tensor:
        """Y - exp(y) - log(scale), y being (loc - value) / scale."""
        if self._validate_args:
            self._validate_sample(value)
        y = (self.loc - value) / self.scale
        return (y - y.exp()) - self.scale.log()

    @property
    def mean(self) -> Tensor:
        """Loc + γ scale, γ = 0.5772."""
        return self.loc + self.scale * EULER

    @property
    def mode(self) -> Tensor:
        """`loc`."""
        return self.loc

    @property
    def stddev(self) -> Tensor:
        """π/√6 scale."""
        return math.pi / math.sqrt(6) * self.scale

    @property
    def variance(self) -> Tensor:
        """π²/6 scale²."""
        return self.stddev.pow(2)

    def entropy(self) -> Tensor:
        """log(scale) + 1 + γ."""
        return self.scale.log() + (1 + EULER)
