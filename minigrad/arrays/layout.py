"""How elements lie in memory: in which order, and the layouts and memory formats that torch's functions take.

The order shows in `stride` and in what `view` allows. And random numbers are drawn in it: dropout has another mask if its input
lies otherwise.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal, ParamSpec, TypeVar

import numpy as np

from minigrad.arrays.dtypes import Array
from minigrad.arrays.storage import first_byte, shown

P = ParamSpec("P")
R = TypeVar("R")


# ---- torch's order -------------------------------------------------------------------------------------------------------


def channels_come_last(x: Array) -> bool:
    """Whether images of shape (n, channels, height, width) have the channels of each place together in memory."""
    if x.ndim != 4 or x.flags.c_contiguous or x.shape[1] == 1:
        return False
    n, channels, height, width = x.strides
    if channels < width <= height <= n:  # most are told so (1.2 to 0.4 µs)
        return True
    steps = [x.strides[axis] for axis in (0, 2, 3, 1) if x.shape[axis] > 1]
    return len(steps) > 1 and steps == sorted(steps, reverse=True) and steps[-1] < steps[-2]


def strictly_last(x: Array) -> bool:
    """`channels_come_last` as torch's ``is_channels_last_strides_2d`` sees it, which counts dimensions of size 1, too."""
    n, channels, height, width = x.strides
    return width >= x.shape[1] * channels > 0 and height >= x.shape[3] * width and n >= x.shape[2] * height


def laid_out(value: Array, order: Literal["C", "K", "L"], operands: Sequence[Any]) -> Array:
    """The value of an operation, its elements in the order in which torch has them in memory.

    That is "C", the order of the indices; or "K", for what is computed element by element, the order of the first operand that
    tells. (NumPy keeps the order of a single one, unless it was expanded; where several disagree, NumPy takes C.) Images whose
    channels come last are left as they are; see `views.settle`. "L" is "C", but for such images of the user's; see `views.lies_as`.
    """
    if order != "K":
        return value if value.flags.c_contiguous or channels_come_last(value) else np.ascontiguousarray(value)
    if value.ndim > 1 and (len(operands) > 1 or 0 in operands[0].strides):
        for x in operands:
            if isinstance(x, np.ndarray) and not x.flags.c_contiguous and not channels_come_last(x):
                return as_operands(value, [x for x in operands if isinstance(x, np.ndarray)])
    return value


def empty_as(x: Array, dtype: Any = None) -> Array:
    """A new array of the shape of `x` whose elements lie in memory in the same order, without gaps or repetitions."""
    if 0 not in x.strides:
        return np.empty_like(x, dtype)
    axes = _outermost_first([x])
    return np.empty([x.shape[axis] for axis in axes], dtype or x.dtype).transpose(np.argsort(axes))


def as_operands(value: Array, operands: list[Array]) -> Array:
    """The value, its elements in memory in the order of the first operand that tells."""
    axes = _outermost_first([np.broadcast_to(x, value.shape) for x in operands])
    ordered = value.transpose(axes)
    return value if ordered.flags.c_contiguous else np.ascontiguousarray(ordered).transpose(np.argsort(axes))


def stepping_as(value: Array, x: Array) -> Array:
    """`value` with the steps of `x` along dimensions of size 1, of which NumPy forgets how long they are, and torch does not."""
    if 1 not in x.shape or value.shape != x.shape:
        return value
    scale = value.itemsize / x.itemsize
    steps = [int(theirs * scale) if n == 1 else ours for ours, theirs, n in zip(value.strides, x.strides, x.shape, strict=True)]
    return value if list(value.strides) == steps else shown(value, value.shape, steps, first_byte(value))


def _outermost_first(arrays: list[Array]) -> list[int]:
    """The axes by the steps they make in memory: an insertion sort, as torch's ``TensorIterator::reorder_dimensions``.

    (Whether one axis is further out than another is not always told, and not transitive. So another sort could give another order.)
    """
    axes = list(range(arrays[0].ndim))
    for start in reversed(range(len(axes) - 1)):
        place = start
        for other in range(start + 1, len(axes)):
            further = _further_out(axes[other], axes[place], arrays)
            if further:
                axes[place], axes[other] = axes[other], axes[place]
                place = other
            elif further is False:
                break
    return axes


def _further_out(a: int, b: int, arrays: list[Array]) -> bool | None:
    """Whether axis `a` makes longer steps than axis `b` in the first array that tells; None if no array does."""
    for x in arrays:
        if x.strides[a] and x.strides[b]:  # a step of 0 is that of an axis that was expanded
            return (x.strides[a], x.shape[a]) > (x.strides[b], x.shape[b])
    return None


# ---- what may be asked for -----------------------------------------------------------------------------------------------


class layout:
    """How a tensor's elements are stored; `strided` is the only one."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class memory_format(layout):
    """In which order a tensor's elements lie in memory."""


Layout = layout  # below, `layout` is an argument
strided = layout("strided")
contiguous_format, preserve_format = memory_format("contiguous_format"), memory_format("preserve_format")
channels_last = memory_format("channels_last")


def check_format(name: str, wanted: Any) -> None:
    """Refuse a memory format that would be a promise about strides.

    Raises
    ------
    NotImplementedError
        For `channels_last`.
    """
    if wanted not in (None, contiguous_format, preserve_format):
        raise NotImplementedError(f"{name}(): memory_format={wanted!r} is not supported, the order of elements in memory is the "
                                  "library's choice; leave it out")


def memory_options(function: Callable[P, R]) -> Callable[..., R]:
    """Let a function that makes a tensor take `layout` and `pin_memory`, and `memory_format` where torch takes it.

    Values that ask for what is the case anyway are accepted.

    Raises
    ------
    NotImplementedError
        For another layout or memory format.
    RuntimeError
        For pinned memory, as torch without an accelerator.
    """
    name = function.__name__
    formatted = name.endswith("_like") or name == "empty"

    @functools.wraps(function)
    def make(*args: Any, layout: Any = strided, pin_memory: Any = False, **options: Any) -> R:
        if not isinstance(layout, (Layout, type(None))):
            raise TypeError(f"{name}(): argument 'layout' must be torch.layout, not {type(layout).__name__}")
        if layout not in (None, strided):
            raise NotImplementedError(f"{name}(): layout={layout!r} is not supported; tensors are strided")
        if pin_memory:
            raise RuntimeError(f"{name}(): pin_memory=True requires a CUDA or other accelerator backend, and there is none")
        if formatted:
            check_format(name, options.pop("memory_format", None))
        return function(*args, **options)

    return make
