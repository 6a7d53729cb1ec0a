"""`gradcheck`, `gradgradcheck`, and the arguments of `grad`, beside torch's."""

from __future__ import annotations

from typing import Any

import pytest

import minigrad as mg
from tests.twins import leaf_of, raised, same_as_torch


def wrong(m: Any, order: int) -> Any:
    """x³, whose derivative of the given order is wrong by a factor, and right before."""

    class Slope(m.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return 3 * x**2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * 6 * x * (1.01 if order == 2 else 1)

    class Cube(m.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * Slope.apply(x) * (1.01 if order == 1 else 1)

    return Cube.apply


@same_as_torch
def test_gradcheck_finds_wrong_derivatives(m: Any) -> Any:
    x = leaf_of(m, 0.5, -1.5, 2.0, dtype="float64")
    check, second = m.autograd.gradcheck, m.autograd.gradgradcheck
    return {
        "right": check(wrong(m, 0), (x,)),
        "right twice": second(wrong(m, 0), (x,)),
        "wrong": check(wrong(m, 1), (x,), raise_exception=False),
        "right at first": check(wrong(m, 2), (x,)),
        "wrong at second": second(wrong(m, 2), (x,), raise_exception=False),
        "values are back": x,
    }


def test_gradcheck_says_what_is_wrong() -> None:
    x = leaf_of(mg, 0.5, -1.5, dtype="float64")
    with pytest.raises(RuntimeError,
    match=r"random direction of input 0, of shape \[2\], the derivative is .* but differences give"):
        mg.autograd.gradcheck(wrong(mg, 1), (x,))
    with pytest.raises(RuntimeError, match="gradcheck"):
        mg.autograd.gradgradcheck(wrong(mg, 2), (x,))
    with pytest.raises(ValueError, match="at least one input tensor to require"):
        mg.autograd.gradcheck(mg.exp, (mg.ones(2, dtype=mg.float64),))


@same_as_torch
def test_gradcheck_of_several_inputs_and_outputs(m: Any) -> Any:
    a, b = leaf_of(m, 0.5, -1.5, dtype="float64"), leaf_of(m, 2.0, dtype="float64")
    check = m.autograd.gradcheck
    return (
        check(lambda x, y: (x * y, x.sin() + y), (a, b)),
        check(lambda x, y, n: x * y**n, (a, b, 2)),
        check(lambda x, c: x * c, (a, m.ones(2))),
        check(lambda x, y: (x * y.detach(), y * 1), (a, b), raise_exception=False),
        check(lambda x: x.abs(), (leaf_of(m, 0.0, 1.0, dtype="float64"),), raise_exception=False),
    )


class Switched:
    """Functions whose backward does something that it should not."""

    def __init__(self, m: Any) -> None:
        self.calls = 0

        class Trembling(m.autograd.Function):  # type: ignore[name-defined, misc]
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                return x * 1

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                self.calls += 1
                return g * (1 + 1e-7 * self.calls)

        class Pair(m.autograd.Function):  # type: ignore[name-defined, misc]
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                ctx.set_materialize_grads(False)
                return x * 1, x * 2

            @staticmethod
            def backward(ctx: Any, g: Any, h: Any) -> Any:
                return (m.ones(2) if g is None else g) + (m.ones(2) if h is None else 2 * h)

        self.trembling, self.pair = Trembling.apply, Pair.apply


@same_as_torch
def test_what_else_gradcheck_looks_at(m: Any) -> Any:
    check, x = m.autograd.gradcheck, leaf_of(m, 0.5, -1.5, dtype="float64")
    functions = Switched(m)
    with pytest.warns(UserWarning, match=r"Input #0 requires gradient and is not a double precision"):
        single = check(lambda t: t * 2, leaf_of(m, 1.0), eps=1e-2, atol=1e-2)
    second = m.autograd.gradgradcheck
    return (
        single, raised(check, functions.pair, x), check(functions.trembling, x, raise_exception=False),
        check(functions.trembling, x, nondet_tol=1e-5), check(lambda t: t.detach() * 0 + 1, x),
        check(lambda t: t.detach() * 2, x, raise_exception=False), check(lambda t: (t * 2, t.detach()), x, raise_exception=False),
        check(m.sin, x, fast_mode=True, check_grad_dtypes=True, masked=False), raised(check, m.sin, x.detach()),
        raised(check, m.sin, x, check_backward_ad=False), raised(second, m.sin, x, check_rev_over_rev=False),
        second(m.sin, x, gen_non_contig_grad_outputs=True, fast_mode=True, nondet_tol=1e-9))  # fmt: skip


def test_gradients_that_did_not_arrive() -> None:
    x, pair = leaf_of(mg, 0.5, -1.5, dtype="float64"), Switched(mg).pair
    assert mg.autograd.gradcheck(pair, x, check_undefined_grad=False)
    with pytest.raises(mg.autograd.gradcheck.__globals__["GradcheckError"], match="undefined or zero"):
        mg.autograd.gradcheck(pair, x)


@pytest.mark.parametrize("flag", ["check_batched_grad", "check_forward_ad", "check_batched_forward_grad"])
def test_gradcheck_names_what_it_cannot_check(flag: str) -> None:
    x = leaf_of(mg, 0.5, dtype="float64")
    with pytest.raises(NotImplementedError, match=f"{flag}=True is not supported"):
        mg.autograd.gradcheck(mg.sin, x, **{flag: True})
    with pytest.raises(NotImplementedError, match="check_fwd_over_rev=True is not supported"):
        mg.autograd.gradgradcheck(mg.sin, x, check_fwd_over_rev=True)


# ---- grad ----------------------------------------------------------------------------------------------------------------


@same_as_torch
def test_arguments_of_grad(m: Any) -> Any:
    a, b = leaf_of(m, 1.0, 2.0), leaf_of(m, 3.0)
    y = (a * b).sum()
    with pytest.warns(FutureWarning, match="only_inputs argument is deprecated"):
        old = m.autograd.grad(y, a, None, True, False, False)
    zeros = m.autograd.grad(y, leaf_of(m, 1.0), retain_graph=True, create_graph=True, materialize_grads=True)
    named = m.autograd.grad(y, {"b": b, "a": a}, retain_graph=True)
    every = m.autograd.grad(outputs=y, inputs=[a], grad_outputs=m.tensor(2.0), retain_graph=True, create_graph=False,
                            only_inputs=True, allow_unused=False, is_grads_batched=False, materialize_grads=False)  # fmt: skip
    return old, named, zeros, every, raised(m.autograd.grad, y, [])


def test_batched_gradients_are_refused() -> None:
    x = leaf_of(mg, 1.0, 2.0)
    with pytest.raises(NotImplementedError, match="is_grads_batched"):
        mg.autograd.grad(x * 2, x, mg.ones(3, 2), is_grads_batched=True)
