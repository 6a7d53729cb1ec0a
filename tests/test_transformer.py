"""`nn.Transformer` and its parts beside torch's: the same first parameters, results, gradients and masks."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg
from tests.twins import assert_same, data, raised, same_as_torch, variable

SMALL = {"d_model": 8, "nhead": 2, "dim_feedforward": 12}


@pytest.fixture(autouse=True)
def _without_torchs_advice() -> Any:
    """torch tells at length why it cannot take its shortcut."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="enable_nested_tensor is True|The PyTorch API of nested tensors")
        yield


def both(scenario: Callable[[Any], Any]) -> None:
    assert_same(scenario(mg), scenario(torch))


def outcome(m: Any, net: Any, *inputs: Any, **options: Any) -> list[Any]:
    """Result and all gradients."""
    out = net(*inputs, **options)
    (out * data(m, *out.shape, seed=9)).sum().backward()
    return [out.detach(), [x.grad for x in inputs], {name: p.grad for name, p in net.named_parameters()}]


OPTIONS: list[dict[str, Any]] = [
    {"dropout": 0.0}, {"dropout": 0.3, "batch_first": True}, {"norm_first": True, "activation": "gelu", "dropout": 0.0},
    {"bias": False, "layer_norm_eps": 0.1, "dropout": 0.2},
]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_layers(options: dict[str, Any]) -> None:
    def scenario(m: Any) -> Any:
        m.manual_seed(0)
        encoder, decoder = m.nn.TransformerEncoderLayer(**SMALL, **options), m.nn.TransformerDecoderLayer(**SMALL, **options)
        x, y = variable(m, 5, 3, 8), variable(m, 5, 3, 8, seed=1)
        first = [repr(encoder), repr(decoder), dict(encoder.state_dict()), dict(decoder.state_dict())]
        return [*first, outcome(m, encoder.double(), x), outcome(m, decoder.double(), x, y)]

    both(scenario)


@pytest.mark.parametrize("kind", [bool, float])
def test_masks(kind: type) -> None:
    def scenario(m: Any) -> Any:
        m.manual_seed(0)
        net = m.nn.Transformer(8, 2, 2, 2, 12, dropout=0.0).double()
        x, y = variable(m, 5, 3, 8), variable(m, 4, 3, 8, seed=1)
        padding = m.tensor([[False] * 5, [False] * 4 + [True], [False] * 2 + [True] * 3])
        causal = net.generate_square_subsequent_mask(4, dtype=m.float64)
        if kind is float:
            padding = m.zeros(3, 5, dtype=m.float64).masked_fill(padding, float("-inf"))
        else:
            causal = causal < 0
        options = {"tgt_mask": causal, "src_key_padding_mask": padding, "memory_key_padding_mask": padding}
        found = [outcome(m, net, x, y, **options), repr(net), causal]
        x.grad = y.grad = None
        if kind is bool:
            found += [net(x, y, **options, tgt_is_causal=True).detach()]
        return found

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Support for mismatched")
        both(scenario)


@pytest.mark.parametrize("options", [{}, {"norm": True}, {"enable_nested_tensor": False}, {"mask": True}, {"hole": True}], ids=str)
def test_evaluation_puts_zeros_in_the_place_of_padding(options: dict[str, Any]) -> None:
    def scenario(m: Any) -> Any:
        m.manual_seed(0)
        given = dict(options)
        layer = m.nn.TransformerEncoderLayer(**SMALL, batch_first=True)
        norm, mask, hole = (given.pop(name, False) for name in ("norm", "mask", "hole"))
        net = m.nn.TransformerEncoder(layer, 2, m.nn.LayerNorm(8) if norm else None, **given).double().eval()
        if norm:
            with m.no_grad():
                net.norm.bias.copy_(data(m, 8))
        padding = m.tensor([[False] * 5, [False, hole, False, True, True], [False] * 4 + [True]])
        square = m.nn.Transformer.generate_square_subsequent_mask(5) < 0 if mask else None
        with m.no_grad():
            found = net(data(m, 3, 5, 8), square, padding)
        trained = net(data(m, 3, 5, 8), square, padding)
        inside = m.logical_not(padding).unsqueeze(-1)
        return [found, (trained * inside).detach(), net(data(m, 5, 8)).detach()]

    both(scenario)


def test_dropout_draws_torchs_numbers() -> None:
    def scenario(m: Any) -> Any:
        m.manual_seed(3)
        net = m.nn.Transformer(8, 2, 1, 2, 12, dropout=0.4, batch_first=True)
        return [net(data(m, 2, 5, 8, dtype="float32"), data(m, 2, 4, 8, dtype="float32")).detach(), m.rand(2)]

    ours, theirs = scenario(mg), scenario(torch)
    np.testing.assert_allclose(ours[0].numpy(), theirs[0].numpy(), rtol=1e-4, atol=1e-5)
    assert_same(ours[1], theirs[1])


@same_as_torch
def test_first_parameters_and_parts_of_ones_own(m: Any) -> Any:
    m.manual_seed(1)
    net = m.nn.Transformer(8, 2, 2, 1, 12)
    own = m.nn.Transformer(8, 2, custom_encoder=m.nn.Linear(8, 8), custom_decoder=m.nn.Identity())
    layers = m.nn.TransformerEncoder(m.nn.TransformerEncoderLayer(**SMALL, activation=m.nn.GELU()), 2)
    same = [bool((a == b).all()) for a, b in zip(layers.layers[0].parameters(), layers.layers[1].parameters(), strict=True)]
    return [dict(net.state_dict()), repr(own), repr(layers), same, layers.num_layers, m.rand(1)]


@same_as_torch
def test_refusals(m: Any) -> Any:
    nn, x = m.nn, m.ones(4, 2, 8)
    net = nn.Transformer(8, 2, 1, 1, 12)
    return [
        raised(nn.TransformerEncoderLayer, 8, 2, activation="tanh"), raised(nn.TransformerEncoderLayer, 8, 3),
        raised(net, x, m.ones(4, 3, 8)), raised(net, x, m.ones(4, 2, 7)), raised(net, m.ones(4, 2, 6), x),
        raised(net, x, x, m.ones(3, 3)), raised(net, x, x, src_key_padding_mask=m.ones(4, 2) > 0),
        raised(net.encoder, x, is_causal=True),
    ]  # fmt: skip
