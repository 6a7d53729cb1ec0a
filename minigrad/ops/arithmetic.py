"""Arithmetic that is met less often: extremes without nan, signs, steps, degrees, common divisors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Array, as_dtype
from minigrad.autograd import op, raw, unwrapped
from minigrad.ops.elementwise import gate


@op(promote=True, numbers=False)
def fmax(a: Array, b: Array, /) -> Any:
    """The larger of each pair, or the one that is not nan; of equal ones, `a` gets the gradient."""
    first = (raw(a) >= raw(b)) | np.isnan(raw(b))
    return np.fmax(raw(a), raw(b)), lambda g: np.where(first, g, 0), lambda g: np.where(first, 0, g)


@op(promote=True, numbers=False)
def fmin(a: Array, b: Array, /) -> Any:
    """The smaller of each pair, or the one that is not nan; of equal ones, `a` gets the gradient."""
    first = (raw(a) <= raw(b)) | np.isnan(raw(b))
    return np.fmin(raw(a), raw(b)), lambda g: np.where(first, g, 0), lambda g: np.where(first, 0, g)


@op(promote="floating", name=("CopysignBackward0", "CopysignBackward1"))
def copysign(a: Array, b: Array, /) -> Any:
    """|a| with the sign of `b`. The derivative by `a` is ±1, and 0 where `a` is 0; that by `b` is 0."""
    out = np.copysign(raw(a), unwrapped(b)).astype(raw(a).dtype)
    turned = np.where(raw(a) == 0, 0, out / raw(a))  # nan where a is infinite, as in torch
    return out, lambda g: g * turned, lambda g: g * 0


@op(numbers=False)
def heaviside(x: Array, values: Array, /) -> Any:
    """The unit step: 0 where x is negative or nan, 1 where it is positive, and `values` where it is 0."""
    if x.dtype != values.dtype:
        raise RuntimeError(f"heaviside(): both tensors must be of one dtype, got {as_dtype(x.dtype)} and {as_dtype(values.dtype)}")
    return (np.where(raw(x) == 0, raw(values), raw(x) > 0).astype(x.dtype),)


@op(promote="floating", linear=True, name="Deg2RadBackward0")
def deg2rad(x: Array, /) -> Any:
    """Degrees as radians: x π/180."""
    return x * (math.pi / 180), lambda g: g * (math.pi / 180)


@op(promote="floating", linear=True, name="Rad2DegBackward0")
def rad2deg(x: Array, /) -> Any:
    """Radians as degrees: x 180/π."""
    return x * (180 / math.pi), lambda g: g * (180 / math.pi)


@op(promote="floating")
def sinc(x: Array, /) -> Any:
    """sin(πx) / (πx), and 1 at 0."""
    zero = raw(x) == 0

    def rule(g: Array) -> Array:
        y = np.where(zero, 1, x) * math.pi
        return gate(g * (y * np.cos(y) - np.sin(y)) * math.pi / (y * y), x, ~zero)

    return np.sinc(raw(x)).astype(raw(x).dtype), rule


@op(promote=True, numbers=False)
def gcd(a: Array, b: Array, /) -> Any:
    """The greatest common divisor of each pair of integers."""
    return (np.gcd(_integers("gcd", a), _integers("gcd", b)),)


@op(promote=True, numbers=False)
def lcm(a: Array, b: Array, /) -> Any:
    """The least common multiple of each pair of integers."""
    return (np.lcm(_integers("lcm", a), _integers("lcm", b)),)


def _integers(name: str, x: Array) -> Any:
    if raw(x).dtype.kind not in "iu":
        raise NotImplementedError(f"{name}(): not implemented for {as_dtype(raw(x).dtype)}; convert it first, as in x.long()")
    return raw(x)
