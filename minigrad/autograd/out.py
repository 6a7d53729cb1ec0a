"""Results written into existing tensors, as ``out=`` asks."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import DTYPES, KIND
from minigrad.arrays.storage import resized
from minigrad.autograd.grad_mode import is_grad_enabled, no_grad
from minigrad.autograd.tensor_base import TensorBase, tensors_in
from minigrad.autograd.versions import count_change
from minigrad.autograd.views import needs_grad


def written(function: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any], how: str = "same") -> Any:
    """The result of `function`, written into ``options["out"]``, a tensor or several; they are returned.

    Parameters
    ----------
    how : str
        ``"cast"``: the result is brought to the dtype of `out`; ``"same"``: it must have it; ``"new"``: it is made with it.

    Raises
    ------
    RuntimeError
        If a gradient would have to pass, the dtypes don't go together, or `out` shares memory with an operand.
    """
    options = dict(options)
    out = options.pop("out")
    if out is None:
        return function(*args, **options)
    name = function.__name__.strip("_")
    many = isinstance(out, (tuple, list))
    outs = list(out) if many else [out]
    for each in outs:
        if not isinstance(each, TensorBase):
            raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(each).__name__}")
    operands = list(tensors_in((args, options)))
    if is_grad_enabled() and any(map(needs_grad, (*operands, *outs))):
        raise RuntimeError(f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
                           "arguments requires grad. Call it under torch.no_grad(), or without out")
    if how == "new" and options.get("dtype") is None:
        options["dtype"] = DTYPES[out.array.dtype]
    for each in outs:
        _apart(name, each, operands)
    with no_grad():
        result = function(*args, **options)
    results = list(result) if isinstance(result, tuple) else [result]
    if len(results) != len(outs) or many != isinstance(result, tuple):
        raise TypeError(f"{name}(): out must be {len(results)} tensor{'s' * (len(results) > 1)}, as many as there are results")
    for each, value in zip(outs, results, strict=True):
        _write(name, each, value.array, how, operands)
    return type(result)(*outs) if isinstance(result, tuple) else out


# For these, torch refuses even the operand itself.
_APART = {"cat", "gather", "index_select", "kthvalue", "masked_select", "take", "take_along_dim"}


def _apart(name: str, out: TensorBase, operands: list[TensorBase]) -> None:
    """Refuse memory that holds an operand as well; most functions may write into the operand itself."""
    if any(step == 0 and n > 1 for step, n in zip(out.array.strides, out.array.shape, strict=True)):
        raise RuntimeError(f"{name}(): unsupported operation: more than one element of the written-to tensor refers to a single "
                           "memory location. Please clone() the tensor before performing the operation.")
    for x in operands:
        ours, theirs = x.array.__array_interface__, out.array.__array_interface__
        itself = (ours["data"], ours["shape"], ours["strides"]) == (theirs["data"], theirs["shape"], theirs["strides"])
        if np.may_share_memory(x.array, out.array) and not (itself and name not in _APART) and np.shares_memory(x.array, out.array):
            raise RuntimeError(f"{name}(): unsupported operation: some elements of the input tensor and the written-to tensor "
                               "refer to a single memory location. Please clone() the tensor before performing the operation.")


def _write(name: str, out: Any, value: Any, how: str, operands: list[TensorBase]) -> None:
    kind, wanted = value.dtype, out.array.dtype
    if kind != wanted and how == "new":
        raise RuntimeError(f"{name}(): dtype {kind} does not match dtype of out parameter ({wanted})")
    if kind != wanted and how == "same":
        raise RuntimeError(f"{name}(): Expected out tensor to have dtype {kind}, but got {wanted} instead")
    if KIND[kind.kind] > KIND[wanted.kind]:
        raise RuntimeError(f"{name}(): result type {kind} can't be cast to the desired output type {wanted}")
    if out.array.shape != value.shape:
        if out.array.size:
            warnings.warn(f"An output with one or more elements was resized since it had shape {list(out.array.shape)}, which does "
                          f"not match the required output shape {list(value.shape)}.", stacklevel=4)
        out.array = resized(out.array, value.shape)  # more of the memory that it shows a part of, if there is more
        if name in _APART:
            _apart(name, out, operands)
    out.array[...] = value
    count_change(out)
