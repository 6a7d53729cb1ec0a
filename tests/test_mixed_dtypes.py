"""Which dtypes and types go together: minigrad refuses what torch refuses, and results are of the same dtype."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import reduce
from math import inf, nan
from typing import Any

import numpy as np
import pytest
import torch

import minigrad

from .twins import changed, exact, outcome, same_as_torch, same_elements, same_outcomes, with_gradient

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
FEW = ["bool", "uint8", "int64", "float32", "float64"]
Call = Callable[[Any], Any]


def of(m: Any, dtype: str, *shape: int) -> Any:
    """A tensor of zeros and ones, or of fractions."""
    values = np.linspace(0.1, 0.9, int(np.prod(shape))).reshape(shape)
    return m.from_numpy((values if dtype.startswith("float") else values > 0.5).astype(dtype))


def all_outcomes(m: Any, calls: list[Call]) -> list[Any]:
    return [outcome(call, m) for call in calls]


OPERANDS: dict[str, Call] = {
    "bool": lambda m: m.tensor([True, False]), "bool0d": lambda m: m.tensor(True), "int": lambda m: m.tensor([1, 2]),
    "uint8": lambda m: m.tensor([1, 2], dtype=m.uint8), "float": lambda m: m.tensor([1.0, 2.0]), "1": lambda m: 1,
    "1.5": lambda m: 1.5, "True": lambda m: True,
}  # fmt: skip
PAIRS = [pair for pair in itertools.product(OPERANDS, repeat=2) if not pair[0][0].isupper() and not pair[0][0].isdigit()]


@same_as_torch
@pytest.mark.parametrize("name", [
    "sub", "rsub", "add", "mul", "maximum", "minimum", "atan2", "logical_and", "logical_or", "logical_xor", "bitwise_and", "eq",
    "pow", "remainder", "Tensor.__sub__", "Tensor.__rsub__", "Tensor.sub_",
])  # fmt: skip
def test_pairs(m: Any, name: str) -> Any:
    """Two tensors, or a tensor and a number."""
    function = reduce(getattr, name.split("."), m)
    return [outcome(lambda m, a=a, b=b: function(OPERANDS[a](m), OPERANDS[b](m)), m) for a, b in PAIRS]


@same_as_torch
@pytest.mark.parametrize("alpha", [1, 1.0, 2, 2.0, 0.5, True])
def test_alpha(m: Any, alpha: Any) -> Any:
    pairs = [(a, b) for a, b in PAIRS if b != "True"]
    return [outcome(lambda m, a=a, b=b: m.add(OPERANDS[a](m), OPERANDS[b](m), alpha=alpha), m) for a, b in pairs]


UNARY = """
    abs acos asin atan bitwise_not ceil cos cosh erf exp expm1 floor isfinite isinf isnan log log10 log1p log2 logical_not neg
    positive reciprocal relu round rsqrt sigmoid sign sin sinh sqrt square tan tanh trunc clone nonzero sum prod any all argmax
    mean std norm max min amax sort median unique count_nonzero tril"""
ACTIVATIONS = """
    relu relu6 hardtanh leaky_relu elu selu silu mish gelu softplus hardsigmoid hardswish logsigmoid softsign softmax"""


@same_as_torch
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", DTYPES)
def test_one_tensor(m: Any, dtype: str) -> Any:
    functions = [getattr(m, name) for name in UNARY.split()] + [getattr(m.nn.functional, name) for name in ACTIVATIONS.split()]
    functions.append(lambda x: m.nn.functional.hardtanh(x, -0.5, 0.5))
    results = [outcome(lambda m, f=f: f(of(m, dtype, 3, 3)), m) for f in functions]
    return [list(each) if isinstance(each, tuple) else each for each in results]


@pytest.mark.parametrize(("left", "right"), list(itertools.product(FEW, repeat=2)))
def test_two_tensors(left: str, right: str) -> None:
    """Products of matrices and what else wants one dtype, and limits."""

    def a(m: Any) -> Any:
        return of(m, left, 2, 2)

    def b(m: Any) -> Any:
        return of(m, right, 2, 2)

    same_as_torch(lambda m: all_outcomes(m, [
        lambda m: a(m) @ b(m), lambda m: m.mm(a(m), b(m)), lambda m: a(m)[0] @ b(m)[0], lambda m: a(m) @ b(m)[0],
        lambda m: m.bmm(a(m)[None], a(m)[None]), lambda m: a(m) @ a(m)[None], lambda m: m.addmm(a(m), a(m), b(m)),
        lambda m: m.outer(a(m)[0], b(m)[0]), lambda m: m.einsum("ij,ij->ij", a(m), b(m)),
        lambda m: m.einsum("ij,jk->ik", a(m), b(m)) if left != "bool" or left == right else None, lambda m: m.einsum("ij->j", a(m)),
        lambda m: m.lerp(a(m), b(m), 0.5), lambda m: m.lerp(a(m), a(m), b(m)),
        lambda m: m.lerp(a(m), a(m), b(m)[0, 1]) if "float" in left else None,
        lambda m: m.clamp(a(m), min=b(m)), lambda m: m.clamp(a(m), max=b(m)), lambda m: m.addcmul(a(m), b(m), b(m)),
        lambda m: list(m.meshgrid(a(m)[0], b(m)[1], indexing="ij")),
    ]))()  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("left", "right"), [(a, b) for a, b in itertools.product(FEW, repeat=2) if "float" in a + b])
def test_losses(left: str, right: str) -> None:
    """The dtype of a loss is that of its wider operand, or of the one that torch computes it in the place of."""

    def loss(name: str, **options: Any) -> Call:
        def call(m: Any) -> Any:
            value = getattr(m.nn.functional, name)(of(m, left, 2, 3), of(m, right, 2, 3), **options)
            return value.dtype, value.float()  # torch computes some in the narrower dtype

        return call

    names = ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div", "binary_cross_entropy",
             "binary_cross_entropy_with_logits"]  # fmt: skip
    same_as_torch(lambda m: all_outcomes(m, [loss(name, reduction=how) for name in names for how in ("mean", "none")]))()


@same_as_torch
@pytest.mark.filterwarnings("ignore")
def test_more_losses(m: Any) -> Any:
    """Weights, tensors without dimensions, integers."""
    f, x, y, scores = m.nn.functional, of(m, "float32", 2, 3), of(m, "float32", 2, 3), m.tensor([[1, 2]])
    wide = of(m, "float64", 2, 3)
    return all_outcomes(m, [
        lambda m: f.binary_cross_entropy(x, y, wide), lambda m: f.binary_cross_entropy_with_logits(x, y, wide),
        lambda m: f.binary_cross_entropy_with_logits(x, y, pos_weight=wide[0].long()),
        lambda m: f.binary_cross_entropy(scores, scores), lambda m: f.nll_loss(scores, m.tensor([1])),
        lambda m: f.cross_entropy(scores, m.tensor([1])), *(lambda m, name=name: getattr(f, name)(x, wide[0, 0])
        for name in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")),
    ])  # fmt: skip


@same_as_torch
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64", "float32"])
def test_indices(m: Any, dtype: str) -> Any:
    x, index = of(m, "float32", 2, 2), of(m, dtype, 2, 2)
    return all_outcomes(m, [
        lambda m: x.gather(0, index), lambda m: x.scatter(0, index, x), lambda m: x.scatter_add(0, index, x),
        lambda m: x.index_select(0, index[0]), lambda m: m.tensor(1.0).argsort(1), lambda m: m.tensor(1.0).argsort(0),
    ])  # fmt: skip


NO_TENSORS = [3, 1.5, None, [1.0, 2.0], "text", True]
FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    name: lambda m, x, name=name: reduce(getattr, name.split("."), m)(x)
    for name in ("exp", "flatten", "ravel", "mean", "var", "max", "argmax", "sort", "trace", "t", "nonzero",
                 "nn.functional.dropout", "nn.functional.gelu", "nn.functional.relu6", "nn.functional.silu",
                 "nn.functional.one_hot")
} | {
    "linear": lambda m, x: m.nn.functional.linear(x, m.ones(1, 2)), "weight": lambda m, x: m.nn.functional.linear(m.ones(1, 2), x),
    "conv2d": lambda m, x: m.nn.functional.conv2d(x, m.ones(1, 1, 1, 1)), "mm": lambda m, x: m.mm(m.ones(2, 2), x),
    "matmul": lambda m, x: m.matmul(x, m.ones(2)), "clamp": lambda m, x: m.clamp(x, 0), "pow": lambda m, x: m.pow(x, 2),
    "gather": lambda m, x: m.gather(m.ones(2), 0, x), "index_select": lambda m, x: m.index_select(m.ones(2), 0, x),
    "where": lambda m, x: m.where(x, 1.0, 2.0), "reshape": lambda m, x: m.reshape(x, (-1,)), "sum": lambda m, x: m.sum(x, 0),
    "softmax": lambda m, x: m.softmax(x, 0), "cross_entropy": lambda m, x: m.nn.functional.cross_entropy(x, m.tensor([0])),
    "class weight": lambda m, x: m.nn.functional.cross_entropy(m.ones(1, 2), m.tensor([0]), x) if x is not None else m.exp(x),
    "embedding": lambda m, x: m.nn.functional.embedding(x, m.ones(2, 2)), "lerp": lambda m, x: m.lerp(m.ones(2), x, 0.5),
    "layer_norm": lambda m, x: m.nn.functional.layer_norm(x, (2,)), "max_pool2d": lambda m, x: m.nn.functional.max_pool2d(x, 2),
    "expand_as": lambda m, x: m.ones(2).expand_as(x), "type_as": lambda m, x: m.ones(2).type_as(x),
    "addcmul": lambda m, x: m.addcmul(m.ones(2), m.ones(2), x), "take_along_dim": lambda m, x: m.take_along_dim(x, m.tensor([0])),
    "Linear": lambda m, x: m.nn.Linear(2, 2)(x), "Conv2d": lambda m, x: m.nn.Conv2d(1, 1, 1)(x),
    "ReLU": lambda m, x: m.nn.ReLU()(x),
    "Sequential": lambda m, x: m.nn.Sequential(m.nn.Flatten(), m.nn.Linear(2, 2))(x) if x is not None else m.exp(x),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_no_tensor(name: str) -> None:
    """One sentence says which operation got what for a tensor."""
    for x in NO_TENSORS:
        with pytest.raises((TypeError, AttributeError)):  # torch forgets to look, here and there
            FUNCTIONS[name](torch, x)
        with pytest.raises(TypeError, match=rf"^\w+\(\).*\b{type(x).__name__}\b"):
            FUNCTIONS[name](minigrad, x)


def test_the_operation_that_the_user_called_is_named() -> None:
    with pytest.raises(TypeError, match=r"^linear\(\): expected a tensor, got int; make one with torch.tensor"):
        minigrad.nn.Linear(2, 2)(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^conv2d\(\): expected a tensor, got NoneType"):
        minigrad.nn.Conv2d(1, 1, 1)(None)  # type: ignore[arg-type]


def test_numpys_names_take_numbers_too() -> None:
    """What torch takes tensors only for; a number gives way to the dtype of a tensor."""
    x = minigrad.tensor(2.0, requires_grad=True)
    for result, expected in ((np.maximum(x, 3.0), 3.0), (np.minimum(1, x), 1.0), (np.arctan2(x, 2.0), np.pi / 4)):
        assert result.dtype == minigrad.float32
        assert result.item() == pytest.approx(expected)
    assert np.logical_and(x, True).item() is True


@same_as_torch
@pytest.mark.parametrize("arguments", [
    lambda m: (True, m.int64), lambda m: (m.float64, True, True, True), lambda m: (m.float64, m.float64, m.float64),
    lambda m: ([1],), lambda m: (m.float64, True), lambda m: ("cpu", m.float64), lambda m: (None, m.float64), lambda m: (None,),
])  # fmt: skip
def test_arguments_of_to(m: Any, arguments: Call) -> Any:
    return all_outcomes(m, [lambda m: m.ones(2).to(*arguments(m)), lambda m: m.nn.Linear(1, 1).to(*arguments(m)).weight.dtype])


def test_no_bfloat16() -> None:
    with pytest.raises(NotImplementedError, match="bfloat16"):
        minigrad.ones(2).bfloat16()


@same_as_torch
def test_flags_of_to_by_position(m: Any) -> Any:
    x, layer = m.ones(2), m.nn.Linear(1, 1)
    calls = [(m.float32, True), (m.float32, False, True), ("cpu", m.float64, True), ("cpu", m.float32, False, True)]
    results = [x.to(*arguments) for arguments in [*calls, (x, False, True)]]
    return [r.dtype for r in results], [r is x for r in results], layer.to("cpu", m.float64, True).weight.dtype


@same_as_torch
def test_the_wider_of_two_dtypes_in_a_loss(m: Any) -> Any:
    half, single = m.tensor([1.0, 2.5], dtype=m.float16, requires_grad=True), m.tensor([0.5, 3.0])
    loss = m.nn.functional.mse_loss(half, single)
    loss.backward()
    return loss.detach(), half.grad


@pytest.mark.parametrize("dtype", ["int8", "bool", "int64", "float64"])
def test_dtype_of_sums(dtype: str) -> None:
    @same_as_torch
    def scenario(m: Any) -> Any:
        x, kind = m.tensor([[1, 0, 3], [4, 5, 0]], dtype=m.int8), getattr(m, dtype)
        return x.sum(dtype=kind), x.sum(0, dtype=kind), x.prod(1, dtype=kind), m.ones(3).sum(dtype=kind).dtype

    scenario()


@same_as_torch
def test_a_tensor_without_dimensions_serves_as_an_option(m: Any) -> Any:
    F, x = m.nn.functional, m.tensor([[-1.0, 2.0], [3.0, -4.0]], dtype=m.float64)
    return [
        F.leaky_relu(x, m.tensor(0.125)), F.elu(x, m.tensor(0.5)), F.softmax(x, m.tensor(1)), x.tril(m.tensor(-1)),
        F.smooth_l1_loss(x, x * 2, beta=0.5), F.layer_norm(x, (2,), eps=m.tensor(0.125)),
    ]  # fmt: skip


@same_as_torch
def test_the_gradient_of_a_weight_without_dimensions_is_of_its_dtype(m: Any) -> Any:
    weight = m.tensor(0.25, dtype=m.float64, requires_grad=True)
    m.lerp(m.ones(2), m.arange(2.0), weight).sum().backward()
    return weight.grad


@pytest.mark.parametrize(("name", "call"), [
    ("im2col", lambda m: m.nn.Unfold(2)(None)), ("pow", lambda m: m.pow(m.ones(2), "x")),
    ("pow", lambda m: m.pow([1.0], m.ones(2))),
    ("adaptive_avg_pool2d", lambda m: m.nn.AdaptiveAvgPool2d(2)(None)), ("lerp", lambda m: m.lerp(1.0, m.ones(2), 0.5)),
])  # fmt: skip
def test_the_operation_is_named_that_got_no_tensor(name: str, call: Call) -> None:
    with pytest.raises(TypeError, match=rf"^{name}\(\): expected "):
        call(minigrad)


def whole_addmm(m: Any, **options: Any) -> Any:
    x = m.ones(2, 3, dtype=m.int64)
    return m.addmm(m.full((2, 2), 5), x, x.t(), **options)


test_integers_and_bools = same_outcomes({
    "addmm of integers": lambda m: whole_addmm(m, beta=0.5), "addmm of integers by 2": lambda m: whole_addmm(m, beta=2, alpha=3),
    "addmm of dtypes": lambda m: m.addmm(m.ones(2, 2, dtype=m.float64), m.ones(2, 3), m.ones(3, 2)),
    "max of bools": lambda m: tuple(m.tensor([[True, False], [False, False]]).max(1)),
    "min of bools": lambda m: tuple(m.tensor([[True, False], [False, False]]).min(1, keepdim=True)),
    "sign of integers": lambda m: (m.tensor([-3, 0, 2]).sign(), m.tensor([3, 0], dtype=m.uint8).sign()),
    "alpha for numbers": lambda m: (m.ones(2).add(3, alpha=2), m.ones(2).sub(3.0, alpha=0.5), m.ones(2).int().sub(3, alpha=2)),
    "alpha of 0-d integers": lambda m: (m.ones(()).half().sub(m.tensor(3), alpha=0.5), m.ones(2).int().add(1.5, alpha=0.5)),
    "alpha of bools": lambda m: m.add(m.tensor([True, False]), m.tensor(True), alpha=2),
    "alpha below a byte": lambda m: m.ones(1).byte().add(m.ones(1).byte(), alpha=-2),
    "a fraction for integers": lambda m: m.tensor([1]).add(m.tensor([1]), alpha=0.5),
    "a bool for integers": lambda m: m.tensor([1]).add(1, alpha=True), "rounded bools": lambda m: m.tensor([True]).round(),
    "addcmul of dtypes": lambda m: m.tensor([2]).int().addcmul(m.tensor([200]).byte(), m.tensor(3), value=2),
    "addcmul of integers": lambda m: m.tensor([2]).addcmul(m.tensor([3]), m.tensor([4]), value=0.5),
    "addcmul of bools": lambda m: m.addcmul(*[m.tensor([True])] * 3),
    "addcdiv of integers": lambda m: m.addcdiv(m.tensor([1.0]), m.tensor([2]), m.tensor([3])),
    "isclose of dtypes": lambda m: m.isclose(m.ones(2), m.ones(2).double()),
    "allclose of dtypes": lambda m: m.ones(1).allclose(m.tensor(1)),
    "softmax of integers": lambda m: m.tensor([1, 2]).softmax(0),
    "log_softmax of integers": lambda m: m.log_softmax(m.tensor([1, 2]), 0),
    "integers that require": lambda m: m.tensor([1]).new_ones(2, requires_grad=True),
    "types by name": lambda m: (m.tensor([1.5]).type("torch.LongTensor"), m.tensor([1]).type("torch.HalfTensor")),
    "unknown type": lambda m: m.ones(2).type("torch.RealTensor"),
})  # fmt: skip


def integers_changed(m: Any, name: str, dtype: str) -> Any:
    """Integers changed by a floating-point number that requires a gradient: nothing is recorded, whatever torch says."""
    x, value = m.tensor([[1, 2, 3]]), m.tensor(2.0, dtype=getattr(m, dtype), requires_grad=True)
    arguments = {"masked_fill_": (x > 1, value), "index_fill_": (1, m.tensor([0]), value)}.get(name, (value,))
    return changed(x, lambda x: getattr(x, name)(*arguments)).detach()


test_integers_changed_by_a_fraction = same_outcomes({
    f"{name} of {dtype}": lambda m, name=name, dtype=dtype: integers_changed(m, name, dtype)
    for name in ("masked_fill_", "index_fill_", "copy_", "fill_", "add_") for dtype in ("float32", "float16")
})  # fmt: skip


# Numbers that do not fit ----------------------------------------------------------------------------------------------


def written(m: Any, name: str, number: Any, dtype: Any) -> Any:
    """A number written into a tensor of a dtype."""
    x, mask = m.ones(2, dtype=dtype), m.tensor([True, False])
    if name == "clamp" and dtype.is_floating_point and isinstance(number, float):
        number = 0.5  # torch refuses a limit that float32 cannot hold; here there is just no limit
    return {
        "full": lambda: m.full((2,), number, dtype=dtype), "full_like": lambda: m.full_like(x, number),
        "new_full": lambda: x.new_full((2,), number), "fill_": lambda: x.fill_(number),
        "masked_fill": lambda: x.masked_fill(mask, number), "where": lambda: m.where(mask, x, number),
        "clamp": lambda: x.clamp(max=number), "assign": lambda: changed(x, lambda x: x.__setitem__(0, number)),
        "scatter": lambda: x.scatter(0, m.tensor([1]), number),
    }[name]()  # fmt: skip


WRITERS = ("full", "full_like", "new_full", "fill_", "masked_fill", "where", "clamp", "assign", "scatter")
test_numbers_that_do_not_fit = same_outcomes(
    {f"{name} {number} of {dtype}": lambda m, name=name, number=number, dtype=dtype: written(m, name, number, getattr(m, dtype))
     for name in WRITERS
     for number, dtype in ((300, "uint8"), (-1, "uint8"), (-300, "uint8"), (128, "int8"), (2**31, "int32"), (7.9, "int32"),
         (nan, "int64"), (1e10, "int32"), (1e39, "float32"), (inf, "float32"), (2.5, "bool"), (3, "float64"))}
    | {f"{name} {type(value).__name__}": lambda m, name=name, value=value: written(m, name, value, m.float32)
       for name in WRITERS[:-1] for value in ("a", [1, 2], (1.0, 2.0))}
    | {f"{name} None": lambda m, name=name: written(m, name, None, m.float32)
       for name in ("full", "fill_", "masked_fill", "assign")}
)  # fmt: skip


test_integers_beside_dtypes_too_small_for_them = same_outcomes({
    f"{dtype} {name} {number}": lambda m, dtype=dtype, f=f, number=number: f(m.tensor([1, 100], dtype=getattr(m, dtype)), number)
    for dtype in ("uint8", "int8", "int16", "int32", "int64") for number in (300, -1, -300, 2**31, 2**40, 2**63 - 1)
    for name, f in {"+": lambda t, x: t + x, "r-": lambda t, x: x - t, "*": lambda t, x: t * x, "==": lambda t, x: t == x,
        "<": lambda t, x: t < x, "&": lambda t, x: t & x, "+=": lambda t, x: t.add_(x)}.items()
})  # fmt: skip


def half(m: Any, *numbers: float) -> Any:
    return m.tensor(numbers or (3.1, -2.7, 1.1, 100.0, -3000.0), dtype=m.float16)


test_numbers_beside_float16 = same_elements({
    "x / 1e5": lambda m: half(m) / 1e5, "x * 1e-9": lambda m: half(m) * 1e-9, "x / 65536": lambda m: half(m) / 65536,
    "1e5 / x": lambda m: 1e5 / half(m), "x * 0.3333": lambda m: half(m) * 0.3333, "x - 0.3333": lambda m: half(m) - 0.3333,
    "x / 0-d": lambda m: half(m) / m.tensor(1e5), "x * 0-d": lambda m: half(m) * m.tensor(1e-9, dtype=m.float64),
    "x / np": lambda m: half(m) / np.float64(1e5), "x mul_": lambda m: half(m).mul_(1e-9), "x div_": lambda m: half(m).div_(1e5),
    "lerp": lambda m: m.lerp(half(m), half(m).flip(0), 0.3333), "lerp far": lambda m: m.lerp(half(m), half(m), 1e6),
    "addcmul": lambda m: m.addcmul(half(m), half(m), half(m).flip(0), value=0.3333),
    "addcdiv": lambda m: m.addcdiv(half(m), half(m), half(m).flip(0), value=1e-6),
    "leaky_relu": lambda m: m.nn.functional.leaky_relu(half(m), 0.3333),
    "leaky_relu of nearly nothing": lambda m: m.nn.functional.leaky_relu(half(m), 1e-9),
    "elu": lambda m: m.nn.functional.elu(half(m), 0.3333), "softplus": lambda m: m.nn.functional.softplus(half(m), 0.3333),
    "hardtanh": lambda m: m.nn.functional.hardtanh(half(m), -1.1111, 1.05), "power too large": lambda m: half(m) ** 1e5,
    "alpha too large": lambda m: half(m).add(half(m), alpha=1e5), "alpha for a number": lambda m: half(m).add(1.0, alpha=1e5),
    "gradient of x * 0.3333": lambda m: with_gradient(lambda x: x * 0.3333, half(m)),
    "gradient of x / 1e5": lambda m: with_gradient(lambda x: x / 1e5, half(m)),
    "gradient of lerp": lambda m: with_gradient(lambda x, y: m.lerp(x, y, 0.3333), half(m), half(m).flip(0)),
    "gradient of leaky_relu": lambda m: with_gradient(lambda x: m.nn.functional.leaky_relu(x, 0.3333), half(m)),
    "gradient of elu": lambda m: with_gradient(lambda x: m.nn.functional.elu(x, 0.3333), half(m)),
    "weight of lerp": lambda m: m.lerp(m.tensor(5e5), m.tensor(-3.0), 0.999),
    "weights of lerp": lambda m: [m.lerp(m.tensor([5e5, 1.0]), m.tensor([-3.0, 1e6]), w) for w in (0.1, 0.4999999, 0.7, 3.3)],
})  # fmt: skip


@pytest.mark.parametrize("name", ["silu", "mish", "hardswish", "hardsigmoid", "glu", "logsigmoid"])
def test_float16_is_rounded_once(name: str) -> None:
    function = same_as_torch(lambda m: exact(getattr(m.nn.functional, name)(m.linspace(-4, 4, 100, dtype=m.float64).half())))
    function()
