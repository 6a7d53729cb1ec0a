"""Each operation of the table, forward and backward, at the size its row names for this."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import minigrad
from benchmarks.conftest import Race
from benchmarks.rounds import Contender
from tests.cases import Row
from tests.operations import TABLE


def forward_and_backward(m: Any, row: Row) -> Contender:
    """One call of the operation, and the gradient of every input that has one."""
    assert row.bench is not None
    tensors = row.bench.tensors(m, "float32")
    wanted = [each for each in tensors if each.requires_grad]
    outputs = row.run(m, row.bench, tensors)
    outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
    places = [i for i, each in enumerate(outputs) if each.requires_grad]
    directions = [m.ones_like(outputs[i]) for i in places]

    def run() -> None:
        results = row.run(m, row.bench, tensors)
        if places:
            results = results if isinstance(results, list | tuple) else [results]
            m.autograd.grad([results[i] for i in places], wanted, directions)

    return run


@pytest.mark.parametrize("row", [pytest.param(row, id=f"{row}({row.bench})") for row in TABLE if row.bench])
def test_operation(race: Race, row: Row) -> None:
    contenders = {name: forward_and_backward(m, row) for name, m in (("minigrad", minigrad), ("torch", torch))}
    race("operations", f"{row}({row.bench})", contenders, budget=0.5)
