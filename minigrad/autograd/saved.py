"""What is saved for backward, and the hooks that decide how it is kept until then."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from minigrad.autograd.grad_mode import no_grad
from minigrad.autograd.node import Node, Op, record
from minigrad.autograd.tensor_base import TensorBase, wrap

Hooks = tuple[Callable[[Any], Any], Callable[[Any], Any]]  # to pack a tensor, and to unpack it


class _Thread(threading.local):
    def __init__(self) -> None:
        self.hooks: list[Hooks] = []  # the last ones are in force
        self.refusal: str | None = None  # why there may be none


here = _Thread()


class Packed:
    """A tensor as a pack hook has left it."""

    def __init__(self, tensor: Any, hooks: Hooks) -> None:
        pack, self.unpack = hooks
        with no_grad():
            self.packed = pack(tensor)

    def tensor(self) -> Any:
        """What the unpack hook makes of it."""
        with no_grad():
            tensor = self.unpack(self.packed)
        if not isinstance(tensor, TensorBase):
            raise TypeError(f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type {type(tensor)}")
        return tensor


class Saved:
    """A tensor that a custom function has saved; it notices changes in place, unless it is packed."""

    def __init__(self, tensor: Any) -> None:
        self.kept: Any = tensor  # or what it was packed into
        self.version = tensor._version_cell[0]
        self.find_node: Callable[[], Node | None] | None = None  # of a result, which was saved before it had one
        self.edge: Any = None  # of a tensor that is packed

    def pack(self, hooks: Hooks) -> None:
        """Let hooks decide how it is kept."""
        tensor = self.kept
        self.edge = tensor._node or (tensor if tensor._requires_grad else None)
        self.kept = Packed(tensor, hooks)

    def value(self) -> Any:
        """The tensor, for backward."""
        if isinstance(self.kept, Packed):
            return linked(self.kept.tensor(), self.find_node() if self.find_node else self.edge)
        tensor = self.kept
        if tensor._version_cell[0] != self.version:
            raise RuntimeError("one of the variables needed for gradient computation has been modified by an inplace operation: a "
                               f"saved tensor of shape {list(tensor.shape)} is at version {tensor._version_cell[0]}; expected "
                               f"version {self.version} instead")
        return tensor if self.find_node is None else linked(tensor, self.find_node())


def linked(tensor: Any, edge: Any) -> Any:
    """The values of `tensor`, as what comes from a node, or from a leaf."""
    alias = wrap(tensor.array)
    alias._version_cell = tensor._version_cell
    if isinstance(edge, TensorBase):
        record(_SAME, alias, (edge,), [lambda g: g], ((), {}))
    elif edge is not None:
        alias._node, alias._requires_grad = edge, True
    return alias


_SAME = Op(linked, "AliasBackward0", linear=True)
