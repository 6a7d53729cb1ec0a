"""NumPy's names for our operations: where `np.exp(tensor)` leads.

Users may call NumPy's functions on tensors; above all, `autograd.Node.replay` depends on it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.arrays.dtypes import result_type_of
from minigrad.autograd import TensorBase, raw, unwrapped, wrap
from minigrad.ops import comparison, elementwise, linalg, reduction, shape, special

UFUNCS: dict[tuple[Any, str], Any] = {
    (getattr(np, theirs), "__call__"): operation
    for theirs, operation in {
        "add": elementwise.add, "subtract": elementwise.sub, "multiply": elementwise.mul, "divide": elementwise.div,
        "floor_divide": elementwise.floor_divide, "remainder": elementwise.remainder, "power": elementwise.pow,
        "negative": elementwise.neg, "absolute": elementwise.abs, "sign": elementwise.sign, "square": elementwise.square,
        "reciprocal": elementwise.reciprocal, "exp": elementwise.exp, "expm1": elementwise.expm1, "log": elementwise.log,
        "log1p": elementwise.log1p, "log2": elementwise.log2, "log10": elementwise.log10, "sqrt": elementwise.sqrt,
        "sin": elementwise.sin, "cos": elementwise.cos, "tanh": elementwise.tanh, "maximum": elementwise.maximum,
        "minimum": elementwise.minimum, "floor": elementwise.floor, "ceil": elementwise.ceil, "trunc": elementwise.trunc,
        "rint": elementwise.round, "equal": comparison.eq, "not_equal": comparison.ne, "less": comparison.lt,
        "less_equal": comparison.le, "greater": comparison.gt, "greater_equal": comparison.ge, "isnan": comparison.isnan,
        "isinf": comparison.isinf, "isfinite": comparison.isfinite, "logical_and": comparison.logical_and,
        "logical_or": comparison.logical_or, "logical_xor": comparison.logical_xor, "logical_not": comparison.logical_not,
        "bitwise_and": comparison.bitwise_and, "bitwise_or": comparison.bitwise_or, "bitwise_xor": comparison.bitwise_xor,
        "invert": comparison.bitwise_not, "matmul": linalg.matmul, "tan": elementwise.tan, "arcsin": elementwise.asin,
        "arccos": elementwise.acos, "arctan": elementwise.atan, "arctan2": elementwise.atan2, "sinh": elementwise.sinh,
        "cosh": elementwise.cosh, "arcsinh": elementwise.asinh, "arccosh": elementwise.acosh, "arctanh": elementwise.atanh,
        "exp2": elementwise.exp2, "hypot": elementwise.hypot, "fmod": elementwise.fmod, "logaddexp": special.logaddexp,
        "left_shift": comparison.bitwise_left_shift, "right_shift": comparison.bitwise_right_shift,
    }.items()
}  # fmt: skip


def _of_numbers_too(operation: Any) -> Any:
    """NumPy's form of an operation that takes tensors only: numbers become arrays, of the dtype that they give the result."""

    def of_numbers_too(*xs: Any) -> Any:
        kind = result_type_of([unwrapped(x) for x in xs])
        return operation(*[x if isinstance(x, (TensorBase, np.ndarray)) else np.asarray(x, kind) for x in xs])

    return of_numbers_too


_TENSOR_FIRST = {
    elementwise.fmod, comparison.eq, comparison.ne, comparison.lt, comparison.le, comparison.gt, comparison.ge,
}  # fmt: skip
UFUNCS |= {key: _of_numbers_too(f) for key, f in UFUNCS.items()
           if hasattr(f, "op") and (not f.op.numbers or f in _TENSOR_FIRST)}


def _along_first(operation: Any) -> Any:
    """A reduction whose axis, as that of NumPy's own, is the first unless another one is named."""
    return lambda x, axis=0, **options: operation(x, axis, **options)


def _dot(a: Any, b: Any) -> Any:
    if raw(b).ndim > 2:
        raise TypeError("np.dot of tensors of more than two dimensions is not supported; use np.matmul or np.einsum")
    return linalg.matmul(a, b)


UFUNCS |= {
    (np.add, "reduce"): _along_first(reduction.sum), (np.multiply, "reduce"): _along_first(reduction.prod),
    (np.maximum, "reduce"): _along_first(reduction.amax), (np.minimum, "reduce"): _along_first(reduction.amin),
    (np.add, "accumulate"): _along_first(reduction.cumsum),
}  # fmt: skip

FUNCTIONS: dict[Any, Any] = {
    np.where: elementwise.where, np.sum: reduction.sum, np.mean: reduction.mean, np.prod: reduction.prod,
    np.clip: elementwise.clamp,
    np.max: reduction.amax, np.min: reduction.amin, np.argmax: reduction.argmax, np.argmin: reduction.argmin,
    np.cumsum: reduction.cumsum, np.reshape: shape.reshape, np.squeeze: shape.squeeze, np.expand_dims: shape.unsqueeze,
    np.broadcast_to: shape.expand, np.swapaxes: shape.transpose, np.stack: shape.stack,
    np.concatenate: lambda xs, axis=0: shape.cat([shape.flatten(x) for x in xs] if axis is None else xs, axis or 0),
    np.flip: lambda x, axis=None: shape.flip(x, dims=tuple(range(x.ndim)) if axis is None else axis),
    np.tril: shape.tril, np.triu: shape.triu, np.einsum: linalg.einsum, np.dot: _dot,
    np.outer: linalg.outer, np.transpose: lambda x, axes=None: shape.permute(x, dims=axes or tuple(range(x.ndim))[::-1]),
    np.zeros_like: lambda x: wrap(np.zeros_like(raw(x))), np.ones_like: lambda x: wrap(np.ones_like(raw(x))),
    np.shape: lambda x: x.shape, np.ndim: lambda x: x.ndim, np.size: lambda x: x.numel(),
}  # fmt: skip


def as_arrays(x: Any) -> Any:
    """`x` with the arrays of all tensors in it, also in lists, tuples and dictionaries, which must not require a gradient."""
    if isinstance(x, TensorBase):
        return x.numpy()  # type: ignore[attr-defined]
    if isinstance(x, dict):
        return {key: as_arrays(value) for key, value in x.items()}
    parts = [as_arrays(part) for part in x] if isinstance(x, (list, tuple)) else x
    return tuple(parts) if isinstance(x, tuple) else parts
