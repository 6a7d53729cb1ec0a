"""`nn.utils`: clipped gradients and parameters as a vector, beside torch's."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg
from tests.twins import raised, same_as_torch

SHAPES = [(3, 4), (), (5,), (0, 2), (2, 1, 3)]
NORMS = [2.0, 1, 3, 0.5, 0, "inf", float("inf"), -1.5, float("-inf")]


def parameters(m: Any, dtypes: str = "float32", empty: bool = True, scale: float = 1.0) -> list[Any]:
    """Parameters with gradients; the last has none, and one shows its gradient transposed."""
    random = np.random.RandomState(0)
    made = []
    for i, shape in enumerate(SHAPES if empty else [shape for shape in SHAPES if 0 not in shape]):
        dtype = getattr(m, dtypes if dtypes != "mixed" else ("float32", "float64")[i % 2])
        p = m.zeros(shape, dtype=dtype, requires_grad=True)
        p.grad = m.tensor(scale * random.standard_normal(shape), dtype=dtype)
        made.append(p)
    made[0].grad = made[0].grad.t().contiguous().t()
    return [*made, m.ones(3, requires_grad=True)]


@pytest.mark.parametrize("dtypes", ["float32", "float64"])
@pytest.mark.parametrize("max_norm", [0.5, 100, "2"])
@pytest.mark.parametrize("norm_type", NORMS, ids=str)
@same_as_torch
def test_norms(m: Any, norm_type: Any, max_norm: Any, dtypes: str) -> Any:
    ps = parameters(m, dtypes, empty=float(norm_type) >= 0 and norm_type not in ("inf", float("inf")))
    before = [p.grad for p in ps]
    total = m.nn.utils.clip_grad_norm_(ps, max_norm, norm_type)
    assert all(p.grad is g for p, g in zip(ps, before, strict=True))
    return total, [p.grad for p in ps[:-1]], [g._version for g in before[:-1]], m.nn.utils.get_total_norm(before[:-1], norm_type)


@pytest.mark.parametrize("norm_type", [1, 2, 0])
@same_as_torch
def test_gradients_of_several_dtypes(m: Any, norm_type: float) -> Any:
    ps = parameters(m, "mixed")
    for p in ps[:-1]:
        p.grad.round_()  # whole numbers: their norms in float32 have the same bits on both sides
    return m.nn.utils.clip_grad_norm_(ps, 0.5, norm_type), [p.grad for p in ps[:-1]]


def test_a_small_norm_changes_nothing_and_a_large_one_becomes_the_bound() -> None:
    ps = parameters(mg, "float64")
    before = [p.grad.numpy().copy() for p in ps[:-1]]
    norm = mg.nn.utils.clip_grad_norm_(ps, 100.0).item()
    assert norm == pytest.approx(np.sqrt(sum((g**2).sum() for g in before)), rel=1e-14)
    assert all(np.array_equal(g, p.grad.numpy()) for g, p in zip(before, ps[:-1], strict=True))
    mg.nn.utils.clip_grad_norm_((p for p in ps), norm / 2)
    assert mg.nn.utils.get_total_norm(p.grad for p in ps[:-1]).item() == pytest.approx(norm / 2, rel=1e-6)


@pytest.mark.parametrize("kind", ["tensor", "list", "generator"])
@same_as_torch
def test_parameters_may_come_in_any_way(m: Any, kind: str) -> Any:
    p = m.zeros(2, 2, requires_grad=True)
    p.grad = m.tensor([[3.0, -4.0], [0.0, 12.0]])

    def given() -> Any:
        return p if kind == "tensor" else [p] if kind == "list" else (each for each in [p])

    total = m.nn.utils.clip_grad_norm_(given(), 6.5)
    m.nn.utils.clip_grad_value_(given(), 1.75)
    m.nn.utils.clip_grads_with_norm_(given(), 1.0, m.tensor(2.0))
    return total, p.grad


@same_as_torch
def test_no_gradients(m: Any) -> Any:
    p = m.ones(2, requires_grad=True)
    m.nn.utils.clip_grads_with_norm_([p], 1.0, m.tensor(2.0))
    return m.nn.utils.clip_grad_norm_([p], 1.0), m.nn.utils.clip_grad_norm_([], 1.0), p.grad


@pytest.mark.parametrize("value", [0.5, 100, "1"])
@same_as_torch
def test_values(m: Any, value: Any) -> Any:
    ps = parameters(m, "mixed")
    assert m.nn.utils.clip_grad_value_(ps, value) is None
    return [p.grad for p in ps[:-1]], ps[-1].grad


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite(bad: float) -> None:
    for m in (mg, torch):
        p = m.zeros(3, requires_grad=True)
        p.grad = m.tensor([1.0, bad, -2.0])
        with pytest.raises(RuntimeError, match=r"The total norm of order 2.0 for gradients from `parameters` is non-finite"):
            m.nn.utils.clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
        assert p.grad[0] == 1.0
        assert not m.nn.utils.clip_grad_norm_([p], 1.0).isfinite()
        assert p.grad.isnan().tolist() == [bad != bad, True, bad != bad]


@pytest.mark.parametrize("m", [mg, torch], ids=["minigrad", "torch"])
def test_an_exhausted_generator_is_a_warning(m: Any) -> None:
    with pytest.warns(UserWarning, match="is an empty generator, no gradient clipping") as caught:
        m.nn.utils.clip_grad_norm_((p for p in []), 1.0)
    assert caught[0].filename == __file__


@same_as_torch
def test_clipping_is_not_recorded(m: Any) -> Any:
    w = m.tensor([3.0, 4.0], requires_grad=True)
    w.grad = (w * 2) * w.detach()  # with a history, as after backward(create_graph=True)
    total = m.nn.utils.clip_grad_norm_(w, 1.0)
    return total, w.grad.detach(), m.autograd.grad(w.grad.sum(), w)[0]  # as if nothing had been multiplied


@same_as_torch
def test_parameters_as_a_vector_and_back(m: Any) -> Any:
    ps = parameters(m, empty=False)
    with m.no_grad():
        for i, p in enumerate(ps):
            p.fill_(i)
            p.grad = None
    vector = m.nn.utils.parameters_to_vector(p for p in ps)
    (vector * m.arange(len(vector))).sum().backward()
    new = vector.detach() * 2
    m.nn.utils.vector_to_parameters(new, ps)
    new[0] = 7.0  # their memory is shared
    return vector, new, ps, [p.grad for p in ps]


BAD = {
    "no parameters": lambda m: m.nn.utils.parameters_to_vector([]),
    "strides": lambda m: m.nn.utils.parameters_to_vector([m.ones(2, 3).t()]),
    "too short": lambda m: m.nn.utils.vector_to_parameters(m.ones(1), [m.ones(2)]),
    "no vector": lambda m: m.nn.utils.vector_to_parameters(m.ones(2, 2), [m.ones(2)]),
    "list": lambda m: m.nn.utils.vector_to_parameters([1.0], [m.ones(1)]),
    "integers": lambda m: m.nn.utils.get_total_norm([m.ones(2, dtype=m.int64)]),
    "empty": lambda m: m.nn.utils.get_total_norm([m.ones(0)], float("inf")),
    "norm type": lambda m: m.nn.utils.get_total_norm([m.ones(2)], "two"),
}


@pytest.mark.parametrize("call", BAD.values(), ids=BAD)
def test_errors_are_torchs(call: Any) -> None:
    assert raised(call, mg) == raised(call, torch) != "nothing"


def test_the_other_way_makes_no_difference() -> None:
    p = mg.ones(2, requires_grad=True)
    utils = mg.nn.utils
    calls = {
        "get_total_norm": (p,), "clip_grad_norm_": (p, 1.0), "clip_grad_value_": (p, 1.0),
        "clip_grads_with_norm_": (p, 1.0, mg.tensor(1.0)),
    }  # fmt: skip
    for name, args in calls.items():
        left = []
        for foreach in (None, False, True):
            p.grad = mg.tensor([3.0, -4.0])
            left.append((str(getattr(utils, name)(*args, foreach=foreach)), p.grad.tolist()))
        assert left[0] == left[1] == left[2]
        ours, theirs = (inspect.signature(getattr(m.nn.utils, name)).parameters for m in (mg, torch))
        assert [(q.name, q.default) for q in ours.values()] == [(q.name, q.default) for q in theirs.values()]
