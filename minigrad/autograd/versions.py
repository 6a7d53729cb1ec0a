"""Versions: how backward notices that memory was changed in place.

Tensors that share memory share a *version cell*, a list whose first item counts the changes made in place. A node notes the cells
of its inputs and of its result, and what they said. Before its rules run, `backward` compares: if a count has grown, and a rule
still reads that memory, its gradient would be wrong, and `check_versions` says so.

    y = x.exp()      exp's rule reads y; the node notes version 0 of y
    y.mul_(2)        y's version is 1 now
    backward()       the node's note says 0: exp's y is gone

The first change adds a second item to the cell, a weak reference to the memory. A program that changes nothing in place does not
pay for one.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Iterator
from types import CellType
from typing import Any

import numpy as np

from minigrad.arrays.storage import owner_of
from minigrad.autograd.node import Node
from minigrad.autograd.tensor_base import TensorBase, Untracked, raw


def count_change(tensor: TensorBase) -> None:
    """To be called after each change of a tensor's memory."""
    cell = tensor._version_cell
    if type(cell) is Untracked:
        return
    cell[0] += 1
    if len(cell) == 1:
        cell.append(weakref.ref(owner_of(tensor.array)))


def check_versions(node: Node, replaying: bool) -> None:
    """Raise if memory that a rule reads was changed since the node was made. To replay the body is to read all inputs again."""
    inputs = [x for x in node.inputs or () if isinstance(x, TensorBase)]
    read = list(_arrays_within(node.rules, set()))
    for i, (cell, before) in enumerate(zip(node.cells, node.versions, strict=True)):
        if cell[0] == before:
            continue
        memory = cell[1]()
        is_input = i < len(inputs)
        if (replaying and is_input) or (memory is not None and any(np.may_share_memory(array, memory) for array in read)):
            what = f"an input of shape {list(raw(inputs[i]).shape)}" if is_input else "its result"
            raise RuntimeError(
                f"one of the variables needed for gradient computation has been modified by an inplace operation: {what}, read "
                f"by {node.name()}, is at version {cell[0]}; expected version {before} instead. Write the new values into a new "
                "tensor (y = y * 2 for y *= 2), or change it after backward()")


def _arrays_within(x: Any, visited: set[int]) -> Iterator[Any]:
    """The arrays that a rule can read: in its closure and defaults, through lists, partial functions and methods, at any depth."""
    if isinstance(x, (np.ndarray, TensorBase)):
        yield raw(x)
        return
    if id(x) in visited:
        return
    visited.add(id(x))
    parts: list[Any] = []
    if isinstance(x, (list, tuple)):
        parts += x
    elif isinstance(x, dict):
        parts += x.values()
    elif isinstance(x, functools.partial):
        parts += x.func, x.args, x.keywords
    elif callable(x):
        parts += (getattr(x, name, None) for name in ("__self__", "__func__", "__defaults__", "__kwdefaults__"))
        parts += getattr(parts[0], "__dict__", {}).values()
        parts += (cell.cell_contents for cell in getattr(x, "__closure__", None) or () if cell != CellType())
    for part in parts:
        yield from _arrays_within(part, visited)
