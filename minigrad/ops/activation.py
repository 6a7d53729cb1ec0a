"""Activations that combine several elementary functions. Those that are a single one are in `elementwise`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Array, Number
from minigrad.autograd import op, raw
from minigrad.ops.dims import axis_of, floating
from minigrad.ops.elementwise import attached, extreme, gate, log_1_plus, masked, sigmoid, tanh
from minigrad.ops.special import erf


@op(in_single=True)
def leaky_relu(x: Array, /, negative_slope: float = 0.01) -> Any:
    """x where x > 0, negative_slope · x elsewhere."""
    floating("leaky_relu", x)
    higher = np.maximum if negative_slope <= 1 else np.minimum  # of x and slope · x, what lies on the side of the kink that is kept
    keep = raw(x) > 0
    return (
        higher(raw(x), raw(x) * negative_slope),
        lambda g: gate(g, x, keep) + gate(g, x, ~keep) * negative_slope,
    )


def elu(input: Array, alpha: float = 1.0) -> Any:
    """input where input > 0, alpha · (exp(input) - 1) elsewhere."""
    return _elu(input, alpha, 1.0)


def celu(input: Array, alpha: float = 1.0) -> Any:
    """input where input > 0, alpha · (exp(input / alpha) - 1) elsewhere: `elu` whose slope at 0 is 1 for every alpha."""
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return _elu(input, alpha, 1.0, 1 / alpha, "CeluBackward0")


def selu(input: Array) -> Any:
    """`elu` with the slopes for which means 0 and variances 1 reproduce themselves (Klambauer et al., 2017)."""
    return _elu(input, 1.6732632423543772848170429916717, 1.0507009873554804934193349852946)


@op(name=lambda alpha, scale, input_scale=1.0, name="EluBackward0": name, in_single=True)
def _elu(x: Array, /, alpha: float, scale: float, input_scale: float = 1.0, name: str = "EluBackward0") -> Any:
    floating("elu", x)
    low, right = gate(x, x, raw(x) < 0), ~(raw(x) <= 0)  # so that exp cannot overflow where it is not used; nan is right
    low = low if input_scale == 1 else low * input_scale
    half = np.tanh(extreme(np.minimum, raw(x), 0) * (input_scale / 2))
    powers = half / (1 - half) * (2 * alpha * scale)  # exp(y) - 1, in a quarter of the time of expm1
    out = extreme(np.maximum, raw(x), 0) * scale + powers

    def rule(g: Array) -> Array:
        slope = alpha * scale * input_scale  # on the left, near 0
        return g * (np.asarray(right, raw(x).dtype) * (scale - slope) + slope * np.exp(low))

    return out, rule


@op(bools=False)
def hardtanh(x: Array, /, min_val: Number = -1.0, max_val: Number = 1.0) -> Any:
    """x limited to the range from min_val to max_val; unlike `clamp`'s, its derivative at a limit is 0."""
    kind = raw(x).dtype.type
    if kind is np.uint8 and int(min_val) < 0:
        raise RuntimeError(f"hardtanh(): cannot limit unsigned numbers by a negative one, got {min_val}")
    return (
        np.clip(raw(x), kind(min_val), kind(max_val)),
        lambda g: gate(g, x, ~((raw(x) <= min_val) | (raw(x) >= max_val))),
    )


@op(in_single=True)
def softplus(x: Array, /, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """log(1 + exp(beta · x)) / beta; x itself where beta · x exceeds the threshold."""
    floating("softplus", x)
    z = raw(x) * beta
    linear = z > threshold
    out = np.where(linear, raw(x), (np.maximum(z, 0) + log_1_plus(np.exp(-np.abs(z)))) / beta)
    return out, lambda g: g * np.maximum(sigmoid(x * beta), linear)


@op(name="LogSigmoidBackward0", in_single=True)
def logsigmoid(x: Array, /) -> Any:
    """log(sigmoid(x)), without overflow."""
    floating("logsigmoid", x)
    return np.minimum(raw(x), 0) - log_1_plus(np.exp(-np.abs(raw(x)))), lambda g: g * sigmoid(-x)


@op(in_single=True)
def silu(x: Array, /) -> Any:
    """x · sigmoid(x)."""
    floating("silu", x)
    s = sigmoid(x)
    return x * s, lambda g: g * (s * (1 + x * (1 - s)))


@op(in_single=True)
def mish(x: Array, /) -> Any:
    """x · tanh(softplus(x))."""
    floating("mish", x)
    t = tanh(softplus(x))
    return x * t, lambda g: g * (t + x * sigmoid(x) * (1 - t * t))


def gelu(input: Array, *, approximate: str = "none") -> Any:
    """input · Φ(input), Φ being the normal distribution, or with ``approximate="tanh"`` something near it."""
    if approximate not in ("none", "tanh"):
        raise RuntimeError(f"gelu(): approximate argument must be either none or tanh, got {approximate!r}")
    return (_gelu if approximate == "none" else _gelu_tanh)(input)


@op(in_single=True)
def _gelu(x: Array, /) -> Any:
    floating("gelu", x)
    phi = 0.5 * (1 + erf(x * math.sqrt(0.5)))
    return x * phi, lambda g: g * (phi + x * np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi))


@op(name="GeluBackward0", in_single=True)
def _gelu_tanh(x: Array, /) -> Any:
    floating("gelu", x)
    slope, cubic = math.sqrt(2 / math.pi), 0.044715
    t = tanh(slope * (x + cubic * (x * x * x)))
    return 0.5 * x * (1 + t), lambda g: g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * (slope * (1 + 3 * cubic * x * x)))


@op(in_single=True)
def hardsigmoid(x: Array, /) -> Any:
    """min(max(x + 3, 0), 6) / 6."""
    floating("hardsigmoid", x)
    return np.clip(raw(x) + 3, 0, 6) / 6, lambda g: gate(g, x, np.abs(raw(x)) < 3) * _SIXTH


_SIXTH = float(np.float32(1 / 6))  # torch's, a float32 constant


@op(in_single=True)
def hardswish(x: Array, /) -> Any:
    """x · `hardsigmoid` (x)."""
    floating("hardswish", x)
    inside, right = np.abs(raw(x)) < 3, ~(raw(x) < 3)
    return raw(x) * np.clip(raw(x) + 3, 0, 6) / 6, lambda g: np.where(inside, g * (x / 3 + 0.5), g * right)


@op
def threshold(x: Array, /, threshold: Number, value: Number) -> Any:
    """x where x > threshold, `value` elsewhere."""
    keep = ~(raw(x) <= threshold)
    return np.where(keep, raw(x), np.asarray(value).astype(raw(x).dtype)), lambda g: gate(g, x, keep)


@op
def hardshrink(x: Array, /, lambd: float = 0.5) -> Any:
    """x where |x| > lambd, 0 elsewhere."""
    floating("hardshrink", x)
    keep = ~((raw(x) >= -lambd) & (raw(x) <= lambd))
    return masked(raw(x), keep), lambda g: gate(g, x, keep)


@op
def softshrink(x: Array, /, lambd: float = 0.5) -> Any:
    """x brought nearer to 0 by lambd, and 0 where it is no farther away than that."""
    floating("softshrink", x)
    if not lambd >= 0:
        raise RuntimeError(f"lambda must be in range [0, {np.finfo(raw(x).dtype).max}] for input dtype {raw(x).dtype}, but found "
                           f"{lambd}")
    keep = ~((raw(x) >= -lambd) & (raw(x) <= lambd))
    return masked(raw(x) - np.copysign(raw(x).dtype.type(lambd), raw(x)), keep), lambda g: gate(g, x, keep)


def prelu(input: Array, weight: Array) -> Any:
    """input where input > 0, weight · input elsewhere: one weight for all, or one for each channel (dimension 1).

    Raises
    ------
    RuntimeError
        If the number of weights is neither 1 nor that of the channels, or the dtypes differ.
    """
    x, w = raw(input), raw(weight)
    channels = x.shape[1] if x.ndim > 1 else 1
    if w.ndim > 1 or w.size not in (1, channels) or w.dtype != x.dtype:
        raise RuntimeError(f"prelu(): expected one weight or {channels}, one for each channel, of dtype {x.dtype}, like the input, "
                           f"but got shape {list(w.shape)} and {w.dtype}")
    return _prelu_kernel(input, weight.reshape([1, -1, *[1] * (x.ndim - 2)] if x.ndim > 1 else [1] * x.ndim))


@op(order="K")
def _prelu_kernel(x: Array, weight: Array, /) -> Any:
    keep = raw(x) > 0
    return (
        np.where(keep, raw(x), raw(weight) * raw(x)),
        lambda g: attached(np.where(keep, g, weight * g), x),
        lambda g: attached(np.where(keep, 0, x * g), weight),
    )


@op(in_single=True)
def glu(x: Array, /, dim: int = -1) -> Any:
    """One half of x along `dim` times the sigmoid of the other."""
    floating("glu", x)
    axis, size = axis_of(dim, x.ndim), x.shape[dim] if x.ndim else 1
    if size % 2:
        raise RuntimeError(f"glu(): the dimension to be halved must be even, but dimension {axis} has size {size}")
    before = (slice(None),) * axis
    a, s = x[(*before, slice(size // 2))], sigmoid(x[(*before, slice(size // 2, None))])
    return a * s, lambda g: np.concatenate([g * s, g * a * s * (1 - s)], axis)
