"""Views: tensors that show memory of another one, their base.

A view shares its base's version cell. If the base is changed in place while operations are recorded, the base gets a new node, and
what its views show has changed with it. So a view notes when it was made, and its history is derived again if its
base's node is newer::

    v = x[0]         v shows x's memory, and comes from x's node of that time
    x.mul_(2)        x comes from mul's node now
    v.sum()          v is refreshed before it is used: it comes from mul's node, too

Some views have no history that could be derived from the base: those made under `no_grad`, and what a custom Function made of its
input's memory. They note the moment as a negative number, and using one after such a change is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from minigrad.arrays.dtypes import Array
from minigrad.arrays.layout import as_operands, channels_come_last, empty_as, stepping_as, strictly_last
from minigrad.autograd.node import clock
from minigrad.autograd.tensor_base import TensorBase, raw


def share(result: TensorBase, base: Any, recording: bool) -> None:
    """Let `result`, if it shows memory of `base`, know its base and share its version.

    The history of a view that was not recorded, or of a view of one, cannot be derived again.
    """
    below = result.array.base  # the array that owns the memory; or base.array itself, if the owner is not an array
    if result.array is base.array or (below is not None and (below is base.array.base or below is base.array)):
        result._version_cell = base._version_cell
        whole, known = (base, True) if base._view is None else (base._view[0], base._view[1] > 0)
        moment = next(clock)
        result._view = (whole, moment if recording and known else -moment)


def settle(x: Any) -> None:
    """Put the elements of `x` in order in memory, if they are the result of a convolution.

    A convolution leaves the channels of its images last, and NumPy's functions keep that. In torch they lie in order. Where it
    makes a difference, for views of them for example, other memory takes the place of what the convolution left.
    """
    if isinstance(x, TensorBase) and left_by_convolution(x):
        x.array = np.ascontiguousarray(x.array)


def left_by_convolution(x: TensorBase) -> bool:
    """Whether the channels of `x` come last because a convolution left them there.

    They may also come last since that is how the user's images lie: those of a view, and of what `as_it_lies` has noted.
    """
    return x._view is None and channels_come_last(x.array) and not hasattr(x, "_as_it_lies")


def as_it_lies(x: Any) -> Any:
    """Note that somebody else may see the memory of `x`, an array for example, so that `settle` leaves it; returns x."""
    if channels_come_last(x.array):
        x._as_it_lies = True
    return x


def lies_as(result: Any, operands: Sequence[Any], order: Literal["C", "K", "L"] | None) -> Any:
    """Let what was computed from the user's images lie as these do, if their channels come last; returns it.

    For the `order` "L", all operands must be such images, and torch looks at the steps along dimensions of size 1 as well.
    """
    if not any(map(_is_users, operands)):
        return result
    if order == "K":
        arrays = [x.array for x in operands if isinstance(x, TensorBase)]
        result.array = stepping_as(as_operands(result.array, arrays), arrays[0])
    elif order == "L":
        if not all(_is_users(x) and strictly_last(x.array) for x in operands):
            return result
        result.array = np.ascontiguousarray(result.array.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    return as_it_lies(result)


def _is_users(x: Any) -> bool:
    """Whether these are images of the user's with channels last."""
    return isinstance(x, TensorBase) and (x._view is not None or hasattr(x, "_as_it_lies")) and channels_come_last(x.array)


def empty_in_order_of(x: TensorBase, dtype: Any = None) -> Array:
    """A new array in the shape of `x`, and in its order in memory, to draw random numbers in for example."""
    array = raw(x)
    return np.empty(array.shape, dtype or array.dtype) if left_by_convolution(x) else empty_as(array, dtype)


def refresh(view: Any) -> None:
    """Give a view whose base was changed in place since it was made the base's new history."""
    if is_stale(view):
        view._regenerate()


def is_stale(view: Any) -> bool:
    """Whether the base of a view was changed in place since the view was made."""
    base, made = view._view
    return base._node is not None and base._node.number > abs(made)


def needs_grad(x: Any) -> bool:
    """Whether `x` is a tensor that requires a gradient; a view may do so since its base was changed in place."""
    if not isinstance(x, TensorBase):
        return False
    if x._view is None or not is_stale(x):
        return x._requires_grad
    if x._view[1] > 0:
        refresh(x)
        return x._requires_grad
    return x._view[0]._requires_grad  # which it cannot follow: to use it is an error
