"""The table of operations, compiled: captured on some data, run on other data, and equal to eager mode in every bit."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.compiler import trace
from minigrad.compiler.captured import same
from minigrad.compiler.step import Step
from minigrad.compiler.traced import Traced

from .cases import Case, Row
from .operations import INPLACE, TABLE

# Why a case cannot be a program. Everything else must be one.
REASONS = (
    "is not captured",  # several results, or shapes that depend on values
    "an index is a mask",  # the same
    "takes values out of the step",  # sizes, places and ranges that are taken from tensors
    "is given other memory",  # t_() and unsqueeze_()
    "a result is not computed by the step",  # an empty tensor that stands for a number
    "seeds a random stream",  # dropout, whose row seeds for itself
)
# The rows of which no case becomes a program, for one of these reasons.
EAGER = {
    "Tensor.as_strided_", "Tensor.index_add_", "Tensor.index_copy_", "Tensor.logdet", "Tensor.masked_scatter_",
    "Tensor.put_", "Tensor.sinc_", "argwhere", "histc", "index_add", "index_copy", "isneginf", "isposinf",
    "linalg.slogdet", "linalg.svdvals", "logdet", "masked_scatter", "masked_select", "nn.functional.alpha_dropout",
    "nn.functional.dropout", "nn.functional.dropout1d", "nn.functional.dropout2d", "nn.functional.dropout3d",
    "nn.functional.feature_alpha_dropout", "nn.functional.gumbel_softmax", "nn.functional.rrelu", "nonzero", "put",
    "sinc", "slogdet", "take", "unique", "unique_consecutive", "unravel_index",
}  # fmt: skip
# Of several rows of one name, one is not.
SOMETIMES = {"Tensor.__getitem__", "Tensor.__iadd__", "nn.functional.scaled_dot_product_attention"}


ROWS = [row for row in TABLE + INPLACE if row.name != "histogram"]  # whose bins must be in order


def other(array: np.ndarray, number: int) -> np.ndarray:
    """Other values of the same kind, in the same memory layout: turned round, moved on, and a little smaller."""
    if number == 0:
        return array
    changed = np.empty_like(array)
    values = np.roll(array.reshape(-1)[::-1], number)
    if array.dtype.kind == "f":
        values = values * np.linspace(0.8, 1 - number / 100, values.size).astype(array.dtype)
    changed[...] = values.reshape(array.shape)
    return changed


def tensors_of(case: Case, number: int) -> list[mg.Tensor]:
    tensors = []
    for each, array in zip(case.inputs, case.arrays("float32"), strict=True):
        tensor = mg.from_numpy(other(array, number))
        tensors.append(tensor.requires_grad_() if each.floating and each.differentiable else tensor)
    return tensors


def function_of(row: Row, case: Case) -> Any:
    """Value and gradients of one case."""

    def function(*tensors: mg.Tensor) -> Any:
        given = [t * 1 if t.requires_grad else t for t in tensors] if row in INPLACE else list(tensors)
        result = row.run(mg, case, given)
        results = [*(result if isinstance(result, (list, tuple)) else [result]), *given[: row in INPLACE]]
        roots = [r for r in results if isinstance(r, mg.Tensor) and r.requires_grad]
        wanted = [t for t in tensors if t.requires_grad]
        directions = [mg.full_like(r, 0.5) for r in roots]
        gradients = mg.autograd.grad(roots, wanted, directions, allow_unused=True) if roots and wanted else ()
        return [r.detach() if isinstance(r, mg.Tensor) else r for r in results], list(gradients)

    return function


def cases(row: Row, most: int) -> Iterator[Case]:
    """Some of the cases of a row, evenly spaced."""
    taken = [case for case in row.cases if case.kind != "refused"]
    return iter(taken[:: -(-len(taken) // most) or 1])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("row", ROWS, ids=repr)
def test_same_bits(row: Row) -> None:
    """Captured on one set of values, verified on a second one, run on a third one. A branch may ask for another program."""
    captured = False
    for case in cases(row, 8):
        function = function_of(row, case)
        step = Step(function)
        for number in (0, 0, 1, 2, 3, 2):
            if number == 3 and step._latest is not None and step._latest.verified:
                break
            expected, actual = function(*tensors_of(case, number)), step(*tensors_of(case, number))
            assert same(list(expected), list(actual)), case
        if step.reason is None:
            assert step._latest is not None
            assert step._latest.verified
        else:
            assert any(reason in step.reason for reason in REASONS), f"{case}: {step.reason}"
        captured = captured or step.reason is None
    assert captured is (row.name not in EAGER) or row.name in SOMETIMES


def garbage_like(array: np.ndarray) -> np.ndarray:
    """Memory of the same form that holds something else."""
    if not array.size or array.dtype == object:
        return array
    low, high = np.lib.array_utils.byte_bounds(array)
    return np.ndarray(array.shape, array.dtype, np.full(high - low, 0x7F, np.uint8), array.ctypes.data - low, array.strides)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("row", [row for row in TABLE if "as_strided" not in row.name], ids=repr)
def test_nothing_is_read_behind_our_back(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    """What reads a traced array's memory without asking it would be a constant in the program. Here it reads garbage."""

    def traced(self: trace.Trace, value: Any, array: np.ndarray) -> Any:
        result: Any = garbage_like(array).view(Traced)
        result.plain, result.value = array, value
        if value.memory.owner is None:
            value.memory.owner = weakref.ref(result)
        self.alive.append(weakref.ref(result))
        return result

    monkeypatch.setattr(trace.Trace, "traced", traced)
    for case in cases(row, 3):
        function = function_of(row, case)
        step = Step(function)
        step(*tensors_of(case, 0))
        try:
            actual = step(*tensors_of(case, 0))
        except (ValueError, IndexError, RuntimeError):  # after it was given up, all reads are of the memory
            continue
        if step.reason is None:
            assert same(list(function(*tensors_of(case, 0))), list(actual)), case
