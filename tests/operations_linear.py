"""Rows of the table of operations: linear algebra, what runs along a dimension, order statistics, histograms and searching."""

from __future__ import annotations

from math import inf, nan
from typing import Any

from .cases import (
    BIG,
    CUBE,
    EMPTY,
    SCALAR,
    A,
    Input,
    Name,
    Row,
    case,
    fixed,
    index,
    kink,
    positive,
    real,
    refused,
    truth,
    whole,
)

# fmt: off  (a row reads better as a paragraph than with one argument a line)

MISSING = fixed([[nan, 1.0, 3.0], [inf, -inf, 2.0], [0.0, nan, nan]])
TIES = fixed([[1.0, 3.0, 3.0, 2.0], [2.0, 2.0, 2.0, 2.0], [0.0, -1.0, 0.0, -2.0]])


def regular(n: int, *lead: int) -> Input:
    """Matrices far from singular: one, or several whose values are given."""
    rows = [[3.0 * (i == j) + ((7 * i + 3 * j) % 5 - 2) / 3 for j in range(n)] for i in range(n)]
    return fixed([rows, [row[::-1] for row in rows]] if lead else rows)


def definite(x: Any) -> Any:
    """Square matrices made symmetric and positive definite; others, and integers, as they are."""
    square = x.ndim > 1 and x.shape[-1] == x.shape[-2] and x.dtype.is_floating_point
    return x @ x.mT + 0.5 * x.detach().new_ones(x.shape[-1]).diag() if square else x


PRODUCTS = [
    Row("addmv", case(real(3), A, real(4)), case(SCALAR, A, real(4)), case(real(1), A, real(4)),
        case(real(3), A, real(4), beta=0),
        case(real(3), A, real(4), beta=0.5, alpha=2.0), case(whole(3), whole(3, 4), whole(4)), case(real(0), real(0, 4), real(4)),
        refused(real(4), A, real(4)), refused(real(3), A, real(3)), refused(whole(3), A, real(4)),
        bench=case(real(256), BIG, real(256))),
    Row("baddbmm", case(real(2, 3, 5), CUBE, real(2, 4, 5)), case(real(5), CUBE, real(2, 4, 5)),
        case(SCALAR, CUBE, real(2, 4, 5), beta=0),
        case(real(3, 1), CUBE, real(2, 4, 5), beta=0.5, alpha=-2.0), case(whole(2, 3, 2), whole(2, 3, 4), whole(2, 4, 2)),
        refused(real(2, 3, 5), CUBE, CUBE), refused(real(3, 3, 5), CUBE, real(2, 4, 5)),
        bench=case(real(64), real(16, 64, 64), real(16, 64, 64))),
    Row("inner", case(A, real(2, 4)), case(real(4), real(4)), case(CUBE, real(4)), case(CUBE, real(5, 4)), case(A, SCALAR),
        case(whole(3), whole(3)), refused(A, real(3)), bench=case(BIG, BIG), same_node=False),
    Row("tensordot", case(CUBE, real(3, 4, 5), 2), case(CUBE, real(4, 3), ([1, 2], [1, 0])), case(A, real(4), 1),
        case(A, A, dims=0),
        case(CUBE, CUBE, dims=([0, 1, 2], [0, 1, 2])), case(CUBE, real(2, 5), ([0], [0])),
        case(real(2, 1), real(3, 4), ([1], [0])), case(whole(2, 3), whole(3, 2), 1),
        refused(CUBE, real(4, 3), 2), refused(A, real(4, dtype="float64"), 1), refused(A, A, -1),
        bench=case(real(64, 8, 8), real(8, 8, 64), 2), same_node=False),
    Row("kron", case(real(2, 3), real(4, 2)), case(A, real(2)), case(real(2), real(3)), case(SCALAR, A),
        case(whole(2), whole(2, 2)),
        bench=case(real(16, 16), real(16, 16)), same_node=False),
    Row("cross", case(real(2, 3), real(2, 3), dim=1), case(real(3, 4), real(3, 4), 0), case(real(2, 3), real(1, 3), dim=-1),
        case(whole(2, 3), whole(2, 3), dim=1), refused(A, A, dim=1), refused(real(3), real(2, 3), dim=0)),
    Row("linalg.cross", case(real(2, 3), real(2, 3)), case(real(3, 4), real(3, 4), dim=0), refused(A, A)),
    Row("linalg.matmul", case(A, real(4, 2)), same_node=False),
    Row("cdist",  # torch has no second derivative
        *(kink(A, real(5, 4), p) for p in (0.5, 1.0, 2.0, 3.0, inf)), kink(CUBE, real(2, 5, 4)), kink(CUBE, real(5, 4)),
        kink(A.constant(), real(5, 4).constant(), 0.0), kink(real(0, 4), A),
        kink(fixed([[1.0, 2.0]]), fixed([[1.0, 2.0], [0.0, 2.0]])),
        refused(A, real(3)), refused(whole(2, 3), whole(2, 3)), refused(A, A, -1.0), bench=case(real(64, 16), real(64, 16)),
        same_node=False),
]

MATRICES = [
    *(Row(name, case(regular(3)), case(regular(3, 2)), case(fixed([[2.0]])), case(real(0, 2, 2)), refused(A), refused(real(3)),
          refused(whole(3, 3)), refused(real(2, 2, dtype="float16")),
          bench=case(regular(64))) for name in ("linalg.inv", "inverse")),
    Row("linalg.cholesky", case(real(3, 3)), case(real(2, 3, 3), upper=True), case(real(1, 1)), case(real(2, 0, 0)),
        refused(A), refused(real(3)), refused(whole(3, 3)), refused(real(2, 2, dtype="float16")),
        call=lambda m, x, **named: m.linalg.cholesky(definite(x), **named), bench=case(real(64, 64)), same_node=False),
    Row("linalg.cholesky", case(real(3, 3).constant()), call=lambda m, x: m.linalg.cholesky(definite(x).tril())),
    Row("linalg.cholesky", case(real(3, 3).constant()), call=lambda m, x: m.linalg.cholesky(definite(x).triu(), upper=True)),
    *(Row(name, case(regular(3)), case(regular(4, 2)), case(fixed([[2.0]])), case(real(0, 2, 2)), refused(A),
          refused(whole(3, 3)),
          kink(fixed([[1.0, 2.0], [2.0, 4.0]])), kink(fixed([[0.0, 0.0, 0.0], [0.0, 2.0, 1.0], [0.0, 1.0, 1.0]])),
          bench=case(regular(64))) for name in ("linalg.det", "det")),
    *(Row(name, case(regular(3)), case(regular(4, 2)), case(fixed([[-2.0]])), refused(A), refused(whole(3, 3)),
          bench=case(regular(64)))
      for name in ("linalg.slogdet", "slogdet")),
    *(Row(name, case(regular(3)), case(regular(4, 2)), case(real(0, 2, 2)), kink(fixed([[-2.0]])),
          refused(A), refused(whole(3, 3)), bench=case(regular(64)))
      for name in ("logdet", "Tensor.logdet")),
    Row("linalg.solve", case(regular(3), real(3, 2)), case(regular(3, 2), real(2, 3, 1)),
        case(regular(3), real(2, 3), left=False),
        case(regular(3, 2), real(3, 2)), refused(A, A), refused(regular(3), real(2, 2)),
        refused(real(3, 3, dtype="float64"), real(3, 1)),
        bench=case(regular(64), real(64, 64)), same_node=False),
    Row("linalg.solve", case(regular(3), real(3)), case(regular(3, 2), real(2, 3)), same_node=False),
    Row("linalg.svdvals", case(A.constant()), case(CUBE.constant()), case(real(3, 2).constant())),
    Row("linalg.svdvals", kink(fixed([[1.0, 2.0, 0.5], [-0.3, 1.5, 2.5]])),
        kink(fixed([[[3.0, 0.5, 0.0], [0.2, 2.0, 0.1], [0.0, -0.3, 1.0]], [[0.1, 2.0, 0.3], [5.0, 0.0, 0.2], [0.4, 0.3, -1.0]]])),
        call=lambda m, x: first_order(m, x), same_node=False),  # singular values far apart: float32 errs where two are close
]


def first_order(m: Any, x: Any) -> Any:
    """The derivative itself is not recorded: torch has its derivative, minigrad says that it is missing."""
    x = x.detach().requires_grad_()
    values = m.linalg.svdvals(x)
    return (values.detach(), *m.autograd.grad((values * m.arange(1, values.shape[-1] + 1)).sum(), x))


NORMS = [
    Row("norm", case(A.constant(), "nuc"), case(CUBE.constant(), "nuc", (0, 2)), case(A, dtype=Name("float64")),
        refused(A, "two"),
        refused(whole(3)), same_node=False),
    Row("linalg.vector_norm", case(A), case(A, 1), case(A, 3.0, dim=1), case(A, inf, 0, True), case(A, -inf, 1), case(A, 0),
        case(positive(3, 4), -2.0), case(CUBE, dim=(0, 2)), case(A, 0.5), case(EMPTY), case(real(3, dtype="float32"),
        dtype=Name("float64")), refused(whole(3)), refused(real(3, dtype="float64"), dtype=Name("float32")), refused(EMPTY, inf),
        bench=case(BIG)),
    Row("linalg.matrix_norm", case(A), *(case(A, p) for p in (1, -1, inf, -inf)), case(CUBE, "fro", (0, 2)),
        case(CUBE, 1, keepdim=True),
        case(CUBE, inf, (2, 0), True), *(case(A.constant(), p) for p in ("nuc", 2, -2)), case(CUBE.constant(), 2, (0, 1), True),
        refused(real(3)), refused(A, 3), refused(A, "foo"), refused(A, "fro", (1, 1)), bench=case(BIG), same_node=False),
    Row("linalg.norm", case(A), case(CUBE), case(real(4), 1), case(A, 2, 1), case(A, "fro"), case(A, 1), case(A, dim=(0, 1)),
        case(CUBE, 3.0, dim=2), case(A, dim=0, keepdim=True), case(A.constant(), "nuc"), refused(CUBE, "fro"), refused(A, 0),
        refused(A, "fro", 1), bench=case(BIG), same_node=False),
]

ALONG = [
    Row("cumprod", case(A, 0), case(A, 1), case(CUBE, -2), case(SCALAR, 0), case(EMPTY, 0), case(real(4, 3).transposed(), 1),
        case(whole(3, 4), 1), case(truth(4), 0), case(A, dim=0, dtype=Name("float64")),
        kink(fixed([[2.0, 0.0, 3.0, 0.0, 4.0]]), 1),
        kink(fixed([0.0, 1.0, 2.0]), 0), refused(A, 2), bench=case(BIG, 1)),
    *(Row(name, case(A, 0), case(A, 1), case(CUBE, -2), case(SCALAR, 0), case(EMPTY, 0), case(real(4, 3).transposed(), 1),
          case(whole(3, 4), 1), case(truth(4), 0), kink(TIES, 1), kink(MISSING, 1), refused(A, 2), bench=case(BIG, 1))
      for name in ("cummax", "cummin")),
    Row("logcumsumexp", case(A, 0), case(A, 1), case(CUBE, -2), case(SCALAR, 0), case(EMPTY, 0), case(real(4, 3).transposed(), 1),
        kink(fixed([1e4, -1e4, 1e4]), 0), kink(fixed([-inf, 0.0, 1.0]).constant(), 0), refused(whole(3), 0), refused(A, 2),
        bench=case(BIG, 1)),
    Row("diff", case(A), case(A, 2), case(A, dim=0), case(A, 0), case(A, 0, 1, real(3, 1)), case(A, 9), case(whole(3, 4)),
        case(truth(5)),

        case(A, 1, 1, real(3, 1), real(3, 2)), case(A, dim=0, append=real(1, 4)), refused(SCALAR), refused(A, -1),
        bench=case(BIG),
        same_node=False),
]

REDUCTIONS = [
    *(Row(name, case(A), case(A, 1), case(A, dim=0, keepdim=True), case(CUBE, (0, 2)), case(A, False),
          case(A, dim=1, correction=0),
          case(A, 1, False, True), refused(whole(3)), bench=case(BIG, 0)) for name in ("var_mean", "std_mean")),
    Row("nansum", case(A), case(A, 0), case(CUBE, (0, 2), True), kink(MISSING), kink(MISSING, 1), case(whole(3, 4), 1),
        case(truth(3)),
        case(whole(3), dtype=Name("float32")), case(A, dtype=Name("float64")), case(EMPTY, 0), bench=case(BIG, 0),
        same_node=False),
    Row("nanmean", case(A), case(A, 0), case(CUBE, (0, 2), True), kink(MISSING), kink(MISSING, 1), case(A, dtype=Name("float64")),
        refused(whole(3)), bench=case(BIG, 0), same_node=False),
]

RANKS = [
    Row("kthvalue", case(A, 2), case(A, 1, 0), case(A, 3, dim=1, keepdim=True), case(CUBE, 2, -2), case(SCALAR, 1),
        kink(fixed([3.0, nan, 1.0]), 3), refused(A, 5), refused(A, 0), refused(truth(3), 1), refused(EMPTY, 1, 0),
        refused(A, 1, 2),
        bench=case(BIG, 9)),
    Row("mode", case(whole(3, 9)), case(whole(9, 2), 0), case(whole(3, 9), dim=1, keepdim=True), case(truth(7)),
        case(SCALAR), kink(TIES),
        kink(TIES, 0), refused(EMPTY, 0), refused(A, 2), bench=case(BIG)),
    *(Row(name, case(A, 0.3), case(A, 0.5, 1), case(A, 1.0, dim=0, keepdim=True), case(CUBE, 0.25, -2),
          case(A, 0.4, keepdim=True),
          *(case(A, 0.3, 1, interpolation=way) for way in ("lower", "higher", "midpoint", "nearest")), case(SCALAR, 0.3),
          case(A, fixed([0.1, 0.5, 0.9]).constant(), 1), case(A, fixed([0.1, 0.5])), case(A, fixed([0.3, 0.8]), 1),
          case(A, fixed(0.2).constant()),
          case(CUBE, fixed([0.1, 0.5]).constant(), 1, True), kink(MISSING, 0.5, 1), kink(fixed([nan, nan]), 0.5),
          refused(whole(3), 0.5), refused(A, 1.5), refused(real(0), 0.5), refused(A, 0.5, interpolation="cubic"),
          refused(A, real(2, 2)), bench=case(BIG, 0.3, 1), same_node=False)
      for name in ("quantile", "nanquantile")),
]

Z = real(40).constant()
COUNTED = [
    Row("histc", case(Z), case(Z, 4), case(Z, 5, -1, 1), case(Z, bins=3, min=-1, max=2), case(real(2, 3).constant(), 4),
        case(fixed([1.0, 1.0]).constant(), 4), case(real(0).constant(), 3), refused(whole(3)), refused(Z, 0), refused(Z, 4, 1, 0),
        refused(fixed([nan, 1.0]))),
    Row("histogram", case(Z), case(Z, 4), case(Z, 5, range=(-1.0, 1.0)), case(Z, fixed([-1.0, 0.0, 0.5, 2.0]).constant()),
        case(Z, 4, density=True), case(Z, 4, weight=positive(40).constant()), case(fixed([1.0, 1.0]).constant(), 4),
        case(real(0).constant(), 2),
        case(Z, 4, range=(-1.0, 1.0), weight=positive(40).constant(), density=True), refused(whole(3), 4), refused(Z, 0)),
    Row("searchsorted", case(fixed([1.0, 2.0, 3.0]).constant(), Z), case(fixed([1.0, 2.0]).constant(), 1.0),
        case(fixed([[1.0, 2.0, 5.0], [3.0, 3.0, 4.0]]).constant(), fixed([[2.0, 6.0], [3.0, 0.0]]).constant()),
        case(fixed([[1.0, 2.0, 5.0], [3.0, 3.0, 4.0]]).constant(), fixed([[2.0, 6.0], [3.0, 0.0]]).constant(), right=True),
        case(index(1, 3, 5), index(3, 4), side="right"), case(index(1, 3, 5), index(3, 4), out_int32=True),
        case(index(5, 1, 3), index(3, 4), sorter=index(1, 2, 0)), refused(Z, Z, side="up"),
        refused(Z, Z, side="left", right=True),
        refused(real(2, 3).constant(), real(3, 2).constant())),
    Row("bucketize", case(Z, fixed([-1.0, 0.0, 1.0]).constant()), case(0.5, fixed([-1.0, 0.5]).constant()),
        case(0.5, fixed([-1.0, 0.5]).constant(), right=True), case(whole(3, 4), index(-1, 2), out_int32=True),
        refused(Z, real(2, 2).constant())),
    Row("isin", case(whole(3, 4), index(1, 2)),  case(whole(3), index(1), invert=True),
        case(Z, fixed([0.0]).constant()), case(whole(4), real(2).constant()), case(whole(3), index()),
        refused(truth(3), truth(3))),
]

GAPS = fixed([[nan, 1.0, 3.0, 2.0], [nan, 4.0, nan, nan], [0.0, nan, -1.0, 5.0]])
RUNS = fixed([[1, 1, 2], [1, 1, 2], [3, 3, 2], [1, 1, 2]], "int64")
STATISTICS = [
    *(Row(name, case(A), case(A, dim=0), case(A, dim=-1, keepdim=True), case(SCALAR), case(whole(3, 4), dim=1), case(truth(3)),
          kink(fixed([[1.0, 1.0], [2.0, 2.0]]), dim=1), refused(real(0)), same_node=False)
      for name in ("aminmax", "Tensor.aminmax")),
    Row("nanmedian", case(A), case(A, 0), case(A, -1, True), case(SCALAR), case(SCALAR, 0), case(real(5)), case(whole(3, 4), 1),
        kink(GAPS), kink(GAPS, 1), kink(GAPS, dim=0, keepdim=True), case(real(0).constant()), refused(truth(3)),
        refused(real(0, 3), 0), same_node=False),
    Row("unique_consecutive", case(fixed([1, 1, 2, 2, 1], "int64")), case(fixed([1, 1, 2], "int64"), return_inverse=True),
        case(RUNS, return_inverse=True, return_counts=True), case(RUNS, dim=0, return_counts=True), case(RUNS, True, True, 1),
        case(real(0).constant()), case(fixed([nan, nan, 1.0]).constant()), same_node=False),
    Row("cov", case(A), case(A, correction=0), case(real(5)), case(whole(3, 4)), refused(CUBE), case(real(1, 5)),
        case(A, fweights=index(1, 2, 0, 3)), case(A, aweights=positive(4).constant()),
        case(A, correction=0, fweights=index(1, 2, 1, 1), aweights=positive(4).constant()),
        case(A, fweights=index(1, 2, 1, 1), aweights=positive(4).constant()), refused(A, fweights=index(1, 2)),
        refused(A, fweights=real(4).constant()), refused(A, aweights=index(1, 2, 1, 1)), same_node=False),
    Row("corrcoef", case(A), case(real(2, 6)), case(real(5).constant()), same_node=False),
    *(Row(name, case(A), case(A, dx=0.5), case(A, dim=0), case(A, real(4)), case(A, real(3), dim=0), case(A, real(3, 4)),
          case(A, real(3, 4), dim=0), case(whole(4)), case(real(1)), refused(A, real(3)), same_node=False)
      for name in ("trapezoid", "trapz")),
    Row("dist", case(A, real(3, 4)), case(A, real(4), 1), case(A, real(3, 1), 3), case(A, A, inf), same_node=False),
    Row("vdot", case(real(3), real(3)), case(whole(3), whole(3)), refused(A, A), same_node=False),
]

FOUR = real(4).constant()
CHAINS = [
    Row("addr", case(real(3, 4), real(3), real(4)), case(real(4), real(3), real(4)),
        case(SCALAR, real(3), real(4), beta=0.5, alpha=2.0),
        case(real(3, 4), real(3), real(4), beta=0), case(whole(3, 4), whole(3), whole(4), beta=2, alpha=3),
        case(truth(3, 4), truth(3), truth(4)),
        refused(real(3, 4), real(4), real(3)), refused(A, A, real(4))),
    Row("addbmm", case(real(3, 5), CUBE, real(2, 4, 5)), case(real(5), CUBE, real(2, 4, 5), beta=0.5, alpha=2.0),
        case(real(3, 5), CUBE, real(2, 4, 5), beta=0), case(whole(3, 2), whole(2, 3, 4), whole(2, 4, 2)),
        refused(real(3, 5), CUBE, CUBE), refused(real(4, 5), CUBE, real(2, 4, 5))),
    Row("linalg.multi_dot", case([A, real(4, 2)]),  # torch fails in the backward of more than two
        case([each.constant() for each in (A, real(4, 2), real(2, 5))]), case([each.constant() for each in (real(3), A, real(4))]),
        case([each.constant() for each in (real(5, 2), real(2, 6), real(6, 1), real(1, 4))]),
        case([each.constant() for each in (A, real(4, 2), real(2, 3), real(3))]), case([real(3), real(3, 4)]), case([A, real(4)]),
        case([whole(2, 3), whole(3, 2)]), refused([A]), refused([A, A]), refused([A, real(4), real(4, 2)]),
        refused([A, real(4, 2, dtype="float64"), real(2, 2, dtype="float32")]), same_node=False),
    *(Row(name, *(case(regular(3), n) for n in (-2, -1, 0, 1, 2, 3, 7)), case(regular(3, 2), 3), case(whole(2, 2), 3),
          refused(A, 2), refused(real(3), 2), same_node=False) for name in ("linalg.matrix_power", "matrix_power")),
    Row("linalg.vecdot", case(A, A), case(A, real(4)), case(CUBE, real(2, 1, 4), dim=0), refused(whole(3), whole(3)),
        refused(A, real(3)), same_node=False),
    Row("linalg.vander", case(real(3)), case(A, N=3), case(real(2, 1), N=4), case(whole(4), N=3), case(SCALAR, N=3),
        refused(real(1)),
        refused(real(3), N=1), same_node=False),
    Row("vander",  # torch fails in backward
        case(FOUR), case(FOUR, 3), case(FOUR, increasing=True), case(FOUR, N=5, increasing=True), case(FOUR, 0), case(FOUR, 1),
        case(whole(4)), refused(A), refused(real(3), -1), same_node=False),
    Row("linalg.diagonal", case(A), case(CUBE), case(CUBE, offset=1), case(CUBE, dim1=0, dim2=1)),
    Row("cumulative_trapezoid", case(A), case(A, dx=0.5), case(A, dim=0), case(A, real(4)), case(A, real(3), dim=0),
        case(A, real(3, 4)), case(real(1)), refused(A, real(3)), same_node=False),
    Row("pdist",  # torch has no second derivative
        kink(A), kink(A, 1.0), kink(A, 3.0), kink(A, inf), kink(A.constant(), 0.0), kink(real(1, 4)), kink(real(0, 3).constant()),
        kink(fixed([[1.0, 2.0], [1.0, 2.0], [0.0, 1.0]])), refused(CUBE), refused(A, -1.0), same_node=False),
    Row("nn.functional.pdist", kink(A), kink(A, p=1.0), same_node=False),
    *(Row(name, case(A, 2, 0, 1.0), case(A, 1, 1, 2.5), case(CUBE, 3, -1, 0.5), case(A, 2, 0, 100.0), case(A, inf, 0, 1.0),
          refused(real(3), 2, 0, 1.0), refused(A, 0, 0, 1.0), refused(A, 2, 0, -1.0), same_node=False) for name in ("renorm",)),
    Row("msort", case(A), case(CUBE), case(whole(5)), case(SCALAR)),
    Row("select_scatter", case(A, real(4), 0, 1), case(A, real(3), 1, -1), case(whole(2, 3), whole(3), 0, 0),
        case(A, real(4), -2, 2), refused(A, real(3), 0, 1), refused(A, real(4), 0, 3), same_node=False),
    Row("slice_scatter", case(A, real(2, 4), 0, 1), case(A, real(3, 2), 1, 0, 4, 2), case(A, real(3, 1), dim=-1, start=-1),
        case(A, real(3, 4)), refused(A, real(3), 0, 1), same_node=False),
    *(Row(name, case(A, real(3)), case(A, real(3), 1), case(A, real(2), -1), case(CUBE, real(3, 2), 0, 0, 2),
          case(CUBE, real(2, 3), dim1=-1, dim2=1), case(whole(2, 3), whole(2)),
          case(real(4, 3).transposed(), real(3)), refused(A, real(2)), refused(A, real(3), 0, 0, 0), same_node=False)
      for name in ("diagonal_scatter", "Tensor.diagonal_scatter")),
    Row("gradient", case(A), case(A, dim=1), case(A, dim=(1, 0), spacing=(2, 0.5)), case(A, spacing=0.5, edge_order=2),
        case(real(5), spacing=(fixed([0.0, 1.0, 3.0, 3.5, 7.0]).constant(),)), case(whole(4), spacing=[2]),
        case(real(5), spacing=(fixed([0.0, 1.0, 3.0, 3.5, 7.0]).constant(),), edge_order=2), case(real(2, 3), dim=-1, edge_order=2),
        case(real(0, 3), dim=1),
        refused(A, spacing=[1]), refused(A, dim=(0, 0)), refused(A, edge_order=3), refused(real(1)), refused(real(2), edge_order=2),
        refused(truth(3)), refused(A, dim=2), bench=case(BIG), same_node=False),
    Row("gradient", case(A, spacing=(fixed([0, 2, 5], "int64"), fixed([0, 1, 2, 4], "int64"))), same_node=False,
        rtol={"float64": 1e-6}),  # torch divides integers in float32
    *(Row(name, case(real(2, 3, 8), 2)) for name in ("max_pool1d", "avg_pool1d", "adaptive_avg_pool1d")),
    Row("max_pool2d", case(real(2, 3, 4, 4), 2)), Row("layer_norm", case(A, (4,)), same_node=False),
    Row("group_norm", case(real(2, 4, 3), 2), same_node=False), Row("rms_norm", case(A, (4,)), same_node=False),
    *(Row(name, case(A, real(3, 4)), case(A, real(4)), same_node=False) for name in ("cosine_similarity", "pairwise_distance")),
    Row("unravel_index", case(index(0, 7, 23), (2, 3, 4)), case(index(5), 6), case(fixed([[1, 2], [3, 4]], "int64"), (3, 2)),
        case(fixed(4, "int64"), (3, 2)), refused(real(3), (2, 2)), refused(index(1), (-1, 2))),
]

LINEAR = [*CHAINS, *STATISTICS, *PRODUCTS, *MATRICES, *NORMS, *ALONG, *REDUCTIONS, *RANKS, *COUNTED]

LINEAR_IN_PLACE = [
    Row("Tensor.addr_", case(real(3, 4), real(3), real(4)), case(real(3, 4), real(3), real(4), alpha=0.5)),
    Row("Tensor.addbmm_", case(real(3, 5), CUBE, real(2, 4, 5), beta=0.5)),
    Row("Tensor.renorm_", case(A, 2, 0, 1.0), same_node=False),
    *(Row(f"Tensor.{name}_", case(A, 0), case(A, 1), case(real(4, 3).transposed(), 0), case(whole(3), 0)) for name in
      ("cumsum", "cumprod")),
    Row("Tensor.addmm_", case(real(3, 2), A, real(4, 2)), case(real(3, 2), A, real(4, 2), beta=0.5, alpha=2.0)),
    Row("Tensor.addmv_", case(real(3), A, real(4))),
    Row("Tensor.baddbmm_", case(real(2, 3, 5), CUBE, real(2, 4, 5))),
]
