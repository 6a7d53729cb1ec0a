"""Tensors out of nothing and out of data, the rules by which dtypes combine, and `Size`: as in torch."""

from __future__ import annotations

import array
import copy
import itertools
import pickle
from math import inf, nan
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
from tests.twins import exact, grid, outcome, raised, same_as_torch, same_elements, same_outcomes

NAMES = ["float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool"]


# ---- out of data ---------------------------------------------------------------------------------------------------------

DATA = [
    1, -3, 2.5, True, [], [[]], [[], []], [1, 2], [1, 2.5], [True, False], [True, 2], [True, 0.5], [[1, 2], [3, 4]], (1, 2),
    [(1, 2), (3, 4)],
    [[[1.5]]], range(3), [range(2), range(2)], float("inf"), float("nan"), 2**40, [2**40, 1], np.float64(1.5), np.float32(1.5),
    np.int32(3),
    np.int64(3), np.bool_(True), np.float16(0.5), np.arange(3), np.arange(3.0), np.arange(3, dtype=np.int16), np.zeros((2, 0)),
    np.array(5.0),
    np.ones((2, 2), bool), np.ones(3, np.uint8), [np.float32(1), np.float32(2)], [np.float64(1), np.float64(2)],
    np.arange(6).reshape(2, 3).T, np.arange(3)[::-1].copy(), [np.int64(1), 2], [0.1, 1e-50, 1e38],
    [1, np.float64(1.5)], [np.float32(1), 2.5], [np.float16(1), 2.5], [np.int8(1), np.int16(3)], [[1, 2], np.ones(2)], [1.5, 2**70],
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:Creating a tensor from a list of numpy")
@pytest.mark.parametrize("data", DATA, ids=lambda d: f"{type(d).__name__} {d}".replace("\n", "")[:40])
def test_tensor_of_data(data: Any) -> None:
    @same_as_torch
    def scenario(m: Any) -> Any:
        return m.tensor(data), m.tensor(data, dtype=m.float64), m.tensor(data, dtype=m.float16), m.as_tensor(data)

    scenario()


@same_as_torch
def test_tensor_in_every_dtype(m: Any) -> Any:
    return [m.tensor(data, dtype=getattr(m, name)) for name in NAMES for data in ([0, 1, 2], [0.0, 1.7], [True, False], 3)]


@same_as_torch
def test_numbers_that_a_dtype_cannot_hold(m: Any) -> Any:
    nan = float("nan")
    refused = [raised(m.tensor, data, dtype=getattr(m, name)) for data, name in [
        (300, "uint8"), (256, "uint8"), ([1, 300], "int8"), (-129, "int8"), (2**31, "int32"), (40000, "int16"), ([nan],
            "int64"), (1e30, "int64")]]
    kept = [m.tensor(data, dtype=getattr(m, name)) for data, name in [
        (255, "uint8"), ([-1], "uint8"), (-128, "int8"), (1e39, "float32"), (1e6, "float16"), (2**40, "bool"), (2**31 - 1,
            "int32")]]
    return refused, kept, m.tensor(np.array([300, -1]), dtype=m.uint8)


@pytest.mark.filterwarnings("ignore:To copy construct from a tensor")
@same_as_torch
def test_tensor_of_tensors(m: Any) -> Any:
    x = m.tensor([1.0, 2.0], dtype=m.float64, requires_grad=True)
    copied, listed = m.tensor(x.detach()), m.tensor([m.tensor(1.5), m.tensor(2.5)])
    copied.zero_()
    shorts = [m.tensor(i, dtype=m.int8) for i in range(2)]
    ints = m.tensor([m.tensor(1), m.tensor(2)])
    return copied, listed, x, m.as_tensor(x) is x, m.as_tensor(x, dtype=m.float32), ints, m.tensor(shorts)


@same_as_torch
def test_tensor_copies(m: Any) -> Any:
    array = np.arange(3.0)
    copied, shared = m.tensor(array), m.as_tensor(array)
    array[0] = 7
    return copied, shared


@same_as_torch
def test_options_of_creation(m: Any) -> Any:
    return [
        m.tensor([1.0], requires_grad=True), m.zeros(2, requires_grad=True), m.tensor([1.0], device="cpu"), m.ones(2,
        device=m.device("cpu")),
        m.arange(3.0, requires_grad=True), m.eye(2, requires_grad=True), m.full((2,), 1.5, requires_grad=True),
        m.linspace(0, 1, 3, requires_grad=True), raised(m.zeros, 2, dtype=m.int64, requires_grad=True), m.zeros(2).device.type,
    ]  # fmt: skip


@same_as_torch
def test_the_class_as_a_constructor(m: Any) -> Any:
    shapes = [tuple(m.Tensor(*sizes).shape) for sizes in ((), (2,), (2, 3))]
    return shapes, m.Tensor([1, 2]), m.Tensor([[1.5]]), m.Tensor([True]), m.Tensor().dtype, m.Tensor(2, 3).dtype


# ---- out of nothing ------------------------------------------------------------------------------------------------------

SIZES: list[tuple[Any, ...]] = [(0,), (3,), (2, 3), ((2, 3),), ([2, 3],), ((),), (1, 0, 2)]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_filled_tensors(size: tuple[Any, ...]) -> None:
    @same_as_torch
    def scenario(m: Any) -> Any:
        shape = size[0] if size and isinstance(size[0], tuple | list) else size
        made = [m.zeros(*size), m.ones(*size), m.full(shape, 2), m.full(shape, 2.5), m.full(shape, True), m.full(shape,
            float("inf"))]
        made += [f(*size, dtype=getattr(m, name)) for name in NAMES for f in (m.zeros, m.ones)]
        made += [m.full(shape, 1, dtype=getattr(m, name)) for name in NAMES]
        like = made[0].to(m.int16)
        made += [m.zeros_like(like), m.ones_like(like), m.full_like(like, 7), m.full_like(like, 2.7), m.zeros_like(like,
            dtype=m.float64)]
        made += [like.new_zeros(2, 3), like.new_ones((2,)), like.new_full((2,), 5), like.new_tensor([1.0, 2.0]),
            like.new_zeros(2, dtype=m.bool)]
        empty = [m.empty(*size), m.empty_like(like), m.empty(*size, dtype=m.int8)]
        return made, [(tuple(e.shape), e.dtype) for e in empty]

    scenario()


@same_as_torch
def test_sizes_from_tensors_and_shapes(m: Any) -> Any:
    x = m.zeros(2, 3)
    sizes = m.ones(x.shape), m.ones(x.size(0), x.shape[1]), m.zeros(*x.shape), m.full(x.size(), 1.0)
    return *sizes, m.ones(np.int64(2)), m.zeros(x.shape[:1])


@same_as_torch
def test_arange(m: Any) -> Any:
    return [
        m.arange(5), m.arange(5.0), m.arange(2, 7), m.arange(2, 7, 2), m.arange(7, 2, -2), m.arange(0), m.arange(3, 3),
        m.arange(0.5, 3),
        m.arange(0, 1, 0.25), m.arange(1, 0, -0.3), m.arange(5, dtype=m.float64), m.arange(5.0, dtype=m.int32), m.arange(0, 10,
        3.0),
        m.arange(2.5), m.arange(start=1, end=4), m.arange(m.tensor(3)), m.arange(0, 1, 0.1), m.arange(-3, 3), m.arange(5,
        dtype=m.uint8),
        m.arange(0, 2, 0.3, dtype=m.float64),
    ]  # fmt: skip


@same_as_torch
def test_memory_with_steps(m: Any) -> Any:
    made = [m.empty_strided((2, 3), (1, 2)), m.empty_strided((2, 3), (4, 1), dtype=m.int16), m.empty_strided((0, 3), (3, 1)),
            m.empty_strided((), ()), m.ones(2, dtype=m.int64).new_empty_strided((3,), (2,))]  # fmt: skip
    attempts = [lambda: m.empty_strided((2, 3), (1,)), lambda: m.empty_strided((2,), (-1,))]
    return [[x.fill_(2), x.stride()] for x in made], [raised(attempt) for attempt in attempts]


@same_as_torch
def test_steps_of_nothing(m: Any) -> Any:
    """int64 makes nothing of a half."""
    attempts = [lambda: m.arange(0, 4, 0), lambda: m.arange(0, 4, 0.5, dtype=m.int64), lambda: m.arange(0, 4, 0.0, dtype=m.int64)]
    return [m.arange(0, 4, 0.5, dtype=m.int32), *(raised(attempt) for attempt in attempts)]


@same_as_torch
def test_linspace_and_eye(m: Any) -> Any:
    return [
        m.linspace(0, 1, 5), m.linspace(0, 1, 1), m.linspace(0, 1, 0), m.linspace(5, -5, 11), m.linspace(0, 10, 4, dtype=m.float64),
        m.linspace(-1.5, 2.5, steps=7), m.eye(3), m.eye(2, 3), m.eye(3, 2), m.eye(0), m.eye(2, dtype=m.int64), m.eye(2,
        dtype=m.bool),
    ]  # fmt: skip


@same_as_torch
def test_questions(m: Any) -> Any:
    a, b = m.tensor([1.0, 2.0]), m.tensor([1.0, 2.0 + 1e-6])
    nan = m.tensor([float("nan")])
    return [
        m.is_tensor(a), m.is_tensor([1]), m.is_tensor(np.ones(1)), m.allclose(a, b), m.allclose(a, b, rtol=0, atol=1e-9),
        m.equal(a, a.clone()),
        m.equal(a, b), m.equal(a, a[:1]), m.allclose(nan, nan), m.allclose(nan, nan, equal_nan=True), a.numel(), a.nelement(),
        a.dim(), a.ndim,
        a.element_size(), a.nbytes, a.itemsize, a.is_floating_point(), a.long().is_floating_point(), a.type(), a.long().type(),
        a.bool().type(),
        a.is_contiguous(), m.ones(2, 3).T.is_contiguous(), m.ones(2, 3).stride(), m.ones(2, 3).T.stride(), m.ones(2,
        3).stride(0), len(a),
        m.ones(2, 3).size(), m.ones(2, 3).size(-1), a.tolist(), m.ones(2, 1).tolist(), m.tensor(2).tolist(), m.tensor(2.5).item(),
        m.tensor(True).item(), m.tensor([[3]]).item(), 2.0 in a, 5.0 in a, float(m.tensor(2)), int(m.tensor(2.7)),
        bool(m.tensor(0)),
        bool(m.tensor([0.5])), [10, 20, 30][m.tensor(1)], f"{m.tensor(1.23456):.2f}", list(range(m.tensor(3))),
    ]  # fmt: skip


# ---- dtypes ----------------------------------------------------------------------------------------------------------------


@same_as_torch
def test_promotion_of_every_pair(m: Any) -> Any:
    return [m.promote_types(getattr(m, a), getattr(m, b)) for a, b in itertools.product(NAMES, repeat=2)]


@pytest.mark.parametrize("left", NAMES)
def test_results_of_every_pair(left: str) -> None:
    """Tensor with tensor, with 0-d tensor, with Python number, and each in place of the other."""

    @same_as_torch
    def scenario(m: Any) -> Any:
        vector, scalar = m.ones(2, dtype=getattr(m, left)), m.ones((), dtype=getattr(m, left))
        results = {}
        for right in NAMES:
            other, zero = m.ones(2, dtype=getattr(m, right)), m.ones((), dtype=getattr(m, right))
            results[right] = [(x + y).dtype for x in (vector, scalar) for y in (other, zero)] + [(vector * zero).dtype,
                (vector / other).dtype]
        for number in (True, 2, 2.5):
            results[repr(number)] = [(vector + number).dtype, (scalar * number).dtype, (number * vector).dtype,
                (vector / number).dtype,
                                     (number / scalar).dtype]
        return results

    scenario()


@same_as_torch
def test_casts(m: Any) -> Any:
    x = m.tensor([0.0, 1.7, -2.7, 100.0])
    casts = [x.half(), x.float(), x.double(), x.short(), x.int(), x.long(), x.bool(), x.to(m.int8), x.type(m.float64),
        x.to(dtype=m.int32),
             x.type_as(m.ones(1).long()), x.to(m.ones(1).double()), x.to("cpu"), x.to("cpu", m.float64), x.to(m.device("cpu"))]
    same = [x.float() is x, x.to(m.float32) is x, x.to("cpu") is x, x.to(m.float32, copy=True) is x, x.type(m.float32) is x,
        x.cpu() is x]
    y = m.tensor([1.0, 2.0], requires_grad=True)
    (y.double() * m.tensor([3.0, 4.0], dtype=m.float64)).sum().backward()
    return casts, same, y.grad, y.double(), y.long()


@same_as_torch
def test_the_default_dtype(m: Any) -> Any:
    assert m.get_default_dtype() is m.float32
    m.set_default_dtype(m.float64)
    try:
        made = [m.tensor(1.5), m.tensor([1, 2]), m.zeros(2), m.arange(3.0), m.linspace(0, 1, 3), m.eye(2), m.full((2,), 1.5),
            m.tensor([1]) / 2,
                m.tensor([1]) * 1.5, m.ones(2, dtype=m.float32) * 1.5, m.exp(m.tensor([1])), m.get_default_dtype(),
                m.tensor(np.float32(1.5))]
        text = repr(m.tensor([1.5])), repr(m.ones(1, dtype=m.float32))
    finally:
        m.set_default_dtype(m.float32)
    return made, text, m.tensor(1.5)


@same_as_torch
def test_dtypes_as_objects(m: Any) -> Any:
    kinds = [getattr(m, name) for name in NAMES]
    return (
        [repr(k) for k in kinds], [k.is_floating_point for k in kinds], [k.itemsize for k in kinds],
        [m.float is m.float32, m.double is m.float64, m.half is m.float16, m.long is m.int64, m.int is m.int32, m.short is m.int16],
        [pickle.loads(pickle.dumps(k)) is k for k in kinds], [copy.deepcopy(k) is k for k in kinds],
        m.zeros(1).dtype is m.float32, m.zeros(1).dtype == m.float64, {m.float32: 1}[m.ones(1).dtype],
    )  # fmt: skip


# ---- Size and device -------------------------------------------------------------------------------------------------------


@same_as_torch
def test_size(m: Any) -> Any:
    size = m.zeros(2, 3, 4).shape
    return [
        size, size[0], size[1:], size[-2:], size + (5,), (1,) + size, size + size, size * 2, size.numel(), m.Size([]).numel(),  # noqa: RUF005
        m.Size((2, 0)).numel(),
        m.Size([2, 3]), str(size), f"{size}", size == (2, 3, 4), size == m.Size([2, 3, 4]), size == [2, 3, 4], len(size),
        tuple(size), list(size),
        isinstance(size, tuple), hash(size) == hash((2, 3, 4)), {size: 1}[(2, 3, 4)], size.count(3), size.index(4), 3 in size,
        [*size],
        m.zeros(()).shape, sorted(size, reverse=True), pickle.loads(pickle.dumps(size)), raised(lambda: size + [1]),  # noqa: RUF005
        type(size[0]).__name__,
    ]  # fmt: skip


@same_as_torch
def test_device(m: Any) -> Any:
    cpu, cuda = m.device("cpu"), m.device("cuda:1")
    return [
        repr(cpu), str(cpu), repr(cuda), str(cuda), cuda.type, cuda.index, cpu.index, cpu == m.device("cpu"), cpu == cuda,
        cuda == m.device("cuda", 1),
        m.zeros(1).device == cpu, {cpu: 1}[m.zeros(1).device], m.device(cuda) == cuda, raised(m.device, "gpu"), raised(m.device,
        "cuda:x"),
        str(m.zeros(1).device), m.device("cuda").index, cpu != cuda, cpu == "cpu",
    ]  # fmt: skip


# ---- copies ------------------------------------------------------------------------------------------------------------------


@same_as_torch
def test_copies_and_pickles(m: Any) -> Any:
    x = m.tensor([1.0, 2.0], requires_grad=True)
    (x * 3).sum().backward()
    deep, again = copy.deepcopy(x), pickle.loads(pickle.dumps(x))
    deep.grad.zero_()
    deep.data.fill_(9)
    shared = copy.deepcopy([x, x])
    both = copy.deepcopy((x, {"x": x}))
    return (deep, deep.grad, x, x.grad, again, shared[0] is shared[1], both[0] is both[1]["x"], copy.deepcopy(m.arange(3)),
            raised(copy.deepcopy, x * 2), pickle.loads(pickle.dumps(m.ones(2, 3).T)))


@same_as_torch
def test_tensors_are_hashed_by_identity(m: Any) -> Any:
    a, b = m.ones(2), m.ones(2)
    return len({a, b, a}), {a: "a", b: "b"}[b], a in {a}


@same_as_torch
def test_comparison_with_other_things(m: Any) -> Any:
    x = m.tensor([1.0, 2.0])
    return x == 1, x != 1, x == m.tensor(2.0), x == None, x != None, x == "a", x == [1.0, 2.0]  # noqa: E711


@pytest.mark.parametrize("python_type", [float, int, bool])
@same_as_torch
def test_python_types_name_dtypes(m: Any, python_type: type) -> Any:
    return m.zeros(2, dtype=python_type), m.ones(2).to(python_type), m.tensor([1], dtype=python_type)


# ---- arguments that do not fit ---------------------------------------------------------------------------------------------


test_sizes_and_ranges_that_do_not_fit = same_outcomes(
    {f"{name}({value!r})": lambda m, name=name, value=value: getattr(m, name)(value) for name, value in (
        ("arange", "a"), ("arange", None), ("arange", [1]), ("arange", nan), ("arange", inf), ("zeros", "a"), ("randn", "a"),
        ("rand", 2.5), ("randn", None), ("eye", "a"), ("randperm", "a"), ("rand", -1), ("randn", -1), ("zeros", -1))}
    | {"arange()": lambda m: m.arange(), "zeros()": lambda m: m.zeros(), "linspace": lambda m: m.linspace("a", 1, 3),
       "linspace of 2.5": lambda m: m.linspace(0, 1, 2.5), "full of many": lambda m: m.full((2,), m.ones(2)),
       "arange of whole numbers": lambda m: [m.arange(*a, dtype=m.int64) for a in ((1, 2.5), (-1.5, 3), (5, 0.5, -1.5))],
       "arange of int32": lambda m: m.arange(-1.5, 2.0, dtype=m.int32),
       "arange of int64": lambda m: m.arange(-1.5, 2.0, dtype=m.int64),
       "arange of int16": lambda m: m.arange(0.5, 3.7, 1.5, dtype=m.int16), "new_zeros(-1)": lambda m: m.ones(1).new_zeros(-1),
       "new_full": lambda m: (m.tensor([1]).new_full((2,), 1.5, dtype=m.float64), m.tensor([1]).new_zeros(2, dtype=None))}
)  # fmt: skip


@same_as_torch
def test_lists_of_tensors_hold_single_elements(m: Any) -> Any:
    return m.tensor([m.ones(1), 2]), raised(lambda: m.tensor([m.ones(2), m.ones(2)]))


@same_as_torch
def test_names_of_numbers(m: Any) -> Any:
    limits = [m.finfo(d) for d in (m.float16, m.float32, m.float64)] + [m.finfo()]
    whole = [m.iinfo(d) for d in (m.uint8, m.int8, m.int16, m.int32, m.int64)]
    return (
        [(x.eps, x.min, x.max, x.tiny, x.smallest_normal, x.resolution, x.bits, x.dtype) for x in limits],
        [(x.min, x.max, x.bits, x.dtype) for x in whole], m.pi, m.e, m.inf, m.nan, grid(m)[m.newaxis].shape,
        outcome(lambda m: m.finfo(m.int8), m), outcome(lambda m: m.iinfo(m.float32), m),
    )  # fmt: skip


@same_as_torch
def test_what_a_tensor_says_of_itself(m: Any) -> Any:
    x, array = grid(m), m.ones(2).numpy()
    shared, copied = m.asarray(array), m.asarray(array, copy=True, requires_grad=True)
    array[0] = 5
    return (
        m.numel(x), m.is_floating_point(x), m.is_complex(x), m.is_nonzero(m.tensor([2.0])), outcome(lambda m: m.is_nonzero(x), m),
        x.is_cuda, x.ndimension(), x.new_empty(2, 3).shape, x.new_zeros(size=(2,), device="cpu"), x.new_ones((2, 1), dtype=m.int64),
        x.new_full((2,), 3, device=x.device, requires_grad=True), x.new_tensor([1, 2]), x.int().new_tensor([1, 2], dtype=m.float64),
        [outcome(lambda m, d=d: x.new_ones(2, device=d), m) for d in ("cuda", "cuda:1", "xpu")], outcome(lambda m: x.cuda(), m),
        x.byte(), x.char(), x.half(), x.int(), x.allclose(x + 1), x.equal(x),
        shared, copied, m.asarray([1, 2], dtype=m.float64), repr(x.sort(descending=True)), repr(x.topk(1)), repr(x.median(0)),
    )  # fmt: skip


@same_as_torch
def test_what_scripts_ask_and_set_before_they_choose_a_device(m: Any) -> Any:
    cudnn, before = m.backends.cudnn, m.backends.cudnn.benchmark
    cudnn.benchmark = before
    m.cuda.manual_seed(0)
    m.cuda.manual_seed_all(0)
    m.cuda.empty_cache()
    return m.backends.mps.is_available(), cudnn.enabled, before, cudnn.deterministic, cudnn.is_available()


test_ranges = same_elements({
    "arange(0., 5)": lambda m: m.arange(0.0, 5), "arange(0, 5)": lambda m: m.arange(0, 5), "end": lambda m: m.arange(end=3),
    "start and end": lambda m: m.arange(start=0.0, end=3), "0-d": lambda m: m.arange(m.tensor(0.0), 3),
    "a bool": lambda m: m.arange(False, 3), "NumPy's 0": lambda m: m.arange(np.float32(0), 3), "nothing": lambda m: m.arange(0.0),
    "None and 5": lambda m: m.arange(None, 5), "5 and None": lambda m: m.arange(5, None),
    "half a number": lambda m: m.linspace(5, -3, 7, dtype=m.int64), "of bools": lambda m: m.linspace(0, 1, 5, dtype=m.bool),
    "too large for int8": lambda m: m.linspace(0, 300, 4, dtype=m.int8),
    "a large range": lambda m: m.linspace(0, 10**17, 3, dtype=m.int64),
    "too large for float16": lambda m: m.linspace(-1e5, 1e5, 5, dtype=m.float16),
    "a range too large for float16": lambda m: m.linspace(-6e4, 6e4, 5, dtype=m.float16),
    "fewer than none": lambda m: m.linspace(0, 1, -1),
    "padded by False": lambda m: m.nn.functional.pad(m.ones(2), (1, 1), value=False),
    "padded by -0": lambda m: m.nn.functional.pad(m.ones(2), (1, 1), value=-0.0),
})  # fmt: skip


@same_as_torch
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"])
def test_linspace(m: Any, dtype: str) -> Any:
    limits = np.random.RandomState(0).uniform(0, 100, (20, 2)) - (0 if dtype == "uint8" else 50)
    pairs = [(int(a), int(b)) if i % 2 else (a, b) for i, (a, b) in enumerate(limits.tolist())]
    return exact([m.linspace(*pair, count, dtype=getattr(m, dtype)) for pair in pairs for count in (0, 1, 2, 3, 7, 16, 33, 101)])


MEMORY = b"\x00\x00\x80\x3f\x00\x00\x00\x40"

test_memory_of_buffers = same_outcomes({
    "asarray": lambda m: m.asarray(bytearray(MEMORY)), "as int32": lambda m: m.asarray(bytearray(MEMORY), dtype=m.int32),
    "an array": lambda m: m.asarray(array.array("i", [1, 2])),
    "of its dtype": lambda m: m.asarray(array.array("d", [1, 2]), dtype=m.float64),
    "a view": lambda m: m.asarray(memoryview(bytearray(MEMORY))[4:]),
    "too long": lambda m: m.asarray(bytearray(7), dtype=m.float32),
    "nothing": lambda m: m.asarray(bytearray()), "a word": lambda m: m.asarray("abc"),
    "a number": lambda m: m.asarray(3.5, dtype=m.int64),
    "frombuffer": lambda m: m.frombuffer(bytearray(MEMORY), dtype=m.uint8),
    "a part": lambda m: m.frombuffer(bytearray(MEMORY), dtype=m.int16, count=1, offset=2),
    "none": lambda m: m.frombuffer(bytearray(MEMORY), dtype=m.uint8, count=0),
    "more": lambda m: m.frombuffer(bytearray(2), dtype=m.uint8, count=3),
    "behind": lambda m: m.frombuffer(bytearray(2), dtype=m.uint8, offset=2),
    "odd": lambda m: m.frombuffer(bytearray(3), dtype=m.int16),
    "with gradient": lambda m: m.frombuffer(bytearray(MEMORY), dtype=m.float32, requires_grad=True),
    "no copy of a list": lambda m: m.asarray([1, 2], copy=False),
    "no copy of an array": lambda m: m.asarray(np.ones(2), copy=False),
    "no copy, another dtype": lambda m: m.asarray(m.ones(2), copy=False, dtype=m.int64),
})  # fmt: skip


@same_as_torch
def test_asarray_shares(m: Any) -> Any:
    buffer, numbers, x = bytearray(8), np.zeros(2), m.zeros(2)
    m.asarray(buffer, dtype=m.float32)[0] = 1
    m.asarray(buffer, dtype=m.float32, copy=True)[1] = 1
    m.asarray(numbers)[0] = 1
    history = m.asarray(m.ones(2, requires_grad=True) * 2, requires_grad=True)
    alone = m.asarray(m.ones(2, requires_grad=True) * 2, requires_grad=False)
    return bytes(buffer), numbers, m.asarray(x) is x, m.asarray(x, copy=True) is x, history, alone, m.asarray(x, requires_grad=True)


@pytest.mark.parametrize("m", [torch, minigrad])
def test_asarray_warns(m: Any) -> None:
    with pytest.warns(UserWarning, match="not writable"):
        assert m.asarray(b"\x01\x02", dtype=m.uint8).tolist() == [1, 2]


def test_asarray_warns_of_history() -> None:
    x = minigrad.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="requires_grad explicitly"):
        assert minigrad.asarray(x) is x


MEMORY_OPTIONS = {name: lambda m, name=name, call=call: call(getattr(m, name), m) for name, call in {
    **dict.fromkeys(("zeros", "ones", "rand", "randn", "empty"), lambda make, m: make(2, layout=m.strided, pin_memory=False).shape),
    **dict.fromkeys(("zeros_like", "ones_like", "empty_like", "rand_like", "randn_like"), lambda make, m: make(
        m.ones(2), layout=m.strided, pin_memory=False, memory_format=m.preserve_format, requires_grad=True).requires_grad),
    "full": lambda make, m: make((2,), 1.0, layout=m.strided, pin_memory=False), "eye": lambda make, m: make(2, layout=m.strided),
    "full_like": lambda make, m: make(m.ones(2), 3, memory_format=m.contiguous_format),
    "tensor": lambda make, m: make([1.0], pin_memory=False),
    "arange": lambda make, m: make(3, layout=m.strided, pin_memory=False),
    "linspace": lambda make, m: make(0, 1, 3, layout=m.strided),
    "randint": lambda make, m: make(0, 1, (2,), layout=m.strided),
    "randperm": lambda make, m: make(1, layout=m.strided, pin_memory=False),
    "randint_like": lambda make, m: make(m.ones(2), 0, 1, memory_format=m.preserve_format),
    "normal": lambda make, m: make(0.0, 0.0, (2,), layout=m.strided, pin_memory=False),
    "clone": lambda make, m: make(m.ones(2), memory_format=m.preserve_format),
}.items()}

test_memory_options = same_outcomes({
    **MEMORY_OPTIONS, "no format of zeros": lambda m: m.zeros(2, memory_format=m.contiguous_format),
    "pinned": lambda m: m.zeros(2, pin_memory=True),
    "an empty one": lambda m: m.empty(2, memory_format=m.contiguous_format).shape,
    "a method": lambda m: m.ones(2).new_zeros(2, layout=m.strided, pin_memory=False),
    "a layout that is none": lambda m: m.ones(2, layout="strided"),
    "names": lambda m: [repr(m.strided), repr(m.contiguous_format), repr(m.preserve_format)],
    "methods": lambda m: [m.ones(2).clone(memory_format=m.contiguous_format),
    m.ones(2).contiguous(memory_format=m.contiguous_format),
                          m.ones(2).to(m.float64, memory_format=m.preserve_format),
                          m.ones(2).half(memory_format=m.preserve_format)],
    "asked": lambda m: [repr(m.ones(2).layout), m.ones(2).is_pinned(), m.ones(2).is_contiguous(memory_format=m.contiguous_format)],
    "pin_memory()": lambda m: m.ones(2).pin_memory(),
})  # fmt: skip


def test_memory_formats_that_are_not_supported_are_named() -> None:
    x = minigrad.ones(2, 3, 4, 4)
    for call in (x.contiguous, x.clone, x.to, x.is_contiguous, lambda **options: minigrad.empty(2, 3, 4, 4, **options)):
        with pytest.raises(NotImplementedError, match="channels_last"):
            call(memory_format=minigrad.channels_last)


class Steps:
    """A sequence that has nothing but a length and elements."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, i: int) -> float:
        if i >= 3:
            raise IndexError
        return i * 1.5


test_sequences_of_ones_own = same_outcomes({
    "alone": lambda m: m.tensor(Steps()), "as_tensor": lambda m: m.as_tensor(Steps()),
    "in a list": lambda m: m.tensor([Steps(), Steps()]),
    "as integers": lambda m: m.tensor(Steps(), dtype=m.int64), "Tensor": lambda m: m.Tensor(Steps()),
    "a dict": lambda m: m.tensor({1: 2}),
    "a set": lambda m: m.tensor({1, 2}), "an iterator": lambda m: m.tensor(iter([1, 2])), "a range": lambda m: m.tensor(range(3)),
})  # fmt: skip

test_negative_numbers_as_bytes = same_outcomes({
    "an integer": lambda m: m.tensor([-1], dtype=m.uint8), "a float": lambda m: m.tensor([-1.0], dtype=m.uint8),
    "a half": lambda m: m.tensor([-0.5], dtype=m.uint8),
    "filled": lambda m: m.ones(2).byte().fill_(-1.0), "filled with an integer": lambda m: m.ones(2).byte().fill_(-1),
    "full": lambda m: m.full((1,), -1.0, dtype=m.uint8),
    "too small": lambda m: m.tensor([-300], dtype=m.uint8), "converted": lambda m: m.tensor([-1]).byte(),
})  # fmt: skip

test_what_a_size_holds = same_outcomes({
    "a fraction": lambda m: m.Size((1, 2.5)), "a whole fraction": lambda m: m.Size([1, 2.0]), "a word": lambda m: m.Size((1, "a")),
    "a bool": lambda m: m.Size((1, True)), "a tensor": lambda m: m.Size((1, m.tensor(2))),
    "NumPy's": lambda m: m.Size((1, np.int64(2))),
    "a number": lambda m: m.Size(3), "nothing": lambda m: m.Size(), "None": lambda m: m.Size((1, None)),
    "a range": lambda m: m.Size(range(3)),
    "a tensor of a fraction": lambda m: m.Size([m.tensor(2.5)]),
})  # fmt: skip

test_devices = same_outcomes({
    "with": lambda m: entered(m.device("cpu"), m), "with another": lambda m: entered(m.device("cuda"), m),
    "default": lambda m: [m.set_default_device("cpu"), m.ones(1)],
    "no default": lambda m: [m.set_default_device(None), m.ones(1)], "asked": lambda m: m.get_default_device(),
    "flag behind a device": lambda m: m.ones(2).to("cpu", True),
    "of a module": lambda m: m.nn.Linear(1, 1).to(m.device("cpu"), True),
    "flag behind a dtype": lambda m: m.ones(2).to(m.float64, True),
})  # fmt: skip


def entered(device: Any, m: Any) -> Any:
    with device as given:
        return given, m.ones(2)


test_limits_as_text = same_outcomes({
    **{name: lambda m, name=name: [repr(m.finfo(getattr(m, name))), str(m.finfo(getattr(m, name)))] for name in ("float16",
    "float32", "float64")},
    **{name: lambda m, name=name: repr(m.iinfo(getattr(m, name))) for name in ("uint8", "int8", "int16", "int32", "int64")},
    "default": lambda m: repr(m.finfo()),
    "equal": lambda m: [m.finfo(m.float32) == m.finfo(), m.finfo() == m.finfo(m.float64), m.finfo() == 3],
    "names": lambda m: [type(m.finfo()).__name__, type(m.iinfo(m.int8)).__name__],
})  # fmt: skip


WARNED = {
    "detach": lambda m: m.tensor(m.tensor([1.0])),
    "numpy.array": lambda m: m.tensor([np.ones(2), np.ones(2)]), "indexing": lambda m: m.meshgrid(m.ones(2), m.ones(3)),
    "torch.uint8": lambda m: m.ones(2)[m.tensor([1, 0], dtype=m.uint8)],
    "uint8 condition": lambda m: m.where(m.ones(2).byte(), m.ones(2), m.zeros(2)),
    "var.*degrees of freedom": lambda m: m.ones(1).var(), "std.*degrees of freedom": lambda m: m.ones(2, 1).std(1),
    "requires_grad=True to a scalar": lambda m: float(m.ones((), requires_grad=True)),
    "create_graph=True": lambda m: (m.ones((), requires_grad=True) * 2).backward(create_graph=True),
    "create_graph=True ": lambda m: m.autograd.backward([m.ones((), requires_grad=True) * 2], create_graph=True),
}  # fmt: skip


@pytest.mark.parametrize("words", WARNED)
def test_what_a_beginner_is_warned_of(words: str) -> None:
    """torch gives these warnings too, some of them once per process only; ours point at the caller."""
    with pytest.warns(UserWarning, match=words.strip()) as caught:
        WARNED[words](minigrad)
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize("call", [
    lambda m: m.ones(2).var(), lambda m: m.ones(1).var(unbiased=False), lambda m: m.as_tensor(m.ones(1)),
    lambda m: m.tensor([np.float32(1), np.float32(2)]),
    lambda m: m.ones((), requires_grad=True).item(), lambda m: bool(m.ones((), requires_grad=True)), lambda m: int(m.ones((),
    requires_grad=True)),
    lambda m: float(m.ones(())), lambda m: m.meshgrid(m.ones(2), indexing="ij")[0], lambda m: (m.ones((),
    requires_grad=True) * 2).backward(),
])  # fmt: skip
def test_what_warns_of_nothing(call: Any) -> None:
    same_as_torch(lambda m: [call(m)])()

test_windows_of_signals = same_outcomes({
    **{f"{name}_window {n}": lambda m, name=name, n=n: [getattr(m, f"{name}_window")(n, *options) for options in ((), (False,))]
       for name in ("hann", "hamming", "blackman", "bartlett", "kaiser") for n in (0, 1, 2, 5, 8, -1)},
    **{f"{name}_window float64": lambda m, name=name: getattr(m, f"{name}_window")(7, False, dtype=m.float64, requires_grad=True)
       for name in ("hann", "hamming", "blackman", "bartlett", "kaiser")},
    "hann_window of integers": lambda m: m.hann_window(3, dtype=m.int64),
    "hamming_window's numbers": lambda m: m.hamming_window(6, True, 0.6, 0.4),
    "kaiser_window's number": lambda m: m.kaiser_window(6, True, 5.0),
})  # fmt: skip

test_by_powers = same_outcomes({
    "logspace": lambda m: m.logspace(0, 2, 5),
    "base": lambda m: m.logspace(-3, 3, 7, base=2),
    "float64": lambda m: m.logspace(0.1, 1.7, 6, dtype=m.float64),
    "integers": lambda m: m.logspace(0, 3, 4, dtype=m.int64),
    "none": lambda m: m.logspace(0, 1, 0),
    "requires_grad": lambda m: m.logspace(0, 1, 2, requires_grad=True),
    "negative": lambda m: m.logspace(0, 1, -1),
})

test_of_one_number = same_outcomes({
    "scalar_tensor": lambda m: m.scalar_tensor(3),
    "with dtype": lambda m: m.scalar_tensor(3, dtype=m.int64),
    "bool": lambda m: m.scalar_tensor(True, requires_grad=True),
})

test_which_dtype = same_outcomes({
    "tensor and number": lambda m: m.result_type(m.tensor([1, 2]), 1.0),
    "tensor and integer": lambda m: m.result_type(m.ones(2).half(), 1),
    "0-d": lambda m: m.result_type(m.tensor([1], dtype=m.uint8), m.tensor(1)),
    "tensors": lambda m: m.result_type(m.ones(1), m.ones(1, dtype=m.float64)),
    "numbers": lambda m: m.result_type(1, 2.5),
    "can_cast": lambda m: [m.can_cast(a, b) for a in dtypes_of(m) for b in dtypes_of(m)],
})


def dtypes_of(m: Any) -> list[Any]:
    return [m.bool, m.uint8, m.int8, m.int32, m.int64, m.float16, m.float32, m.float64]


test_shapes_together = same_outcomes({
    "broadcast_shapes": lambda m: m.broadcast_shapes((2, 1), (3,), 1),
    "none": lambda m: m.broadcast_shapes(),
    "different": lambda m: m.broadcast_shapes((2,), (3,)),
})

test_what_a_tensor_is = same_outcomes({
    "where": lambda m: [m.ones(2).get_device(), m.get_device(m.ones(2)), m.ones(2).is_cpu],
    "what it is not": lambda m: [m.ones(2).is_sparse, m.ones(2).is_quantized, m.ones(2).is_mps, m.ones(2).is_xpu, m.ones(2).is_meta,
                                 m.ones(2).is_nested, m.ones(2).is_sparse_csr, m.ones(2).is_mkldnn],
    "signed": lambda m: [m.zeros(1, dtype=d).is_signed() for d in dtypes_of(m)] + [m.is_signed(m.ones(1))],
    "offset": lambda m: [m.ones(3, 4)[1:, 2:].storage_offset(), m.ones(3).storage_offset(), m.ones(3, 4).t()[1].storage_offset()],
    "size": lambda m: [m.ones(2).is_same_size(m.ones(2)), m.is_same_size(m.ones(2), m.ones(2, 1))],
    "typename": lambda m: [m.typename(m.ones(1)), m.typename(m.ones(1).long()), m.typename(3), m.typename([].append),
                           m.typename(dict)],
})  # fmt: skip

test_functions_that_write_into_their_tensor = same_outcomes({
    "relu_": lambda m: (lambda x: [m.relu_(x) is x, x])(m.tensor([-1.0, 2.0])),
    "others": lambda m: (lambda x: [m.exp_(x), m.clamp_(x, 0, 1), m.fill_(x, 2.0), m.zero_(x), x._version])(m.tensor([-1.0, 2.0])),
    "history": lambda m: (lambda x: [m.sigmoid_(x * 1), m.detach(x * 1).requires_grad])(m.ones(2, requires_grad=True)),
})
