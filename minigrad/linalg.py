"""Linear algebra, under the names of `torch.linalg`. Of the decompositions only Cholesky's is here."""

from typing import Any

from minigrad.arrays.dtypes import Array
from minigrad.ops.chains import linalg_vander as vander
from minigrad.ops.chains import matrix_power, multi_dot, vecdot
from minigrad.ops.linalg import linalg_cross as cross
from minigrad.ops.linalg import matmul
from minigrad.ops.matrix import LinAlgError, cholesky, inv, matrix_norm, solve, svdvals, vector_norm
from minigrad.ops.matrix import linalg_det as det
from minigrad.ops.matrix import linalg_norm as norm
from minigrad.ops.matrix import linalg_slogdet as slogdet
from minigrad.ops.out import with_out as _with_out
from minigrad.ops.shape import diagonal as _diagonal

__all__ = [
    "LinAlgError", "cholesky", "cross", "det", "diagonal", "inv", "matmul", "matrix_norm", "matrix_power", "multi_dot", "norm",
    "slogdet", "solve", "svdvals", "vander", "vecdot", "vector_norm",
]  # fmt: skip


def diagonal(A: Array, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """The diagonals of matrices: a view; see `torch.diagonal`, which takes the first two dimensions instead of the last two."""
    return _diagonal(A, offset, dim1, dim2)


_with_out(globals())
