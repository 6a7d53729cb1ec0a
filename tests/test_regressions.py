"""Faults that were found by reading and by trying, each in the smallest form in which it was seen; as in torch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg
from tests.twins import raised, same_as_torch


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


@pytest.mark.parametrize("index", ["numbers", "mask", "einsum"])
def test_operands_behind_lists_and_inner_functions_are_watched(index: str) -> None:
    @same_as_torch
    def scenario(m: Any) -> Any:
        x = m.arange(3.0).requires_grad_()
        other = m.tensor([0, 1]) if index == "numbers" else m.tensor([True, False, True]) if index == "mask" else m.ones(3)
        y = m.einsum("i,i->i", x, other) if index == "einsum" else x[other]
        other.logical_not_() if index == "mask" else other.add_(1)
        return raised(lambda: y.sum().backward())

    scenario()


def test_a_replay_refuses_inputs_that_were_overwritten() -> None:
    """torch reads relu's result instead and can answer; here an error takes the place of a wrong number."""
    x = mg.tensor([-1.0, 2.0], requires_grad=True)
    h = x.clone()
    y = h.relu()
    h.mul_(-1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        mg.autograd.grad(y.sum(), x, create_graph=True)


@pytest.mark.parametrize("function", ["floor", "ceil", "trunc", "round", "sign"])
def test_results_of_steps_may_be_overwritten(function: str) -> None:
    @same_as_torch
    def scenario(m: Any) -> Any:
        x = m.tensor([0.5, -1.5], requires_grad=True)
        y = getattr(x, function)()
        y.add_(1)
        y.sum().backward()
        return x.grad, y.detach()

    scenario()


@same_as_torch
def test_assignment_takes_integers_first(m: Any) -> Any:
    x, value = m.zeros(2, 3, 3), m.arange(9.0).reshape(3, 3)
    x[0, :, [0, 2, 1]] = value
    x[..., 1, [0, 1]] = 7.0
    return x


@pytest.mark.parametrize("dtype", ["int8", "bool", "int64", "float64"])
def test_dtype_of_sums(dtype: str) -> None:
    @same_as_torch
    def scenario(m: Any) -> Any:
        x, kind = m.tensor([[1, 0, 3], [4, 5, 0]], dtype=m.int8), getattr(m, dtype)
        return x.sum(dtype=kind), x.sum(0, dtype=kind), x.prod(1, dtype=kind), m.ones(3).sum(dtype=kind).dtype

    scenario()


@same_as_torch
def test_no_grad_around_a_generator(m: Any) -> Any:
    @m.no_grad()
    def numbers() -> Any:
        received = yield m.is_grad_enabled()
        yield received, m.is_grad_enabled()

    generator = numbers()
    return next(generator), m.is_grad_enabled(), generator.send(5), m.is_grad_enabled()


@same_as_torch
def test_inference_mode(m: Any) -> Any:
    with m.inference_mode():
        inside = m.is_grad_enabled()
    with m.inference_mode(False):
        return inside, m.is_grad_enabled()


@same_as_torch
def test_large_integers_are_added_exactly(m: Any) -> Any:
    big = m.tensor([2**60 + 1, 1, 2**60 + 1])
    return m.zeros(2, dtype=m.int64).scatter_add(0, m.tensor([0, 0, 1]), big)


@pytest.mark.parametrize("function", ["argmax", "argmin", "prod"])
def test_one_dimension_where_several_mean_nothing(function: str) -> None:
    @same_as_torch
    def scenario(m: Any) -> Any:
        return raised(lambda: getattr(m.ones(2, 3), function)((0, 1)))

    scenario()


@same_as_torch
def test_exclusive_or_in_place(m: Any) -> Any:
    a = m.tensor([True, False])
    b = a
    b ^= m.tensor([True, True])
    return a, b is a


@pytest.mark.parametrize("zeros", [False, True])
def test_product_twice_differentiated(zeros: bool) -> None:
    @same_as_torch
    def scenario(m: Any) -> Any:
        x = m.tensor([1.5, -2.0, 0.0 if zeros else 0.5, 3.0], dtype=m.float64, requires_grad=True)
        (g,) = m.autograd.grad(x.prod(), x, create_graph=True)
        return g.detach(), *m.autograd.grad((g * g).sum(), x)

    scenario()


@same_as_torch
def test_a_bias_of_many_rows_or_of_another_dtype(m: Any) -> Any:
    x, w, b = m.ones(2, 3), m.ones(4, 3), m.zeros(2, 4, requires_grad=True)
    m.nn.functional.linear(x, w, b).sum().backward()
    return b.grad, raised(lambda: m.nn.functional.linear(x, w, m.zeros(4, dtype=m.float64)))


@same_as_torch
def test_lists_of_tensors_hold_single_elements(m: Any) -> Any:
    return m.tensor([m.ones(1), 2]), raised(lambda: m.tensor([m.ones(2), m.ones(2)]))


def test_many_inputs_are_found_in_linear_time() -> None:
    """Each input is looked up in a set: comparing tensors one by one would call == on each pair."""
    xs = [mg.ones(1, requires_grad=True) for _ in range(3000)]
    assert len(mg.autograd.grad(sum(xs[1:], xs[0]), xs)) == 3000


@pytest.mark.parametrize("gradient", [1.0, "recorded"])
def test_once_differentiable_functions(gradient: Any) -> None:
    @same_as_torch
    def scenario(m: Any) -> Any:
        class Scaled(m.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Any, w: Any, k: float) -> Any:
                ctx.save_for_backward(x, w)
                return x * w * k

            @staticmethod
            @m.autograd.function.once_differentiable
            def backward(ctx: Any, g: Any) -> Any:
                x, w = ctx.saved_tensors
                return g * w * 3, g * x * 3, None

        x, w = (m.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
        y = Scaled.apply(x, w, 3.0)
        loss = y.sum() if gradient == 1.0 else (y * y).sum()
        first = m.autograd.grad(loss, (x, w), create_graph=True)
        return [g.detach() for g in first], [g.requires_grad for g in first], raised(lambda: first[0].sum().backward())

    scenario()


@same_as_torch
def test_what_scripts_ask_and_set_before_they_choose_a_device(m: Any) -> Any:
    cudnn, before = m.backends.cudnn, m.backends.cudnn.benchmark
    cudnn.benchmark = before
    m.cuda.manual_seed(0)
    m.cuda.manual_seed_all(0)
    m.cuda.empty_cache()
    return m.backends.mps.is_available(), cudnn.enabled, before, cudnn.deterministic, cudnn.is_available()


@pytest.mark.parametrize("module", ["Linear", "LSTM"])
def test_an_input_that_does_not_fit_is_what_the_message_names(module: str) -> None:
    for m in (mg, torch):
        net, x = getattr(m.nn, module)(3, 2), m.ones(1, 4, 3, dtype=m.float64)
        with pytest.raises((RuntimeError, ValueError), match=r"(?i)(have the same dtype.*(double|float64)|RNN input dtype)"):
            net(x[0] if module == "Linear" else x)
        with pytest.raises(RuntimeError, match="1x4 and 3x2" if module == "Linear" else "Expected 3, got 4"):
            net(x[..., :1].flatten(1).float() if module == "Linear" else m.ones(1, 2, 4))


@same_as_torch
def test_a_tensor_without_dimensions_serves_as_an_option(m: Any) -> Any:
    F, x = m.nn.functional, m.tensor([[-1.0, 2.0], [3.0, -4.0]], dtype=m.float64)
    return [
        F.leaky_relu(x, m.tensor(0.125)), F.elu(x, m.tensor(0.5)), F.softmax(x, m.tensor(1)), x.tril(m.tensor(-1)),
        F.smooth_l1_loss(x, x * 2, beta=0.5), F.layer_norm(x, (2,), eps=m.tensor(0.125)),
    ]  # fmt: skip


@same_as_torch
def test_the_hyperbolic_cosine_may_be_overwritten(m: Any) -> Any:
    x = m.tensor([0.5, -1.0], requires_grad=True)
    y = x.cosh()
    y.mul_(2)
    y.sum().backward()
    return x.grad


@same_as_torch
def test_second_derivatives_at_extremes(m: Any) -> Any:
    """Where the value, or a square of x, is infinite or zero."""
    x = m.tensor([0.0, 1e-30, -1e-30, 1e30, 800.0, inf, -inf, 2.0], requires_grad=True)
    found = []
    for function in (m.cosh, m.sinh, lambda x: x**-1, lambda x: x**-2, lambda x: x**3, lambda x: x.clamp(min=0) ** 0.5):
        (g,) = m.autograd.grad(function(x).sum(), x, create_graph=True)
        found += [g.detach(), *m.autograd.grad(g.sum(), x)]
    return found


@pytest.mark.parametrize("exponent", [np.float64(3), np.float64(2.5), np.float32(-0.5), np.int64(3)], ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "int32", "bool"])
def test_a_number_of_numpys_in_a_power_is_a_number(dtype: str, exponent: Any) -> None:
    @same_as_torch
    def scenario(m: Any) -> Any:
        x = m.tensor([1.0, 2.0]).to(getattr(m, dtype))
        if dtype != "float32":
            return x**exponent
        y, z = x.requires_grad_() ** exponent, m.pow(exponent, x)
        return y.detach(), *m.autograd.grad(y.sum(), x), z.detach(), *m.autograd.grad(z.sum(), x)

    scenario()


@same_as_torch
def test_the_gradient_of_a_weight_without_dimensions_is_of_its_dtype(m: Any) -> Any:
    weight = m.tensor(0.25, dtype=m.float64, requires_grad=True)
    m.lerp(m.ones(2), m.arange(2.0), weight).sum().backward()
    return weight.grad


def test_log1p_keeps_the_sign_of_zero() -> None:
    for dtype in ("float16", "float32", "float64"):
        value, expected = (m.log1p(m.tensor([0.0, -0.0], dtype=getattr(m, dtype))).numpy() for m in (mg, torch))
        assert np.signbit(value).tolist() == np.signbit(expected).tolist() == [False, True]


@pytest.mark.parametrize(("name", "call"), [
    ("im2col", lambda: mg.nn.Unfold(2)(None)), ("pow", lambda: mg.pow(mg.ones(2), "x")), ("pow", lambda: mg.pow([1.0], mg.ones(2))),
    ("adaptive_avg_pool2d", lambda: mg.nn.AdaptiveAvgPool2d(2)(None)), ("lerp", lambda: mg.lerp(1.0, mg.ones(2), 0.5)),
])  # fmt: skip
def test_the_operation_is_named_that_got_no_tensor(name: str, call: Callable[[], Any]) -> None:
    with pytest.raises(TypeError, match=rf"^{name}\(\): expected "):
        call()


def test_modules_that_are_functions_can_be_subclassed_and_say_what_they_take() -> None:
    def inherited(m: Any) -> Any:
        class Marked:
            def __init_subclass__(cls, mark: int = 0) -> None:
                cls.mark = mark

        class Mine(m.nn.ReLU, Marked, mark=3):
            pass

        return Mine.mark, repr(Mine(True))

    assert inherited(mg) == inherited(torch)
    for name in ("AvgPool1d", "AvgPool2d", "MaxPool2d", "ReLU", "Softplus", "Softmax", "Unfold"):
        ours, theirs = (inspect.signature(getattr(m.nn, name)).parameters.values() for m in (mg, torch))
        assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]


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
