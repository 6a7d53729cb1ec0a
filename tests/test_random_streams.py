"""The random streams next to torch's: the same bits, and the same state after each call.

Float32 normals are compared where torch's CPU kernels use fused multiply-adds (x86 with AVX2 or later); elsewhere torch
differs from itself in their last bits, see `minigrad/random/boxmuller.py`, and those comparisons allow for it.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import pickle
import random as python_random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
from minigrad import random as rng
from minigrad.random import boxmuller

dice = python_random.Random(0)
SEEDS = [0, 1, -1, 2**64 - 1, -(2**63), 2**32 + 5, *(dice.getrandbits(64) for _ in range(3))]
SIZES = [0, 1, 2, 15, 16, 17, 31, 1000]
FLOATS = [np.float16, np.float32, np.float64]
SCALED = ("uniform(", "normal")
FUSED = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")


def empty(n: Any, dtype: Any) -> torch.Tensor:
    return torch.from_numpy(np.zeros(n, dtype))


def linspace(n: Any, dtype: Any) -> np.ndarray:
    return np.linspace(0, 1, int(np.prod(n)), dtype=dtype).reshape(n)


# What draws floating-point numbers: name -> (this package, torch), each called with a size and a dtype.
CALLS: dict[str, tuple[Callable[..., np.ndarray], Callable[..., torch.Tensor]]] = {
    "uniform": (rng.uniform, lambda n, d: empty(n, d).uniform_()),
    "uniform(-0.123, 0.123)": (
        lambda n, d: rng.uniform(n, d, -0.123, 0.123),
        lambda n, d: empty(n, d).uniform_(-0.123, 0.123),
    ),
    "uniform(2.5, 7.1)": (lambda n, d: rng.uniform(n, d, 2.5, 7.1), lambda n, d: empty(n, d).uniform_(2.5, 7.1)),
    "uniform(1, the number after 1)": (  # half of the sums are rounded to `high`, and put back to `low`
        lambda n, d: rng.uniform(n, d, 1, 1 + np.finfo(d).eps),
        lambda n, d: empty(n, d).uniform_(1, 1 + float(np.finfo(d).eps)),
    ),
    "uniform(1, 1)": (lambda n, d: rng.uniform(n, d, 1, 1), lambda n, d: empty(n, d).uniform_(1, 1)),
    "normal": (rng.normal, lambda n, d: empty(n, d).normal_()),
    "normal(0, 0.02)": (lambda n, d: rng.normal(n, d, 0, 0.02), lambda n, d: empty(n, d).normal_(0, 0.02)),
    "normal(0.3, 0.7)": (lambda n, d: rng.normal(n, d, 0.3, 0.7), lambda n, d: empty(n, d).normal_(0.3, 0.7)),
    "normal(2, 1)": (lambda n, d: rng.normal(n, d, 2, 1), lambda n, d: empty(n, d).normal_(2, 1)),
    "normal(5, 0)": (lambda n, d: rng.normal(n, d, 5, 0), lambda n, d: empty(n, d).normal_(5, 0)),
    "exponential": (lambda n, d: rng.exponential_(np.empty(n, d)), lambda n, d: empty(n, d).exponential_()),
    "exponential(1.5)": (lambda n, d: rng.exponential_(np.empty(n, d), 1.5), lambda n, d: empty(n, d).exponential_(1.5)),
    "bernoulli(0.3)": (lambda n, d: rng.bernoulli(0.3, n, d), lambda n, d: empty(n, d).bernoulli_(0.3)),
    "bernoulli(array)": (
        lambda n, d: rng.bernoulli(linspace(n, d)),
        lambda n, d: torch.bernoulli(torch.from_numpy(linspace(n, d))),
    ),
    "random_": (rng.random_full, lambda n, d: empty(n, d).random_()),
    "randint": (lambda n, d: rng.randint(-5, 5, n, d), lambda n, d: empty(n, d).random_(-5, 5)),
}


def seed(value: int) -> None:
    rng.manual_seed(value)
    torch.manual_seed(value)


def bits(a: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(a).reshape(-1).view(np.uint8)


def same(mine: np.ndarray, theirs: torch.Tensor, scaled: bool = False) -> None:
    """Assert: the same shape, dtype and bits, and both streams at the same place.

    `scaled` says that torch's last bits depend on whether it was built for fused multiply-adds.
    """
    other = theirs.numpy()
    assert (mine.shape, mine.dtype) == (other.shape, other.dtype)
    if FUSED or not scaled:
        np.testing.assert_array_equal(bits(mine), bits(other))
    else:
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-5)
    in_step()


def blob(module: Any) -> np.ndarray:
    return module.get_rng_state().array


def in_step() -> None:
    np.testing.assert_array_equal(blob(rng), torch.get_rng_state().numpy())


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    state, theirs = rng.get_rng_state(), torch.get_rng_state()
    yield
    rng.set_rng_state(state)
    torch.set_rng_state(theirs)


# ---- next to torch -----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [*SEEDS, *(dice.getrandbits(32) for _ in range(20))])
def test_state_after_seeding(value: int) -> None:
    seed(value)
    in_step()
    assert rng.initial_seed() == torch.initial_seed() == value % 2**64


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", CALLS)
def test_floats(name: str, dtype: Any) -> None:
    mine, theirs = CALLS[name]
    for value in SEEDS:
        for n in SIZES:
            seed(value)
            same(mine(n, dtype), theirs(n, dtype), scaled=name.startswith(SCALED))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", ["uniform(-0.123, 0.123)", "normal", "bernoulli(0.3)", "bernoulli(array)", "randint"])
def test_a_million(name: str, dtype: Any) -> None:
    seed(42)
    mine, theirs = CALLS[name]
    same(mine(10**6, dtype), theirs(10**6, dtype), scaled=name.startswith(SCALED))
    same(mine(3, dtype), theirs(3, dtype), scaled=name.startswith(SCALED))


def test_shapes() -> None:
    seed(7)
    for shape in ((), (3,), (4, 5), (2, 0, 3), (2, 3, 4)):
        same(rng.normal(shape), torch.randn(shape), scaled=True)
        same(rng.randint(0, 9, shape), torch.randint(0, 9, shape))


@pytest.mark.parametrize("dtype", FLOATS)
def test_arrays_are_filled_in_memory_order(dtype: Any) -> None:
    layouts: list[Callable[[Any], Any]] = [
        lambda a: a[:12].reshape(3, 4).T,
        lambda a: a.reshape(40, 60).T,
        lambda a: a[:30:2],
        lambda a: a.reshape(40, 60)[3:30:2, 5:],
        lambda a: a.reshape(10, 12, 20).swapaxes(0, 2)[1:, 2:5],
        lambda a: a.reshape(2, 20, 15, 4).swapaxes(1, 3).swapaxes(2, 3),  # channels last
        lambda a: a[:40].reshape(40, 1).T,  # contiguous: a dimension of size 1 has no order
    ]
    p = np.linspace(0, 1, 2400, dtype=np.float32)
    for layout in layouts:
        seed(3)
        mine, theirs = layout(np.zeros(2400, dtype)), layout(torch.from_numpy(np.zeros(2400, dtype)))
        same(rng.uniform_(mine, -1, 2), theirs.uniform_(-1, 2), scaled=True)
        same(rng.normal_(mine), theirs.normal_(), scaled=True)
        same(rng.normal_(mine, 0.3, 0.7), theirs.normal_(0.3, 0.7), scaled=True)
        same(rng.bernoulli_(mine, 0.4), theirs.bernoulli_(0.4))
        same(rng.bernoulli_(mine, layout(p)), theirs.bernoulli_(layout(torch.from_numpy(p))))
        same(rng.bernoulli(layout(p)), torch.bernoulli(layout(torch.from_numpy(p))))
        same(rng.exponential_(mine), theirs.exponential_())
        same(rng.random_(mine), theirs.random_())
        same(rng.randint_(mine, 2, 9), theirs.random_(2, 9))


def test_what_lies_between_is_left_alone() -> None:
    a = np.full((6, 6), 7.0)
    rng.normal_(a[1:-1, ::2])
    a[1:-1, ::2] = 7
    assert (a == 7).all()


RANGES = [(0, 1), (0, 10), (-5, 5), (0, 2**28 - 1), (0, 2**28), (-3, 2**31 - 1)]
RANGES += [(-(2**62), 2**62), (-(2**63), 2**63 - 1)]


@pytest.mark.parametrize("name", ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"])
def test_integers(name: str) -> None:
    dtype = np.dtype(name)
    least, greatest = rng.integers_of(dtype)
    for value in SEEDS[:3]:
        seed(value)
        for n in SIZES:
            same(rng.random_full(n, dtype), empty(n, dtype).random_())
            for low, high in [*RANGES, (0, greatest + 1), (least, 1)]:
                if least <= low and high - 1 <= greatest and high < 2**63:
                    same(rng.randint(low, high, n, dtype), empty(n, dtype).random_(low, high))


def test_randperm() -> None:
    for value in SEEDS:
        seed(value)
        for n in (0, 1, 2, 3, 4, 5, 10, 100, 1000):
            same(rng.randperm(n), torch.randperm(n))
    same(rng.randperm(50_000), torch.randperm(50_000))
    same(rng.randperm(10**6), torch.randperm(10**6))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_multinomial(dtype: Any) -> None:
    for value in SEEDS:
        seed(value)
        p = np.random.RandomState(3).rand(6, 27).astype(dtype)
        p[0, ::4] = p[3, 2:9] = 0
        for a in (p, p[2], p.T, p[:0]):
            b = torch.from_numpy(a)
            for n, replacement in ((1, True), (1, False), (4, False), (4, True), (100, True)):
                same(rng.multinomial(a, n, replacement), torch.multinomial(b, n, replacement))


def test_interleaved_calls() -> None:
    """Random programs of 30 calls: the sine left over by one call is taken by the right one later."""
    for program in range(60):
        seed(program)
        for _ in range(30):
            name, dtype, n = dice.choice(list(CALLS)), dice.choice(FLOATS), dice.choice([0, 1, 3, 7, 15, 16, 40, 700])
            if dice.random() < 0.15:
                same(rng.randperm(n), torch.randperm(n))
            else:
                mine, theirs = CALLS[name]
                same(mine(n, dtype), theirs(n, dtype), scaled=name.startswith(SCALED))


def test_own_generators() -> None:
    mine, theirs = rng.Generator(), torch.Generator()
    assert mine.initial_seed() == theirs.initial_seed()
    seed(1)
    for value in (None, 5, -3):
        if value is not None:
            assert mine.manual_seed(value) is mine
            theirs.manual_seed(value)
        same(rng.normal(5, generator=mine), torch.randn(5, generator=theirs))
        same(rng.randperm(9, generator=mine), torch.randperm(9, generator=theirs))
        np.testing.assert_array_equal(mine.get_state().array, theirs.get_state().numpy())


def test_dropout_masks_and_linear_weights() -> None:
    x = np.linspace(-1, 1, 64 * 50, dtype=np.float32).reshape(64, 50)
    for p in (0.1, 0.25, 0.5, 0.9):
        seed(4)
        noise = rng.bernoulli(1 - p, x.shape, np.float32) / np.float32(1 - p)
        same(x * noise, torch.nn.functional.dropout(torch.from_numpy(x), p))
    seed(4)
    layer = torch.nn.Linear(784, 10)
    mine = [rng.uniform(shape, np.float32, -1 / 28, 1 / 28) for shape in ((10, 784), (10,))]
    same(mine[0], layer.weight.detach(), scaled=True)
    same(mine[1], layer.bias.detach(), scaled=True)


# ---- the state ---------------------------------------------------------------------------------------


FORMS: list[Callable[[np.ndarray], Any]] = [
    lambda a: a,
    bytes,
    bytearray,
    minigrad.from_numpy,
    torch.from_numpy,
    lambda a: a.reshape(2, -1),
    lambda a: np.repeat(a, 2)[::2],
]


@pytest.mark.parametrize("form", range(len(FORMS)))
@pytest.mark.parametrize("drawn", [0, 1, 3, 311, 312, 313, 700])
def test_state_there_and_back(form: int, drawn: int) -> None:
    """From torch to here, and from here to torch: with and without a sine left over, and where the row is renewed."""
    torch.manual_seed(11)
    torch.empty(drawn, dtype=torch.float64).uniform_()
    torch.randn(drawn % 2)
    rng.manual_seed(99)
    rng.normal(1)
    rng.set_rng_state(FORMS[form](torch.get_rng_state().numpy()))
    in_step()
    same(rng.normal(5), torch.randn(5))
    torch.manual_seed(0)
    torch.set_rng_state(torch.from_numpy(blob(rng)))
    same(rng.normal(5), torch.randn(5))
    assert rng.initial_seed() == torch.initial_seed() == 11


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))])
def test_copies_go_on_by_themselves(duplicate: Callable[[rng.Generator], rng.Generator]) -> None:
    g = rng.Generator().manual_seed(1)
    rng.normal(3, generator=g)
    twin = duplicate(g)
    numbers = rng.normal(40, generator=g)
    np.testing.assert_array_equal(rng.normal(40, generator=twin), numbers)
    np.testing.assert_array_equal(twin.get_state().array, g.get_state().array)


def test_seed_from_the_system() -> None:
    values = {rng.seed() for _ in range(20)} | {rng.Generator().seed() for _ in range(20)}
    assert len(values) == 40
    assert max(values) > 2**60
    assert all(0 <= value < 2**64 for value in values)
    value = rng.seed()
    assert rng.initial_seed() == value
    numbers = rng.uniform(3)
    rng.manual_seed(value)
    np.testing.assert_array_equal(rng.uniform(3), numbers)


def test_fork_rng() -> None:
    seed(2)
    rng.normal(1)
    before = blob(rng)
    with rng.fork_rng():
        rng.manual_seed(5)
        rng.normal(3)
    np.testing.assert_array_equal(blob(rng), before)

    def fail() -> None:
        with rng.fork_rng():
            rng.normal(3)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    np.testing.assert_array_equal(blob(rng), before)
    with rng.fork_rng(enabled=False):
        rng.normal(3)
    assert (blob(rng) != before).any()
    with pytest.raises(NotImplementedError, match="devices"), rng.fork_rng([0]):
        pass


# ---- without torch: what the engine's authors, and torch once, gave -----------------------------------


def test_the_engine_is_mt19937() -> None:
    """The 10,000th word of seed 5489 is required by the C++ standard (rand.predef); the first ones are the authors'."""
    words = rng.Generator().manual_seed(5489)._words(10_000)
    assert words[:3].tolist() == [3499211612, 581869302, 3890346734]
    assert words[-1] == 4123659995


def digest(a: np.ndarray) -> str:
    return hashlib.sha256(bits(a).tobytes()).hexdigest()[:16]


def test_stored_numbers() -> None:
    rng.manual_seed(1)
    x, y, w, b = (rng.normal(shape) for shape in ((5, 1), (3, 1), (3, 5), (3, 1)))
    assert np.round(np.concatenate((x, y)), 4).ravel().tolist() == pytest.approx(
        [0.6614, 0.2669, 0.0617, 0.6213, -0.4519, -0.1661, -1.5228, 0.3817], abs=1e-6
    )
    assert [f"{v:.4f}" for v in w[2]] == ["-1.5727", "-0.1232", "3.5870", "-1.8313", "1.5987"]
    assert [f"{v:.4f}" for v in b.ravel()] == ["-1.2770", "0.3255", "-0.4791"]
    assert digest(blob(rng)) == "96a93caaa09b85cd"
    assert rng.uniform(3).view(np.uint32).tolist() == [1061516552, 1052886448, 1065320077]
    wide = [4596602697496921788, 4599617597365544178, 4597866395906410616]
    assert rng.uniform(3, np.float64).view(np.uint64).tolist() == wide
    assert rng.randperm(10).tolist() == [9, 4, 8, 5, 7, 6, 0, 2, 1, 3]
    assert rng.randint(0, 100, 8).tolist() == [29, 23, 20, 42, 72, 48, 65, 59]
    assert rng.bernoulli(0.5, 12).astype(int).tolist() == [1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 0]
    assert digest(rng.normal(10_000)) == "7c3531461caa8038"
    assert digest(blob(rng)) == "c213ddd5489199c4"


def test_every_value_that_a_float32_normal_is_made_of() -> None:
    """log over all (1 - u), sin and cos over all 2 pi v, for the 2**24 values of u and v: hashes of what torch has."""
    logs, sines, cosines = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
    for start in range(0, 1 << 24, 1 << 16):
        u = np.arange(start, start + (1 << 16), dtype=np.int32).astype(np.float32) * np.float32(2.0**-24)
        sin, cos = boxmuller.sin_cos(np.float32(2 * np.pi) * u)
        logs.update(boxmuller.log(np.float32(1) - u).tobytes())
        sines.update(sin.tobytes())
        cosines.update(cos.tobytes())
    assert logs.hexdigest()[:16] == "20e15d6387eaf272"
    assert sines.hexdigest()[:16] == "cf51824cdb98f1c2"
    assert cosines.hexdigest()[:16] == "0159be50a0cb9ad5"


def test_no_normal_is_minus_zero() -> None:
    """Where u is 0 so is the radius, and its square root is -0; the addition of the mean makes it 0, in torch too."""
    for dtype in FLOATS:
        assert not np.signbit(boxmuller.box_muller(np.zeros(16, dtype), dtype(0), dtype(1))).any()


def test_float32_normals_are_accurate() -> None:
    u = (np.arange(1, 1 << 24, 997) * 2.0**-24).astype(np.float32)
    np.testing.assert_allclose(boxmuller.log(u), np.log(u.astype(np.float64)), rtol=2e-7)
    t = np.float32(2 * np.pi) * u
    for mine, exact in zip(boxmuller.sin_cos(t), (np.sin(t.astype(np.float64)), np.cos(t.astype(np.float64))), strict=True):
        np.testing.assert_allclose(mine, exact, atol=1e-7)


# ---- bad input ---------------------------------------------------------------------------------------

ones = np.ones
t_empty = torch.empty
LEFT_ZERO, NEXT_LARGE = (rng.Generator().get_state().array for _ in range(2))
LEFT_ZERO[8:12], NEXT_LARGE[16:24] = 0, 255
# What to write here, and the same for torch; None where torch draws first, or takes it.
BAD: list[tuple[Callable[[], Any], Callable[[], Any] | None]] = [
    (lambda: rng.manual_seed(2**64), lambda: torch.manual_seed(2**64)),
    (lambda: rng.manual_seed(-(2**63) - 1), lambda: torch.manual_seed(-(2**63) - 1)),
    (lambda: rng.default_generator.manual_seed(1.5), lambda: torch.default_generator.manual_seed(1.5)),
    (lambda: rng.default_generator.manual_seed(True), lambda: torch.default_generator.manual_seed(True)),
    (lambda: rng.Generator("cuda"), lambda: torch.Generator("cuda")),
    (lambda: rng.set_rng_state(np.zeros(10, np.uint8)), lambda: torch.set_rng_state(empty(10, np.uint8))),
    (lambda: rng.set_rng_state(bytes(5055)), lambda: torch.set_rng_state(empty(5055, np.uint8))),
    (lambda: rng.set_rng_state(np.zeros(5056)), lambda: torch.set_rng_state(torch.zeros(5056))),
    (lambda: rng.set_rng_state([1, 2]), lambda: torch.default_generator.set_state([1, 2])),
    (lambda: rng.set_rng_state(bytes(5056)), lambda: torch.set_rng_state(empty(5056, np.uint8))),
    (lambda: rng.set_rng_state(LEFT_ZERO), lambda: torch.set_rng_state(torch.from_numpy(LEFT_ZERO))),
    (lambda: rng.set_rng_state(NEXT_LARGE), lambda: torch.set_rng_state(torch.from_numpy(NEXT_LARGE))),
    (lambda: rng.uniform(-1), lambda: torch.rand(-1)),
    (lambda: rng.normal((3, -2)), lambda: torch.randn(3, -2)),
    (lambda: rng.randint(0, 3, (-1,)), lambda: torch.randint(0, 3, (-1,))),
    (lambda: rng.randperm(-1), lambda: torch.randperm(-1)),
    (lambda: rng.randperm(10**9), None),
    (lambda: rng.uniform(2.5), lambda: torch.rand(2.5)),
    (lambda: rng.uniform(3, np.int64), lambda: torch.rand(3, dtype=torch.int64)),
    (lambda: rng.uniform(3, generator=3), lambda: torch.rand(3, generator=3)),
    (lambda: rng.uniform_(ones(3), 1, 0), lambda: t_empty(3).uniform_(1, 0)),
    (lambda: rng.uniform_(ones(3), 0, np.nan), lambda: t_empty(3).uniform_(0, float("nan"))),
    (lambda: rng.uniform_(ones(3), 0, np.inf), lambda: t_empty(3).uniform_(0, float("inf"))),
    (lambda: rng.uniform(3, np.float32, 0, 1e39), lambda: t_empty(3).uniform_(0, 1e39)),
    (lambda: rng.uniform(3, np.float32, -3e38, 3e38), lambda: t_empty(3).uniform_(-3e38, 3e38)),
    (lambda: rng.uniform_(np.broadcast_to(ones(1), 3)), lambda: torch.zeros(1).expand(3).uniform_()),
    (lambda: rng.normal_(ones(3), 0, -1), lambda: t_empty(3).normal_(0, -1)),
    (lambda: rng.normal_(ones(0), 0, -1), lambda: t_empty(0).normal_(0, -1)),
    (lambda: rng.normal_(ones(30), 0, np.nan), lambda: t_empty(30).normal_(0, float("nan"))),
    (lambda: rng.normal(3, np.int32), lambda: torch.randn(3, dtype=torch.int32)),
    (lambda: rng.normal_(np.broadcast_to(ones(1), 30)), lambda: torch.zeros(1).expand(30).normal_()),
    (lambda: rng.exponential_(ones(3), 0), lambda: t_empty(3).exponential_(0)),
    (lambda: rng.exponential_(ones(3), np.nan), lambda: t_empty(3).exponential_(float("nan"))),
    (lambda: rng.exponential_(np.empty(3, np.int64)), lambda: empty(3, np.int64).exponential_()),
    (lambda: rng.bernoulli(1.5, 3), lambda: t_empty(3).bernoulli_(1.5)),
    (lambda: rng.bernoulli(-0.1, 3), lambda: t_empty(3).bernoulli_(-0.1)),
    (lambda: rng.bernoulli(np.nan, 3), lambda: t_empty(3).bernoulli_(float("nan"))),
    (lambda: rng.bernoulli(np.array([0.5, 1.5])), None),
    (lambda: rng.bernoulli(np.array([0.5, np.nan])), None),
    (lambda: rng.bernoulli(np.array([0, 1])), lambda: torch.bernoulli(torch.tensor([0, 1]))),
    (lambda: rng.bernoulli_(ones(2), ones(3)), lambda: t_empty(2).bernoulli_(torch.ones(3))),
    (lambda: rng.bernoulli_(ones(2), ones((3, 1))), lambda: t_empty(2).bernoulli_(torch.ones(3, 1))),
    (lambda: rng.bernoulli_(ones(2), "a"), lambda: t_empty(2).bernoulli_("a")),
    (lambda: rng.bernoulli_(np.broadcast_to(ones(1), 3), 0.5), lambda: torch.zeros(1).expand(3).bernoulli_(0.5)),
    (lambda: rng.bernoulli_(np.broadcast_to(ones(1), 3), ones(3)), None),
    (lambda: rng.randint(5, 5, 3), lambda: torch.randint(5, 5, (3,))),
    (lambda: rng.randint(5, 3, 0), lambda: torch.randint(5, 3, (0,))),
    (lambda: rng.randint(0, 2**63, 3), lambda: torch.randint(0, 2**63, (3,))),
    (lambda: rng.randint(-(2**63) - 1, 3, 3), lambda: torch.randint(-(2**63) - 1, 3, (3,))),
    (lambda: rng.randint(0, 2.5, 3), lambda: torch.randint(0, 2.5, (3,))),
    (lambda: rng.randint(0, 300, 3, np.int8), lambda: torch.randint(0, 300, (3,), dtype=torch.int8)),
    (lambda: rng.randint(-1, 3, 3, np.uint8), lambda: torch.randint(-1, 3, (3,), dtype=torch.uint8)),
    (lambda: rng.randint(0, 3, 3, bool), lambda: torch.randint(0, 3, (3,), dtype=torch.bool)),
    (lambda: rng.randint(0, 2**25, 3, np.float32), None),
    (lambda: rng.multinomial(ones(2), 0), lambda: torch.multinomial(torch.ones(2), 0)),
    (lambda: rng.multinomial(ones(2), 3), lambda: torch.multinomial(torch.ones(2), 3)),
    (lambda: rng.multinomial(-ones(2), 1), lambda: torch.multinomial(-torch.ones(2), 1)),
    (lambda: rng.multinomial(-ones(2), 2, True), lambda: torch.multinomial(-torch.ones(2), 2, True)),
    (lambda: rng.multinomial(np.zeros(2), 1), lambda: torch.multinomial(torch.zeros(2), 1)),
    (lambda: rng.multinomial(np.array([1, np.inf]), 2, True), None),
    (lambda: rng.multinomial(np.array([1, np.nan]), 1), None),
    (lambda: rng.multinomial(np.array([[1.0, 1], [0, 0]]), 2, True), None),
    (lambda: rng.multinomial(np.array([1, 2]), 1), lambda: torch.multinomial(torch.tensor([1, 2]), 1)),
    (lambda: rng.multinomial(np.ones(2, np.float16), 1), None),
    (lambda: rng.multinomial(ones((2, 2, 2)), 1), lambda: torch.multinomial(torch.ones(2, 2, 2), 1)),
    (lambda: rng.multinomial(np.array(0.5), 1), lambda: torch.multinomial(torch.tensor(0.5), 1)),
]


@pytest.mark.parametrize("case", range(len(BAD)))
def test_bad_input_raises_what_torch_raises_and_draws_nothing(case: int) -> None:
    mine, theirs = BAD[case]
    seed(1)
    rng.normal(1)
    before = blob(rng)
    with pytest.raises((RuntimeError, TypeError, ValueError)) as caught:
        mine()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) > 20
    np.testing.assert_array_equal(blob(rng), before)
    if theirs is not None:
        with pytest.raises(Exception) as expected:  # noqa: PT011 - its type is what the next line is about
            theirs()
        assert isinstance(caught.value, expected.type) or issubclass(expected.type, type(caught.value))


def test_imports_nothing_above_the_ground() -> None:
    names = set()
    for file in Path(rng.__file__).parent.glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        tree.body = [node for node in tree.body if not isinstance(node, ast.If)]  # what only the type checker imports
        names |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        names |= {str(n.module) for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    mine = {name for name in names if name.startswith("minigrad")}
    assert {name for name in mine if not name.startswith("minigrad.random.")} == {"minigrad.autograd", "minigrad.arrays.dtypes"}
    assert {name.split(".")[0] for name in names - mine} - set(sys.stdlib_module_names) == {"numpy"}
