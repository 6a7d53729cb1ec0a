"""A step of each optimiser with the parameters of a small network, gradients given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import minigrad
from benchmarks.conftest import Race
from benchmarks.rounds import Contender

SHAPES = [(128, 784), (128,), (10, 128), (10,)]
OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "SGD": ("SGD", {}),
    "SGD with momentum": ("SGD", {"momentum": 0.9}),
    "Adam": ("Adam", {}),
    "AdamW": ("AdamW", {}),
    "RMSprop": ("RMSprop", {}),
    "Adagrad": ("Adagrad", {}),
}


def step(m: Any, name: str) -> Contender:
    random = np.random.RandomState(0)
    parameters = [m.tensor(random.standard_normal(shape), dtype=m.float32).requires_grad_() for shape in SHAPES]
    for p in parameters:
        p.grad = m.tensor(random.standard_normal(tuple(p.shape)), dtype=m.float32)
    kind, options = OPTIMIZERS[name]
    return getattr(m.optim, kind)(parameters, lr=1e-6, **options).step


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_step(race: Race, name: str) -> None:
    contenders = {"minigrad": step(minigrad, name), "torch": step(torch, name)}
    race("training", f"step of {name}, 784-128-10", contenders, budget=2)
