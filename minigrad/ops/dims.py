"""The axes that a `dim` names, and how a reduced result gets its former shape back."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec

import numpy as np

from minigrad.arrays.arguments import torch_names
from minigrad.arrays.dtypes import DOUBLE, HALF, SINGLE, Array, as_dtype
from minigrad.autograd import raw

P = ParamSpec("P")

Dim = int | tuple[int, ...] | list[int] | None


def axis_of(dim: int, ndim: int) -> int:
    """`dim` counted from the front.

    Raises
    ------
    IndexError
        If there is no such dimension.
    """
    if not hasattr(dim, "__index__"):
        raise TypeError(f"dim must be an integer, not {type(dim).__name__}")
    limit = max(ndim, 1)
    if not -limit <= dim < limit:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-limit}, {limit - 1}], but got {dim})")
    return dim % limit


def axes_of(dim: Dim, ndim: int) -> tuple[int, ...]:
    """The axes that `dim` names, counted from the front; all of them for None or an empty sequence."""
    if dim is None or dim == () or dim == []:
        return tuple(range(ndim))
    if isinstance(dim, int):
        axis = axis_of(dim, ndim)
        return (axis,) if ndim else ()
    axes = tuple(axis_of(d, ndim) for d in dim)
    if len(set(axes)) < len(axes):
        raise RuntimeError(f"dim {next(a for a in axes if axes.count(a) > 1)} appears multiple times in the list of dims")
    return axes if ndim else ()


def spread(g: Array, axes: tuple[int, ...], shape: tuple[int, ...]) -> Array:
    """A reduced result repeated along the axes that were reduced: the derivative of a sum."""
    g = g.reshape(tuple(1 if i in axes else n for i, n in enumerate(shape)))
    if isinstance(g, np.ndarray) and g.flags.c_contiguous:  # as below, without the 1.6 µs that broadcast_to takes
        spread_out = np.ndarray(shape, g.dtype, g, strides=tuple(0 if i in axes else s for i, s in enumerate(g.strides)))
        spread_out.flags.writeable = False  # many places, one number
        return spread_out
    return np.broadcast_to(g, shape)


WIDER: dict[Any, Any] = {HALF: SINGLE, SINGLE: DOUBLE}  # in which torch adds up one number after another


def numpy_names(function: Callable[P, Any]) -> Callable[P, Any]:
    """Let a function take `axis` for `dim` and `keepdims` for `keepdim`, as torch does, and operations do anyway."""

    code = function.__code__
    own = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]  # such as the x of trapezoid, where the input is y

    @functools.wraps(function)
    def renamed(*args: P.args, **options: P.kwargs) -> Any:
        return function(*args, **(torch_names(options, own) if options else options))

    return renamed


def floating(name: str, x: Array) -> None:
    """Refuse a tensor that is not of floating-point numbers, where torch has no implementation for it."""
    if raw(x).dtype.kind != "f":
        raise NotImplementedError(f"{name}(): not implemented for {as_dtype(raw(x).dtype)}; convert the tensor first, as in "
                                  "x.float()")
