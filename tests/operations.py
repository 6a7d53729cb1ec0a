"""The table of operations: one row per public operation, from which tests and benchmarks are generated.

Read a row as documentation: `Row("sum", case(A), case(A, 1, keepdim=True), bench=case(BIG))` says that `m.sum` exists,
is called as in `m.sum(x)` and `m.sum(x, 1, keepdim=True)`, and is timed on `m.sum(big)`. Here `m` is `torch` or
`minigrad`: both offer the same names, so one row runs on either, and whatever torch answers is the right answer.

- `Row` is an operation; its name is the public one, seen from the module: `sum`, `Tensor.view`, `nn.functional.gelu`.
  A `call` stands where the name alone does not say how to call it (`x.T`, `x[i] = y`).
- `case` is one way to call it: an `Input` becomes a tensor, everything else is passed as it stands. `kink` is a case
  without a derivative in the mathematical sense (ties, corners): torch's choice holds there, a numeric check does not.
  `refused` is a call that torch answers with an error; minigrad raises the same type.
- `Input` says how one tensor is drawn: `real(3, 4)` in (-2, 2), `positive`, `unit`, `huge`, `whole`, `truth`, or
  `fixed` values. Floating inputs take the type under test (float32, then float64) and require a gradient, unless
  `.constant()`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any

from numpy import s_

from .cases import (
    BIG,
    CORNERS,
    CUBE,
    EMPTY,
    SCALAR,
    SPECIAL,
    A,
    Case,
    Input,
    Name,
    Row,
    case,
    fixed,
    huge,
    index,
    kink,
    mask,
    natural,
    over,
    positive,
    real,
    refused,
    truth,
    unit,
    whole,
)
from .operations_attention import ATTENTION
from .operations_functions import FUNCTIONS as MORE_FUNCTIONS
from .operations_functions import IN_PLACE as FUNCTIONS_IN_PLACE
from .operations_functions import RESHAPED
from .operations_layers import LAYERS
from .operations_linear import LINEAR, LINEAR_IN_PLACE
from .operations_norms import NORMS
from .operations_places import PLACES, PLACES_IN_PLACE
from .operations_window import WINDOWS

# fmt: off  (a row reads better as a paragraph than with one argument a line)

# What most rows share -------------------------------------------------------------------------------------------------

LONG, IMAGES = real(65536), real(64, 784)
MISSING = fixed([[nan, 1.0, 3.0], [inf, -inf, 2.0], [0.0, nan, nan]])
TIES = fixed([[1.0, 3.0, 3.0, 2.0], [2.0, 2.0, 2.0, 2.0], [0.0, -1.0, 0.0, -2.0]])


def pairs(left: Callable[..., Input], right: Callable[..., Input] | None = None, **options: Any) -> list[Case]:
    """An operation of two tensors, over the shapes that broadcast differently."""
    right = right or left
    shapes = [((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 1), (1, 4)), ((), (2, 3)), ((2, 1, 3), (4, 1)), ((0, 3), (3,))]
    odd = [case(left(4, 3).transposed(), right(4, 3), **options), case(left(3), right(2, 3).strided(), **options)]
    return [case(left(*a), right(*b), **options) for a, b in [*shapes, ((), ())]] + odd


def steady(*shape: int) -> Input:
    """A constant, for the operations to which torch gives no derivative."""
    return real(*shape).constant()


def steady_positive(*shape: int) -> Input:
    return positive(*shape).constant()


def scalars(*numbers: float, draw: Callable[..., Input] = real) -> list[Case]:
    """A tensor and a Python number."""
    return [case(draw(3, 4), number) for number in numbers]


def typed(*dtypes: str, low: int = -3) -> list[Case]:
    """A matrix of each type."""
    return [case(whole(3, 4, low=max(low, 0) if each in ("uint8", "bool") else low, dtype=each)) for each in dtypes]


INTEGERS = typed("uint8", "int32", "int64")
INTEGER_PAIRS = [
    case(whole(3, 4), whole(4)), case(whole(3, 4), real(4)), case(real(3), whole(2, 3)), case(whole(3, 4), 2),
    case(whole(4), whole(4, dtype="int32")), case(whole(3), whole(dtype="int32")),
    case(whole(4), real(dtype="float64")),
    case(real(4), real(dtype="float64")), case(real(dtype="float32"), real(4, dtype="float64")),
]
FRACTION_OF_INTEGERS = case(whole(3, 4), 1.5)  # a Python float lifts integers to the default float32
BOOLEAN_PAIRS = [case(truth(3, 4), truth(4)), case(truth(3), whole(3)), case(truth(2, 3), real(3)), case(truth(3), 2)]

# Elementwise: arithmetic ----------------------------------------------------------------------------------------------

ARITHMETIC = [
    Row("add", *pairs(real), *scalars(2, 1.5), *INTEGER_PAIRS, FRACTION_OF_INTEGERS, *BOOLEAN_PAIRS,
        case(A, real(4), alpha=0.5), case(whole(3), whole(3), alpha=2), refused(A, real(3)), bench=case(BIG, BIG)),
    Row("sub", *pairs(real), *scalars(2, 1.5), *INTEGER_PAIRS, FRACTION_OF_INTEGERS, case(A, real(4), alpha=0.5),
        refused(truth(3), truth(3)), bench=case(BIG, BIG)),
    Row("rsub", case(A, real(4)), case(A, 2), case(whole(3), 1.5), case(A, real(4), alpha=0.5)),
    Row("mul", *pairs(real), *scalars(2, 1.5), *INTEGER_PAIRS, FRACTION_OF_INTEGERS, *BOOLEAN_PAIRS,
        refused(A, real(2, 4)), bench=case(BIG, BIG)),
    Row("div", *pairs(real, positive), *scalars(2, 1.5), case(whole(3, 4), natural(4)), case(whole(3), 2),
        case(truth(3), 2), case(natural(3), real(2, 3)), kink(fixed([1.0, -1.0, 0.0]), fixed([0.0, 0.0, 0.0])),
        *(case(*each, rounding_mode=mode) for mode in ("floor", "trunc") for each in
          ((A, positive(4)), (A, 0.7), (A, real(3, 1)), (whole(3, 4), natural(4)), (whole(3), -2), (EMPTY, SCALAR))),
        refused(A, A, rounding_mode="up"), bench=case(BIG, positive(256, 256))),
    *(Row(name, case(A, positive(4)), case(A, 2)) for name in ("subtract", "multiply", "divide", "true_divide")),
    *(Row(name, case(A), case(whole(3))) for name in ("positive", "negative", "absolute")),
    Row("floor_divide", *pairs(steady, steady_positive), *scalars(2, -1.5, draw=steady), case(whole(3, 4), natural(4)),
        case(whole(3, 4), -2), case(whole(3), 1.5), refused(natural(2), fixed([0, 1], "int64")),
        bench=case(BIG.constant(), positive(256, 256).constant())),
    Row("remainder", *pairs(real, positive), *scalars(2, -1.5), case(A, real(4, low=-2, high=-1)),
        case(whole(3, 4), natural(4)), case(whole(3, 4), -2), case(whole(3), 1.5), bench=case(BIG, positive(256, 256))),
    Row("neg", *over(real), *typed("int32", "int64"), refused(truth(3)), bench=case(BIG)),
    Row("pow", *pairs(positive, real), *scalars(2, 3, 1, 0, -1), *scalars(0.5, 2.5, -0.5, draw=positive), case(2, A),
        case(0.5, real(2, 0)), case(2.5, SCALAR), case(whole(3, 4), 2), case(whole(3), natural(3)),
        case(natural(3), 0.5), case(2, natural(3)), case(natural(3), real(2, 3)),
        kink(fixed([0.0, 0.0, 0.0, 1.0]), fixed([0.0, 1.0, 2.0, 0.0])), kink(0.0, fixed([0.0, 1.0, 2.0])),
        kink(CORNERS, 2), kink(CORNERS, 0), refused(whole(3), -1), bench=case(BIG, 2)),
    Row("pow", *scalars(3, 3.0, 4, -1, -2), *scalars(0.5, -0.5, draw=positive), case(whole(3, 4), 3), kink(CORNERS, 3),
        kink(CORNERS, -2), kink(CORNERS, -0.5), kink(SPECIAL, 3), kink(SPECIAL, -0.5), bench=case(BIG, 3)),
    Row("reciprocal", *over(positive), case(natural(3, 4)), kink(fixed([0.0, -0.0, 2.0])),
        bench=case(positive(256, 256))),
    Row("square", *over(real), *INTEGERS, bench=case(BIG)),
    Row("abs", *over(real), *typed("int32", "int64"), kink(CORNERS), bench=case(BIG)),
    Row("sign", *over(real), *INTEGERS, case(truth(3)), kink(CORNERS), bench=case(BIG)),
    Row("floor", *over(real), case(whole(3)), kink(CORNERS), bench=case(BIG)),
    Row("ceil", *over(real), case(whole(3)), kink(CORNERS), bench=case(BIG)),
    Row("round", *over(real), case(whole(3)), kink(CORNERS), bench=case(BIG)),
    Row("trunc", *over(real), case(whole(3)), kink(CORNERS), bench=case(BIG)),
    Row("maximum", *pairs(real), *INTEGER_PAIRS[:3], kink(TIES, fixed([1.0, 2.0, 3.0, 2.0])),
        kink(SPECIAL, fixed([0.0])), refused(A, real(3)), bench=case(BIG, BIG)),
    Row("minimum", *pairs(real), *INTEGER_PAIRS[:3], kink(TIES, fixed([1.0, 2.0, 3.0, 2.0])),
        kink(SPECIAL, fixed([0.0])), bench=case(BIG, BIG)),
    Row("clamp", *over(real, min=-1.0, max=0.5), case(A, min=0), case(A, max=0.5), case(A, -0.5), case(A, -0.5, 0.5),
        case(A, 1.0, -1.0), case(A, min=real(4, low=-2, high=0), max=real(3, 1, low=0, high=2)), case(A, max=real(4)),
        case(whole(3, 4), -1, 1), case(whole(3), min=0.5), kink(CORNERS, -1.0, 1.0), kink(CORNERS, 0),
        kink(SPECIAL, -1.0, 1.0), kink(fixed([1.0, 2.0]), fixed([1.0, 0.0]), fixed([2.0, 2.0])), refused(A),
        bench=case(BIG, -1.0, 1.0)),
    Row("clip", case(A, -0.5, 0.5)),
    Row("lerp", case(A, real(4), 0.3), case(A, A, 0.7), case(A, real(4), real(3, 1)), case(SCALAR, A, SCALAR), same_node=False),
    Row("addcmul", case(A, real(4), real(3, 1)), case(A, A, A, value=0.5), case(whole(3), whole(3), whole(3), value=2),
        same_node=False),
    Row("addcdiv", case(A, real(4), positive(3, 1)), case(A, A, positive(3, 4), value=-0.5), same_node=False),
    Row("clamp_min", case(A, 0.5), case(A, real(4)), case(whole(3), 1), same_node=False),
    Row("clamp_max", case(A, 0.5), case(A, real(4)), case(whole(3), 1), same_node=False),
]

OPERATORS = [
    *(Row(f"Tensor.__{name}__", case(A, real(4)), case(A, 2), case(A, -1.5), case(whole(3), 2), case(whole(3), 1.5))
      for name in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "mod")),
    *(Row(f"Tensor.__{name}__", case(positive(3, 4), 2), case(positive(3, 4), -1.5), case(natural(3), 2),
          case(natural(3), 1.5)) for name in ("rtruediv", "pow")),
    *(Row(f"Tensor.__{name}__", case(steady_positive(3, 4), 2), case(steady_positive(3), -1.5), case(natural(3), 2),
          case(natural(3), 1.5)) for name in ("floordiv", "rfloordiv", "rmod")),
    Row("Tensor.__rpow__", case(A, 2), case(A, 1.5), case(natural(3), 2)),
    Row("Tensor.__matmul__", case(A, real(4, 2)), case(real(2, 3, 4), real(4)), same_node=False),
    Row("Tensor.__rsub__", case(A, 2.0), case(whole(3), 5)),
    *(Row(f"Tensor.__{name}__", case(A)) for name in ("neg", "pos", "abs")),
    *(Row(f"Tensor.__{name}__", case(A, real(4)), case(A, 0.5), case(whole(3, 4), 1), case(TIES, 2.0))
        for name in ("eq", "ne", "lt", "le", "gt", "ge")),
    *(Row(f"Tensor.__{name}__", case(truth(3, 4), truth(4)), case(whole(3), whole(2, 3)), case(whole(3), 2),
        case(truth(3), True)) for name in ("and", "or", "xor", "rand", "ror", "rxor")),
    Row("Tensor.__invert__", case(truth(3, 4)), case(whole(3))),
]

# Elementwise: comparison and logic ------------------------------------------------------------------------------------

COMPARED = [*pairs(real), *scalars(0, 0.5), *INTEGER_PAIRS, FRACTION_OF_INTEGERS, *BOOLEAN_PAIRS,
    case(TIES, fixed([1.0, 2.0, 3.0, 2.0])), case(SPECIAL, SPECIAL), case(SPECIAL, 0.0)]
LOGICAL = [case(truth(3, 4), truth(4)), case(truth(3), whole(2, 3)), case(CORNERS, truth(10)), case(SPECIAL, SPECIAL),
    case(truth(0, 3), truth(3)), case(truth(), truth(2))]
BITWISE = [case(truth(3, 4), truth(4)), case(whole(3), whole(2, 3)), case(whole(3), 2),
    case(whole(3, low=0, dtype="uint8"), whole(3)), case(truth(3), whole(3))]

COMPARISON = [
    *(Row(name, *COMPARED, refused(1, A), bench=case(BIG, BIG)) for name in ("eq", "ne", "lt", "le", "gt", "ge")),
    *(Row(name, *over(real), case(SPECIAL), case(whole(3)), bench=case(BIG))
        for name in ("isnan", "isinf", "isfinite")),
    *(Row(name, *LOGICAL) for name in ("logical_and", "logical_or", "logical_xor")),
    Row("logical_not", case(truth(3, 4)), case(whole(3)), case(CORNERS), case(SPECIAL)),
    *(Row(name, *BITWISE) for name in ("bitwise_and", "bitwise_or", "bitwise_xor")),
    Row("bitwise_not", case(truth(3, 4)), case(whole(3)), case(whole(3, low=0, dtype="uint8"))),
    *(Row(name, case(A, real(4)), case(A, 0.5), case(whole(3), 1)) for name in
      ("less", "less_equal", "greater", "greater_equal", "not_equal")),
]

# Elementwise: functions -----------------------------------------------------------------------------------------------

FUNCTIONS = [
    Row("exp", *over(real), case(whole(3)), case(truth(3)), kink(SPECIAL), kink(huge(4)), bench=case(BIG)),
    Row("expm1", *over(real), case(whole(3)), kink(CORNERS), bench=case(BIG)),
    Row("log", *over(positive), case(natural(3)), kink(SPECIAL), kink(CORNERS), bench=case(positive(256, 256))),
    Row("log1p", *over(positive), case(natural(3)), case(unit(3)), kink(CORNERS), kink(SPECIAL), bench=case(positive(256, 256))),
    Row("log2", *over(positive), case(natural(3)), bench=case(positive(256, 256))),
    Row("log10", *over(positive), case(natural(3)), bench=case(positive(256, 256))),
    Row("sqrt", *over(positive), case(natural(3)), kink(CORNERS), bench=case(positive(256, 256))),
    Row("rsqrt", *over(positive), case(natural(3)), kink(CORNERS), bench=case(positive(256, 256))),
    Row("sin", *over(real), case(whole(3)), bench=case(BIG)),
    Row("cos", *over(real), case(whole(3)), bench=case(BIG)),
    Row("tanh", *over(real), case(whole(3)), case(huge(4)), bench=case(BIG)),
    Row("sigmoid", *over(real), case(whole(3)), kink(huge(4)), kink(fixed([-100.0, -90.0, 90.0, 100.0])),
        bench=case(BIG)),
    Row("erf", *over(real), case(whole(3)), case(real(20, low=-6, high=6)), bench=case(BIG)),
    Row("relu", *over(real), case(whole(3)), kink(CORNERS), kink(SPECIAL), bench=case(BIG)),
    Row("where", case(truth(3, 4), A, A), case(truth(3, 1), real(4), SCALAR), case(truth(3, 4), A, 0.0),
        case(truth(3), 1.5, real(3)), case(truth(0, 3), EMPTY, real(3)), case(truth(3), whole(3), real(3)),
        case(truth(3), whole(3), 1), case(truth(3), 1.0, 0.0), case(truth(3), 1, 0),
        bench=case(truth(256, 256), BIG, BIG)),
    Row("Tensor.where", case(A, truth(3, 4), real(4)), case(A, truth(4), 0.0)),
    *(Row(name, *over(real), case(whole(3)), kink(MISSING), bench=case(BIG)) for name in ("tan", "atan", "arctan", "sinh",
          "cosh")),
    *(Row(name, *over(unit), case(truth(3)), kink(fixed([-1.0, 1.0, 2.0])), bench=case(unit(256, 256))) for name in
      ("asin", "arcsin", "acos", "arccos")),
    *(Row(name, case(A, real(4)), case(SCALAR, real(2, 3)), case(real(0, 3), real(3)), case(whole(3), natural(3)),
          case(real(3), whole(3)), bench=case(BIG, BIG)) for name in ("atan2", "arctan2")),
]

# Reductions -----------------------------------------------------------------------------------------------------------

ALONG = [case(A), case(A, 0), case(A, -1), case(A, dim=1, keepdim=True), case(CUBE, dim=1), case(SCALAR),
    case(real(4, 3).transposed(), 1), case(real(4, 6).strided(), 0)]
AXES = [case(CUBE, (0, 2)), case(CUBE, dim=(-1, 0), keepdim=True), case(CUBE, dim=(0, 1, 2))]
VACANT = [case(EMPTY), case(EMPTY, 0), case(EMPTY, 1)]
TRUTHS = [case(truth(3, 4)), case(truth(3, 4), 0), case(truth(3, 4), dim=1, keepdim=True), case(truth(0)),
    case(truth(0, 3), 0), case(truth()), case(whole(3, 4), 1), case(SPECIAL),
    case(whole(3, 4, low=0, dtype="uint8"), 1)]
RANKED = [case(whole(3, 4)), case(whole(3, 4), 1), case(whole(3, 4), 0, keepdim=True)]

REDUCTIONS = [
    Row("sum", *ALONG, *AXES, *VACANT, *typed("bool", "uint8", "int32", "int64"), case(truth(3, 4), 1),
        case(A, dtype=Name("float64")), case(whole(3), dtype=Name("float32")), case(A, 0, dtype=Name("float64")),
        refused(A, 2), refused(CUBE, (0, 0)), bench=case(BIG, 0)),
    Row("mean", *ALONG, *AXES, case(EMPTY, 0), case(EMPTY), case(whole(3, 4), dtype=Name("float32")),
        refused(whole(3, 4)), refused(A, 2), bench=case(BIG, 0)),
    Row("var", *ALONG[:5], *ALONG[6:], *AXES, case(A, unbiased=False), case(A, 1, unbiased=False),
        case(A, dim=0, correction=0), case(CUBE, dim=(0, 1), correction=2, keepdim=True), refused(whole(3, 4)),
        bench=case(BIG, 0)),
    Row("std", *ALONG[:5], *ALONG[6:], *AXES, case(A, unbiased=False), case(A, 1, unbiased=False),
        case(A, dim=0, correction=0), case(CUBE, dim=(0, 1), correction=2, keepdim=True), kink(TIES, dim=1),
        bench=case(BIG, 0)),
    Row("prod", *ALONG, case(SCALAR, 0), kink(fixed(0.0), 0), *VACANT, *typed("bool", "int32", "int64"),
        case(fixed([[1.0, 0.0, 2.0], [0.0, 0.0, 3.0],
        [1.0, 2.0, 3.0]]), 1), case(fixed([1.0, 0.0, 2.0])), case(fixed([0.0, 0.0, 2.0])),
        bench=case(positive(64, 64), 0)),
    Row("max", *ALONG, *RANKED, refused(EMPTY, 0), refused(EMPTY), refused(A, 2), kink(TIES), kink(TIES, 1),
        kink(TIES, 0), kink(SPECIAL), kink(SPECIAL, 0), case(A, real(4)), case(whole(3), real(2, 3)),
        kink(TIES, fixed([1.0, 2.0, 3.0, 2.0])), bench=case(BIG, 1)),
    Row("min", *ALONG, *RANKED, refused(EMPTY, 0), refused(EMPTY), refused(A, 2), kink(TIES), kink(TIES, 1),
        kink(TIES, 0), kink(SPECIAL), kink(SPECIAL, 0), case(A, real(4)), case(whole(3), real(2, 3)),
        kink(TIES, fixed([1.0, 2.0, 3.0, 2.0])), bench=case(BIG, 1)),
    Row("amax", *ALONG, *AXES, *RANKED, refused(EMPTY, 0), refused(EMPTY), refused(A, 2), kink(TIES), kink(TIES, 1),
        kink(TIES, (0, 1)), kink(SPECIAL), bench=case(BIG, 1)),
    Row("amin", *ALONG, *AXES, *RANKED, refused(EMPTY, 0), refused(EMPTY), refused(A, 2), kink(TIES), kink(TIES, 1),
        kink(TIES, (0, 1)), kink(SPECIAL), bench=case(BIG, 1)),
    Row("argmax", *ALONG, *RANKED, refused(EMPTY, 0), refused(EMPTY), refused(A, 2), case(TIES), case(TIES, 1),
        case(SPECIAL), bench=case(BIG, 1)),
    Row("argmin", *ALONG, *RANKED, refused(EMPTY, 0), refused(EMPTY), refused(A, 2), case(TIES), case(TIES, 1),
        case(SPECIAL), bench=case(BIG, 1)),
    Row("any", *TRUTHS),
    Row("all", *TRUTHS),
    Row("logsumexp", case(A, 0), case(A, -1), case(A, dim=1, keepdim=True), *AXES, case(SCALAR, 0), case(EMPTY, 1),
        case(EMPTY, 0), kink(huge(3, 4), 1), kink(fixed([[-inf] * 2, [0.0, -inf]]), 1),
        kink(fixed([[inf, 0.0]]), 1), case(whole(3), 0), refused(A, 2), bench=case(BIG, 1)),
    Row("cumsum", case(A, 0), case(A, 1), case(CUBE, -2), case(SCALAR, 0), case(EMPTY, 0),
        case(real(4, 3).transposed(), 1), case(whole(3, 4), 1), case(truth(4), 0), case(whole(3, dtype="int32"), 0),
        case(A, dim=0, dtype=Name("float64")), refused(A, 2), bench=case(BIG, 1)),
    Row("norm", case(A), case(A, dim=0), case(A, dim=1, keepdim=True), case(CUBE, dim=-2), case(SCALAR), case(EMPTY),
        case(A, 2), case(A, 2, 1), case(A, p=1), case(A, p=1, dim=0), case(A, p=3, dim=1, keepdim=True), case(A, "fro"),
        case(A, inf), case(A, inf, 1), case(CUBE, 2, (0, 2)), kink(fixed([0.0, 0.0])),
        kink(fixed([0.0, 1.0]), 1), kink(TIES, inf, 1), bench=case(BIG)),
]

# Order and counting ---------------------------------------------------------------------------------------------------

ORDER = [
    Row("sort", case(A), case(A, 0), case(A, -1, True), case(A, dim=0, descending=True), case(CUBE, 1), case(SCALAR), case(EMPTY),
        case(real(4, 3).transposed()), case(real(3, 4).strided()), case(whole(3, 4, low=-9, high=9), stable=True), kink(MISSING),
        kink(MISSING, descending=True), kink(fixed([2.0, 1.0, 2.0, 1.0]), dim=0, descending=True), refused(A, 2),
        bench=case(BIG, 1)),
    Row("argsort", case(A), case(A, 0), case(A, -1, True), case(A, dim=0, descending=True), case(SCALAR), case(EMPTY),
        case(fixed([2.0, 1.0, 2.0, 1.0]), stable=True), refused(A, 2)),
    Row("topk", case(A, 2), case(A, 1, 0), case(A, 3, largest=False), case(A, 0), case(CUBE, 2, dim=1), case(SCALAR, 1),
        case(whole(3, low=-9, high=9), 1), refused(A, 5), refused(A, -1), bench=case(BIG, 5)),
    Row("median", case(A), case(real(5)), case(SCALAR), kink(MISSING), kink(fixed([1.0, 2.0, 2.0, 2.0])), kink(EMPTY),
        case(natural(3)), refused(truth(3)), bench=case(BIG)),
    Row("median", case(A, 0), case(A, 1, True), case(A, dim=-1, keepdim=True), case(CUBE, 1), case(SCALAR, 0), kink(MISSING, 1),
        refused(EMPTY, 0), refused(A, 2)),
    Row("unique", *(case(each.constant()) for each in (A, real(0), fixed([2.0, 1.0, 2.0, nan, nan]))), case(natural(3, 4)),
        case(natural(3, 4), return_inverse=True), case(natural(9), return_counts=True), case(truth(5), True, True, True),
        case(fixed([[1, 2], [0, 5], [1, 2]], "int64"), dim=0),
        case(natural(2, 9), return_inverse=True, return_counts=True, dim=1)),
    Row("bincount", case(natural(9)), case(index()), case(natural(9), minlength=7), case(natural(4), real(4).constant()),
        case(natural(4), natural(4)), case(natural(4), weights=real(4, dtype="float64").constant()), refused(whole(9, high=0)),
        refused(natural(2, 2))),
    Row("count_nonzero", case(whole(3, 4)), case(whole(3, 4), 1), case(CUBE.constant(), (0, 2)), case(MISSING.constant(), dim=-1),
        case(truth(3)), case(EMPTY.constant()), case(whole())),
    Row("isclose", case(A, A), refused(A, A, rtol=-0.1), refused(A, A, atol=-1.0), case(MISSING, MISSING),
        case(MISSING, MISSING, equal_nan=True), case(A, real(4), 0.5, 0.1),
        case(A, real(4), rtol=1.0, atol=1.0), case(whole(3), whole(3))),
]

# Linear algebra -------------------------------------------------------------------------------------------------------

PRODUCTS = [
    Row("matmul", case(real(3, 4), real(4, 2)), case(real(4), real(4)), case(real(3, 4), real(4)),
        case(real(3), real(3, 2)), case(real(3, 4).transposed(), real(4, 2).transposed()),
        case(real(3, 4).strided(), real(4, 2).strided()), case(real(0, 4), real(4, 2)), case(real(3, 0), real(0, 2)),
        case(real(2, 3, 0), real(0, 2)), case(whole(2, 3), whole(3, 2)), case(whole(3), whole(3)), refused(A, A),
        refused(SCALAR, A),
        refused(A, real(3)), bench=case(IMAGES, real(784, 512)), same_node=False),
    Row("matmul", case(real(2, 3, 4), real(2, 4, 2)), case(real(2, 3, 4), real(4, 2)), case(real(3, 4), real(2, 4, 2)),
        case(real(2, 3, 4), real(4)), case(real(4), real(2, 4, 3)), case(real(2, 1, 2, 3), real(3, 3, 2)),
        case(real(1, 3, 4), real(5, 4, 2)), case(real(0, 3, 4), real(4, 2)),
        bench=case(real(16, 64, 64), real(16, 64, 64)), same_node=False),
    Row("mm", case(real(3, 4), real(4, 2)), case(real(3, 4).transposed(), real(4, 2)), case(real(0, 4), real(4, 2)),
        case(real(3, 0), real(0, 2)), case(real(3, 1), real(1, 2)), case(whole(2, 3), whole(3, 2)), refused(A, A),
        refused(CUBE, A), bench=case(IMAGES, real(784, 512))),
    Row("bmm", case(real(2, 3, 4), real(2, 4, 2)), case(real(2, 3, 4).transposed(), real(2, 4, 2)),
        case(real(0, 3, 4), real(0, 4, 2)), refused(A, A), bench=case(real(16, 64, 64), real(16, 64, 64))),
    Row("mv", case(real(3, 4), real(4)), case(real(4, 3).transposed(), real(3)), case(real(0, 4), real(4)),
        refused(A, real(3)), bench=case(BIG, real(256))),
    Row("dot", case(real(4), real(4)), case(real(4).strided(), real(4)), case(real(0), real(0)),
        case(whole(3), whole(3)), refused(real(3), real(4)), refused(A, A), bench=case(LONG, LONG)),
    Row("outer", case(real(3), real(4)), case(real(3).strided(), real(2)), case(real(0), real(2)),
        case(whole(3), whole(2)), refused(A, A), bench=case(real(256), real(256)), same_node=False),
    Row("einsum", case("ij,jk->ik", A, real(4, 2)), case("ij,jk", A, real(4, 2)), case("ij->ji", A), case("ij->", A),
        case("ij->j", A), case("ii->i", real(3, 3)), case("ii", real(3, 3)), case("i,j->ij", real(3), real(2)),
        case("bij,bjk->bik", real(2, 3, 4), real(2, 4, 2)), case("...i,i->...", CUBE, real(4)),
        case("...ij,...jk->...ik", CUBE, real(4, 2)), case("bi,oi->bo", real(2, 3), real(4, 3)), case("ij,ij->", A, A),
        case("i,ij,j->", real(3), A, real(4)), case("ij,jk,kl->il", real(2, 3), real(3, 2), real(2, 4)),
        case(" i j , j k -> k i ", A, real(4, 2)), bench=case("bij,bjk->bik", real(16, 64, 64), real(16, 64, 64)),
        same_node=False),
    Row("addmm", case(real(3, 2), A, real(4, 2)), case(real(2), A, real(4, 2)), case(SCALAR, A, real(4, 2)),
        case(real(2), A, real(4, 2), beta=0.5, alpha=2.0), case(real(2), A, real(4, 2), beta=0),
        case(real(2), real(3, 4).transposed(), real(4, 2)), case(real(2), real(0, 4), real(4, 2)),
        refused(real(3), A, real(4, 2)), bench=case(real(512), IMAGES, real(784, 512))),
    Row("trace", case(A), case(real(4, 3).transposed()), case(whole(3, 3)), refused(CUBE), same_node=False),
]

# Shapes ---------------------------------------------------------------------------------------------------------------

FLAGS = truth(2, 6)


def listed(m: Any, name: str, *tensors: Any) -> Any:
    """A function of several tensors that takes them in a list."""
    return getattr(m, name)(list(tensors))


SHAPES = [
    Row("reshape", case(A, (2, 6)), case(A, (-1,)), case(A, (3, -1, 2)), case(real(4, 3).transposed(), (12,)),
        case(SCALAR, (1, 1)), case(real(1), ()), case(EMPTY, (3, 0)), case(FLAGS, (3, 4)), refused(A, (5, -1)),
        refused(A, (-1, -1)), bench=case(BIG, (65536,)), same_node=False),
    Row("Tensor.reshape", case(A, 2, 6), case(A, -1), case(A, (4, 3)), same_node=False),
    Row("Tensor.view", case(A, Name("int32")), case(real(4, 3, dtype="float64").transposed(), Name("int64")),
        case(A, Name("uint8")), case(whole(3, 4, dtype="int32"), dtype=Name("float64")), case(truth(3), Name("uint8")),
        case(whole(dtype="int32"), Name("float32")), refused(whole(3, dtype="int32"), Name("int64")),
        refused(whole(dtype="int32"), Name("int16")),
        refused(real(4, 2, dtype="float64").transposed(), Name("int32")),
        call=lambda m, x, *args, **options: x.detach().view(*args, **options)),
    Row("Tensor.view", case(A, 2, 6), case(A, -1), case(A, (3, -1, 2)), case(SCALAR, 1), case(EMPTY, 3, 0),
        case(FLAGS, 3, 4), refused(real(3, 4).transposed(), -1), refused(A, 7), bench=case(BIG, -1)),
    Row("permute", case(CUBE, (2, 0, 1)), case(CUBE, (-1, 0, 1)), case(A, (1, 0)), case(SCALAR, ()),
        case(FLAGS, (1, 0)), refused(A, (0, 0)), refused(A, (0,)), bench=case(BIG, (1, 0))),
    Row("Tensor.permute", case(CUBE, 1, 2, 0), case(CUBE, (1, 2, 0))),
    Row("transpose", case(A, 0, 1), case(CUBE, -1, 0), case(SCALAR, 0, 0), case(EMPTY, 0, 1), case(FLAGS, 0, 1),
        refused(A, 0, 2), bench=case(BIG, 0, 1)),
    *(Row(name, case(CUBE, 0, 2)) for name in ("swapaxes", "swapdims", "moveaxis")),
    Row("t", case(A), case(real(3)), case(SCALAR), refused(CUBE)),
    Row("Tensor.T", case(A), case(real(4, 3).transposed()), call=lambda m, x: x.T),
    Row("Tensor.mT", case(A), case(CUBE), call=lambda m, x: x.mT),
    Row("movedim", case(CUBE, 0, 2), case(CUBE, -1, 0), case(CUBE, (0, 1), (2, 0)),
        refused(CUBE, (0, 1), (2,))),
    Row("squeeze", case(real(1, 3, 1)), case(A), case(real(1))),
    Row("squeeze", case(real(1, 3, 1), 0), case(real(1, 3, 1), -1), case(A, 0), case(SCALAR, 0)),
    Row("squeeze", case(real(1, 3, 1), (0, 2)), case(real(1, 3, 1), dim=(0, 1)), case(real(1, 1), ())),
    Row("unsqueeze", case(A, 0), case(A, 1), case(A, -1), case(SCALAR, 0), case(EMPTY, 2), case(FLAGS, 1),
        refused(A, 3), bench=case(BIG, 1)),
    Row("Tensor.expand", case(real(3, 1), 3, 4), case(real(3, 1), 2, -1, 4), case(real(4), (3, 4)), case(SCALAR, 2, 3),
        case(real(1, 3), 0, 3), case(truth(3, 1), 3, 2), refused(A, 3, 5), refused(A, 4),
        bench=case(real(256, 1), 256, 256)),
    Row("broadcast_tensors", case(real(3, 1), real(4)), case(A), case(SCALAR, A, real(3, 1)), refused(A, real(3))),
    Row("narrow", case(A, 1, 1, 2), case(A, 0, -2, 1), case(A, 0, 3, 0), refused(A, 0, 2, 2), same_node=False),
    Row("broadcast_to", case(real(3, 1), (3, 4)), case(SCALAR, (2, 3))),
    Row("Tensor.expand_as", case(real(4), A)),
    Row("flatten", case(CUBE), case(CUBE, 1), case(CUBE, 0, 1), case(CUBE, start_dim=-2, end_dim=-1), case(SCALAR),
        case(EMPTY), case(FLAGS), refused(CUBE, 2, 1), bench=case(real(64, 28, 28), 1), same_node=False),
    Row("Tensor.view_as", case(A, real(2, 6))),
    Row("Tensor.reshape_as", case(A, real(2, 6)), same_node=False),
    Row("unflatten", case(real(2, 6), 1, (3, 2)), case(real(6), 0, (-1, 2)), same_node=False),
    Row("flip", case(A, (0,)), case(CUBE, (0, -1)), case(A, dims=[1]), case(EMPTY, (1,)), case(FLAGS, (0,)),
        bench=case(BIG, (0,))),
    Row("roll", case(A, 1, 0), case(A, (1, -2), (0, 1)), case(A, 2, -1), case(A, 5),
        case(A, (1, 1), (0, 0)), refused(A, (1, 2)), refused(A, 1, (0, 1)), refused(A, 1, 2)),
    *(Row(name, case([A, real(2, 4)]), case([A, A], 1)) for name in ("concat", "concatenate")),
    Row("cat", case([A, real(2, 4)]), case([A, real(3, 1), A], 1), case((CUBE, CUBE), dim=-1), case([real(0, 4), A]),
        case([whole(2), real(3)]), case([truth(2), whole(1, dtype="uint8")]), refused([A, real(2, 3)]), refused([]),
        bench=case([BIG, BIG], 1)),
    Row("stack", case([A, A]), case([A, A, A], 1), case([A, A], dim=-1), case([SCALAR, SCALAR]), case([EMPTY, EMPTY]),
        case([whole(2), real(2)]), refused([A, real(4, 3)]), refused([]), bench=case([BIG, BIG])),
    Row("split", case(real(7, 3), 3), case(real(7, 3), [2, 5]), case(real(3, 7), 4, dim=1),
        case(real(3, 7), (1, 0, 6), -1), case(EMPTY, 2), case(FLAGS, 1), refused(real(7, 3), [2, 2]),
        bench=case(BIG, 64), same_node=False),
    Row("chunk", case(real(7, 3), 3), case(real(3, 7), 2, 1), case(real(3), 5), case(EMPTY, 2), same_node=False),
    Row("unbind", case(A), case(A, 1), case(CUBE, dim=-2), case(EMPTY), case(FLAGS)),
    Row("Tensor.repeat", case(A, 2, 1), case(A, 2, 3, 1), case(real(3), 2), case(SCALAR, 2, 2), case(A, (1, 2)),
        case(A, 0, 2), case(FLAGS, 1, 2), refused(A, 2), bench=case(real(64, 64), 4, 4)),
    Row("tile", case(A, (2,)), case(A, (2, 3)), case(real(3), (2, 1, 2)), case(SCALAR, (2,)),
        bench=case(real(64, 64), (4, 4)), same_node=False),
    Row("repeat_interleave", case(A, 2), case(A, 2, 0), case(A, 3, dim=1), case(A, index(1, 0, 2), 0),
        case(index(2, 0, 1)), case(A, 2, 0, output_size=6), refused(A, 2, 0, output_size=5),
        refused(A, 1.5), refused(A, fixed([1.0, 2.0, 0.0]), 0), refused(A, index([1, 0, 2]), 0), refused(A, index(1, 2), 0),
        same_node=False),
    Row("nn.functional.pad", case(A, (1, 2)), case(A, (1, 0, 2, 1)), case(A, (0, 1), value=2.5),
        case(A, (0, 0, 1, 0), "constant", -1.0), case(A, (-1, 1)), case(EMPTY, (1, 1, 1, 0)), case(whole(2, 3), (1, 1)),
        bench=case(real(64, 28, 28), (2, 2, 2, 2))),
    Row("tril", case(A), case(A, 1), case(A, -1), case(CUBE, diagonal=1), case(whole(3, 3)), case(real(0, 3)),
        refused(real(3)), bench=case(BIG)),
    Row("triu", case(A), case(A, 1), case(A, -1), case(CUBE, diagonal=1), case(whole(3, 3)), case(real(0, 3)),
        bench=case(BIG)),
    Row("diagonal", case(A), case(A, 1), case(A, -1), case(CUBE, 0, 0, 2), case(CUBE, offset=1, dim1=-1, dim2=1),
        case(A, 4), case(whole(3, 3)), bench=case(BIG)),
    Row("Tensor.contiguous", case(A), case(real(4, 3).transposed()), case(A, memory_format=Name("contiguous_format"))),
    Row("clone", *over(real), case(whole(3)), case(A, memory_format=Name("contiguous_format")), bench=case(BIG)),
    Row("Tensor.detach", case(A), case(whole(3))),
    Row("ravel", case(A), case(real(4, 3).transposed()), case(SCALAR), same_node=False),
    Row("diag", case(real(3)), case(real(3), 1), case(real(2), diagonal=-2), case(natural(3))),
    Row("diag", case(A), case(A, 1), case(A, -1), same_node=False),
    Row("vstack", case(real(3), real(3)), case(A, real(4)), case(SCALAR, real(1)), case(CUBE, CUBE), refused(A, real(3)),
        call=lambda m, *tensors: listed(m, "vstack", *tensors), same_node=False),
    Row("hstack", case(real(3), real(2)), case(A, real(3, 2)), case(SCALAR, SCALAR), refused(A, real(2, 4)),
        call=lambda m, *tensors: listed(m, "hstack", *tensors), same_node=False),
    Row("meshgrid", case(real(3), real(2), indexing="ij"), case(real(3), real(2), real(4), indexing="xy"),
        case([real(2), SCALAR], indexing="ij"), refused(real(2), indexing="yx"), same_node=False),
]

# Indexing -------------------------------------------------------------------------------------------------------------

ROWS, COLUMNS, PICK = index(2, 0, 2), index(1, 3, 0), mask(True, False, True)
INDEXING = [
    Row("Tensor.__getitem__", case(A, 1), case(A, -1), case(CUBE, 1), refused(A, 3), refused(SCALAR, 0),
        case(real(3), 2), case(whole(3, 4), 1), case(whole(3, low=0), 0), bench=case(BIG, 3)),
    Row("Tensor.__getitem__", case(A, s_[1:]), case(A, s_[:-1]), case(A, s_[::2]), case(A, s_[0:0]),
        case(EMPTY, s_[:5]), case(A, s_[5:]), case(FLAGS, s_[:1]), bench=case(BIG, s_[16:80])),
    Row("Tensor.__getitem__", case(A, None), case(SCALAR, None), case(A, s_[:, None]), case(A, s_[..., None])),
    Row("Tensor.__getitem__", case(A, ...), case(A, s_[:]), case(A, ()), case(SCALAR, ()), case(A, s_[1, 2]),
        case(A, s_[1, 1:]), case(A, s_[:, 1]), case(A, s_[1:, ::2]), case(CUBE, s_[..., 0]), case(CUBE, s_[0, ..., 1:]),
        case(CUBE, s_[1, None, :, 2]), case(CUBE, s_[None, ..., None, 0]), case(A, s_[2:, None, 1]),
        refused(A, s_[0, 0, 0]), refused(A, s_[::-1]), same_node=False),
    Row("Tensor.__getitem__", case(A, ROWS), case(A, index(-1, 0)), case(A, index([0, 1], [2, 0])),
        case(A, fixed(1, "int64")), case(A, index()), case(A, fixed([0, 2], "int32")), case(whole(3, 4), ROWS),
        refused(A, index(3)), refused(A, real(2)), bench=case(real(4096, 64), whole(4096, low=0, high=4096))),
    Row("Tensor.__getitem__", case(A, [0, 2]), case(A, [2, 0, 0]), case(A, range(2)), case(A, ([0, 2], [1, 1])),
        case(A, s_[[0, 1], [1, 2]]), case(A, [True, False, True]), same_node=False),
    Row("Tensor.__getitem__", case(A, s_[ROWS, COLUMNS]), case(A, s_[range(3), COLUMNS]), case(A, s_[ROWS, 1]),
        case(A, s_[index([0], [2]), index(1, 3)]), case(A, s_[:, COLUMNS]), case(CUBE, s_[:, ROWS]),
        case(CUBE, s_[..., COLUMNS]), case(CUBE, s_[0, ROWS, 1:]), case(CUBE, s_[1:, ROWS, COLUMNS]),
        case(CUBE, s_[index(0, 1), :, index(1, 3)]), case(CUBE, s_[0, :, index(1, 3)]), case(A, s_[ROWS, None]),
        case(A, s_[None, ROWS]), case(CUBE, s_[index(0, 1), None, index(2, 2)]),
        bench=case(BIG, s_[range(64), whole(64, low=0, high=256)]), same_node=False),
    Row("Tensor.__getitem__", case(A, PICK), case(A, truth(3, 4)), case(A, mask(False, False, False)),
        case(A, s_[:, mask(True, False, False, True)]), case(A, s_[PICK, 1]), case(A, s_[PICK, index(0, 3)]),
        refused(A, truth(4)), case(CUBE, truth(2, 3)), case(CUBE, s_[..., mask(True, False, True, True)]),
        case(whole(3, 4), PICK), case(real(3), fixed([1, 0, 1], "int64")), bench=case(BIG, truth(256, 256)),
        same_node=False),
    Row("Tensor.__getitem__", case(SCALAR, fixed(True, "bool")), case(A, True), case(A, s_[None, True]),
        same_node=False),
    Row("Tensor.__iter__", case(A), case(real(2)), call=lambda m, x: list(x), same_node=False),
    Row("gather", case(A, 0, index([0, 2, 1, 1], [2, 2, 0, 0])), case(A, 1, index([0], [3], [1])),
        case(A, -1, index([1, 1, 1])), case(A, 1, whole(3, 0)), case(real(3), 0, ROWS),
        case(A, 1, whole(5, 0)), case(CUBE, 1, index([[0, 2], [1, 1]])), case(real(4, 3).transposed(), 0, index([2, 0])),
        case(whole(3, 4), 1, index([0], [3], [1])), refused(A, 0, index([3])), refused(A, 0, ROWS),
        bench=case(BIG, 1, whole(256, 256, low=0, high=256))),
    Row("scatter_add", case(A, 0, index([0, 2, 1, 1], [2, 2, 0, 0]), real(2, 4)),
        case(A, 1, index([0, 0], [3, 3], [1, 2]), steady(3, 4)), case(real(3), 0, index(1, 1, 1, 1), real(4)),
        case(whole(3), 0, index(2, 2), whole(2)), refused(A, 0, index([3]), real(1, 1)),
        case(CUBE, 1, index([[0, 2], [1, 1]]), real(1, 2, 2)), case(A, 0, whole(0, 5), real(0, 5)),
        bench=case(BIG, 1, whole(256, 256, low=0, high=256), BIG)),
    Row("scatter", case(A, 0, index([0, 2, 1, 1]), real(1, 4)), case(CUBE, 1, index([[0, 2], [1, 1]]), real(1, 2, 2)),
        case(A, 1, index([0], [3], [1]), 1.5),
        case(whole(3, 4), 1, index([0], [3], [1]), 1), refused(A, 0, index([0, 2, 1, 1]), real(1, 4), value=1.0),
        *(case(A.constant(), 0, index([0, 2, 1, 1], [0, 0, 1, 1]), 2.0, reduce=how) for how in ("add", "multiply")),
        refused(A, 0, index([0, 2, 1, 1]), 2.0, reduce="mean")),
    Row("index_select", case(A, 0, ROWS), case(A, 1, COLUMNS), case(CUBE, -2, ROWS), case(A, 0, index()),
        case(whole(3, 4), 0, ROWS), refused(A, 0, index(3)), refused(A, 0, index([0])), case(SCALAR, 0, index(0)),
        refused(SCALAR, 0, index(0, 0)), refused(SCALAR, 0, index()),
        bench=case(BIG, 0, whole(256, low=0, high=256))),
    Row("masked_fill", case(A, truth(3, 4), 0.5), case(A, truth(4), -1), case(A, truth(3, 1), SCALAR),
        case(real(4), truth(3, 4), 2.0), kink(A, mask(True, True, False, False), -inf),
        case(EMPTY, truth(3), 1.0), case(whole(3), PICK, 7), refused(A, whole(3, 4), 0.0),
        bench=case(BIG, truth(256, 256), 0.0)),
    Row("masked_select", case(A, truth(3, 4)), case(A, truth(4)), case(whole(3), PICK), refused(A, whole(3, 4)),
        refused(A, real(3, 4))),
    Row("take_along_dim", case(A, index([0, 2, 1, 1]), 0), case(A, index([0], [3], [1]), 1),
        case(A, index(0, 5, 11, 5)), case(A, index([2, 0]), dim=1),
        case(A, index([-1, 4, -9]), 1), refused(A, index(-1)), refused(A, fixed([[0, 0, 0, 0]], "int32"), 0),
        refused(A, index(0), 0), refused(A, index([0, 1]), 0),
        bench=case(BIG, whole(256, 256, low=0, high=256),
        1), same_node=False),
    Row("nonzero", case(truth(3, 4)), case(CORNERS), case(EMPTY), case(truth(3, 4), as_tuple=True), case(truth(), as_tuple=True)),
    Row("select", case(A, 0, 1), case(CUBE, -1, -2), case(A, dim=1, index=3), refused(A, 0, 3), refused(A, 2, 0)),
    Row("index_fill", case(A, 0, index(2, 0), 1.5), case(A, 1, index(3), SCALAR), case(A, -1, index(), 1.0),
        case(whole(3), 0, index(1, 1), 7), refused(A, 0, truth(3), 1.0), refused(A, 0, fixed([1], "int32"), 1.0),
        refused(A, 0, index([1]), 1.0), refused(A, 0, index(3), 1.0), same_node=False),
]

# Casts ----------------------------------------------------------------------------------------------------------------

CASTS = [
    *(Row(f"Tensor.{name}", case(A), case(whole(3)), case(truth(2, 3)), case(CORNERS))
        for name in ("float", "double", "long", "int", "bool")),
    Row("Tensor.type", *(case(each, Name(name)) for each in (A, whole(3), truth(3))
        for name in ("float", "float64", "long", "int32", "uint8", "bool") if (each, name) != (A, "uint8"))),
    Row("Tensor.to", *(case(each, Name(name)) for each in (A, whole(3), truth(3))
        for name in ("float", "float64", "long")), case(A, dtype=Name("float64")), case(A, "cpu"),
        case(A, real(dtype="float64"))),
    Row("Tensor.to", case(A, Name("float64"), memory_format=Name("preserve_format"))),
    Row("Tensor.type_as", case(A, real(dtype="float64")), case(A, whole(2))),
]

# softmax and its family -----------------------------------------------------------------------------------------------

LOGITS = [case(A, 0), case(A, 1), case(A, dim=-1), case(CUBE, 1), case(SCALAR, 0), case(EMPTY, 1), case(EMPTY, 0),
    case(real(4, 3).transposed(), 1), case(real(3, 4).strided(), 1), kink(huge(3, 4), 1),
    kink(fixed([[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4]]), 1), kink(fixed([[-inf, 0.0, 1.0]]), 1)]
SOFTMAX = [
    Row("softmax", *LOGITS, case(A, 1, dtype=Name("float64")), refused(A, 2), bench=case(real(64, 10), 1)),
    Row("log_softmax", *LOGITS, case(A, 1, dtype=Name("float64")), refused(A, 2), bench=case(real(64, 10), 1)),
    Row("nn.functional.softmax", *LOGITS[:3], kink(huge(3, 4), 1), bench=case(BIG, 1)),
    Row("nn.functional.log_softmax", *LOGITS[:3], kink(huge(3, 4), 1), bench=case(BIG, 1)),
]

# nn.functional --------------------------------------------------------------------------------------------------------


def seeded_dropout(m: Any, x: Any, *p: float, **options: Any) -> Any:
    """Dropout draws its mask; from one seed both draw the same."""
    m.manual_seed(7)
    return m.nn.functional.dropout(x, *p, **options)


ACTIVATIONS = [
    *(Row(f"nn.functional.{name}", *over(real), kink(CORNERS), kink(huge(4)), bench=case(BIG))
        for name in ("relu", "sigmoid", "tanh", "gelu", "silu", "softplus", "elu", "leaky_relu", "logsigmoid", "relu6",
        "hardtanh", "selu", "mish", "softsign")),
    Row("nn.functional.gelu", case(A, approximate="tanh"), kink(huge(4), approximate="tanh")),
    Row("nn.functional.elu", case(A, 0.5), case(A, alpha=2.0)),
    Row("nn.functional.leaky_relu", case(A, 0.2), case(A, negative_slope=-0.1)),
    Row("nn.functional.softplus", case(A, 2.0), case(A, beta=2, threshold=1.0),
        kink(CORNERS, threshold=-0.5), kink(CORNERS, beta=2, threshold=-3), kink(CORNERS, beta=-2, threshold=1)),
    Row("nn.functional.hardtanh", case(A, -0.5, 0.5), refused(A, 0.5, -0.5)),
    Row("nn.functional.dropout", case(A), case(real(64, 8), 0.2), case(A, 0.5, training=False), case(A, 0.0),
        case(A, 1.0), call=seeded_dropout, bench=case(BIG, 0.5)),
]

TARGET = index(1, 0, 3)
WEIGHT = fixed([0.5, 2.0, 1.0, 1.5]).constant()
REDUCTION = [{"reduction": "mean"}, {"reduction": "sum"}, {"reduction": "none"}]


def losses(*arguments: Any, **options: Any) -> list[Case]:
    """A loss under each of its reductions."""
    return [case(*arguments, **options, **each) for each in REDUCTION]


def distances(**options: Any) -> list[Case]:
    """The cases of a loss that compares two tensors of one shape."""
    shapes = [case(SCALAR, SCALAR), case(real(4, 3).transposed(), real(4, 3).constant()), kink(EMPTY, EMPTY)]
    return [*losses(A, A, **options), *shapes, kink(TIES, TIES), case(real(5, low=-20, high=20), real(5))]


LOSSES = [
    Row("nn.functional.linear", case(A, real(2, 4)), case(A, real(2, 4), real(2)), case(CUBE, real(2, 4), real(2)),
        case(real(4), real(2, 4), real(2)), case(real(0, 4), real(2, 4), real(2)),
        case(real(4, 3).transposed(), real(2, 3), real(2)), refused(A, real(2, 3)),
        bench=case(IMAGES, real(512, 784), real(512)), same_node=False),
    Row("nn.functional.nll_loss", *losses(A, TARGET), *losses(A, TARGET, weight=WEIGHT),
        *losses(A, TARGET, ignore_index=3), *losses(A, TARGET, WEIGHT, ignore_index=0),
        case(real(4), fixed(2, "int64")), case(A, index(1, -100, 2)), kink(A, index(-100, -100, -100)),
        kink(real(0, 4), index()), refused(A, index(1, 4, 0)), refused(A, index(1, 0)),
        refused(A, TARGET, reduction="max"), bench=case(real(64, 10), whole(64, low=0, high=10))),
    Row("nn.functional.nll_loss", *losses(real(2, 4, 3), whole(2, 3, low=0, high=4)),
        *losses(real(2, 4, 2, 2), whole(2, 2, 2, low=0), WEIGHT), same_node=False),
    Row("nn.functional.cross_entropy", *losses(A, TARGET), *losses(A, TARGET, weight=WEIGHT),
        *losses(A, TARGET, ignore_index=3), case(real(4), fixed(2, "int64")), kink(huge(3, 4), TARGET),
        case(A, index(1, -100, 2)), kink(A, index(-100, -100, -100)), refused(A, index(1, 4, 0)),
        refused(A, index(1, 0)), bench=case(real(64, 10), whole(64, low=0, high=10))),
    Row("nn.functional.cross_entropy", *losses(A, TARGET, label_smoothing=0.1),
        *losses(A, TARGET, WEIGHT, label_smoothing=0.3), *losses(A, index(1, -100, 2), label_smoothing=0.2),
        *losses(A, TARGET, WEIGHT, ignore_index=0, label_smoothing=0.3), *losses(A, unit(3, 4)),
        *losses(A, unit(3, 4), WEIGHT, label_smoothing=0.1), case(real(4), unit(4)),
        *losses(real(2, 4, 3), whole(2, 3, low=0, high=4)), *losses(real(2, 4, 3), unit(2, 4, 3)), same_node=False),
    Row("nn.functional.mse_loss", *distances(), bench=case(IMAGES, IMAGES)),
    Row("nn.functional.l1_loss", *distances(), bench=case(IMAGES, IMAGES), same_node=False),
    Row("nn.functional.smooth_l1_loss", *distances(), *losses(A, A, beta=0.5), case(A, A, beta=0.0),
        bench=case(IMAGES, IMAGES), same_node=False),
    Row("nn.functional.huber_loss", *distances(), *losses(A, A, delta=0.5), refused(A, A, delta=0.0),
        bench=case(IMAGES, IMAGES)),
    Row("nn.functional.binary_cross_entropy", *losses(unit(3, 4), unit(3, 4)),
        *losses(unit(3, 4), unit(3, 4), positive(4).constant()), case(unit(), unit()),
        kink(fixed([0.0, 1.0, 0.0, 1.0]), fixed([0.0, 1.0, 1.0, 0.0])), kink(EMPTY, EMPTY), refused(A, unit(4)),
        bench=case(unit(64, 784), unit(64, 784)),
        rtol={"float64": 1e-9}),  # torch adds 1e-12 to the denominators of its second derivative
    Row("nn.functional.binary_cross_entropy_with_logits", *losses(A, unit(3, 4)),
        *losses(A, unit(3, 4), positive(4).constant()), *losses(A, unit(3, 4), pos_weight=positive(4).constant()),
        case(SCALAR, unit()), kink(huge(4), unit(4)), kink(EMPTY, EMPTY), bench=case(IMAGES, unit(64, 784)),
        same_node=False),
    Row("nn.functional.kl_div", *(case(A, unit(3, 4), reduction=each) for each in ("batchmean", "sum", "none")),
        *(case(A, real(4), log_target=True, reduction=each) for each in ("batchmean", "sum", "none")),
        kink(real(3), fixed([0.0, 0.5, 0.0]), reduction="sum"),
        bench=case(IMAGES, unit(64, 784), reduction="sum"), same_node=False),
    Row("nn.functional.normalize", case(A), case(A, dim=0), case(CUBE, p=1.0, dim=-1), kink(fixed([[0.0, 0.0]])),
        same_node=False),
    Row("nn.functional.cosine_similarity", case(A, A), case(A, real(4), 1), case(CUBE, CUBE, dim=0),
        case(real(3), real(3), 0), same_node=False),
    Row("nn.functional.one_hot", case(TARGET), case(TARGET, 5), case(index([0, 1], [2, 2]), num_classes=3)),
]

TABLE: list[Row] = [*ARITHMETIC, *OPERATORS, *COMPARISON, *FUNCTIONS, *REDUCTIONS, *ORDER, *PRODUCTS, *SHAPES, *INDEXING,
    *CASTS, *SOFTMAX, *ACTIVATIONS, *LOSSES, *WINDOWS, *NORMS, *ATTENTION, *MORE_FUNCTIONS, *LAYERS, *LINEAR, *PLACES]

# In place: y.name_(...) for a y that is not a leaf; the first input of a case is y ------------------------------------

MOST = [case(A), case(SCALAR), case(EMPTY), case(real(4, 3).transposed()), case(whole(3))]
SOME = [case(positive(3, 4)), case(positive(3, 4).strided())]
WITH = [case(A, positive(4)), case(A, 2), case(A, 1.5), case(SCALAR, positive()), case(EMPTY, positive(3)),
    case(real(4, 3).transposed(), positive(4, 3)), case(real(3), natural(3)), case(whole(3, 4), natural(4)),
    case(real(3, dtype="float32"), real(3, low=1, dtype="float64"))]
EXACT = WITH[:-2] + WITH[-1:]  # without integers, whose quotient is not an integer
WRITE = [case(A, 1, real(4)), case(A, s_[1:], 0.5), case(A, s_[:, 2], real(3)), case(A, s_[..., 0], SCALAR),
    case(A, s_[1, 2], 3.0), case(A, s_[::2, None], real(4)), case(A, ..., 0.0), case(A, s_[:], real(1, 4)),
    case(A, index(2, 0), real(2, 4)), case(A, [0, 2], 1.5), case(A, s_[range(3), COLUMNS], real(3)),
    case(A, s_[:, index(3, 1)], real(2)), case(A, PICK, real(2, 4)), case(A, truth(3, 4), 0.0),
    case(A, s_[PICK, 1], -1.0), case(A, s_[1, index(0, 2)], real(2)), case(whole(3, 4), 1, 5),
    case(whole(3, 4), 0, whole(4)), case(truth(4), s_[1:3], True), case(A, 0, whole(4))]

INPLACE: list[Row] = [
    *LINEAR_IN_PLACE, *PLACES_IN_PLACE, *FUNCTIONS_IN_PLACE, *RESHAPED,
    *(Row(f"Tensor.{name}_", *MOST) for name in ("neg", "abs", "sign", "floor", "ceil", "round", "trunc", "square",
        "relu", "zero")),
    *(Row(f"Tensor.{name}_", *MOST[:4]) for name in ("exp", "expm1", "sin", "cos", "tanh", "sigmoid", "erf")),
    *(Row(f"Tensor.{name}_", *SOME) for name in ("log", "log1p", "sqrt", "rsqrt", "reciprocal")),
    *(Row(f"Tensor.{name}_", *WITH) for name in ("add", "sub", "subtract", "mul", "multiply", "remainder")),
    Row("Tensor.floor_divide_", case(steady(3, 4), steady_positive(4)), case(steady(3), 2),
        case(whole(3, 4), natural(4))),
    *(Row(f"Tensor.__i{name}__", *WITH) for name in ("add", "sub", "mul")),
    *(Row(f"Tensor.{name}", *EXACT) for name in ("div_", "divide_", "true_divide_", "__itruediv__")),
    Row("Tensor.add_", case(A, real(4), alpha=0.5), case(A, real(3, 4), alpha=-2)),
    Row("Tensor.sub_", case(A, real(4), alpha=0.5)),
    Row("Tensor.pow_", case(positive(3, 4), 2), case(positive(3), real(3)), case(positive(3), 0.5),
        case(natural(3), 2)),
    Row("Tensor.clamp_", case(A, -0.5, 0.5), case(A, min=0), case(A, max=real(4)), case(whole(3), -1, 1)),
    Row("Tensor.clip_", case(A, -0.5, 0.5)),
    Row("Tensor.fill_", case(A, 1.5), case(A, SCALAR), case(EMPTY, 1), case(real(4, 3).transposed(), 2),
        case(whole(3), 7)),
    Row("Tensor.copy_", case(A, A), case(A, real(4)), case(A, real(dtype="float64")), case(A, whole(3, 4)),
        case(whole(3), real(3).constant()), case(real(4, 3).transposed(), real(4, 3))),
    Row("Tensor.masked_fill_", case(A, truth(3, 4), 0.5), case(A, truth(4), SCALAR), case(whole(3), PICK, 7)),
    Row("Tensor.scatter_add_", case(A, 0, index([0, 2, 1, 1], [2, 2, 0, 0]), real(2, 4)),
        case(whole(3), 0, index(2, 2), whole(2))),
    Row("Tensor.scatter_", case(A, 0, index([0, 2, 1, 1]), real(1, 4)), case(A, 1, index([0], [3], [1]), 1.5)),
    Row("Tensor.logical_not_", case(truth(3))),
    Row("Tensor.bitwise_and_", case(truth(3), truth(3)), case(whole(3), 2)),
    Row("Tensor.bitwise_or_", case(truth(3), truth(3)), case(whole(3), 2)),
    Row("Tensor.bitwise_xor_", case(truth(3), truth(3)), case(whole(3), 2)),
    Row("Tensor.tril_", case(A), case(A, 1)),
    Row("Tensor.triu_", case(A), case(A, -1)),
    Row("Tensor.__setitem__", *WRITE),
    Row("Tensor.__iadd__", case(A, 2, real(3)), call=lambda m, x, column, y: x[:, column].add_(y)),
    *(Row(f"Tensor.{name}_", *over(real)[:4]) for name in ("tan", "atan", "sinh", "cosh")),
    *(Row(f"Tensor.{name}_", *over(unit)[:4]) for name in ("asin", "acos")),
    Row("Tensor.lerp_", case(A, real(4), 0.3), case(A, A, real(4)), same_node=False),
    Row("Tensor.addcmul_", case(A, A, real(4)), case(A, A, A, value=0.5), same_node=False),
    Row("Tensor.addcdiv_", case(A, A, positive(4)), case(A, A, positive(3, 4), value=-0.5), same_node=False),
    Row("Tensor.clamp_min_", case(A, 0.5), case(A, real(4)), same_node=False),
    Row("Tensor.clamp_max_", case(A, 0.5), case(A, real(4)), same_node=False),
    Row("Tensor.index_fill_", case(A, 0, index(2, 0), 1.5), case(A, 1, index(3), SCALAR), same_node=False),
]
