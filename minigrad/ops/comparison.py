"""Comparison and logic, element by element. The results are bools (or bits), so there is nothing to differentiate."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Array
from minigrad.autograd import op


def tensor_first(name: str, a: Any) -> None:
    """Refuse a number in the first place, where torch does."""
    if isinstance(a, (bool, int, float)):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(a).__name__}; exchange the operands")


# ---- comparison ----------------------------------------------------------------------------------------------------------


@op(promote=True)
def eq(a: Array, b: Array, /) -> Any:
    """a == b, element by element."""
    tensor_first("eq", a)
    return (a == b,)


@op(promote=True)
def ne(a: Array, b: Array, /) -> Any:
    """a != b, element by element."""
    tensor_first("ne", a)
    return (a != b,)


@op(promote=True)
def lt(a: Array, b: Array, /) -> Any:
    """a < b, element by element."""
    tensor_first("lt", a)
    return (a < b,)


@op(promote=True)
def le(a: Array, b: Array, /) -> Any:
    """a <= b, element by element."""
    tensor_first("le", a)
    return (a <= b,)


@op(promote=True)
def gt(a: Array, b: Array, /) -> Any:
    """a > b, element by element."""
    tensor_first("gt", a)
    return (a > b,)


@op(promote=True)
def ge(a: Array, b: Array, /) -> Any:
    """a >= b, element by element."""
    tensor_first("ge", a)
    return (a >= b,)


@op
def isnan(x: Array, /) -> Any:
    """Where x is not a number."""
    return (np.isnan(x),)


@op
def isinf(x: Array, /) -> Any:
    """Where x is infinite."""
    return (np.isinf(x),)


@op
def isfinite(x: Array, /) -> Any:
    """Where x is neither infinite nor nan."""
    return (np.isfinite(x),)


@op
def isposinf(x: Array, /) -> Any:
    """Where x is ∞."""
    return (np.isposinf(x),)


@op
def isneginf(x: Array, /) -> Any:
    """Where x is -∞."""
    return (np.isneginf(x),)


@op
def signbit(x: Array, /) -> Any:
    """Where x is negative, or -0."""
    return (np.signbit(x) if x.dtype.kind == "f" else x < 0,)


@op(numbers=False, order="K")
def isclose(a: Array, b: Array, /, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """Where ``|a - b| <= atol + rtol * |b|``; both must be of one dtype."""
    if np.asarray(a).dtype != np.asarray(b).dtype:
        raise RuntimeError(f"isclose(): the tensors must be of one dtype, got {np.asarray(a).dtype} and {np.asarray(b).dtype}")
    if rtol < 0 or atol < 0:
        raise RuntimeError(f"isclose(): rtol and atol must be greater than or equal to zero, but got {rtol} and {atol}")
    return (np.isclose(a, b, rtol, atol, equal_nan),)


# ---- logic ---------------------------------------------------------------------------------------------------------------


@op(promote=True, numbers=False)
def logical_and(a: Array, b: Array, /) -> Any:
    """Where both are not zero."""
    return (np.logical_and(a, b),)


@op(promote=True, numbers=False)
def logical_or(a: Array, b: Array, /) -> Any:
    """Where at least one is not zero."""
    return (np.logical_or(a, b),)


@op(promote=True, numbers=False)
def logical_xor(a: Array, b: Array, /) -> Any:
    """Where just one is not zero."""
    return (np.logical_xor(a, b),)


@op(promote=True, numbers=False)
def logical_not(x: Array, /) -> Any:
    """Where x is zero."""
    return (np.logical_not(x),)


def _whole(name: str, *operands: Any) -> None:
    if any(isinstance(x, float) or (isinstance(x, np.ndarray) and x.dtype.kind == "f") for x in operands):
        raise NotImplementedError(f"{name}: not implemented for floating-point tensors; combine bools or integers, as in "
                                  "(x > 0) & (x < 1)")


@op(promote=True)
def bitwise_and(a: Array, b: Array, /) -> Any:
    """a & b, bit by bit; for bools, logical and."""
    _whole("bitwise_and", a, b)
    return (a & b,)


@op(promote=True)
def bitwise_or(a: Array, b: Array, /) -> Any:
    """a | b, bit by bit; for bools, logical or."""
    _whole("bitwise_or", a, b)
    return (a | b,)


@op(promote=True)
def bitwise_xor(a: Array, b: Array, /) -> Any:
    """a ^ b, bit by bit; for bools, where just one holds."""
    _whole("bitwise_xor", a, b)
    return (a ^ b,)


@op
def bitwise_not(x: Array, /) -> Any:
    """~x, bit by bit; for bools, logical not."""
    _whole("bitwise_not", x)
    return (~x,)


@op(promote=True)
def bitwise_left_shift(a: Array, b: Array, /) -> Any:
    """a · 2^b for integers; 0 where all bits are pushed out."""
    _integers("bitwise_left_shift", a, b)
    return (np.left_shift(a, b),)


@op(promote=True)
def bitwise_right_shift(a: Array, b: Array, /) -> Any:
    """floor(a / 2^b) for integers."""
    _integers("bitwise_right_shift", a, b)
    return (np.right_shift(a, b),)


def _integers(name: str, *operands: Any) -> None:
    _whole(name, *operands)
    if all(isinstance(x, bool) or getattr(x, "dtype", None) == np.bool_ for x in operands):
        raise NotImplementedError(f"{name}: not implemented for bool tensors; convert them, as in x.int()")


# ---- other names ---------------------------------------------------------------------------------------------------------

less, less_equal, greater, greater_equal, not_equal = lt, le, gt, ge, ne
