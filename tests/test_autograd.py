"""The engine: the graph, the walk, modes, hooks, custom functions, `grad` and `gradcheck`, beside torch's."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import minigrad as mg
from minigrad.autograd.hooks import awaited
from tests.twins import LIBRARIES, leaf_of, raised, same_as_torch, same_outcomes, variable

# ---- the graph -----------------------------------------------------------------------------------------------------------


@same_as_torch
def test_a_graph_shows_its_nodes(m: Any) -> Any:
    a, b = leaf_of(m, 1.0, 2.0), leaf_of(m, 3.0, 4.0)
    node = ((a * b).exp() + a).sum().grad_fn
    add = node.next_functions[0][0]
    exp, accumulate = (edge for edge, _ in add.next_functions)
    mul = exp.next_functions[0][0]
    return (
        [n.name() for n in (node, add, exp, mul, accumulate)],
        [len(n.next_functions) for n in (node, add, exp, mul, accumulate)],
        [number for _, number in add.next_functions],
        accumulate.variable is a,
        mul.next_functions[0][0] == accumulate,
        [edge.variable is x for (edge, _), x in zip(mul.next_functions, (a, b), strict=True)],
    )


@same_as_torch
def test_constants_have_no_edge(m: Any) -> Any:
    x = leaf_of(m, 1.0, 2.0)
    return [
        [edge if edge is None else edge.name() for edge, _ in y.grad_fn.next_functions]
        for y in (x * m.ones(2), m.ones(2) * x, x * 2.0, m.cat([m.ones(2), x]))
    ]


def test_nodes_print_their_names() -> None:
    x = leaf_of(mg, 1.0)
    node = (x * x).grad_fn
    assert repr(node).startswith("<MulBackward0 object at 0x")
    assert repr(node.next_functions[0][0]).startswith("<AccumulateGrad object at 0x")
    assert repr(x.view(1).grad_fn).startswith("<ViewBackward0 object")


@same_as_torch
def test_what_requires_a_gradient(m: Any) -> Any:
    x, c = leaf_of(m, 1.0, 2.0), m.ones(2)
    return [x * c, c * c, c * 2, x > 0, x.argmax(), x.detach(), x.data, x.long(), x.double(), x == x, x.sign(), x.floor(),
            m.zeros_like(x), m.ones_like(x, requires_grad=True), x.new_zeros(2), x.max(0).values, x.max(0).indices, x + x.long()]


@same_as_torch
def test_requires_grad_can_be_set_on_leaves(m: Any) -> Any:
    x = m.ones(2)
    y = x.requires_grad_()
    z = x * 2
    errors = [raised(m.ones(2, dtype=m.int64).requires_grad_), raised(lambda: z.requires_grad_(False)),
              raised(m.tensor, [1], requires_grad=True), raised(z.requires_grad_)]
    x.requires_grad = False
    return y is x, errors, x, x * 2


# ---- backward ------------------------------------------------------------------------------------------------------------


@same_as_torch
def test_gradients_of_a_diamond(m: Any) -> Any:
    x = leaf_of(m, 2.0, -3.0)
    a = x * x
    b, c = a.exp() / 100, a.sin()
    (b * c + a).sum().backward()
    return x.grad


@pytest.mark.parametrize("name", ["x - x", "x * x", "x / x", "x + x + x", "(x + x) * (x - 1)", "x @ x", "x[[0, 0, 1]]",
                                  "x.expand(3, 2) * x", "x.reshape(1, 2) * x.reshape(2, 1)"])
def test_a_tensor_used_twice(name: str) -> None:
    @same_as_torch
    def scenario(m: Any) -> Any:
        x = leaf_of(m, 2.0, -3.0)
        y = eval(name)
        y.sum().backward()
        return y, x.grad

    scenario()


@same_as_torch
def test_gradients_come_back_in_the_shape_and_dtype_of_the_leaf(m: Any) -> Any:
    leaves = [m.ones(shape, dtype=getattr(m, dtype), requires_grad=True) for shape, dtype in [
        ((2, 3), "float32"), ((3,), "float64"), ((2, 1), "float16"), ((), "float64"), ((1, 1, 1), "float32"), ((4, 1, 3),
            "float32")]]
    product = leaves[0]
    for x in leaves[1:]:
        product = product * x
    product.sum().backward()
    return product, [x.grad for x in leaves]


@same_as_torch
def test_backward_of_a_vector_takes_a_gradient(m: Any) -> Any:
    x = leaf_of(m, 1.0, 2.0, 3.0)
    (x * x).backward(m.tensor([1.0, 10.0, 100.0]))
    first = x.grad.clone()
    (x * x).backward(gradient=m.ones(3))
    return first, x.grad


@same_as_torch
def test_backward_from_a_leaf_and_from_one_element(m: Any) -> Any:
    x, y = leaf_of(m, 2.0), m.full((1, 1), 3.0, requires_grad=True)
    x.backward()
    y.backward()
    (y * y).backward()
    return x.grad, y.grad


@same_as_torch
def test_backward_of_several_tensors_at_once(m: Any) -> Any:
    x, y = leaf_of(m, 1.0, 2.0), leaf_of(m, 3.0, 4.0)
    a, b = (x * y).sum(), x.exp()
    m.autograd.backward([a, b, y], [None, m.ones(2), m.tensor([0.5, 0.25])])
    return x.grad, y.grad


@same_as_torch
def test_a_gradient_of_another_dtype_is_cast(m: Any) -> Any:
    x = leaf_of(m, 1.0, 2.0)
    (x * 2).backward(m.ones(2, dtype=m.float64))
    (x * 2).backward(m.ones(2, dtype=m.float16))
    return x.grad


@same_as_torch
def test_gradients_add_up_in_the_same_tensor(m: Any) -> Any:
    x = leaf_of(m, 1.0, 2.0)
    (x * x).sum().backward()
    kept, memory, version = x.grad, x.grad.detach(), x.grad._version
    (x * 3).sum().backward()
    return kept is x.grad, memory, x.grad, x.grad.data_ptr() == memory.data_ptr(), x.grad._version - version


@same_as_torch
def test_leaves_without_a_path_keep_no_gradient(m: Any) -> Any:
    x, unused = leaf_of(m, 1.0), leaf_of(m, 2.0)
    (x * 2 + unused.detach()).backward()
    return x.grad, unused.grad is None, (unused * 0).is_leaf


@pytest.mark.parametrize("operation", ["a + b", "a - b", "b + a", "a.view(2) + b", "a + b + a", "mg.cat([a, b])",
    "mg.stack([a, b])",
                                       "a.reshape(1, 2) + b", "a.expand(2) + b[:]", "(a + b).reshape(-1, 1).T", "a + b.clone()"])
def test_nobody_shares_a_gradient(operation: str) -> None:
    """What passes a sum is one array for both terms; a change of one gradient must not reach another, nor what was handed in."""
    a, b = leaf_of(mg, 1.0, 2.0), leaf_of(mg, 3.0, 4.0)
    c = eval(operation)
    g = mg.ones(*c.shape)
    c.backward(g)
    of_b = b.grad.tolist()
    a.grad += 100
    assert b.grad.tolist() == of_b
    assert g.tolist() == mg.ones(*c.shape).tolist()
    of_a = a.grad.tolist()
    b.grad.zero_()
    (b * 5).sum().backward()  # added in place
    assert b.grad.tolist() == [5, 5]
    assert a.grad.tolist() == of_a
    assert g.tolist() == mg.ones(*c.shape).tolist()


def test_a_gradient_can_be_written_to() -> None:
    """Also where it reached the leaf as a read-only, expanded array."""
    x, y = leaf_of(mg, 1.0, 2.0), leaf_of(mg, 1.0, 2.0)
    x.sum().backward()
    y.backward(mg.ones(1).expand(2))
    for tensor in (x, y):
        tensor.grad[0] = 7
        assert tensor.grad.tolist() == [7, 1]


@same_as_torch
def test_gradients_can_be_assigned_and_taken_away(m: Any) -> Any:
    x = leaf_of(m, 1.0, 2.0)
    x.grad = m.ones(2)
    given = x.grad
    (x * 2).sum().backward()
    first = x.grad.clone()
    x.grad = None
    (x * 2).sum().backward()
    return first, given, x.grad


@same_as_torch
def test_backward_twice(m: Any) -> Any:
    x = leaf_of(m, 2.0)
    square, sums = x * x, x + x
    square.backward()
    sums.backward()
    second = raised(square.backward), raised(sums.backward)  # a sum has saved nothing
    kept = x.exp()
    kept.backward(retain_graph=True)
    kept.backward(retain_graph=True)
    kept.backward()
    return second, raised(kept.backward), x.grad


@same_as_torch
def test_a_part_of_the_graph_already_freed(m: Any) -> Any:
    x = leaf_of(m, 2.0)
    shared = x.exp()
    (shared * 2).backward()
    return raised((shared * 3).backward), raised((shared + 3).backward), x.grad


@same_as_torch
def test_backward_into_given_inputs(m: Any) -> Any:
    x, y = leaf_of(m, 2.0), leaf_of(m, 3.0)
    middle = x * y
    loss = middle * middle
    loss.backward(inputs=[y], retain_graph=True)
    first = x.grad is None, y.grad.clone()
    loss.backward(inputs=x, retain_graph=True)
    middle.retain_grad()
    loss.backward(inputs=(x, y))
    return first, x.grad, y.grad, raised((x * y).backward, inputs=[])


@same_as_torch
def test_backward_into_an_inner_tensor(m: Any) -> Any:
    x = leaf_of(m, 2.0)
    middle = x * x
    middle.retain_grad()
    loss = middle * 3
    loss.backward(inputs=[middle], retain_graph=True)
    first = x.grad is None, middle.grad
    loss.backward(inputs=[middle, x])
    return first, x.grad, middle.grad


# ---- modes ---------------------------------------------------------------------------------------------------------------


@same_as_torch
def test_modes_as_blocks_and_decorators(m: Any) -> Any:
    x = leaf_of(m, 1.0)
    seen = []

    @m.no_grad()
    def off(y: Any) -> Any:
        """Doubles."""
        return y * 2

    @m.enable_grad()
    def on(y: Any) -> Any:
        return y * 2

    @m.set_grad_enabled(False)
    def set_off(y: Any) -> Any:
        return y * 2

    seen.append(m.is_grad_enabled())
    seen += [off(x), on(x), set_off(x), x * 2, off.__name__, off.__doc__]
    with m.no_grad():
        seen += [x * 2, on(x), m.is_grad_enabled()]
        with m.enable_grad():
            seen += [x * 2, off(x)]
            with m.set_grad_enabled(False):
                seen.append(x * 2)
            seen.append(m.is_grad_enabled())
        seen.append(x * 2)
    seen.append(x * 2)
    with m.set_grad_enabled(True):
        seen.append(m.is_grad_enabled())
    with m.inference_mode():
        seen.append(m.is_grad_enabled())
    return seen


@same_as_torch
def test_set_grad_enabled_as_a_call(m: Any) -> Any:
    x, seen = leaf_of(m, 1.0), []
    m.set_grad_enabled(False)
    try:
        seen += [m.is_grad_enabled(), x * 2]
        with m.enable_grad():
            seen.append(m.is_grad_enabled())
        seen.append(m.is_grad_enabled())
    finally:
        m.set_grad_enabled(True)
    return [*seen, m.is_grad_enabled(), x * 2]


@same_as_torch
def test_modes_end_with_an_error(m: Any) -> Any:
    seen = []
    for mode in (m.no_grad(), m.set_grad_enabled(False)):
        with pytest.raises(KeyError), mode:
            raise KeyError
        seen.append(m.is_grad_enabled())

    @m.no_grad()
    def fails() -> None:
        raise KeyError

    seen.append(raised(fails))
    return [*seen, m.is_grad_enabled()]


@same_as_torch
def test_one_mode_object_entered_again(m: Any) -> Any:
    """A decorated recursive function enters anew; so does one object in nested blocks."""

    @m.no_grad()
    def down(n: int) -> list[bool]:
        return [m.is_grad_enabled()] + (down(n - 1) if n else [])

    mode, seen = m.no_grad(), []
    with mode:
        seen.append(m.is_grad_enabled())
    with mode:
        seen.append(m.is_grad_enabled())
    return down(3), seen, m.is_grad_enabled()


@same_as_torch
def test_each_thread_has_its_own_mode(m: Any) -> Any:
    seen = []

    def work() -> None:
        seen.append(m.is_grad_enabled())
        m.set_grad_enabled(False)
        seen.append(m.is_grad_enabled())

    with m.no_grad():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        seen.append(m.is_grad_enabled())
    return [*seen, m.is_grad_enabled()]


def test_threads_compute_their_own_gradients() -> None:
    results = {}

    def work(k: int) -> None:
        x = mg.tensor([1.0, 2.0], requires_grad=True)
        for _ in range(50):
            ((x * k).exp() / (x * k).exp() * x).sum().backward()
        results[k] = x.grad.tolist()

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(4):
        assert results[k] == pytest.approx([50, 50], rel=1e-4)


@same_as_torch
def test_results_made_without_recording(m: Any) -> Any:
    x = leaf_of(m, 1.0, 2.0)
    with m.no_grad():
        y, part = x * 2, (x * 2)[:1]
        fresh = m.ones(2, requires_grad=True)
    y.requires_grad_()
    (y * fresh).sum().backward()
    return y, part, y.grad, fresh.grad, x.grad is None


# ---- hooks ---------------------------------------------------------------------------------------------------------------


@same_as_torch
def test_hooks_see_and_change_gradients(m: Any) -> Any:
    x, seen = leaf_of(m, 1.0, 2.0), []
    y = x * 3
    y.register_hook(lambda g: seen.append(("first", g.clone())))
    y.register_hook(lambda g: g * 2)
    y.register_hook(lambda g: seen.append(("third", g.clone())))
    x.register_hook(lambda g: seen.append(("leaf", g.clone())))
    x.register_hook(lambda g: g + 100)
    (y * y).sum().backward()
    return seen, x.grad


@same_as_torch
@pytest.mark.parametrize("reduced", [lambda y: y.mean(), lambda y: (y * y).sum(), lambda y: y.amax()])
def test_hooks_may_change_gradients_in_place(m: Any, reduced: Any) -> Any:
    """Also those that the engine keeps for the next time or has spread over a shape without copies."""
    x = leaf_of(m, 1.0, 2.0, 3.0)
    y = x * 2
    y.register_hook(lambda g: g.mul_(m.tensor([1.0, 10.0, 100.0])))
    loss = reduced(y)
    loss.register_hook(lambda g: g.mul_(3))
    loss.backward()
    again = leaf_of(m, 1.0)
    (again * 1).backward()
    return x.grad, again.grad


@same_as_torch
def test_hooks_see_the_whole_sum(m: Any) -> Any:
    """Gradients from two paths are added before a hook is called: it is called once."""
    x, seen = leaf_of(m, 1.0, 2.0), []
    y = x * 3
    for tensor in (x, y):
        tensor.register_hook(lambda g: seen.append(g.clone()))
    (y.exp() + y * x).sum().backward()
    return seen


@same_as_torch
def test_hooks_can_be_removed(m: Any) -> Any:
    x, seen = leaf_of(m, 2.0), []
    y = x * 1
    first, second = x.register_hook(lambda g: seen.append(1)), y.register_hook(lambda g: g * 10)
    y.backward(retain_graph=True)
    first.remove()
    second.remove()
    second.remove()
    y.backward(retain_graph=True)
    with x.register_hook(lambda g: seen.append(2)):
        y.backward(retain_graph=True)
    y.backward()
    return seen, x.grad


@same_as_torch
def test_a_leaf_hook_sees_each_pass_alone(m: Any) -> Any:
    x, seen = leaf_of(m, 2.0), []
    x.register_hook(lambda g: seen.append(g.item()))
    for k in (1, 2, 3):
        (x * k).backward()
    return seen, x.grad


@same_as_torch
def test_hooks_work_with_grad(m: Any) -> Any:
    x = leaf_of(m, 2.0)
    y = x * x
    x.register_hook(lambda g: g * 2)
    y.register_hook(lambda g: g * 3)
    loss = y * 5
    return m.autograd.grad(loss, y, retain_graph=True), m.autograd.grad(loss, x, create_graph=True)[0].item(), x.grad is None


@same_as_torch
def test_a_hook_hears_when_a_gradient_is_complete(m: Any) -> Any:
    """While the pass still runs: of three layers, the last one's weights are told before the second one's rule is asked."""
    told: list[Any] = []
    weights = [leaf_of(m, float(i + 2)) for i in range(3)]
    x = m.tensor(1.0)
    for i, weight in enumerate(weights):
        weight.register_hook(lambda g, i=i: told.append(("before", i, g.item())))
        weight.register_post_accumulate_grad_hook(lambda w, i=i: told.append(("after", i, w.grad.item())))
        x = x * weight
        x.register_hook(lambda g, i=i: told.append(("passing", i)))
    x = x + weights[2] * 10  # used twice, and complete only after both
    x.backward(retain_graph=True)
    x.backward(retain_graph=True, inputs=weights[:2])
    in_passes = list(told)
    m.autograd.grad(x, weights)
    return in_passes, [what for what, *_ in told[len(in_passes) :] if what == "after"], [weight.grad for weight in weights]


@same_as_torch
def test_a_hook_for_complete_gradients_may_take_them(m: Any) -> Any:
    """An optimiser inside the pass: it changes the weight, or forgets the gradient."""
    w, v = leaf_of(m, 2.0), leaf_of(m, 3.0)
    root = leaf_of(m, 5.0)

    def step(parameter: Any) -> None:
        parameter.data -= 0.5 * parameter.grad
        parameter.grad = None

    handles = [t.register_post_accumulate_grad_hook(step) for t in (w, v, root)]
    ((w * v).exp() + w).backward()
    root.backward()
    handles[0].remove()
    (w * v).backward()
    return w, v, root, w.grad, v.grad


class TakesNothing:
    """Makes a custom function that passes a gradient to one of its two inputs only."""

    def __new__(cls, m: Any) -> Any:
        class Function(m.autograd.Function):  # type: ignore[misc]
            @staticmethod
            def forward(ctx: Any, a: Any, b: Any) -> Any:
                return a + b

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                return g, None

        return Function


@same_as_torch
def test_a_gradient_is_complete_where_the_oldest_user_passes_none(m: Any) -> Any:
    a, b, told = leaf_of(m, 1.0), leaf_of(m, 2.0), []
    for name, t in (("a", a), ("b", b)):
        t.register_post_accumulate_grad_hook(lambda t, name=name: told.append((name, t.grad.item())))
    (TakesNothing(m).apply(a, b) * b).backward()
    return told, a.grad, b.grad


@same_as_torch
def test_hooks_for_complete_gradients_have_their_place(m: Any) -> Any:
    x = leaf_of(m, 1.0)
    return [raised(t.register_post_accumulate_grad_hook, print) for t in (x * 2, m.tensor(1.0), x)]


def test_a_leaf_with_a_hook_that_knows_it_can_be_freed() -> None:
    x = leaf_of(mg, 1.0)
    alive, before = weakref.ref(x), len(awaited)
    x.register_post_accumulate_grad_hook(lambda t, held=x: None)  # type: ignore[misc]
    assert len(awaited) == before + 1
    (x * 2).backward()
    del x
    gc.collect()
    assert alive() is None
    assert len(awaited) == before


@same_as_torch
def test_hooks_may_not_change_size_or_type(m: Any) -> Any:
    def with_hook(hook: Any) -> str:
        x = leaf_of(m, 1.0, 2.0)
        y = x * 2
        y.register_hook(hook)
        return raised(y.sum().backward)

    wrong = [lambda g: m.ones(3), lambda g: m.ones(1, 2), lambda g: 1.0, lambda g: g.double()]
    return [with_hook(hook) for hook in wrong], with_hook(lambda g: m.zeros(2)), with_hook(lambda g: None)


@same_as_torch
def test_hooks_only_where_a_gradient_flows(m: Any) -> Any:
    return raised(m.ones(2).register_hook, print), raised((m.ones(2) * 2).retain_grad), raised(m.ones(2).retain_grad)


@same_as_torch
def test_retain_grad(m: Any) -> Any:
    x = leaf_of(m, 2.0, 3.0)
    y = x * x
    z = y.exp() / 1000
    before = y.retains_grad, x.retains_grad
    y.retain_grad()
    y.retain_grad()
    x.retain_grad()
    z.sum().backward(retain_graph=True)
    first = y.grad.clone()
    z.sum().backward()
    return before, y.retains_grad, x.retains_grad, z.retains_grad, first, y.grad, x.grad


@same_as_torch
def test_retain_grad_keeps_what_hooks_have_made_of_it(m: Any) -> Any:
    x = leaf_of(m, 2.0)
    y = x * x
    y.retain_grad()
    y.register_hook(lambda g: g * 7)
    y.backward()
    return y.grad, x.grad


# ---- autograd.grad -------------------------------------------------------------------------------------------------------


@same_as_torch
def test_grad_leaves_no_trace(m: Any) -> Any:
    x, y = leaf_of(m, 2.0, 3.0), leaf_of(m, 4.0, 5.0)
    gradients = m.autograd.grad((x * y).sum(), [x, y])
    return type(gradients).__name__, gradients, x.grad is None, y.grad is None


@same_as_torch
def test_grad_with_respect_to_inner_tensors(m: Any) -> Any:
    x = leaf_of(m, 2.0)
    y = x * x
    z = y * y * x
    return m.autograd.grad(z, (z, y, x), retain_graph=True), m.autograd.grad(z, y, retain_graph=True), m.autograd.grad(z, [y, y])


@same_as_torch
def test_grad_takes_vectors(m: Any) -> Any:
    x = leaf_of(m, 2.0, 3.0)
    one = m.autograd.grad(x * x, x, m.tensor([1.0, 10.0]))
    two = m.autograd.grad([x * x, x.sum()], x, [m.ones(2), None])
    return one, two, raised(m.autograd.grad, x * x, x)


@same_as_torch
def test_grad_of_unused_inputs(m: Any) -> Any:
    x, y, constant = leaf_of(m, 2.0), leaf_of(m, 3.0, 4.0), m.ones(2)
    errors = raised(m.autograd.grad, x * 2, y), raised(m.autograd.grad, x * 2, constant), raised(m.autograd.grad, constant, x)
    given, none = m.autograd.grad(x * 2, [x, y], allow_unused=True)
    zeros = m.autograd.grad(x * 2, [x, y], materialize_grads=True)
    both = m.autograd.grad(x * 2, [x, y], allow_unused=True, materialize_grads=True)
    return errors, given, none is None, zeros, both, raised(m.autograd.grad, x * 2, y, allow_unused=False, materialize_grads=True)


@same_as_torch
def test_grad_runs_no_more_than_it_needs(m: Any) -> Any:
    """Only the part of the graph between output and inputs is visited: no hook elsewhere is called."""
    x, y, seen = leaf_of(m, 2.0), leaf_of(m, 3.0), []
    a, b = x * x, y * y
    below = a.exp()
    for name, tensor in (("a", a), ("b", b), ("below", below), ("x", x), ("y", y)):
        tensor.register_hook(lambda g, name=name: seen.append(name))
    loss = below * b
    m.autograd.grad(loss, b, retain_graph=True)
    only_b = list(seen)
    m.autograd.grad(loss, a, retain_graph=True)
    until_a = seen[len(only_b) :]
    count = len(seen)
    m.autograd.grad(loss, y, retain_graph=True)
    return only_b, sorted(until_a), seen[count:]


@same_as_torch
def test_what_grad_did_not_visit_is_not_freed(m: Any) -> Any:
    x, y = leaf_of(m, 2.0), leaf_of(m, 3.0)
    a, b = x.exp(), y.exp()
    m.autograd.grad(a + b, x)
    b.backward()
    return y.grad, raised(a.backward)


@same_as_torch
def test_gradients_from_grad_can_be_changed(m: Any) -> Any:
    a, b = leaf_of(m, 1.0, 2.0), leaf_of(m, 3.0, 4.0)
    g = m.ones(2)
    da, db = m.autograd.grad(a + b, [a, b], g)
    da = da.clone() if da is g else da
    with m.no_grad():
        da.add_(5)
    return db, a.grad is None


# ---- derivatives of derivatives ------------------------------------------------------------------------------------------


@same_as_torch
def test_derivatives_up_to_the_fourth(m: Any) -> Any:
    x = leaf_of(m, 0.5, -1.5, dtype="float64")
    y = (x.sin() * x.exp() + x**3 / (1 + x * x)).sum()
    derivatives = []
    for _ in range(4):
        (y,) = m.autograd.grad(y, x, create_graph=True)
        derivatives.append(y.detach())
        y = y.sum()
    return derivatives


@same_as_torch
def test_hessian_vector_product(m: Any) -> Any:
    w = m.tensor([[0.5, -0.25], [1.5, 0.75]], dtype=m.float64, requires_grad=True)
    x = m.tensor([[1.0, 2.0], [3.0, -1.0]], dtype=m.float64)
    loss = (x @ w).tanh().log_softmax(-1)[:, 0].mean()
    (g,) = m.autograd.grad(loss, w, create_graph=True)
    return g.detach(), g.requires_grad, m.autograd.grad((g * m.arange(4.0, dtype=m.float64).view(2, 2)).sum(), w)


@same_as_torch
def test_gradient_penalty(m: Any) -> Any:
    """A loss that contains a gradient, differentiated by backward()."""
    x, w = leaf_of(m, 1.0, 2.0, dtype="float64"), leaf_of(m, 3.0, -1.0, dtype="float64")
    (g,) = m.autograd.grad((x * w).sigmoid().sum(), x, create_graph=True)
    ((g * g).sum() - 1).backward()
    return x.grad, w.grad


@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph")
@same_as_torch
def test_backward_with_create_graph(m: Any) -> Any:
    x = leaf_of(m, 2.0)
    (x**3).backward(create_graph=True)
    first = x.grad
    facts = first.requires_grad, first.grad_fn is not None, first.item()
    x.grad = None
    first.backward()
    second = x.grad
    (x**2).backward()
    result = facts, second, x.grad
    x.grad = None
    return result


@same_as_torch
def test_create_graph_keeps_the_graph(m: Any) -> Any:
    x = leaf_of(m, 2.0)
    y = x.exp()
    m.autograd.grad(y, x, create_graph=True)
    y.backward()
    z = x.exp()
    m.autograd.grad(z, x, create_graph=True, retain_graph=False)
    return x.grad, raised(z.backward)


@same_as_torch
def test_without_create_graph_gradients_are_leaves(m: Any) -> Any:
    x = leaf_of(m, 2.0)
    (g,) = m.autograd.grad(x * x, x)
    g2 = m.autograd.grad(x * x, x, leaf_of(m, 1.0))[0]
    return g, g2


@same_as_torch
def test_derivative_with_respect_to_the_vector(m: Any) -> Any:
    x, v = leaf_of(m, 2.0, 3.0), leaf_of(m, 1.0, 1.0)
    (g,) = m.autograd.grad(x * x, x, v, create_graph=True)
    return m.autograd.grad(g.sum(), [v, x])


@same_as_torch
def test_second_derivative_through_a_sum_is_nothing(m: Any) -> Any:
    x = leaf_of(m, 2.0, 3.0)
    (g,) = m.autograd.grad((x + x * 2).sum(), x, create_graph=True)
    return g.detach(), g.requires_grad, raised(m.autograd.grad, g.sum(), x)


# ---- Function ------------------------------------------------------------------------------------------------------------


def functions(m: Any) -> dict[str, Any]:
    """The same custom functions in torch's form, on either module."""

    class Cube(m.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * 3 * x**2

    class Scaled(m.autograd.Function):
        """Two tensors and a number; two results."""

        @staticmethod
        def forward(ctx: Any, a: Any, factor: float, b: Any) -> Any:
            ctx.save_for_backward(a, b)
            ctx.factor, ctx.needed = factor, ctx.needs_input_grad
            return a * b * factor, a + b

        @staticmethod
        def backward(ctx: Any, product: Any, total: Any) -> Any:
            a, b = ctx.saved_tensors
            factor = ctx.factor
            return product * b * factor + total, None, product * a * factor + total if ctx.needs_input_grad[2] else None

    class Sorted(m.autograd.Function):
        """The largest element, and where it was."""

        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            place = x.argmax()
            ctx.mark_non_differentiable(place)
            ctx.place, ctx.shape = place, tuple(x.shape)
            return x[place].clone(), place

        @staticmethod
        def backward(ctx: Any, g: Any, _: Any) -> Any:
            whole = m.zeros(ctx.shape)
            whole[ctx.place] = g
            return whole

    class Separate(m.autograd.Function):
        """The newer form: forward without ctx."""

        @staticmethod
        def forward(x: Any, n: int) -> Any:
            return x**n

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            x, n = inputs
            ctx.save_for_backward(x, output)
            ctx.n = n

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, _ = ctx.saved_tensors
            return g * ctx.n * x ** (ctx.n - 1), None

    return {"Cube": Cube, "Scaled": Scaled, "Sorted": Sorted, "Separate": Separate}


@same_as_torch
def test_function_with_one_input(m: Any) -> Any:
    x = leaf_of(m, 2.0, -1.0)
    y = functions(m)["Cube"].apply(x)
    name, requires = y.grad_fn.name(), y.requires_grad
    y.sum().backward()
    with m.no_grad():
        plain = functions(m)["Cube"].apply(x)
    return name, requires, y.detach(), x.grad, plain, functions(m)["Cube"].apply(m.ones(2))


@same_as_torch
def test_function_with_several_inputs_and_outputs(m: Any) -> Any:
    a, b, constant = leaf_of(m, 2.0, -1.0), leaf_of(m, 5.0, 3.0), m.ones(2)
    product, total = functions(m)["Scaled"].apply(a, 0.5, b)
    (product * 2 + total * total).sum().backward()
    both = a.grad.clone(), b.grad.clone()
    a.grad = b.grad = None
    functions(m)["Scaled"].apply(a, 2.0, b)[0].sum().backward()  # the other output gets zeros
    first = a.grad.clone(), b.grad.clone()
    functions(m)["Scaled"].apply(a, 2.0, constant)[1].sum().backward()
    product, _ = functions(m)["Scaled"].apply(a, 2.0, constant)
    return both, first, a.grad, constant.grad is None, product.requires_grad, isinstance(_, m.Tensor)


@same_as_torch
def test_function_knows_which_inputs_need_a_gradient(m: Any) -> Any:
    seen = []

    class Watching(m.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *args: Any) -> Any:
            seen.append((ctx.needs_input_grad, m.is_grad_enabled()))
            return args[0] * 1

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            seen.append((ctx.needs_input_grad, m.is_grad_enabled()))
            return g, None, None

    Watching.apply(leaf_of(m, 1.0), m.ones(1), "text").backward()
    Watching.apply(m.ones(1), leaf_of(m, 1.0), 3)
    return seen


@same_as_torch
def test_function_outputs_without_derivative(m: Any) -> Any:
    x = leaf_of(m, 2.0, 7.0, 3.0)
    value, place = functions(m)["Sorted"].apply(x)
    (value * 2).backward()
    return x.grad, place, value.requires_grad


@same_as_torch
def test_function_with_setup_context(m: Any) -> Any:
    x = leaf_of(m, 2.0, 3.0)
    y = functions(m)["Separate"].apply(x, 4)
    y.sum().backward()
    return y.detach(), x.grad


@same_as_torch
def test_function_differentiated_twice(m: Any) -> Any:
    x, a, b = (leaf_of(m, 2.0, 3.0, dtype="float64") for _ in range(3))
    found = []
    (g,) = m.autograd.grad(functions(m)["Cube"].apply(x).sum(), x, create_graph=True)
    found += m.autograd.grad(g.sum(), x, create_graph=True)
    found += m.autograd.grad(found[0].sum(), x)
    (g,) = m.autograd.grad(functions(m)["Separate"].apply(x, 4).sum(), x, create_graph=True)
    found += m.autograd.grad(g.sum(), x)
    product, total = functions(m)["Scaled"].apply(a, 0.5, b)
    (g,) = m.autograd.grad((product * total).sum(), a, create_graph=True)
    found += m.autograd.grad(g.sum(), [a, b])
    return [each.detach() for each in found]


@same_as_torch
def test_function_with_wrong_gradients(m: Any) -> Any:
    def returning(*gradients: Any) -> Any:
        class Wrong(m.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Any, y: Any) -> Any:
                return x * y

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                return gradients

        return Wrong.apply(leaf_of(m, 1.0, 2.0), leaf_of(m, 1.0, 2.0)).sum()

    one, none = m.ones(2), None
    return {
        "right": raised(returning(one, one).backward),
        "none": raised(returning(none, none).backward),
        "trailing None": raised(returning(one, one, none).backward),
        "too few": raised(returning(one).backward),
        "too many": raised(returning(one, one, one).backward),
        "wrong shape": raised(returning(one, m.ones(3)).backward),
        "no dimension": raised(returning(one, m.ones(())).backward),
        "repeated": raised(returning(one, m.ones(4, 2)).backward),
        "no tensor": raised(returning(one, 1.0).backward),
    }


@pytest.mark.parametrize("dtype", ["float64", "float16", "int64"])
def test_function_gradients_are_brought_to_the_type_of_the_input(dtype: str) -> None:
    @same_as_torch
    def scenario(m: Any) -> Any:
        class Foreign(m.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                return x * 2

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                return m.ones(3, 2, dtype=getattr(m, dtype))

        x = leaf_of(m, 1.0, 2.0)
        Foreign.apply(x).sum().backward()
        return x.grad

    scenario()


@same_as_torch
def test_function_with_a_gradient_for_what_is_no_tensor(m: Any) -> Any:
    class Wrong(m.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, n: int) -> Any:
            return x * n

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g, g

    return raised(Wrong.apply(leaf_of(m, 1.0), 3).backward)


@same_as_torch
def test_function_whose_saved_tensor_was_overwritten(m: Any) -> Any:
    x = m.ones(2)
    y = leaf_of(m, 1.0, 2.0) * 1
    total = functions(m)["Scaled"].apply(x, 1.0, y)[0].sum()
    x.add_(1)
    return raised(total.backward)


@same_as_torch
def test_function_backward_twice(m: Any) -> Any:
    x = leaf_of(m, 2.0)
    y = functions(m)["Cube"].apply(x)
    y.backward(retain_graph=True)
    y.backward()
    return x.grad, raised(y.backward)


@same_as_torch
def test_function_that_saves_nothing_can_be_passed_again(m: Any) -> Any:
    seen = []

    class Twice(m.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            seen.append(g.clone())
            return g * 2

    x, g = leaf_of(m, 1.0, 2.0), m.ones(2)
    y = Twice.apply(x)
    for _ in range(3):  # with the very same gradient: each pass calls the function's backward
        y.backward(g)
    return seen, x.grad


@same_as_torch
def test_function_is_one_node_of_the_graph(m: Any) -> Any:
    x = leaf_of(m, 2.0, -1.0)
    cube = functions(m)["Cube"].apply(x * 1)
    return [node.name() for node, _ in cube.grad_fn.next_functions], cube.grad_fn.name()


def test_function_costs_little_more_than_what_it_computes() -> None:
    class Plus(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x + 1

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g

    def time_of(function: Any) -> float:
        x, times = leaf_of(mg, 1.0, 2.0), []
        for _ in range(20):
            start = time.process_time()
            for _ in range(100):
                function(x)
            times.append(time.process_time() - start)
        return min(times)

    assert time_of(Plus.apply) < 6 * time_of(lambda x: x + 1)  # 3 times; it was 8 when the node's `Op` was made anew each time


@same_as_torch
def test_function_without_materialized_gradients(m: Any) -> Any:
    seen = []

    class Two(m.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, a: Any, b: Any) -> Any:
            seen.append((a is None, b is None))
            return b * 3 if a is None else a * 2

    x = leaf_of(m, 1.0)
    Two.apply(x)[0].backward()
    Two.apply(x)[1].backward()
    return seen, x.grad


@same_as_torch
def test_function_that_returns_its_input(m: Any) -> Any:
    class Through(m.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return -g  # gradient reversal

    x = leaf_of(m, 1.0, 2.0)
    y = Through.apply(x)
    (y * 3).sum().backward()
    return y is x, y.detach(), y.requires_grad, x.grad, x.is_leaf, x.requires_grad


@same_as_torch
def test_function_undefined(m: Any) -> Any:
    class Half(m.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

    class Nothing(m.autograd.Function):
        pass

    return raised(Half.apply(leaf_of(m, 1.0)).backward), raised(Nothing.apply, leaf_of(m, 1.0))


# Functions that save what they return -------------------------------------------------------------------------------------


def exp_of(m: Any) -> Any:
    """torch's own example: the derivative of exp is read from the result."""

    class Exp(m.autograd.Function):  # type: ignore[name-defined, misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            result = x.exp()
            ctx.save_for_backward(result)
            return result

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * ctx.saved_tensors[0]

    return Exp


@same_as_torch
def test_function_that_saves_its_result_differentiates_twice(m: Any) -> Any:
    x = m.tensor([1.0, -0.5], dtype=m.float64, requires_grad=True)
    (g,) = m.autograd.grad((exp_of(m).apply(x) * x).sum(), x, create_graph=True)
    assert m.autograd.gradgradcheck(exp_of(m).apply, x)
    return g.detach(), *m.autograd.grad(g.sum(), x)


def sinh_of(m: Any) -> Any:
    """torch's own example: what backward needs is returned, too, so that it has a history."""

    class Sinh(m.autograd.Function):  # type: ignore[name-defined, misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            up, down = x.exp(), (-x).exp()
            ctx.save_for_backward(up, down)
            return (up - down) / 2, up, down

        @staticmethod
        def backward(ctx: Any, g: Any, g_up: Any, g_down: Any) -> Any:
            up, down = ctx.saved_tensors
            result = g * (up + down) / 2
            result += g_up * up
            result -= g_down * down
            return result

    return Sinh


@same_as_torch
def test_saved_results_that_nobody_keeps_are_differentiated(m: Any) -> Any:
    x = m.tensor([1.0, -0.5], dtype=m.float64, requires_grad=True)

    def derivatives(of: Any, count: int) -> list[Any]:
        results = []
        for _ in range(count):
            (of,) = m.autograd.grad(of.sum(), x, create_graph=True)
            results.append(of.detach())
        return results

    def sinh(x: Any) -> Any:
        return sinh_of(m).apply(x)[0]

    kept = sinh_of(m).apply(x)
    with m.autograd.graph.saved_tensors_hooks(lambda t: t.detach().numpy(), m.from_numpy):
        packed = derivatives(sinh(x), 4)
    assert m.autograd.gradgradcheck(sinh, x)
    y = sinh(x)
    twice = derivatives(y, 2), derivatives(y, 2)
    return derivatives(sinh(x), 4), derivatives(kept[0], 4), derivatives(kept[1], 3), packed, twice


@same_as_torch
def test_function_whose_saved_result_was_overwritten(m: Any) -> Any:
    y = exp_of(m).apply(m.ones(2, requires_grad=True))
    y.mul_(2)
    return raised(lambda: y.sum().backward())


@same_as_torch
def test_function_that_returns_a_view_of_its_input(m: Any) -> Any:
    class View(m.autograd.Function):  # type: ignore[name-defined, misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.view(-1)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g

    x = m.ones(2, requires_grad=True) * 1
    y, v = x * x, View.apply(x)

    def overwrite() -> None:
        v.mul_(10)
        y.sum().backward()

    return raised(overwrite)


def test_function_that_saves_its_result_leaves_no_cycle() -> None:
    exp, sinh = exp_of(mg), sinh_of(mg)  # classes, which are cycles themselves
    gc.collect()
    gc.disable()
    try:
        y = exp.apply(mg.ones(1, requires_grad=True))
        del y
        assert gc.collect() == 0
        x = mg.ones(1, requires_grad=True)
        (g,) = mg.autograd.grad(sinh.apply(x)[0], x, create_graph=True)
        g.backward()
        del x, g
        assert gc.collect() == 0
    finally:
        gc.enable()


@same_as_torch
def test_switches_as_bare_decorators(m: Any) -> Any:
    @m.no_grad
    def off() -> bool:
        return bool(m.is_grad_enabled())

    @m.enable_grad
    def on() -> bool:
        return bool(m.is_grad_enabled())

    with m.no_grad():
        inside = on()
    return off(), inside, m.is_grad_enabled()


@same_as_torch
def test_retained_gradient_follows_an_in_place_change(m: Any) -> Any:
    x = m.ones(2, 2, requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    y.sum().backward()
    return y.grad, x.grad


# ---- gradients assigned, and asked for ------------------------------------------------------------------------------------


def assigned(m: Any, gradient: Callable[..., Any]) -> Any:
    """A gradient assigned by hand, to which backward then adds."""
    x = m.ones(2, requires_grad=True)
    x.grad = gradient(m, x)
    (x * 3).sum().backward()
    return x.grad


test_assigned_gradients = same_outcomes({
    name: lambda m, gradient=gradient: assigned(m, gradient) for name, gradient in {
        "of another shape": lambda m, x: m.ones(5), "of another dtype": lambda m, x: m.ones(2, dtype=m.float64),
        "the tensor itself": lambda m, x: x, "integers": lambda m, x: m.ones(2, dtype=m.int64), "a number": lambda m, x: 1.0,
        "of its own kind": lambda m, x: m.ones(2), "None": lambda m, x: None, "a list": lambda m, x: [1.0, 2.0]}.items()
})  # fmt: skip


@same_as_torch
def test_a_gradient_is_deleted(m: Any) -> Any:
    x = m.ones(2, requires_grad=True)
    x.sum().backward()
    del x.grad
    return [x.grad]


@LIBRARIES
def test_grad_of_what_is_no_leaf(lib: Any) -> None:
    """The commonest question: why is it None? Whoever asked for it to be kept is not warned."""
    x = lib.ones(2, requires_grad=True)
    y, kept = x * 2, x * 3
    kept.retain_grad()
    (y + kept).sum().backward()
    with pytest.warns(UserWarning, match="not a leaf Tensor is being accessed"):
        assert y.grad is None
    assert x.grad.tolist() == [5, 5]
    assert kept.grad.tolist() == [1, 1]


def test_many_inputs_are_found_in_linear_time() -> None:
    """Each input is looked up in a set: comparing tensors one by one would call == on each pair."""
    xs = [mg.ones(1, requires_grad=True) for _ in range(3000)]
    assert len(mg.autograd.grad(sum(xs[1:], xs[0]), xs)) == 3000


def test_a_replay_refuses_inputs_that_were_overwritten() -> None:
    """torch reads relu's result instead and can answer; here an error takes the place of a wrong number."""
    x = mg.tensor([-1.0, 2.0], requires_grad=True)
    h = x.clone()
    y = h.relu()
    h.mul_(-1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        mg.autograd.grad(y.sum(), x, create_graph=True)


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
def test_what_is_thrown_into_a_generator_under_no_grad(m: Any) -> Any:
    log: list[Any] = []

    @m.no_grad()
    def numbers() -> Any:
        try:
            try:
                yield 1
            except KeyError as error:
                log.append((str(error), m.is_grad_enabled()))
                log.append((yield 2, m.is_grad_enabled()))
            yield 3
        finally:
            log.append(("finally", m.is_grad_enabled()))

    generator = numbers()
    steps = [next(generator), generator.throw(KeyError("thrown")), m.is_grad_enabled(), generator.send("sent")]
    generator.close()
    failing = numbers()
    next(failing)
    steps += [raised(failing.throw, ValueError), m.is_grad_enabled(), raised(next, failing)]
    dropped = numbers()
    next(dropped)
    del dropped
    return steps, log


@same_as_torch
def test_a_generator_under_no_grad_that_goes_on_or_returns(m: Any) -> Any:
    @m.no_grad()
    def stubborn() -> Any:
        try:
            yield 1
        except GeneratorExit:
            yield 2

    @m.no_grad()
    def returning() -> Any:
        yield m.is_grad_enabled()
        return 7

    def outer() -> Any:
        yield (yield from returning())

    generator = stubborn()
    next(generator)
    return raised(generator.close), list(outer())


PENALISED: dict[str, Any] = {
    "avg_pool1d": ((1, 2, 4), lambda m, x: m.nn.functional.avg_pool1d(x, 2)),
    "max_pool1d": ((1, 2, 4), lambda m, x: m.nn.functional.max_pool1d(x, 2)),
    "avg_pool2d": ((1, 2, 4, 4), lambda m, x: m.nn.functional.avg_pool2d(x, 2)),
    "max_pool2d": ((1, 2, 4, 4), lambda m, x: m.nn.functional.max_pool2d(x, 2)),
    "adaptive_avg_pool2d": ((1, 2, 4, 4), lambda m, x: m.nn.functional.adaptive_avg_pool2d(x, 2)),
    "adaptive_max_pool2d": ((1, 2, 4, 4), lambda m, x: m.nn.functional.adaptive_max_pool2d(x, 2)),
    "conv1d": ((1, 2, 4), lambda m, x: m.nn.functional.conv1d(x, m.ones(3, 2, 3))),
    "conv2d": ((1, 2, 4, 4), lambda m, x: m.nn.functional.conv2d(x, m.ones(3, 2, 3, 3))),
    "conv2d of a constant": ((3, 2, 3, 3), lambda m, w: m.nn.functional.conv2d(m.ones(1, 2, 4, 4), w)),
    "conv_transpose2d": ((1, 2, 4, 4), lambda m, x: m.nn.functional.conv_transpose2d(x, m.ones(2, 3, 3, 3))),
    "prelu": ((2, 4), lambda m, x: m.nn.functional.prelu(x, m.tensor([0.25]))), "relu": ((2, 4), lambda m, x: m.relu(x)),
    "weight of prelu": ((1,), lambda m, w: m.nn.functional.prelu(m.tensor([-1.0, 2.0]), w)),
    "pad": ((2, 4), lambda m, x: m.nn.functional.pad(x, (1, 1))),
    "reflect": ((2, 4), lambda m, x: m.nn.functional.pad(x, (1, 1), mode="reflect")),
    "replicate": ((2, 4), lambda m, x: m.nn.functional.pad(x, (1, 1), mode="replicate")),
    "circular": ((2, 4), lambda m, x: m.nn.functional.pad(x, (1, 1), mode="circular")),
    "batch_norm": ((2, 4), lambda m, x: m.nn.functional.batch_norm(x, m.zeros(4), m.ones(4))),
    "linear": ((2, 4), lambda m, x: x @ m.ones(4, 2)),
    "leaky_relu": ((2, 4), lambda m, x: m.nn.functional.leaky_relu(x)), "sum": ((2, 4), lambda m, x: x.sum(1)),
}  # fmt: skip


@same_as_torch
@pytest.mark.parametrize("name", PENALISED)
def test_a_gradient_that_is_constant(m: Any, name: str) -> Any:
    """Whether it requires a gradient is torch's decision, since a gradient penalty raises where it does not."""
    shape, function = PENALISED[name]
    x = variable(m, *shape, dtype="float32")
    (g,) = m.autograd.grad(function(m, x).sum(), x, create_graph=True)
    if g.requires_grad:
        ((g.norm() - 1) ** 2).backward()
    v = m.ones_like(y := function(m, x)).requires_grad_()
    (linear,) = m.autograd.grad(y, x, v, create_graph=True)
    second = m.zeros_like(x).detach() if x.grad is None else x.grad  # torch leaves some of these zeros out
    return g.requires_grad, g.detach(), second, m.autograd.grad(linear.sum(), v)


def made_in_inference(m: Any, make: Any = lambda m: m.ones(3)) -> Any:
    with m.inference_mode():
        return make(m)


test_inference_tensors_are_protected = same_outcomes({
    name: lambda m, use=use: use(m, made_in_inference(m), m.ones(3, requires_grad=True)) for name, use in {
        "changed": lambda m, t, w: t.add_(1), "assigned to": lambda m, t, w: t.__setitem__(0, 1),
        "filled": lambda m, t, w: t.zero_(),
        "drawn": lambda m, t, w: t.normal_(), "a view changed": lambda m, t, w: t[:2].mul_(2),
        "made to require grad": lambda m, t, w: t.requires_grad_(),
        "a parameter": lambda m, t, w: m.nn.Parameter(t), "saved": lambda m, t, w: w * t,
        "saved by a layer": lambda m, t, w: m.nn.functional.linear(t, w),
        "not saved": lambda m, t, w: m.autograd.grad((w + t).sum(), w), "its version": lambda m, t, w: t._version,
        "a clone": lambda m, t, w: [t.clone().add_(1), t.clone().is_inference()],
        "read": lambda m, t, w: [(t * 2).tolist(), (t * 2).is_inference()],
        "shown otherwise": lambda m, t, w: [t.view(3).is_inference(), t.detach().is_inference(), t[:1].is_inference()],
    }.items()
})  # fmt: skip


@same_as_torch
def test_what_inference_mode_makes(m: Any) -> Any:
    outside = m.ones(3, requires_grad=True)
    plain = m.ones(3)
    with m.inference_mode():
        made = [m.ones(2), m.rand(2), m.tensor([1.0]), outside * 2, plain[:2], outside.detach(), m.ones(2).clone()]
        plain[:2].add_(1)
        made[0].add_(1)
        modes = [m.is_grad_enabled(), m.is_inference_mode_enabled()]
        with m.inference_mode(False):
            modes += [m.is_grad_enabled(), m.is_inference_mode_enabled(), m.ones(1).is_inference(), (outside * 2).requires_grad]
        with m.enable_grad():
            modes += [m.is_grad_enabled(), m.is_inference_mode_enabled()]
    modes += [m.is_grad_enabled(), m.is_inference_mode_enabled()]
    return [t.is_inference() for t in made], modes, plain, plain._version, made[0]


@same_as_torch
def test_functions_in_inference_mode(m: Any) -> Any:
    @m.inference_mode()
    def called(x: Any) -> Any:
        return (x * 2).is_inference(), m.is_inference_mode_enabled(), (x * 2).requires_grad

    @m.inference_mode
    def bare(x: Any) -> Any:
        return (x * 2).is_inference()

    @m.inference_mode()
    def generator() -> Any:
        yield m.is_inference_mode_enabled()
        yield m.ones(1).is_inference()

    x = m.ones(2, requires_grad=True)
    with m.no_grad(), m.inference_mode(False):
        inner = m.is_grad_enabled()
    return called(x), bare(x), [(each, m.is_inference_mode_enabled()) for each in generator()], inner, m.is_inference_mode_enabled()


def test_inference_mode_is_for_one_thread() -> None:
    seen = []
    with mg.inference_mode():
        thread = threading.Thread(target=lambda: seen.extend([mg.is_inference_mode_enabled(), mg.ones(1).is_inference()]))
        thread.start()
        thread.join()
    assert seen == [False, False]


@same_as_torch
def test_nodes_of_functions_written_by_hand_say_so(m: Any) -> Any:
    class Double(m.autograd.Function):  # type: ignore[name-defined, misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    y = Double.apply(m.ones(2, requires_grad=True))
    texts = [repr(y.grad_fn), repr((y * 3).grad_fn), repr((y * 3).grad_fn.next_functions[0][0])]
    return [y, *(text.partition(" object at 0x")[0] for text in texts)]
