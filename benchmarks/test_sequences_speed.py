"""Layers for sequences: recurrent ones that read a digit row by row, and attention; with all derivatives, and with none.

torch computes the LSTM of float32 by oneDNN, in one kernel for a layer; RNN and GRU moment by moment, as minigrad does.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

import minigrad
from benchmarks.conftest import Race
from benchmarks.rounds import Contender

TWINS = {"minigrad": minigrad, "torch": torch}


def reader(m: Any, kind: str, images: Any, training: bool) -> Contender:
    """The sum of the hidden states after the last row; in training also its gradients by all parameters."""
    m.manual_seed(0)
    net = getattr(m.nn, kind)(28, 64, batch_first=True)
    x = m.from_numpy(images).view(-1, 28, 28)

    def run() -> float:
        with m.set_grad_enabled(training):
            loss = net(x)[0][:, -1].sum()
        if training:
            net.zero_grad()
            loss.backward()
        return loss.item()

    return run


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("batch", [1, 64])
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_recurrent(race: Race, digits: Any, kind: str, batch: int, training: bool) -> None:
    images, _ = digits(batch)
    what = "forward and backward" if training else "forward"
    job = f"{kind} 28-64, 28 moments, batch {batch}, {what}"
    race("networks", job, {name: reader(m, kind, images, training) for name, m in TWINS.items()}, budget=2)


def attention(m: Any, training: bool) -> Contender:
    """Self-attention, 4 heads of 32 features; in training also the gradients by all parameters."""
    m.manual_seed(0)
    net, x = m.nn.MultiheadAttention(128, 4, batch_first=True), m.randn(16, 64, 128)

    def run() -> float:
        with m.set_grad_enabled(training):
            loss = (net(x, x, x, need_weights=False)[0] ** 2).sum()
        if training:
            net.zero_grad()
            loss.backward()
        return loss.item()

    return run


@pytest.mark.parametrize("training", [True, False])
def test_attention(race: Race, training: bool) -> None:
    job = f"MultiheadAttention 128, 4 heads, 64 moments, batch 16, {'forward and backward' if training else 'forward'}"
    race("networks", job, {name: attention(m, training) for name, m in TWINS.items()}, budget=2)
