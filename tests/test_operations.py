"""What follows from the table of operations: every row on minigrad and on torch, case by case."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg

from .cases import Case, Row
from .operations import INPLACE, TABLE
from .twins import numpy


def calls(rows: list[Row], *kinds: str) -> list[Any]:
    return [pytest.param(row, case, id=f"{row}({case})") for row in rows for case in row.cases if case.kind in kinds]


def typed_calls(rows: list[Row]) -> list[Any]:
    """Every row and case in float32 and float64; once only where no input takes the type under test."""
    params = []
    for row, case in (param.values for param in calls(rows, "smooth", "kink")):
        generic = any(each.dtype is None for each in case.inputs)
        for dtype in ("float32", "float64") if generic else ("float32",):
            params.append(pytest.param(row, case, dtype, id=f"{row}({case}){'-' + dtype if generic else ''}"))
    return params


def flat(result: Any) -> list[Any]:
    """The tensors of a result, be it a tensor, a tuple, a list or nothing."""
    if isinstance(result, list | tuple):
        return [tensor for each in result for tensor in flat(each)]
    return [] if result is None else [result]


def cotangents(m: Any, outputs: list[Any]) -> list[Any]:
    """One fixed random gradient per output that can be differentiated."""
    random = np.random.RandomState(1)
    arrays = [np.asarray(random.uniform(-1, 1, tuple(o.shape)), numpy(o).dtype) for o in outputs if o.requires_grad]
    return [m.from_numpy(array) for array in arrays]


def gradients(m: Any, outputs: list[Any], inputs: list[Any], create_graph: bool = False) -> list[Any]:
    """The gradient of each input that requires one; none where no output depends on any."""
    roots, wanted = [o for o in outputs if o.requires_grad], [t for t in inputs if t.requires_grad]
    if not roots or not wanted:
        return []
    directions = cotangents(m, outputs)
    before = [numpy(each).copy() for each in directions]
    found = m.autograd.grad(roots, wanted, directions, create_graph=create_graph, allow_unused=True)
    assert all(np.array_equal(numpy(each), old) for each, old in zip(directions, before, strict=True))
    return list(found)


def assert_same(actual: Any, expected: Any, rtol: dict[str, float], what: str) -> None:
    """Two tensors, or two missing gradients, agree in type, shape and values."""
    assert (actual is None) == (expected is None), f"{what}: {actual} for {expected}"
    if expected is None:
        return
    assert isinstance(actual, mg.Tensor)
    assert (str(actual.dtype), tuple(actual.shape)) == (str(expected.dtype), tuple(expected.shape)), what
    assert actual.array.dtype.name == str(expected.dtype).removeprefix("torch.")
    dtype = actual.array.dtype.name
    tolerance = rtol.get(dtype, 0)  # integers and truth values have none
    np.testing.assert_allclose(numpy(actual), numpy(expected), tolerance, tolerance / 10, err_msg=what)


def assert_all_same(actual: list[Any], expected: list[Any], rtol: dict[str, float], what: str) -> None:
    assert len(actual) == len(expected), f"{len(actual)} {what}s for {len(expected)}"
    for number, (a, e) in enumerate(zip(actual, expected, strict=True)):
        assert_same(a, e, rtol, f"{what} {number}")


def node_name(tensor: Any) -> str:
    """The name that printing the tensor shows."""
    return tensor.grad_fn.name().split("::")[-1]


def shares_memory(result: Any, inputs: list[Any]) -> bool:
    if isinstance(result, torch.Tensor):
        return any(result.untyped_storage().data_ptr() == each.untyped_storage().data_ptr() for each in inputs)
    return any(np.shares_memory(result.array, each.array) for each in inputs)


@pytest.mark.parametrize(("row", "case", "dtype"), typed_calls(TABLE))
def test_same_as_torch(row: Row, case: Case, dtype: str) -> None:
    """Value, dtype, shape, gradient, node, and shared memory are torch's; inputs stay as they were."""
    theirs, ours = case.tensors(torch, dtype), case.tensors(mg, dtype)
    expected, actual = flat(row.run(torch, case, theirs)), flat(row.run(mg, case, ours))
    assert_all_same(actual, expected, row.tolerance(case), "result")
    assert [o.requires_grad for o in actual] == [o.requires_grad for o in expected]
    for a, e in zip(actual, expected, strict=True):
        assert (a.grad_fn is None) == (e.grad_fn is None)
        if row.same_node and e.grad_fn is not None:
            assert node_name(a) == node_name(e)
        if e.numel():
            assert shares_memory(a, ours) == shares_memory(e, theirs), "a view on one side only"
    assert_all_same(gradients(mg, actual, ours), gradients(torch, expected, theirs), row.tolerance(case), "gradient")
    for tensor, array in zip(ours, case.arrays(dtype), strict=True):
        np.testing.assert_array_equal(numpy(tensor), array, err_msg="an input was changed")


def differentiable(row: Row, case: Case) -> bool:
    """Whether something can be differentiated, and in float64 all through."""
    tensors = case.tensors(torch, "float64")
    outputs = [o for o in flat(row.run(torch, case, tensors)) if o.requires_grad]
    return bool(outputs) and all(t.dtype == torch.float64 for t in [*outputs, *tensors] if t.requires_grad)


def in_float64(rows: list[Row]) -> list[Any]:
    """The smooth cases that finite differences can check."""
    return [param for param in calls(rows, "smooth") if differentiable(*param.values)]


@pytest.mark.parametrize(("row", "case"), in_float64(TABLE))
def test_derivatives(row: Row, case: Case) -> None:
    """First and second derivatives agree with finite differences, and the second ones with torch's."""

    def function(*wanted: Any) -> tuple[Any, ...]:
        rest = iter(wanted)
        return tuple(flat(row.run(mg, case, [next(rest) if t.requires_grad else t for t in tensors])))

    tensors = case.tensors(mg, "float64")
    wanted = [t for t in tensors if t.requires_grad]
    assert mg.autograd.gradcheck(function, wanted)
    expected, actual = second_gradients(torch, row, case), second_gradients(mg, row, case)
    assert_all_same(actual, expected, row.tolerance(case), "second gradient")
    if any(g.requires_grad for g in gradients(mg, list(function(*wanted)), wanted, create_graph=True) if g is not None):
        assert mg.autograd.gradgradcheck(function, wanted)


def second_gradients(m: Any, row: Row, case: Case) -> list[Any]:
    """Gradients of the gradients; zeros where they depend on nothing."""
    tensors = case.tensors(m, "float64")
    wanted = [t for t in tensors if t.requires_grad]
    first = gradients(m, flat(row.run(m, case, tensors)), tensors, create_graph=True)
    second = gradients(m, [g for g in first if g is not None], tensors) or [None] * len(wanted)
    return [m.zeros_like(t) if g is None else g for g, t in zip(second, wanted, strict=True)]


@pytest.mark.parametrize(("row", "case"), calls(TABLE + INPLACE, "refused"))
def test_refused(row: Row, case: Case) -> None:
    """What torch refuses is refused, with the same type of exception and a sentence."""
    with pytest.raises(Exception) as theirs:  # noqa: PT011 - whatever torch raises is what we want
        row.run(torch, case, case.tensors(torch, "float32"))
    with pytest.raises(type(theirs.value)) as ours:
        row.run(mg, case, case.tensors(mg, "float32"))
    assert len(str(ours.value).split()) >= 4


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("row", TABLE, ids=repr)
def test_freed_without_the_cycle_collector(row: Row) -> None:
    """The result and its graph go when the last name for them goes, before backward and after it."""

    def leave(backward: bool, create_graph: bool) -> list[Any]:
        tensors = case.tensors(mg, "float32")
        outputs = flat(row.run(mg, case, tensors))
        if backward:
            gradients(mg, outputs, tensors, create_graph)
        return [weakref.ref(tensor) for tensor in (*tensors, *outputs)]

    case = row.cases[0]
    for backward, create_graph in ((False, False), (True, False), (True, True)):
        assert [ref() for ref in leave(backward, create_graph) if ref() is not None] == []


NAMED = [row for row in TABLE if "." not in row.name and hasattr(torch.Tensor, row.name) and row.name != "where"]


@pytest.mark.parametrize("row", NAMED, ids=repr)
def test_method(row: Row) -> None:
    """Where torch has the function as a method too, so has minigrad."""
    for case in row.cases:
        arguments, options = case.fill(mg, case.tensors(mg, "float32"))
        if case.kind != "refused" and isinstance(arguments[0], mg.Tensor):
            expected, actual = getattr(mg, row.name)(*arguments, **options), getattr(*arguments[:1], row.name)
            for e, a in zip(flat(expected), flat(actual(*arguments[1:], **options)), strict=True):
                np.testing.assert_array_equal(numpy(a), numpy(e))


def test_every_operation_has_a_row() -> None:
    """A public operation without a row is not tested: write one."""
    namespaces = {"": (mg, "minigrad.ops."), "nn.functional.": (mg.nn.functional, "minigrad."),
                  "linalg.": (mg.linalg, "minigrad.ops.")}
    public = {
        prefix + name
        for prefix, (namespace, origin) in namespaces.items()
        for name, value in vars(namespace).items()
        if callable(value) and not isinstance(value, type) and name[0] != "_" != name[-1]  # those in place are methods
        and getattr(value, "__module__", "").startswith(origin) and not value.__module__.startswith("minigrad.arrays.")
    }
    assert len(public) > 150
    assert sorted(public - {row.name for row in TABLE}) == []


def test_every_in_place_method_has_a_row() -> None:
    random = {"bernoulli_", "exponential_", "normal_", "random_", "uniform_"}
    others = {  # no operations; tested in test_views_and_inplace and test_switches
        "apply_", "detach_", "map_", "requires_grad_", "resize_", "resize_as_", "set_", "share_memory_",
    }  # fmt: skip
    methods = {f"Tensor.{name}" for name in set(dir(mg.Tensor)) - random - others if name[-1] == "_" != name[0]}
    assert methods
    assert sorted(methods - {row.name for row in INPLACE}) == []


# In place -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("row", "case", "dtype"), typed_calls(INPLACE))
def test_in_place(row: Row, case: Case, dtype: str) -> None:
    """y.name_(...) changes y and nothing else, returns y, counts a version, and gradients pass through it."""

    def outcome(m: Any) -> tuple[list[Any], list[Any], Any, Any]:
        leaves = case.tensors(m, dtype)
        tensors = [t * 1 if t.requires_grad else t for t in leaves]
        y, version = tensors[0], tensors[0]._version
        result = row.run(m, case, tensors)
        assert y._version > version
        return leaves, tensors, y, result

    (theirs, _, expected, _), (ours, tensors, actual, result) = outcome(torch), outcome(mg)
    assert row.name == "Tensor.__setitem__" or row.call or result is actual
    assert_same(actual, expected, row.tolerance(case), "result")
    assert actual.requires_grad == expected.requires_grad
    if row.same_node and expected.requires_grad:
        assert node_name(actual) == node_name(expected)
    found, wanted = gradients(mg, [actual], ours), gradients(torch, [expected], theirs)
    assert_all_same(found, wanted, row.tolerance(case), "gradient")
    for tensor, array in zip(tensors[1:], case.arrays(dtype)[1:], strict=True):
        np.testing.assert_array_equal(numpy(tensor), array, err_msg="another input was changed")


# Result types ---------------------------------------------------------------------------------------------------------

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64")
TWO = ("add", "mul", "div", "pow", "maximum", "eq", "floor_divide", "remainder")
ONE = ("exp", "sqrt", "sum", "cumsum", "abs", "sigmoid", "square", "prod", "any", "argmax", "isnan", "floor", "sign")


def dtype_or_error(m: Any, function: str, *arguments: Any) -> str:
    try:
        return str(getattr(m, function)(*arguments).dtype)
    except (RuntimeError, NotImplementedError, TypeError) as error:
        return "refused" if isinstance(error, RuntimeError) else type(error).__name__


@pytest.mark.parametrize("function", TWO)
@pytest.mark.parametrize("left", DTYPES)
def test_result_type_of_two(function: str, left: str) -> None:
    """Every pair of types, tensor with tensor, tensor with number-like tensor, tensor with Python number."""

    def answers(m: Any) -> dict[str, str]:
        x, table = m.ones(2, dtype=getattr(m, left)), {}
        for right in DTYPES:
            dtype = getattr(m, right)
            table[f"{right} (2,)"] = dtype_or_error(m, function, x, m.ones(2, dtype=dtype))
            table[f"{right} ()"] = dtype_or_error(m, function, x, m.ones((), dtype=dtype))
        if function != "maximum":
            table |= {repr(number): dtype_or_error(m, function, x, number) for number in (True, 1, 1.0)}
        return table

    assert answers(mg) == answers(torch)


@pytest.mark.parametrize("function", ONE)
def test_result_type_of_one(function: str) -> None:
    def answers(m: Any) -> dict[str, str]:
        arguments = (0,) if function == "cumsum" else ()
        return {d: dtype_or_error(m, function, m.ones(2, dtype=getattr(m, d)), *arguments) for d in DTYPES}

    assert answers(mg) == answers(torch)
