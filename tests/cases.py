"""How a row of the table of operations is written: inputs, cases, rows.

`operations.py` is the table itself; read its first lines for what a row says.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import inf, nan
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Input:
    """How one tensor is made: its shape, the range of its values, its type and its layout in memory."""

    shape: tuple[int, ...]
    low: float = -2.0
    high: float = 2.0
    dtype: str | None = None  # None: the floating type under test
    layout: str = ""
    values: Any = None
    differentiable: bool = True

    def transposed(self) -> Input:
        """The same, its last two dimensions exchanged in memory only: the result has the shape asked for."""
        return replace(self, layout="T")

    def strided(self) -> Input:
        """The same as every other element of a longer array."""
        return replace(self, layout="S")

    def constant(self) -> Input:
        """The same, but it takes no part in differentiation."""
        return replace(self, differentiable=False)

    def array(self, random: np.random.RandomState, dtype: str) -> np.ndarray:
        dtype = self.dtype or dtype
        if self.values is not None:
            array = np.array(self.values, dtype)
        elif dtype.startswith("float"):
            array = np.asarray(random.uniform(self.low, self.high, self.shape)).astype(dtype)
        else:
            array = np.asarray(random.randint(int(self.low), int(self.high), self.shape)).astype(dtype)
        if self.layout == "T":
            array = np.ascontiguousarray(array.swapaxes(-1, -2)).swapaxes(-1, -2)
        elif self.layout == "C":
            array = np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 1, -1)), -1, 1)
        elif self.layout == "S":
            array = np.repeat(array, 2, axis=-1)[..., ::2]
        return array

    @property
    def floating(self) -> bool:
        return self.dtype is None or self.dtype.startswith("float")

    def __repr__(self) -> str:
        size = "x".join(map(str, self.shape)) or "0d"
        values = "" if self.values is None else str(self.values).replace(" ", "")[:24]
        return f"{values or size}{self.layout}{self.dtype or ''}"


def real(*shape: int, low: float = -2.0, high: float = 2.0, dtype: str | None = None) -> Input:
    return Input(shape, low, high, dtype)


def positive(*shape: int) -> Input:
    return real(*shape, low=0.5, high=2.5)


def unit(*shape: int) -> Input:
    return real(*shape, low=0.1, high=0.9)


def huge(*shape: int) -> Input:
    return real(*shape, low=-1e4, high=1e4)


def whole(*shape: int, low: int = -3, high: int = 4, dtype: str = "int64") -> Input:
    return Input(shape, low, high, dtype)


def natural(*shape: int, dtype: str = "int64") -> Input:
    return whole(*shape, low=1, high=4, dtype=dtype)


def truth(*shape: int) -> Input:
    return Input(shape, 0, 2, "bool")


def fixed(values: Any, dtype: str | None = None) -> Input:
    return Input(np.shape(values), dtype=dtype, values=values)


def index(*values: Any) -> Input:
    return fixed(list(values), "int64")


def mask(*values: Any) -> Input:
    return fixed(list(values), "bool")


def last(*shape: int) -> Input:
    """Images with their channels last in memory, as convolutions leave them."""
    return Input(shape, layout="C")


@dataclass(frozen=True)
class Name:
    """An attribute of the module under test, such as `m.float64`."""

    name: str

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Case:
    """One call: its arguments and options, with an `Input` wherever a tensor belongs."""

    arguments: tuple[Any, ...]
    options: tuple[tuple[str, Any], ...]
    kind: str = "smooth"  # or "kink", or "refused"

    @property
    def inputs(self) -> list[Input]:
        """The tensors of this call, in the order in which they are written."""
        return list(_inputs_in([self.arguments, [value for _, value in self.options]]))

    def arrays(self, dtype: str) -> list[np.ndarray]:
        """The values of `inputs`: the same at every call."""
        random = np.random.RandomState(zlib.crc32(repr((self.arguments, self.options)).encode()))
        return [each.array(random, dtype) for each in self.inputs]

    def tensors(self, m: Any, dtype: str) -> list[Any]:
        """Fresh tensors of module `m` that hold `arrays(dtype)`; those that can require a gradient do."""
        tensors = []
        for each, array in zip(self.inputs, self.arrays(dtype), strict=True):
            tensor = m.from_numpy(array)
            tensors.append(tensor.requires_grad_() if each.floating and each.differentiable else tensor)
        return tensors

    def fill(self, m: Any, tensors: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
        """Arguments and options with `tensors` in the places of `inputs`."""
        rest = iter(tensors)
        arguments = [_fill(value, m, rest) for value in self.arguments]
        return arguments, {name: _fill(value, m, rest) for name, value in self.options}

    def __str__(self) -> str:
        words = [repr(each) for each in self.arguments] + [f"{name}={value!r}" for name, value in self.options]
        return ",".join(words).replace(" ", "").replace("slice", "").replace("None", "")


def _inputs_in(value: Any) -> Iterator[Input]:
    if isinstance(value, Input):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _inputs_in(each)


def _fill(value: Any, m: Any, tensors: Iterator[Any]) -> Any:
    if isinstance(value, Input):
        return next(tensors)
    if isinstance(value, Name):
        return getattr(m, value.name)
    if isinstance(value, list | tuple):
        return type(value)(_fill(each, m, tensors) for each in value)
    return value


def case(*arguments: Any, **options: Any) -> Case:
    return Case(arguments, tuple(options.items()))


def kink(*arguments: Any, **options: Any) -> Case:
    return Case(arguments, tuple(options.items()), "kink")


def refused(*arguments: Any, **options: Any) -> Case:
    return Case(arguments, tuple(options.items()), "refused")


class Row:
    """One operation.

    Parameters
    ----------
    name : the public name as seen from the module.
    cases : the calls to try.
    call : how to call it; by default `m.<name>(*arguments, **options)`.
    bench : the call to time; None where a time says nothing.
    same_node : whether `grad_fn` bears torch's name; False where torch composes the result of other operations.
    rtol : relative tolerance by type, where the usual one does not do.
    """

    def __init__(
        self,
        name: str,
        *cases: Case,
        call: Callable[..., Any] | None = None,
        bench: Case | None = None,
        same_node: bool = True,
        rtol: dict[str, float] | None = None,
    ) -> None:
        self.name, self.cases, self.call, self.bench, self.same_node = name, cases, call, bench, same_node
        self.rtol = {"float32": 1e-5, "float64": 1e-10} | (rtol or {})

    def tolerance(self, case: Case) -> dict[str, float]:
        """The relative tolerance for each type of result; that of float32 for all of them where float32 is mixed in."""
        mixed = any(each.dtype == "float32" for each in case.inputs)
        return dict.fromkeys(self.rtol, self.rtol["float32"]) if mixed else self.rtol

    def run(self, m: Any, case: Case, tensors: Sequence[Any]) -> Any:
        """The result of this operation of module `m` on one of its cases."""
        arguments, options = case.fill(m, tensors)
        if self.call is not None:
            return self.call(m, *arguments, **options)
        return reduce(getattr, self.name.split("."), m)(*arguments, **options)

    def __repr__(self) -> str:
        return self.name


# Inputs that many rows share ------------------------------------------------------------------------------------------

A, SCALAR, EMPTY, CUBE, BIG = real(3, 4), real(), real(0, 3), real(2, 3, 4), real(256, 256)
CORNERS = fixed([-2.5, -1.5, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 1.5, 2.5])
SPECIAL = fixed([nan, inf, -inf, 0.0, -0.0, 1.0])


def over(draw: Callable[..., Input], **options: Any) -> list[Case]:
    """An elementwise operation on a matrix, a number, nothing, and two layouts that are not contiguous."""
    inputs = draw(3, 4), draw(), draw(0, 3), draw(4, 3).transposed(), draw(3, 4).strided()
    return [case(each, **options) for each in inputs]
