"""The beta distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from minigrad.arrays.dtypes import Size
from minigrad.distributions import constraints
from minigrad.distributions.constraints import Constraint
from minigrad.distributions.dirichlet import Dirichlet
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.utils import broadcast_all
from minigrad.ops.shape import stack
from minigrad.tensors.tensor import Tensor


class Beta(Distribution):
    """A number between 0 and 1: the first of two that a `Dirichlet` distribution gives.

    Parameters
    ----------
    concentration1, concentration0 : Tensor or float
        Those of the number, and of what it lacks to 1.

    Examples
    --------
    >>> Beta(1.0, 3.0).mean
    tensor(0.2500)
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {
        "concentration1": constraints.positive, "concentration0": constraints.positive,
    }  # fmt: skip
    support = constraints.unit_interval

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        self._dirichlet = Dirichlet(stack(broadcast_all(concentration1, concentration0), -1), validate_args=validate_args)
        super().__init__(self._dirichlet.batch_shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distributions for a larger `batch_shape`."""
        new = super().expand(batch_shape, _instance)
        new._dirichlet = self._dirichlet.expand(Size(batch_shape))
        return new

    @property
    def concentration1(self) -> Tensor:
        """The concentration of the number."""
        return self._dirichlet.concentration[..., 0]

    @property
    def concentration0(self) -> Tensor:
        """The concentration of what it lacks to 1."""
        return self._dirichlet.concentration[..., 1]

    @property
    def mean(self) -> Tensor:
        """The share of `concentration1` in both."""
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def mode(self) -> Tensor:
        """The mode of the Dirichlet distribution."""
        return self._dirichlet.mode[..., 0]

    @property
    def variance(self) -> Tensor:
        """A b / (s² (s + 1)), s being the sum of the concentrations a and b."""
        total = self.concentration1 + self.concentration0
        return self.concentration1 * self.concentration0 / (total.pow(2) * (total + 1))

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw samples; no gradient leads from them to the parameters."""
        return self._dirichlet.sample(sample_shape).select(-1, 0)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Not supported: use `sample`, and weigh `log_prob`."""
        raise NotImplementedError("Beta.rsample() is not supported: the derivative of a sample has no closed form. Use sample()")

    def log_prob(self, value: Tensor) -> Tensor:
        """That of the Dirichlet distribution."""
        if self._validate_args:
            self._validate_sample(value)
        return self._dirichlet.log_prob(stack([value, 1.0 - value], -1))

    def entropy(self) -> Tensor:
        """That of the Dirichlet distribution."""
        return self._dirichlet.entropy()
