"""Recurrent networks next to torch's: from the same seed the same weights, outputs, states, gradients and masks."""

from __future__ import annotations

import copy
import tracemalloc
import weakref
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg
from minigrad.ops import recurrent

from .twins import data, numpy, raised, same_as_torch, variable

pytestmark = pytest.mark.usefixtures("one_thread")

KINDS = ("RNN", "LSTM", "GRU")
LENGTH, BATCH, INPUT, HIDDEN = 5, 3, 4, 6
TOLERANCE = {"float32": (1e-5, 1e-6), "float64": (1e-10, 1e-11)}
OPTIONS: list[dict[str, Any]] = [
    {},
    {"bias": False},
    {"num_layers": 2},
    {"bidirectional": True},
    {"batch_first": True, "num_layers": 3, "dropout": 0.4},
    {"num_layers": 2, "bidirectional": True, "dropout": 0.5, "batch_first": True},
]


def module(m: Any, name: str, *args: Any, dtype: str = "float32", **options: Any) -> Any:
    m.manual_seed(5)
    return getattr(m.nn, name)(*args, **options, dtype=getattr(m, dtype))


def flat(x: Any) -> list[Any]:
    return [tensor for each in x for tensor in flat(each)] if isinstance(x, list | tuple) else [x]


def assert_close(ours: list[Any], theirs: list[Any], dtype: str) -> None:
    assert len(ours) == len(theirs)
    for a, e in zip(ours, theirs, strict=True):
        assert (str(a.dtype), tuple(a.shape), a.requires_grad) == (str(e.dtype), tuple(e.shape), e.requires_grad)
        np.testing.assert_allclose(numpy(a), numpy(e), *TOLERANCE[dtype])


def starts(m: Any, net: Any, kind: str, batch: tuple[int, ...], dtype: str) -> Any:
    """The states before the first moment, as the kind takes them."""
    count = net.num_layers * (2 if net.bidirectional else 1)
    both = [variable(m, count, *batch, HIDDEN, dtype=dtype, seed=seed) for seed in (1, 2)]
    return tuple(both) if kind == "LSTM" else both[0]


def results_and_gradients(m: Any, net: Any, x: Any, hx: Any) -> list[Any]:
    """Output, last states, and the gradients of a mixture of them all by the inputs and every parameter."""
    m.manual_seed(7)  # of the masks
    results = flat(net(x) if hx is None else net(x, hx))
    directions = [data(m, *r.shape, dtype=str(r.dtype).removeprefix("torch."), seed=k) for k, r in enumerate(results)]
    wanted = [x, *([] if hx is None else flat(hx)), *net.parameters()]
    return [*results, *m.autograd.grad(results, wanted, directions)]


# Layers ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("kind", [*KINDS, "RNN relu"])
def test_same_as_torch(kind: str, options: dict[str, Any], dtype: str) -> None:
    """From one seed: weights, repr, and in train and eval outputs, states, masks and all gradients."""
    kind, _, relu = kind.partition(" ")
    options = options | ({"nonlinearity": relu} if relu else {})
    theirs, ours = (module(m, kind, INPUT, HIDDEN, dtype=dtype, **options) for m in (torch, mg))
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for a, e in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_array_equal(numpy(a), numpy(e))
    batched = (BATCH, LENGTH) if options.get("batch_first") else (LENGTH, BATCH)
    for training in (True, False):
        for batch, shape, given in (((BATCH,), batched, training), ((), (LENGTH,), not training)):
            found = []
            for m, net in ((mg, ours.train(training)), (torch, theirs.train(training))):
                x = variable(m, *shape, INPUT, dtype=dtype)
                found.append(results_and_gradients(m, net, x, starts(m, net, kind, batch, dtype) if given else None))
            assert_close(*found, dtype)


@pytest.mark.parametrize("kind", KINDS)
def test_second_derivatives(kind: str) -> None:
    """Against torch, for each pair of an input or parameter and another; torch has none of oneDNN's, so in float64."""
    found = []
    for m in (mg, torch):
        net = module(m, kind, INPUT, HIDDEN, 2, bidirectional=True, dtype="float64")
        x = variable(m, LENGTH, BATCH, INPUT, dtype="float64")
        hx = starts(m, net, kind, (BATCH,), "float64")
        wanted = [x, *flat(hx), *net.parameters()]
        loss = sum((r * r).sum() for r in flat(net(x, hx)))
        first = m.autograd.grad(loss, wanted, create_graph=True)
        penalty = sum((g * g).sum() for g in first)
        found.append([g.detach() for g in (*first, *m.autograd.grad(penalty, wanted))])
    assert_close(*found, "float64")


@pytest.mark.parametrize("options", OPTIONS[3:], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_state_dict_both_ways(kind: str, options: dict[str, Any]) -> None:
    theirs, ours = (getattr(m.nn, kind)(INPUT, HIDDEN, **options) for m in (torch, mg))
    before = {k: v.clone() for k, v in theirs.state_dict().items()}
    ours.load_state_dict({k: mg.from_numpy(v.numpy().copy()) for k, v in before.items()})
    for parameter in theirs.parameters():
        torch.nn.init.zeros_(parameter)
    theirs.load_state_dict({k: torch.from_numpy(v.numpy()) for k, v in ours.state_dict().items()})
    for key, value in theirs.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[key].numpy())


def test_one_moment_and_no_batch() -> None:
    for kind in KINDS:
        for shape in ((1, BATCH, INPUT), (LENGTH, 0, INPUT), (1, INPUT)):
            found = []
            for m in (mg, torch):
                net = module(m, kind, INPUT, HIDDEN, bidirectional=True, dtype="float64")
                found.append(results_and_gradients(m, net, variable(m, *shape, dtype="float64"), None))
            assert_close(*found, "float64")


@pytest.mark.parametrize("kind", KINDS)
def test_small_numbers_keep_their_digits(kind: str) -> None:
    """Near zero, where tanh(s) is about s, errors are to be small beside the result and not beside 1."""
    torch.manual_seed(0)
    theirs = getattr(torch.nn, kind)(INPUT, HIDDEN, bias=False)
    ours = getattr(mg.nn, kind)(INPUT, HIDDEN, bias=False)
    ours.load_state_dict({name: mg.from_numpy(value.numpy()) for name, value in theirs.state_dict().items()})
    small = np.random.RandomState(0).standard_normal((LENGTH, BATCH, INPUT)).astype("float32") * np.float32(1e-5)
    expected = theirs(torch.from_numpy(small))[0].detach().numpy()
    np.testing.assert_allclose(ours(mg.from_numpy(small))[0].detach().array, expected, 1e-5, 1e-5 * np.abs(expected).max())


def test_long_sequence_of_large_numbers() -> None:
    """Gates far from 0 round to 0 or 1, without a warning and without nan."""
    for kind in KINDS:
        found = []
        for m in (mg, torch):
            net = module(m, kind, INPUT, HIDDEN, dtype="float64")
            x = (data(m, 100, BATCH, INPUT, dtype="float64") * 1000).requires_grad_()
            found.append(results_and_gradients(m, net, x, None))
        assert_close(*found, "float64")
        assert all(np.isfinite(numpy(each)).all() for each in found[0])


# Cells ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", [{}, {"bias": False}, {"nonlinearity": "relu"}], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_cell(kind: str, options: dict[str, Any], dtype: str) -> None:
    if "nonlinearity" in options and kind != "RNN":
        return
    theirs, ours = (module(m, kind + "Cell", INPUT, HIDDEN, dtype=dtype, **options) for m in (torch, mg))
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for a, e in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_array_equal(numpy(a), numpy(e))
    for batch in ((BATCH,), ()):
        found = []
        for m, net in ((mg, ours), (torch, theirs)):
            h, c = (variable(m, *batch, HIDDEN, dtype=dtype, seed=seed) for seed in (1, 2))
            hx = (h, c) if kind == "LSTM" else h
            x = variable(m, *batch, INPUT, dtype=dtype)
            found.append(results_and_gradients(m, net, x, hx) + flat(net(x)) + flat(net(x, net(x, hx))))
        assert_close(*found, dtype)


@pytest.mark.parametrize("options", [{}, {"batch_first": True}, {"bidirectional": True}], ids=str)
@pytest.mark.parametrize("kind", KINDS)
@same_as_torch
def test_what_the_results_print(m: Any, kind: str, options: dict[str, Any]) -> Any:
    """The names of the nodes of a layer's and of a cell's results, with a batch and without."""
    layer, cell = getattr(m.nn, kind)(3, 4, **options), getattr(m.nn, f"{kind}Cell")(3, 4)
    results = [layer(m.ones(2, 5, 3)), layer(m.ones(5, 3)), cell(m.ones(2, 3)), cell(m.ones(3))]
    return [x.grad_fn.name() for x in flat(results)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_is_its_cell_moment_by_moment(kind: str) -> None:
    layer, cell = (module(mg, kind + suffix, INPUT, HIDDEN, dtype="float64") for suffix in ("", "Cell"))
    x = variable(mg, LENGTH, BATCH, INPUT, dtype="float64")
    outs, hx = [], None
    for moment in x:
        hx = cell(moment, hx)
        outs.append(flat(hx)[0])
    out, last = layer(x)
    np.testing.assert_allclose(out.array, mg.stack(outs).array, 1e-12)
    for a, e in zip(flat(last), flat(hx), strict=True):
        np.testing.assert_allclose(a.array[0], e.array, 1e-12)


# The one operation, and its composed twin -----------------------------------------------------------------------------


def composed(kind: str, x: Any, weight: Any, bias: Any, *states: Any, reverse: bool = False) -> Any:
    """What `scan` computes, by the formulas of torch's documentation and one operation after the other."""
    found = []
    for moment in list(x)[::-1] if reverse else list(x):
        h, a = states[0], states[0] @ weight.T + bias
        if kind == "lstm":
            i, f, g, o = (moment + a).chunk(4, -1)
            c = f.sigmoid() * states[1] + i.sigmoid() * g.tanh()
            states = (o.sigmoid() * c.tanh(), c)
        elif kind == "gru":
            (xr, xz, xn), (ar, az, an) = moment.chunk(3, -1), a.chunk(3, -1)
            z = (xz + az).sigmoid()
            states = ((1 - z) * (xn + (xr + ar).sigmoid() * an).tanh() + z * h,)
        else:
            states = ((moment + a).tanh() if kind == "rnn_tanh" else (moment + a).relu(),)
        found.append(states[0])
    return mg.stack([*(found[::-1] if reverse else found), *states[1:]])


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", ["rnn_tanh", "rnn_relu", "lstm", "gru"])
def test_scan_and_its_composed_twin(kind: str, reverse: bool) -> None:
    """Values, derivatives and second derivatives are those of the operations it stands for, and of finite differences."""
    gates, states = {"lstm": (4, 2), "gru": (3, 1)}.get(kind, (1, 1))
    shapes = [(4, 2, gates * 3), (gates * 3, 3), (gates * 3,), *[(2, 3)] * states]
    inputs = [variable(mg, *shape, dtype="float64", seed=seed) for seed, shape in enumerate(shapes)]

    def scan(*tensors: Any) -> Any:
        return recurrent.scan(*tensors, step=getattr(recurrent, kind), reverse=reverse)

    found = []
    for out in (scan(*inputs), composed(kind, *inputs, reverse=reverse)):
        first = mg.autograd.grad(out, inputs, variable(mg, *out.shape, dtype="float64", seed=9), create_graph=True)
        second = mg.autograd.grad([(g * g).sum() for g in first], inputs)
        found.append([t.detach() for t in (out, *first, *second)])
    assert_close(*found, "float64")
    assert mg.autograd.gradcheck(scan, inputs)
    assert mg.autograd.gradgradcheck(scan, inputs)


@pytest.mark.parametrize("which", ["weight_hh_l0", "h_0", "c_0"])
def test_what_was_overwritten_is_noticed(which: str) -> None:
    net = mg.nn.LSTM(INPUT, HIDDEN)
    h, c = (variable(mg, 1, BATCH, HIDDEN, dtype="float32", seed=seed) for seed in (1, 2))
    out, _ = net(variable(mg, LENGTH, BATCH, INPUT, dtype="float32"), (h, c))
    with mg.no_grad():
        {"h_0": h, "c_0": c, "weight_hh_l0": net.weight_hh_l0}[which].mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()


def test_the_result_may_be_overwritten() -> None:
    """Nothing reads it: gradients stay right."""
    found = []
    for overwritten in (True, False):
        net = module(mg, "LSTM", INPUT, HIDDEN)
        out, _ = net(variable(mg, LENGTH, BATCH, INPUT, dtype="float32"))
        out = out.mul_(2) if overwritten else out * 2
        out.sum().backward()
        found.append(net.weight_hh_l0.grad.array)
    np.testing.assert_array_equal(*found)


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("kind", KINDS)
def test_freed_without_the_cycle_collector(kind: str) -> None:
    def leave(create_graph: bool) -> list[Any]:
        net = module(mg, kind, INPUT, HIDDEN, 2, bidirectional=True)
        x = variable(mg, LENGTH, BATCH, INPUT, dtype="float32")
        out, last = net(x)
        gradients = mg.autograd.grad(out.sum(), [x, *net.parameters()], create_graph=create_graph)
        return [weakref.ref(each) for each in (x, out, *flat(last), *gradients, *net.parameters())]

    for create_graph in (False, True):
        assert [ref() for ref in leave(create_graph) if ref() is not None] == []


def test_memory_without_recording_does_not_hold_the_gates() -> None:
    """Of 400 moments only the hidden states stay, a quarter of what their gates take."""
    net, x = mg.nn.LSTM(8, 64), mg.zeros(400, 16, 8)
    gates = 400 * 16 * 4 * 64 * 4
    peaks = []
    for recording in (True, False):
        tracemalloc.start()
        with mg.set_grad_enabled(recording):
            net(x)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * gates < peaks[0]


def test_deepcopy_and_training() -> None:
    """A copy computes the same; a few steps of an optimiser give torch's losses."""
    losses = []
    for m in (mg, torch):
        net = module(m, "GRU", INPUT, HIDDEN, 2, dropout=0.3, dtype="float64")
        net = copy.deepcopy(net)
        optimizer = m.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        x, y = (data(m, LENGTH, BATCH, n, dtype="float64") for n in (INPUT, HIDDEN))
        for _ in range(5):
            optimizer.zero_grad()
            loss = m.nn.functional.mse_loss(net(x)[0], y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    np.testing.assert_allclose(losses[:5], losses[5:], 1e-10)


# What is refused ------------------------------------------------------------------------------------------------------

BAD_ARGUMENTS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((0, 3), {}), ((3, 0), {}), ((3, 3, 0), {}), ((3.0, 3), {}), ((3, 3.0), {}), ((3,), {}), ((3, 4, 2), {"dropout": 2}),
    ((3, 4, 2), {"dropout": True}), ((3, 4), {"bias": 1}), ((3, 4), {"batch_first": 1}), ((3, 4), {"proj_size": 4}),
    ((3, 4), {"proj_size": -1}), ((3, 4), {"depth": 1}),
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_refused_arguments(kind: str) -> None:
    for args, options in BAD_ARGUMENTS:
        errors = [raised(getattr(m.nn, kind), *args, **options) for m in (mg, torch)]
        assert errors[0] == errors[1] != "nothing", (args, options)


@pytest.mark.parametrize("kind", KINDS)
def test_refused_inputs(kind: str) -> None:
    """Wrong dimensions, sizes and types, of the input and of the states."""

    def errors(m: Any) -> dict[str, str]:
        net, cell = getattr(m.nn, kind)(3, 4), getattr(m.nn, kind + "Cell")(3, 4)
        x, h = m.zeros(5, 2, 3), m.zeros(1, 2, 4)
        wrong = {
            "no moment": (net, x[:0]), "float64": (net, x.double()), "int64": (net, x.long()), "1D": (net, x[0, 0]),
            "4D": (net, x[None]), "size": (net, x[..., :2]), "list": (net, [1.0]),
            "hidden size": (net, x, h[..., :2]), "hidden batch": (net, x, h[:, :1]), "hidden 2D": (net, x, h[0]),
            "hidden 3D": (net, x[:, 0], h), "hidden float64": (net, x, h.double()),
            "cell 3D": (cell, x), "cell size": (cell, x[0, :, :2]), "cell hidden size": (cell, x[0], h[0, :, :2]),
            "cell hidden batch": (cell, x[0], h[0, :1]), "cell hidden 3D": (cell, x[0], h), "cell float64": (cell, x[0].double()),
            "cell hidden 1D": (cell, x[0], h[0, 0]), "halves": (net, x, m.zeros(1, 1, 8)),
            "cell hidden float64": (cell, x[0], h[0].double()),
        }  # fmt: skip
        return {
            name: raised(f, x, *((h, h) if kind == "LSTM" else h for h in hx)) for name, (f, x, *hx) in wrong.items()
        }

    expected = errors(torch)
    assert "nothing" not in expected.values()
    assert errors(mg) == expected


def test_refused_number_of_states() -> None:
    x, h = mg.zeros(5, 2, 3), mg.zeros(1, 2, 4)
    for kind, hx in (("RNN", (h, h)), ("GRU", (h, h)), ("LSTM", h), ("LSTM", (h, h, h))):
        with pytest.raises(RuntimeError, match=f"{kind}.*: expected . of shape"):
            getattr(mg.nn, kind)(3, 4)(x, hx)


def test_refused_nonlinearity() -> None:
    assert raised(mg.nn.RNN, 3, 4, nonlinearity="sin") == raised(torch.nn.RNN, 3, 4, nonlinearity="sin") == "ValueError"
    with pytest.raises(RuntimeError, match="Unknown nonlinearity: sin"):
        mg.nn.RNNCell(3, 4, nonlinearity="sin")


def test_useless_dropout_warns() -> None:
    for m in (mg, torch):
        with pytest.warns(UserWarning, match="dropout option adds dropout after all but last recurrent layer"):
            m.nn.LSTM(3, 4, dropout=0.5)


def test_not_built() -> None:
    with pytest.raises(NotImplementedError, match="proj_size=2"):
        mg.nn.LSTM(3, 4, proj_size=2)
