"""Memory: which results share it, what a change in place does to values, versions and derivatives; as in torch."""

from __future__ import annotations

import math
from collections.abc import Callable
from math import nan
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from tests.twins import changed, grid, node_name, raised, same_as_torch, same_outcomes


def matrix(m: Any, *, requires_grad: bool = False) -> Any:
    return m.arange(12.0, dtype=m.float64).reshape(3, 4).clone().requires_grad_(requires_grad)


# What gives a view of a (3, 4) matrix, and what a copy.
VIEWS = {
    "x.view(2, 6)": True, "x.view(-1)": True, "x.reshape(4, 3)": True, "x.flatten()": True, "x.unflatten(1, (2, 2))": True,
    "x.T": True, "x.mT": True, "x.t()": True, "x.transpose(0, 1)": True, "x.permute(1, 0)": True, "x.swapaxes(0, 1)": True,
    "x.movedim(0, 1)": True, "x.unsqueeze(1)": True, "x.squeeze()": True, "x[:1].squeeze(0)": True, "x.narrow(1, 1, 2)": True,
    "x.diagonal()": True, "x.split(2)[1]": True, "x.chunk(2, 1)[1]": True, "x.unbind(1)[2]": True, "list(x)[1]": True,
    "x[1]": True, "x[1, 2]": True, "x[1:]": True, "x[:, ::2]": True, "x[None]": True, "x[...]": True, "x[..., -1]": True,
    "x[1:, 1:].T[0]": True, "x.view(12)[2:8].view(2, 3)": True, "x.view_as(x)": True,
    "x.expand(2, 3, 4)": True, "x[:1].expand(3, 4)": True, "x.broadcast_to((2, 3, 4))": True, "x.detach()": True, "x.data": True,
    "x.reshape(3, 4)": True, "x.contiguous()": True, "x.to(x.dtype)": True, "x.cpu()": True, "x.double()": True,
    "x.requires_grad_(False)": True, "m.as_tensor(x)": True,
    "x.T.reshape(12)": False, "x.T.flatten()": False, "x.T.contiguous()": False, "x.clone()": False, "x + 0": False,
        "x.float()": False,
    "x[[0, 1]]": False, "x[x > 3]": False, "x[m.tensor([0, 1])]": False, "x.flip(0)": False, "x.repeat(1, 1)": False,
    "x.roll(1, 0)": False, "m.cat([x])": False, "m.stack([x])": False, "x.index_select(0, m.tensor([0, 1]))": False,
    "x.tril()": False, "m.tensor(x.tolist())": False, "x[1:1]": False, "x.to(x.dtype, copy=True)": False,
        "x.masked_fill(x > 3, 0)": False,
}  # fmt: skip


@pytest.mark.parametrize("expression", VIEWS)
def test_views_share_memory_and_version(expression: str) -> None:
    """A change of either side is seen on the other, with its version, exactly where torch shares memory."""

    @same_as_torch
    def scenario(m: Any) -> Any:
        x = matrix(m)
        view = eval(expression)
        steps = [step for step, n in zip(view.stride(), view.shape, strict=True) if n > 1]  # those of a single element mean nothing
        facts = tuple(view.shape), view._base is None, view._base is x, steps if view.numel() else None
        x[1:].mul_(10)
        x.add_(1)
        after_x = view.clone(), view._version, x._version
        if "expand" not in expression and "broadcast" not in expression:
            view.mul_(2)
        return facts, after_x, x, view, view._version, x._version

    scenario()
    x = matrix(mg)
    view = eval(expression, {"x": x, "m": mg})
    assert np.shares_memory(x.array, view.array) == VIEWS[expression]


@same_as_torch
def test_the_base_of_a_view_of_a_view(m: Any) -> Any:
    x = matrix(m, requires_grad=True)
    y = x * 1
    middle = y[1:]
    inner = middle.T[0]
    return (x._base is None, y._base is None, middle._base is y, inner._base is y, x[0]._base is x, x.detach()._base is None,
            x.detach()[0]._base is None, y.view(12).detach()._base is None)


@same_as_torch
def test_versions_are_shared(m: Any) -> Any:
    x = matrix(m)
    parts = {"detach": x.detach(), "data": x.data, "view": x.view(12), "row": x[0], "copy": x.clone(), "of data": x.data[0]}
    history = []
    for change in (x, parts["detach"], parts["data"], parts["row"], parts["of data"], parts["copy"]):
        change.zero_()
        history.append([x._version, *(part._version for part in parts.values())])
    return history, x


@same_as_torch
def test_each_in_place_form_counts_once(m: Any) -> Any:
    x = matrix(m)
    seen = []

    def count() -> None:
        seen.append(x._version)

    x += 1
    count()
    x *= 2
    count()
    x -= 1
    count()
    x /= 2
    count()
    x **= 2
    count()
    x %= 7
    count()
    x //= 2
    count()
    for change in (lambda: x.add_(1), lambda: x.zero_(), lambda: x.fill_(3), lambda: x.copy_(x + 1), lambda: x.clamp_(0, 2),
                   lambda: x.exp_(), lambda: x.masked_fill_(x > 2, 1.0), lambda: x.relu_(), lambda: x.tril_()):
        result = change()
        count()
        seen.append(result is x)
    x[0] = 1
    count()
    x[0, 1:] = m.ones(3, dtype=m.float64)
    count()
    x[[0, 1]] = 5
    count()
    x[x > 3] = 0
    count()
    x.data.zero_()
    count()
    x.requires_grad_()
    (x * 2).sum().backward()
    count()
    return seen, x


# ---- change in place with derivatives ----------------------------------------------------------------------------------------


CHANGES = {
    "y *= 2": lambda m, x, y: y.mul_(2),
    "y += 1": lambda m, x, y: y.add_(1),
    "y += x": lambda m, x, y: y.add_(x),
    "y -= x, alpha": lambda m, x, y: y.sub_(x, alpha=3),
    "y *= x": lambda m, x, y: y.mul_(x),
    "y /= x": lambda m, x, y: y.div_(x),
    "y **= 2": lambda m, x, y: y.pow_(2),
    "exp_": lambda m, x, y: y.div_(10).exp_(),
    "sqrt_": lambda m, x, y: y.sqrt_(),
    "sigmoid_": lambda m, x, y: y.sigmoid_(),
    "tanh_": lambda m, x, y: y.tanh_(),
    "relu_": lambda m, x, y: y.sub_(5).relu_(),
    "clamp_": lambda m, x, y: y.clamp_(2, 7),
    "zero_": lambda m, x, y: y.zero_(),
    "fill_": lambda m, x, y: y.fill_(3),
    "fill_ with a tensor": lambda m, x, y: y.fill_(x[0, 0]),
    "copy_": lambda m, x, y: y.copy_(x * x),
    "copy_ of a row": lambda m, x, y: y.copy_(x[1]),
    "masked_fill_": lambda m, x, y: y.masked_fill_(y.detach() > 4, 0.0),
    "masked_fill_ with a tensor": lambda m, x, y: y.masked_fill_(y.detach() > 4, x[2, 2]),
    "tril_": lambda m, x, y: y.tril_(),
    "row times": lambda m, x, y: y[1].mul_(x[0]),
    "column plus": lambda m, x, y: y[:, 1].add_(x[:, 2]),
    "block of a transpose": lambda m, x, y: y.T[1:, :2].mul_(3),
    "view times": lambda m, x, y: y.view(12)[3:9].mul_(x.reshape(12)[:6]),
    "view of view": lambda m, x, y: y[1:][:, 1:][0].div_(5).exp_(),
    "diagonal": lambda m, x, y: y.diagonal().mul_(2),
    "one element": lambda m, x, y: y[1, 2].mul_(x[0, 1]),
    "two views in turn": lambda m, x, y: (y[0].mul_(x[1]), y[:, 0].mul_(x[:, 1])),
    "y[1] = x[0]": lambda m, x, y: y.__setitem__(1, x[0] * 2),
    "y[1] = 5": lambda m, x, y: y.__setitem__(1, 5.0),
    "y[:, 1:3] = row": lambda m, x, y: y.__setitem__((slice(None), slice(1, 3)), x[0, :2]),
    "y[...] = x": lambda m, x, y: y.__setitem__(..., x * x),
    "y[[0, 2]] = x": lambda m, x, y: y.__setitem__([0, 2], x[:2] * 3),
    "y[mask] = 0": lambda m, x, y: y.__setitem__(y.detach() > 4, 0.0),
    "y[mask] = values": lambda m, x, y: y.__setitem__(y.detach() > 6, x[0, 1]),
    "y[1, [0, 2]] = x": lambda m, x, y: y.__setitem__((1, [0, 2]), x[0, :2]),
    "y[::2, [1, 3]] = x": lambda m, x, y: y.__setitem__((slice(None, None, 2), [1, 3]), x[:2, :2]),
    "y[0] = y[1]": lambda m, x, y: y.__setitem__(0, y[1]),
    "y[1:] = y[:-1]": lambda m, x, y: y.__setitem__(slice(1, None), y[:-1].clone()),
    "y[0] += x[1]": lambda m, x, y: y[0].add_(x[1]),
    "augmented item": lambda m, x, y: exec("y[0] *= x[1]", {"x": x, "y": y}),
    "three in a row": lambda m, x, y: y.mul_(x).add_(1).mul_(x),
    "a loop over rows": lambda m, x, y: [y[i].mul_(x[i] + i) for i in range(3)],
    "rows from rows": lambda m, x, y: [y.__setitem__(i, y[i - 1].clone() * x[i]) for i in (1, 2)],
    "scatter_add_": lambda m, x, y: y.scatter_add_(0, m.tensor([[0, 1, 2, 0], [0, 0, 0, 0]]), x[:2] * 2),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_change_of_a_computed_tensor(change: str) -> None:
    """Values, node, version and gradients after a change in place, taken through the tensor, a view made before, and one after."""

    @same_as_torch
    def scenario(m: Any) -> Any:
        results = []
        for through in ("tensor", "earlier view", "later view"):
            x = (matrix(m) / 10 + 0.5).requires_grad_()
            y = x * 3
            early = y[:2, 1:]
            CHANGES[change](m, x, y)
            late = y.T[1:]
            seen = {"tensor": y, "earlier view": early, "later view": late}[through]
            version = y._version, early._version, late._version
            weights = m.arange(float(seen.numel()), dtype=m.float64).reshape(seen.shape) + 1
            (seen * weights).sum().backward()
            results += [version, y.detach(), y.grad_fn.name(), early.detach(), seen.is_leaf, seen.requires_grad, x.grad]
        return results

    scenario()


@pytest.mark.parametrize("change", ["y *= x", "row times", "y[[0, 2]] = x", "view times", "exp_", "two views in turn",
    "y[1] = x[0]"])
def test_second_derivative_of_a_change(change: str) -> None:
    @same_as_torch
    def scenario(m: Any) -> Any:
        x = (matrix(m) / 10 + 0.5).requires_grad_()
        y = x * x
        CHANGES[change](m, x, y)
        (g,) = m.autograd.grad((y * y).sum(), x, create_graph=True)
        return m.autograd.grad((g * g).sum(), x)

    scenario()


@same_as_torch
def test_change_of_a_constant_makes_it_part_of_the_graph(m: Any) -> Any:
    x = m.ones(3, requires_grad=True)
    buffer, other = m.zeros(2, 3), m.zeros(3)
    early = buffer[1]
    buffer[0] = x * 2
    buffer[1].add_(x)
    other += x
    (buffer.sum() * 3 + other.sum() + early.sum() * 10).backward()
    return (buffer.detach(), buffer.requires_grad, buffer.is_leaf, node_name(buffer), node_name(other), early.requires_grad,
            node_name(early), x.grad)


@same_as_torch
def test_a_buffer_filled_step_by_step(m: Any) -> Any:
    x = m.tensor([0.5, 2.0], requires_grad=True)
    states = m.zeros(5, 2)
    state = x
    for i in range(5):
        state = state * x
        states[i] = state
    states.sum().backward()
    return states.detach(), x.grad


@same_as_torch
def test_nodes_of_views_after_a_change(m: Any) -> Any:
    x = matrix(m, requires_grad=True)
    y = x * 1
    row, early = y[0], y.view(12)
    names = [node_name(y), node_name(row)]
    row.mul_(2)
    names += [node_name(y), node_name(row)]
    y.add_(1)
    return [*names, node_name(y), node_name(y[0]), row.requires_grad, early.requires_grad]


def filled_buffer(m: Any) -> tuple[Any, Any, Any]:
    """A leaf, a buffer into which it was written, and a view of the buffer made before."""
    x, buffer = m.tensor([1.0, 2.0], requires_grad=True), m.zeros(2, 2)
    early = buffer[0]
    buffer[0] = x * 2
    return x, buffer, early


@same_as_torch
def test_views_learn_of_the_history_of_their_base(m: Any) -> Any:
    """Made when the base was a constant, a view has a history as soon as the base has one, whoever asks first."""
    _, _, early = filled_buffer(m)
    facts = early.requires_grad, early.is_leaf, early.grad_fn.name()
    _, _, early = filled_buffer(m)
    refused = raised(early.numpy)
    x, _, early = filled_buffer(m)
    early.sum().backward()
    used = x.grad
    x, buffer, early = filled_buffer(m)
    early[0] = 7.0
    buffer.sum().backward()
    assigned = x.grad
    x, _, early = filled_buffer(m)
    other = m.zeros(2)
    other.add_(early)
    other.sum().backward()
    return facts, refused, used, assigned, x.grad, other.detach()


def test_a_change_through_an_early_view() -> None:
    """torch takes the view for a leaf unless somebody asked for its `grad_fn` before; ours needs no asking."""
    x, buffer, early = filled_buffer(mg)
    early.mul_(3)
    buffer.sum().backward()
    assert x.grad.tolist() == [6, 6]


@same_as_torch
def test_looking_at_a_view_without_recording(m: Any) -> Any:
    """Asked for under no_grad, the history of a view is still recorded."""
    x = m.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    view = y[:1]
    y.mul_(2)
    with m.no_grad():
        name, text = view.grad_fn.name(), repr(view)
    view.sum().backward()
    return name, text, x.grad


@same_as_torch
def test_hooks_and_retained_gradients_of_a_changed_tensor(m: Any) -> Any:
    x = m.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.mul_(2)
    seen = []
    y.register_hook(lambda g: seen.append(g.clone()))
    y.retain_grad()
    (y * y).sum().backward()
    return seen, y.grad, x.grad


@same_as_torch
@pytest.mark.parametrize(("name", "arguments", "options"), [
    ("uniform_", (), {}), ("normal_", (), {}), ("exponential_", (), {}), ("bernoulli_", (0.5,), {}), ("random_", (), {}),
    ("random_", (5,), {}), ("random_", (2, 5), {}), ("random_", (), {"to": 5}), ("random_", (), {"from": 2, "to": 5}),
], ids=str)  # fmt: skip
def test_nodes_of_draws(m: Any, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Each form of a draw has its own node; nothing of the tensor's old values remains, so its gradient is zero."""
    m.manual_seed(0)
    x = m.ones(4, requires_grad=True)
    y = getattr(x * 1, name)(*arguments, **options)
    y.sum().backward()
    return node_name(y), y.detach(), x.grad


# ---- what may not be changed ---------------------------------------------------------------------------------------------------


@same_as_torch
def test_leaves_may_not_be_changed(m: Any) -> Any:
    x, c = matrix(m, requires_grad=True), matrix(m)
    results = {
        "add_": raised(x.add_, 1), "zero_": raised(x.zero_), "set item": raised(x.__setitem__, 0, 1.0),
        "view": raised(x[0].mul_, 2), "view of view": raised(x.T[0].zero_), "copy_": raised(x.copy_, c),
        "set item of view": raised(x[0].__setitem__, 0, 1.0), "from constant": raised(c.add_, x),
    }  # fmt: skip
    with m.no_grad():
        x.add_(1)
        x[0] = 5
        x.view(12)[-1] = 7
        x[1].mul_(2)
    x.data[2, 2] = -1
    x.detach()[2, 1] = -2
    return results, x, x._version, x.is_leaf


@same_as_torch
def test_changes_without_recording(m: Any) -> Any:
    x = matrix(m, requires_grad=True)
    y = x * 2
    with m.no_grad():
        y.mul_(5)
        y[0] = 1
    y.sum().backward()
    return y, x.grad, y._version


def overwritten(m: Any, compute: Any, change: Any) -> str:
    """What backward raises when `change(a, result)` came between it and `compute(a)`."""
    x = (matrix(m) / 10 + 0.5).requires_grad_()
    a = x * 1
    result = compute(m, a)
    change(a, result)
    return raised(result.sum().backward)


COMPUTE = {
    "add": lambda m, a: a + a, "mul": lambda m, a: a * a, "mul by constant": lambda m, a: a * 3, "exp": lambda m, a: a.exp(),
    "log": lambda m, a: a.log(), "sqrt": lambda m, a: a.sqrt(), "sigmoid": lambda m, a: a.sigmoid(), "tanh": lambda m, a: a.tanh(),
    "relu": lambda m, a: a.relu(), "matmul": lambda m, a: a @ a.T, "sum": lambda m, a: a.sum(0), "mean": lambda m, a: a.mean(1),
    "cat": lambda m, a: m.cat([a, a]), "reshape": lambda m, a: a.T.reshape(-1), "pow": lambda m, a: a**3, "div": lambda m, a: 1 / a,
    "sin": lambda m, a: a.sin(), "softmax": lambda m, a: a.softmax(1), "log_softmax": lambda m, a: a.log_softmax(1),
    "where": lambda m, a: m.where(a.detach() > 0.7, a, 0.0), "index": lambda m, a: a[[0, 2]], "flip": lambda m, a: a.flip(0),
    "clone": lambda m, a: a.clone(), "cumsum": lambda m, a: a.cumsum(0), "neg": lambda m, a: -a,
    "sub": lambda m, a: 1 - a, "abs": lambda m, a: a.abs(), "square": lambda m, a: a.square(), "expm1": lambda m, a: a.expm1(),
}  # fmt: skip


@pytest.mark.parametrize("compute", COMPUTE)
def test_what_backward_needs_may_not_be_overwritten(compute: str) -> None:
    """An input, or a part of it, or the result, is changed in place between an operation and backward."""

    @same_as_torch
    def scenario(m: Any) -> Any:
        function = COMPUTE[compute]
        return {
            "nothing": overwritten(m, function, lambda a, result: None),
            "input": overwritten(m, function, lambda a, result: a.mul_(2)),
            "row of the input": overwritten(m, function, lambda a, result: a[0].mul_(2)),
            "input without recording": overwritten(m, function, lambda a, result: a.detach().zero_()),
            "result": overwritten(m, function, lambda a, result: result.mul_(2)),
            "result added to": overwritten(m, function, lambda a, result: result.add_(2)),
            "through .data": overwritten(m, function, lambda a, result: (a.data.mul_(2), result.data.mul_(2))),
        }

    scenario()


def test_an_overwritten_value_is_named() -> None:
    """The message says which operation read what, of which shape, and both versions."""
    x = mg.ones(2, 3, requires_grad=True)
    a, b = x * 1, x * 2
    product = a * b
    a += 1
    a += 1
    with pytest.raises(RuntimeError) as error:
        product.sum().backward()
    words = str(error.value)
    for word in ("modified by an inplace operation", "shape [2, 3]", "MulBackward0", "is at version 2; expected version 0",
        "y = y * 2"):
        assert word in words
    y = x.exp()
    y *= 2
    with pytest.raises(RuntimeError, match=r"its result, read by ExpBackward0, is at version 1; expected version 0"):
        y.sum().backward()


@same_as_torch
def test_a_leaf_overwritten_between_forward_and_backward(m: Any) -> Any:
    """The optimiser's step before backward: an error where the old values were needed."""
    w, x = m.ones(3, 2, requires_grad=True), m.ones(4, 3)
    needed, not_needed = (w * w).sum(), (w + w).sum()
    product = x @ w
    with m.no_grad():
        w -= 0.1
    return raised(needed.backward), raised(not_needed.backward), raised(product.sum().backward)


@same_as_torch
def test_an_input_overwritten_that_no_gradient_needs(m: Any) -> Any:
    """d(w x)/dx needs w, not x."""
    w, x = m.ones(3), m.ones(3, requires_grad=True)
    y = x * 1
    loss = (y * w).sum()
    with m.no_grad():
        y.zero_()
    loss.backward()
    other = (y * w).sum()
    w.zero_()
    return x.grad, raised(other.backward)


@same_as_torch
def test_changes_that_do_not_fit(m: Any) -> Any:
    x, whole = m.ones(2, 3), m.ones(2, dtype=m.int64)
    return {
        "grows": raised(x.add_, m.ones(4, 2, 3)), "no broadcast": raised(x.mul_, m.ones(2)), "copy_": raised(x.copy_, m.ones(4)),
        "float into int": raised(whole.add_, 1.5), "division of ints": raised(whole.div_, 2), "exp_ of ints": raised(whole.exp_),
        "int into float": raised(x.add_, whole[:1]), "bool into int": raised(whole.add_, m.tensor([True, False])),
        "expanded": raised(m.ones(1).expand(3).add_, 1), "expanded copy_": raised(m.ones(1, 2).expand(3, 2).copy_, m.ones(2)),
        "fill_ with a vector": raised(x.fill_, m.ones(3)), "set item too long": raised(x.__setitem__, 0, m.ones(4)),
        "set item out of range": raised(x.__setitem__, 5, 1.0), "set a list": raised(x.__setitem__, 0, [1.0, 2.0, 3.0]),
        "float64 into float32": raised(x.add_, m.ones(3, dtype=m.float64)), "copy_ of ints": raised(x.copy_, whole[:1]),
    }  # fmt: skip


@same_as_torch
def test_a_tensor_changed_by_itself(m: Any) -> Any:
    x = m.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y, z = x * 1, x * 1
    y *= y  # the factor is overwritten, too
    z += z
    z.sum().backward()
    return raised(y.sum().backward), y.detach(), z.detach(), x.grad


def shifted(change: Any, size: int = 5, dtype: str = "float32") -> Any:
    """The numbers from 0 on after a change that reads some of them."""
    return lambda m: changed(m.arange(size, dtype=getattr(m, dtype)), change)


test_memory_that_is_read_and_written = same_outcomes({
    **{name: shifted(lambda x, name=name: getattr(x[1:], name)(x[:-1])) for name in ("add_", "sub_", "mul_", "div_", "pow_",
    "copy_", "atan2_")},
    "assigned": shifted(lambda x: x.__setitem__(slice(1, None), x[:-1])), "clamp_": shifted(lambda x: x[1:].clamp_(min=x[:-1])),
    "lerp_": shifted(lambda x: x[:-1].lerp_(x[1:], 0.5)), "addcmul_": shifted(lambda x: x[1:].addcmul_(x[:-1], x[1:])),
       "scatter_": shifted(lambda x: x[1:].scatter_(0, x[:-1], 9), 4, "int64"),
    "index_fill_": shifted(lambda x: x[:-1].index_fill_(0, x[1:2], 9), 4, "int64"), "an element": shifted(lambda x: x.mul_(x[3])),
    "a row": lambda m: changed(grid(m), lambda x: x.mul_(x[0])),

    "dense and transposed": lambda m: changed(m.arange(4.0).reshape(2, 2), lambda x: x.add_(x.t())),
    "itself": shifted(lambda x: x.add_(x)),
    "the same part": shifted(lambda x: x[1:].add_(x[1:])), "apart": shifted(lambda x: x[:2].add_(x[2:4])),
    "between": shifted(lambda x: x[:4:2].add_(x[1:4:2])),
    "columns": lambda m: changed(grid(m), lambda x: x.__setitem__((slice(None), 0), x[:, 1])),
    "rows": lambda m: changed(grid(m), lambda x: x.__setitem__(0, x[1])),
    "a copy": shifted(lambda x: x.sub_(x.flip(0))), "detached": shifted(lambda x: x[1:].add_(x.detach()[:-1])),
    "a mean": lambda m: changed(grid(m), lambda x: x.sub_(x.mean(0))),
    "recorded": lambda m: changed(m.ones(3, requires_grad=True) * 1, lambda x: x.__setitem__(slice(1, None), x[:-1])),
    "recorded copy": lambda m: changed(m.ones(3, requires_grad=True) * 1, lambda x: x.__setitem__(slice(1, None), x[:-1].clone())),
})  # fmt: skip

test_expanded_memory = same_outcomes({
    **{name: lambda m, change=change: (lambda x: [x, change(x.expand(2, 3))])(m.ones(2, 1)) for name, change in {
        "fill_": lambda y: y.fill_(2), "zero_": lambda y: y.zero_(), "transposed": lambda y: y.t().fill_(3),
        "add_": lambda y: y.add_(1),
        "normal_": lambda y: y.normal_(), "copy_": lambda y: y.copy_(y.clone()), "exp_": lambda y: y.exp_(),
        "a column": lambda y: y[:, 0].add_(1),
        "one column": lambda y: y[:, :1].mul_(3), "two columns": lambda y: y[:, :2].add_(1),
        "a place": lambda y: changed(y, lambda y: y.__setitem__((0, 0), 5)),
        "a row": lambda y: changed(y, lambda y: y.__setitem__(0, 5)),
        "columns": lambda y: changed(y, lambda y: y.__setitem__((slice(None), slice(2)), 5)),
        "a tensor in a column": lambda y: changed(y, lambda y: y.__setitem__((slice(None), 1), y[:, 0] * 4)),
        "twice": lambda y: y.fill_(2).add_(1),
    }.items()},
    "one dimension more": lambda m: m.ones(3).expand(1, 3).add_(1), "nothing expanded": lambda m: m.ones(2, 1).expand(2, 1).add_(1),
    "recorded": lambda m: (lambda x, y: [y.__setitem__(0, 0), m.autograd.grad((y * m.arange(3.0)).sum(), x)])(x := m.ones(1,
    requires_grad=True), (x * 2).expand(3)),
    "random numbers": lambda m: m.zeros(1).expand(3)[:1].uniform_(2, 2),
})  # fmt: skip

test_masked_fills_of_expanded_memory = pytest.mark.filterwarnings("ignore:Use of masked_fill_ on expanded")(
    pytest.mark.filterwarnings("ignore:Use of index_(fill|put)_ on expanded")(same_outcomes({
    name: lambda m, change=change: (
        lambda x: [x, changed(x.expand(2, 3), lambda y: change(m, y))])(m.ones(2, 1))
    for name, change in {
        "masked_fill_": lambda m, y: y.masked_fill_(m.tensor([False, True, False]), 5),
        "masked_fill_ of a row": lambda m, y: y.masked_fill_(m.tensor([[True], [False]]), m.tensor(5.0)),
        "masked_fill_ by a number": lambda m, y: y.masked_fill_(m.tensor([[1], [0]]), 5),
        "index_fill_": lambda m, y: y.index_fill_(0, m.tensor([1]), 5),
        "a mask": lambda m, y: y.__setitem__(m.tensor([True, False]), 5),
        "a mask of columns": lambda m, y: y.__setitem__((slice(None), m.tensor([True, False, False])), 5),
        "a mask in a part": lambda m, y: y[:1].__setitem__((0, m.tensor([True, False, False])), m.tensor([5.0])),
    }.items()
})))  # fmt: skip


test_functions_of_elements = same_outcomes({
    "apply_": lambda m: m.arange(4.0).reshape(2, 2).t().apply_(lambda v: v * 2 + 1),
    "apply_ to integers": lambda m: m.arange(3).apply_(lambda v: v // 2), "no function": lambda m: m.ones(1).apply_(3),
    "apply_ counts": lambda m: m.ones(2).apply_(abs)._version,
    "apply_ to a leaf": lambda m: m.ones(1, requires_grad=True).apply_(abs),
    "map_": lambda m: m.arange(4.0).reshape(2, 2).map_(m.ones(2), lambda a, b: a - b),
    "map_ of another dtype": lambda m: m.ones(2).map_(m.ones(2).double(), max),
    "map_ of another size": lambda m: m.ones(2).map_(m.ones(3), max),
    "map_ of a result": lambda m: (m.ones(1, requires_grad=True) * 2).map_(m.ones(1), max),
})  # fmt: skip


def resized_and_written(m: Any, shape: Any) -> Any:
    """A tensor and a view of it, after one of them has got another shape and been written to."""
    whole = m.arange(6.0).reshape(2, 3)
    row = whole[1]
    whole.resize_(shape).fill_(9)
    return whole, row, whole._version, row._version


test_other_sizes = same_outcomes({
    "as many elements": lambda m: resized_and_written(m, (3, 2)), "fewer": lambda m: resized_and_written(m, (4,)),
    "none": lambda m: resized_and_written(m, 0), "turned round": lambda m: m.arange(6.0).reshape(2, 3).t().resize_(2, 3),
    "from the middle": lambda m: m.arange(6.0).reshape(2, 3)[1:].resize_(2),
    "more than the view shows": lambda m: m.arange(6.0).reshape(2, 3)[:1].resize_(2, 2),
    "more than there are": lambda m: m.arange(6.0).resize_(4, 2).flatten()[:6],
    "one number": lambda m: m.tensor(5).resize_(1, 1), "expanded": lambda m: m.ones(1).expand(3).resize_(1).stride(),
    "strides": lambda m: m.arange(6.0).resize_(m.Size([1, 6])).stride(),
    "as another": lambda m: m.arange(6.0).resize_as_(m.ones(2, 2)), "negative": lambda m: m.ones(3).resize_(-1),
    "no integer": lambda m: m.ones(3).resize_(2.5), "of a leaf": lambda m: m.ones(2, requires_grad=True).resize_(1),
    "of a result": lambda m: (m.ones(2, requires_grad=True) * 2).resize_(1),
})  # fmt: skip


def test_what_is_saved_is_not_resized_unnoticed() -> None:
    x, w = mg.ones(4), mg.ones(4, requires_grad=True)
    loss = (w * x).sum()
    x.resize_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_masked_fill_of_expanded_memory_warns() -> None:
    with pytest.warns(UserWarning, match="masked_fill_ on expanded tensors is deprecated"):
        mg.ones(1).expand(3)[mg.tensor([True, False, False])] = 5


KEPT = {
    "base, through a view": (lambda y: y, lambda y, v: y[:2].mul_(3)),
    "view, through its base": (lambda y: y[:2], lambda y, v: y.mul_(3)),
    "view, itself": (lambda y: y[:2], lambda y, v: v.mul_(3)),
    "view, through another": (lambda y: y[:2], lambda y, v: y[1:].mul_(3)),
    "base, itself": (lambda y: y, lambda y, v: y.mul_(3)), "view, twice": (lambda y: y[:2], lambda y, v: y.mul_(3).mul_(2)),
}  # fmt: skip


@same_as_torch
@pytest.mark.filterwarnings("ignore:The .grad attribute")
@pytest.mark.parametrize("read", ["base", "kept"])
@pytest.mark.parametrize("name", KEPT)
def test_retain_grad_holds_through_changes(m: Any, name: str, read: str) -> Any:
    select, change = KEPT[name]
    x = m.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    kept = select(y)
    kept.retain_grad()
    change(y, kept)
    ((y if read == "base" else kept) ** 2).sum().backward()
    return kept.retains_grad, [kept.grad], x.grad


def custom(m: Any, forward: Any) -> Any:
    class Reversed(m.autograd.Function):  # type: ignore[misc]
        """Gradient reversal, of an input that is handed through."""

        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return forward(x)

        @staticmethod
        def backward(ctx: Any, *gradients: Any) -> Any:
            return -gradients[0]

    return Reversed.apply


@same_as_torch
@pytest.mark.parametrize("forward", [
    lambda x: x, lambda x: x.view_as(x), lambda x: x.view(3), lambda x: x.detach(), lambda x: (x, x * 2), lambda x: x.clone(),
    lambda x: x * 1,
], ids=["itself", "view_as", "view", "detach", "two", "clone", "new"])  # fmt: skip
@pytest.mark.parametrize("change", ["output", "relu", "input", "input's view", "nothing"])
def test_a_function_that_hands_its_input_through(m: Any, forward: Any, change: str) -> Any:
    """Its backward must not be left out: torch refuses changes that would."""
    x = m.tensor([1.0, -2.0, 3.0], requires_grad=True)
    h = x * 2

    def run() -> Any:
        y = custom(m, forward)(h)
        y = y[0] if isinstance(y, tuple) else y
        if change == "output":
            y.mul_(2)
        elif change == "relu":
            m.nn.functional.relu(y, inplace=True)
        elif change.startswith("input"):
            (h if change == "input" else h[:2]).mul_(3)
        y.sum().backward()

    return raised(run), [x.grad]


@same_as_torch
def test_a_leaf_handed_through_by_a_function(m: Any) -> Any:
    x = m.ones(3, requires_grad=True)
    y = custom(m, lambda x: x)(x)
    return raised(y.mul_, 2), y is x, x.is_leaf, m.autograd.grad(y.sum(), x)


@same_as_torch
@pytest.mark.parametrize("name", ["adaptive_max_pool1d", "adaptive_max_pool2d"])
def test_indices_that_a_derivative_reads(m: Any, name: str) -> Any:
    x = m.arange(16.0).reshape((1, 4, 4)).requires_grad_()
    y, indices = getattr(m.nn.functional, name)(x, 2, return_indices=True)
    indices.zero_()
    return raised(y.sum().backward)


@same_as_torch
@pytest.mark.parametrize("cut", [lambda x: x.unbind(0), lambda x: x.split(1), lambda x: x.split([1, 2]), lambda x: x.chunk(3),
tuple])
def test_views_that_come_together(m: Any, cut: Any) -> Any:
    """Neither they nor, as long as they are used, what they show may be changed."""
    x = grid(m).requires_grad_() * 1
    one = cut(x)[0]
    errors = [raised(change) for change in (lambda: one.add_(1), lambda: one.zero_(), lambda: one[0].mul_(2),
    lambda: one.__setitem__(0, 1.0))]
    x.add_(1)
    return errors, raised(one.sum), raised(lambda: one.grad_fn), raised((x * 2).sum().backward)


@same_as_torch
def test_views_made_under_no_grad(m: Any) -> Any:
    x, other = grid(m).requires_grad_() * 1, grid(m).requires_grad_() * 1
    with m.no_grad():
        before, changed_at_once = x[0], other[1]
        changed_at_once.add_(1)
    error = raised(before.add_, 1)
    x.add_(1)
    plain = grid(m)
    with m.no_grad():
        view = plain[0]
    view.add_(1)
    weight = m.ones(4, requires_grad=True)
    used = raised(lambda: before * 2), raised(lambda: before.grad_fn), "grad_fn=<Invalid>" in repr(before), before.requires_grad
    return error, used, plain, raised(view.add_, weight), x.detach(), other.detach()


@pytest.mark.parametrize("make", [
    lambda: np.frombuffer(bytearray(np.arange(4.0).tobytes())), lambda: np.lib.stride_tricks.as_strided(np.arange(4.0), (4,), (8,)),
    lambda: np.arange(8.0)[::2], lambda: np.arange(4.0)[::-1][::-1], lambda: np.array(np.arange(8.0).reshape(2, 4))[1],
])  # fmt: skip
def test_views_of_foreign_memory(make: Any) -> None:
    """Arrays whose memory is not their own have views all the same."""

    @same_as_torch
    def scenario(m: Any) -> Any:
        leaf = m.ones(1, requires_grad=True)
        x = m.from_numpy(make())
        row = x[1:3]
        row[0] = 5
        versions = row._version, x._version, row._base is x
        row.mul_(leaf * 3)
        x.sum().backward()
        return versions, x.detach(), row.detach(), leaf.grad

    scenario()


@same_as_torch
def test_a_view_made_without_recording(m: Any) -> Any:
    """Changed with a history, it could not pass it on to its base: an error."""
    x = m.ones(3, requires_grad=True)
    y, buffer = x * 1, m.zeros(3)
    with m.no_grad():
        view, of_buffer = y[:1], buffer[:1]
        view.mul_(2)
    return raised(view.mul_, x[:1]), raised(view.mul_, 2), raised(of_buffer.add_, x[:1]), raised(of_buffer.add_, 1), y.detach()


@same_as_torch
def test_assignment_through_indices(m: Any) -> Any:
    def after(index: Any, value: Any, dtype: Any = m.float32) -> Any:
        x = m.zeros(3, 4, dtype=dtype)
        x[index] = value
        return x

    return [
        after(0, 1), after((slice(None), 1), m.arange(3.0)), after([0, 2], 5), after(([0, 1, 1], [1, 2, 2]), m.tensor([1.0, 2.0,
        2.0])),
        after(m.tensor([True, False, True]), m.ones(2, 4) * 3), after((None, 0), 2), after(..., 7), after((..., -1), 2.5),
        after(0, 2.7, m.int64), after(0, True, m.int64), after(0, 3, m.bool), after((1, 2), m.tensor(3)), after(0,
        m.tensor(2.7), m.int64),
        after(slice(1, 1), 3), after((slice(0, 2), slice(1, 3)), m.ones(2)), after(m.zeros(3, 4) > 1, 5), after(-1, m.arange(4)),
        after(0, m.ones(1, 4)), after((slice(None), [1, 3]), m.arange(6.0).reshape(3, 2)),
    ]  # fmt: skip


@same_as_torch
def test_data_can_be_replaced(m: Any) -> Any:
    x = m.ones(3, requires_grad=True)
    alias = x.data
    alias.fill_(4)
    first = x.detach().clone()
    x.data = m.tensor([5.0, 6.0, 7.0])
    (x * x).sum().backward()
    return first, x, x.grad, x.is_leaf, alias


@same_as_torch
def test_detach_in_place(m: Any) -> Any:
    x = m.ones(2, requires_grad=True)
    y = x * 2
    result = y.detach_()
    return result is y, y, y.is_leaf, y.requires_grad, raised(y.sum().backward), raised((x * 2)[0].detach_)


@pytest.mark.parametrize("shape", [(1,), (1, 3), (3, 1), (1, 1, 2), (2, 1, 3)])
@same_as_torch
def test_augmented_assignment_to_a_slice(m: Any, shape: Any) -> Any:
    """``x[:] -= y`` assigns a slice to itself in the end, which is no overlap, whatever sizes of 1 it has."""
    x = m.arange(math.prod(shape), dtype=m.float64).reshape(shape).requires_grad_()
    with m.no_grad():
        x[:] -= 2
        x[:1] *= 3
        x[..., 0] += x[..., 0]
    return x



@pytest.mark.parametrize("place", [0, (0, 1), slice(0, 2), "mask"], ids=str)
@pytest.mark.parametrize("recorded", [False, True])
def test_sizes_of_one_in_front_count_for_nothing_in_assignment(place: Any, recorded: bool) -> None:
    @same_as_torch
    def scenario(m: Any) -> Any:
        x, value = m.zeros(2, 3), m.full((1, 1), 2.0, requires_grad=recorded)
        x[x == 0 if place == "mask" else place] = value
        if recorded:
            x.sum().backward()
        return x.detach(), value.grad

    scenario()


# ---- views of which there are several ------------------------------------------------------------------------------------------


def first_changed(
    cut: Callable[[Any], Any], recorded: bool = True, change: Callable[[Any], Any] = lambda x: x.add_(1)
) -> Callable[[Any], Any]:
    """Change the first of several views."""

    def call(m: Any) -> Any:
        x = grid(m).requires_grad_() * 1 if recorded else grid(m)
        change(cut(x)[0])
        return x.detach()

    return call


def changed_without_recording(m: Any) -> Any:
    x = grid(m).requires_grad_() * 1
    with m.no_grad():
        x.unbind()[0].add_(1)
    return x.detach()


test_a_change_of_one_of_several_views = same_outcomes({
    "unbind": first_changed(lambda x: x.unbind()), "split": first_changed(lambda x: x.split(1)),
    "chunk": first_changed(lambda x: x.chunk(2)), "split by sizes": first_changed(lambda x: x.split([1, 2])),
    "rows": first_changed(list), "row of row": first_changed(lambda x: [x.unbind()[0][1:]]),
    "narrow": first_changed(lambda x: [x.narrow(0, 0, 1)]),
    "unbind, nothing recorded": first_changed(lambda x: x.unbind(), recorded=False),
    "unbind of a copy": first_changed(lambda x: [x.unbind()[0].clone()]),
    "assignment to a row": first_changed(list, change=lambda row: row.fill_(0)), "unbind in no_grad": changed_without_recording,
    "logical_not_ of a result": lambda m: changed(m.ones(2, requires_grad=True) * 1, lambda x: x.logical_not_()),
})  # fmt: skip


def of_a_transposed_result(m: Any, function: Callable[[Any], Any]) -> Any:
    return function((grid(m).requires_grad_() * 1).t())


test_copies_and_memory_order = same_outcomes({
    "a copy by reshape": lambda m: [
        of_a_transposed_result(m, lambda x: x.reshape(-1)), of_a_transposed_result(m, lambda x: x[:2].flatten()),
        of_a_transposed_result(m, lambda x: x[..., None].reshape(4, 1, 3)), of_a_transposed_result(m, lambda x: x.ravel()),
        of_a_transposed_result(m, lambda x: x.unflatten(0, (2, 2)))],
    "flatten of one dimension": lambda m: [(x := m.ones(3)).flatten() is x, (y := m.ones(2, 3)).flatten(1) is y,
        m.tensor(1.0).flatten()],
    "indices of a column": lambda m: [grid(m)[:, [0, -1]].view(-1), grid(m)[..., m.tensor([2, 1])].is_contiguous()],
    "topk of rows": lambda m: [x.view(-1) for x in m.tensor([[1.0, 3, 2], [4, 0, 5]]).topk(2)],
    "topk of columns": lambda m: [x.view(-1) for x in m.tensor([[1.0, 3, nan], [4, 0, 5], [2, nan, 1]]).topk(2, 0, largest=False)],
    "data of a number": lambda m: changed(m.ones(2), lambda x: setattr(x, "data", 1)),
    "data of integers": lambda m: changed(m.ones(2, requires_grad=True), lambda x: setattr(x, "data", m.tensor([1, 2]))),
    "data of another shape": lambda m: changed(m.ones(2, requires_grad=True), lambda x: setattr(x, "data", grid(m).double())),
})  # fmt: skip


# ---- what backward does not read may be overwritten ----------------------------------------------------------------------------


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
def test_the_hyperbolic_cosine_may_be_overwritten(m: Any) -> Any:
    x = m.tensor([0.5, -1.0], requires_grad=True)
    y = x.cosh()
    y.mul_(2)
    y.sum().backward()
    return x.grad


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


@same_as_torch
def test_exclusive_or_in_place(m: Any) -> Any:
    a = m.tensor([True, False])
    b = a
    b ^= m.tensor([True, True])
    return a, b is a
