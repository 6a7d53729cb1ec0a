"""Arithmetic that is met less often: between two values, products added, extremes without nan, signs, degrees, divisors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Array, Number, as_dtype
from minigrad.autograd import TensorBase, cast, op, raw, unwrapped
from minigrad.ops.dims import floating
from minigrad.ops.elementwise import gate, no_bools
from minigrad.ops.old_order import numbers_first


def lerp(input: Array, end: Array, weight: Any) -> Any:
    """input + weight · (end - input): `input` for the weight 0, `end` for 1, both exactly.

    Raises
    ------
    RuntimeError
        If the tensors are not of one dtype, apart from a weight without dimensions.
    """
    kinds = [raw(input).dtype, raw(end).dtype]
    if isinstance(weight, (TensorBase, np.ndarray)):
        weight = weight if raw(weight).ndim else cast(weight, kinds[0])
        kinds.append(raw(weight).dtype)
    if len(set(kinds)) > 1:
        raise RuntimeError(f"lerp(): expected tensors of one dtype, that of the first, got {', '.join(map(str, kinds))}; convert "
                           "them, as in x.float()")
    return _lerp(input, end, weight)


@op(name=("LerpBackward1", "LerpBackward0"), in_single=True, order="K")
def _lerp(x: Array, end: Array, weight: Any, /) -> Any:
    floating("lerp", x)
    d, w = end - x, np.asarray(unwrapped(weight), raw(x).dtype)  # a number is rounded before it is subtracted from 1
    value = np.where(np.abs(w) < 0.5, raw(x) + w * raw(d), raw(end) - (1 - w) * raw(d))
    return value, lambda g: g * (1 - weight), lambda g: g * weight, lambda g: g * d


@numbers_first(3, "value")
@op(promote=True, numbers=False, in_single=True)
def addcmul(x: Array, tensor1: Array, tensor2: Array, /, *, value: Number = 1) -> Any:
    """x + value · tensor1 · tensor2."""
    no_bools("addcmul", raw(x), raw(tensor1))
    value = value if raw(x).dtype.kind == "f" else int(value)
    return x + value * tensor1 * tensor2, lambda g: g, lambda g: g * (value * tensor2), lambda g: g * (value * tensor1)


@numbers_first(3, "value")
def addcdiv(input: Array, tensor1: Array, tensor2: Array, *, value: Number = 1) -> Any:
    """input + value · tensor1 / tensor2; tensor1 and tensor2 must not both hold integers."""
    if raw(tensor1).dtype.kind != "f" != raw(tensor2).dtype.kind:
        raise RuntimeError("addcdiv(): integers are not divided; convert one of tensor1 and tensor2 first, as in x.float()")
    return _addcdiv(input, tensor1, tensor2, value=value)


@op(promote="floating", numbers=False, in_single=True)
def _addcdiv(x: Array, tensor1: Array, tensor2: Array, /, *, value: Number = 1) -> Any:
    ratio = tensor1 / tensor2
    return x + value * ratio, lambda g: g, lambda g: g * (value / tensor2), lambda g: -g * (value * ratio / tensor2)


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


@op(numbers=False, order="K")
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
