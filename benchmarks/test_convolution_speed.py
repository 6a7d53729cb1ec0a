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

# (n, channels, height, width), channels of the result, kernel, stride, groups; the last three are of a MobileNet's kind
GROUPED = [
    ((32, 32, 16, 16), 64, 3, 1, 4),
    ((32, 32, 16, 16), 32, 3, 1, 32),
    ((64, 16, 14, 14), 16, 3, 2, 16),
    ((1, 512, 14, 14), 512, 3, 1, 512),
]


def convolution(m: Any, shape: tuple[int, ...], channels: int, kernel: int, stride: int = 1, groups: int = 1) -> Contender:
    """A convolution and its derivatives by images, weights and bias; returns the sum of the squares of its results."""
    m.manual_seed(0)
    x = m.randn(shape).requires_grad_()
    layer = m.nn.Conv2d(shape[1], channels, kernel, stride, kernel // 2, groups=groups)

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


@pytest.mark.parametrize(("shape", "channels", "kernel", "stride", "groups"), GROUPED)
def test_convolution_of_groups(race: Race, shape: tuple[int, ...], channels: int, kernel: int, stride: int, groups: int) -> None:
    kind = "depthwise" if groups == shape[1] else f"{groups} groups"
    job = f"Conv2d {'x'.join(map(str, shape))} to {channels}, {kernel}x{kernel}, stride {stride}, {kind}, forward and backward"
    twins = (("minigrad", minigrad), ("torch", torch))
    race("networks", job, {name: convolution(m, shape, channels, kernel, stride, groups) for name, m in twins}, budget=2)
