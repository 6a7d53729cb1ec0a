"""`nn.utils.rnn`, and recurrent layers that read packed sequences, beside torch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg
from tests.twins import assert_same, data, raised, same_as_torch, variable

LENGTHS = [2, 5, 3, 5, 1]


def sequences(m: Any, *shape: int, dtype: str = "float64") -> list[Any]:
    return [variable(m, length, *shape, dtype=dtype, seed=length) for length in LENGTHS]


def leaves(packed: Any) -> list[Any]:
    """What a packed sequence holds; without the node, which is composed of other operations here."""
    return [packed.data.detach(), *packed[1:]]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("batch_first", [False, True])
@same_as_torch
def test_padding(m: Any, batch_first: bool, side: str) -> Any:
    listed = sequences(m, 3)
    padded = m.nn.utils.rnn.pad_sequence(listed, batch_first, -1.5, side)
    (padded * data(m, *padded.shape, dtype="float64", seed=9)).sum().backward()
    whole = m.nn.utils.rnn.pad_sequence((m.tensor([1, 2]), m.tensor([3.5, 4.0, 5.0])), batch_first)
    parts = m.nn.utils.rnn.unpad_sequence(padded.detach().clone(), m.tensor(LENGTHS), batch_first)
    return [padded.detach(), [each.grad for each in listed], whole, parts if side == "right" else 0]


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("shape", [(), (3,), (2, 2)])
@same_as_torch
def test_packing_and_back(m: Any, shape: tuple[int, ...], batch_first: bool) -> Any:
    rnn, listed = m.nn.utils.rnn, sequences(m, *shape)
    padded = rnn.pad_sequence(listed, batch_first)
    packed = rnn.pack_padded_sequence(padded, m.tensor(LENGTHS), batch_first, enforce_sorted=False)
    again, lengths = rnn.pad_packed_sequence(packed, batch_first, padding_value=7.0, total_length=6)
    (again * data(m, *again.shape, dtype="float64", seed=9)).sum().backward()
    ordered = rnn.pack_sequence(sorted(sequences(m, *shape), key=len, reverse=True))
    return [
        leaves(packed), again.detach(), lengths, [each.grad for each in listed], leaves(ordered),
        rnn.pad_packed_sequence(ordered)[0].detach(), [each.detach() for each in rnn.unpack_sequence(packed)],
        leaves(packed.float()), packed.to(m.float64) is packed, packed.cpu() is packed, packed.is_cuda,
        leaves(rnn.PackedSequence(ordered.data, ordered.batch_sizes)), rnn.invert_permutation(m.tensor([2, 0, 1])),
        rnn.invert_permutation(None), [packed.half().data.dtype, packed.long().data.dtype, packed.double().data.dtype],
    ]  # fmt: skip


@same_as_torch
def test_refusals(m: Any) -> Any:
    rnn, x = m.nn.utils.rnn, m.ones(3, 2)
    packed = rnn.pack_sequence([m.ones(3, 4), m.ones(1, 4)])
    layer = m.nn.GRU(4, 2)
    return [
        raised(rnn.pack_padded_sequence, x, [1, 2]), raised(rnn.pack_padded_sequence, x, [2]),
        raised(rnn.pack_padded_sequence, x, [2, 0]),
        raised(rnn.pack_padded_sequence, m.ones(0, 2), [1, 1]), raised(rnn.pad_sequence, []), raised(rnn.pad_sequence, 3),
        raised(rnn.pad_sequence, [m.ones(2, 3), m.ones(2, 4)]), raised(rnn.pad_sequence, [m.ones(2)], padding_side="top"),
        raised(rnn.pad_packed_sequence, packed, total_length=2), raised(packed.cuda), raised(layer, packed.double()),
        raised(layer, rnn.pack_sequence([m.ones(3, 5)])), raised(layer, rnn.pack_sequence([m.ones(3)])),
        raised(layer, packed, m.ones(1, 3, 2)), raised(layer, packed, m.ones(2, 2, 2)),
    ]  # fmt: skip


def test_lengths_beyond_the_input_are_refused() -> None:
    """torch gives a batch that says it has more elements than it holds."""
    with pytest.raises(RuntimeError, match=r"got \[4, 1\] for a length of 3"):
        mg.nn.utils.rnn.pack_padded_sequence(mg.ones(3, 2), [4, 1])


LAYERS = [("RNN", {"nonlinearity": "relu"}), ("GRU", {"bidirectional": True}), ("LSTM", {"num_layers": 2, "bidirectional": True}),
          ("LSTM", {"bias": False})]  # fmt: skip


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize(("kind", "options"), LAYERS)
def test_layers(kind: str, options: dict[str, Any], given: bool, ordered: bool) -> None:
    """Results, states and all gradients."""

    def run(m: Any) -> Any:
        m.manual_seed(0)
        layer, rnn = getattr(m.nn, kind)(3, 4, **options).double(), m.nn.utils.rnn
        listed = sorted(sequences(m, 3), key=len, reverse=True) if ordered else sequences(m, 3)
        packed = rnn.pack_sequence(listed, enforce_sorted=ordered)
        ways = options.get("num_layers", 1) * (1 + options.get("bidirectional", False))
        states = [variable(m, ways, len(LENGTHS), 4, dtype="float64", seed=i) for i in range(2 if kind == "LSTM" else 1)]
        start = None if not given else tuple(states) if kind == "LSTM" else states[0]
        out, ends = layer(packed, start)
        ends = list(ends) if kind == "LSTM" else [ends]
        total = sum((each * data(m, *each.shape, dtype="float64", seed=7)).sum() for each in [out.data, *ends])
        total.backward()
        return [leaves(out), [end.detach() for end in ends], [each.grad for each in (*listed, *layer.parameters())],
                [each.grad for each in states]]  # fmt: skip

    assert_same(run(mg), run(torch))


def test_dropout_between_layers_draws_torchs_numbers() -> None:
    def run(m: Any) -> Any:
        m.manual_seed(0)
        layer = m.nn.GRU(3, 4, 2, dropout=0.5).double()
        return layer(m.nn.utils.rnn.pack_sequence(sequences(m, 3), enforce_sorted=False))[0].data.detach()

    assert_same(run(mg), run(torch))


def test_a_packed_batch_is_its_sequences_one_by_one() -> None:
    layer, listed = mg.nn.LSTM(3, 4, bidirectional=True).double(), sequences(mg, 3)
    out, (h, c) = layer(mg.nn.utils.rnn.pack_sequence(listed, enforce_sorted=False))
    for i, (sequence, found) in enumerate(zip(listed, mg.nn.utils.rnn.unpack_sequence(out), strict=True)):
        alone, (h_alone, c_alone) = layer(sequence)
        for a, b in ((found, alone), (h[:, i], h_alone), (c[:, i], c_alone)):
            np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12)
