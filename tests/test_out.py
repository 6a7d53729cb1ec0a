"""``out=``: every function that takes it in torch takes it here, and writes what it returns otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Any

import pytest
import torch

import minigrad as mg

from .cases import Case, Row
from .operations import TABLE
from .test_operations import assert_all_same, flat
from .twins import raised, same_as_torch


def takes_out(name: str) -> bool:
    schemas = torch._C._jit_get_schemas_for_operator(f"aten::{name.replace('.', '_')}")
    return any(argument.is_out for schema in schemas for argument in schema.arguments)


def written(m: Any, row: Row, case: Case, dtypes: list[Any]) -> Any:
    """The outcome of the call with empty tensors of these dtypes for `out`: the tensors, or the type of the error."""
    outs = tuple(m.empty(0, dtype=getattr(m, str(dtype).removeprefix("torch."))) for dtype in dtypes)
    arguments, options = case.fill(m, case.tensors(m, "float32"))
    function = reduce(getattr, row.name.split("."), m)
    with m.no_grad():
        try:
            result = function(*arguments, **options, out=outs if len(outs) > 1 else outs[0])
        except (RuntimeError, TypeError, NotImplementedError) as error:
            return type(error).__name__
    assert all(a is b for a, b in zip(flat(result), outs, strict=True))
    return list(outs)


def calls() -> Iterator[Any]:
    """The first case of each function that takes `out`, with the dtypes of what it returns."""
    done = set()
    for row in TABLE:
        if row.name in done or row.call or row.name.startswith(("Tensor.", "nn.")) or not takes_out(row.name):
            continue
        for case in row.cases:
            if case.kind == "refused":
                continue
            with torch.no_grad():
                dtypes = [x.dtype for x in flat(row.run(torch, case, case.tensors(torch, "float32")))]
            if isinstance(written(torch, row, case, dtypes), list):
                done.add(row.name)
                yield pytest.param(row, case, dtypes, id=row.name)
                break


@pytest.mark.parametrize(("row", "case", "dtypes"), list(calls()))
def test_the_result_is_written(row: Row, case: Case, dtypes: list[Any]) -> None:
    assert_all_same(written(mg, row, case, dtypes), written(torch, row, case, dtypes), row.tolerance(case), "out")


@same_as_torch
def test_what_out_may_be(m: Any) -> Any:
    x, y = m.tensor([1.0, 2.0, 3.0]), m.ones(3)
    whole = m.zeros(4)
    m.exp(x, out=whole[:3])
    values, indices = m.empty(3), m.empty(0, dtype=m.int64)
    m.sort(x, descending=True, out=(values, indices))
    return [
        m.add(x, y, out=y) is y, y, y._version, whole, values, indices, m.add(x, y, out=None),
        m.mul(x, x, out=m.empty(3, dtype=m.float64)), m.zeros(2, out=m.ones(3, dtype=m.int64)[:2]), m.arange(3, out=m.empty(0)),
        m.matmul(m.ones(2, 2), m.ones(2, 2), out=m.empty(2, 2)), m.linalg.norm(x, out=m.empty(())),
    ]  # fmt: skip


@same_as_torch
def test_answers_are_written_as_any_dtype(m: Any) -> Any:
    x, y = m.tensor([0.0, 2.0, 3.0]), m.tensor([1.0, 2.0, 0.0])
    calls = [(name, (x, y)) for name in ("eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor")]
    dtypes = m.bool, m.uint8, m.int16, m.float32, m.float64
    return [
        getattr(m, name)(*tensors, out=m.empty(3, dtype=dtype))
        for name, tensors in [("logical_not", (x,)), *calls] for dtype in dtypes
    ]  # fmt: skip


@same_as_torch
def test_what_out_may_not_be(m: Any) -> Any:
    x, leaf = m.tensor([1.0, 2.0, 3.0]), m.ones(3, requires_grad=True)
    index = m.tensor([0, 1, 2])
    attempts = [
        lambda: m.exp(leaf, out=m.empty(3)), lambda: m.add(x, leaf, out=m.empty(3)),
        lambda: m.exp(x, out=m.ones(3, requires_grad=True)),
        lambda: m.exp(x, out=m.empty(3, dtype=m.int64)), lambda: m.add(x, x, out=m.empty(3, dtype=m.int64)),
        lambda: m.exp(x, out=5),
        lambda: m.exp(x[:2], out=x[1:]), lambda: m.exp(x, out=m.empty(1).expand(3)), lambda: m.sort(x, out=m.empty(3)),
        lambda: m.gather(x, 0, index, out=m.empty(3, dtype=m.float64)), lambda: m.gather(x, 0, index, out=x),
        lambda: m.take_along_dim(x, index, 0, out=x), lambda: m.kthvalue(x, 2, out=(x, m.tensor(0))),
        lambda: m.mode(x, 0, out=(x, m.tensor(0))),
        lambda: m.zeros(2, dtype=m.float64, out=m.empty(2)),
        lambda: m.matmul(m.ones(2, 2), m.ones(2, 2), out=m.empty(2, 2).double()),
    ]  # fmt: skip
    return [raised(attempt) for attempt in attempts]


@pytest.mark.parametrize("m", [torch, mg], ids=["torch", "minigrad"])
def test_another_shape_is_given_with_a_warning(m: Any) -> None:
    out = m.empty(2)
    with pytest.warns(UserWarning, match="was resized since it had shape"):
        m.exp(m.ones(3), out=out)
    assert list(out.shape) == [3]


@same_as_torch
@pytest.mark.filterwarnings("ignore:An output with one or more elements was resized")
def test_a_part_of_memory_grows_in_it(m: Any) -> Any:
    whole, columns, numbers = m.zeros(4), m.zeros(2, 3), m.tensor([2, 1, 0])
    m.add(m.ones(2), 1, out=whole[:1])
    m.add(m.ones(3), 1, out=columns[:, 0])
    nothing = m.empty(0)
    attempts = [lambda: m.gather(numbers, 0, numbers[1:], out=numbers[:1]), lambda: m.cat([nothing, m.ones(3)], out=nothing)]
    return [whole, columns, *(raised(attempt) for attempt in attempts)]
