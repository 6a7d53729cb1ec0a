"""From the same seed, the same numbers: tensors, first weights, masks, orders, and whole training runs, next to torch's.

`tests/test_random_streams.py` compares the streams; this file compares what stands on them. A scenario is written once, as
a function of the module `m`, and run on both. Where torch was not built for fused multiply-adds (x86 without AVX2, ARM) it
differs from itself in the last bits of float32 normals and of scaled uniforms; only there the comparison allows for that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits

import minigrad as mg
import minigrad.training
import reference.training

SEEDS = [0, 1, -1, 2**64 - 1, 8405, 3_141_592_653_589_793]
SIZES = [0, 1, 15, 16, 17, 31, 1000]
FUSED = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
BOTH = (mg, torch)


def seed(value: int) -> None:
    for m in BOTH:
        m.manual_seed(value)


def numbers(x: Any) -> np.ndarray:
    return x.detach().numpy()


def same(mine: Any, theirs: Any) -> None:
    """Assert: the same type, shape, dtype, place in the graph and bits, and both default streams at the same place."""
    assert (repr(mine.dtype), tuple(mine.shape)) == (repr(theirs.dtype), tuple(theirs.shape))
    assert mine.requires_grad == theirs.requires_grad
    assert (mine.grad_fn and mine.grad_fn.name()) == (theirs.grad_fn and theirs.grad_fn.name())
    a, b = numbers(mine), numbers(theirs)
    if FUSED:
        np.testing.assert_array_equal(*(np.ascontiguousarray(x).reshape(-1).view(np.uint8) for x in (a, b)))
    else:
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    in_step()


def in_step() -> None:
    np.testing.assert_array_equal(mg.get_rng_state().numpy(), torch.get_rng_state().numpy())


def grid(m: Any, n: int, dtype: Any) -> Any:
    """`n` numbers of [0, 1), n up to 1024, without a rounding."""
    return m.arange(n, dtype=dtype) / 1024


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    """Leave the streams and the threads as they were; several threads would only wait for a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with mg.random.fork_rng(), torch.random.fork_rng(devices=[]), threadpool_limits(1):
        yield
    torch.set_num_threads(threads)


# ---- tensors ---------------------------------------------------------------------------------------------------------

# What draws a tensor of floating-point numbers: the module, a size and a dtype.
FLOATING: dict[str, Callable[[Any, int, Any], Any]] = {
    "rand": lambda m, n, d: m.rand(n, dtype=d),
    "randn": lambda m, n, d: m.randn(n, dtype=d),
    "rand, trained": lambda m, n, d: m.rand(n, dtype=d, requires_grad=True),
    "normal of numbers": lambda m, n, d: m.normal(0.5, 2.0, (n,), dtype=d),
    "normal of means": lambda m, n, d: m.normal((grid(m, n, d) - 0.5), 0.7),
    "normal of deviations": lambda m, n, d: m.normal(0.3, grid(m, n, d)),
    "normal of both": lambda m, n, d: m.normal((grid(m, n, d) - 0.5), grid(m, n, d)),
    "normal, broadcast": lambda m, n, d: m.normal(m.zeros(3, 1, dtype=d), grid(m, n, d)),
    "bernoulli": lambda m, n, d: m.bernoulli(grid(m, n, d)),
    "bernoulli of one p": lambda m, n, d: m.bernoulli(m.empty(n, dtype=d), 0.3),
    "rand_like": lambda m, n, d: m.rand_like(m.empty(n, dtype=d)),
    "randn_like": lambda m, n, d: m.randn_like(m.empty(n, dtype=d)),
    "rand_like of another dtype": lambda m, n, d: m.rand_like(m.empty(n, dtype=m.int64), dtype=d),
    "randint_like": lambda m, n, d: m.randint_like(m.empty(n, dtype=d), -3, 30),
    "uniform_": lambda m, n, d: m.empty(n, dtype=d).uniform_(-0.123, 0.123),
    "uniform_, named": lambda m, n, d: m.empty(n, dtype=d).uniform_(-1, to=2),
    "normal_": lambda m, n, d: m.empty(n, dtype=d).normal_(0.3, std=0.7),
    "exponential_": lambda m, n, d: m.empty(n, dtype=d).exponential_(1.5),
    "bernoulli_": lambda m, n, d: m.empty(n, dtype=d).bernoulli_(0.3),
    "bernoulli_ of probabilities": lambda m, n, d: m.empty(n, dtype=d).bernoulli_(grid(m, n, d)),
    "bernoulli_ of one probability": lambda m, n, d: m.empty(n, dtype=d).bernoulli_(p=m.tensor(0.3)),
    "random_": lambda m, n, d: m.empty(n, dtype=d).random_(),
    "random_ to": lambda m, n, d: m.empty(n, dtype=d).random_(7),
    "random_ from, to": lambda m, n, d: m.empty(n, dtype=d).random_(-7, 7),
    "randperm": lambda m, n, d: m.randperm(n, dtype=d),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("name", FLOATING)
def test_floating_point_tensors(name: str, dtype: str) -> None:
    draw = FLOATING[name]
    for value in SEEDS[:3] if dtype == "float16" else SEEDS:
        seed(value)
        for n in SIZES:
            mine, theirs = (draw(m, n, getattr(m, dtype)) for m in BOTH)
            same(mine, theirs)


# And what draws integers, or several tensors' worth of numbers: the module and a size.
OTHERS: dict[str, Callable[[Any, int], Any]] = {
    "randint": lambda m, n: m.randint(10, (n,)),
    "poisson": lambda m, n: m.poisson(m.linspace(0, 20, min(n, 100))),
    "poisson of float64": lambda m, n: m.poisson(m.linspace(1e-3, 400, min(n, 100), dtype=m.float64)),
    "randint from, to": lambda m, n: m.randint(-5, 2**40, (n, 3)),
    "randint, named": lambda m, n: m.randint(low=-5, high=5, size=(2, n), dtype=m.int8),
    "randint_like": lambda m, n: m.randint_like(m.empty(n, dtype=m.uint8), 200),
    "random_ of bytes": lambda m, n: m.empty(n, dtype=m.uint8).random_(),
    "random_ of int64": lambda m, n: m.empty(n, dtype=m.int64).random_(),
    "bernoulli_ of integers": lambda m, n: m.empty(n, dtype=m.int64).bernoulli_(0.4),
    "bernoulli_ of truth values": lambda m, n: m.empty(n, dtype=m.bool).bernoulli_(grid(m, n, m.float32)),
    "randperm": lambda m, n: m.randperm(n),
    "multinomial": lambda m, n: m.multinomial(m.arange(1.0, n + 2), max(n // 2, 1)),
    "multinomial, method": lambda m, n: m.arange(1.0, n + 2).multinomial(1),
    "multinomial with replacement": lambda m, n: m.multinomial(m.arange(1.0, 31).reshape(5, 6), n + 1, replacement=True),
    "bernoulli, method": lambda m, n: grid(m, n, m.float32).bernoulli(),
    "sizes": lambda m, n: m.stack([m.rand((2, n)), m.rand(2, n), m.rand([2, n]), m.randn(size=(2, n))]),
    "no dimensions": lambda m, n: m.stack([m.rand(()), m.randn(()), m.normal(0.0, 1.0, ())]),
    "another generator": lambda m, n: m.randn(n, generator=m.Generator().manual_seed(n)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_tensors(name: str) -> None:
    draw = OTHERS[name]
    for value in SEEDS:
        seed(value)
        for n in SIZES:
            mine, theirs = (draw(m, n) for m in BOTH)
            same(mine, theirs)


def test_a_million() -> None:
    for name in ("rand", "randn", "uniform_", "normal_", "bernoulli_"):
        seed(3)
        same(*(FLOATING[name](m, 10**6, m.float32) for m in BOTH))


def test_random_programs() -> None:
    """Calls in random order: each finds the stream where the ones before have left it."""
    dice = np.random.RandomState(0)
    calls: list[Any] = [*FLOATING.values(), *(lambda m, n, d, f=f: f(m, n) for f in OTHERS.values())]
    for program in range(40):
        seed(program)
        for _ in range(30):
            draw, n, dtype = calls[dice.randint(len(calls))], int(dice.choice(SIZES)), dice.choice(["float32", "float64"])
            same(*(draw(m, n, getattr(m, dtype)) for m in BOTH))


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "transposed": lambda x: x.t(),
    "columns": lambda x: x[:, ::2],
    "rows": lambda x: x[3:30:3],
    "a block": lambda x: x[5:35, 4:50],
    "transposed block": lambda x: x[5:35, 4:50].t(),
    "few": lambda x: x[:3, :4].t(),
    "permuted": lambda x: x.reshape(10, 4, 60).permute(2, 0, 1),
    "whole": lambda x: x,
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_views_are_filled_as_torch_fills_them(layout: str, dtype: str) -> None:
    view = LAYOUTS[layout]
    fills: list[Callable[[Any, Any], Any]] = [
        lambda m, x: x.uniform_(-1, 2),
        lambda m, x: x.normal_(),
        lambda m, x: x.normal_(0.3, 0.7),
        lambda m, x: x.bernoulli_(0.4),
        lambda m, x: x.bernoulli_(view((m.arange(2400, dtype=x.dtype) / 4096).reshape(40, 60))),
        lambda m, x: x.exponential_(),
        lambda m, x: x.random_(2, 9),
    ]
    seed(6)
    wholes = [m.zeros(40, 60, dtype=getattr(m, dtype)) for m in BOTH]
    for fill in fills:
        mine, theirs = (fill(m, view(x)) for m, x in zip(BOTH, wholes, strict=True))
        same(mine, theirs)
        same(*wholes)
    makes: list[Callable[[Any, Any], Any]] = [
        lambda m, x: m.rand_like(x),
        lambda m, x: m.randn_like(x),
        lambda m, x: m.randint_like(x, 9),
        lambda m, x: m.bernoulli(x, 0.5),
        lambda m, x: m.normal(x, 1.0),
        lambda m, x: m.nn.functional.dropout(x, 0.4),
    ]
    for make in makes:
        mine, theirs = (make(m, view(x)) for m, x in zip(BOTH, wholes, strict=True))
        same(mine, theirs)
        assert mine.stride() == theirs.stride()


def test_like_an_expanded_tensor() -> None:
    seed(1)
    for shape in ((2, 3), (4, 5, 3)):
        for f in (lambda m, x: m.rand_like(x), lambda m, x: m.randn_like(x)):
            mine, theirs = (f(m, m.zeros(3).expand(*shape)) for m in BOTH)
            same(mine, theirs)
            assert mine.stride() == theirs.stride()


# ---- draws and the graph ---------------------------------------------------------------------------------------------

DRAWS: dict[str, Callable[[Any], Any]] = {
    "uniform_": lambda x: x.uniform_(),
    "normal_": lambda x: x.normal_(),
    "exponential_": lambda x: x.exponential_(),
    "bernoulli_": lambda x: x.bernoulli_(0.5),
    "bernoulli_ of probabilities": lambda x: x.bernoulli_(x.detach() * 0),
    "random_": lambda x: x.random_(),
    "random_ to": lambda x: x.random_(9),
    "random_ from, to": lambda x: x.random_(2, 9),
}


@pytest.mark.parametrize("name", DRAWS)
def test_a_draw_in_place_counts_as_a_change_and_ends_the_history(name: str) -> None:
    draw = DRAWS[name]
    seed(2)
    results = []
    for m in BOTH:
        leaf = m.ones(4, 5, requires_grad=True)
        x = leaf * 3
        before = x._version
        assert draw(x) is x
        assert x._version == before + 1
        (x * m.arange(20.0).reshape(4, 5)).sum().backward()
        assert not numbers(leaf.grad).any()

        base = leaf * 3  # through a view, the rest of the base keeps its history
        row = base[1]
        draw(row)
        base.sum().backward()
        results.append((x, leaf.grad, base, row))
    for mine, theirs in zip(*results, strict=True):
        same(mine, theirs)


@pytest.mark.parametrize("name", DRAWS)
def test_a_leaf_that_is_trained_is_not_drawn_over(name: str) -> None:
    draw = DRAWS[name]
    seed(2)
    for m in BOTH:
        leaf = m.ones(3, requires_grad=True)
        for x in (leaf, leaf[1:]):
            with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
                draw(x)
        if "bernoulli_ of" not in name:
            with m.no_grad():
                assert draw(leaf)._version == 1
        assert leaf.grad_fn is None
    in_step()


def test_what_backward_wants_to_read_is_not_drawn_over_in_silence() -> None:
    for m in BOTH:
        x = m.ones(3, requires_grad=True) * 2
        y = x * x
        x.detach().normal_()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.sum().backward()


def test_no_gradient_passes_through_a_draw() -> None:
    seed(4)
    results = []
    for m in BOTH:
        p, mean, std = (m.full((3, 2), 0.5, requires_grad=True) for _ in range(3))
        drawn = [m.bernoulli(p), m.normal(mean, 2.0), m.normal(1.0, std), m.normal(mean, std[0])]
        sum(x.sum() for x in drawn).backward()
        results.append([*drawn, p.grad, mean.grad, std.grad])
    for mine, theirs in zip(*results, strict=True):
        same(mine, theirs)


# ---- layers ----------------------------------------------------------------------------------------------------------

# The arguments with which to make each layer that draws its first values.
LAYERS: dict[str, list[tuple[Any, ...]]] = {
    "Linear": [(1, 1), (3, 4), (15, 1), (784, 10), (20, 30, False), (512, 512), (7, 0)],
    "Conv1d": [(1, 2, 3), (4, 6, 5, 2, 1, 1, 2, False)],
    "Conv2d": [(1, 16, 3, 2, 1), (16, 10, (3, 2)), (4, 8, 3, 1, "same", 1, 4), (3, 2, 1, 1, 0, 1, 1, False)],
    "ConvTranspose2d": [(4, 6, 3), (4, 6, (2, 3), 2, 1, 1, 2), (3, 2, 2, 2, 0, 0, 1, False)],
    "ConvTranspose1d": [(4, 6, 3), (3, 2, 2, 2, 0, 0, 1, False)], "Bilinear": [(2, 3, 4), (5, 1, 1, False)],
    "BatchNorm3d": [(3,)],
    "Embedding": [(5, 3), (100, 20, 7)], "PReLU": [(), (3, 0.1)], "LayerNorm": [(3,)], "RMSNorm": [(3,)], "GroupNorm": [(2, 4)],
    "BatchNorm1d": [(3,)], "BatchNorm2d": [(3,)],
    "RNN": [(3, 4)], "LSTM": [(3, 4, 2)], "GRU": [(3, 4)], "RNNCell": [(3, 4)], "LSTMCell": [(3, 4)], "GRUCell": [(3, 4)],
}  # fmt: skip
ELSEWHERE = {  # in the tests of attention and transformers, of what derives from them, and of lazy layers
    *(name for name in dir(mg.nn) if name.startswith("Lazy")),
    "MultiheadAttention", "RNNBase", "RNNCellBase", "Transformer", "TransformerEncoder", "TransformerDecoder",
    "TransformerEncoderLayer", "TransformerDecoderLayer",
}
# Layers that need arguments, and draw nothing.
PLAIN: dict[str, tuple[Any, ...]] = {
    "Unflatten": (1, (2, 3)), "Parameter": (), "Fold": (4, 2), "Unfold": (2,), "ChannelShuffle": (2,),
    "DataParallel": (mg.nn.Identity(),),
}  # fmt: skip
PLAIN |= {name: (2,) for name in dir(mg.nn) if any(part in name for part in ("Pool", "Unpool", "Pad", "InstanceNorm", "Pixel"))}
PLAIN |= {"LocalResponseNorm": (2,), "LPPool1d": (2, 2), "LPPool2d": (2, 2)}
PLAIN |= {f"ConstantPad{ndim}d": (1, 2.0) for ndim in (1, 2, 3)} | {"Threshold": (1, 2)}


def test_every_layer_that_draws_is_compared() -> None:
    for name in dir(mg.nn):
        layer = getattr(mg.nn, name)
        if isinstance(layer, type) and issubclass(layer, mg.nn.Module) and name not in {*LAYERS, *ELSEWHERE}:
            assert not list(layer(*PLAIN.get(name, ())).parameters()), f"{name} has parameters: give it a line in LAYERS"


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("name", LAYERS)
def test_first_values_of_layers(name: str, dtype: str) -> None:
    for value in SEEDS[:4]:
        seed(value)
        for arguments in LAYERS[name]:
            mine, theirs = (getattr(m.nn, name)(*arguments, dtype=getattr(m, dtype)) for m in BOTH)
            assert [key for key, _ in mine.named_parameters()] == [key for key, _ in theirs.named_parameters()]
            for a, b in zip(mine.parameters(), theirs.parameters(), strict=True):
                same(a, b)
            mine.reset_parameters()
            theirs.reset_parameters()
            for a, b in zip(mine.parameters(), theirs.parameters(), strict=True):
                same(a, b)


def test_first_values_of_a_network() -> None:
    for value in SEEDS:
        seed(value)
        nets = [m.nn.Sequential(m.nn.Linear(784, 50), m.nn.ReLU(), m.nn.Dropout(), m.nn.Linear(50, 10)) for m in BOTH]
        for a, b in zip(*(net.parameters() for net in nets), strict=True):
            same(a, b)


INITS: dict[str, Callable[[Any, Any], Any]] = {
    "uniform_": lambda init, w: init.uniform_(w, -0.3, 2.0),
    "normal_": lambda init, w: init.normal_(w, 1.0, 3.0),
    "constant_": lambda init, w: init.constant_(w, 0.3),
    "zeros_": lambda init, w: init.zeros_(w),
    "ones_": lambda init, w: init.ones_(w),
    "eye_": lambda init, w: init.eye_(w),
    "xavier_uniform_": lambda init, w: init.xavier_uniform_(w, gain=5 / 3),
    "xavier_normal_": lambda init, w: init.xavier_normal_(w),
    "kaiming_uniform_": lambda init, w: init.kaiming_uniform_(w, a=0.2),
    "kaiming_normal_": lambda init, w: init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu"),
    "trunc_normal_": lambda init, w: init.trunc_normal_(w, std=0.02),
    "trunc_normal_, cut": lambda init, w: init.trunc_normal_(w, 0.1, 0.5, -0.3, 0.6),
    "sparse_": lambda init, w: init.sparse_(w, 0.3),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", INITS)
def test_init(name: str, dtype: str) -> None:
    fill = INITS[name]
    for value in SEEDS[:4]:
        seed(value)
        for shape in ((1, 1), (3, 5), (4, 4), (17, 1), (60, 50)):
            same(*(fill(m.nn.init, m.empty(*shape, dtype=getattr(m, dtype))) for m in BOTH))


def test_orthogonal_within_rounding() -> None:
    """The factors come from two libraries of linear algebra."""
    for value in SEEDS[:4]:
        seed(value)
        for shape in ((3, 5), (40, 30), (20, 3, 5)):
            mine, theirs = (m.nn.init.orthogonal_(m.empty(*shape), gain=2.0) for m in BOTH)
            np.testing.assert_allclose(mine.numpy(), theirs.numpy(), atol=2e-6)
            in_step()


# ---- masks and orders ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("p", [0.0, 0.1, 0.25, 0.5, 0.9, 1.0])
def test_dropout(p: float, dtype: str) -> None:
    for value in SEEDS:
        seed(value)
        for shape in ((0,), (1,), (17,), (64, 50)):
            xs = [(m.arange(np.prod(shape).item(), dtype=getattr(m, dtype)) - 99).reshape(shape) for m in BOTH]
            same(*(m.nn.functional.dropout(x, p) for m, x in zip(BOTH, xs, strict=True)))
            same(*(m.nn.Dropout(p)(x) for m, x in zip(BOTH, xs, strict=True)))
            same(*(m.nn.Dropout(p).eval()(x) for m, x in zip(BOTH, xs, strict=True)))


IMAGES = (4, 3, 8, 8)
BEFORE: dict[str, Callable[[Any, Any], Any]] = {
    "conv2d": lambda m, x: m.nn.Conv2d(3, 5, 3)(x),
    "conv2d, relu, max_pool2d": lambda m, x: m.nn.functional.max_pool2d(m.nn.Conv2d(3, 5, 3)(x).relu(), 2),
    "conv2d, batch norm": lambda m, x: m.nn.BatchNorm2d(5)(m.nn.Conv2d(3, 5, 1)(x)),
    "conv_transpose2d": lambda m, x: m.nn.ConvTranspose2d(3, 5, 3)(x),
    "half of conv2d": lambda m, x: m.nn.Conv2d(3, 6, 3)(x).chunk(2, 1)[1],
    "conv2d, flatten": lambda m, x: m.nn.Conv2d(3, 5, 3)(x).flatten(2),
    "conv1d": lambda m, x: m.nn.Conv1d(3, 5, 3)(x.flatten(2)[..., ::2]),
    "permute": lambda m, x: x.permute(0, 2, 3, 1),
    "permute, channels last": lambda m, x: x.permute(0, 3, 1, 2),
    "heads": lambda m, x: x.flatten(2).reshape(4, 3, 8, 8).transpose(1, 2) * 2,
    "expand": lambda m, x: x[:, :1].expand(IMAGES),
    "softmax": lambda m, x: x.transpose(1, 2).softmax(1),
    "log_softmax": lambda m, x: x.transpose(1, 2).log_softmax(-1),
    "masked_fill": lambda m, x: x.transpose(1, 2).masked_fill(x.transpose(1, 2) > 0, 2.0),
    "cat": lambda m, x: m.cat([x.mT, x.mT * 2], 1),
    "stack": lambda m, x: m.stack([x.mT, x.mT], 2),
    "cumsum": lambda m, x: x.mT.cumsum(1),
    "cumprod": lambda m, x: x.mT.cumprod(2),
    "tril": lambda m, x: x.transpose(1, 2).tril().exp(),
    "triu": lambda m, x: x.transpose(1, 2).triu().exp(),
    "roll": lambda m, x: x.mT.roll(1, 0),
}


@pytest.mark.parametrize("before", BEFORE)
def test_draws_in_the_order_of_what_layers_leave(before: str) -> None:
    found = []
    for m in BOTH:
        m.manual_seed(3)
        x = BEFORE[before](m, m.randn(IMAGES))
        found.append((m.nn.functional.dropout(x, 0.4) == 0, m.rand_like(x), m.randn_like(x), m.rand(1)))
    for ours, theirs in zip(*found, strict=True):
        same(ours, theirs)


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("options", [{"shuffle": True}, {"shuffle": False}, {"shuffle": True, "drop_last": True}])
def test_loader(options: dict[str, Any], own: bool) -> None:
    """Three epochs, with draws between the batches; one left early; and what is drawn afterwards."""
    for value in SEEDS:
        seed(value)
        loaders = []
        for m in BOTH:
            data = m.utils.data.TensorDataset(m.arange(23), m.arange(23) ** 2)
            generator = m.Generator().manual_seed(value) if own else None
            loaders.append(m.utils.data.DataLoader(data, batch_size=5, generator=generator, **options))
        for stop in (None, 2, None):
            for mine, theirs in zip(*(islice(loader, stop) for loader in loaders), strict=True):
                for a, b in zip(mine, theirs, strict=True):
                    same(a, b)
                same(mg.rand(3), torch.rand(3))
        in_step()
        if own:
            same(*(loader.generator.get_state() for loader in loaders))


@pytest.mark.parametrize("own", [False, True])
def test_samplers_and_splits(own: bool) -> None:
    def orders(m: Any) -> list[list[int]]:
        data = m.utils.data
        generator = m.Generator().manual_seed(5) if own else None
        weights = [0.1, 2.0, 0.0, 3.5, 1.0]
        samplers = [
            data.RandomSampler(range(40), generator=generator),
            data.RandomSampler(range(40), replacement=True, num_samples=70, generator=generator),
            data.WeightedRandomSampler(weights, 50, generator=generator),
            data.WeightedRandomSampler(weights, 3, replacement=False, generator=generator),
            data.SubsetRandomSampler([3, 1, 4, 15, 9], generator=generator),
        ]
        options = {"generator": generator} if own else {}
        parts = data.random_split(range(40), [13, 20, 7], **options) + data.random_split(range(40), [0.3, 0.7], **options)
        return [list(sampler) for sampler in samplers * 2] + [list(part.indices) for part in parts]

    for value in SEEDS:
        seed(value)
        assert orders(mg) == orders(torch)
        in_step()


# ---- the calls that deal with the seed -------------------------------------------------------------------------------


def test_the_seed_calls_of_a_torch_script() -> None:
    def script(torch: Any) -> list[Any]:
        torch.random.manual_seed(11)
        results = [torch.rand(2), torch.initial_seed(), torch.random.initial_seed(), torch.default_generator.initial_seed()]
        results.append(torch.manual_seed(-3) is torch.default_generator)
        generator = torch.Generator().manual_seed(3)
        results += [torch.Generator().initial_seed(), torch.initial_seed(), generator.initial_seed(), str(generator.device)]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            results.append(torch.randn(3))
        state = torch.get_rng_state()
        results += [torch.randn(3), state.dtype, state.shape, state]
        torch.set_rng_state(state)
        results += [torch.randn(3), torch.randn(20, generator=generator), generator.get_state()]
        torch.random.set_rng_state(generator.get_state())
        results += [torch.randperm(7), torch.randperm(7, generator=generator), torch.random.get_rng_state()]
        drawn = torch.seed()
        results += [drawn == torch.initial_seed(), 0 <= drawn < 2**64]
        results.append(torch.Generator(device="cpu").set_state(state).get_state())
        return results

    for mine, theirs in zip(script(mg), script(torch), strict=True):
        if isinstance(theirs, torch.Tensor):
            np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
        else:
            assert repr(mine) == repr(theirs)


def test_states_cross_over() -> None:
    """What torch has begun goes on here, and the other way round; as tensors of either."""
    torch.manual_seed(1)
    torch.randn(5)
    mg.set_rng_state(torch.get_rng_state())
    same(mg.randn(4), torch.randn(4))
    mg.manual_seed(2)
    mg.randn(5)
    torch.set_rng_state(torch.from_numpy(mg.get_rng_state().numpy()))
    same(mg.randn(4), torch.randn(4))


# What raises the same type of error on both sides, in one sentence here, before anything is drawn.
BAD: dict[str, Callable[[Any], Any]] = {
    "negative size": lambda m: m.rand(-1),
    "negative size in a tuple": lambda m: m.randn((2, -3)),
    "no size": lambda m: m.rand(),
    "fractional size": lambda m: m.rand(2.5),
    "word for a size": lambda m: m.randn("a"),
    "integers from rand": lambda m: m.rand(2, dtype=m.int64),
    "integers from randn": lambda m: m.randn(2, dtype=m.int64),
    "rand_like integers": lambda m: m.rand_like(m.tensor([1, 2])),
    "no generator": lambda m: m.rand(3, generator=3),
    "empty range": lambda m: m.randint(5, 5, (3,)),
    "range upside down": lambda m: m.randint(5, 3, (3,)),
    "range beyond int64": lambda m: m.randint(2**63 + 1, (3,)),
    "range beyond int64 downwards": lambda m: m.randint(-(2**63) - 1, 3, (3,)),
    "range beyond the dtype": lambda m: m.randint(0, 300, (3,), dtype=m.uint8),
    "fractional range": lambda m: m.randint(3.7, (3,)),
    "randint without size": lambda m: m.randint(3),
    "randint of an int": lambda m: m.randint(3, 3),
    "randint of negative size": lambda m: m.randint(3, (-1,)),
    "negative randperm": lambda m: m.randperm(-1),
    "fractional randperm": lambda m: m.randperm(2.5),
    "randperm beyond the dtype": lambda m: m.randperm(300, dtype=m.uint8),
    "randperm beyond float16": lambda m: m.randperm(3000, dtype=m.float16),
    "randperm of truth values": lambda m: m.randperm(1, dtype=m.bool),
    "negative deviation": lambda m: m.normal(0.0, -1.0, (3,)),
    "negative deviation with means": lambda m: m.normal(m.zeros(3), -1.0),
    "negative deviations": lambda m: m.normal(m.zeros(3), -m.ones(3)),
    "deviation of nan": lambda m: m.normal(m.zeros(2), m.tensor([1.0, float("nan")])),
    "normal without size": lambda m: m.normal(0.0, 1.0),
    "normal of tensors with size": lambda m: m.normal(m.zeros(2), m.ones(2), (2,)),
    "normal of shapes that do not fit": lambda m: m.normal(m.zeros(3), m.ones(2)),
    "p above 1": lambda m: m.zeros(3).bernoulli_(1.5),
    "p below 0": lambda m: m.bernoulli(m.zeros(3), -0.5),
    "p of nan": lambda m: m.zeros(3).bernoulli_(float("nan")),
    "p of integers": lambda m: m.bernoulli(m.tensor([1, 0])),
    "p that does not broadcast": lambda m: m.zeros(3).bernoulli_(m.ones(2)),
    "p of more dimensions": lambda m: m.zeros(2).bernoulli_(m.ones(3, 1)),
    "p of letters": lambda m: m.zeros(2).bernoulli_("a"),
    "uniform_ upside down": lambda m: m.zeros(3).uniform_(1, 0),
    "uniform_ of integers": lambda m: m.zeros(3, dtype=m.int64).uniform_(),
    "normal_ of negative deviation": lambda m: m.zeros(3).normal_(0, -1),
    "exponential_ of rate 0": lambda m: m.zeros(3).exponential_(0),
    "random_ of an empty range": lambda m: m.zeros(3).random_(0),
    "random_ of fractions": lambda m: m.zeros(3, dtype=m.int64).random_(1.5),
    "expanded": lambda m: m.zeros(3).expand(2, 3).normal_(),
    "expanded, bernoulli_": lambda m: m.zeros(1).expand(3).bernoulli_(m.ones(3)),
    "too many samples": lambda m: m.multinomial(m.ones(3), 4),
    "no samples": lambda m: m.multinomial(m.ones(3), 0),
    "fractional samples": lambda m: m.multinomial(m.ones(3), 2.5),
    "negative probabilities": lambda m: m.multinomial(-m.ones(3), 1),
    "no probability": lambda m: m.multinomial(m.zeros(3), 1),
    "trained integers": lambda m: m.randint(0, 5, (0,), requires_grad=True),
    "state of the wrong size": lambda m: m.set_rng_state(m.zeros(10, dtype=m.uint8)),
    "state of floats": lambda m: m.set_rng_state(m.zeros(5056)),
    "state of zeros": lambda m: m.default_generator.set_state(m.zeros(5056, dtype=m.uint8)),
    "seed too large": lambda m: m.manual_seed(2**64),
    "seed too small": lambda m: m.manual_seed(-(2**63) - 1),
    "seed of letters": lambda m: m.manual_seed("a"),
    "no seed": lambda m: m.manual_seed(None),
    "generator's seed of letters": lambda m: m.default_generator.manual_seed("a"),
    "generator of a GPU": lambda m: m.Generator("cuda"),
    "init upside down": lambda m: m.nn.init.uniform_(m.zeros(3), 1, 0),
    "dropout above 1": lambda m: m.nn.functional.dropout(m.ones(3), 1.5),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name: str) -> None:
    seed(1)
    errors = []
    for m in BOTH:
        m.randn(1)
        before = m.get_rng_state().numpy().copy()
        with pytest.raises(Exception) as caught:  # noqa: PT011 - the type is what is compared
            BAD[name](m)
        np.testing.assert_array_equal(m.get_rng_state().numpy(), before)
        errors.append(caught.value)
    mine, theirs = errors
    assert isinstance(mine, type(theirs)) or (type(theirs), type(mine)) == (RuntimeError, NotImplementedError)
    assert "\n" not in str(mine)
    assert len(str(mine)) > 20


# ---- the worked example ----------------------------------------------------------------------------------------------

TEXT = """\
tensor([[-1.0276, -0.5631, -0.8923, -0.0583, -0.1955],
        [-0.9656,  0.4224,  0.2673, -0.4212, -0.5107],
        [-1.5727, -0.1232,  3.5870, -1.8313,  1.5987]], requires_grad=True)
tensor([[-1.2770],
        [ 0.3255],
        [-0.4791]], requires_grad=True)
tensor([[-2.1098],
        [-0.2148],
        [-3.1912]], grad_fn=<AddBackward0>)
tensor(6.0846, grad_fn=<MseLossBackward0>)
tensor([[-0.8570, -0.3459, -0.0799, -0.8051,  0.5856],
        [ 0.5767,  0.2328,  0.0538,  0.5418, -0.3941],
        [-1.5753, -0.6358, -0.1469, -1.4799,  1.0764]])
tensor([[-1.2958],
        [ 0.8720],
        [-2.3819]])"""


def linear_model(torch: Any) -> str:
    """The linear model of the tutorials, and what it prints."""
    torch.manual_seed(1)
    x, y = torch.randn(5, 1), torch.randn(3, 1)
    w, b = torch.randn(3, 5, requires_grad=True), torch.randn(3, 1, requires_grad=True)
    z = w @ x + b
    loss = torch.nn.functional.mse_loss(z, y)
    loss.backward()
    return "\n".join(map(str, (w, b, z, loss, w.grad, b.grad)))


def test_the_worked_example_prints_what_torch_prints() -> None:
    assert linear_model(mg) == linear_model(torch)


def test_the_worked_example_is_as_torch_printed_it_once() -> None:
    assert linear_model(mg) == TEXT


# ---- whole runs ------------------------------------------------------------------------------------------------------


def dropout_net(nn: Any) -> Any:
    return nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Dropout(), nn.Linear(512, 512), nn.ReLU(), nn.Dropout(0.2), nn.Linear(512, 10)
    )


def losses(training: Any, model: str, optimiser: str, value: int, steps: int) -> list[float]:
    """Train from a seed, on shuffled batches, and return the loss of each step; the two sides share nothing else."""
    m = training.torch
    m.manual_seed(value)
    train_ds, valid_ds, _ = training.get_datasets("digits", quiet=True)
    train_dl, _ = training.get_data(train_ds, valid_ds, 64)
    if model == "dropout":
        net, loss_func = dropout_net(m.nn), m.nn.functional.cross_entropy
    else:
        net, loss_func, _ = training.get_model(model, lr=0.1)
    double = model == "cnn"  # so that rounding moves none of its quarter of a million units across zero
    net = net.double() if double else net
    rate = {"SGD": 0.1, "Adam": 1e-2} if model == "cnn" else {"SGD": 0.02, "Adam": 5e-4}
    options = {"SGD": {"lr": rate["SGD"], "momentum": 0.9}, "Adam": {"lr": rate["Adam"]}}[optimiser]
    opt = getattr(m.optim, optimiser)(net.parameters(), **options)
    batches = islice(chain.from_iterable(train_dl for _ in range(steps)), steps)
    return [training.loss_batch(net, loss_func, xb.double() if double else xb, yb, opt) for xb, yb in batches]


# The learning rate is small enough for no hidden unit to come so close to zero that rounding decides on which side it is.
# From there on two runs part, and so do two runs of torch on other numbers of threads.
@pytest.mark.parametrize("optimiser", [name for name in ("SGD", "Adam") if hasattr(mg.optim, name)])
@pytest.mark.parametrize(
    ("model", "value"), [("manual", 0), ("logistic", 0), ("logistic", 1), ("mlp", 0), ("dropout", 1), ("cnn", 0)]
)
def test_each_loss_of_100_steps_is_torchs(model: str, optimiser: str, value: int) -> None:
    mine, theirs = (losses(t, model, optimiser, value, 100) for t in (minigrad.training, reference.training))
    assert mine[-1] < (0.95 if model == "cnn" else 0.6) * mine[0]  # convolutions take longer to learn something
    np.testing.assert_allclose(mine, theirs, rtol=1e-6)
    in_step()


# ---- without torch: what torch gave once -----------------------------------------------------------------------------


def digest(x: Any) -> str:
    return hashlib.sha256(np.ascontiguousarray(numbers(x)).tobytes()).hexdigest()[:16]


def stored(m: Any) -> dict[str, Any]:
    """What a script of seed 2 makes, in short."""
    m.manual_seed(2)
    layer = m.nn.Linear(784, 10)
    data = m.utils.data.TensorDataset(m.arange(10))
    loader = m.utils.data.DataLoader(data, batch_size=10, shuffle=True)
    return {
        "weight": digest(layer.weight),
        "bias": [f"{v:.4f}" for v in layer.bias.tolist()[:3]],
        "normals": digest(m.randn(10_000)),
        "mask": m.nn.functional.dropout(m.ones(12), 0.4).gt(0).int().tolist(),
        "orders": [batch.tolist() for _ in range(2) for (batch,) in loader],
        "xavier": digest(m.nn.init.xavier_uniform_(m.empty(30, 20))),
        "truncated": digest(m.nn.init.trunc_normal_(m.empty(30, 20))),
        "state": digest(m.get_rng_state()),
    }


STORED: dict[str, Any] = {
    "weight": "35455d3f8dfdc213",
    "bias": ["0.0214", "0.0178", "-0.0146"],
    "normals": "c3e5807a981a9ac8",
    "mask": [1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1],
    "orders": [[4, 7, 2, 1, 6, 3, 8, 9, 0, 5], [5, 9, 7, 8, 3, 2, 4, 0, 6, 1]],
    "xavier": "124ea7d61a366a0d",
    "truncated": "02d51953e49270ae",
    "state": "a9fdfbc1faf5adb3",
}


def test_stored_values() -> None:
    assert stored(mg) == STORED


def test_stored_values_are_torchs() -> None:
    assert stored(torch) == STORED or not FUSED
