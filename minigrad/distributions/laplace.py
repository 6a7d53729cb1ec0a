"""The Laplace distribution."""

from __future__ import annotations

from typing import Any

from minigrad.arrays.dtypes import finfo
from minigrad.distributions.families import Symmetric
from minigrad.ops.elementwise import expm1, log, log1p
from minigrad.tensors.creation import empty
from minigrad.tensors.tensor import Tensor


class Laplace(Symmetric):
    """The Laplace distribution, of density exp(-|x - loc| / scale) / 2 scale.

    Parameters
    ----------
    loc, scale : Tensor or float
        Its middle and its width.

    Examples
    --------
    >>> Laplace(0.0, 2.0).variance
    tensor(8.)
    """

    @property
    def variance(self) -> Tensor:
        """2 scale²."""
        return 2 * self.scale.pow(2)

    @property
    def stddev(self) -> Tensor:
        """√2 scale."""
        return 2**0.5 * self.scale

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Loc - scale · sign(u) · log(1 - |u|), u uniform between -1 and 1."""
        u = empty(self._extended_shape(sample_shape), dtype=self.loc.dtype).uniform_(finfo(self.loc.dtype).eps - 1, 1)
        return self.loc - self.scale * u.sign() * log1p(-u.abs())

    def log_prob(self, value: Tensor) -> Tensor:
        """-log(2 scale) - |value - loc| / scale."""
        if self._validate_args:
            self._validate_sample(value)
        return -log(2 * self.scale) - (value - self.loc).abs() / self.scale

    def cdf(self, value: Tensor) -> Tensor:
        """½ - ½ sign(d) (exp(-|d|) - 1), d being (value - loc) / scale."""
        if self._validate_args:
            self._validate_sample(value)
        return 0.5 - 0.5 * (value - self.loc).sign() * expm1(-(value - self.loc).abs() / self.scale)

    def icdf(self, value: Tensor) -> Tensor:
        """Loc - scale · sign(value - ½) · log(1 - 2 |value - ½|)."""
        term = value - 0.5
        return self.loc - self.scale * term.sign() * log1p(-2 * term.abs())

    def entropy(self) -> Tensor:
        """1 + log(2 scale)."""
        return 1 + log(2 * self.scale)
