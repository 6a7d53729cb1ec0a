"""Box and Muller's transform, from uniform numbers to normal ones, with the roundings of torch's CPU kernels.

Two uniforms u and v of [0, 1) give two independent normals: r cos(t) and r sin(t), with r = sqrt(-2 log(1 - u)) and
t = 2 pi v (Box and Muller, 1958). `minigrad.random` says which numbers make a pair, and when; what stands here is
arithmetic, and the question is only how to get each last bit right.

In float64 torch takes log, sin and cos from the C library, and so does Python's `math`. In float32 it has its own, the
polynomials of the Cephes library (S. Moshier), computed with fused multiply-adds: a * b + c, rounded once. NumPy has no
such instruction, but a float64 holds the product of two float32 numbers exactly; the sum rounded to float32 then gives
the same bits (it does for each of the 2**24 values that u and v can have). All else is IEEE arithmetic, so what is
computed here does not depend on the machine. Torch's does: built for a CPU without AVX2, or for ARM, it rounds twice,
and the last bits of float32 normals differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy import float32, float64

Array = npt.NDArray[Any]


def box_muller(u: Array, mean: Any, std: Any) -> Array:
    """Turn uniforms, float32 or float64, into as many normals: in each row of 16, number j and number j + 8 are a pair.

    Parameters
    ----------
    u : array of shape (16 n,)
    mean, std : numbers of the same dtype
    """
    eight = np.dtype((np.void, 8 * u.itemsize))  # eight numbers as one item: NumPy moves it in one piece
    first, second = u.view(eight).reshape(-1, 2).T.copy().view(u.dtype)
    t = u.dtype.type(2 * math.pi) * second
    if u.dtype == float32:
        r, (sin, cos) = np.sqrt(float32(-2) * log(float32(1) - first)), sin_cos(t)
    else:
        r, sin, cos = np.sqrt(-2 * libm(math.log, 1 - first)), libm(math.sin, t), libm(math.cos, t)
    normals = scale(np.concatenate((r * cos, r * sin)), std, mean)
    return normals.view(eight).reshape(2, -1).T.copy().view(u.dtype).ravel()


def pairs(uniforms: Sequence[float]) -> list[float]:
    """Turn uniforms v, u, v, u, ... into normals one pair after the other, in float64."""
    normals = []
    for v, u in zip(uniforms[0::2], uniforms[1::2], strict=True):
        r, t = math.sqrt(-2 * math.log1p(-u)), 2 * math.pi * v
        normals += [r * math.cos(t), r * math.sin(t)]
    return normals


def libm(function: Callable[[float], float], a: Array) -> npt.NDArray[float64]:
    """Apply a function of the C library, as torch does in float64: NumPy's own may differ from it in the last bit."""
    return np.fromiter(map(function, a.tolist()), float64, a.size)


def scale(a: Array, b: Any, c: Any) -> Array:
    """Do what `fma` does, for numbers `b` and `c`, and at once where there is nothing to do (but -0 becomes 0)."""
    return a + a.dtype.type(0) if b == 1 and c == 0 else fma(a, b, c)


def fma(a: Array, b: Any, c: Any) -> Array:
    """Return a * b + c, rounded once to the dtype of `a`; `b` and `c` are numbers or arrays of that dtype."""
    if a.dtype == float32:
        total = a.astype(float64)
        total *= b
        total += c
        return total.astype(float32)
    product = a * b
    (a1, a2), (b1, b2) = _halves(a), _halves(b)
    lost = ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2  # product + lost is exactly a * b (Dekker, 1971)
    total = product + c
    part = total - product
    exact: Array = total + (lost + ((product - (total - part)) + (c - part)))  # with the sum's own error (Knuth)
    return exact


def _halves(x: Any) -> tuple[Any, Any]:
    """Split float64 numbers into sums of two with half as many bits, whose products are exact."""
    high = 134217729.0 * x  # 2**27 + 1
    high = high - (high - x)
    return high, x - high


# ---- Cephes' functions in float32 --------------------------------------------------------------------


# The numbers of Cephes' logf, sinf and cosf, highest power first, rounded to float32.
_LOG: list[float] = np.array([7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
                             -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1], float32).tolist()
_SIN: list[float] = np.array([-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1], float32).tolist()
_COS: list[float] = np.array([2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2], float32).tolist()
_LOG2_HIGH, _LOG2_LOW = float32(0.693359375), float32(-2.12194440e-4)  # log(2) in two parts
_HALF_PI = 2 * (0.78515625 + 2.4187564849853515625e-4 + float(float32(3.77489497744594108e-8)))
_FOUR_OVER_PI = float32(1.27323954473516)


def _polynomial(x: Array, coefficients: list[float]) -> Array:
    """Evaluate a polynomial by Horner's rule, each step rounded once to float32."""
    y, wide = fma(x, coefficients[0], coefficients[1]), x.astype(float64)
    for c in coefficients[2:]:
        y = fma(y, wide, c)
    return y


def log(u: Array) -> Array:
    """Return the natural logarithms of float32 numbers of (0, 1]."""
    bits = u.view(np.int32)
    exponent = (bits - 0x3F3504F3) >> 23  # u = m * 2**exponent, m from sqrt(1/2), whose bits these are, to sqrt(2)
    x = (bits - (exponent << 23)).view(float32) - float32(1)  # m - 1
    e = exponent.astype(float32)
    square = x * x
    y = fma(_polynomial(x, _LOG) * x, square, e * _LOG2_LOW) - square * float32(0.5)
    return e * _LOG2_HIGH + (x + y)


def sin_cos(t: Array) -> tuple[Array, Array]:
    """Return the sines and the cosines of float32 numbers of [0, 2 pi]."""
    quarter = ((t * _FOUR_OVER_PI).astype(np.int32) + 1) >> 1  # the multiple of pi / 2 nearest to t
    x = fma(quarter.astype(float32), -_HALF_PI, t)
    square = x * x
    sin = fma(_polynomial(square, _SIN) * square, x, x)
    cos = fma(_polynomial(square, _COS) * square, square, square * float32(-0.5)) + float32(1)
    # Odd quarters exchange the two, and half of the quarters change a sign: done on the bits, since np.where is slow.
    s, c = sin.view(np.int32), cos.view(np.int32)
    swap = (s ^ c) & -(quarter & 1)
    s, c = s ^ swap ^ (quarter & 2) << 30, c ^ swap ^ (quarter + 1 & 2) << 30
    return s.view(float32), c.view(float32)
