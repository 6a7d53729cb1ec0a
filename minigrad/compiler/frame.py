"""What is asked before a program runs, and what is done after it: Python text, compiled once.

The conditions for a step of a logistic model are some forty comparisons. As two compiled expressions they take 1.6 µs. With a
dictionary of signatures and loops over lists of what to compare, 15 µs of a step of 64 digits went by around the program; now 5 do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.autograd import TensorBase
from minigrad.autograd.grad_mode import current

MISSING: Any = object()
_SIMPLE = frozenset({int, float, str, bool})


class Unsupported(Exception):
    """Why a step, or this call of it, cannot be a program."""


def alike(a: Any, b: Any) -> bool:
    """Whether a variable still has its value. 1 is not 1.0, and 0.0 is not -0.0."""
    return a is b or (type(a) is type(b) and type(a) in _SIMPLE and repr(a) == repr(b))


class Frame:
    """Conditions under which something may be used, and names for the objects in them.

    Attributes
    ----------
    conditions : list of str
    tensors : list of Tensor
        What the functions made here are given, as ``t0``, ``t1``, ... Other objects are called ``x0``, ``x1``, ...
    """

    def __init__(self, tensors: list[Any]) -> None:
        self.tensors, self.conditions = list(tensors), list[str]()
        self.objects: dict[str, Any] = {"alike": alike}
        self.names = {id(t): f"t{i}" for i, t in enumerate(tensors)}

    def name(self, x: Any) -> str:
        """The text that stands for an object."""
        if x is None or x is True or x is False:
            return repr(x)
        if id(x) not in self.names:
            self.names[id(x)] = f"x{len(self.objects)}"
            self.objects[self.names[id(x)]] = x
        return self.names[id(x)]

    def same(self, text: str, value: Any) -> None:
        """Ask that `text` gives this very object or, of numbers and strings, an equal one."""
        name = self.name(value)
        simple = type(value) in _SIMPLE and type(value) is not bool
        self.conditions.append(f"({text} is {name} or alike({text}, {name}))" if simple else f"{text} is {name}")

    def form(self, text: str, array: np.ndarray) -> None:
        """Ask for an array of the same shape, layout and dtype."""
        self.conditions += f"(a := {text}).shape == {array.shape}", f"a.strides == {array.strides}"
        self.conditions.append(f"a.dtype == {self.name(array.dtype)}")

    def argument(self, text: str, x: Any) -> None:
        """Ask that an argument is as this one, and add its tensors to `tensors`."""
        if isinstance(x, TensorBase):
            if id(x) in self.names:  # given twice
                self.same(text, x)
            else:
                self._tensor(text, x)
        elif type(x) in (tuple, list):
            self.conditions += f"{text}.__class__ is {type(x).__name__}", f"len({text}) == {len(x)}"
            for i, part in enumerate(x):
                self.argument(f"{text}[{i}]", part)
        elif type(x) is dict:
            self.conditions += f"{text}.__class__ is dict", f"[*{text}] == {self.name([*x])}"
            for key, part in x.items():
                self.argument(f"{text}[{self.name(key)}]", part)
        elif isinstance(x, np.ndarray):
            raise Unsupported("an argument is a NumPy array; pass a tensor, as torch.from_numpy(array) gives it")
        else:
            self.same(text, x)

    def _tensor(self, text: str, t: Any) -> None:
        if t._node is not None and current.recording:
            raise Unsupported("an argument has a history, through which gradients would flow out of the step; detach() it")
        if t._hooks:
            raise Unsupported("a hook waits for the gradient of an argument; hooks run eagerly")
        name = f"t{len(self.tensors)}"
        self.conditions.append(f"({name} := {text}).__class__ is {self.name(type(t))}")
        self.same(f"{name}._requires_grad", t._requires_grad)
        self.conditions += (f"not {name}._hooks", *([f"{name}._node is None"] if current.recording else []))
        self.form(f"{name}.array", t.array)
        self.names[id(t)] = name
        self.tensors.append(t)

    def no_tensor_twice(self) -> None:
        """Ask that the tensors are different ones, but where `argument` found the same."""
        self.conditions.append(f"len({{{', '.join(f't{i}' for i in range(len(self.tensors)))}}}) == {len(self.tensors)}")

    def function(self, parameters: list[str], *statements: str) -> Callable[..., Any]:
        """A function made of these statements."""
        space = dict(self.objects)
        exec(f"def function({', '.join(parameters)}):\n" + "".join(f"    {each}\n" for each in statements), space)
        return space.pop("function")

    def guard(self, parameters: list[str], result: list[str]) -> Callable[..., Any]:
        """A function that gives a tuple, or None where a condition does not hold."""
        condition = " and ".join(self.conditions) or "True"
        return self.function(parameters, f"return ({''.join(f'{each}, ' for each in result)}) if {condition} else None")
