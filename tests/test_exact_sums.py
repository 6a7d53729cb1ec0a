"""Sums are as exact as torch's: float16 is added up in float32, long columns in blocks, running sums in a wider type."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg
from minigrad.arrays.sums import total

from .twins import same_as_torch


def random(*shape: int) -> np.ndarray:
    return np.random.RandomState(0).uniform(0.1, 0.3, shape).astype(np.float32)


HALVES = [("sum", (0,)), ("sum", (1,)), ("mean", ()), ("mean", (0,)), ("var", ()), ("std", (0,)), ("norm", ()), ("norm", (1, 0)),
          ("norm", (3, 1)), ("prod", (1,)), ("cumsum", (0,)), ("softmax", (0,)), ("log_softmax", (0,)), ("logsumexp", (0,))]


@pytest.mark.parametrize(("function", "arguments"), HALVES)
def test_float16(function: str, arguments: Any) -> None:
    """Value and gradient are right to the last digit; in float16 throughout, they were off by a tenth, infinite or nan."""
    array = (random(2000, 30) + 1).astype(np.float16)
    theirs, ours = torch.from_numpy(array).double().requires_grad_(), mg.from_numpy(array).requires_grad_()
    expected, actual = (getattr(x, function)(*arguments) for x in (theirs, ours))
    weights = np.asarray(np.arange(1, actual.numel() + 1).reshape(actual.shape) % 2)
    expected.backward(torch.from_numpy(weights).double()), actual.backward(mg.from_numpy(weights).half())
    assert actual.dtype == ours.grad.dtype == mg.float16
    assert actual.grad_fn.name() == expected.grad_fn.name()
    np.testing.assert_allclose(actual.array, expected.detach().numpy(), 1e-3)
    np.testing.assert_allclose(ours.grad.array, theirs.grad.numpy(), 1e-3, max(1e-3 * float(theirs.grad.abs().max()), 6e-8))


@same_as_torch
def test_mean_of_large_float16(m: Any) -> Any:
    return m.full((2000,), 100.0, dtype=m.float16).mean()


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_losses_of_float16(reduction: str) -> None:
    @same_as_torch
    def scenario(m: Any) -> Any:
        x, y = (m.from_numpy(random(500, 10).astype(np.float16) * scale).requires_grad_() for scale in (300, 1))
        functions = m.nn.functional
        losses = [functions.mse_loss(x, y, reduction=reduction) / 8, functions.huber_loss(x, y, reduction=reduction),
                  functions.cross_entropy(y, m.arange(500) % 10, reduction=reduction)]  # fmt: skip
        return losses, m.autograd.grad(losses[1], (x, y))

    scenario()


@pytest.mark.parametrize(("shape", "dim"), [((300_000, 3), 0), ((2, 100_000, 3), 1), ((1000, 300, 3), (0, 1)), ((1025, 2), 0),
                                            ((513, 2), 0), ((3, 0, 2), 1), ((0, 5), 0), ((4, 3, 2), (1, 0)), ((), ())])  # fmt: skip
def test_long_columns(shape: tuple[int, ...], dim: Any) -> None:
    x = random(*shape)
    for keepdim in (False, True):
        for function in ("sum", "mean"):
            expected = getattr(torch.from_numpy(x).double(), function)(dim, keepdim).numpy()
            actual = getattr(mg.from_numpy(x), function)(dim, keepdim)
            assert actual.shape == expected.shape
            np.testing.assert_allclose(actual.array, expected, 1e-6)


@pytest.mark.parametrize(("shape", "dtype"), [((3,), "float32"), ((1, 3), "float32"), ((3,), "float16")])
def test_gradients_of_many_rows(shape: tuple[int, ...], dtype: str) -> None:
    """What was broadcast gets the sum of its gradients as exactly."""
    g = random(100_000, 3).astype(dtype) / (1 if dtype == "float32" else 100)
    x = mg.zeros(shape, dtype=getattr(mg, dtype), requires_grad=True)
    (mg.zeros(100_000, 3, dtype=x.dtype) + x).backward(mg.from_numpy(g.astype(dtype)))
    np.testing.assert_allclose(x.grad.array.ravel(), g.astype(np.float64).sum(0), 1e-6 if dtype == "float32" else 1e-3)


@pytest.mark.parametrize("function", ["var", "std"])
def test_spread_of_long_columns(function: str) -> None:
    x = random(300_000, 3)
    expected = getattr(torch.from_numpy(x).double(), function)(0).numpy()
    np.testing.assert_allclose(getattr(mg.from_numpy(x), function)(0).array, expected, 2e-6)


@pytest.mark.parametrize("layout", [lambda x: x, lambda x: x.T, lambda x: x[:, ::2], lambda x: x[::-1]])
def test_total_of_other_layouts(layout: Any) -> None:
    x = layout(random(6, 4))
    for axes in ((0,), (1,), (0, 1), (1, 0)):
        np.testing.assert_allclose(total(x, axes), x.sum(axes), 1e-6)
        assert total(x, axes, True).shape == x.sum(axes, keepdims=True).shape


@pytest.mark.parametrize("dim", [0, 1])
def test_long_running_sums(dim: int) -> None:
    x = random(1_000_000, 2) if dim == 0 else random(2, 1_000_000)
    np.testing.assert_allclose(mg.from_numpy(x).cumsum(dim).array, x.cumsum(dim, dtype=np.float64), 1e-7)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_quotients_and_remainders_are_exact(dtype: str) -> None:
    """As torch's to the last bit, for quotients of any size, on the edge of whole numbers, and beyond numbers."""

    @same_as_torch
    def scenario(m: Any) -> Any:
        rng = np.random.RandomState(0)
        a = np.concatenate([rng.uniform(-9, 9, 500), rng.randint(-50, 50, 500) * 0.1, 10.0 ** rng.uniform(-4, 12, 200)])
        b = np.concatenate([rng.choice([0.1, 0.3, -0.7, 2.5], 1000), rng.choice([0.7, -3.1], 200)])
        count = 1000 if dtype == "float16" else None  # torch's own large ones are off by several units in float16
        x, y = (m.from_numpy(each[:count].astype(dtype)) for each in (a, b))
        edge = m.tensor([1.0, -1.0, 0.0, np.inf, np.nan, 5.0], dtype=getattr(m, dtype))
        divisors = m.tensor([0.0, 0.5, 2.0, 2.0, 2.0, np.inf]).to(edge.dtype)
        return [each.tolist() for each in (x // y, x % y, x // 0.5, x % 0.75, m.div(x, y, rounding_mode="floor"), edge // 0.0,
                edge % divisors, 5 // edge[:2], 5 % edge[:2])]  # fmt: skip

    scenario()


@pytest.mark.parametrize(("dtype", "rtol"), [("float32", 5e-7), ("float64", 5e-15)])
def test_functions_near_zero_and_far_away(dtype: str, rtol: float) -> None:
    """What is computed by a detour keeps its digits for small numbers and for large ones."""
    x = np.concatenate([[0.0], *(sign * 10.0 ** np.linspace(-30, 1.7, 200) for sign in (1, -1))]).astype(dtype)
    ours, theirs = mg.from_numpy(x), torch.from_numpy(x.astype(np.float64))
    functions = mg.nn.functional, torch.nn.functional
    for call in (lambda f, m, x: m.erf(x), lambda f, m, x: f.elu(x), lambda f, m, x: f.selu(x), lambda f, m, x: f.logsigmoid(x),
                 lambda f, m, x: f.softplus(x), lambda f, m, x: f.softplus(x, 2.0, 5.0), lambda f, m, x: f.leaky_relu(x, 1.5),
                 lambda f, m, x: f.smooth_l1_loss(x, x * 0, reduction="none", beta=0.3),
                 lambda f, m, x: f.huber_loss(x, x * 0, reduction="none", delta=2.0)):  # fmt: skip
        expected = call(functions[1], torch, theirs).numpy()
        np.testing.assert_allclose(call(functions[0], mg, ours).array, expected, rtol, np.finfo(dtype).tiny)


@same_as_torch
def test_large_integers_are_added_exactly(m: Any) -> Any:
    big = m.tensor([2**60 + 1, 1, 2**60 + 1])
    return m.zeros(2, dtype=m.int64).scatter_add(0, m.tensor([0, 0, 1]), big)


@pytest.mark.parametrize("equation", ["ij,j->j", "i,j->", "i,j->j", "ij->", "j,j->j"])
def test_einsum_sums_integers_without_overflow(equation: str) -> None:
    @same_as_torch
    def scenario(m: Any) -> Any:
        def result(dtype: Any) -> Any:
            sizes = ["ij".index(i) + 2 for i in equation.partition(",")[0].partition("-")[0]], [3]
            return m.einsum(equation, *(m.full(size, 200).to(dtype) for size in sizes[: equation.count(",") + 1]))

        return [result(dtype) for dtype in (m.bool, m.uint8, m.int32, m.float16)]

    scenario()


@same_as_torch
def test_sums_of_a_depthwise_convolution_in_float16_are_rounded_once(m: Any) -> Any:
    x, weight = m.ones(4, 2, 64, 64, dtype=m.float16), m.ones(2, 1, 1, 1, dtype=m.float16, requires_grad=True)
    y = m.nn.functional.conv2d(x, weight, groups=2)
    y.backward(m.full_like(y, 2**-9))
    wide = m.nn.functional.conv2d(x[:1, :, :60, :60], m.full((2, 1, 60, 60), 2**-10, dtype=m.float16), groups=2)
    return weight.grad, wide


@pytest.mark.parametrize("name", ["layer_norm", "group_norm"])
def test_normalisation_of_long_rows(name: str) -> None:
    """Of a million elements: torch errs by 1e-6; added up one after the other they erred by 1e-5."""

    def normalised(m: Any, dtype: type) -> Any:
        random = np.random.RandomState(0)
        x, g = ((random.standard_normal((2, 10**6)) * 3 + shift).astype(np.float32).astype(dtype) for shift in (5, 0))
        x = m.from_numpy(x).requires_grad_()
        function = getattr(m.nn.functional, name)
        y = function(x, (10**6,)) if name == "layer_norm" else function(x[None], 2)[0]
        y.backward(m.from_numpy(g))
        return y.detach().numpy(), x.grad.numpy()

    for ours, exact in zip(normalised(mg, np.float32), normalised(torch, np.float64), strict=True):
        np.testing.assert_allclose(ours, exact, 0, 2e-6)
