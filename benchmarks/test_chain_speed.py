"""What an operation costs in a long chain and in short ones: the walk back must not grow with the length of the graph."""

from __future__ import annotations

from typing import Any

import torch

import minigrad
from benchmarks.conftest import Race
from benchmarks.rounds import Contender


def chains(m: Any, count: int, length: int) -> Contender:
    """Record and differentiate `count` chains of `length` multiplications, one after the other."""
    x = m.ones(10, requires_grad=True)

    def run() -> float:
        x.grad = None
        for _ in range(count):
            y = x
            for _ in range(length):
                y = y * 1.0
            y.sum().backward()
        return float(x.grad.sum().item()) / count

    return run


def test_chain(race: Race) -> None:
    total, short = (100_000, 1000) if race.timed else (200, 20)
    contenders = {
        "minigrad": chains(minigrad, 1, total),
        "torch": chains(torch, 1, total),
        f"minigrad, {total // short} chains of {short:,}": chains(minigrad, total // short, short),
    }
    race("networks", f"a chain of {total:,} operations, forward and backward", contenders, budget=10)
