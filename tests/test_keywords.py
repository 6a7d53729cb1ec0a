"""Every operation takes its arguments by the names that torch gives them, and `axis` and `keepdims` as NumPy does."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import reduce
from itertools import product
from typing import Any

import pytest
import torch

import minigrad as mg

from .cases import Row
from .operations import INPLACE, TABLE
from .test_operations import assert_all_same, flat

NO_SCHEMA = {"einsum", "meshgrid", "broadcast_tensors", "block_diag", "cartesian_prod", "Tensor.where", "Tensor.type",
             "Tensor.clip_", "Tensor.polygamma"}  # no way to learn the names
OF_NUMPY = {"dim": "axis", "keepdim": "keepdims"}  # names that torch takes as well
PER_TYPE = {"tensor_split", "hsplit", "vsplit", "dsplit"}  # torch has several names for one argument, one for each type


def found(m: Any, name: str) -> Any:
    return reduce(getattr, name.split("."), m)


def signatures(name: str) -> Iterator[list[str]]:
    """The names of the parameters, for each form that torch has of a function or a method."""
    short = name.split(".")[-1]
    operator = name.replace(".", "_") if name.startswith(("linalg.", "special.")) else short
    for schema in torch._C._jit_get_schemas_for_operator(f"aten::{operator}"):
        if not any(each.is_out for each in schema.arguments):
            yield ["input" if each.name == "self" else each.name for each in schema.arguments]
    for owner in (torch, torch.nn.functional):
        if inspect.isfunction(getattr(owner, short, None)):
            yield list(inspect.signature(getattr(owner, short)).parameters)


def keyword_calls(row: Row) -> Iterator[tuple[str, ...]]:
    """Call the row's cases with all arguments named: those calls that torch takes, on both sides."""
    tried = set()
    for case in row.cases:
        arguments, options = case.fill(torch, case.tensors(torch, "float32"))
        ours, our_options = case.fill(mg, case.tensors(mg, "float32"))
        first = 1 if row.name.startswith("Tensor.") else 0
        for names, numpys in product(signatures(row.name), ({}, OF_NUMPY)):
            given = tuple(numpys.get(name, name) for name in names[first : len(arguments)])
            named, our_named = ({numpys.get(name, name): value for name, value in each.items()} for each in (options, our_options))
            if case.kind == "refused" or len(given) + first < len(arguments) or (given, *named) in tried:
                continue
            try:
                expected = found(torch, row.name)(*arguments[:first], **dict(zip(given, arguments[first:], strict=True)), **named)
            except (TypeError, RuntimeError):
                continue  # not a form for these arguments
            tried.add((given, *named))
            actual = found(mg, row.name)(*ours[:first], **dict(zip(given, ours[first:], strict=True)), **our_named)
            assert_all_same(flat(actual), flat(expected), row.tolerance(case), f"{row.name}{given}")
            yield given


ROWS = [row for row in TABLE + INPLACE if not row.call and "__" not in row.name and row.name not in PER_TYPE]


@pytest.mark.parametrize("row", ROWS, ids=repr)
def test_names_of_parameters(row: Row) -> None:
    with torch.no_grad(), mg.no_grad():
        assert list(keyword_calls(row)) or row.name in NO_SCHEMA or len(row.cases[0].arguments) < 2


def test_sizes_by_name() -> None:
    x = mg.zeros(size=(2, 3))
    assert x.shape == mg.ones(size=(2, 3)).shape == mg.empty(size=[2, 3]).shape == mg.full(size=(2, 3), fill_value=1).shape
    assert mg.arange(end=3).tolist() == [0, 1, 2]
    assert mg.arange(start=1, end=3, step=1).tolist() == [1, 2]
    with pytest.raises(TypeError):
        x.reshape(3, shape=(2,))
