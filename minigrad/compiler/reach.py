"""What a step is given and what it reaches: what must be the same for a program of it to run."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.autograd import TensorBase
from minigrad.autograd.grad_mode import current
from minigrad.nn.module import Module
from minigrad.optim.optimizer import Optimizer

MISSING: Any = object()
_SIMPLE = frozenset({int, float, str, bool, type(None)})


class Unsupported(Exception):
    """Why a step, or this call of it, cannot be a program."""


def signature_of(args: Any, tensors: list[Any]) -> list[Any]:
    """What must be the same for a program to fit these arguments; their tensors are added to a list."""
    key: list[Any] = []
    for x in args:
        kind = type(x)
        if isinstance(x, TensorBase):
            array = x.array
            key += array.shape, array.dtype, array.strides, x._requires_grad
            if x._node is not None and current.recording:
                raise Unsupported("an argument has a history, through which gradients would flow out of the step; detach() it")
            tensors.append(x)
        elif kind in _SIMPLE:
            key += kind, x
        elif kind is tuple or kind is list:
            key += kind, *signature_of(x, tensors), None
        elif kind is dict:
            key += kind, *x, *signature_of(x.values(), tensors), None
        elif isinstance(x, np.ndarray):
            raise Unsupported("an argument is a NumPy array; pass a tensor, as torch.from_numpy(array) gives it")
        else:
            key.append(id(x))
    return key


class Reach:
    """The modules, optimisers and variables that a function can see, and names for tensors.

    Attributes
    ----------
    names : dict
        id -> name of a tensor.
    modules : list of Module
    variables : list of (mapping or cell, key)
        What the function itself names: closure variables, globals, attributes of their objects. Only these are watched.
    lists : list of list
        The lists of tensors or modules among them, whose elements are watched.
    """

    def __init__(self, function: Any, arguments: dict[str, Any]) -> None:
        self.paths: dict[int, list[str]] = {}
        self.modules: list[Any] = []
        self.optimizers: list[Any] = []
        self.variables: list[tuple[Any, Any]] = []
        self.lists: list[list[Any]] = []
        self._seen: set[int] = set()
        self._kept: list[Any] = []
        self._attributes: set[str] = set()  # which the function names
        self.function(function, arguments)
        for optimizer in self.optimizers:
            for p, entries in optimizer.state.items():
                for key, value in entries.items():
                    self.note(value, [*self.paths.get(id(p), ["parameter"]), key])
        self.names = dict(self._short())

    def function(self, f: Any, arguments: dict[str, Any]) -> None:
        """Follow what a function names."""
        found = dict(arguments)
        while isinstance(f, functools.partial):
            f = f.func
        if isinstance(f, types.MethodType):
            found["self"] = f.__self__
            f = f.__func__
        f = inspect.unwrap(f)
        if isinstance(f, types.FunctionType):
            self._attributes |= set(f.__code__.co_names)
            self.variables += zip(f.__closure__ or (), f.__code__.co_freevars, strict=True)
            self.variables += ((f.__globals__, name) for name in f.__code__.co_names if name in f.__globals__)
            found |= {name: look(home, name) for home, name in self.variables}
        for name, value in found.items():
            self.visit(name, value)

    def visit(self, name: str, x: Any, depth: int = 0) -> None:
        """Give names to the tensors in `x`."""
        if id(x) in self._seen or depth > 3:
            return
        self._seen.add(id(x))
        self._kept.append(x)
        if isinstance(x, Module):
            self.modules.append(x)
            for path, p in (*x.named_parameters(), *x.named_buffers()):
                self.note(p, path.split("."))
        elif isinstance(x, Optimizer):
            self.optimizers.append(x)
        elif isinstance(x, TensorBase):
            self.note(x, [name])
        elif isinstance(x, (list, tuple, dict)) and len(x) < 100:
            if isinstance(x, list) and any(isinstance(part, (Module, TensorBase)) for part in x):
                self.lists.append(x)
            for key, part in x.items() if isinstance(x, dict) else enumerate(x):
                if isinstance(x, dict):
                    self.variables.append((x, key))
                self.visit(f"{name}_{key}", part, depth + 1)
        elif isinstance(x, types.MethodType):
            self.visit(name, x.__self__, depth + 1)
        elif hasattr(x, "__dict__") and not isinstance(x, (type, types.ModuleType, types.FunctionType)):
            for key, part in vars(x).items():
                inside = isinstance(part, (Module, Optimizer, TensorBase))
                if inside or key in self._attributes:
                    self.variables.append((vars(x), key))
                if inside:
                    self.visit(key, part, depth + 1)

    def note(self, tensor: Any, path: list[str]) -> None:
        """Remember by which path a tensor was found first."""
        if isinstance(tensor, TensorBase) and id(tensor) not in self.paths:
            self.paths[id(tensor)] = path
            self._kept.append(tensor)

    def _short(self) -> Iterator[tuple[int, str]]:
        """The last word of a path if no other ends in it, else the whole of it; numbers go behind names."""
        ends = [path[-1] for path in self.paths.values()]
        for key, path in self.paths.items():
            words = [path[-1]] if ends.count(path[-1]) == 1 else sorted(path, key=str.isdigit)
            yield key, "_".join(words)


def look(home: Any, name: Any) -> Any:
    """The value of a variable, or MISSING."""
    if isinstance(home, dict):
        return home.get(name, MISSING)
    return home.cell_contents if home != types.CellType() else MISSING


def alike(a: Any, b: Any) -> bool:
    """Whether a variable still has its value."""
    return a is b or (type(a) is type(b) and type(a) in _SIMPLE and a == b)


def attributes_of(module: Any) -> list[Any]:
    """What a module is made of: its attributes, parameters, buffers, modules and hooks."""
    parts: list[Any] = []
    for value in vars(module).values():
        parts += [len(value), *value, *value.values()] if isinstance(value, dict) else [value]
    return parts
