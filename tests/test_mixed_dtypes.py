"""Which dtypes and types go together: minigrad refuses what torch refuses, and results are of the same dtype."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
import pytest
import torch

import minigrad

from .test_like_torch import outcome
from .twins import same_as_torch

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


def test_out_is_not_supported() -> None:
    x = minigrad.ones(2)
    for operation in (minigrad.exp, minigrad.mul, minigrad.mm, minigrad.sum, minigrad.eq):
        with pytest.raises(NotImplementedError, match=rf"{operation.__name__}\(\): out= is not supported"):
            operation(x, out=x)  # type: ignore[operator]
    assert minigrad.exp(x, out=None).equal(x.exp())  # type: ignore[call-arg]
