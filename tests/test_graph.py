"""`autograd.graph` and what nodes show: hooks for what is saved, for several gradients, and of nodes, beside torch's."""

from __future__ import annotations

import gc
import threading
from typing import Any

import pytest

import minigrad as mg
from minigrad.autograd.node import watchers
from tests.twins import raised, same_as_torch, variable

# ---- what is saved -------------------------------------------------------------------------------------------------------


def through(m: Any, x: Any, w: Any) -> Any:
    return ((x @ w).tanh() * x.sum() + x.exp().prod()).pow(2).mean() + m.nn.functional.softmax(x, -1)[0, 0]


@same_as_torch
def test_packed_and_unpacked(m: Any) -> Any:
    x, w = variable(m, 3, 3), variable(m, 3, 3, seed=1)
    kept: list[Any] = []

    def pack(t: Any) -> int:
        kept.append(t.detach().clone())
        return len(kept) - 1

    with m.autograd.graph.saved_tensors_hooks(pack, lambda place: kept[place]):
        y = through(m, x, w)
    before = len(kept) > 3
    slopes = m.autograd.grad(y, (x, w), create_graph=True)
    second = m.autograd.grad(sum(slope.sum() for slope in slopes), (x, w), retain_graph=True)
    y.backward()
    return [s.detach() for s in slopes], second, x.grad, w.grad, before, raised(y.backward)


@same_as_torch
def test_what_the_hooks_do_to_values_counts(m: Any) -> Any:
    x, y = variable(m, 3, dtype="float32"), variable(m, 3, dtype="float32", seed=1)
    with m.autograd.graph.saved_tensors_hooks(lambda t: (t.half(), t.dtype), lambda packed: packed[0].to(packed[1])):
        product = x * y
    with m.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t * 2):
        doubled = x * y
    product.sum().backward()
    doubled.sum().backward()
    return product.detach(), doubled.detach(), x.grad, y.grad


@same_as_torch
def test_when_the_hooks_are_called(m: Any) -> Any:
    a, b = m.ones(2, requires_grad=True), m.full((2,), 3.0, requires_grad=True)
    seen: list[str] = []

    def named(word: str) -> Any:
        def hook(t: Any) -> Any:
            seen.append(f"{word} {t.tolist()}")
            return t

        return hook

    with m.autograd.graph.saved_tensors_hooks(named("pack"), named("unpack")):
        y = a * b
        with m.no_grad():
            a * b
        z = y + 1
    seen.append("backward")
    z.sum().backward(retain_graph=True)
    z.sum().backward()
    outside = a * b
    outside.sum().backward()
    middle = seen.index("backward")
    return sorted(seen[:middle]), sorted(seen[middle:])


@same_as_torch
def test_the_innermost_hooks_are_in_force(m: Any) -> Any:
    x = m.ones(2, requires_grad=True)
    seen: list[str] = []
    hooks = m.autograd.graph.saved_tensors_hooks
    with hooks(lambda t: seen.append("outer"), lambda none: m.full((2,), 5.0)):
        with hooks(lambda t: seen.append("inner"), lambda none: m.full((2,), 7.0)):
            y = x.square()
        z = x.square()
    (y + 10 * z).sum().backward()
    return seen, x.grad


@same_as_torch
def test_hooks_of_what_a_function_saves(m: Any) -> Any:
    class Exp(m.autograd.Function):  # type: ignore[name-defined, misc]
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            result = x.exp()
            ctx.save_for_backward(result, None, y)
            return result * 1 if ctx.needs_input_grad[1] else result

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            result, none, y = ctx.saved_tensors
            assert none is None
            return g * result * y, g * result

    x, y = variable(m, 3), variable(m, 3, seed=1)
    packed: list[Any] = []
    with m.autograd.graph.saved_tensors_hooks(lambda t: packed.append(t.detach()) or len(packed), lambda n: packed[n - 1] + 1):
        out = Exp.apply(x, y)
        second = Exp.apply(x, y.detach())
    (slope,) = m.autograd.grad(second.sum(), x, create_graph=True)
    out.sum().backward()
    return packed[:4], x.grad, y.grad, slope.detach(), *m.autograd.grad(slope.sum(), x)


@same_as_torch
def test_nothing_changes_with_save_on_cpu(m: Any) -> Any:
    x, w = variable(m, 3, 3), variable(m, 3, 3, seed=1)
    with m.autograd.graph.save_on_cpu(pin_memory=False):
        y = through(m, x, w)
    y.backward()
    return y.detach(), x.grad, w.grad


@same_as_torch
def test_hooks_can_be_forbidden(m: Any) -> Any:
    graph = m.autograd.graph

    def use() -> None:
        with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            pass

    with graph.disable_saved_tensors_hooks("not here"):
        inside = raised(use)
    use()
    x = m.ones(2, requires_grad=True)
    with graph.saved_tensors_hooks(lambda t: t, lambda t: 3):
        y = x.square()
    return inside, raised(y.sum().backward)


def test_the_message_is_the_users() -> None:
    graph = mg.autograd.graph
    with graph.disable_saved_tensors_hooks("not here"), pytest.raises(RuntimeError, match=r"^not here$"):
        graph.saved_tensors_hooks(lambda t: t, lambda t: t).__enter__()


def test_hooks_of_another_thread_see_nothing() -> None:
    seen: list[Any] = []
    x = mg.ones(2, requires_grad=True)
    with mg.autograd.graph.saved_tensors_hooks(lambda t: seen.append(t) or t, lambda t: t):
        thread = threading.Thread(target=lambda: x.square().sum().backward())
        thread.start()
        thread.join()
    assert seen == []
    assert watchers == []
    assert x.grad.tolist() == [2.0, 2.0]


# ---- several gradients ---------------------------------------------------------------------------------------------------


@same_as_torch
def test_one_hook_for_several_gradients(m: Any) -> Any:
    seen: list[Any] = []
    first: list[Any] = []
    a, b, c = (m.full((2,), float(i), requires_grad=True) for i in range(3))
    middle = a * b
    tensors = [a, middle, c]
    handle = m.autograd.graph.register_multi_grad_hook(tensors, lambda gradients: seen.append(list(gradients)))
    with m.autograd.graph.register_multi_grad_hook([a, b], lambda g: first.append(g), mode="any"):
        (middle * c).sum().backward(retain_graph=True)
        (middle * 2).sum().backward(retain_graph=True)
    (middle * c + m.ones(2)).sum().backward(retain_graph=True)
    handle.remove()
    (middle * c).sum().backward()
    return seen, first, raised(m.autograd.graph.register_multi_grad_hook, tensors, print, mode="some")


def test_one_hook_for_the_gradients_that_grad_returns() -> None:
    """torch cannot do this for leaves."""
    seen: list[Any] = []
    a, b = mg.ones(2, requires_grad=True), mg.ones(2, requires_grad=True)
    mg.autograd.graph.register_multi_grad_hook([a, b], seen.append)
    mg.autograd.grad((a * b * 3).sum(), [b, a])
    mg.autograd.grad((a * b * 3).sum(), [b])
    assert [[None if g is None else g.tolist() for g in each] for each in seen] == [[[3.0, 3.0]] * 2, [None, [3.0, 3.0]]]


# ---- nodes ---------------------------------------------------------------------------------------------------------------


@same_as_torch
def test_nodes_are_of_classes_with_their_names(m: Any) -> Any:
    class Cube(m.autograd.Function):  # type: ignore[name-defined, misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g

    x = m.ones(2, requires_grad=True)
    y = (x * 2).exp()
    names = [type(t.grad_fn).__name__ for t in (y, y.sum(), y.view(2, 1), y.grad_fn and m.nn.Linear(2, 2)(y), y[0], Cube.apply(y))]
    names += [type(node).__name__ for node, _ in y.grad_fn.next_functions + y.grad_fn.next_functions[0][0].next_functions if node]
    same = y.grad_fn is y.grad_fn, y.grad_fn.next_functions[0][0] is y.grad_fn.next_functions[0][0], isinstance(
        y.grad_fn, m.autograd.graph.Node), type(y.grad_fn) is type(x.exp().grad_fn)  # fmt: skip
    y.sum().backward()
    return names, same, x.grad


@same_as_torch
def test_what_nodes_have_saved(m: Any) -> Any:
    x, w = m.tensor([[1.0, 2.0]], requires_grad=True), m.tensor([[3.0, 4.0]], requires_grad=True)
    y, product, third = x.exp(), x * w, x.sum(1, keepdim=True)
    shown = [y.grad_fn._saved_result.detach(), product.grad_fn._saved_self.detach(), product.grad_fn._saved_other.detach()]
    own = product.grad_fn._saved_self is x
    known = "_saved_result" in dir(y.grad_fn), "_saved_other" in dir(y.grad_fn), hasattr(third.grad_fn, "_saved_self"), hasattr(
        product.grad_fn, "_saved_result")  # fmt: skip
    (y + product).sum().backward()
    return shown, own, known, raised(lambda: y.grad_fn._saved_result), raised(lambda: y.grad_fn.no_such_thing)


@same_as_torch
def test_hooks_of_nodes(m: Any) -> Any:
    seen: list[Any] = []
    x, b = m.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True), m.ones(2, requires_grad=True)
    y = x * b
    handles = [y.grad_fn.register_hook(lambda inputs, outputs: seen.append([g.detach().clone() for g in inputs + outputs])),
               y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] * 10, inputs[1])),
               y.grad_fn.register_prehook(lambda outputs: seen.append(outputs[0].detach().clone())),
               y.grad_fn.register_prehook(lambda outputs: (outputs[0] * 3,))]  # fmt: skip
    y.sum().backward(retain_graph=True)
    second = m.autograd.grad(y.square().sum(), [x, b], create_graph=True)
    for handle in handles:
        handle.remove()
    y.sum().backward(retain_graph=True)
    return seen, x.grad, b.grad, [g.detach() for g in second], m.autograd.grad(second[0].sum(), b)


@same_as_torch
def test_hooks_of_the_node_of_a_sum_with_a_constant(m: Any) -> Any:
    seen: list[Any] = []
    x = m.ones(2, 2, requires_grad=True)
    y = m.ones(2, 2) * x + 1
    y.grad_fn.next_functions[0][0].register_hook(lambda inputs, outputs: seen.append([g is None for g in inputs]))
    bad = (x * 2).sum()
    bad.grad_fn.register_hook(lambda inputs, outputs: (None, None))
    y.sum().backward()
    return seen, x.grad, raised(bad.backward)


def test_a_gradient_that_a_hook_holds_stays_as_it_is() -> None:
    x, held = mg.ones(2, requires_grad=True), []
    y = x * 2
    y.grad_fn.register_hook(lambda inputs, outputs: held.append(inputs[0]))
    for _ in range(2):
        y.sum().backward(retain_graph=True)
    assert x.grad.tolist() == [4.0, 4.0]
    assert [g.tolist() for g in held] == [[2.0, 2.0]] * 2


def test_nodes_of_functions_with_several_results_take_no_hooks() -> None:
    class Two(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1, x * 2

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            return g + 2 * h

    first, _ = Two.apply(mg.ones(2, requires_grad=True))
    with pytest.raises(NotImplementedError, match="register a hook with a tensor"):
        first.grad_fn.register_hook(lambda inputs, outputs: None)


@pytest.mark.usefixtures("no_collector")
def test_nothing_of_it_is_left_to_the_cycle_collector() -> None:
    def run() -> None:
        x = mg.ones(3, requires_grad=True)
        with mg.autograd.graph.saved_tensors_hooks(lambda t: t.detach(), lambda t: t):
            y = x.square().exp()
        y.grad_fn.register_hook(lambda inputs, outputs: None)
        with pytest.warns(UserWarning, match="reference cycle"):
            y.sum().backward(create_graph=True)
        x.grad = None

    run()
    gc.collect()
    run()
    assert gc.collect() == 0
