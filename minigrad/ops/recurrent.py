"""Recurrent networks: a step in time for each kind, and `scan`, which repeats the step along a sequence.

A step takes `x` and `a`, the contributions of the input and of the hidden state to the gates, of shape (batch, gates · size), and
the states, each (batch, size), the hidden one first. It returns the new states, and a function that turns their gradients into
those of `x`, of `a`, and of the old states as far as they are used beside `a`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Array
from minigrad.arrays.sums import sum_rows
from minigrad.autograd import is_grad_enabled, op, raw
from minigrad.ops import elementwise

Step = Callable[..., Any]

# The bodies of operations, which give a value and its derivative.
sigmoid, tanh, relu = (getattr(elementwise, name).op.body for name in ("sigmoid", "tanh", "relu"))


def rnn_tanh(x: Array, a: Array, h: Array, activation: Step = tanh) -> Any:
    """h' = tanh(x + a) (Elman, 1990)."""
    out, to_sum = activation(x + a)

    def back(dh: Array) -> Any:
        d = to_sum(dh)
        return d, d, 0

    return (out,), back


def rnn_relu(x: Array, a: Array, h: Array) -> Any:
    """h' = relu(x + a)."""
    return rnn_tanh(x, a, h, relu)


def lstm(x: Array, a: Array, h: Array, c: Array) -> Any:
    """c' = f c + i g and h' = o tanh(c'), the gates i, f, g, o in this order (Hochreiter and Schmidhuber, 1997).

    Of s = x + a, i, f and o take the sigmoid, g takes the hyperbolic tangent. One sigmoid serves all: that of 2 s is what the
    derivative of tanh(s) = 2 sigmoid(2 s) - 1 is made of. The value is not, since near 0 nothing would be left of its digits.
    """
    n, s = c.shape[-1], x + a
    y = 1 / (1 + np.exp(s * _minus_twice_for_g(n, raw(c).dtype)))
    i, f, g, o = y[:, :n], y[:, n : 2 * n], np.tanh(s[:, 2 * n : 3 * n]), y[:, 3 * n :]
    new = f * c + i * g
    t, to_new = tanh(new)

    def back(dh: Array, dc: Array) -> Any:
        dc = dc + to_new(dh * o)
        d = np.concatenate([dc * g, dc * c, 4 * (dc * i), dh * t], -1) * ((1 - y) * y)
        return d, d, 0, dc * f

    return (o * t, new), back


@functools.lru_cache(maxsize=64)
def _minus_twice_for_g(n: int, dtype: Any) -> np.ndarray[Any, Any]:
    return np.repeat(np.array([-1, -1, -2, -1], dtype), n)


def gru(x: Array, a: Array, h: Array) -> Any:
    """h' = n + z (h - n) with n = tanh(x + r a), the gates r, z, n in this order (Cho et al., 2014)."""
    k = h.shape[-1]
    rz, to_rz = sigmoid(x[:, : 2 * k] + a[:, : 2 * k])
    r, z, from_h = rz[:, :k], rz[:, k:], a[:, 2 * k :]
    n, to_n = tanh(x[:, 2 * k :] + r * from_h)
    change = h - n

    def back(dh: Array) -> Any:
        dn = to_n(dh * (1 - z))
        d = to_rz(np.concatenate([dn * from_h, dh * change], -1))
        return np.concatenate([d, dn], -1), np.concatenate([d, dn * r], -1), dh * z

    return (n + z * change,), back


@op
def scan(*tensors: Array, step: Step, reverse: bool = False) -> Any:
    """A recurrent layer in one direction.

    One operation for all moments: its derivatives share one walk back through time, and the weight's is a single product.
    All that is done to a moment is done to whole arrays by `step`, so a derivative of a derivative can follow.

    Parameters
    ----------
    *tensors
        What the input gives to the gates, (length, batch, gates · size); the weight (gates · size, size) and the bias
        (gates · size, or the number 0.0) by which the hidden state does; each state before the first moment, (batch, size).
    step : function
        See the head of this module.
    reverse : bool
        Begin with the last moment.

    Returns
    -------
    array of shape (length + states - 1, batch, size)
        The hidden states of all moments; after them, the other states as they are at the end.
    """
    x, weight, bias, *state = tensors
    moments = range(len(x))[:: -1 if reverse else 1]
    hidden, backs = [state[0]], []
    last: list[Any] = [None, None]
    for t in moments:
        state, back = step(x[t], np.dot(state[0], weight.T) + bias, *state)
        hidden.append(state[0])
        if is_grad_enabled():  # or memory would grow with the length
            backs.append(back)

    def in_time(values: list[Array]) -> list[Array]:
        return values[::-1] if reverse else values

    def derivatives(g: Array) -> Any:
        """Of x, of what the hidden states give to the gates, and of the states at the start; kept for the next rule."""
        if last[0] is g:
            return last[1]
        dxs, das, dh, others = [], [], 0, [g[k] for k in range(len(moments), len(g))]
        for t, back in zip(moments[::-1], backs[::-1], strict=True):
            dx, da, direct, *others = back(g[t] + dh, *others)
            dh = np.dot(da, weight) + direct
            dxs.append(dx)
            das.append(da)
        dx = np.concatenate(in_time(dxs[::-1]))
        da = dx if das[0] is dxs[0] else np.concatenate(in_time(das[::-1]))
        last[:] = g, (dx.reshape(x.shape), da, dh, *others)
        return last[1]

    return (
        np.concatenate([*in_time(hidden[1:]), *state[1:]]).reshape(len(x) + len(state) - 1, *state[0].shape),
        lambda g: derivatives(g)[0],
        lambda g: np.dot(derivatives(g)[1].T, np.concatenate(in_time(hidden[:-1]))),
        lambda g: sum_rows(derivatives(g)[1]),
        *[lambda g, k=k: derivatives(g)[k] for k in range(2, 2 + len(state))],
    )
