"""`Distribution`: what all distributions have in common."""

from __future__ import annotations

import warnings
from typing import Any, Self

from minigrad.arrays.dtypes import Size
from minigrad.autograd import no_grad
from minigrad.distributions.constraints import Constraint, is_dependent
from minigrad.distributions.utils import lazy_property
from minigrad.tensors.tensor import Tensor


class Distribution:
    """Base class of probability distributions.

    A sample has shape ``sample_shape + batch_shape + event_shape``: `sample_shape` is asked for, `batch_shape` are
    distributions side by side, each with its own parameters, and `event_shape` is what one of them gives at a time.

    A subclass keeps its parameters in attributes, names them in `arg_constraints`, and passes `batch_shape` and `event_shape`
    to ``super().__init__()``.

    Parameters
    ----------
    batch_shape, event_shape : Size
        As above.
    validate_args : bool, optional
        Whether to check parameters, here, and values, in `log_prob` and `cdf`. Default: `set_default_validate_args`.

    Raises
    ------
    ValueError
        If a parameter is outside its region.
    """

    has_rsample = False
    has_enumerate_support = False
    _validate_args = __debug__

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether distributions check their arguments where `validate_args` is left out; at first they do."""
        if value not in (True, False):
            raise ValueError(f"set_default_validate_args() expects True or False, got {value!r}")
        Distribution._validate_args = value

    def __init__(self, batch_shape: Any = (), event_shape: Any = (), validate_args: bool | None = None) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._validate_parameters()

    def _validate_parameters(self) -> None:
        try:
            arg_constraints = self.arg_constraints
        except NotImplementedError:
            warnings.warn(f"{type(self)} does not define `arg_constraints`. Please set `arg_constraints = {{}}` or initialize the "
                          "distribution with `validate_args=False` to turn off validation.", stacklevel=3)
            return
        for name, constraint in arg_constraints.items():
            to_be_computed = name not in vars(self) and isinstance(getattr(type(self), name, None), lazy_property)
            if is_dependent(constraint) or to_be_computed:
                continue
            value = getattr(self, name)
            if not constraint.check(value).all():
                shape = tuple(value.shape)
                raise ValueError(f"Expected parameter {name} ({type(value).__name__} of shape {shape}) of distribution {self!r} to "
                                 f"satisfy the constraint {constraint!r}, but found invalid values:\n{value}")

    @property
    def arg_constraints(self) -> dict[str, Constraint]:
        """The region of each parameter."""
        raise NotImplementedError

    @property
    def support(self) -> Constraint:
        """The region of the samples."""
        raise NotImplementedError

    @property
    def batch_shape(self) -> Size:
        """The shape of the distributions side by side."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one sample of one distribution."""
        return self._event_shape

    def _parameters(self) -> dict[str, Tensor]:
        """The parameters, but for those that would have to be computed."""
        return {name: vars(self)[name] for name in self.arg_constraints if name in vars(self)}

    def expand(self, batch_shape: Any, _instance: Any = None) -> Self:
        """The same distributions for a larger `batch_shape`: parameters are expanded, as by `Tensor.expand`."""
        new = type(self).__new__(type(self)) if _instance is None else _instance
        for name, value in self._parameters().items():
            event = value.shape[value.ndim - self.arg_constraints[name].event_dim :]
            setattr(new, name, value.expand(Size(batch_shape) + event))
        Distribution.__init__(new, batch_shape, self._event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @property
    def mean(self) -> Tensor:
        """The expected value."""
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        """The most likely value."""
        raise NotImplementedError(f"{type(self)} does not implement mode")

    @property
    def variance(self) -> Tensor:
        """The expected square of the distance from the mean."""
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        """The square root of the variance."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw samples; no gradient leads from them to the parameters."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw samples as a function of the parameters and of numbers that do not depend on them: gradients pass."""
        raise NotImplementedError

    def sample_n(self, n: int) -> Tensor:
        """An old name of ``sample((n,))``."""
        warnings.warn("`sample_n(n)` will be deprecated. Use `sample((n,))` instead.", FutureWarning, stacklevel=2)
        return self.sample((n,))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density, or of the probability, at `value`."""
        raise NotImplementedError

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a sample of at most `value`."""
        raise NotImplementedError

    def icdf(self, value: Tensor) -> Tensor:
        """The inverse of `cdf`: the sample below which others fall with probability `value`."""
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All possible samples, along a new first dimension; with `expand` for each distribution of the batch."""
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """The expected value of ``-log_prob``, in nats; of shape `batch_shape`."""
        raise NotImplementedError

    def perplexity(self) -> Tensor:
        """e to the power of the entropy."""
        return self.entropy().exp()

    def _extended_shape(self, sample_shape: Any = ()) -> Size:
        """The shape of what is drawn for `sample_shape`."""
        return Size(sample_shape) + self._batch_shape + self._event_shape

    def _validate_sample(self, value: Tensor) -> None:
        """Refuse what cannot be a sample: another shape, or values that are not in the support."""
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        shape, event_shape = value.shape, self._event_shape
        if shape[len(shape) - len(event_shape) :] != event_shape:
            raise ValueError(f"The right-most size of value must match event_shape: {shape} vs {event_shape}.")
        expected = self._batch_shape + event_shape
        if any(1 not in (n, m) and n != m for n, m in zip(reversed(shape), reversed(expected), strict=False)):
            raise ValueError(f"Value is not broadcastable with batch_shape+event_shape: {shape} vs {expected}.")
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(f"{type(self)} does not define `support` to enable sample validation. Please initialize the distribution "
                          "with `validate_args=False` to turn off validation.", stacklevel=2)
            return
        if not support.check(value).all():
            raise ValueError(f"Expected value argument ({type(value).__name__} of shape {tuple(shape)}) to be within the support "
                             f"({support!r}) of the distribution {self!r}, but found invalid values:\n{value}")

    def __repr__(self) -> str:
        parameters = (f"{name}: {p if p.numel() == 1 else p.shape}" for name, p in self._parameters().items())
        return f"{type(self).__name__}({', '.join(parameters)})"
