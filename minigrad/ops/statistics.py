"""Statistics of data: covariance and correlation, extremes and middles, areas, distances, runs of equal elements."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Array, float32
from minigrad.autograd import raw, unwrapped, wrap
from minigrad.ops.comparison import isnan
from minigrad.ops.dims import axis_of, numpy_names
from minigrad.ops.elementwise import clamp, div, mul, sqrt, sub
from minigrad.ops.linalg import matmul
from minigrad.ops.matrix import vector_norm
from minigrad.ops.reduction import amax, amin, argsort, at_places, cumsum, mean, return_type, sum
from minigrad.ops.shape import cat, diagonal, narrow, reshape, squeeze, t, unsqueeze

_Aminmax = return_type("aminmax", "min", "max")


@numpy_names
def aminmax(input: Array, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """``(min, max)``: `amin` and `amax` of all elements, or along `dim`."""
    if dim is None and not raw(input).size:
        raise RuntimeError("aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity")
    axis: Any = () if dim is None else axis_of(dim, raw(input).ndim)
    return _Aminmax(amin(input, axis, keepdim), amax(input, axis, keepdim))


@numpy_names
def nanmedian(input: Array, dim: int | None = None, keepdim: bool = False) -> Any:
    """`median` of what is not nan; nan where everything is."""
    if raw(input).dtype == np.bool_:
        raise NotImplementedError("nanmedian(): not implemented for torch.bool; convert the tensor first, as in x.int()")
    rows = input.reshape(-1) if dim is None else input
    if dim is not None and 0 in raw(input).shape:
        raise IndexError(f"nanmedian(): Expected reduction dim {dim} to have non-zero size, got shape {list(raw(input).shape)}")
    if dim is None and not raw(input).size:
        return sum(input) * float("nan")
    along = 0 if dim is None else dim
    size = raw(rows).shape[axis_of(along, raw(rows).ndim)] if raw(rows).ndim else 1
    middle = clamp(size - sum(isnan(rows), along, True) - 1, 0) // 2
    places = np.take_along_axis(raw(argsort(rows, along)), raw(middle), along) if raw(rows).ndim else np.zeros((), np.int64)
    found = at_places("nanmedian", rows, wrap(places), along, keepdim or not raw(rows).ndim)
    return found.values.reshape(()) if dim is None else found


def unique_consecutive(input: Array, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None) -> Any:
    """The elements, or slices along `dim`, without those that equal the one before; on request, which run each is in, and how
    long the runs are."""
    x = raw(input)
    rows = x.reshape(-1) if dim is None else np.moveaxis(x, axis_of(dim, x.ndim), 0)
    differs = rows[1:] != rows[:-1]
    starts = np.concatenate([np.ones(min(1, len(rows)), bool), differs.any(tuple(range(1, differs.ndim)))])
    kept = rows[starts] if dim is None else np.moveaxis(rows[starts], 0, axis_of(dim, x.ndim))
    results = [wrap(np.ascontiguousarray(kept))]
    if return_inverse:
        run = np.cumsum(starts, dtype=np.int64) - 1
        results.append(wrap(run.reshape(x.shape) if dim is None else run))
    if return_counts:
        results.append(wrap(np.diff(np.append(np.flatnonzero(starts), len(rows))).astype(np.int64)))
    return results[0] if len(results) == 1 else tuple(results)


def cov(input: Array, *, correction: int = 1, fweights: Array = None, aweights: Array = None) -> Any:
    """The covariance of the variables in the rows, of which each column is an observation.

    Parameters
    ----------
    correction : int
        What is subtracted from the number of observations: 1 for an estimate without bias.
    fweights, aweights : Tensor, optional
        How often each observation was made (integers), and how much it counts.

    Raises
    ------
    RuntimeError
        If `input` has more than two dimensions, or the weights are not one number for each observation.
    """
    if raw(input).ndim > 2:
        raise RuntimeError(f"cov(): expected input to have two or fewer dimensions, got {raw(input).ndim}")
    rows = input if raw(input).ndim == 2 else reshape(input, 1, -1)
    observations = raw(rows).shape[1]
    _check_weights("fweights", fweights, observations, "iu")
    _check_weights("aweights", aweights, observations, "f")
    weights = fweights if aweights is None else aweights if fweights is None else mul(fweights, aweights)
    rows = rows if raw(rows).dtype.kind == "f" else rows.to(float32)
    if weights is None:
        centred, count = sub(rows, mean(rows, 1, True)), observations - correction
        weighted = centred
    else:
        total = sum(weights)
        centred = sub(rows, div(sum(mul(rows, weights), 1, True), total))
        weighted = mul(centred, weights)
        share = correction if aweights is None or not correction else div(mul(sum(mul(weights, aweights)), correction), total)
        count = sub(total, share)
    if unwrapped(count) <= 0:
        warnings.warn("cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations.",
                      stacklevel=2)
    return squeeze(div(matmul(centred, t(weighted)), clamp(count, 0) if weights is not None else max(count, 0)))


def _check_weights(name: str, weights: Array, observations: int, kinds: str) -> None:
    if weights is None:
        return
    if raw(weights).shape != (observations,) or raw(weights).dtype.kind not in kinds or (raw(weights) < 0).any():
        raise RuntimeError(f"cov(): expected {name} to be {observations} non-negative "
                           f"{'integers' if kinds == 'iu' else 'floating-point numbers'}, one for each observation, got "
                           f"{list(raw(weights).shape)} of {raw(weights).dtype}")


def corrcoef(input: Array) -> Any:
    """The correlation of the variables in the rows: their covariance divided by their standard deviations."""
    covariance = cov(input)
    if not raw(covariance).ndim:
        return div(covariance, covariance)
    deviation = sqrt(diagonal(covariance))
    return clamp(div(div(covariance, unsqueeze(deviation, 1)), unsqueeze(deviation, 0)), -1, 1)


@numpy_names
def trapezoid(y: Array, x: Array = None, *, dx: float = 1, dim: int = -1) -> Any:
    """The area below `y` along `dim`, by the trapezoidal rule: Σ (xᵢ₊₁ - xᵢ)(yᵢ + yᵢ₊₁)/2.

    Parameters
    ----------
    x : Tensor, optional
        The places of the values: one row of them, or as many as `y` has dimensions.
    dx : float
        Their distance, if they are evenly spaced.
    """
    return sum(_areas("trapezoid", y, x, dx, dim), dim)


@numpy_names
def cumulative_trapezoid(y: Array, x: Array = None, *, dx: float = 1, dim: int = -1) -> Any:
    """The area below `y` up to each of its places but the first, along `dim`; see `trapezoid`."""
    return cumsum(_areas("cumulative_trapezoid", y, x, dx, dim), dim)


def _areas(name: str, y: Array, x: Array, dx: float, dim: int) -> Any:
    """The area of each trapezoid."""
    axis, size = axis_of(dim, raw(y).ndim), raw(y).shape[dim] if raw(y).ndim else 1
    if x is None:
        steps: Any = dx
    else:
        along = raw(x).ndim - raw(y).ndim + axis if raw(x).ndim > 1 else 0
        if raw(x).shape[along] != size:
            raise RuntimeError(f"{name}(): there must be one x for each sample point, got {raw(x).shape[along]} for {size}")
        steps = sub(narrow(x, along, 1, size - 1), narrow(x, along, 0, size - 1))
        if raw(x).ndim == 1:
            steps = steps.reshape(-1, *[1] * (raw(y).ndim - 1 - axis))
    pairs = narrow(y, axis, 1, size - 1) + narrow(y, axis, 0, size - 1)
    return div(mul(pairs, steps), 2)


trapz = trapezoid


@numpy_names
def gradient(input: Array, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> Any:
    """Slopes along each dimension, from the elements on both sides of a place; at the edges, from those on one side.

    Parameters
    ----------
    spacing : number, or sequence of numbers or tensors
        The distance of the elements; one for each dimension; or for each dimension a tensor of the elements' places.
    dim : int or sequence of int, optional
        The dimensions. Default: all.
    edge_order : int
        1 or 2: from how many elements more the slope at an edge is taken.

    Returns
    -------
    A tuple of tensors, one for each dimension.

    Raises
    ------
    RuntimeError
        If there are not as many spacings as dimensions, or too few elements, or `edge_order` is another number.
    """
    shape = raw(input).shape
    given = range(len(shape)) if dim is None else (dim,) if isinstance(dim, int) else dim
    axes = [axis_of(each, len(shape)) for each in given]
    if len(set(axes)) < len(axes):
        raise RuntimeError(f"dim {axes} appears multiple times in the list of dims")
    spacings = list(spacing) if isinstance(spacing, (tuple, list)) else [1 if spacing is None else spacing] * len(axes)
    if len(spacings) != len(axes):
        raise RuntimeError(f"torch.gradient expected spacing to be unspecified, a scalar, or a list of length {len(axes)}, one for "
                           f"each dimension, got a list of length {len(spacings)}")
    if edge_order not in (1, 2):
        raise RuntimeError(f"torch.gradient only supports edge_order=1 and edge_order=2, got {edge_order}")
    for axis, space in zip(axes, spacings, strict=True):
        if shape[axis] < edge_order + 1:
            raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
        if np.shape(unwrapped(space)) not in ((), (shape[axis],)):
            raise RuntimeError(f"torch.gradient expected one place for each of {shape[axis]} elements along dimension {axis}, got "
                               f"shape {list(raw(space).shape)}")
    return tuple(_slopes(input, axis, space, edge_order) for axis, space in zip(axes, spacings, strict=True))


def _slopes(y: Array, axis: int, spacing: Any, edge_order: int) -> Any:
    """At each place the slopes to its left and to its right, weighted so that a parabola's is exact."""

    def part(x: Array, start: int, end: int) -> Any:
        return narrow(x, axis, start, raw(x).shape[axis] + end - start)

    steps, left, both = spacing, 1, 2
    if np.ndim(unwrapped(spacing)):
        places = reshape(spacing, *(-1 if i == axis else 1 for i in range(raw(y).ndim)))
        steps = sub(part(places, 1, 0), part(places, 0, -1))
        left, both = part(steps, 0, -1), sub(part(places, 2, 0), part(places, 0, -2))
    slopes = div(sub(part(y, 1, 0), part(y, 0, -1)), steps)
    turns = sub(part(slopes, 1, 0), part(slopes, 0, -1))
    bends = div(mul(turns, left), both)
    inner = part(slopes, 0, -1) + bends
    first, last = narrow(slopes, axis, 0, 1), narrow(slopes, axis, -1, 1)
    if edge_order == 2:
        first = first - narrow(bends, axis, 0, 1)
        last = last + narrow(turns - bends, axis, -1, 1)
    return cat([first, inner, last], axis)


def dist(input: Array, other: Array, p: float = 2) -> Any:
    """The p-norm of ``input - other``: Σ |input - other|^p to the power of 1/p."""
    return vector_norm(sub(input, other), p)
