"""Random numbers: tensors, first values of layers, masks and shuffles. Both frameworks draw the same bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
from benchmarks.conftest import Race
from benchmarks.rounds import Contender

TWINS = {"minigrad": minigrad, "torch": torch}

ONES = {m: m.ones(64, 512) for m in TWINS.values()}

# What is drawn, as a function of the module and of whether less will do, because nothing is timed.
JOBS: dict[str, Callable[[Any, bool], Any]] = {
    "rand(784, 10)": lambda m, little: m.rand(784, 10),
    "rand(10**6)": lambda m, little: m.rand(1000 if little else 10**6),
    "randn(784, 10)": lambda m, little: m.randn(784, 10),
    "randn(10**6)": lambda m, little: m.randn(1000 if little else 10**6),
    "randint(10, (10**6,))": lambda m, little: m.randint(10, (1000 if little else 10**6,)),
    "randperm(50000)": lambda m, little: m.randperm(1000 if little else 50_000),
    "nn.Linear(784, 10)": lambda m, little: m.nn.Linear(784, 10).weight,
    "nn.Linear(784, 128)": lambda m, little: m.nn.Linear(784, 128).weight,
    "nn.Linear(512, 512)": lambda m, little: m.nn.Linear(512, 512).weight,
    "dropout of (64, 512)": lambda m, little: m.nn.functional.dropout(ONES[m], 0.5),
}


def contender(m: Any, draw: Callable[[Any, bool], Any], little: bool) -> Contender:
    def run() -> None:
        draw(m, little)

    return run


@pytest.mark.parametrize("job", JOBS)
def test_random(race: Race, job: str) -> None:
    draw, little = JOBS[job], not race.timed
    drawn = []
    for m in TWINS.values():
        m.manual_seed(0)
        drawn.append(draw(m, little).detach().numpy())
    np.testing.assert_allclose(*drawn, rtol=1e-5, atol=1e-6)  # bit for bit where torch has fused multiply-adds
    race("random numbers", job, {name: contender(m, draw, little) for name, m in TWINS.items()})
