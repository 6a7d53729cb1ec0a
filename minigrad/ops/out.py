"""``out=``: the result written into a tensor that is there already, ``torch.add(x, y, out=z)``.

An operation takes `out` by itself (see `autograd.operation`). Functions that are made of several operations get it when they are
exported: `with_out` gives it to those that are listed here. Methods don't take it, as in torch.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from minigrad.autograd.out import written

# Functions of the package and of `linalg`. Their results are brought to the dtype of `out`, or must have it, or take it on.
CAST = (
    "add", "sub", "subtract", "rsub", "div", "divide", "true_divide", "pow", "square", "lerp", "addcdiv", "float_power",
    "polygamma", "digamma", "ndtr", "mean", "var", "std", "sum", "prod", "max", "min", "cumsum", "cumprod", "nansum", "nanmean",
    "diff", "outer", "kron", "cat", "concat", "concatenate", "stack", "vstack", "row_stack", "hstack", "dstack",
    "column_stack",
)  # fmt: skip
SAME = (
    "clamp", "clip", "clamp_min", "clamp_max", "where", "norm", "sort", "topk", "median", "softmax", "log_softmax",
    "vdot", "matmul", "addmm", "addmv", "baddbmm", "inner", "tensordot", "cross", "tril", "triu", "diag", "gather", "scatter",
    "scatter_add", "scatter_reduce", "index_select", "index_add", "index_copy", "masked_select", "take", "take_along_dim",
    "nonzero", "cummax", "cummin", "logcumsumexp", "kthvalue", "mode", "aminmax", "nanmedian", "quantile", "nanquantile", "histc",
    "histogram",
    "addr", "addbmm", "matrix_power", "multi_dot", "vecdot", "renorm", "msort", "slice_scatter",
    "searchsorted", "bucketize", "isin", "slogdet", "det", "bernoulli", "multinomial", "normal", "inverse", "inv",
    "solve", "vector_norm", "matrix_norm", "svdvals",
)  # fmt: skip
NEW = (
    "zeros", "ones", "empty", "full", "arange", "linspace", "logspace", "range", "eye", "rand", "randn", "randint", "randperm",
)  # fmt: skip


def with_out(namespace: dict[str, Any]) -> None:
    """Let the functions of a namespace take `out`."""
    for names, how in ((CAST, "cast"), (SAME, "same"), (NEW, "new")):
        for name in names:
            if name in namespace:
                namespace[name] = _taking_out(namespace[name], how)


def _taking_out(function: Callable[..., Any], how: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        if "out" in options:
            return written(function, args, options, how)
        return function(*args, **options)

    return call
