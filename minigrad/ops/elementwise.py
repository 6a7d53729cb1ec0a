"""Operations that work on each element by itself: arithmetic, the functions of one variable, limits and choice.

Operands of different shapes are broadcast; the engine sums the gradients back (`arrays.sums.unbroadcast`).
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Array, Number, as_element, common_dtype, result_type_of
from minigrad.autograd import TensorBase, cast, op, raw, unwrapped, wrap
from minigrad.ops.comparison import bitwise_or, tensor_first
from minigrad.ops.dims import floating
from minigrad.ops.old_order import numbers_first

# ---- arithmetic ----------------------------------------------------------------------------------------------------------


@numbers_first(2, "alpha")
def add(input: Array, other: Array, *, alpha: Number = 1) -> Any:
    """input + alpha · other."""
    return _add(input, _scaled(other, input, alpha))


def _scaled(other: Any, input: Any, alpha: Number) -> Any:
    """alpha · other, in the dtype that a sum of `input` and `other` has."""
    if type(alpha) is int and alpha == 1:
        return other
    kind = result_type_of([unwrapped(input), unwrapped(other)])
    if isinstance(alpha, bool) > (kind.kind == "b") or isinstance(alpha, float) > (kind.kind == "f"):
        raise RuntimeError(f"alpha must not be a {type(alpha).__name__} for a result of {kind}, got {alpha}")
    if alpha == 1:
        return other
    factor = as_element("alpha", alpha, kind)
    return mul(cast(other, kind), factor) if isinstance(other, (TensorBase, np.ndarray)) else other * alpha


@op(linear=True, promote=True)
def _add(a: Array, b: Array, /) -> Any:
    return a + b, lambda g: g, lambda g: g


@numbers_first(2, "alpha")
def sub(input: Array, other: Array, *, alpha: Number = 1) -> Any:
    """input - alpha · other."""
    return _sub(input, _scaled(other, input, alpha))


@op(linear=True, promote=True, bools=False)
def _sub(a: Array, b: Array, /) -> Any:
    return a - b, lambda g: g, lambda g: -g


def rsub(input: Array, other: Array, *, alpha: Number = 1) -> Any:
    """other - alpha · input."""
    tensor_first("rsub", input)
    return _rsub(_scaled(input, other, alpha), other)


@op(linear=True, promote=True, bools=False, name=("RsubBackward0", "RsubBackward1"))
def _rsub(a: Array, b: Array, /) -> Any:
    return b - a, lambda g: -g, lambda g: g


def no_bools(name: str, *operands: Any) -> None:
    """Refuse what torch refuses: arithmetic that is not defined between bools."""
    if all(isinstance(x, bool) or getattr(x, "dtype", None) == np.bool_ for x in operands):
        raise NotImplementedError(f"{name}: not implemented for 'Bool' tensors; convert one, as in x.int()")


@op(promote=True, scaling=True, in_single=True)
def mul(a: Array, b: Array, /) -> Any:
    """a · b."""
    return a * b, lambda g: g * b, lambda g: g * a


def div(input: Array, other: Array, *, rounding_mode: str | None = None) -> Any:
    """input / other, rounded to a whole number where `rounding_mode` is ``"floor"`` or ``"trunc"``.

    Raises
    ------
    RuntimeError
        For any other rounding mode, and where integers are divided by zero.
    """
    if rounding_mode is None:
        return _div(input, other)
    if rounding_mode not in ("floor", "trunc"):
        raise RuntimeError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found {rounding_mode!r}")
    return _div_rounded(input, other, rounding_mode)


@op(promote="floating", scaling=True, in_single=True)
def _div(a: Array, b: Array, /) -> Any:
    return a / b, lambda g: g / b, lambda g: -g * ((a / b) / b)  # b · b could overflow, or become 0


@op(promote=True, name="DivBackward2")
def _div_rounded(a: Array, b: Array, /, rounding_mode: str) -> Any:
    a, b = unwrapped(a), unwrapped(b)
    if rounding_mode == "floor" or np.result_type(a, b).kind != "f":
        out = _floor_divide(a, b)
        if rounding_mode == "trunc":  # for integers: floor, plus one where the exact quotient is negative and not whole
            out = out + ((out < 0) & (out * b != a))
    else:
        out = np.trunc(a / b)
    return out, np.zeros_like, np.zeros_like


def _floor_divide(a: Any, b: Any) -> Any:
    no_bools("floor_divide", a, b)
    kind = np.result_type(a, b)
    if kind.kind != "f":
        _check_divisor(a, b)
        return np.floor_divide(a, b)
    wide = _whole_quotients(a, b, kind)
    if wide:
        return wide[2].astype(kind)
    return np.where(np.asarray(b) == 0, a / b, np.floor_divide(a, b))  # torch: ±inf where NumPy has nan


def _whole_quotients(a: Any, b: Any, kind: Any) -> Any:
    """Both operands in float64, and their quotients rounded down: 40 times as fast as NumPy's own (4.2 ms for 256 × 256 float32).

    None where that is not exact: for operands of float64, where quotients are too large for `kind` to hold each whole number,
    and where something is divided by infinity.
    """
    if kind == np.float64:
        return None
    a, b = (np.asarray(x, kind).astype(np.float64) for x in (a, b))
    whole = np.floor(a / b)
    return (a, b, whole) if np.abs(whole).max(initial=0) < 2**np.finfo(kind).nmant and np.isfinite(b).all() else None


def _check_divisor(a: Any, b: Any) -> None:
    if (np.asarray(b) == 0).any() and np.broadcast(a, b).size:
        raise RuntimeError("ZeroDivisionError: integers divided by zero; divide as floating point, or mask the zeros")


@op(promote=True, name="torch::autograd::NotImplemented")
def floor_divide(a: Array, b: Array, /) -> Any:
    """The largest whole number at most a / b; as in torch, it has no derivative."""

    def rule(g: Array) -> Array:
        raise RuntimeError("derivative for aten::floor_divide is not implemented; use div(..., rounding_mode='floor')")

    return _floor_divide(unwrapped(a), unwrapped(b)), rule, rule


@op(promote=True, name=("RemainderBackward1", "RemainderBackward0"))
def remainder(a: Array, b: Array, /) -> Any:
    """a - b · floor(a / b): the remainder with the sign of b, as Python's ``%``."""
    a_, b_ = unwrapped(a), unwrapped(b)
    no_bools("remainder", a_, b_)
    kind = np.result_type(a_, b_)
    if kind.kind != "f":
        _check_divisor(a_, b_)
    return _remainder(a_, b_, kind), lambda g: g, lambda g: -g * div(a, b, rounding_mode="floor")


def _remainder(a: Any, b: Any, kind: Any) -> Any:
    wide = _whole_quotients(a, b, kind) if kind.kind == "f" else None
    rest = (wide[0] - wide[1] * wide[2]).astype(kind) if wide else np.remainder(a, b)
    return rest if kind.kind != "f" or rest.all() else np.where(rest == 0, np.copysign(rest, a), rest)  # 0 with the sign of a


@op(promote=True, name=("FmodBackward1", "FmodBackward0"))
def fmod(a: Array, b: Array, /) -> Any:
    """a - b · trunc(a / b): the remainder with the sign of a, as C's ``fmod``."""
    tensor_first("fmod", a)
    a_, b_ = unwrapped(a), unwrapped(b)
    no_bools("fmod", a_, b_)
    if np.result_type(a_, b_).kind != "f":
        _check_divisor(a_, b_)
    return np.fmod(a_, b_), lambda g: g, lambda g: -g * div(a, b, rounding_mode="trunc")


@op(linear=True)
def frac(x: Array, /) -> Any:
    """x - trunc(x): the fraction, with the sign of x."""
    floating("frac", x)
    return x - np.trunc(x), lambda g: g


@op(linear=True, bools=False)
def neg(x: Array, /) -> Any:
    """-x."""
    return -x, lambda g: -g


def pow(input: Array, exponent: Any) -> Any:
    """`input` to the power of `exponent`."""
    if isinstance(exponent, np.generic):
        exponent = exponent.item()
    elif isinstance(input, np.generic) and isinstance(exponent, TensorBase):
        input = input.item()
    if isinstance(exponent, bool) and raw(input).dtype == np.bool_:
        return bitwise_or(input, not exponent)
    no_bools("pow", unwrapped(input), unwrapped(exponent))
    if isinstance(exponent, (bool, int, float)):
        input = _beside(input, exponent)
        if raw(input).dtype.kind != "f" and exponent < 0:
            raise RuntimeError(f"pow(): Integers to negative integer powers are not allowed, got {exponent}; use x.float()")
        if raw(input).dtype == np.float16:
            as_element("pow()", exponent, raw(input).dtype)  # or an error
        return _tensor_to_number(input, exponent)
    if isinstance(input, (bool, int, float)):
        return _number_to_tensor(_beside(exponent, input), input)
    return _pow(input, exponent)


def _beside(x: Array, number: Number) -> Array:
    """x in the dtype that it takes beside a number."""
    target = common_dtype([raw(x), number])
    return x if target is None else cast(x, target)


@op(name="PowBackward0", in_single=True)
def _tensor_to_number(x: Array, /, exponent: Number) -> Any:
    value = _to_number(raw(x), exponent)
    return value, lambda g: g * (exponent * _tensor_to_number(x, exponent - 1)) if exponent else np.zeros_like(g)


def _to_number(x: Any, exponent: Number) -> Any:
    """x to the power of a number: as in torch, by products or a root where they give it; `np.power` takes 20 times as long."""
    if exponent == 3:
        return x * x * x
    if exponent == -2:
        return 1 / (x * x)
    return 1 / np.sqrt(x) if exponent == -0.5 else x**exponent


@op(name="PowBackward2")
def _number_to_tensor(x: Array, /, base: Any) -> Any:
    out = _power(base, x)
    slope = math.log(base) if base > 0 else -math.inf if base == 0 else math.nan
    return out, lambda g: g * (out * slope) if base else np.where(x >= 0, 0, g * (out * slope))


@op(promote=True, name="PowBackward1")
def _pow(a: Array, b: Array, /) -> Any:
    out = _power(a, b)
    return (
        out,
        lambda g: np.where(b == 0, 0, g * (b * a ** (b - 1))),
        lambda g: np.where((a == 0) & (b >= 0), 0, g * (out * np.log(a))),
    )


def _power(a: Any, b: Any) -> Any:
    """a to the power of b; of integers, negative powers are 0, unless they are those of 1 or -1."""
    if raw(b).dtype.kind != "i" or isinstance(a, float):
        return a**b
    return np.where(b < 0, np.where(np.abs(a) == 1, a ** (b & 1), 0), a ** np.maximum(b, 0))


def float_power(input: Any, exponent: Any) -> Any:
    """`pow`, computed in float64."""
    return pow(*(cast(x, np.dtype(np.float64)) if isinstance(x, (TensorBase, np.ndarray)) else float(x) for x in (input, exponent)))


def positive(input: Array) -> Any:
    """+input, which is `input` itself.

    Raises
    ------
    RuntimeError
        If `input` holds bools.
    """
    if raw(input).dtype == np.bool_:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


def square(input: Array) -> Any:
    """x²."""
    return pow(input, 2)


@op(promote="floating")
def reciprocal(x: Array, /) -> Any:
    """1 / x."""
    out = 1 / x
    return out, lambda g: -g * (out * out)


# ---- functions of one variable -------------------------------------------------------------------------------------------


@op(promote="floating")
def exp(x: Array, /) -> Any:
    """e to the power of x."""
    out = np.exp(x)
    return out, lambda g: g * out


@op(promote="floating")
def exp2(x: Array, /) -> Any:
    """2 to the power of x."""
    out = np.exp2(x)
    return out, lambda g: g * out * math.log(2)


@op(promote="floating")
def expm1(x: Array, /) -> Any:
    """exp(x) - 1, accurate for small x, too."""
    out = np.expm1(x)
    return out, lambda g: g * (out + 1)


@op(promote="floating")
def log(x: Array, /) -> Any:
    """The natural logarithm."""
    return np.log(x), lambda g: g / x


@op(promote="floating", in_single=True)
def log1p(x: Array, /) -> Any:
    """log(1 + x), accurate for small x, too."""
    value = raw(x)
    size = np.where((value == -1) | (value == math.inf), math.inf, log_1_plus(value))
    return np.copysign(size, value), lambda g: g / (x + 1)  # of -0 it is -0


def log_1_plus(x: Any) -> Any:
    """log(1 + x) for finite x > -1, to the last digits; NumPy's log1p takes four times as long as its log."""
    v = 1 + x
    return np.log(v) - ((v - 1) - x) / v


@op(promote="floating")
def log2(x: Array, /) -> Any:
    """The logarithm to base 2."""
    return np.log2(x), lambda g: g / (x * math.log(2))


@op(promote="floating")
def log10(x: Array, /) -> Any:
    """The logarithm to base 10."""
    return np.log10(x), lambda g: g / (x * math.log(10))


@op(promote="floating")
def sqrt(x: Array, /) -> Any:
    """√x."""
    out = np.sqrt(x)
    return out, lambda g: g / (2 * out)


@op(promote="floating")
def rsqrt(x: Array, /) -> Any:
    """1 / √x."""
    out = 1 / np.sqrt(x)
    return out, lambda g: -0.5 * g * (out * out * out)  # a fifteenth of the time of out**3


@op
def abs(x: Array, /) -> Any:
    """|x|; its derivative at 0 is 0."""
    no_bools("abs", raw(x))
    return np.abs(x), lambda g: g * sign(x)


@op(promote="floating")
def sin(x: Array, /) -> Any:
    """The sine, x in radians."""
    return np.sin(x), lambda g: g * np.cos(x)


@op(promote="floating")
def cos(x: Array, /) -> Any:
    """The cosine, x in radians."""
    return np.cos(x), lambda g: -g * np.sin(x)


@op(promote="floating")
def tan(x: Array, /) -> Any:
    """The tangent, x in radians."""
    out = np.tan(x)
    return out, lambda g: g * (1 + out * out)


@op(promote="floating")
def asin(x: Array, /) -> Any:
    """The angle in [-π/2, π/2] whose sine is x."""
    return np.arcsin(x), lambda g: g / np.sqrt(1 - x * x)


@op(promote="floating")
def acos(x: Array, /) -> Any:
    """The angle in [0, π] whose cosine is x."""
    return np.arccos(x), lambda g: -g / np.sqrt(1 - x * x)


@op(promote="floating")
def atan(x: Array, /) -> Any:
    """The angle in [-π/2, π/2] whose tangent is x."""
    return np.arctan(x), lambda g: g / (1 + x * x)


@op(promote="floating", numbers=False)
def atan2(a: Array, b: Array, /) -> Any:
    """The angle of the point (b, a), counted from the positive first axis."""
    square = a * a + b * b
    square = np.where(raw(square) == 0, math.inf, square)  # at the origin: 0
    return np.arctan2(a, b), lambda g: g * b / square, lambda g: -g * a / square


@op(promote="floating", in_single=True)
def sinh(x: Array, /) -> Any:
    """The hyperbolic sine."""
    other = cosh(x)
    return other * np.tanh(x), lambda g: g * other  # np.sinh takes five times as long as np.tanh


@op(promote="floating", in_single=True)
def cosh(x: Array, /) -> Any:
    """The hyperbolic cosine."""
    e = np.exp(np.abs(raw(x)))
    return 0.5 * e + 0.5 / e, lambda g: g * sinh(x)  # np.cosh: 5 times as long in float32


@op(promote="floating")
def tanh(x: Array, /) -> Any:
    """The hyperbolic tangent."""
    out = np.tanh(x)
    return out, lambda g: g * (1 - out * out)


@op(promote="floating")
def asinh(x: Array, /) -> Any:
    """The number whose hyperbolic sine is x."""
    return np.arcsinh(raw(x)), lambda g: g / np.sqrt(x * x + 1)


@op(promote="floating")
def acosh(x: Array, /) -> Any:
    """The number, at least 0, whose hyperbolic cosine is x; nan for x < 1."""
    return np.arccosh(raw(x)), lambda g: g / np.sqrt(x * x - 1)


@op(promote="floating")
def atanh(x: Array, /) -> Any:
    """The number whose hyperbolic tangent is x; nan for |x| > 1."""
    return np.arctanh(raw(x)), lambda g: g / (1 - x * x)


@op(promote=True, numbers=False)
def hypot(a: Array, b: Array, /) -> Any:
    """√(a² + b²), without overflow in between."""
    floating("hypot", a)
    out = np.hypot(a, b)
    return out, lambda g: g * (a / out), lambda g: g * (b / out)


@op(promote="floating")
def sigmoid(x: Array, /) -> Any:
    """1 / (1 + exp(-x))."""
    out = 1 / (1 + np.exp(-x))
    return out, lambda g: g * ((1 - out) * out)


@op(bools=False)
def relu(x: Array, /) -> Any:
    """max(x, 0); its derivative at 0 is 0."""
    out = extreme(np.maximum, x, 0)
    return out, lambda g: gate(g, out, raw(out) != 0)  # that is: positive, or nan


def extreme(pick: np.ufunc, x: Array, y: Any) -> Any:
    """The larger or the smaller of each pair, and of 0 and -0 the one in `x`: NumPy takes the second, but in float16 the first."""
    return pick(x, y) if x.itemsize == 2 else pick(y, x)


def gate(g: Array, x: Array, keep: np.ndarray[Any, Any]) -> Any:
    """g where `keep`, 0 elsewhere; `keep` was found from x, on which the result depends only in jumps."""
    return masked(g, keep) if isinstance(g, np.ndarray) else _gate(g, x, keep)


def masked(g: Any, keep: Any) -> Any:
    """`gate` of an array: its bits are multiplied, which is exact for infinite and nan g, and six times as fast as `np.where`."""
    return (keep * g.view(_BITS[g.itemsize])).view(g.dtype)  # in memory, in the order of `keep`


_BITS = {size: np.dtype(f"i{size}") for size in (2, 4, 8)}


def attached(g: Array, x: Array) -> Any:
    """g, recorded as depending on x as well, with the derivative 0: torch's derivatives are operations of the input, too."""
    return g if isinstance(g, np.ndarray) else _attached(g, x)


@op
def _attached(g: Array, x: Array, /) -> Any:
    return raw(g).copy(), lambda h: h, lambda h: np.zeros(raw(x).shape, raw(x).dtype)


@op
def _gate(g: Array, x: Array, /, keep: np.ndarray[Any, Any]) -> Any:
    return (
        masked(np.asarray(raw(g)), keep),
        lambda h: gate(h, x, keep),
        lambda h: np.zeros(raw(x).shape, raw(x).dtype),
    )


@op
def sign(x: Array, /) -> Any:
    """-1, 0 or 1."""
    value = raw(x)
    return value.copy() if value.dtype == np.bool_ else (value > 0) - (value < 0).astype(value.dtype), np.zeros_like  # of nan, 0


@op
def sgn(x: Array, /) -> Any:
    """-1, 0 or 1: `sign`, which differs from it for complex numbers only."""
    return sign(raw(x)), np.zeros_like


@op
def floor(x: Array, /) -> Any:
    """The largest whole number at most x."""
    no_bools("floor", raw(x))
    return np.floor(raw(x)), np.zeros_like


@op
def ceil(x: Array, /) -> Any:
    """The smallest whole number at least x."""
    no_bools("ceil", raw(x))
    return np.ceil(raw(x)), np.zeros_like


@op
def trunc(x: Array, /) -> Any:
    """x without its fraction."""
    no_bools("trunc", raw(x))
    return np.trunc(raw(x)), np.zeros_like


@op(name=lambda **options: f"RoundBackward{len(options)}")
def round(x: Array, /, *, decimals: int = 0) -> Any:
    """The nearest number with `decimals` digits after the decimal point; halves go to the even one."""
    no_bools("round", raw(x))
    return np.round(raw(x), decimals), np.zeros_like


# ---- limits and choice ---------------------------------------------------------------------------------------------------


@op(promote=True, numbers=False)
def maximum(a: Array, b: Array, /) -> Any:
    """The larger of each pair; where they are equal, each gets half of the gradient."""
    return (
        extreme(np.maximum, raw(a), raw(b)),
        lambda g: np.where(a == b, g / 2, np.where(a < b, 0, g)),
        lambda g: np.where(a == b, g / 2, np.where(a > b, 0, g)),
    )


@op(promote=True, numbers=False)
def minimum(a: Array, b: Array, /) -> Any:
    """The smaller of each pair; where they are equal, each gets half of the gradient."""
    return (
        extreme(np.minimum, raw(a), raw(b)),
        lambda g: np.where(a == b, g / 2, np.where(a > b, 0, g)),
        lambda g: np.where(a == b, g / 2, np.where(a < b, 0, g)),
    )


def clamp(input: Array, min: Any = None, max: Any = None) -> Any:
    """`input` limited to the range from `min` to `max` (numbers or tensors); the derivative at a limit is 1.

    Raises
    ------
    RuntimeError
        If both limits are missing.
    """
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if not any(isinstance(limit, (TensorBase, np.ndarray)) for limit in (min, max)):
        target = common_dtype([raw(input), *(limit for limit in (min, max) if limit is not None)])
        input = input if target is None else cast(input, target)
        plain = (float, int) if raw(input).dtype.kind == "f" else ()
        min, max = (limit if limit is None or type(limit) in plain else as_element("clamp()", limit, raw(input).dtype)
                    for limit in (min, max))
        return _clamp(input, min, max)
    input = input if min is None else _clamp_min(input, min)
    return input if max is None else _clamp_max(input, max)


def clamp_min(input: Array, min: Any) -> Any:
    """`input` limited to numbers of at least `min`."""
    return clamp(input, min)


def clamp_max(input: Array, max: Any) -> Any:
    """`input` limited to numbers of at most `max`."""
    return clamp(input, None, max)


@op(name="ClampBackward1", order="K")
def _clamp(x: Array, /, low: Any, high: Any) -> Any:
    least, most = -math.inf if low is None else low, math.inf if high is None else high
    if low is None or high is None:
        value = extreme(*(np.maximum, raw(x), low) if high is None else (np.minimum, raw(x), high))
    else:
        value = raw(x).clip(low, high)
    return (
        value,
        lambda g: gate(g, x, (raw(x) >= least) & (raw(x) <= most)),
    )


@op(promote=True, name="ClampBackward0")
def _clamp_min(x: Array, low: Array, /) -> Any:
    return extreme(np.maximum, raw(x), raw(low)), lambda g: np.where(x >= low, g, 0), lambda g: np.where(x < low, g, 0)


@op(promote=True, name="ClampBackward0")
def _clamp_max(x: Array, high: Array, /) -> Any:
    return extreme(np.minimum, raw(x), raw(high)), lambda g: np.where(x <= high, g, 0), lambda g: np.where(x > high, g, 0)


def where(condition: Array, input: Array = None, other: Array = None) -> Any:
    """`input` where the condition holds, `other` elsewhere; with the condition alone, the indices at which it holds.

    Raises
    ------
    RuntimeError
        If the condition is not a tensor of bools.
    """
    if input is None and other is None:
        return tuple(wrap(i) for i in np.atleast_1d(raw(condition)).nonzero())
    if raw(condition).dtype == np.uint8:
        warnings.warn("where received a uint8 condition tensor. This behavior is deprecated; use bools", stacklevel=3)
        condition = cast(condition, np.dtype(np.bool_))
    if raw(condition).dtype != np.bool_:
        raise RuntimeError(f"where expected condition to be a boolean tensor, but got a tensor of {raw(condition).dtype}; "
                           "compare first, as in where(x > 0, x, y)")
    if not isinstance(condition, TensorBase) and not isinstance(input, TensorBase) and not isinstance(other, TensorBase):
        return np.where(condition, input, other)
    target = result_type_of([unwrapped(input), unwrapped(other)])
    return _where(condition, *(as_element("where()", v, target) if not isinstance(v, (TensorBase, np.ndarray))
                               else v if raw(v).dtype == target else cast(v, target) for v in (input, other)))


@op(order="K")
def _where(condition: Array, x: Array, y: Array, /) -> Any:
    value = np.where(unwrapped(condition), raw(x), raw(y))
    return value, None, lambda g: np.where(condition, g, 0), lambda g: np.where(condition, 0, g)


# ---- other names -------------------------------------------------------------------------------------------------------

absolute, negative, subtract, multiply, divide, true_divide, clip, fix = abs, neg, sub, mul, div, div, clamp, trunc
arcsin, arccos, arctan, arctan2, arcsinh, arccosh, arctanh = asin, acos, atan, atan2, asinh, acosh, atanh
