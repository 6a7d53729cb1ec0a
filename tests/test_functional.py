"""`autograd.functional` and `torch.func`: derivatives of functions, beside torch's."""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

import pytest

import minigrad as mg
from tests.twins import raised, same_as_torch, variable

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")  # torch's own use of it


def values(tree: Any) -> Any:
    """A nest with its tensors as plain ones: how a graph was recorded is each framework's own affair."""
    if isinstance(tree, tuple | list):
        return [values(part) for part in tree]
    if isinstance(tree, dict):
        return {key: values(part) for key, part in tree.items()}
    return (tree.detach(), tree.requires_grad) if hasattr(tree, "requires_grad") else tree


def two(m: Any) -> tuple[Any, Any]:
    return variable(m, 3, dtype="float64"), variable(m, 2, 3, dtype="float64", seed=1)


def several(x: Any, y: Any) -> tuple[Any, Any]:
    return (x * y).exp() + x.sin(), (y * y).sum(0)


def scalar(x: Any, y: Any) -> Any:
    return (x.exp() * y**3).sum() + x.prod()


# ---- autograd.functional -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("create_graph", [False, True])
@same_as_torch
def test_products_with_a_jacobian(m: Any, create_graph: bool) -> Any:
    f = m.autograd.functional
    x, y = two(m)
    u, v = variable(m, 2, 3, dtype="float64", seed=2).detach(), variable(m, 3, dtype="float64", seed=3)
    one = m.tensor(2.0, requires_grad=True)
    results = [f.vjp(several, (x, y), (u, v), create_graph=create_graph), f.jvp(several, (x, y), (v, u), create_graph=create_graph),
               f.vjp(lambda t: t**3, one, create_graph=create_graph), f.jvp(lambda t: t.exp(), one, create_graph=create_graph),
               f.vjp(lambda t: (t**2,), x, (v,), create_graph=create_graph),
               f.jvp(lambda t: (t**2, m.ones(2)), (x,), v, create_graph=create_graph)]  # fmt: skip
    return values(results), x.requires_grad, x.grad


@pytest.mark.parametrize("create_graph", [False, True])
@same_as_torch
def test_products_with_a_hessian(m: Any, create_graph: bool) -> Any:
    f = m.autograd.functional
    x, y = two(m)
    v = (variable(m, 3, dtype="float64", seed=2).detach(), variable(m, 2, 3, dtype="float64", seed=3).detach())
    results = [f.vhp(scalar, (x, y), v, create_graph=create_graph), f.hvp(scalar, (x, y), v, create_graph=create_graph),
               f.vhp(lambda t: (t**3).sum(), x, v[0]), f.hvp(lambda t: t.sum().reshape(1), x, v[0])]  # fmt: skip
    return values(results)


@pytest.mark.parametrize("create_graph", [False, True])
@same_as_torch
def test_jacobians_and_hessians(m: Any, create_graph: bool) -> Any:
    f = m.autograd.functional
    x, y = two(m)
    plain = x.detach()
    results = [f.jacobian(several, (x, y), create_graph=create_graph), f.hessian(scalar, (x, y), create_graph=create_graph),
               f.jacobian(lambda t: t.reshape(3, 1) * t, x, create_graph=create_graph), f.jacobian(lambda t: (t, t.sum()), plain),
               f.jacobian(lambda a, b: a * 2, (x, y)), f.hessian(lambda t: (t**3).sum(), plain, create_graph=create_graph),
               f.hessian(lambda a, b: a.sum() ** 2, (plain, y)), f.jacobian(lambda t: m.ones(2), x),
               f.hessian(lambda t: (t**3).sum().reshape(1, 1), plain)]  # fmt: skip
    return values(results), plain.requires_grad


@same_as_torch
def test_how_a_jacobian_is_computed_makes_no_difference(m: Any) -> Any:
    f = m.autograd.functional
    x, y = (t.detach() for t in two(m))
    results = [f.jacobian(several, (x, y), vectorize=True), f.hessian(scalar, (x, y), vectorize=True),
               f.jacobian(several, (x, y), vectorize=True, strategy="forward-mode"),
               f.hessian(scalar, (x, y), vectorize=True, outer_jacobian_strategy="forward-mode")]  # fmt: skip
    return [[[block.detach() for block in row] for row in rows] for rows in results]


@same_as_torch
def test_a_jacobian_can_be_differentiated(m: Any) -> Any:
    x = variable(m, 3, dtype="float64")
    found = m.autograd.functional.jacobian(lambda t: t**3 * t.sum(), x, create_graph=True)
    found.sum().backward()
    return found.detach(), x.grad


@same_as_torch
def test_strict(m: Any) -> Any:
    f = m.autograd.functional
    x, y = two(m)
    v = x.detach()
    constant, linear, half = (lambda t: m.ones(3)), (lambda t: t.sum() * 2), (lambda a, b: a.sum())
    calls = [(f.vjp, constant, x, v), (f.jvp, constant, x, v), (f.vhp, linear, x, v), (f.hvp, linear, x, v),
             (f.vhp, half, (x, y), (v, y))]
    results = [raised(function, func, at, w, strict=True) for function, func, at, w in calls]
    results += [raised(function, func, at, strict=True) for function in (f.jacobian, f.hessian) for func, at in (
        (constant, x), (linear, x), (half, (x, y)))]  # fmt: skip
    results += [raised(f.vjp, half, (x, y), None, strict=True),
                raised(f.jvp, lambda a: a * 2, x, v, strict=True, create_graph=True),
                raised(f.vjp, lambda a: a * 2, x, v, strict=True, create_graph=True),
                raised(f.jacobian, several, (x, y), strict=True)]
    return results, values([function(func, at, w) for function, func, at, w in calls])


@same_as_torch
def test_what_they_refuse(m: Any) -> Any:
    f = m.autograd.functional
    x, y = two(m)
    return [
        raised(f.vjp, several, [x, y]), raised(f.vjp, lambda t: [t], x, x), raised(f.vjp, lambda t: t * 2, x),
        raised(f.jvp, lambda t: t * 2, x), raised(f.vjp, lambda t: t * 2, x, y), raised(f.vjp, lambda t: t * 2, x, (x, y)),
        raised(f.vjp, several, (x, y), (x,)), raised(f.vjp, lambda t: t, x, 1.0), raised(f.hessian, lambda t: t, x),
        raised(f.hessian, lambda t: (t.sum(),), x), raised(f.vhp, lambda t: t * 2, x, x), raised(f.hvp, several, (x, y), (x, y)),
        raised(f.hvp, lambda t: t.sum(), x), raised(f.jacobian, several, (x, y), strategy="sideways"),
        raised(f.jacobian, several, (x, y), strategy="forward-mode"),
        raised(f.jacobian, several, (x, y), strict=True, vectorize=True),
        raised(f.jacobian, several, (x, y), create_graph=True, vectorize=True, strategy="forward-mode")]  # fmt: skip


@same_as_torch
def test_recording_is_on_inside_and_left_as_it_was(m: Any) -> Any:
    f = m.autograd.functional
    x = variable(m, 3, dtype="float64")
    with m.no_grad():
        results = [f.jacobian(lambda t: t**2, x), f.hessian(lambda t: (t**3).sum(), x), f.vjp(lambda t: t**2, x, x)]
        return values(results), m.is_grad_enabled()


# ---- torch.func ----------------------------------------------------------------------------------------------------------


@same_as_torch
def test_gradients_of_functions(m: Any) -> Any:
    f = m.func
    x, y = (t.detach() for t in two(m))
    results = [f.grad(scalar)(x, y), f.grad(scalar, argnums=1)(x, y), f.grad(scalar, argnums=(0, -1))(x, y),
               f.grad(scalar, (1,))(x, y), f.grad_and_value(scalar)(x, y),
               f.grad(lambda t: (t.sum() ** 2, {"t": t}), has_aux=True)(x),
               f.grad_and_value(lambda t: (t.sum() ** 2, (t, t * 3)), has_aux=True)(x),
               f.grad(lambda t, k=1.0: (t * k).sum())(x, k=y), f.grad(lambda t: m.tensor(1.0))(x),
               f.grad(lambda a, b: a.sum(), (0, 1))(x, y)]  # fmt: skip
    return values(results), x.requires_grad


@same_as_torch
def test_gradients_of_gradients(m: Any) -> Any:
    f = m.func
    x = m.tensor(0.7, dtype=m.float64)
    third = f.grad(f.grad(f.grad(lambda t: t.sin() * t)))(x)
    mixed = f.grad(lambda t: f.grad(lambda s: s**3 * t**2)(t))(x)
    with m.no_grad():
        under = f.grad(f.grad(lambda t: t**3))(x)
    return values([third, mixed, under, f.grad(lambda t: m.autograd.functional.jacobian(lambda s: s**3, t, create_graph=True))(x)])


@same_as_torch
def test_derivatives_that_depend_on_more_have_a_history(m: Any) -> Any:
    f = m.func
    x, w = variable(m, 3, dtype="float64"), variable(m, 3, dtype="float64", seed=1)
    first, value = f.grad_and_value(lambda t: (t**2 * w).sum())(x.detach())
    second, product = f.vjp(lambda t: t * w, x.detach())
    third = f.grad(lambda t: (t**3).sum())(x)
    rows = f.jacrev(lambda t: t**2 * w)(x.detach())
    aux = f.grad(lambda t: ((t**2).sum(), (t * 2, t * w)), has_aux=True)(x.detach())[1]
    leaf, along = f.vjp(lambda t: w, x.detach())[0], f.jvp(lambda t: t**2, (x.detach(),), (w,))[1]
    across = f.vjp(lambda t: t**2, x.detach())[1](w)[0]
    with_a_history = first, value, second, product(x.detach())[0], third, rows, aux[1], leaf, along, 2 * across
    sum(each.sum() for each in with_a_history).backward()
    with m.no_grad():
        hidden = f.grad_and_value(lambda t: (t**2 * w).sum())(x.detach())
    return values([first, value, second, third, rows, aux, hidden, leaf, along, across]), x.grad, w.grad


@same_as_torch
def test_vjp_and_jvp(m: Any) -> Any:
    f = m.func
    x, y = (t.detach() for t in two(m))
    outputs, product = f.vjp(several, x, y)
    u = (y.cos(), x.cos())
    one, single = f.vjp(lambda t: {"a": t * 2, "b": [t.sum()]}, x)
    out, auxiliary, aux = f.vjp(lambda t: (t * 2, [t * 3]), x, has_aux=True)
    results = [outputs, product(u), product(u), one, single({"a": x, "b": [m.tensor(3.0, dtype=m.float64)]}), out, auxiliary(x),
               aux, f.jvp(several, (x, y), (x.sin(), y.sin())), f.jvp(lambda t: (t**2, t), (x,), (x,), has_aux=True),
               f.jvp(lambda t: {"a": t * 2}, (x,), (x,)), f.jvp(lambda t: m.ones(2), (x,), (x,))]  # fmt: skip
    return values(results)


@same_as_torch
def test_matrices(m: Any) -> Any:
    f = m.func
    x, y = (t.detach() for t in two(m))
    results = [f.jacrev(several)(x, y), f.jacrev(several, argnums=(0, 1))(x, y), f.jacfwd(several, argnums=1)(x, y),
               f.jacrev(lambda t: {"a": t**2, "b": t.sum()})(x), f.jacrev(lambda t: (t**2, t), has_aux=True)(x),
               f.jacfwd(lambda t: (t**2, t), has_aux=True)(x), f.hessian(scalar)(x, y), f.hessian(scalar, argnums=(0, 1))(x, y),
               f.jacrev(f.jacrev(lambda t: t**3))(x), f.jacfwd(f.jacrev(lambda t: t.exp()))(x),
               f.jacrev(lambda a, b: a * 2, (0, 1))(x, y), f.jacrev(lambda t: t**2, chunk_size=2)(x)]  # fmt: skip
    return values(results)


class Pair(NamedTuple):
    first: Any
    second: Any


@same_as_torch
def test_arguments_may_be_nests(m: Any) -> Any:
    x, y = (t.detach() for t in two(m))

    def loss(tree: Any) -> Any:
        return (tree["pair"].first * tree["rest"][0]).sum() + tree["pair"].second ** 2

    found = m.func.grad(loss)({"pair": Pair(x, m.tensor(2.0, dtype=m.float64)), "rest": [y, (x,)]})
    return type(found["pair"]).__name__, type(found["rest"][1]).__name__, values(found)


@same_as_torch
def test_nests_are_taken_apart_and_put_together(m: Any) -> Any:
    trees = importlib.import_module(f"{m.__name__}.utils._pytree")
    tree = {"a": 1, "b": (2, [3, None], Pair(4, 5)), "c": {}}
    leaves, spec = trees.tree_flatten(tree)
    refused = [raised(trees.tree_unflatten, leaves[1:], spec), raised(trees.tree_unflatten, [*leaves, 6], spec)]
    return (leaves, spec.num_leaves, trees.tree_leaves(7), repr(trees.tree_unflatten(map(str, leaves), spec)),
            repr(trees.tree_map(lambda leaf: [leaf], tree)), refused)


@same_as_torch
def test_what_the_transforms_refuse(m: Any) -> Any:
    f = m.func
    x, y = (t.detach() for t in two(m))
    _, product = f.vjp(several, x, y)
    return [
        raised(f.grad(lambda t: t), x), raised(f.grad(lambda t: 1.0), x), raised(f.grad(scalar, 2), x, y),
        raised(f.grad(scalar, -3), x, y), raised(f.grad(scalar, (0, 0)), x, y), raised(f.grad(scalar, ()), x, y),
        raised(f.grad(scalar, "x"), x, y), raised(f.grad(lambda t: t.sum(), has_aux=True), x), raised(f.grad(lambda t: t), 1.0),
        raised(f.vjp, lambda t: 1.0, x), raised(product, (x, y)), raised(product, x), raised(f.jvp, several, (x, y), (x,)),
        raised(f.jvp, several, [x, y], (x, y)), raised(f.jvp, several, (), ()), raised(f.jvp, lambda t: t, (x,), (y,)),
        raised(f.jvp, lambda t: m.ones(1), (x,), (x,), strict=True), raised(f.jacrev, several, chunk_size=0),
        raised(f.jacrev(lambda t: (t, 1.0)), x)]  # fmt: skip


def test_vmap_names_itself() -> None:
    for vmap in (mg.vmap, mg.func.vmap):
        with pytest.raises(NotImplementedError, match=r"^vmap is not supported; .* stack"):
            vmap(mg.sin, in_dims=0)


# ---- functional_call -----------------------------------------------------------------------------------------------------


def net(m: Any) -> Any:
    m.manual_seed(0)
    return m.nn.Sequential(m.nn.Linear(3, 4), m.nn.BatchNorm1d(4), m.nn.Tanh(), m.nn.Linear(4, 1))


@same_as_torch
def test_a_module_as_a_function_of_its_parameters(m: Any) -> Any:
    model, call = net(m).eval(), m.func.functional_call
    before = {name: p.detach().clone() for name, p in model.state_dict().items()}
    x = variable(m, 5, 3, dtype="float32").detach()
    parameters = {name: p.detach() + 0.1 for name, p in model.named_parameters()}
    found = m.func.grad(lambda p: call(model, p, (x,)).square().mean())(parameters)
    partly = call(model, {"3.bias": m.full((1,), 9.0), "of no module": x}, x)
    unchanged = [bool((model.state_dict()[name] == p).all()) for name, p in before.items()]
    return found, partly.detach(), unchanged, [p.grad for p in model.parameters()]


@same_as_torch
def test_buffers_from_outside(m: Any) -> Any:
    model, x = net(m).double(), variable(m, 5, 3, dtype="float64").detach()
    buffers = {name: b.clone() + 1 for name, b in model.named_buffers()}
    result = m.func.functional_call(model, ({"0.bias": m.ones(4, dtype=m.float64)}, buffers), (x,))
    return result.detach(), buffers, dict(model.named_buffers())


@same_as_torch
def test_second_derivatives_through_an_inner_step(m: Any) -> Any:
    """What meta-learning does: the gradient of a loss after a step of gradient descent, with respect to where it began."""
    model, x = net(m), variable(m, 5, 3, dtype="float32").detach()
    slow = dict(model.named_parameters())
    loss = lambda p: m.func.functional_call(model, p, x).square().mean()  # noqa: E731
    gradients = m.autograd.grad(loss(slow), slow.values(), create_graph=True)
    fast = {name: p - 0.1 * g for (name, p), g in zip(slow.items(), gradients, strict=True)}
    loss(fast).backward()
    return [p.grad for p in model.parameters()]


@same_as_torch
def test_tied_parameters(m: Any) -> Any:
    class Tied(m.nn.Module):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.first = m.nn.Parameter(m.ones(2))
            self.second = self.first

        def forward(self, x: Any, scale: float = 1.0) -> Any:
            return (x + self.first) * self.second * scale

    model, call, x = Tied(), m.func.functional_call, m.ones(2)
    zero, two = m.zeros(2), m.full((2,), 2.0)
    return [values(call(model, {"first": two}, x)), values(call(model, {"second": two}, (x,), {"scale": 3.0})),
            values(call(model, {"first": two}, x, tie_weights=False)), values(call(model, [{"first": two}, {"second": two}], x)),
            raised(call, model, {"first": two, "second": zero}, x),
            values(call(model, {"first": two, "second": zero}, x, tie_weights=False))]


@same_as_torch
def test_what_functional_call_refuses(m: Any) -> Any:
    model, call, x = m.nn.Linear(2, 1), m.func.functional_call, m.ones(2)
    weight, bias = m.ones(1, 2), m.zeros(1)
    results = [raised(call, model, {"weight": weight}, x, strict=True),
               raised(call, model, {"w": weight, "b": bias}, x, strict=True),
               raised(call, model, ({"weight": weight}, {"weight": weight}), x), raised(call, model, weight, x),
               raised(call, model, [weight], x)]
    return results, values(call(model, {"weight": weight, "bias": bias}, x, strict=True)), model.weight.shape


@same_as_torch
def test_a_module_that_counts(m: Any) -> Any:
    class Counter(m.nn.Module):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("count", m.zeros(()))

        def forward(self) -> Any:
            self.count = self.count + 1
            return self.count

    model, buffers = Counter(), {"count": m.tensor(5.0)}
    return m.func.functional_call(model, buffers), buffers, model.count
