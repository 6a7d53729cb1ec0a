"""Inverses, factors, determinants and norms of matrices, and distances; LAPACK, which NumPy calls, does the work."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import HALF, Array, as_dtype
from minigrad.autograd import TensorBase, cast, op, raw
from minigrad.ops.comparison import eq
from minigrad.ops.dims import Dim, axes_of, numpy_names
from minigrad.ops.elementwise import abs, mul, sub, where
from minigrad.ops.reduction import amax, amin, norm_along, return_type, sum
from minigrad.ops.shape import movedim, squeeze, transpose, unsqueeze


class LinAlgError(RuntimeError):
    """A matrix has no inverse, or no Cholesky factor."""


def _square(name: str, x: Array) -> None:
    shape, kind = raw(x).shape, raw(x).dtype
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise RuntimeError(f"linalg.{name}: A must be batches of square matrices, but its shape is {list(shape)}")
    if kind.kind != "f":
        raise RuntimeError(f"linalg.{name}: Expected a floating point tensor as input. Got {as_dtype(kind)}; convert it, as in "
                           "x.float()")
    if kind == HALF:
        raise (NotImplementedError if name in ("cholesky", "det") else RuntimeError)(
            f"linalg.{name}: float16 is not supported; convert the matrix, as in x.float()")


def _invertible(name: str, function: Callable[..., Any], *arrays: Any) -> Any:
    try:
        return function(*arrays)
    except np.linalg.LinAlgError:
        raise LinAlgError(f"linalg.{name}: the input matrix is singular, it has no inverse") from None


# ---- inverses --------------------------------------------------------------------------------------------------------------


def inv(A: Array) -> Any:
    """The inverses of square matrices, of shape (..., n, n).

    Raises
    ------
    LinAlgError
        If one of them has none.
    """
    _square("inv", A)
    return _inv(A)


@op(name="LinalgInvExBackward0")
def _inv(x: Array, /) -> Any:
    out = _invertible("inv", np.linalg.inv, x) if isinstance(x, np.ndarray) else _inv(x)
    return out, lambda g: -(out.swapaxes(-1, -2) @ g @ out.swapaxes(-1, -2))


def inverse(input: Array) -> Any:
    """The inverses of square matrices, of shape (..., n, n); see `inv`."""
    return inv(input)


def solve(A: Array, B: Array, *, left: bool = True) -> Any:
    """X such that ``A @ X = B``, or with ``left=False`` such that ``X @ A = B``.

    Parameters
    ----------
    A : Tensor of shape (..., n, n)
    B : Tensor of shape (..., n, k), or (..., n) for vectors

    Raises
    ------
    LinAlgError
        If a matrix is singular.
    RuntimeError
        If the shapes do not go together.
    """
    _square("solve", A)
    a, b = raw(A), raw(B)
    if a.dtype != b.dtype:
        raise RuntimeError(f"linalg.solve: Expected A and B to have the same dtype, but found {a.dtype} and {b.dtype}")
    if b.ndim == 1 or (a.ndim - 1 == b.ndim and b.shape == a.shape[:-1]):
        return squeeze(solve(A, unsqueeze(B, -1), left=left), -1)
    if not left:
        return transpose(solve(transpose(A, -2, -1), transpose(B, -2, -1)), -2, -1)
    if b.ndim < 2 or b.shape[-2] != a.shape[-1]:
        raise RuntimeError(f"linalg.solve: Incompatible shapes of A and B, {list(a.shape)} and {list(b.shape)}")
    return _solve(A, B)


@op(name="LinalgSolveExBackward0")
def _solve(a: Array, b: Array, /) -> Any:
    out = _invertible("solve", np.linalg.solve, a, b) if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) else _solve(a, b)
    return (
        out,
        lambda g: -(_solve(a.swapaxes(-1, -2), g) @ out.swapaxes(-1, -2)),
        lambda g: _solve(a.swapaxes(-1, -2), g),
    )


# ---- Cholesky's decomposition ----------------------------------------------------------------------------------------------


def cholesky(A: Array, *, upper: bool = False) -> Any:
    """The lower triangular L with positive diagonal such that ``L @ L.mT == A``, or with ``upper=True`` its transpose.

    Parameters
    ----------
    A : Tensor of shape (..., n, n)
        Symmetric positive definite matrices; only the lower triangle is read, or with ``upper=True`` only the upper one.

    Raises
    ------
    LinAlgError
        If a matrix is not positive definite.
    """
    _square("cholesky", A)
    return transpose(_cholesky(transpose(A, -2, -1)), -2, -1) if upper else _cholesky(A)


@op(name="LinalgCholeskyExBackward0")
def _cholesky(x: Array, /) -> Any:
    if isinstance(x, np.ndarray):
        try:
            out = np.linalg.cholesky(x)
        except np.linalg.LinAlgError:
            raise LinAlgError("linalg.cholesky: the input is not positive-definite") from None
    else:
        out = _cholesky(x)

    def rule(g: Array) -> Array:  # L⁻ᵀ S L⁻¹, where S is symmetric and its lower triangle that of Lᵀg / 2
        upper = out.swapaxes(-1, -2)
        product = upper @ g
        twice = np.tril(product) + np.tril(product, -1).swapaxes(-1, -2)
        return _solve(upper, _solve(upper, twice / 2).swapaxes(-1, -2))

    return out, rule


# ---- determinants ----------------------------------------------------------------------------------------------------------


def linalg_det(A: Array) -> Any:
    """The determinants of square matrices, of shape (..., n, n)."""
    _square("det", A)
    return _det(A)


def det(input: Array) -> Any:
    """The determinants of square matrices, of shape (..., n, n)."""
    return linalg_det(input)


@op(name="LinalgDetBackward0")
def _det(x: Array, /) -> Any:
    out = np.asarray(np.linalg.det(x)) if isinstance(x, np.ndarray) else _det(x)

    def rule(g: Array) -> Array:
        singular = raw(out)[..., None, None] == 0
        inverse = _inv(np.where(singular, np.eye(x.shape[-1], dtype=raw(x).dtype), x))
        return (g * out)[..., None, None] * inverse.swapaxes(-1, -2)  # of a singular matrix 0, as in torch

    return out, rule


_SLOGDET = {name: return_type(name, "sign", "logabsdet") for name in ("linalg_slogdet", "slogdet")}


def linalg_slogdet(A: Array) -> Any:
    """``(sign, logabsdet)``: the sign of the determinants of square matrices, and the logarithm of their size."""
    return _slogdet("linalg_slogdet", A)


def slogdet(input: Array) -> Any:
    """``(sign, logabsdet)``: the sign of the determinants of square matrices, and the logarithm of their size."""
    return _slogdet("slogdet", input)


def _slogdet(name: str, x: Array) -> Any:
    _square("slogdet", x)
    return _SLOGDET[name](_sign_of_det(x), _log_of_det(x))


@op(name="LinalgSlogdetBackward0")
def _sign_of_det(x: Array, /) -> Any:
    return np.asarray(np.linalg.slogdet(raw(x))[0]), lambda g: np.zeros_like(x)


@op(name="LinalgSlogdetBackward0")
def _log_of_det(x: Array, /) -> Any:
    return np.asarray(np.linalg.slogdet(raw(x))[1]), lambda g: g[..., None, None] * _inv(x).swapaxes(-1, -2)


def logdet(input: Array) -> Any:
    """The logarithms of the determinants of square matrices, of shape (..., n, n): nan of a negative one, -inf of 0.

    Examples
    --------
    >>> import minigrad as torch
    >>> logdet(torch.zeros(1, 1))
    tensor(-inf)
    """
    sign, logarithm = slogdet(input)
    return where(eq(sign, -1), math.nan, logarithm)


# ---- norms -----------------------------------------------------------------------------------------------------------------


@numpy_names
def norm(input: Array, p: Any = "fro", dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The p-norm (Σ |input|^p)^(1/p) of all elements, or along `dim`; for p ``"nuc"``, that of matrices (see `matrix_norm`)."""
    if dtype is not None:
        input = cast(input, as_dtype(dtype).numpy)
    if raw(input).dtype.kind != "f":
        raise RuntimeError(f"norm(): input must be a floating-point tensor, got {as_dtype(raw(input).dtype)}; convert it first, as "
                           "in x.float()")
    if p == "nuc":
        return matrix_norm(input, "nuc", (0, 1) if dim is None else dim, keepdim)
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(f"norm(): p={p!r} is not supported; use 'fro', 'nuc' or a number")
    return norm_along(input, 2.0 if p in ("fro", None) else float(p), dim, keepdim)


def _prepared(name: str, x: Array, dtype: Any) -> Array:
    kind = raw(x).dtype
    if kind.kind != "f":
        raise RuntimeError(f"linalg.{name}: Expected a floating point tensor as input. Got {as_dtype(kind)}; convert it, as in "
                           "x.float()")
    if dtype is None:
        return x
    target = as_dtype(dtype).numpy
    if target.kind != "f" or target.itemsize < kind.itemsize:
        raise RuntimeError(f"linalg.{name}: the dtype of the input ({kind}) should be convertible without narrowing to the "
                           f"specified dtype ({target})")
    return cast(x, target)


@numpy_names
def vector_norm(input: Array, ord: float = 2, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """(Σ |x|^ord)^(1/ord) of all elements, or along `dim`; ord may be ±inf, 0 counts the elements that are not zero."""
    x = _prepared("vector_norm", input, dtype)
    if (ord < 0 or ord == math.inf) and _any_empty(x, dim):
        raise RuntimeError(f"linalg.vector_norm cannot compute the {ord} norm on an empty tensor or dimension: it has no identity")
    return norm_along(x, float(ord), dim, keepdim)


def _any_empty(x: Array, dim: Dim) -> bool:
    """Whether nothing is left to be reduced along `dim`."""
    shape = raw(x).shape
    return 0 in [shape[i] for i in axes_of(dim, len(shape))]


@numpy_names
def matrix_norm(input: Array, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The norms of the matrices in the two dimensions `dim`.

    Parameters
    ----------
    ord : str or number
        ``"fro"``: the root of the sum of the squares; ``"nuc"``: the sum of the singular values; 2 and -2: the largest and the
        smallest singular value; 1 and -1: the largest and the smallest sum of |A| along the first dimension; inf and -inf:
        along the second.
    """
    A = _prepared("matrix_norm", input, dtype)
    n = raw(A).ndim
    if n < 2:
        raise RuntimeError(f"linalg.matrix_norm: The input tensor must have at least 2 dimensions, got {n}")
    axes = axes_of(tuple(dim), n)
    if len(axes) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple of two different dimensions, got {dim}")
    if ord == "fro":
        return norm_along(A, 2.0, axes, keepdim)
    if ord not in ("nuc", 1, -1, 2, -2, math.inf, -math.inf) or isinstance(ord, bool):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported; use 'fro', 'nuc', ±1, ±2 or ±inf")
    if ord in ("nuc", 2, -2):
        values = svdvals(movedim(A, axes, (-2, -1)))
        result = sum(values, -1) if ord == "nuc" else (amax if ord > 0 else amin)(values, -1)
    else:
        first, second = axes if ord in (1, -1) else axes[::-1]
        sums = sum(abs(A), first, True)
        result = squeeze((amax if ord > 0 else amin)(sums, second, True), axes)
    for axis in sorted(axes) if keepdim else ():
        result = unsqueeze(result, axis)
    return result


def svdvals(A: Array) -> Any:
    """The singular values of matrices, in descending order."""
    return _svdvals(A)


@op(name="LinalgSvdBackward0")
def _svdvals(x: Array, /) -> Any:
    u, s, v = np.linalg.svd(raw(x), full_matrices=False)

    def rule(g: Array) -> Array:
        if isinstance(g, TensorBase):
            raise NotImplementedError("svdvals(): the derivative of its derivative is not supported; use the 'fro' norm")
        return (u * g[..., None, :]) @ v

    return s, rule


@numpy_names
def linalg_norm(input: Array, ord: Any = None, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """`vector_norm` along one dimension, `matrix_norm` over two; of all elements without `ord` and `dim`."""
    if ord is None:
        return vector_norm(input, 2, dim, keepdim, dtype=dtype)
    n = raw(input).ndim
    if dim is None:
        if n not in (1, 2):
            raise RuntimeError(f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {n}D.")
        dim = tuple(range(n))
    if isinstance(dim, int) or len(dim) == 1:
        if isinstance(ord, str):
            raise RuntimeError(f"linalg.norm: order {ord!r} can only be used if there are two dimensions, got dim={dim}")
        return vector_norm(input, ord, dim, keepdim, dtype=dtype)
    return matrix_norm(input, ord, dim, keepdim, dtype=dtype)


def pdist(input: Array, p: float = 2.0) -> Any:
    """The p-norms of the differences between each row of a matrix and those below it, in one vector."""
    if raw(input).ndim != 2 or raw(input).dtype.kind != "f":
        raise RuntimeError(f"pdist only supports 2D tensors of floating-point numbers, got {raw(input).ndim}D of "
                           f"{as_dtype(raw(input).dtype)}")
    if p < 0:
        raise RuntimeError(f"pdist only supports non-negative p values, got {p}")
    above, below = np.triu_indices(raw(input).shape[0], 1)
    return norm_along(sub(input[above], input[below]), float(p), -1, False)


@numpy_names
def renorm(input: Array, p: float, dim: int, maxnorm: float) -> Any:
    """Each slice along `dim` scaled down, if need be, until its p-norm is at most `maxnorm`.

    Raises
    ------
    RuntimeError
        If `p` is not positive, `maxnorm` negative, or there are fewer than two dimensions.
    """
    if raw(input).ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {raw(input).ndim} dimensions")
    if not p > 0 or maxnorm < 0:
        raise RuntimeError(f"renorm: expected a positive norm-degree and a maxnorm of at least 0, got p={p} and maxnorm={maxnorm}")
    axis = axes_of(dim, raw(input).ndim)[0]
    norms = vector_norm(input, p, tuple(i for i in range(raw(input).ndim) if i != axis), True)
    return mul(input, where(raw(norms) > maxnorm, maxnorm / (norms + 1e-7), 1.0))


def cdist(x1: Array, x2: Array, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary") -> Any:
    """The p-norms of all differences between rows: (..., n, width) and (..., m, width) give (..., n, m).

    `compute_mode` is accepted and not needed: distances are always computed from differences, which is exact.
    """
    a, b = raw(x1), raw(x2)
    if a.dtype.kind != "f" or b.dtype.kind != "f":
        raise RuntimeError(f"cdist only supports floating-point dtypes, got {as_dtype(a.dtype)} and {as_dtype(b.dtype)}")
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-1]:
        raise RuntimeError("cdist only supports at least 2D tensors of the same last size, got shapes "
                           f"{list(a.shape)} and {list(b.shape)}")
    if p < 0:
        raise RuntimeError(f"cdist only supports non-negative p values, got {p}")
    return norm_along(sub(unsqueeze(x1, -2), unsqueeze(x2, -3)), float(p), -1, False)
