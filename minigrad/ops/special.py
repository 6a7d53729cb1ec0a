"""Special functions: the error function and the gamma function with their relatives, and logarithms that need care at 0.

NumPy has none of them. `erf`, which gelu uses, is written for speed. The others call Python's `math` for each element.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Array
from minigrad.autograd import op, raw, unwrapped
from minigrad.ops.dims import floating
from minigrad.ops.elementwise import add, div, gate, mul


def _each(function: Any, x: Any) -> Any:
    """A function of Python numbers applied to each element, in float64, and rounded to the dtype of x."""
    return np.vectorize(function, otypes=[np.float64])(raw(x)).astype(raw(x).dtype)


# ---- the error function ----------------------------------------------------------------------------------------------------

@op(promote="floating")
def erf(x: Array, /) -> Any:
    """2/√π ∫₀ˣ exp(-t²) dt."""
    return _erf(raw(x)), lambda g: g * (2 / math.sqrt(math.pi) * np.exp(-x * x))


# erf(x)/x as a quotient of polynomials in x², for |x| < 4, fitted to 2.5e-8: four times as fast as the series for float64 below.
_ERF_TOP = (1.12837914, 0.193535797, 0.0531002349, 0.00388286208, 0.000284541656, 1.98668619e-06)
_ERF_BOTTOM = (1.0, 0.504849193, 0.115345911, 0.0152063039, 0.00118542864, 3.74178879e-05)


def _polynomial(x: Any, coefficients: tuple[float, ...]) -> Any:
    value = np.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        value *= x
        value += c
    return value


_NEAR, _FAR = 2.5, 6.0  # erf(x)/x is a smooth function of x² up to the first; beyond the second erf(x) rounds to 1


@functools.cache
def _erf_series() -> tuple[Array, Array]:
    """Chebyshev coefficients of erf(√u)/√u for 0 < u < 2.5² and of 1 - erf(x) for 2.5 < x < 6: NumPy has no erf of its own."""
    near = np.vectorize(lambda s: math.erf(r := math.sqrt((s + 1) / 2) * _NEAR) / r)
    far = np.vectorize(lambda s: math.erfc(_NEAR + (s + 1) / 2 * (_FAR - _NEAR)))
    return np.polynomial.chebyshev.chebinterpolate(near, 24), np.polynomial.chebyshev.chebinterpolate(far, 28)


def _erf(x: Array) -> Array:
    """erf(x), to about 5e-15 in float64 and 4e-7 in float32."""
    if x.dtype != np.float64:
        y = np.clip(x, -4, 4).astype(np.float32)
        return np.clip(y * _polynomial(y * y, _ERF_TOP) / _polynomial(y * y, _ERF_BOTTOM), -1, 1).astype(x.dtype)
    near, far = _erf_series()
    size = np.abs(x)
    inner, outer = np.minimum(size, _NEAR), np.clip(size, _NEAR, _FAR)
    small = inner * np.polynomial.chebyshev.chebval(2 * (inner / _NEAR) ** 2 - 1, near)
    large = 1 - np.polynomial.chebyshev.chebval(2 * (outer - _NEAR) / (_FAR - _NEAR) - 1, far)
    return np.copysign(np.where(np.isnan(size), size, np.where(size < _NEAR, small, large)), x)


@op(promote="floating")
def erfc(x: Array, /) -> Any:
    """1 - erf(x), exact where that is small."""
    return _each(math.erfc, x), lambda g: g * (-2 / math.sqrt(math.pi) * np.exp(-x * x))


@op(promote="floating")
def erfinv(x: Array, /) -> Any:
    """The number whose `erf` is x."""
    out = _each(_erfinv, x) if isinstance(x, np.ndarray) else erfinv(x)
    return out, lambda g: g * (math.sqrt(math.pi) / 2 * np.exp(out * out))


def _erfinv(y: float) -> float:
    """A quantile of the normal distribution, and one step of Newton's method, which makes it exact for small y as well."""
    size = abs(y)
    if not 0 < size < 1:
        return math.copysign(math.inf, y) if size == 1 else y if size == 0 else math.nan
    from statistics import NormalDist  # loads decimal and fractions, which few programs need

    x = -NormalDist().inv_cdf((1 - size) / 2) / math.sqrt(2)
    excess = math.erf(x) - size if size < 0.5 else (1 - size) - math.erfc(x)
    return math.copysign(x - excess * math.sqrt(math.pi) / 2 * math.exp(x * x), y)


@op(promote="floating", name="SpecialErfcxBackward0")
def erfcx(x: Array, /) -> Any:
    """exp(x²) · `erfc`(x), which stays a number of ordinary size where erfc(x) is too small for one."""
    out = _each(_erfcx, x) if isinstance(x, np.ndarray) else erfcx(x)
    return out, lambda g: g * (2 * x * out - 2 / math.sqrt(math.pi))


def _erfcx(x: float) -> float:
    if x < 20:
        return math.exp(x * x) * math.erfc(x) if x > -26.6 else math.inf  # the range of float64
    square = 2 * x * x
    return (1 - (1 - (3 - (15 - (105 - 945 / square) / square) / square) / square) / square) / (x * math.sqrt(math.pi))


# ---- the normal distribution -------------------------------------------------------------------------------------------------


def ndtr(input: Array) -> Any:
    """The share of the normal distribution below `input`."""
    return mul(add(erf(div(input, math.sqrt(2))), 1), 0.5)


@op(promote="floating", name="SpecialLogNdtrBackward0")
def log_ndtr(x: Array, /) -> Any:
    """log(`ndtr`(x)), exact where that is close to 0 or 1."""
    return _each(_log_ndtr, x), lambda g: g / erfcx(x * -math.sqrt(0.5)) * math.sqrt(2 / math.pi)


def _log_ndtr(x: float) -> float:
    if x == -math.inf:
        return x
    t = x * math.sqrt(0.5)
    return math.log(_erfcx(-t) / 2) - t * t if x < -1 else math.log1p(-math.erfc(t) / 2)


# ---- the gamma function ----------------------------------------------------------------------------------------------------


@op(promote="floating")
def lgamma(x: Array, /) -> Any:
    """log |Γ(x)|."""
    return _each(_lgamma, x), lambda g: g * digamma(x)


def _lgamma(x: float) -> float:
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):  # at 0, -1, -2 ... and where it is too large
        return math.inf


def digamma(input: Array) -> Any:
    """The derivative of `lgamma`."""
    return _polygamma(input, 0, "DigammaBackward0")


def polygamma(n: int, input: Array) -> Any:
    """The derivative of order `n` of `digamma`.

    Raises
    ------
    RuntimeError
        If `n` is negative.
    """
    if n < 0:
        raise RuntimeError(f"polygamma(n, x) does not support negative n, got {n}")
    return _polygamma(input, n)


@op(promote="floating", name=lambda n, name="PolygammaBackward0": name)
def _polygamma(x: Array, /, n: int, name: str = "PolygammaBackward0") -> Any:
    return _derivative_of_digamma(n, raw(x).astype(np.float64)).astype(raw(x).dtype), lambda g: g * _polygamma(x, n + 1)


_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)  # the numbers 2, 4, 6 ... 16


def _derivative_of_digamma(n: int, x: Any) -> Any:
    """The asymptotic series for large x, to which smaller ones are raised by steps of 1.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 6.3.7, 6.4.6, 6.4.7 and 6.4.11.
    """
    pole = (x <= 0) & (x == np.floor(x))
    if n < 2 and (x < 0).any():  # reflected, or the steps might be too many
        angle = math.pi * (x - np.round(x))
        mirror = -math.pi / np.tan(angle) if n == 0 else (math.pi / np.sin(angle)) ** 2
        below = mirror + (-1) ** n * _derivative_of_digamma(n, np.where(x < 0, 1 - x, 1))
        result = np.where(x < 0, below, _derivative_of_digamma(n, np.where(x < 0, 1, x)))
        return np.where(pole & (x < 0), math.nan if n == 0 else math.inf, result)
    sign, total = (-1) ** (n + 1), np.zeros_like(x)
    y = np.where(pole | ~np.isfinite(x), 1, x)
    while (y < 15).any():
        total = total + np.where(y < 15, sign * math.factorial(n) / y ** (n + 1), 0)
        y = np.where(y < 15, y + 1, y)
    leading = -np.log(y) if n == 0 else math.factorial(n - 1) / y**n
    series = leading + math.factorial(n) / (2 * y ** (n + 1))
    for k, bernoulli in enumerate(_BERNOULLI, 1):
        series = series + bernoulli * math.factorial(2 * k + n - 1) / math.factorial(2 * k) / y ** (2 * k + n)
    at_pole = np.copysign(math.inf, -x) if n == 0 else sign * math.inf
    at_end = np.where(x == math.inf, math.inf if n == 0 else 0, math.nan)
    return np.where(pole, at_pole, np.where(np.isfinite(x), total + sign * series, at_end))


# ---- logarithms ------------------------------------------------------------------------------------------------------------


@op(promote="floating")
def logit(x: Array, /, eps: float | None = None) -> Any:
    """log(x / (1 - x)), the inverse of `sigmoid`; with `eps`, x is first limited to the range from eps to 1 - eps.

    Without, it is nan outside the range from 0 to 1.
    """
    value = raw(x)
    low, high = (0.0, 1.0) if eps is None else (eps, 1 - eps)
    inside = ~((value < low) | (value > high))
    p = value if eps is None else np.where(value < low, low, np.where(value > high, high, value)).astype(value.dtype)

    def rule(g: Array) -> Array:
        slope = g / (x * (1 - x))
        return gate(slope, x, inside) if eps is not None else np.where(inside, slope, math.nan)

    return np.log(p / (1 - p)), rule


@op(promote="floating", name=("XlogyBackward0", "XlogyBackward2"))
def xlogy(x: Array, y: Array, /) -> Any:
    """x · log(y), 0 where x is 0."""
    return _times_log(x, y, np.log, 0)


@op(promote="floating", name=("SpecialXlog1PyBackward0", "SpecialXlog1PyBackward2"))
def xlog1py(x: Array, y: Array, /) -> Any:
    """x · log(1 + y), 0 where x is 0."""
    return _times_log(x, y, np.log1p, 1)


def _times_log(x: Any, y: Any, log: Any, shift: int) -> Any:
    """x · log(shift + y), and the rules for x and y."""
    kind = np.result_type(unwrapped(x), unwrapped(y))
    x, y = (np.asarray(v, kind) if isinstance(v, (int, float)) else v for v in (x, y))
    a, b = raw(x), raw(y)
    return (
        np.where(np.isnan(b), b, np.where(a == 0, 0, a * log(b))),
        lambda g: np.where((a == 0) & (b <= -shift), 0, g * log(y)),
        lambda g: g * x / (y + shift if shift else y),
    )


@op(promote="floating", name="SpecialEntrBackward0")
def entr(x: Array, /) -> Any:
    """-x · log(x): 0 where x is 0, -inf below."""
    value = raw(x)
    return np.where(value > 0, -value * np.log(value), np.where(value == 0, 0, np.where(value < 0, -math.inf, value))), (
        lambda g: g * -(1 + np.log(x)))


@op(promote=True, numbers=False, in_single=True)
def logaddexp(a: Array, b: Array, /) -> Any:
    """log(exp(a) + exp(b)), without overflow."""
    floating("logaddexp", a)
    return np.logaddexp(raw(a), raw(b)), lambda g: g / (1 + np.exp(b - a)), lambda g: g / (1 + np.exp(a - b))


@op
def nan_to_num(x: Array, /, nan: float | None = None, posinf: float | None = None, neginf: float | None = None) -> Any:
    """x with other numbers for nan and the infinities: 0, the largest and the smallest of the dtype unless given."""
    value = raw(x)
    return np.nan_to_num(value, True, nan or 0.0, posinf, neginf), lambda g: gate(g, x, np.isfinite(value))
