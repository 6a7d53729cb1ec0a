"""How operands come to have one dtype: casts, torch's promotion, and float16 computed in float32."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import HALF, SINGLE, common_dtype, last_bits, result_type_of
from minigrad.arrays.layout import laid_out
from minigrad.arrays.memory import out_of_memory
from minigrad.arrays.quiet import quietly
from minigrad.autograd.grad_mode import is_grad_enabled
from minigrad.autograd.node import Op, record
from minigrad.autograd.tensor_base import TensorBase, unwrapped, wrap
from minigrad.autograd.views import lies_as, needs_grad


def cast(x: Any, dtype: Any, name: str = "ToCopyBackward0") -> Any:
    """`x`, a tensor or an array, in another NumPy dtype; the gradient is cast back.

    It records itself by hand, since `op` uses it.
    """
    if not isinstance(x, TensorBase):
        return x.astype(dtype)
    before = x.array.dtype
    try:
        result = wrap(laid_out(quietly(x.array.astype, dtype), "K", [x.array]))
    except MemoryError as error:
        raise out_of_memory("to", error) from None
    if result.array.ndim == 4:
        lies_as(result, (x,), "K")
    if needs_grad(x) and is_grad_enabled() and result.array.dtype.kind == "f":
        record(_CAST, result, (x,), [lambda g: cast(g, before)], ((), {}))
        result._node.title = name
    return result


_CAST = Op(cast, "ToCopyBackward0", linear=True)


def promoted(op: Op, operands: Sequence[Any], arrays: list[Any]) -> tuple[Sequence[Any], list[Any]]:
    """The operands in one dtype, and their arrays. A change of dtype is recorded like any operation."""
    if not op.bools and any(isinstance(x, TensorBase) and x.array.dtype.kind == "b" for x in operands):
        refuse_bools(op)
    target = common_dtype(arrays, op.promote == "floating")
    kind = target or next(a.dtype for a in arrays if isinstance(a, np.ndarray))
    if kind.kind in "iu":
        operands = arrays = [last_bits(a, kind) if type(a) is int else x for x, a in zip(operands, arrays, strict=True)]
    if target is not None:
        pairs = zip(operands, arrays, strict=True)
        operands = [cast(x, target) if isinstance(x, (TensorBase, np.ndarray)) else a for x, a in pairs]
    return operands, [unwrapped(x) for x in operands]


def refuse_bools(op: Op) -> None:
    """Raise the error for operations that torch does not have for bools."""
    raise RuntimeError(f"{op.name}(): bool tensors are not supported; to invert a mask, use the `~` operator or logical_not(), "
                       "to compute with it, convert it, as in x.int()")


def in_single(op: Op, call: Callable[..., Any], operands: Sequence[Any], settings: tuple[Any, ...], options: Any) -> Any:
    """An operation on float16, computed in float32 and rounded once, at the end, as torch does it."""
    arrays = [unwrapped(x) for x in operands]
    wide = [cast(x, SINGLE) if getattr(a, "dtype", None) == HALF else x for x, a in zip(operands, arrays, strict=True)]
    result = call(*wide, *settings, **options)
    if op.promote and result_type_of(arrays) != HALF:
        return result  # of the wider dtype
    node = getattr(result, "_node", None)
    return cast(result, HALF, node.name()) if node else cast(result, HALF)
