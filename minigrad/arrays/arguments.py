"""The names of arguments: torch's, and those of NumPy that torch takes as well."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

_OF_NUMPY = {
    "axis": "dim", "keepdims": "keepdim", "axis0": "dim0", "axis1": "dim1",
    "a": "input", "x": "input", "x1": "input", "x2": "other",
}  # fmt: skip
_OF_OPERANDS = {"a": "input", "x": "input", "b": "other", "y": "other"}


def operand_name(parameter: str) -> str:
    """What torch calls an operand: formulas say a and b, x and y, where users write `input` and `other`."""
    return _OF_OPERANDS.get(parameter, parameter)


def torch_names(options: dict[str, Any], kept: Sequence[str] = ()) -> dict[str, Any]:
    """Options with NumPy's names, which torch takes too, replaced by torch's, but for those in `kept`."""
    return {name if name in kept else _OF_NUMPY.get(name, name): value for name, value in options.items()}


def sorted_arguments(
    function: str, operands: Sequence[str], args: tuple[Any, ...], options: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Operands given by name, ``mul(x, other=y)``, put in their places among the positional arguments."""
    options = torch_names(options)
    options.pop("out", None)
    for i, name in enumerate(operands):
        if name not in options:
            continue
        if i != len(args):
            problem = "got multiple values for argument" if i < len(args) else f"needs {operands[len(args)]!r} before"
            raise TypeError(f"{function}() {problem} {name!r}")
        args = (*args, options.pop(name))
    return args, options


def called_function() -> str:
    """The name of the function that the user called, for messages: the first one up the stack that is not internal."""
    frame: Any = sys._getframe(2)
    while frame.f_code.co_name.startswith(("_", "<", "call", "floating")) and frame.f_back:
        frame = frame.f_back
    return str(frame.f_code.co_name)
