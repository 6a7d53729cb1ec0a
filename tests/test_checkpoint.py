"""`utils.checkpoint`: the same gradients from less memory, beside torch's; and backward passes deep inside of each other."""

from __future__ import annotations

import threading
import tracemalloc
from typing import Any

import pytest

import minigrad as mg
from minigrad.autograd.node import watchers
from minigrad.utils.checkpoint import CheckpointError, checkpoint
from tests.twins import raised, same_as_torch, variable

WAYS = pytest.mark.parametrize("reentrant", [True, False], ids=["reentrant", "not reentrant"])


def model(m: Any) -> Any:
    m.manual_seed(0)
    return m.nn.Sequential(m.nn.Linear(3, 8), m.nn.Tanh(), m.nn.Dropout(0.5), m.nn.Linear(8, 4), m.nn.ReLU(), m.nn.Linear(4, 2))


def tools(m: Any) -> Any:
    return __import__(f"{m.__name__}.utils.checkpoint", fromlist=["checkpoint"])


@WAYS
@same_as_torch
def test_a_part_of_a_model(m: Any, reentrant: bool) -> Any:
    net, x = model(m), variable(m, 5, 3, dtype="float32")
    out = tools(m).checkpoint(net, x, use_reentrant=reentrant)
    m.rand(3)  # between the two calls
    out.square().sum().backward()
    return out.detach(), x.grad, [p.grad for p in net.parameters()], m.rand(2)


@WAYS
@same_as_torch
def test_several_arguments_and_results(m: Any, reentrant: bool) -> Any:
    x, y, c = variable(m, 3), variable(m, 3, seed=1), variable(m, 3, seed=2).detach()

    def f(a: Any, b: Any, number: float, constant: Any, none: Any) -> Any:
        return (a * b).exp() * number, b.sin() + constant, 7

    first, second, number = tools(m).checkpoint(f, x, y, 2.0, c, None, use_reentrant=reentrant)
    (first.sum() * 2 + second.prod()).backward()
    return first.detach(), second.detach(), number, x.grad, y.grad, c.grad


@same_as_torch
def test_sequences_in_segments(m: Any) -> Any:
    results = []
    for segments in (1, 2, 3, 6):
        for reentrant in (True, False):
            net, x = model(m).eval(), variable(m, 5, 3, dtype="float32")
            out = tools(m).checkpoint_sequential(net, segments, x, use_reentrant=reentrant)
            out.sum().backward()
            results += [out.detach(), x.grad, net[0].weight.grad]
    functions = [m.sin, m.exp, lambda t: t * 2]
    return results, tools(m).checkpoint_sequential(functions, 3, variable(m, 2), use_reentrant=False).detach()


@same_as_torch
def test_all_ways_of_differentiating(m: Any) -> Any:
    check, x, w = tools(m).checkpoint, variable(m, 3), variable(m, 3, seed=1)

    def f(t: Any, *, power: int) -> Any:
        return (t**power * w).sin() * 2

    run = lambda: check(f, x, power=3, use_reentrant=False).sum()  # noqa: E731
    (slope,) = m.autograd.grad(run(), x, create_graph=True)
    second = m.autograd.grad(slope.sum(), (x, w))
    kept = run()
    kept.backward(retain_graph=True)
    kept.backward(inputs=[w])
    third = m.autograd.functional.hessian(lambda t: check(f, t, power=3, use_reentrant=False).sum(), x.detach())
    return slope.detach(), second, x.grad, w.grad, raised(kept.backward), raised(kept.backward), third


@pytest.mark.filterwarnings("ignore:None of the inputs:UserWarning")  # true of the inner one while the outer is called first
@WAYS
@same_as_torch
def test_inside_of_each_other(m: Any, reentrant: bool) -> Any:
    check, x, calls = tools(m).checkpoint, variable(m, 3), []

    def inner(t: Any) -> Any:
        calls.append("inner")
        return (t * t).exp()

    def outer(t: Any) -> Any:
        calls.append("outer")
        return check(inner, t.sin(), use_reentrant=reentrant) * t.exp()

    out = check(outer, x, use_reentrant=reentrant)
    out.sum().backward()
    return x.grad, calls[:3]


@same_as_torch
def test_what_is_left_out_and_what_is_refused(m: Any) -> Any:
    check, x, y = tools(m).checkpoint, variable(m, 3), variable(m, 3).detach()
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad=True"):
        constant = check(lambda t: t * 2, y, use_reentrant=True)
    with pytest.warns(UserWarning, match="use_reentrant parameter should be passed explicitly"):
        default = check(m.exp, x)
    with pytest.warns(UserWarning, match="use_reentrant parameter should be passed explicitly"):
        tools(m).checkpoint_sequential([m.exp, m.sin], 1, x)
    with m.no_grad():
        hidden = check(m.exp, x, use_reentrant=False)
    detached = check(lambda t: t.detach(), x, use_reentrant=True)
    return [constant.requires_grad, default.grad_fn.name(), hidden.requires_grad,
            raised(check, lambda t, k: t, x, k=1, use_reentrant=True), raised(m.autograd.grad, default.sum(), x),
            raised(default.sum().backward, inputs=[x]), raised(detached.sum().backward),
            raised(check, m.exp, x, use_reentrant=True, context_fn=lambda: None),
            raised(check, m.exp, x, use_reentrant=False, determinism_check="some")]  # fmt: skip


@same_as_torch
def test_the_same_random_numbers_or_others(m: Any) -> Any:
    x, check = variable(m, 1000), tools(m).checkpoint
    results = []
    for reentrant in (True, False):
        for preserve in (True, False):
            m.manual_seed(1)
            drawn: list[Any] = []

            def f(t: Any, drawn: list[Any] = drawn) -> Any:
                drawn.append(m.rand(2))
                return t.exp()

            check(f, x, use_reentrant=reentrant, preserve_rng_state=preserve).sum().backward()
            results += [drawn, m.rand(1)]
    return results


@same_as_torch
def test_contexts_around_the_two_calls(m: Any) -> Any:
    class Around:
        def __init__(self, word: str) -> None:
            self.word = word

        def __enter__(self) -> None:
            seen.append(f"{self.word} begins")

        def __exit__(self, *error: object) -> None:
            seen.append(f"{self.word} ends")

    seen: list[str] = []
    x = variable(m, 3)
    out = tools(m).checkpoint(m.exp, x, use_reentrant=False, context_fn=lambda: (Around("first"), Around("second")))
    seen.append("backward")
    out.sum().backward()
    return seen, x.grad


def test_a_second_call_that_differs() -> None:
    x, calls = variable(mg, 3), []

    def other(t: Any) -> Any:
        calls.append(1)
        return t.exp().exp() if len(calls) % 2 else t.exp()

    def wider(t: Any) -> Any:
        calls.append(1)
        return t.exp().sum() if len(calls) % 2 else (t.expand(2, 3)).exp().sum()

    with pytest.raises(CheckpointError, match="2 operations were recorded first, then 1"):
        checkpoint(other, x, use_reentrant=False).sum().backward()
    calls.clear()
    with pytest.raises(CheckpointError, match=r"shape \(3,\) first, then \(2, 3\)"):
        checkpoint(wider, x, use_reentrant=False).backward()
    with pytest.raises(NotImplementedError, match="debug=True"):
        checkpoint(mg.exp, x, use_reentrant=False, debug=True)


def test_less_is_kept() -> None:
    x = mg.ones(100_000, requires_grad=True)

    def deep(t: Any) -> Any:
        for _ in range(10):
            t = t.sin()
        return t

    def nested(t: Any) -> Any:
        return checkpoint(lambda u: checkpoint(deep, u.cos().sin(), use_reentrant=False), t, use_reentrant=False)

    def one_node(t: Any) -> Any:
        return checkpoint(deep, t, use_reentrant=True)

    sizes = []
    for run in (deep, lambda t: checkpoint(deep, t, use_reentrant=False), one_node, nested):
        tracemalloc.start()
        result = run(x)
        sizes.append(tracemalloc.get_traced_memory()[0] // 400_000)
        tracemalloc.stop()
        result.sum().backward()
    assert sizes[0] >= 10
    assert sizes[1:] == [1, 1, 1]
    assert watchers == []


@same_as_torch
def test_each_pass_calls_the_function_again(m: Any) -> Any:
    x, calls = variable(m, 3), []
    out = tools(m).checkpoint(lambda t: calls.append(1) or t.exp().sin(), x, use_reentrant=False).sum()
    out.backward(retain_graph=True)
    out.backward()
    return len(calls), x.grad


def test_what_other_threads_record_is_theirs() -> None:
    x, others = mg.ones(3, requires_grad=True), []

    def f(t: Any) -> Any:
        thread = threading.Thread(target=lambda: others.append(mg.ones(2, requires_grad=True).exp()))
        thread.start()
        thread.join()
        return t.exp()

    checkpoint(f, x, use_reentrant=False).sum().backward()
    assert len(others) == 2
    others[0].sum().backward()


# ---- depth ---------------------------------------------------------------------------------------------------------------


@same_as_torch
def test_400_passes_inside_of_each_other(m: Any) -> Any:
    class Deep(m.autograd.Function):  # type: ignore[name-defined, misc]
        @staticmethod
        def forward(ctx: Any, x: Any, depth: int) -> Any:
            ctx.depth = depth
            return x * 1

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            if ctx.depth == 0:
                return g, None
            with m.enable_grad():
                x = m.ones(1, requires_grad=True)
                Deep.apply(x, ctx.depth - 1).sum().backward()
            return g + x.grad, None

    x = m.ones(1, requires_grad=True)
    Deep.apply(x, 400).sum().backward()
    return x.grad, threading.active_count() == 1


@same_as_torch
def test_an_error_deep_inside(m: Any) -> Any:
    def at(depth: int) -> Any:
        x = m.ones(1, requires_grad=True)

        def hook(g: Any) -> None:
            if depth == 0:
                raise KeyError("far down")
            with m.enable_grad():
                at(depth - 1)

        y = x * 2
        y.register_hook(hook)
        y.sum().backward()

    return raised(at, 40), m.is_grad_enabled(), raised(at, 0)
