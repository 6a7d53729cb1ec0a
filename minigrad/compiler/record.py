"""What a capture writes down: lines, and what stands in them for arrays and numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

ndarray = np.ndarray


class Memory:
    """A piece of memory.

    Attributes
    ----------
    kind : str
        ``"state"``: of a tensor that was there before and stays; ``"input"``: of one that each call brings anew; ``"constant"``;
        ``"new"``: made by the step.
    nbytes : int
    fixed : bool
        Whether what is there is the same in each run.
    owner : weak reference to the first array there, or None
    """

    def __init__(self, kind: str, nbytes: int, fixed: bool = False) -> None:
        self.kind, self.nbytes, self.fixed = kind, nbytes, fixed
        self.owner: Any = None


class Value:
    """An array, as the program sees it: memory, and how it is shown.

    Attributes
    ----------
    view : Line or None
        The call that made it, if it is a view of another array.
    array : numpy.ndarray or None
        The values, if the memory was fixed so far, or comes from outside.
    name : str or None
        In the program's text.
    """

    def __init__(self, memory: Memory, array: ndarray, view: Line | None = None) -> None:
        self.memory, self.view = memory, view
        self.name: str | None = None
        self.shape, self.dtype, self.strides = array.shape, array.dtype, array.strides
        self.contiguous = array.flags.c_contiguous
        self.array = array if memory.fixed or memory.kind == "constant" else None


    def lies_as(self, other: Value) -> bool:
        """Whether both are all of their memory, element by element in the same order."""
        return (self.shape, self.strides, self.dtype, self.memory.nbytes) == (
            other.shape, other.strides, other.dtype, other.memory.nbytes)  # fmt: skip


class Symbol:
    """A Python number that the program computes, or is given."""

    def __init__(self, name: str | None = None) -> None:
        self.name = name


class Label(NamedTuple):
    """Where a line comes from: an operation, and the user's line that called it."""

    name: str
    file: str = ""
    line: int = 0
    derivative: bool = False
    target: Any = None  # the value, or the id of the tensor, that a derivative or an optimiser is about


class Line:
    """One call.

    Attributes
    ----------
    kind : str
        ``"call"``, ``"view"``, ``"write"`` (to memory that is there), ``"guard"``, ``"number"`` or ``"random"``.
    function : str
        ``"np.multiply"``; a method as ``".reshape"``; ``"[]"`` for an index; a Python operator.
    args, options : list, dict
        With values and symbols in the places of arrays and numbers.
    result : Value, Symbol or None
    target : Value or None
        What is written to.
    label : Label
    """

    def __init__(
        self, kind: str, function: str, args: Any, options: dict[str, Any], label: Label, result: Any = None, target: Any = None
    ) -> None:
        self.kind, self.function, self.args, self.options, self.label = kind, function, list(args), options, label
        self.result, self.target = result, target

    def operands(self) -> Iterator[Any]:
        """Values and symbols among the arguments."""
        return leaves([self.args, *self.options.values()])

    def reads(self) -> Iterator[Any]:
        """The same, and what is written to."""
        yield from self.operands()
        if self.target is not None:
            yield self.target


def leaves(x: Any) -> Iterator[Any]:
    """The values and symbols in nested lists and tuples."""
    if isinstance(x, (list, tuple)):
        for part in x:
            yield from leaves(part)
    elif isinstance(x, slice):
        yield from leaves((x.start, x.stop, x.step))
    elif type(x) in (Value, Symbol):
        yield x


COPIES = {".copy", ".astype", ".reshape", ".ravel", ".flatten"}  # where they are no views


def short_name(operation: Any) -> str:
    """What an operation is called in comments: ``linear``, with a bias or without."""
    return str(operation.name.removesuffix("_with_bias"))
