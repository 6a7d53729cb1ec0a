"""One epoch of the data loader: 50,000 digits, shuffled, 64 at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import minigrad
from benchmarks.conftest import Race
from benchmarks.rounds import Contender


def epoch(m: Any, images: np.ndarray, labels: np.ndarray) -> Contender:
    """Fetch every batch, and return how many digits they held."""
    dataset = m.utils.data.TensorDataset(m.from_numpy(images), m.from_numpy(labels))
    loader = m.utils.data.DataLoader(dataset, batch_size=64, shuffle=True)
    return lambda: sum(len(xb) for xb, _ in loader)


def test_loader(race: Race, digits: Callable[[int], tuple[np.ndarray, np.ndarray]]) -> None:
    data = digits(50_000 if race.timed else 500)
    contenders = {name: epoch(m, *data) for name, m in (("minigrad", minigrad), ("torch", torch))}
    race("data", "data loader, 50,000 digits, shuffled, batch 64", contenders, budget=6)
