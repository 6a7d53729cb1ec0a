"""Small things one by one: what torch answers, minigrad answers, and where torch raises, it raises the same type."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import inf, nan
from typing import Any

import numpy as np
import pytest
import torch

import minigrad

from .twins import assert_same, same_as_torch


def outcome(call: Callable[[Any], Any], m: Any) -> Any:
    """What a call gives, or the name of the type of the error that it raises."""
    try:
        return call(m)
    except Exception as error:
        return type(error).__name__


def grid(m: Any, **options: Any) -> Any:
    return m.arange(12.0, **options).reshape(3, 4)


def changed(x: Any, change: Callable[[Any], Any]) -> Any:
    change(x)
    return x.detach()


def assigned(index: Any, value: Any = 7.0, **options: Any) -> Callable[[Any], Any]:
    """``x[index] = value``, on a leaf and where it is recorded."""

    def call(m: Any) -> Any:
        place = index(m) if callable(index) else index
        what = value(m) if callable(value) else value
        x = grid(m, **options)
        return changed(x, lambda x: x.__setitem__(place, what)), outcome(
            lambda m: changed(grid(m).requires_grad_() * 1, lambda x: x.__setitem__(place, what)), m)  # fmt: skip

    return call


INDICES: list[Any] = [
    [[0, 1], [1, 0]], [[0, 1]], ([0, 1], [1, 0]), [(0, 1), (1, 0)], [0, slice(None)], [slice(0, 1), slice(1, 2)], [None, 0],
    [..., 0], [[[0]]], [[0], [0, 1]], [[True, False, True, False]] * 3, ((0, 1),), ((0, 1), (1, 2)), 5, (0, 9), -4, (0, 0, 0), 1.5,
    "a", {}, {1},
    lambda m: [m.tensor(0), m.tensor(1)], lambda m: m.tensor([True, False]), lambda m: m.tensor([5]),
    lambda m: (slice(None), m.tensor([7])), lambda m: m.tensor(1).byte(), lambda m: m.tensor(0).byte(),
    lambda m: m.tensor(1).char(),
    lambda m: m.tensor([0, 1]).short(), lambda m: m.tensor([0, 1]).int(),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("index", INDICES, ids=lambda index: "tensors" if callable(index) else str(index))
def test_index(index: Any) -> None:
    """Lists that hold more than numbers are tuples; what is out of bounds or no index at all raises as in torch."""

    @same_as_torch
    def scenario(m: Any) -> Any:
        return outcome(lambda m: grid(m)[index(m) if callable(index) else index], m), outcome(assigned(index), m)

    scenario()


@pytest.mark.parametrize("index", [[[0, 1]], [slice(0, 1), 2]])
def test_a_list_taken_for_a_tuple_warns(index: Any) -> None:
    same_as_torch(lambda m: [outcome(lambda m: grid(m)[index], m), outcome(assigned(index), m)])()


def parts(cut: Callable[[Any], Any], grad: bool = True, change: Callable[[Any], Any] = lambda x: x.add_(1)) -> Callable[[Any], Any]:
    """Change the first of several views."""

    def call(m: Any) -> Any:
        x = grid(m).requires_grad_() * 1 if grad else grid(m)
        change(cut(x)[0])
        return x.detach()

    return call


def silently(m: Any) -> Any:
    x = grid(m).requires_grad_() * 1
    with m.no_grad():
        x.unbind()[0].add_(1)
    return x.detach()


def weighed(m: Any, **options: Any) -> Any:
    """addmm of a matrix with a nan."""
    c = m.tensor([[nan, 1.0], [2.0, inf]], requires_grad=True)
    y = m.addmm(c, m.ones(2, 3), m.ones(3, 2), **options)
    y[1, 0].backward()
    return y, c.grad


def whole(m: Any, **options: Any) -> Any:
    x = m.ones(2, 3, dtype=m.int64)
    return m.addmm(m.full((2, 2), 5), x, x.t(), **options)


FIRST = [[0, 1, 2, 0]]
SMALL: dict[str, Callable[[Any], Any]] = {
    # views of which there are several
    "unbind": parts(lambda x: x.unbind()), "split": parts(lambda x: x.split(1)), "chunk": parts(lambda x: x.chunk(2)),
    "split by sizes": parts(lambda x: x.split([1, 2])), "rows": parts(list), "row of row": parts(lambda x: [x.unbind()[0][1:]]),
    "narrow": parts(lambda x: [x.narrow(0, 0, 1)]), "unbind without gradient": parts(lambda x: x.unbind(), grad=False),
    "unbind of a copy": parts(lambda x: [x.unbind()[0].clone()]), "assign to a row": parts(list, change=lambda row: row.fill_(0)),
    "unbind in no_grad": silently,
    # scatter
    "scatter less": lambda m: grid(m).scatter(0, m.tensor([*FIRST, [1, 1, 1, 1]]), m.ones(1, 4)),
    "scatter of more": lambda m: grid(m).scatter(0, m.tensor(FIRST), m.ones(5, 6)),
    "scatter 0-d source": lambda m: grid(m).scatter(0, m.tensor(FIRST), m.tensor(1.0)),
    "scatter another dtype": lambda m: grid(m).scatter(0, m.tensor(FIRST), m.ones(1, 4, dtype=m.float64)),
    "scatter nothing": lambda m: grid(m).scatter(0, m.zeros(0, dtype=m.int64), m.tensor(5.0)),
    "scatter without source": lambda m: grid(m).scatter(0, m.tensor(FIRST)),
    "scatter into 0-d": lambda m: m.tensor(1.0).scatter(0, m.tensor(0), m.tensor(5.0)),
    "scatter into 0-d by a vector": lambda m: m.tensor(1.0).scatter(0, m.tensor([0]), m.tensor([5.0])),
    "scatter by 0-d": lambda m: m.ones(3).scatter(0, m.tensor(1), m.tensor(5.0)),
    "scatter a number into 0-d": lambda m: m.tensor(1.0).scatter(0, m.tensor(0), 5.0),
    "scatter a fraction into integers": lambda m: m.zeros(3, dtype=m.int64).scatter(0, m.tensor([0]), 1.5),
    "scatter_add less": lambda m: grid(m).scatter_add(0, m.tensor([*FIRST, [1, 1, 1, 1]]), m.ones(1, 4)),
    "scatter_add by 0-d": lambda m: m.ones(3).scatter_add(0, m.tensor(1), m.tensor(5.0)),
    "scatter_add of 0-d": lambda m: m.ones(3).scatter_add(0, m.tensor([1]), m.tensor(5.0)),
    "scatter_add a number": lambda m: m.ones(3).scatter_add(0, m.tensor([1]), 5.0),
    # addmm
    "addmm": weighed, "addmm beta=0": lambda m: weighed(m, beta=0), "addmm beta=2": lambda m: weighed(m, beta=2),
    "addmm of integers": lambda m: whole(m, beta=0.5), "addmm of integers by 2": lambda m: whole(m, beta=2, alpha=3),
    "addmm of dtypes": lambda m: m.addmm(m.ones(2, 2, dtype=m.float64), m.ones(2, 3), m.ones(3, 2)),
    "addmm of 3 dimensions": lambda m: m.addmm(m.ones(1, 2, 2), m.ones(2, 3), m.ones(3, 2)),
    "addmm of more rows": lambda m: m.addmm(m.ones(5, 2), m.ones(1, 3), m.ones(3, 2)),
    # bools, nan
    "max of bools": lambda m: tuple(m.tensor([[True, False], [False, False]]).max(1)),
    "min of bools": lambda m: tuple(m.tensor([[True, False], [False, False]]).min(1, keepdim=True)),
    "sign of nan": lambda m: m.tensor([nan, -inf, -0.0, 3.0]).sign(),
    "sign of integers": lambda m: (m.tensor([-3, 0, 2]).sign(), m.tensor([3, 0], dtype=m.uint8).sign()),
    # numbers that do not fit
    **{f"{name} {number} of {dtype}": (lambda m, n=name, x=number, d=dtype: written(m, n, x, getattr(m, d)))
       for name in ("full", "full_like", "new_full", "fill_", "masked_fill", "where", "clamp", "assign", "scatter")
       for number, dtype in ((300, "uint8"), (-1, "uint8"), (-300, "uint8"), (128, "int8"), (2**31, "int32"), (7.9, "int32"),
           (nan, "int64"), (1e10, "int32"), (1e39, "float32"), (inf, "float32"), (2.5, "bool"), (3, "float64"))},
    **{f"{name} {type(value).__name__}": (lambda m, n=name, x=value: written(m, n, x, m.float32))
       for name in ("full", "full_like", "new_full", "fill_", "masked_fill", "where", "assign", "clamp")
       for value in ("a", [1, 2], (1.0, 2.0))},
    **{f"{name} None": (lambda m, n=name: written(m, n, None, m.float32)) for name in ("full", "fill_", "masked_fill", "assign")},
    # arguments of the wrong kind
    "del x[0]": lambda m: grid(m).__delitem__(0), "x in": lambda m: (5.0 in grid(m), m.tensor(2.0) in grid(m)),
    "list in x": lambda m: [1.0] in grid(m), "text in x": lambda m: "a" in grid(m),
    "one_hot of a list": lambda m: m.nn.functional.one_hot([0, 1]),
    "einsum by numbers": lambda m: m.einsum(m.ones(2, 3), [0, 1], m.ones(3, 4), [1, 2], [2, 0]),
    "einsum by numbers only": lambda m: m.einsum(grid(m), [1, 0], m.ones(3, 4), [1, 2]),
    "einsum by numbers and dots": lambda m: m.einsum(grid(m), [..., 0], [0, ...]), "einsum of nothing": lambda m: m.einsum(grid(m)),
    **{f"{name} {what}": (lambda m, n=name, f=f: getattr(m, n)(f(m))) for name in ("cat", "stack") for what, f in {
        "a number": lambda m: [m.ones(2), 1], "None": lambda m: [m.ones(2), None], "a tensor": lambda m: m.ones(2, 2),
        "nothing": lambda m: [], "text": lambda m: "ab", "a generator": lambda m: (m.ones(2) for _ in range(2))}.items()},
    **{f"{name}({value!r})": (lambda m, n=name, x=value: getattr(m, n)(x)) for name, value in (
        ("arange", "a"), ("arange", None), ("arange", [1]), ("arange", nan), ("arange", inf), ("zeros", "a"), ("randn", "a"),
        ("rand", 2.5), ("randn", None), ("eye", "a"), ("randperm", "a"))},
    "arange()": lambda m: m.arange(), "zeros()": lambda m: m.zeros(), "linspace": lambda m: m.linspace("a", 1, 3),
    "linspace of 2.5": lambda m: m.linspace(0, 1, 2.5), "full of many": lambda m: m.full((2,), m.ones(2)),
    **{f"{name}()": (lambda m, n=name: getattr(m.tensor(1.0), n)()) for name in
       ("reshape", "view", "permute", "expand", "repeat", "flip", "new_zeros")},
    **{f"{name}('a')": (lambda m, n=name: getattr(grid(m), n)("a")) for name in
       ("sum", "reshape", "permute", "expand", "squeeze", "unsqueeze", "softmax")},
    # gradients that are assigned
    **{f"grad of {name}": (lambda m, f=f: graded(m, f)) for name, f in {
        "another shape": lambda m, x: m.ones(5), "another dtype": lambda m, x: m.ones(2, dtype=m.float64), "itself": lambda m, x: x,
        "integers": lambda m, x: m.ones(2, dtype=m.int64), "a number": lambda m, x: 1.0, "its own kind": lambda m, x: m.ones(2),
        "nothing": lambda m, x: None, "a list": lambda m, x: [1.0, 2.0]}.items()},
    "del x.grad": lambda m: deleted(m),
    # integers beside dtypes that are too small for them
    **{f"{dtype} {name} {number}": (lambda m, d=dtype, f=f, x=number: f(m.tensor([1, 100], dtype=getattr(m, d)), x))
       for dtype in ("uint8", "int8", "int16", "int32", "int64") for number in (300, -1, -300, 2**31, 2**40, 2**63 - 1)
       for name, f in {"+": lambda t, x: t + x, "r-": lambda t, x: x - t, "*": lambda t, x: t * x, "==": lambda t, x: t == x,
           "<": lambda t, x: t < x, "&": lambda t, x: t & x, "+=": lambda t, x: t.add_(x)}.items()},
    # places where NumPy's answer is another one
    "zero with a sign": lambda m: (1 / (m.tensor([-1.0, 1.0, -4.0]) % 1), 1 / (m.tensor([-1.0, 2.0]).double() % -1)),
    "remainder by infinity": lambda m: (m.tensor([2.0, -1.0]) % inf, m.tensor([2, -1], dtype=m.int8) % inf, m.ones(1) % -inf),
    "floor by infinity": lambda m: (m.tensor([2.0, -1.0]) // inf, m.tensor([-3]).div(inf, rounding_mode="floor")),
    "nothing by zero": lambda m: (m.zeros(0, dtype=m.int64) // 0, m.zeros(0, 3, dtype=m.int32) % m.zeros(3, dtype=m.int32)),
    "negative powers": lambda m: (m.tensor([-1, 0, 1, 2]) ** m.tensor([[-3], [-2], [3]]), 3 ** m.tensor([-1, 0, 2])),
    "negative power of nothing": lambda m: m.zeros(0, dtype=m.int64) ** -1, "power of a byte": lambda m: m.ones(1).byte() ** -1,
    "power by a list": lambda m: m.ones(2) ** [1, 2], "power by an array": lambda m: m.ones(2) ** (m.ones(2) * 2).numpy()[0],
    "alpha for numbers": lambda m: (m.ones(2).add(3, alpha=2), m.ones(2).sub(3.0, alpha=0.5), m.ones(2).int().sub(3, alpha=2)),
    "alpha of 0-d integers": lambda m: (m.ones(()).half().sub(m.tensor(3), alpha=0.5), m.ones(2).int().add(1.5, alpha=0.5)),
    "alpha of bools": lambda m: m.add(m.tensor([True, False]), m.tensor(True), alpha=2),
    "alpha below a byte": lambda m: m.ones(1).byte().add(m.ones(1).byte(), alpha=-2),
    "unique along none": lambda m: [outcome(lambda m: m.ones(2).unique(dim=1), m), m.ones(2, 2).unique(dim=-1)],
    "curvature of elu at 0": lambda m: curved(m, lambda x: m.nn.functional.elu(x, 0.5)),
    "curvature of selu at 0": lambda m: curved(m, m.nn.functional.selu),
    "a fraction for integers": lambda m: m.tensor([1]).add(m.tensor([1]), alpha=0.5),
    "a bool for integers": lambda m: m.tensor([1]).add(1, alpha=True), "rounded bools": lambda m: m.tensor([True]).round(),
    "addcmul of dtypes": lambda m: m.tensor([2]).int().addcmul(m.tensor([200]).byte(), m.tensor(3), value=2),
    "addcmul of integers": lambda m: m.tensor([2]).addcmul(m.tensor([3]), m.tensor([4]), value=0.5),
    "lerp to infinity": lambda m: (m.zeros(2).lerp(m.tensor([inf, -inf]), 0.7), m.zeros(2).lerp(m.ones(2), 0.3)),
    "nonzero of a number": lambda m: (m.where(m.tensor(True)), m.where(m.tensor(0.0))),
    "isclose of dtypes": lambda m: m.isclose(m.ones(2), m.ones(2).double()),
    "allclose of shapes": lambda m: m.allclose(m.ones(2), m.ones(3)),
    "allclose of dtypes": lambda m: m.ones(1).allclose(m.tensor(1)),
    "flip of a number": lambda m: (m.tensor(1.0).flip(0), m.tensor(1).flip([-1])),
    "diag of a cube": lambda m: m.ones(2, 2, 2).diag(),
    "diag of a number": lambda m: m.tensor(1.0).diag(), "grid of a matrix": lambda m: m.meshgrid(m.ones(2, 2), indexing="ij"),
    "split of a number": lambda m: m.tensor(1.0).split(1), "chunk of a number": lambda m: m.tensor(1.0).chunk(1),
    "narrow of a number": lambda m: m.tensor(1.0).narrow(0, 0, 1), "softmax of integers": lambda m: m.tensor([1, 2]).softmax(0),
    "log_softmax of integers": lambda m: m.log_softmax(m.tensor([1, 2]), 0),
    "view by a tensor": lambda m: grid(m).view(m.tensor(12)),
    "view by a fraction": lambda m: grid(m).view(2.0), "view by text": lambda m: grid(m).view("a"),
    "masked_select of another shape": lambda m: m.ones(0).masked_select(m.tensor([True, False])),
    "fewer weights": lambda m: m.bincount(m.tensor([0, 1]), m.ones(3)),
    "bincount less": lambda m: m.bincount(m.tensor([1]), minlength=-1),
    "negative groups": lambda m: m.nn.functional.group_norm(m.ones(2, 4), -2), "negative sizes": lambda m: m.ones(1).new_zeros(-1),
    "negative sizes at random": lambda m: [outcome(lambda m, f=f: getattr(m, f)(-1), m) for f in ("rand", "randn", "zeros")],
    "integers that require": lambda m: m.tensor([1]).new_ones(2, requires_grad=True),
    "new with a dtype": lambda m: (m.tensor([1]).new_full((2,), 1.5, dtype=m.float64), m.tensor([1]).new_zeros(2, dtype=None)),
    "types by name": lambda m: (m.tensor([1.5]).type("torch.LongTensor"), m.tensor([1]).type("torch.HalfTensor")),
    "unknown type": lambda m: m.ones(2).type("torch.RealTensor"), "1d pool": lambda m: pools(m),
    **{f"assign {what} at {where}": (lambda m, i=i, v=v: [outcome(assigned(i, v), m)]) for where, i in {
        "indices": lambda m: m.tensor([0, 1]), "a list": [0, 1], "a mask": lambda m: m.tensor([True, False, True]),
        "a column": (..., [0])}.items() for what, v in {
        "an integer": lambda m: m.tensor(2), "integers": lambda m: m.tensor([2]), "a number": 2,
        "a row": lambda m: m.ones(4).double(), "a float": lambda m: m.tensor(2.0)}.items()},
    **{f"{name} of {what}": (lambda m, n=name, w=what: unlike(m, n, w)) for name in
       ("masked_fill_", "index_fill_", "copy_", "fill_", "add_") for what in ("float32", "float16")},
    "logical_not_ of a result": lambda m: changed(m.ones(2, requires_grad=True) * 1, lambda x: x.logical_not_()),
    # which tensors are views, and of what memory
    "a copy by reshape": lambda m: [changed_by(m, lambda x: x.reshape(-1)), changed_by(m, lambda x: x[:2].flatten()),
        changed_by(m, lambda x: x[..., None].reshape(4, 1, 3)), changed_by(m, lambda x: x.ravel()),
        changed_by(m, lambda x: x.unflatten(0, (2, 2)))],
    "arange of whole numbers": lambda m: [m.arange(*a, dtype=m.int64) for a in ((1, 2.5), (-1.5, 3), (5, 0.5, -1.5))],
    "flatten one": lambda m: [(x := m.ones(3)).flatten() is x, (y := m.ones(2, 3)).flatten(1) is y, m.tensor(1.0).flatten()],
    "indices of a column": lambda m: [grid(m)[:, [0, -1]].view(-1), grid(m)[..., m.tensor([2, 1])].is_contiguous()],
    "topk in order": lambda m: [x.view(-1) for x in m.tensor([[1.0, 3, 2], [4, 0, 5]]).topk(2)],
    "topk of columns": lambda m: [x.view(-1) for x in m.tensor([[1.0, 3, nan], [4, 0, 5], [2, nan, 1]]).topk(2, 0, largest=False)],
    "topk of bools": lambda m: m.tensor([True, False]).topk(1), "topk of too many": lambda m: m.ones(2).topk(3),
    "topk of nothing": lambda m: [*m.ones(2, 3).topk(0), *m.zeros(0).topk(0), *m.tensor([1, nan, inf, 2.0]).topk(3)],
    # places that are named twice
    **{f"twice by {where}": (lambda m, f=f: gathered(m, f)) for where, f in {
        "a list and a number in one": lambda m: ([0, 0], [1]),
        "a column and a row": lambda m: (m.tensor([[0], [0]]), m.tensor([0, 1])),
        "a row and a column": lambda m: (m.tensor([0, 1]), m.tensor([[0], [0]])),
        "a mask": lambda m: (m.tensor([True, False, False]), [2, 2]),
        "a growing row": lambda m: ([0, 0, 1], [0, 1, 2]), "two rows": lambda m: ([0, 1, 0], [1, 2, 1]),
        "one of a mask": lambda m: (m.tensor([True, False, True]), [1])}.items()},
    # gradients at nan, infinity, nothing
    **{f"gradient of {name} at corners": (lambda m, f=f: cornered(m, f)) for name, f in {
        "abs": lambda m, x: x.abs(), "norm 1": lambda m, x: x.norm(1), "norm inf": lambda m, x: x.norm(inf),
        "norm 3": lambda m, x: x.norm(3),
        "norm 0 of rows": lambda m, x: x.reshape(2, 3).norm(0, dim=0) + x.reshape(2, 3).sum(0),
        "elu": lambda m, x: m.nn.functional.elu(x, 0.5),
        "selu": lambda m, x: m.nn.functional.selu(x), "relu6": lambda m, x: m.nn.functional.relu6(x),
        "atan2": lambda m, x: m.atan2(x, m.zeros(6)), "atan2 below": lambda m, x: m.atan2(m.zeros(6), x),
        "clamp": lambda m, x: m.clamp(m.ones(6), max=x), "clamp from below": lambda m, x: m.clamp(m.ones(6), x),
        "assignment": lambda m, x: changed_but_recorded(m.zeros(2, dtype=m.float64), None, x[5]),
        "addcdiv": lambda m, x: m.ones(6).addcdiv(x, x + 1, value=2), "lerp": lambda m, x: m.lerp(x, x * 2, x)}.items()},
    # data
    "data of a number": lambda m: changed(m.ones(2), lambda x: setattr(x, "data", 1)),
    "data of integers": lambda m: changed(m.ones(2, requires_grad=True), lambda x: setattr(x, "data", m.tensor([1, 2]))),
    "data of another shape": lambda m: changed(m.ones(2, requires_grad=True), lambda x: setattr(x, "data", grid(m).double())),
}  # fmt: skip


def unlike(m: Any, name: str, dtype: str) -> Any:
    """Integers changed by a floating-point number that requires a gradient: nothing is recorded, whatever torch says."""
    x, value = m.tensor([[1, 2, 3]]), m.tensor(2.0, dtype=getattr(m, dtype), requires_grad=True)
    arguments = {"masked_fill_": (x > 1, value), "index_fill_": (1, m.tensor([0]), value)}.get(name, (value,))
    return changed(x, lambda x: getattr(x, name)(*arguments)).detach()


def cornered(m: Any, function: Callable[..., Any]) -> Any:
    """The gradient of a function where it has no derivative in the mathematical sense."""
    x = m.tensor([nan, inf, -inf, 0.0, -0.0, 1.0], requires_grad=True)
    y = function(m, x)
    y.sum().backward()
    return y, x.grad


def changed_but_recorded(x: Any, place: Any, value: Any) -> Any:
    x[place] = value
    return x


def changed_by(m: Any, function: Callable[[Any], Any]) -> Any:
    return function((grid(m).requires_grad_() * 1).t())


def curved(m: Any, function: Callable[[Any], Any]) -> Any:
    """The second derivative at a kink and beside it."""
    x = m.tensor([-1.0, 0.0, 1.0], requires_grad=True)
    (slope,) = m.autograd.grad(function(x).sum(), x, create_graph=True)
    return m.autograd.grad(slope.sum(), x)


def gathered(m: Any, index: Callable[[Any], Any]) -> Any:
    """The gradient of what an index reads."""
    x = grid(m).requires_grad_()
    (x[index(m)] * 2).sum().backward()
    return x.grad


def pools(m: Any) -> Any:
    """Which of the pooling modules are instances of which others."""
    kinds = [getattr(m.nn, f"{kind}Pool{n}d") for kind in ("Max", "Avg", "AdaptiveMax", "AdaptiveAvg") for n in (1, 2)]
    return [[issubclass(a, b) for a in kinds] for b in kinds]


def graded(m: Any, gradient: Callable[..., Any]) -> Any:
    """A gradient assigned by hand, to which backward then adds."""
    x = m.ones(2, requires_grad=True)
    x.grad = gradient(m, x)
    (x * 3).sum().backward()
    return x.grad


def deleted(m: Any) -> Any:
    x = m.ones(2, requires_grad=True)
    x.sum().backward()
    del x.grad
    return [x.grad]


def written(m: Any, name: str, number: Any, dtype: Any) -> Any:
    """A number written into a tensor of a dtype."""
    x, mask = m.ones(2, dtype=dtype), m.tensor([True, False])
    if name == "clamp" and dtype.is_floating_point and isinstance(number, float):
        number = 0.5  # torch refuses a limit that float32 cannot hold; here there is just no limit
    return {
        "full": lambda: m.full((2,), number, dtype=dtype), "full_like": lambda: m.full_like(x, number),
        "new_full": lambda: x.new_full((2,), number), "fill_": lambda: x.fill_(number),
        "masked_fill": lambda: x.masked_fill(mask, number), "where": lambda: m.where(mask, x, number),
        "clamp": lambda: x.clamp(max=number), "assign": lambda: changed(x, lambda x: x.__setitem__(0, number)),
        "scatter": lambda: x.scatter(0, m.tensor([1]), number),
    }[name]()  # fmt: skip


@pytest.mark.parametrize("name", SMALL)
def test_small(name: str) -> None:
    @same_as_torch
    def scenario(m: Any) -> Any:
        return [outcome(SMALL[name], m)]

    scenario()


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,)], ids=str)
@pytest.mark.parametrize("indices", [(), (1,), (0,), (0, 2), (2, 0)], ids=str)
def test_scatter_by_no_index_and_by_one(shape: tuple[int, ...], indices: tuple[int, ...]) -> None:
    def scattered(m: Any, name: str, source: tuple[int, ...]) -> Any:
        x, src = m.ones(shape, requires_grad=True), m.full(source, 2.0, requires_grad=True)
        result = getattr(x, name)(0, m.zeros(indices, dtype=m.int64), src)
        result.sum().backward()
        return result.detach(), x.grad, src.grad

    for name, source in product(("scatter", "scatter_add"), [(), (1,), (0,), (2, 3)]):
        expected = outcome(lambda m, name=name, source=source: scattered(m, name, source), torch)
        if not isinstance(expected, str):  # torch has no derivative for a source larger than the index
            assert_same(scattered(minigrad, name, source), expected)


@same_as_torch
def test_subclasses_are_printed_under_their_names(m: Any) -> Any:
    class Temperature(m.Tensor):  # type: ignore[misc]
        pass

    return [repr(Temperature([1.0, 2.0])), repr(m.nn.Parameter(m.ones(2)))]


def test_messages_speak_of_tensors_and_dimensions() -> None:
    import minigrad as m

    for index, words in ((5, "index 5 is out of bounds for dimension 0 with size 3"), ((0, 0, 0), "too many indices for tensor of"),
                         (m.tensor([True, False]), "tensor along dimension 0")):  # fmt: skip
        for call in (lambda index=index: grid(m)[index], lambda index=index: grid(m).__setitem__(index, 1.0)):
            with pytest.raises(IndexError, match=words) as found:
                call()
            assert "array" not in str(found.value)
            assert "axis" not in str(found.value)


@same_as_torch
def test_names_of_numbers(m: Any) -> Any:
    limits = [m.finfo(d) for d in (m.float16, m.float32, m.float64)] + [m.finfo()]
    whole = [m.iinfo(d) for d in (m.uint8, m.int8, m.int16, m.int32, m.int64)]
    return (
        [(x.eps, x.min, x.max, x.tiny, x.smallest_normal, x.resolution, x.bits, x.dtype) for x in limits],
        [(x.min, x.max, x.bits, x.dtype) for x in whole], m.pi, m.e, m.inf, m.nan, grid(m)[m.newaxis].shape,
        outcome(lambda m: m.finfo(m.int8), m), outcome(lambda m: m.iinfo(m.float32), m),
    )  # fmt: skip


@same_as_torch
def test_what_a_tensor_says_of_itself(m: Any) -> Any:
    x, array = grid(m), m.ones(2).numpy()
    shared, copied = m.asarray(array), m.asarray(array, copy=True, requires_grad=True)
    array[0] = 5
    return (
        m.numel(x), m.is_floating_point(x), m.is_complex(x), m.is_nonzero(m.tensor([2.0])), outcome(lambda m: m.is_nonzero(x), m),
        x.is_cuda, x.ndimension(), x.new_empty(2, 3).shape, x.new_zeros(size=(2,), device="cpu"), x.new_ones((2, 1), dtype=m.int64),
        x.new_full((2,), 3, device=x.device, requires_grad=True), x.new_tensor([1, 2]), x.int().new_tensor([1, 2], dtype=m.float64),
        [outcome(lambda m, d=d: x.new_ones(2, device=d), m) for d in ("cuda", "cuda:1", "xpu")], outcome(lambda m: x.cuda(), m),
        x.byte(), x.char(), x.half(), x.int(), x.allclose(x + 1), x.equal(x),
        shared, copied, m.asarray([1, 2], dtype=m.float64), repr(x.sort(descending=True)), repr(x.topk(1)), repr(x.median(0)),
    )  # fmt: skip


def test_no_bfloat16() -> None:
    with pytest.raises(NotImplementedError, match="bfloat16"):
        minigrad.ones(2).bfloat16()


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


@same_as_torch
def test_flags_of_to_by_position(m: Any) -> Any:
    x, layer = m.ones(2), m.nn.Linear(1, 1)
    calls = [(m.float32, True), (m.float32, False, True), ("cpu", m.float64, True), ("cpu", m.float32, False, True)]
    results = [x.to(*arguments) for arguments in [*calls, (x, False, True)]]
    return [r.dtype for r in results], [r is x for r in results], layer.to("cpu", m.float64, True).weight.dtype


@same_as_torch
def test_the_wider_of_two_dtypes_in_a_loss(m: Any) -> Any:
    half, single = m.tensor([1.0, 2.5], dtype=m.float16, requires_grad=True), m.tensor([0.5, 3.0])
    loss = m.nn.functional.mse_loss(half, single)
    loss.backward()
    return loss.detach(), half.grad


@pytest.mark.parametrize("m", [minigrad, torch])
def test_grad_of_what_is_no_leaf(m: Any) -> None:
    """The commonest question: why is it None? Whoever asked for it to be kept is not warned."""
    x = m.ones(2, requires_grad=True)
    y, kept = x * 2, x * 3
    kept.retain_grad()
    (y + kept).sum().backward()
    with pytest.warns(UserWarning, match="not a leaf Tensor is being accessed"):
        assert y.grad is None
    assert x.grad.tolist() == [5, 5]
    assert kept.grad.tolist() == [1, 1]


@same_as_torch
@pytest.mark.parametrize("call", [
    lambda m: m.tensor(3.0).topk(0), lambda m: grid(m)[np.array([1, 2], np.int16)], lambda m: grid(m)[m.tensor([1], dtype=m.int16)],
    lambda m: m.arange(-1.5, 2.0, dtype=m.int32), lambda m: m.arange(-1.5, 2.0, dtype=m.int64),
    lambda m: m.arange(0.5, 3.7, 1.5, dtype=m.int16), lambda m: m.addcmul(*[m.tensor([True])] * 3),
    lambda m: m.addcdiv(m.tensor([1.0]), m.tensor([2]), m.tensor([3])), lambda m: m.nn.functional.dropout([1.0, 2.0]),
])  # fmt: skip
def test_odd_arguments(m: Any, call: Any) -> Any:
    result = outcome(call, m)
    return list(result) if isinstance(result, tuple) else result
