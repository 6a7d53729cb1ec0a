"""Random programs of a dozen operations: minigrad and torch run the same one and must end with the same numbers.

The operations are smooth: where a graph lands within rounding error of a kink or a tie, two right answers differ.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg

Shape = tuple[int, ...]


def broadcast(a: Shape, b: Shape) -> bool:
    try:
        return prod(np.broadcast_shapes(a, b)) <= 64
    except ValueError:
        return False


def into(a: Shape, b: Shape) -> bool:
    """Whether b can be written into a."""
    return broadcast(a, b) and np.broadcast_shapes(a, b) == a


def always(a: Shape, b: Shape) -> bool:
    return True


def matrix(a: Shape, b: Shape) -> bool:
    return len(a) >= 2


def vector(a: Shape, b: Shape) -> bool:
    return len(a) >= 1


def small(a: Shape, b: Shape) -> bool:
    return len(a) < 3 and prod(a) <= 32


def scaled(x: Any, y: Any) -> Any:
    x *= y
    return x


def assigned(x: Any, y: Any) -> Any:
    x[...] = y
    return x


def first_assigned(x: Any, y: Any) -> Any:
    x[0] = y
    return x


# When an operation applies to operands of these shapes, and what it does. Results stay small: no value can run away.
OPERATIONS: dict[str, tuple[Callable[[Shape, Shape], bool], Callable[[Any, Any, Any], Any]]] = {
    "add": (broadcast, lambda m, x, y: (x + y) / 2),
    "sub": (broadcast, lambda m, x, y: x - 0.5 * y),
    "mul": (broadcast, lambda m, x, y: x * y),
    "div": (broadcast, lambda m, x, y: x / (1.5 + y * y)),
    "pow": (always, lambda m, x, y: (x * x + 0.5) ** 1.5 / 8),
    "where": (broadcast, lambda m, x, y: m.where(m.ones_like(x).cumsum(0) > 1 if x.ndim else m.tensor(True), x, y)),
    "tanh": (always, lambda m, x, y: x.tanh()),
    "exp": (always, lambda m, x, y: (-x * x).exp()),
    "log": (always, lambda m, x, y: m.log1p(x * x)),
    "sqrt": (always, lambda m, x, y: m.sqrt(x * x + 1) - 1),
    "sin": (always, lambda m, x, y: m.sin(x)),
    "sum": (vector, lambda m, x, y: x.sum(0) / x.shape[0]),
    "mean": (vector, lambda m, x, y: x.mean(-1, keepdim=True)),
    "whole mean": (always, lambda m, x, y: x.mean()),
    "var": (vector, lambda m, x, y: x.var(-1, unbiased=False)),
    "cumsum": (vector, lambda m, x, y: x.cumsum(-1) / x.shape[-1]),
    "logsumexp": (vector, lambda m, x, y: x.logsumexp(0) / 4),
    "softmax": (vector, lambda m, x, y: x.softmax(-1)),
    "log_softmax": (vector, lambda m, x, y: x.log_softmax(0) / 4),
    "matmul": (lambda a, b: len(a) == 2 == len(b) and a[1] == b[0], lambda m, x, y: (x @ y).tanh()),
    "gram": (matrix, lambda m, x, y: (x @ x.mT).tanh()),
    "transpose": (matrix, lambda m, x, y: x.transpose(0, -1)),
    "reshape": (always, lambda m, x, y: x.reshape(-1)),
    "unsqueeze": (small, lambda m, x, y: x.unsqueeze(-1)),
    "squeeze": (always, lambda m, x, y: x.squeeze()),
    "expand": (small, lambda m, x, y: x.expand(2, *x.shape)),
    "flip": (vector, lambda m, x, y: x.flip(0)),
    "cat": (lambda a, b: a == b and vector(a, b) and prod(a) <= 32, lambda m, x, y: m.cat([x, y, x])[: 2 * x.shape[0]]),
    "stack": (lambda a, b: a == b and small(a, b), lambda m, x, y: m.stack([x, y], -1)),
    "index": (vector, lambda m, x, y: x[-1]),
    "slice": (vector, lambda m, x, y: x[..., ::2]),
    "fancy": (lambda a, b: vector(a, b) and a[0] <= 4, lambda m, x, y: x[[0, -1, 0]]),
    "mask": (vector, lambda m, x, y: x[m.arange(x.shape[0]) % 2 == 0]),
    "scale in place": (into, lambda m, x, y: scaled(x.clone(), y)),
    "scale what others read": (into, lambda m, x, y: x if x.is_leaf or x._base is not None else scaled(x, y)),
    "assign": (into, lambda m, x, y: assigned(x * 1, y)),
    "assign first": (lambda a, b: vector(a, b) and into(a[1:], b), lambda m, x, y: first_assigned(x.clone(), y)),
}  # fmt: skip
NAMES = list(OPERATIONS)
LEAVES: list[Shape] = [(2, 3), (3,), (), (3, 2), (2, 1)]

programs = st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 15), st.integers(0, 15)), min_size=4, max_size=16)


def run(m: Any, program: list[tuple[str, int, int]], seed: int) -> tuple[list[Any], list[Any]]:
    """Leaves of the program, and everything it computed, after backward from the last five results."""
    random = np.random.RandomState(seed)
    leaves = [m.from_numpy(np.asarray(random.uniform(-1, 1, shape))).requires_grad_() for shape in LEAVES]
    pool = list(leaves)
    for name, i, j in program:
        x, y = pool[i % len(pool)], pool[j % len(pool)]
        applies, operation = OPERATIONS[name]
        if applies(tuple(x.shape), tuple(y.shape)):
            pool.append(operation(m, x, y))
    loss = sum((k + 1) * each.sum() for k, each in enumerate(pool[-5:]))
    loss.backward()
    return leaves, [*pool, loss]


def compare(program: list[tuple[str, int, int]], seed: int) -> None:
    try:
        their_leaves, expected = run(torch, program, seed)
    except RuntimeError as error:
        if "inplace" in str(error):  # memory that torch's derivative needs was overwritten: ours may do without it
            return
        raise
    our_leaves, actual = run(mg, program, seed)
    for ours, theirs in zip(actual, expected, strict=True):
        assert tuple(ours.shape) == tuple(theirs.shape)
        np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), 1e-9, 1e-12)
    for ours, theirs in zip(our_leaves, their_leaves, strict=True):
        assert (ours.grad is None) == (theirs.grad is None)
        if theirs.grad is not None:
            np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), 1e-9, 1e-12)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(program=programs, seed=st.integers(0, 1000))
def test_random_graph_agrees_with_torch(program: list[tuple[str, int, int]], seed: int) -> None:
    compare(program, seed)
