"""Single convolutions, forward and backward: small images, where overhead counts, and large ones, where arithmetic does."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import minigrad
from benchmarks.conftest import Race
from benchmarks.rounds import Contender

# (n, channels, height, width), channels of the result, kernel
SIZES = [((64, 1, 28, 28), 16, 5), ((64, 16, 14, 14), 16, 3), ((32, 3, 32, 32), 16, 3), ((32, 32, 16, 16), 64, 3)]


def convolution(m: Any, shape: tuple[int, ...], channels: int, kernel: int) -> Contender:
    """A convolution that keeps the size, and its derivatives by images, weights and bias; returns the sum of the result."""
    m.manual_seed(0)
    x = m.randn(shape).requires_grad_()
    layer = m.nn.Conv2d(shape[1], channels, kernel, padding=kernel // 2)

    def run() -> float:
        x.grad = layer.weight.grad = layer.bias.grad = None
        y = layer(x)
        loss = (y * y).sum()
        loss.backward()
        return float(loss.item())

    return run


@pytest.mark.parametrize(("shape", "channels", "kernel"), SIZES)
def test_convolution(race: Race, shape: tuple[int, ...], channels: int, kernel: int) -> None:
    job = f"Conv2d {'x'.join(map(str, shape))} to {channels}, {kernel}x{kernel}, forward and backward"
    contenders = {name: convolution(m, shape, channels, kernel) for name, m in (("minigrad", minigrad), ("torch", torch))}
    race("networks", job, contenders, budget=2)
