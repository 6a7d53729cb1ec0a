"""Indices: what they read, where they write, what they refuse, and the gradients of places named twice; as in torch."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import nan
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg

from .twins import assert_same, changed, grid, outcome, same_as_torch, same_outcomes, with_gradient


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


def test_messages_speak_of_tensors_and_dimensions() -> None:
    for index, words in ((5, "index 5 is out of bounds for dimension 0 with size 3"), ((0, 0, 0), "too many indices for tensor of"),
                         (mg.tensor([True, False]), "tensor along dimension 0")):  # fmt: skip
        for call in (lambda index=index: grid(mg)[index], lambda index=index: grid(mg).__setitem__(index, 1.0)):
            with pytest.raises(IndexError, match=words) as found:
                call()
            assert "array" not in str(found.value)
            assert "axis" not in str(found.value)


@same_as_torch
def test_assignment_takes_integers_first(m: Any) -> Any:
    x, value = m.zeros(2, 3, 3), m.arange(9.0).reshape(3, 3)
    x[0, :, [0, 2, 1]] = value
    x[..., 1, [0, 1]] = 7.0
    return x


test_assignment = same_outcomes({
    f"{what} at {where}": lambda m, index=index, value=value: [outcome(assigned(index, value), m)]
    for where, index in {
        "indices": lambda m: m.tensor([0, 1]), "a list": [0, 1], "a mask": lambda m: m.tensor([True, False, True]),
        "a column": (..., [0]), "a mask and a row": lambda m: (m.tensor([True, False, True]), m.tensor([0, 1]))}.items()
    for what, value in {
        "an integer": lambda m: m.tensor(2), "integers": lambda m: m.tensor([2]), "a number": 2,
        "a row": lambda m: m.ones(4).double(), "a float": lambda m: m.tensor(2.0)}.items()
})  # fmt: skip


def gradient_of_what_is_read(m: Any, index: Callable[[Any], Any]) -> Any:
    x = grid(m).requires_grad_()
    (x[index(m)] * 2).sum().backward()
    return x.grad


test_places_that_are_named_twice = same_outcomes({
    name: lambda m, index=index: gradient_of_what_is_read(m, index) for name, index in {
        "by a list and a number in one": lambda m: ([0, 0], [1]),
        "by a column and a row": lambda m: (m.tensor([[0], [0]]), m.tensor([0, 1])),
        "by a row and a column": lambda m: (m.tensor([0, 1]), m.tensor([[0], [0]])),
        "by a mask": lambda m: (m.tensor([True, False, False]), [2, 2]),
        "by a growing row": lambda m: ([0, 0, 1], [0, 1, 2]), "by two rows": lambda m: ([0, 1, 0], [1, 2, 1]),
        "by one of a mask": lambda m: (m.tensor([True, False, True]), [1])}.items()
})  # fmt: skip


test_other_indices = same_outcomes({
    "of 16 bits": lambda m: grid(m)[m.tensor([1], dtype=m.int16)],
    "an array of 16 bits": lambda m: grid(m)[np.array([1, 2], np.int16)],
    "del": lambda m: grid(m).__delitem__(0), "a number in x": lambda m: (5.0 in grid(m), m.tensor(2.0) in grid(m)),
    "a list in x": lambda m: [1.0] in grid(m), "text in x": lambda m: "a" in grid(m),
    "nonzero of a number": lambda m: (m.where(m.tensor(True)), m.where(m.tensor(0.0))),
    "masked_select of another shape": lambda m: m.ones(0).masked_select(m.tensor([True, False])),
})  # fmt: skip


FIRST = [[0, 1, 2, 0]]
test_scatter = same_outcomes({
    "less": lambda m: grid(m).scatter(0, m.tensor([*FIRST, [1, 1, 1, 1]]), m.ones(1, 4)),
    "of more": lambda m: grid(m).scatter(0, m.tensor(FIRST), m.ones(5, 6)),
    "0-d source": lambda m: grid(m).scatter(0, m.tensor(FIRST), m.tensor(1.0)),
    "another dtype": lambda m: grid(m).scatter(0, m.tensor(FIRST), m.ones(1, 4, dtype=m.float64)),
    "nothing": lambda m: grid(m).scatter(0, m.zeros(0, dtype=m.int64), m.tensor(5.0)),
    "without source": lambda m: grid(m).scatter(0, m.tensor(FIRST)),
    "into 0-d": lambda m: m.tensor(1.0).scatter(0, m.tensor(0), m.tensor(5.0)),
    "into 0-d by a vector": lambda m: m.tensor(1.0).scatter(0, m.tensor([0]), m.tensor([5.0])),
    "by 0-d": lambda m: m.ones(3).scatter(0, m.tensor(1), m.tensor(5.0)),
    "a number into 0-d": lambda m: m.tensor(1.0).scatter(0, m.tensor(0), 5.0),
    "a fraction into integers": lambda m: m.zeros(3, dtype=m.int64).scatter(0, m.tensor([0]), 1.5),
    "add less": lambda m: grid(m).scatter_add(0, m.tensor([*FIRST, [1, 1, 1, 1]]), m.ones(1, 4)),
    "add by 0-d": lambda m: m.ones(3).scatter_add(0, m.tensor(1), m.tensor(5.0)),
    "add of 0-d": lambda m: m.ones(3).scatter_add(0, m.tensor([1]), m.tensor(5.0)),
    "add a number": lambda m: m.ones(3).scatter_add(0, m.tensor([1]), 5.0),
})  # fmt: skip


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
            assert_same(scattered(mg, name, source), expected)


@same_as_torch
def test_isin_of_one_number(m: Any) -> Any:
    x = m.tensor([1, 2, 3])
    return [m.isin(x, 2), m.isin(2, x), m.isin(x, 2, invert=True), m.isin(2.5, x)]


test_arrays_without_dimensions_are_integers = same_outcomes({
    name: lambda m, index=index: [changed(grid(m), lambda x: x[index].fill_(7)), changed(grid(m), lambda x: x.__setitem__(index,
    7))]
    for name, index in {
        "array": np.array(1), "short": np.array(1, np.int16), "with a slice": (slice(None), np.array(1)),
        "two": (np.array(1), np.array(2)),
        "negative": np.array(-1), "NumPy's number": np.int64(1), "beside a list": (np.array(1), [0, 2]), "too large": np.array(5),
    }.items()
})  # fmt: skip


test_strides = same_outcomes({
    "None": lambda m: [x[None].stride() for x in (grid(m), grid(m).t(), m.tensor(1.0))],
    "in the middle": lambda m: [x[:, None].stride() for x in (grid(m), grid(m).t())],
    "behind": lambda m: grid(m)[..., None].stride(), "a row": lambda m: [x[0, None].stride() for x in (grid(m), grid(m).t())],
    "two": lambda m: [x[None, None].stride(1) for x in (grid(m), m.tensor(1.0))],
    "around": lambda m: grid(m)[None, :, None, :, None].stride(), "expanded": lambda m: grid(m)[None].expand(2, -1, -1).stride(),
    "written through": lambda m: changed(grid(m), lambda x: x[None, 1, None].fill_(7)),
})  # fmt: skip


test_nonzero = same_outcomes({
    "a tuple": lambda m: m.nonzero(m.tensor([[1, 0], [0, 2]]), as_tuple=True),
    "rows": lambda m: m.tensor([[1, 0], [0, 2]]).nonzero(as_tuple=False),
    "of a number": lambda m: [m.nonzero(m.tensor(3), as_tuple=True), m.nonzero(m.tensor(0), as_tuple=True)],
    "nan": lambda m: m.tensor([0.0, nan, -0.0]).nonzero(as_tuple=True),
})  # fmt: skip

test_reversed = same_outcomes({
    "a vector": lambda m: reversed(m.tensor([1, 2, 3])), "a matrix": lambda m: reversed(grid(m)),
    "a number": lambda m: reversed(m.tensor(3)),
    "its gradient": lambda m: m.autograd.grad((reversed(x := m.ones(3, requires_grad=True)) * m.arange(3.0)).sum(), x),
})  # fmt: skip

test_repeat_interleave = same_outcomes({
    "counts": lambda m: m.repeat_interleave(m.tensor([2, 0, 3])),
    "short counts": lambda m: m.repeat_interleave(m.tensor([2, 0, 3], dtype=m.int32)),
    "fractions": lambda m: m.repeat_interleave(m.ones(2)), "a matrix": lambda m: m.repeat_interleave(m.tensor([[2, 0]])),
    "negative": lambda m: m.repeat_interleave(m.tensor([-1])), "none": lambda m: m.repeat_interleave(m.tensor([], dtype=m.int64)),
    "with a size": lambda m: [m.repeat_interleave(m.tensor([1, 2]), 2, output_size=4), m.repeat_interleave(m.tensor([2, 1]),
    output_size=3)],
})  # fmt: skip

test_indices_of_other_kinds = same_outcomes({
    f"{name} by {what}": lambda m, call=call, index=index, dtype=dtype: call(m, m.tensor(index, dtype=getattr(m, dtype)))
    for name, call in {
        "take_along_dim": lambda m, i: m.take_along_dim(grid(m), i, 1), "gather": lambda m, i: m.gather(grid(m), 1, i),
        "flat": lambda m, i: m.take_along_dim(grid(m), i),
    }.items()
    for what, index, dtype in (("int32", [[1], [0], [2]], "int32"), ("int16", [[1], [0], [2]],
    "int16"), ("bytes", [[1], [0], [2]], "uint8"),
                               ("floats", [[1], [0], [2]], "float32"), ("bools", [[1], [0], [1]],
                               "bool"), ("negatives", [[-1], [0], [2]], "int64"),
                               ("far ones", [[4], [-9], [2]], "int64"))
} | {"dense": lambda m: m.gather(grid(m), 1, m.tensor([[1]]), sparse_grad=False)})  # fmt: skip

test_slices_of_a_number = same_outcomes({
    "read": lambda m: m.tensor(1.0)[:], "written": lambda m: changed(m.tensor(1.0), lambda x: x.__setitem__(slice(None), 8.8)),
    "recorded": lambda m: changed(m.tensor(1.0, requires_grad=True) * 2, lambda x: x.__setitem__(slice(None), 8.8)),
    "all of it": lambda m: [changed(m.tensor(1.0), lambda x, index=index: x.__setitem__(index, 8.8)) for index in (..., (), None)],
})  # fmt: skip

test_masks_of_bytes = same_outcomes({
    f"{what} {where}": lambda m, value=value, index=index: changed(grid(m), lambda x: x.__setitem__(index(m), value(m)))
    for what, value in {
        "a number": lambda m: 5, "one element": lambda m: m.tensor([5.0]), "several": lambda m: m.arange(4.0),
        "of another dtype": lambda m: m.tensor(5),
    }.items()
    for where, index in {
        "of rows": lambda m: m.tensor([1, 0, 0], dtype=m.uint8), "too long": lambda m: m.tensor([1, 0, 0, 0], dtype=m.uint8),
        "of columns": lambda m: (slice(None), m.tensor([1, 0, 0, 0], dtype=m.uint8)),
        "a 0-d one": lambda m: m.tensor(1, dtype=m.uint8), "a 0-d bool": lambda m: m.tensor(True),
        "behind a number": lambda m: (1, m.tensor([1, 1, 1, 1], dtype=m.uint8)),
        "beside an index": lambda m: (m.tensor([1, 0, 0], dtype=m.uint8), m.tensor([1])),
        "of bools": lambda m: m.tensor([True, False, False]),
    }.items()
})  # fmt: skip
test_masks_of_bytes = pytest.mark.filterwarnings("ignore:indexing with dtype torch.uint8")(test_masks_of_bytes)

test_squeeze_of_several = same_outcomes({
    "one by one": lambda m: m.ones(1, 2, 1, 3).squeeze(0, 2), "a tuple": lambda m: m.squeeze(m.ones(1, 2, 1, 3), (0, 1)),
    "a list": lambda m: m.ones(1, 2, 1, 3).squeeze([-2, 0]), "none": lambda m: m.squeeze(m.ones(1, 2, 1, 3), ()),
    "twice": lambda m: m.ones(1, 2).squeeze((0, 0)),
    "by name": lambda m: m.ones(1, 2, 1).squeeze(dim=(0, 2)), "all": lambda m: m.ones(1, 2, 1).squeeze(),
})  # fmt: skip

test_cat_of_nothing = same_outcomes({
    f"{shape} along {dim}": lambda m, shape=shape, dim=dim, dtype=dtype: with_gradient(
        lambda a, b: m.cat([a, b], dim), m.zeros(shape, dtype=getattr(m, dtype)), m.ones(2, 3))
    for shape, dim, dtype in (((0,), 0, "float32"), ((0,), 1, "float32"), ((0,), -1, "float64"), ((0, 3), 0,
    "float32"), ((2, 0), 1, "float32"),
                              ((0, 2), 0, "float32"), ((0,), 2, "float32"))
} | {"nothing at all": lambda m: with_gradient(lambda a, b: m.cat([a, b]), m.zeros(0), m.zeros(0)),
     "integers": lambda m: m.cat([m.zeros(0), m.ones(2, 3).long()])})  # fmt: skip
