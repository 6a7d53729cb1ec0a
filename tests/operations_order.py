"""Rows of the table of operations: order and counting, angles, sums of products, and parts of tensors by other names."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any

from .cases import Case, Input, Row, case, fixed, index, kink, natural, positive, real, refused, truth, unit, whole

# fmt: off  (a row reads better as a paragraph than with one argument a line)

A, SCALAR, EMPTY, CUBE, BIG = real(3, 4), real(), real(0, 3), real(2, 3, 4), real(256, 256)
MISSING = fixed([[nan, 1.0, 3.0], [inf, -inf, 2.0], [0.0, nan, nan]])


def over(draw: Callable[..., Input]) -> list[Case]:
    """A function of one variable on a matrix, a number, nothing, and two layouts that are not contiguous."""
    return [case(each) for each in (draw(3, 4), draw(), draw(0, 3), draw(4, 3).transposed(), draw(3, 4).strided())]


def listed(m: Any, name: str, *tensors: Any) -> Any:
    """A function of several tensors that takes them in a list."""
    return getattr(m, name)(list(tensors))


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
        case(fixed([[1, 2], [0, 5], [1, 2]], "int64"), dim=0), case(natural(2, 9), return_inverse=True, return_counts=True, dim=1)),
    Row("bincount", case(natural(9)), case(index()), case(natural(9), minlength=7), case(natural(4), real(4).constant()),
        case(natural(4), natural(4)), case(natural(4), weights=real(4, dtype="float64").constant()), refused(whole(9, high=0)),
        refused(natural(2, 2))),
    Row("count_nonzero", case(whole(3, 4)), case(whole(3, 4), 1), case(CUBE.constant(), (0, 2)), case(MISSING.constant(), dim=-1),
        case(truth(3)), case(EMPTY.constant()), case(whole())),
    Row("isclose", case(A, A), case(MISSING, MISSING), case(MISSING, MISSING, equal_nan=True), case(A, real(4), 0.5, 0.1),
        case(A, real(4), rtol=1.0, atol=1.0), case(whole(3), whole(3))),
    *(Row(name, case(A, real(4)), case(A, 0.5), case(whole(3), 1)) for name in
      ("less", "less_equal", "greater", "greater_equal", "not_equal")),
]

ANGLES = [
    *(Row(name, *over(real), case(whole(3)), kink(MISSING), bench=case(BIG)) for name in ("tan", "atan", "arctan", "sinh", "cosh")),
    *(Row(name, *over(unit), case(truth(3)), kink(fixed([-1.0, 1.0, 2.0])), bench=case(unit(256, 256))) for name in
      ("asin", "arcsin", "acos", "arccos")),
    *(Row(name, case(A, real(4)), case(SCALAR, real(2, 3)), case(real(0, 3), real(3)), case(whole(3), natural(3)),
          case(real(3), whole(3)), bench=case(BIG, BIG)) for name in ("atan2", "arctan2")),
]

COMBINED = [
    Row("lerp", case(A, real(4), 0.3), case(A, A, 0.7), case(A, real(4), real(3, 1)), case(SCALAR, A, SCALAR), same_node=False),
    Row("addcmul", case(A, real(4), real(3, 1)), case(A, A, A, value=0.5), case(whole(3), whole(3), whole(3), value=2),
        same_node=False),
    Row("addcdiv", case(A, real(4), positive(3, 1)), case(A, A, positive(3, 4), value=-0.5), same_node=False),
    Row("clamp_min", case(A, 0.5), case(A, real(4)), case(whole(3), 1), same_node=False),
    Row("clamp_max", case(A, 0.5), case(A, real(4)), case(whole(3), 1), same_node=False),
]

PARTS = [
    Row("ravel", case(A), case(real(4, 3).transposed()), case(SCALAR), same_node=False),
    Row("select", case(A, 0, 1), case(CUBE, -1, -2), case(A, dim=1, index=3), refused(A, 0, 3), refused(A, 2, 0)),
    Row("diag", case(real(3)), case(real(3), 1), case(real(2), diagonal=-2), case(natural(3))),
    Row("diag", case(A), case(A, 1), case(A, -1), same_node=False),
    Row("trace", case(A), case(real(4, 3).transposed()), case(whole(3, 3)), refused(CUBE), same_node=False),
    Row("vstack", case(real(3), real(3)), case(A, real(4)), case(SCALAR, real(1)), case(CUBE, CUBE), refused(A, real(3)),
        call=lambda m, *tensors: listed(m, "vstack", *tensors), same_node=False),
    Row("hstack", case(real(3), real(2)), case(A, real(3, 2)), case(SCALAR, SCALAR), refused(A, real(2, 4)),
        call=lambda m, *tensors: listed(m, "hstack", *tensors), same_node=False),
    Row("meshgrid", case(real(3), real(2), indexing="ij"), case(real(3), real(2), real(4), indexing="xy"),
        case([real(2), SCALAR], indexing="ij"), refused(real(2), indexing="yx"), same_node=False),
    Row("index_fill", case(A, 0, index(2, 0), 1.5), case(A, 1, index(3), SCALAR), case(A, -1, index(), 1.0),
        case(whole(3), 0, index(1, 1), 7), refused(A, 0, truth(3), 1.0), refused(A, 0, fixed([1], "int32"), 1.0),
        refused(A, 0, index([1]), 1.0), refused(A, 0, index(3), 1.0), same_node=False),
]

MORE_IN_PLACE = [
    *(Row(f"Tensor.{name}_", *over(real)[:4]) for name in ("tan", "atan", "sinh", "cosh")),
    *(Row(f"Tensor.{name}_", *over(unit)[:4]) for name in ("asin", "acos")),
    Row("Tensor.lerp_", case(A, real(4), 0.3), case(A, A, real(4)), same_node=False),
    Row("Tensor.addcmul_", case(A, A, real(4)), case(A, A, A, value=0.5), same_node=False),
    Row("Tensor.addcdiv_", case(A, A, positive(4)), case(A, A, positive(3, 4), value=-0.5), same_node=False),
    Row("Tensor.clamp_min_", case(A, 0.5), case(A, real(4)), same_node=False),
    Row("Tensor.clamp_max_", case(A, 0.5), case(A, real(4)), same_node=False),
    Row("Tensor.index_fill_", case(A, 0, index(2, 0), 1.5), case(A, 1, index(3), SCALAR), same_node=False),
]

MORE = [*ORDER, *ANGLES, *COMBINED, *PARTS]
