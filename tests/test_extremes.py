"""Where numbers end: nan, infinities, zeros with a sign, kinks, and terms that leave the range of their dtype; as in torch."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg

from .twins import exact, same_as_torch, same_outcomes, with_gradient


def addmm(m: Any, **options: Any) -> Any:
    """A matrix with a nan, added to a product; beta = 0 leaves the nan out."""
    c = m.tensor([[nan, 1.0], [2.0, inf]], requires_grad=True)
    y = m.addmm(c, m.ones(2, 3), m.ones(3, 2), **options)
    y[1, 0].backward()
    return y, c.grad


test_values = same_outcomes({
    "addmm": addmm, "addmm beta=0": lambda m: addmm(m, beta=0), "addmm beta=2": lambda m: addmm(m, beta=2),
    "sign of nan": lambda m: m.tensor([nan, -inf, -0.0, 3.0]).sign(),
    "zero with a sign": lambda m: (1 / (m.tensor([-1.0, 1.0, -4.0]) % 1), 1 / (m.tensor([-1.0, 2.0]).double() % -1)),
    "remainder by infinity": lambda m: (m.tensor([2.0, -1.0]) % inf, m.tensor([2, -1], dtype=m.int8) % inf, m.ones(1) % -inf),
    "floor by infinity": lambda m: (m.tensor([2.0, -1.0]) // inf, m.tensor([-3]).div(inf, rounding_mode="floor")),
    "nothing by zero": lambda m: (m.zeros(0, dtype=m.int64) // 0, m.zeros(0, 3, dtype=m.int32) % m.zeros(3, dtype=m.int32)),
    "negative powers": lambda m: (m.tensor([-1, 0, 1, 2]) ** m.tensor([[-3], [-2], [3]]), 3 ** m.tensor([-1, 0, 2])),
    "negative power of nothing": lambda m: m.zeros(0, dtype=m.int64) ** -1, "power of a byte": lambda m: m.ones(1).byte() ** -1,
    "lerp to infinity": lambda m: (m.zeros(2).lerp(m.tensor([inf, -inf]), 0.7), m.zeros(2).lerp(m.ones(2), 0.3)),
})  # fmt: skip


def test_log1p_keeps_the_sign_of_zero() -> None:
    for dtype in ("float16", "float32", "float64"):
        value, expected = (m.log1p(m.tensor([0.0, -0.0], dtype=getattr(m, dtype))).numpy() for m in (mg, torch))
        assert np.signbit(value).tolist() == np.signbit(expected).tolist() == [False, True]


def at_corners(m: Any, function: Callable[..., Any]) -> Any:
    """The gradient of a function where it has no derivative in the mathematical sense."""
    x = m.tensor([nan, inf, -inf, 0.0, -0.0, 1.0], requires_grad=True)
    y = function(m, x)
    y.sum().backward()
    return y, x.grad


def assigned_to(x: Any, value: Any) -> Any:
    x[None] = value
    return x


test_gradients_at_corners = same_outcomes({
    name: lambda m, function=function: at_corners(m, function) for name, function in {
        "abs": lambda m, x: x.abs(), "norm 1": lambda m, x: x.norm(1), "norm inf": lambda m, x: x.norm(inf),
        "norm 3": lambda m, x: x.norm(3),
        "norm 0 of rows": lambda m, x: x.reshape(2, 3).norm(0, dim=0) + x.reshape(2, 3).sum(0),
        "elu": lambda m, x: m.nn.functional.elu(x, 0.5),
        "selu": lambda m, x: m.nn.functional.selu(x), "relu6": lambda m, x: m.nn.functional.relu6(x),
        "atan2": lambda m, x: m.atan2(x, m.zeros(6)), "atan2 below": lambda m, x: m.atan2(m.zeros(6), x),
        "clamp": lambda m, x: m.clamp(m.ones(6), max=x), "clamp from below": lambda m, x: m.clamp(m.ones(6), x),
        "assignment": lambda m, x: assigned_to(m.zeros(2, dtype=m.float64), x[5]),
        "addcdiv": lambda m, x: m.ones(6).addcdiv(x, x + 1, value=2), "lerp": lambda m, x: m.lerp(x, x * 2, x)}.items()
})  # fmt: skip


@pytest.mark.parametrize("function", ["relu", "clamp", "hardtanh", "max"])
def test_an_infinite_gradient_stays_where_it_belongs(function: str) -> None:
    @same_as_torch
    def scenario(m: Any) -> Any:
        x = m.tensor([-1.0, 0.0, 4.0, 0.5], requires_grad=True)
        y = {"relu": x.relu, "clamp": lambda: x.clamp(min=0), "hardtanh": lambda: m.nn.functional.hardtanh(x, 0, 5),
             "max": lambda: (x * 0).max()}[function]()  # fmt: skip
        y.sqrt().sum().backward()
        return x.grad

    scenario()


@same_as_torch
def test_gradients_whose_terms_leave_the_range(m: Any) -> Any:
    """Neither b² of a quotient nor the zero of a product may take the gradient along."""
    quotients = []
    for a, b, dtype in (1e3, 300.0, m.float16), (1e-3, 1e-3, m.float16), (1e30, 1e20, m.float32), (1e-30, 1e-25, m.float32):
        x, y = (m.tensor([n], dtype=dtype, requires_grad=True) for n in (a, b))
        quotients += m.autograd.grad((x / y).sum(), (x, y))
    products = []
    for zeros in [], [3], [3, 70]:
        x = m.arange(1.0, 101) / 50
        x[zeros] = 0
        x.requires_grad_()
        products += m.autograd.grad(x.prod(), x) + m.autograd.grad((x.reshape(4, 25).prod(0) * m.arange(25.0)).sum(), x)
    return quotients, products


def curvature(m: Any, function: Callable[[Any], Any]) -> Any:
    """The second derivative at a kink and beside it."""
    x = m.tensor([-1.0, 0.0, 1.0], requires_grad=True)
    (slope,) = m.autograd.grad(function(x).sum(), x, create_graph=True)
    return m.autograd.grad(slope.sum(), x)


test_second_derivatives_at_a_kink = same_outcomes({
    "elu": lambda m: curvature(m, lambda x: m.nn.functional.elu(x, 0.5)), "selu": lambda m: curvature(m, m.nn.functional.selu),
})  # fmt: skip


@same_as_torch
def test_second_derivatives_at_extremes(m: Any) -> Any:
    """Where the value, or a square of x, is infinite or zero."""
    x = m.tensor([0.0, 1e-30, -1e-30, 1e30, 800.0, inf, -inf, 2.0], requires_grad=True)
    found = []
    for function in (m.cosh, m.sinh, lambda x: x**-1, lambda x: x**-2, lambda x: x**3, lambda x: x.clamp(min=0) ** 0.5):
        (g,) = m.autograd.grad(function(x).sum(), x, create_graph=True)
        found += [g.detach(), *m.autograd.grad(g.sum(), x)]
    return found


@pytest.mark.parametrize("zeros", [False, True])
def test_product_twice_differentiated(zeros: bool) -> None:
    @same_as_torch
    def scenario(m: Any) -> Any:
        x = m.tensor([1.5, -2.0, 0.0 if zeros else 0.5, 3.0], dtype=m.float64, requires_grad=True)
        (g,) = m.autograd.grad(x.prod(), x, create_graph=True)
        return g.detach(), *m.autograd.grad((g * g).sum(), x)

    scenario()


def zeros(m: Any, dtype: str, first: float) -> Any:
    return m.tensor([first, -first, inf, -1.0, 1.0], dtype=getattr(m, dtype))


ZEROS: dict[str, Callable[[Any, Any], Any]] = {
    "relu": lambda m, x: m.relu(x), "relu_": lambda m, x: m.nn.functional.relu(x.clone(), inplace=True),
    "elu": lambda m, x: m.nn.functional.elu(x), "selu": lambda m, x: m.nn.functional.selu(x),
    "clamp to 0": lambda m, x: x.clamp(0, 1),
    "clamp from -0.": lambda m, x: x.clamp(min=-0.0), "clamp from 0": lambda m, x: x.clamp(min=0),
    "clamp up to 0": lambda m, x: x.clamp(max=0),
    "clamp up to -0.": lambda m, x: x.clamp(max=-0.0), "clamp from tensors": lambda m, x: m.clamp(x, -x),
    "clamp up to tensors": lambda m, x: m.clamp(x, max=-x), "clamp between tensors": lambda m, x: m.clamp(x, -x, -x),
    "maximum": lambda m, x: m.maximum(x, -x), "minimum": lambda m, x: m.minimum(x, -x), "cumsum": lambda m, x: x.cumsum(0),
    "gradient of relu": lambda m, x: with_gradient(m.relu, x),
}  # fmt: skip


@same_as_torch
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", ZEROS)
def test_signs_of_zeros(m: Any, name: str, dtype: str) -> Any:
    return exact([ZEROS[name](m, zeros(m, dtype, first)) for first in (0.0, -0.0)])


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("values", [1, 2, 10])
def test_indices_of_equal_elements(values: int, largest: bool) -> None:
    """Which of them `topk` picks is decided by the algorithm: by a heap for few of many, else by parting,
    and then in lots of 16."""

    @same_as_torch
    def scenario(m: Any) -> Any:
        random, results = np.random.RandomState(0), []
        for size in (1, 2, 3, 5, 16, 17, 40, 130, 1000):
            numbers = random.randint(0, values, size).astype(np.float32)
            some_nan = np.where(random.uniform(size=size) < 0.1, nan, numbers).astype(np.float32)
            for row in numbers, np.sort(numbers), some_nan, numbers.astype(np.int64):
                results += [m.from_numpy(row).topk(k, largest=largest).indices for k in sorted({0, 1, size // 3, size // 80, size})]
        return results

    scenario()


@same_as_torch
def test_indices_of_equal_elements_along_a_dimension(m: Any) -> Any:
    x = m.from_numpy(np.random.RandomState(0).randint(0, 3, (5, 4, 6)).astype(np.float64))
    return [x.topk(3, dim).indices for dim in range(3)], m.ones(5).topk(2).indices, m.tensor(3.0).topk(1).indices


def test_selection_where_its_luck_runs_out() -> None:
    """A row made so that each partition parts little: the algorithms change to a heap (the killer sequence of Musser, 1997)."""
    half = 400
    killer = [i + 1 if i % 2 == 0 else half + i + (half % 2) for i in range(half)] + list(range(2, 2 * half + 1, 2))
    row = np.asarray(killer, np.float32) // 4
    for k in 300, 700:
        expected, actual = torch.from_numpy(row).topk(k, largest=False), mg.from_numpy(row).topk(k, largest=False)
        assert actual.indices.tolist() == expected.indices.tolist()


test_products_of_nothing = same_outcomes({
    f"{a} by {b}": lambda m, a=a, b=b: with_gradient(m.matmul, m.ones(a), m.ones(b))
    for a, b in (((2, 0), (0, 3)), ((0, 2), (2, 3)), ((0,), (0,)), ((0, 2, 3), (3,)), ((0, 2, 3), (3, 4)), ((5, 2, 0), (5, 0,
    3)), ((2, 0), (0,)),
                 ((0,), (0, 3)), ((3, 0, 4), (4, 2)), ((0, 4, 0), (0, 2)), ((0, 4, 0), (0, 0)))
} | {f"linear of {shape}": lambda m, shape=shape: with_gradient(m.nn.functional.linear, m.ones(shape), m.ones(4, shape[-1]),
m.ones(4))
     for shape in ((0, 3), (2, 0), (2, 0, 3), (0, 2, 0))})  # fmt: skip

test_products_of_a_number = same_outcomes({
    str(number): lambda m, number=number: [with_gradient(lambda x: x.prod(), m.tensor(number)),
    with_gradient(lambda x: x.prod(0), m.tensor(number))]
    for number in (3.0, 0.0, inf, nan)
})  # fmt: skip

test_strictness = same_outcomes({
    "rtol below 0": lambda m: m.isclose(m.ones(2), m.ones(2), rtol=-1),
    "atol below 0": lambda m: m.allclose(m.ones(2), m.ones(2), atol=-1),
    "k is a bool": lambda m: m.ones(4).topk(True), "k is a tensor": lambda m: m.arange(4.0).topk(m.tensor(2)).values,
    "largest is a number": lambda m: m.ones(4).topk(2, largest=1),
    "sorted is None": lambda m: m.ones(4).topk(2, sorted=None), "k is a float": lambda m: m.ones(4).topk(2.0),
    "delta of 0": lambda m: m.nn.functional.huber_loss(m.ones(2), m.ones(2), delta=0),
    "mask and causal": lambda m: m.nn.functional.scaled_dot_product_attention(*[m.ones(1, 2, 2)] * 3, attn_mask=m.ones(2,
    2).bool(), is_causal=True),
    "mask and causal, by heads": lambda m: m.nn.functional.scaled_dot_product_attention(*[m.ones(1, 1, 2, 2)] * 3,
    attn_mask=m.ones(2, 2).bool(), is_causal=True),
    "no inputs": lambda m: m.autograd.grad(m.ones(2, requires_grad=True).sum(), []),
})  # fmt: skip
