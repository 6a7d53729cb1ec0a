"""Rows of the table of operations: writing at indices, and joining, cutting and turning by other names."""

from __future__ import annotations

from typing import Any

from .cases import (
    BIG,
    CUBE,
    EMPTY,
    SCALAR,
    A,
    Row,
    case,
    fixed,
    index,
    kink,
    mask,
    real,
    refused,
    truth,
    whole,
)

# fmt: off  (a row reads better as a paragraph than with one argument a line)

PICK = mask(True, False, True)
SPOTS = index([0, 2, 1, 1], [2, 2, 0, 0])

WRITING = [
    Row("take", case(A, index(0, 5, 5)), case(A, index([0], [-1])), case(CUBE, index()), case(whole(3, 4), index(3)),
        case(SCALAR, index(0)), refused(A, index(12)), refused(A, fixed([0], "int32")), refused(A, real(2)),
        bench=case(BIG, whole(4096, low=0, high=65536))),
    Row("put", case(A, index(0, 5), real(2)), case(A, index(0, 0, -1), real(3), accumulate=True),
        case(A, index([1], [7]), real(1, 2)),
        case(whole(3), index(1), whole(1)), refused(A, index(0), real(2)), refused(A, index(50), real(1)),
        refused(A, index(0), real(1, dtype="float64"))),
    Row("index_put", case(A, (index(0, 2),), SCALAR), case(A, (index(0, 2), index(1, 1)), real(2)), case(A, (PICK,), real(2, 4)),
        case(A, (index(0, 0), index(1, 1)), real(2), accumulate=True), case(A, (index(0, 0),), real(4), True),
        case(whole(3), (index(1, 1),), whole(2), True), case(A, (truth(3, 4),), SCALAR), refused(A, index(0), SCALAR),
        refused(A, (index(5),), SCALAR), refused(A, (index(0),), real(dtype="float64"))),
    Row("index_add", case(A, 0, index(0, 2), real(2, 4)), case(A, 1, index(3, 3, 0), real(3, 3)),
        case(CUBE, -2, index(1), real(2, 1, 4)),
        case(A, 0, index(0, 0), real(2, 4), alpha=-2.0), case(A, 0, fixed([1], "int32"), real(1, 4)),
        case(SCALAR, 0, fixed(0, "int64"), SCALAR),
        case(whole(3), 0, index(1, 1), whole(2), alpha=2), case(A, 0, index(), real(0, 4)), refused(A, 0, index(7), real(1, 4)),
        refused(A, 0, index(0), real(2, 4)), refused(A, 0, index([0]), real(1, 4)), refused(A, 0, real(1), real(1, 4)),
        refused(A, 0, index(0), real(1, 3)), refused(A, 0, index(0), real(1, 4, dtype="float64")),
        bench=case(BIG, 0, whole(256, low=0, high=256), BIG)),
    Row("index_copy", case(A, 0, index(0, 2), real(2, 4)), case(A, 1, index(3, 0), real(3, 2)),
        case(CUBE, -2, index(1), real(2, 1, 4)),
        case(SCALAR, 0, fixed(0, "int64"), SCALAR), case(whole(3), 0, index(2, 1), whole(2)), refused(A, 0, index(7), real(1, 4)),
        refused(A, 0, index(0), real(2, 4)), refused(A, 0, index([0]), real(1, 4)),
        refused(A, 0, fixed([1], "int32"), real(1, 4)),
        refused(A, 0, index(0), real(1, 4, dtype="float64"))),
    Row("scatter_reduce", *(case(A, 0, SPOTS, real(2, 4), how) for how in ("sum", "prod", "mean", "amax", "amin")),
        *(case(A, 1, index([0, 0, 1, 3], [3, 3, 3, 3], [1, 2, 0, 1]), real(3, 4), how, include_self=False) for how in ("sum",
        "mean", "amax",
        "amin")),
        *(case(whole(3, 4), 0, SPOTS, whole(2, 4), how) for how in ("sum", "prod", "mean", "amax", "amin")),
        *(kink(fixed([1.0, 0.0, 3.0]), 0, index(1, 0, 1, 2, 2), fixed([2.0, 1.0, 0.0, 3.0, 0.0]), how) for how in
          ("prod", "amax", "amin", "mean")),
        case(A, 1, index([0, 0, 1, 3], [3, 3, 3, 3], [1, 2, 0, 1]), real(3, 4), "prod", include_self=False),
        case(SCALAR, 0, fixed(0, "int64"), SCALAR, "sum"),
        refused(A, 0, SPOTS, real(2, 4), "most"), refused(A, 0, index([0, 9]), real(1, 4), "sum"),
        refused(A, 0, SPOTS, real(2, 4, dtype="float64"), "sum"), same_node=False),
    Row("masked_scatter", case(A, truth(3, 4), real(12)), case(A, truth(4), real(20)), case(real(4), truth(3, 4), real(3, 4)),
        case(whole(3), PICK, whole(2)), refused(A, mask(True, True, True, True), real(2)), refused(A, whole(3, 4), real(12)),
        refused(A, truth(3, 4), real(12, dtype="float64")), bench=case(BIG, truth(256, 256), BIG)),
    Row("argwhere", case(truth(3, 4)), case(EMPTY.constant()), case(whole())),
]


def listed(name: str) -> Any:
    """A function of several tensors that takes them in a list."""
    return lambda m, *tensors: getattr(m, name)(list(tensors))


PIECES = [
    *(Row(name, case(real(7, 3), [2, 5]), case(real(3, 7), (1, 0, 6), -1), case(A, [1, 2], dim=0), refused(A, [1, 1]),
          refused(A, 2))
      for name in ("split_with_sizes", "Tensor.split_with_sizes")),
    Row("tensor_split", case(real(7, 3), 3), case(real(7), (1, 4)), case(real(3, 7), (2, -1), 1), case(real(2), 5),
        case(real(5), (3, 1)),
        case(real(5), (2, 9)), case(real(7), index(1, 4)), case(real(7), fixed(2, "int64")), refused(A, 0), refused(SCALAR, 2),
        refused(A, real(2))),
    Row("hsplit", case(real(2, 6), 3), case(real(6), 2), case(CUBE, (1,)), refused(A, 3), refused(SCALAR, 1)),
    Row("vsplit", case(real(6, 2), 3), case(A, (1, 2)), refused(real(4), 2), refused(A, 2)),
    Row("dsplit", case(CUBE, 2), case(CUBE, (1, 3)), refused(A, 2), refused(CUBE, 3)),
    *(Row(name, case(SCALAR), case(real(3)), case(A), case(CUBE), case(SCALAR, A), case([SCALAR, real(2)]), case(whole()))
      for name in ("atleast_1d", "atleast_2d", "atleast_3d")),
    Row("dstack", case(A, A), case(real(3), real(3)), case(SCALAR, SCALAR), case(CUBE, CUBE), refused(), call=listed("dstack"),
        same_node=False),
    Row("column_stack", case(real(3), real(3, 2)), case(A, A), case(SCALAR, SCALAR),
        refused(), call=listed("column_stack"), same_node=False),
    Row("row_stack", case(A, A), case(real(3), real(3)), call=listed("row_stack"), same_node=False),
    Row("rot90", case(A), case(A, 2), case(A, -1, (1, 0)), case(CUBE, 1, (0, 2)), case(A, 4), case(whole(2, 3), 3),
        refused(A, 1, (0, 0)),
        refused(real(3)), refused(A, 1, (0, 1, 1)), refused(A, 1, (0, 5)), bench=case(BIG)),
    Row("fliplr", case(A), case(CUBE), refused(real(3))),
    Row("flipud", case(A), case(real(3)), refused(SCALAR)),
    Row("diag_embed", case(A), case(real(3), 1), case(A, -1, 0, 2), case(CUBE, 1, 1, -1), case(whole(3)), refused(A, 0, 0, 0),
        refused(A, 0, 5, 1)),
]

MADE_OF_PIECES = [
    Row("block_diag", case(A, real(2, 2)), case(real(3), SCALAR, real(1, 2)), case(A), case(whole(2), whole(1, 2)), refused(CUBE),
        same_node=False),
    Row("cartesian_prod", case(real(3), real(2)), case(real(2), real(3), real(1)), case(real(3)), case(whole(2), whole(2)),
        refused(A, real(2)), same_node=False),
    Row("combinations", case(real(4)), case(real(4), 3), case(real(3), with_replacement=True), case(real(3), 1), case(whole(2), 3),
        case(real(2).constant(), 0), refused(A), refused(real(3), -1), same_node=False),
    Row("diagflat", case(real(3)), case(A, 1), case(real(2), -1), case(SCALAR), same_node=False),
]

PLACES = [*WRITING, *PIECES, *MADE_OF_PIECES]

PLACES_IN_PLACE = [
    Row("Tensor.fill_diagonal_", case(A, 2.0), case(real(5, 2), 1), case(real(5, 2), -1.5, wrap=True), case(real(7, 2), 0, True),
        case(real(3, 3, 3), 1.0), case(whole(3, 4), 2), refused(real(3), 1.0), refused(CUBE, 1.0)),
    Row("Tensor.index_add_", case(A, 0, index(0, 0), real(2, 4)), case(whole(3), 0, index(1), whole(1))),
    Row("Tensor.index_copy_", case(A, 0, index(0, 2), real(2, 4)), case(whole(3), 0, index(1), whole(1))),
    Row("Tensor.index_put_", case(A, (index(0, 2),), SCALAR), case(A, (index(0, 0),), real(4), True),
        case(whole(3), (index(1),), whole(1))),
    Row("Tensor.put_", case(A, index(0, 5), real(2)), case(A, index(0, 0), real(2), True)),
    Row("Tensor.masked_scatter_", case(A, truth(3, 4), real(12)), case(whole(3), PICK, whole(2))),
    Row("Tensor.scatter_reduce_", case(A, 0, SPOTS, real(2, 4), "sum"), case(A, 0, SPOTS, real(2, 4), "amax"), same_node=False),
]
