"""The normal distribution of vectors."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from minigrad.distributions import constraints
from minigrad.distributions.constraints import Constraint
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.utils import lazy_property
from minigrad.ops.matrix import cholesky, inv
from minigrad.tensors.creation import broadcast_shapes, empty
from minigrad.tensors.tensor import Tensor


class MultivariateNormal(Distribution):
    """The normal distribution of vectors, of density exp(-(x - loc)ᵀ Σ⁻¹ (x - loc) / 2) / √((2π)ⁿ det Σ).

    With Σ = L Lᵀ, a sample is loc + L ε, the parts of ε being standard normal.

    Parameters
    ----------
    loc : Tensor of shape (\\*batch_shape, n)
        The mean.
    covariance_matrix, precision_matrix, scale_tril : Tensor of shape (\\*batch_shape, n, n)
        Σ, its inverse, or L, which is lower triangular: one of the three.

    Raises
    ------
    ValueError
        If not exactly one matrix is given, a shape has too few dimensions, or a matrix is not what it has to be.
    LinAlgError
        If a matrix that is not to be checked is not positive definite.

    Examples
    --------
    >>> import minigrad as torch
    >>> _ = torch.manual_seed(0)
    >>> d = MultivariateNormal(torch.zeros(2), torch.tensor([[1.0, 0.5], [0.5, 1.0]]))
    >>> x = d.sample()
    >>> x, d.log_prob(x)
    (tensor([1.5410, 0.5164]), tensor(-2.9244))
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {
        "loc": constraints.real_vector, "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite, "scale_tril": constraints.lower_cholesky,
    }  # fmt: skip
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Tensor, covariance_matrix: Tensor | None = None, precision_matrix: Tensor | None = None,
                 scale_tril: Tensor | None = None, validate_args: bool | None = None) -> None:  # fmt: skip
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        matrices = {"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix, "scale_tril": scale_tril}
        given = [(name, matrix) for name, matrix in matrices.items() if matrix is not None]
        if len(given) != 1:
            raise ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        ((name, matrix),) = given
        if matrix.dim() < 2:
            raise ValueError(f"{name} must be at least two-dimensional, with optional leading batch dimensions")
        batch_shape = broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        self.loc = loc.expand(*batch_shape, -1)
        setattr(self, name, matrix.expand(*batch_shape, -1, -1))
        super().__init__(batch_shape, self.loc.shape[-1:], validate_args=validate_args)
        if name == "precision_matrix":
            matrix = inv(matrix)
        self._unbroadcasted_scale_tril = matrix if name == "scale_tril" else cholesky(matrix)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distributions for a larger `batch_shape`."""
        new = super().expand(batch_shape, _instance)
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril
        return new

    def _expanded(self, x: Tensor) -> Tensor:
        return x.expand(self._batch_shape + self._event_shape + self._event_shape)

    @lazy_property
    def scale_tril(self) -> Tensor:
        """L."""
        return self._expanded(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """L Lᵀ."""
        return self._expanded(self._unbroadcasted_scale_tril @ self._unbroadcasted_scale_tril.mT)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """(L Lᵀ)⁻¹."""
        return inv(self.covariance_matrix)

    @property
    def mean(self) -> Tensor:
        """`loc`."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        """`loc`."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """The diagonal of `covariance_matrix`."""
        return self._unbroadcasted_scale_tril.pow(2).sum(-1).expand(self._batch_shape + self._event_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Loc + L ε, ε standard normal."""
        eps = empty(self._extended_shape(sample_shape), dtype=self.loc.dtype).normal_()
        return self.loc + times(self._unbroadcasted_scale_tril, eps)

    def log_prob(self, value: Tensor) -> Tensor:
        """-(n log 2π + |L⁻¹ (value - loc)|²) / 2 - log det L."""
        if self._validate_args:
            self._validate_sample(value)
        scaled = times(self._inverse(), value - self.loc)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + scaled.pow(2).sum(-1)) - self._log_det()

    def _inverse(self) -> Tensor:
        """L⁻¹. No gradient reaches the zeros of L."""
        return inv(self._unbroadcasted_scale_tril.tril())

    def _log_det(self) -> Tensor:
        """Log det L, half the logarithm of det Σ."""
        return self._unbroadcasted_scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def entropy(self) -> Tensor:
        """n (1 + log 2π) / 2 + log det L."""
        entropy = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + self._log_det()
        return entropy.expand(self._batch_shape) if self._batch_shape else entropy


def times(matrices: Tensor, vectors: Tensor) -> Tensor:
    """The products of matrices (..., n, n) and vectors (..., n), whose leading dimensions broadcast."""
    return (matrices @ vectors.unsqueeze(-1)).squeeze(-1)
