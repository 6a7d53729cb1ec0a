"""Numbers of distributions that are drawn by trial and error, one after the other, as torch's: gamma and Poisson."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.random.generator import Array, Generator, Stream, default_generator


def _each(draw: Any, parameters: Any, generator: Stream) -> Array:
    """What `draw` gives for each parameter, in float64, in the order of the memory."""
    stream = default_generator if generator is None else generator
    return np.array([draw(stream, x) for x in parameters.ravel()], np.float64).reshape(parameters.shape)


def _uniform(generator: Generator) -> float:
    return float(generator._bits53(1)[0]) * 2.0**-53


def standard_gamma(concentration: Array, generator: Stream = None) -> Array:
    """One number of each gamma distribution of rate 1, in float64 (Marsaglia and Tsang, 2000)."""
    return _each(_gamma, concentration, generator)


def _gamma(generator: Generator, alpha: Any) -> float:
    one, scale = type(alpha)(1), 1.0  # what is computed of alpha alone is computed in its dtype
    if alpha < 1:  # a number for alpha + 1, made smaller
        if alpha == 0:
            return 0.0
        scale = (1 - _uniform(generator)) ** float(one / alpha)
        alpha = alpha + one
    d = float(alpha - one.dtype.type(np.float32(1) / np.float32(3)))
    c = 1 / math.sqrt(9 * d)
    while True:
        y = 0.0
        while y <= 0:
            x = generator._normal_pairs(1)[0]
            y = 1 + c * x
        v, u, square = y * y * y, 1 - _uniform(generator), x * x
        if u < 1 - _SQUEEZE * square * square or math.log(u) < 0.5 * square + d * (1 - v + math.log(v)):
            return scale * d * v


_SQUEEZE = float(np.float32(0.0331))


def poisson(rate: Array, generator: Stream = None) -> Array:
    """One number of each Poisson distribution, in the dtype of `rate`.

    Raises
    ------
    RuntimeError
        If a rate is negative.
    """
    if (rate < 0).any():
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    return _each(_poisson, rate, generator).astype(rate.dtype)


def _poisson(generator: Generator, rate: Any) -> float:
    rate = float(rate)
    if rate == 0:
        return 0
    if rate < 10:  # how many uniform numbers can be multiplied before the product falls to exp(-rate)
        product, limit, count = 1.0, math.exp(-rate), 0
        while True:
            product *= _uniform(generator)
            if product <= limit:
                return count
            count += 1
    # Transformed rejection (Hörmann, 1993), whose names these are.
    root, log_rate = math.sqrt(rate), math.log(rate)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    inverse_alpha, v_r = 1.1239 + 1.1328 / (b - 3.4), 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = _uniform(generator) - 0.5, _uniform(generator)
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + rate + 0.43)
        if us >= 0.07 and v <= v_r:
            return k
        if k < 0 or (us < 0.013 and v > us):
            continue
        bound = -rate + k * log_rate - math.lgamma(k + 1)
        if math.log(v) + math.log(inverse_alpha) - math.log(a / (us * us) + b) <= bound:
            return k
