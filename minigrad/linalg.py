"""Linear algebra, under the names of `torch.linalg`. Matrix decompositions are not here."""

from minigrad.ops.linalg import linalg_cross as cross
from minigrad.ops.linalg import matmul
from minigrad.ops.matrix import LinAlgError, inv, matrix_norm, solve, svdvals, vector_norm
from minigrad.ops.matrix import linalg_det as det
from minigrad.ops.matrix import linalg_norm as norm
from minigrad.ops.matrix import linalg_slogdet as slogdet
from minigrad.ops.out import with_out as _with_out

__all__ = ["LinAlgError", "cross", "det", "inv", "matmul", "matrix_norm", "norm", "slogdet", "solve", "svdvals", "vector_norm"]

_with_out(globals())
