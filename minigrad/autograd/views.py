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

from typing import Any

from minigrad.autograd.node import clock
from minigrad.autograd.tensor_base import TensorBase


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
