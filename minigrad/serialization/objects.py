"""Objects of a program's own classes in checkpoints: whole modules above all, as in ``torch.save(model, path)``.

A file has the name of the class and what the object's `__dict__` holds. It says nothing of what the class does: the program that
reads it must have the same class. Reading makes an empty object and gives it these attributes; no `__init__` is called.
"""

from __future__ import annotations

import copyreg
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from types import FunctionType
from typing import Any

from minigrad.nn.module import Module
from minigrad.serialization.unpickler import Class, Itself, expect, refuse

PARTS_OF_MODULES = ("minigrad.nn.", "minigrad.ops.")  # where the functions and classes are that a module may keep


def name_of(x: Any) -> str:
    """The name of a function or class, as pickles write it."""
    return f"{getattr(x, '__module__', '')}.{getattr(x, '__qualname__', '')}"


def is_found(x: Any) -> bool:
    """Whether `x` is a function or class that can be found under its name; a lambda, or one made in a function, cannot."""
    if not isinstance(x, (FunctionType, type)):
        return False
    found = sys.modules.get(x.__module__)
    for part in x.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is x


def can_be_read(x: Any) -> bool:
    """Whether a file may hold `x`, a function, or objects of `x`, a class whose objects are made without a call of its own."""
    return is_found(x) and (isinstance(x, FunctionType) or x.__new__ is object.__new__)


def state_of(x: Any) -> dict[str, Any] | None:
    """The attributes of an object that is nothing but its attributes; None if it is more than that, or its class is not found."""
    try:
        make, arguments, state, *items = x.__reduce_ex__(2)
    except (TypeError, ValueError, AttributeError):
        return None
    plain = make is copyreg.__newobj__ and arguments == (type(x),) and items in ([], [None, None]) and is_found(type(x))  # type: ignore[attr-defined]
    return (state or {}) if plain and isinstance(state, (dict, type(None))) else None


class Names(dict[str, Any]):
    """What the names in a pickle stand for: those that are always read, and the classes and functions that may be.

    Parameters
    ----------
    always : dict
        Name -> what `unpickler.loads` takes for it.
    added : iterable
        Classes and functions that the user has declared safe.
    modules : bool
        Whether modules of all classes that the program has made so far are read, and what they keep of `nn` and `ops`.
    """

    def __init__(self, always: dict[str, Any], added: Iterable[Any], modules: bool) -> None:
        super().__init__(always)
        self.modules = modules
        self.bare: dict[int, Any] = {}  # objects that have no attributes yet, by their id
        for x in [*added, *(_subclasses(Module) if modules else ())]:
            if name_of(x) not in always and can_be_read(x):
                self[name_of(x)] = self._readable(x)

    def __missing__(self, name: str) -> Any:
        found = self._part_of_a_module(name) if self.modules else None
        if found is None and name.startswith("torch."):
            refuse(f"it names {name[:80]!r}, which is not among the names that may be loaded: a module of torch is "
                   "read as its state_dict() only")
        if found is None:
            refuse(f"it names {name[:80]!r}, which is not among the names that may be loaded. If you trust the file, and it is a "
                   f"class or function of yours, use torch.serialization.add_safe_globals([{name[:80].rpartition('.')[2]}])"
                   + ("" if self.modules else ", or weights_only=False for a whole module"))
        return self._readable(found)

    def _part_of_a_module(self, name: str) -> Any:
        """A function or class of `nn` or `ops`: modules keep activations, and what `weight_norm` hangs on them, for example."""
        place, _, short = name.rpartition(".")
        found = getattr(sys.modules.get(place), short, None) if place.startswith(PARTS_OF_MODULES) else None
        of_ours = name_of(found).startswith(PARTS_OF_MODULES)  # not what these files import from elsewhere
        return found if of_ours and can_be_read(found) else None

    def _readable(self, x: Any) -> Class | Itself:
        return Class(x, name_of(x), partial(self._bare, x)) if isinstance(x, type) else Itself(x)

    def _bare(self, kind: type[Any]) -> Any:
        x = object.__new__(kind)
        self.bare[id(x)] = x
        return x

    def build(self, x: Any, state: Any) -> bool:
        """Give an object that was made by the file its attributes, once; False if it is another."""
        if self.bare.pop(id(x), None) is None:
            return False
        for name in expect(dict, state):
            expect(str, name)
        if hasattr(type(x), "__setstate__"):  # the class is asked: an object without attributes cannot answer
            x.__setstate__(state)
        else:
            vars(x).update(state)
        return True


def _subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _subclasses(below)
