"""An order of arguments from old scripts: numbers before the tensors, as in ``p.add_(-lr, p.grad)``, which torch still takes."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from minigrad.autograd import TensorBase

P = ParamSpec("P")
R = TypeVar("R")


def numbers_first(tensors: int, *names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let an operation of so many tensors take the numbers that have these names by position, too, before the last tensor.

    With one number, ``addmm(input, beta, mat1, mat2)`` as a method is called, it is the first of the names.
    """

    def decorate(operation: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(operation)
        def call(*args: Any, **options: Any) -> Any:
            if len(args) > tensors:
                args, options = _by_name(operation.__name__, args, tensors, names, options)
            return operation(*args, **options)

        return call

    return decorate


def _by_name(
    name: str, args: tuple[Any, ...], tensors: int, names: tuple[str, ...], options: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The tensors among the arguments; and the numbers, by their names, with the options."""
    operands = tuple(x for x in args if isinstance(x, TensorBase))
    numbers = [x for x in args if not isinstance(x, TensorBase)]
    if len(operands) != tensors or len(numbers) > len(names) or not isinstance(args[-1], TensorBase) or options.keys() & {*names}:
        raise TypeError(f"{name}() takes {tensors} tensors, and {' and '.join(names)} by name, but got "
                        f"({', '.join(type(x).__name__ for x in args)})")
    given = dict(zip(names, numbers, strict=False))
    shown = ", ".join(f"{key}={number}" for key, number in given.items())
    warnings.warn(f"This overload of {name} is deprecated: give numbers by name, behind the tensors, as in {name}(..., {shown})",
                  stacklevel=4)
    return operands, options | given
