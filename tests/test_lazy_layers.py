"""Lazy layers, before and after their first input, beside torch's."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import pytest

from tests.twins import data, raised, same_as_torch

KINDS = [  # the name, the arguments, and the shape of an input
    ("LazyLinear", (3,), (2, 5, 4)), ("LazyLinear", (3, False), (4,)),
    ("LazyConv1d", (4, 3), (2, 2, 7)), ("LazyConv2d", (4, 3, 2, 1), (2, 2, 7, 5)),
    ("LazyConv2d", (4, (3, 1), 1, 0, 1, 2), (2, 7, 5)), ("LazyConvTranspose1d", (3, 2, 2), (2, 4, 5)),
    ("LazyConvTranspose2d", (3, 3, 2, 1, 1), (2, 4, 3, 5)),
    ("LazyBatchNorm1d", (), (5, 3)), ("LazyBatchNorm2d", (1e-3, None), (4, 3, 2, 2)), ("LazyBatchNorm3d", (), (4, 3, 2, 2, 2)),
    ("LazyBatchNorm2d", (1e-5, 0.1, False), (4, 3, 2, 2)), ("LazyInstanceNorm1d", (), (2, 3, 6)),
    ("LazyInstanceNorm2d", (1e-5, 0.1, True, False), (2, 3, 4, 4)), ("LazyInstanceNorm3d", (), (2, 3, 2, 2, 2)),
]  # fmt: skip


def network(m: Any) -> Any:
    """A small network that knows none of its inputs."""
    return m.nn.Sequential(m.nn.LazyConv2d(4, 3), m.nn.LazyBatchNorm2d(), m.nn.ReLU(), m.nn.Flatten(), m.nn.LazyLinear(2))


@pytest.mark.parametrize(("name", "args", "shape"), KINDS)
@same_as_torch
def test_the_first_input_tells_the_size(m: Any, name: str, args: Any, shape: Any) -> Any:
    m.manual_seed(1)
    layer, x = getattr(m.nn, name)(*args, dtype=m.float64), data(m, *shape).requires_grad_()
    before = [repr(layer), list(layer.state_dict()), [repr(p) for p in layer.parameters()], layer.has_uninitialized_params()]
    undrawn = m.rand(1)  # nothing is drawn before the first input
    out = layer(x)
    (out * data(m, *out.shape)).sum().backward()
    after = [x.grad, repr(layer), type(layer).__name__, layer.state_dict(), [p.grad for p in layer.parameters()], m.rand(1)]
    return [before, undrawn, out.detach(), after, layer(x).detach()]


@pytest.mark.parametrize("name", sorted({name for name, _, _ in KINDS}))
def test_arguments_are_those_of_the_ordinary_layer_but_the_first(name: str) -> None:
    import minigrad as m

    lazy, ordinary = (inspect.signature(getattr(m.nn, each)) for each in (name, name.removeprefix("Lazy")))
    assert list(lazy.parameters) == list(ordinary.parameters)[1:]


@same_as_torch
def test_an_optimizer_may_have_the_parameters_before(m: Any) -> Any:
    m.manual_seed(2)
    net = network(m)
    optimizer = m.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        loss = net(data(m, 4, 2, 5, 5, dtype="float32")).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss)
    return [losses, net.state_dict()]


@same_as_torch
def test_values_that_do_not_exist_cannot_be_used(m: Any) -> Any:
    weight, mean = m.nn.LazyLinear(3).weight, m.nn.LazyBatchNorm1d().running_mean
    calls = [weight.sum, weight.numel, lambda: weight * 2, lambda: m.nn.init.normal_(weight), lambda: mean + 1,
             lambda: weight.shape, lambda: mean.shape]  # fmt: skip
    weight.data.normal_(0, 0.01)  # lost, as in torch
    shown = [weight.data.shape, repr(weight), repr(mean), weight.requires_grad, mean.requires_grad]
    return [[type(raised(call)) for call in calls], shown]


@same_as_torch
def test_inputs_that_tell_no_size(m: Any) -> Any:
    conv, grouped = m.nn.LazyConv2d(4, 3), m.nn.LazyConv2d(4, 3, groups=2)
    return [raised(conv, m.ones(2, 2)), raised(grouped, m.ones(1, 3, 5, 5)), conv(m.ones(1, 3, 5, 5)).shape]


@same_as_torch
def test_state_dicts_before_and_after(m: Any) -> Any:
    m.manual_seed(3)
    trained, x = network(m), data(m, 3, 2, 5, 5, dtype="float32")
    waiting = network(m).state_dict()
    trained(x)
    loaded, still = network(m), network(m)
    found = [loaded.load_state_dict(trained.state_dict()), still.load_state_dict(waiting)]
    incomplete = raised(m.nn.LazyLinear(3).load_state_dict, {"weight": m.ones(3, 2), "other": m.ones(1)})
    return [list(waiting), found, loaded.eval()(x), repr(still), incomplete, type(raised(trained.load_state_dict, waiting))]


@same_as_torch
def test_conversion_and_copies_before(m: Any) -> Any:
    layer, norm = m.nn.LazyLinear(3), m.nn.LazyBatchNorm1d().double()
    other = copy.deepcopy(layer).double()
    out = other(m.ones(2, 4, dtype=m.float64))
    return [repr(layer), repr(other), out.dtype, norm(data(m, 4, 3)).dtype, norm.running_mean.dtype, norm.num_batches_tracked]


@same_as_torch
def test_uninitialized_parameters_by_hand(m: Any) -> Any:
    parameter, buffer = m.nn.UninitializedParameter(dtype=m.float64), m.nn.UninitializedBuffer()
    shown = [repr(parameter), repr(buffer), isinstance(parameter, m.nn.Parameter)]
    parameter.materialize((2, 3))
    buffer.materialize((4,), dtype=m.int64)
    return [shown, type(parameter) is m.nn.Parameter, type(buffer) is m.Tensor, parameter.shape, parameter.dtype, buffer.shape,
            buffer.dtype, parameter.requires_grad]  # fmt: skip


def test_compiled_steps_see_the_layer_change() -> None:
    import minigrad as m

    def losses(compiled: bool) -> list[float]:
        m.manual_seed(4)
        net = m.nn.Sequential(m.nn.LazyLinear(4), m.nn.ReLU(), m.nn.LazyLinear(1))
        optimizer, x = m.optim.SGD(net.parameters(), lr=0.1), m.arange(12.0).reshape(4, 3)

        def step() -> Any:
            optimizer.zero_grad()
            loss = net(x).square().mean()
            loss.backward()
            optimizer.step()
            return loss

        run = m.compile(step) if compiled else step
        return [run().item() for _ in range(4)]

    assert losses(compiled=True) == losses(compiled=False)
