"""What a step reaches, besides its arguments: modules, optimisers, variables, and names for their tensors."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Iterator
from typing import Any

from minigrad.autograd import TensorBase
from minigrad.compiler.frame import MISSING
from minigrad.nn.module import Module
from minigrad.optim.optimizer import Optimizer


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
        found: dict[str, Any] = {}
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
        for name, value in arguments.items():
            self.visit(name, value, given=True)
        for name, value in found.items():
            self.visit(name, value)

    def visit(self, name: str, x: Any, depth: int = 0, given: bool = False) -> None:
        """Give names to the tensors in `x`. Lists and the like that are `given` as arguments are watched as such."""
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
            given = given and type(x) in (list, tuple, dict)
            if isinstance(x, list) and not given and any(isinstance(part, (Module, TensorBase)) for part in x):
                self.lists.append(x)
            for key, part in x.items() if isinstance(x, dict) else enumerate(x):
                if isinstance(x, dict) and not given:
                    self.variables.append((x, key))
                self.visit(f"{name}_{key}", part, depth + 1, given)
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


def attributes_of(module: Any) -> list[Any]:
    """What a module is made of: its attributes, parameters, buffers, modules and hooks."""
    parts: list[Any] = []
    for value in vars(module).values():
        parts += [len(value), *value, *value.values()] if isinstance(value, dict) else [value]
    return parts
