"""The categorical distribution, whose samples are rows with a 1 in the place of the class."""

from __future__ import annotations

from typing import Any, ClassVar

from minigrad.arrays.dtypes import Size
from minigrad.distributions import constraints
from minigrad.distributions.categorical import Categorical
from minigrad.distributions.constraints import Constraint
from minigrad.distributions.distribution import Distribution
from minigrad.nn.functional import one_hot
from minigrad.tensors.creation import eye
from minigrad.tensors.tensor import Tensor


class OneHotCategorical(Distribution):
    """`Categorical`, each sample being a row of zeros with a 1 in the place of the class.

    Parameters
    ----------
    probs, logits : Tensor of shape (\\*batch_shape, n)
        As for `Categorical`.

    Examples
    --------
    >>> from minigrad import manual_seed, tensor
    >>> _ = manual_seed(0)
    >>> OneHotCategorical(tensor([0.1, 0.2, 0.7])).sample()
    tensor([0., 0., 1.])
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.one_hot
    has_enumerate_support = True

    def __init__(self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None) -> None:
        self._categorical = Categorical(probs, logits)
        super().__init__(self._categorical.batch_shape, self._categorical.param_shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distributions for a larger `batch_shape`."""
        new = super().expand(batch_shape, _instance)
        new._categorical = self._categorical.expand(Size(batch_shape))
        return new

    @property
    def probs(self) -> Tensor:
        """The probabilities; each row adds up to 1."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """Their logarithms."""
        return self._categorical.logits

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter."""
        return self._categorical.param_shape

    @property
    def mean(self) -> Tensor:
        """The probabilities."""
        return self.probs

    @property
    def mode(self) -> Tensor:
        """The row of the likeliest class."""
        return one_hot(self.probs.argmax(-1), self.probs.shape[-1]).to(self.probs)

    @property
    def variance(self) -> Tensor:
        """p(1 - p)."""
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw samples; no gradient leads from them to the parameter."""
        return one_hot(self._categorical.sample(sample_shape), self.probs.shape[-1]).to(self.probs.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of the class of each row."""
        if self._validate_args:
            self._validate_sample(value)
        return self._categorical.log_prob(value.max(-1)[1])

    def entropy(self) -> Tensor:
        """That of `Categorical`."""
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All rows, along a new first dimension; with `expand` for each distribution of the batch."""
        n = self.event_shape[0]
        values = eye(n, dtype=self.probs.dtype).view(n, *[1] * len(self.batch_shape), n)
        return values.expand(n, *self.batch_shape, n) if expand else values


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """`OneHotCategorical` with a gradient: `rsample` passes it on to the probabilities as if they were the sample.

    The estimator is that of Bengio, Léonard and Courville, Estimating or propagating gradients through stochastic neurons, 2013.
    """

    has_rsample = True

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """A sample whose derivative is that of the probabilities."""
        return self.sample(sample_shape) + (self.probs - self.probs.detach())
