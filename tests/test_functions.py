"""Functions that users write: arguments, changes in place, what is kept and under which names, beside torch's."""

from __future__ import annotations

from typing import Any

import pytest

import minigrad as mg
from tests.twins import LIBRARIES, raised, same_as_torch, variable


def function(m: Any, forward: Any, backward: Any = lambda ctx, g: g, **others: Any) -> Any:
    """A custom function of the given static methods."""
    methods = {name: staticmethod(f) for name, f in {"forward": forward, "backward": backward, **others}.items() if f}
    return type("Mine", (m.autograd.Function,), methods)


@same_as_torch
def test_setup_context_sees_the_defaults_of_forward(m: Any) -> Any:
    seen: list[Any] = []

    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        seen.append(inputs[1:])
        ctx.k = inputs[1]

    f = function(m, lambda x, k=2, last=None: x * k, lambda ctx, g: (g * ctx.k, None, None), setup_context=setup_context)
    x = m.ones(2, requires_grad=True)
    results = [f.apply(x), f.apply(x, 3), f.apply(x, k=4), f.apply(x, last=1), f.apply(x.detach(), 5)]
    sum(r.sum() for r in results[:4]).backward()
    return seen, [r.detach() for r in results], x.grad, raised(f.apply), raised(f.apply, x, nothing=1)


@same_as_torch
def test_keywords_go_to_forward(m: Any) -> Any:
    one = function(m, lambda ctx, x, k=2: x * k, lambda ctx, g: g * 7)
    two = function(m, lambda ctx, x, k=2: x * k, lambda ctx, g: (g * 7, None))
    x = m.ones(2, requires_grad=True)
    (one.apply(x) + two.apply(x, k=3)).sum().backward()
    return x.grad, one.apply(x.detach(), k=3), raised(one.apply(x, k=3).sum().backward)


@same_as_torch
def test_vjp_is_another_name_of_backward(m: Any) -> Any:
    x = m.ones(2, requires_grad=True)
    named = function(m, lambda ctx, x: x * 1, None, vjp=lambda ctx, g: g * 7)
    both = function(m, lambda ctx, x: x * 1, vjp=lambda ctx, g: g * 7)
    neither = function(m, lambda ctx, x: x * 1, None)
    named.apply(x).sum().backward()
    return x.grad, raised(both.apply(x).sum().backward), raised(neither.apply(x).sum().backward)


@same_as_torch
def test_what_there_is_no_use_for(m: Any) -> Any:
    f = function(m, lambda ctx, x: x * 1)
    own = function(m, lambda ctx, x: x * 1, jvp=lambda ctx, x: x, vmap=lambda info, in_dims, x: x)
    own.generate_vmap_rule = True
    return raised(f.vmap, None, 0, m.ones(1)), raised(f.jvp, None, m.ones(1)), own.apply(m.ones(1))


# ---- in place ------------------------------------------------------------------------------------------------------------


def increment(m: Any, factor: float = 2.0) -> Any:
    def forward(ctx: Any, x: Any) -> Any:
        x.add_(1)
        ctx.mark_dirty(x)
        return x

    return function(m, forward, lambda ctx, g: g * factor)


@same_as_torch
def test_a_function_that_changes_its_input(m: Any) -> Any:
    a = variable(m, 3)
    x = a * 3
    x.retain_grad()
    y = increment(m).apply(x)
    (y * y).sum().backward()
    constant = m.zeros(2)
    same = increment(m).apply(constant)
    with m.no_grad():
        hidden = increment(m).apply(a * 1)
    return y is x, x._version, type(x.grad_fn).__name__, a.grad, x.grad, same is constant, constant, hidden


@same_as_torch
def test_a_function_that_changes_a_view(m: Any) -> Any:
    a = variable(m, 3)
    base = a * 3
    part = base[:2]
    changed = increment(m).apply(part)
    (base * base).sum().backward()
    return changed is part, base.detach(), a.grad


@same_as_torch
def test_a_result_in_the_place_of_the_input_is_saved(m: Any) -> Any:
    def forward(ctx: Any, x: Any, first: bool) -> Any:
        if first:
            ctx.save_for_backward(x)
        x.exp_()
        ctx.mark_dirty(x)
        if not first:
            ctx.save_for_backward(x)
        return x

    f = function(m, forward, lambda ctx, g: (g * ctx.saved_tensors[0], None))
    a = variable(m, 3)
    (f.apply(a * 0.5, True) + f.apply(a * 0.25, False)).sum().backward()
    late = f.apply(a * 0.5, False)
    late.add_(1)
    return a.grad, raised(late.sum().backward)


@same_as_torch
def test_changes_that_are_refused(m: Any) -> Any:
    a = variable(m, 3)

    def not_returned(ctx: Any, x: Any) -> Any:
        ctx.mark_dirty(x)
        return x * 1

    def not_an_input(ctx: Any, x: Any) -> Any:
        y = x * 1
        ctx.mark_dirty(y)
        return y

    with pytest.warns(UserWarning, match="received a tensor that was not an input"):
        other = function(m, not_an_input).apply(a * 1)
    return raised(increment(m).apply, a), raised(function(m, not_returned).apply, a * 1), other.detach()


@pytest.mark.parametrize("forward", [lambda ctx, x: x, lambda ctx, x: x.view(-1), lambda ctx, x: x[1:], lambda ctx, x: (x, x * 2)],
                         ids=["the input", "a view", "a part", "the input and another"])  # fmt: skip
@same_as_torch
def test_what_shows_the_input_cannot_be_changed(m: Any, forward: Any) -> Any:
    """The reversal of a gradient, for instance, followed by an activation in place."""
    f = function(m, forward, lambda ctx, *gradients: -gradients[0] if len(gradients) > 1 or gradients[0].shape == (3,) else None)
    a = variable(m, 3)

    def result() -> Any:
        out = f.apply(a * 1)
        return out[0] if isinstance(out, tuple) else out

    with m.no_grad():
        allowed = f.apply(a * 1)
        (allowed[0] if isinstance(allowed, tuple) else allowed).zero_()
    refused = [raised(lambda: result().relu_()), raised(lambda: result().view(-1).mul_(2)),
               raised(lambda: m.nn.functional.relu(result(), inplace=True)), raised(result()[:1].zero_)]  # fmt: skip
    result().clone().relu_().sum().backward()
    return refused, a.grad, raised(f.apply(a.detach())[0].zero_)


# ---- what is kept --------------------------------------------------------------------------------------------------------


@same_as_torch
def test_only_tensors_are_saved(m: Any) -> Any:
    x = m.ones(2, requires_grad=True)
    number = function(m, lambda ctx, x: ctx.save_for_backward(1) or x * 1)
    none = function(m, lambda ctx, x: ctx.save_for_backward(None, x) or x * 1, lambda ctx, g: g * (ctx.saved_tensors[1] + 1))
    none.apply(x).sum().backward()
    return raised(number.apply, x), x.grad


@same_as_torch
def test_the_node_has_the_attributes_of_ctx(m: Any) -> Any:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.word = "kept"
        ctx.save_for_backward(x, None)
        return x * 1

    x = m.ones(2, requires_grad=True)
    node = function(m, forward).apply(x).grad_fn
    tensor, none = node.saved_tensors
    return type(node).__name__, node.word, tensor is x, none, node.needs_input_grad, raised(lambda: node.no_word)


@LIBRARIES
def test_what_was_saved_is_freed(lib: Any) -> None:
    f = function(lib, lambda ctx, x: ctx.save_for_backward(x) or x * 1)
    y = f.apply(lib.ones(2, requires_grad=True) * 1)
    y.sum().backward()
    with pytest.raises((RuntimeError, AttributeError)):
        _ = y.grad_fn.saved_tensors


def test_keyword_only_arguments_beside_setup_context() -> None:
    f = function(mg, lambda x, *, k=2: x * k, setup_context=lambda ctx, inputs, output: None)
    with pytest.raises(TypeError, match="cannot have keyword-only arguments, got k"):
        f.apply(mg.ones(1))
