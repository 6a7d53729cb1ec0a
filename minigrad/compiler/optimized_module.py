"""A compiled module: what `compile` makes of a module."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

from minigrad.compiler.step import Step
from minigrad.nn.module import Module


class OptimizedModule(Module):
    """Calls a module through a `Step`. As in torch, the module is a child named ``_orig_mod``, and its attributes are found here.

    Parameters
    ----------
    module : Module
        The module to be called.
    fullgraph : bool
        See `compile`.

    Attributes
    ----------
    compiled : Step
        Its `source` and `reason` tell what has become of the calls.
    """

    compiled: Step

    def __init__(self, module: Module, fullgraph: bool = False) -> None:
        super().__init__()
        self._modules["_orig_mod"] = module
        vars(self)["compiled"] = Step(module.__call__, fullgraph)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The module's result."""
        return self.compiled(*args, **kwargs)

    @property
    def training(self) -> bool:
        """That of the module."""
        return self._orig_mod.training

    @training.setter
    def training(self, mode: bool) -> None:
        self._orig_mod.training = mode

    def __getattr__(self, name: str) -> Any:
        modules = vars(self).get("_modules", {})
        return getattr(modules["_orig_mod"], name) if modules and name != "_orig_mod" else super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(type(self), name):  # `training`, or a method that is replaced
            object.__setattr__(self, name, value)
        else:
            setattr(self._orig_mod, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._orig_mod, name)

    def __len__(self) -> int:
        if not isinstance(self._orig_mod, Sized):
            raise TypeError(f"{type(self._orig_mod).__name__} does not support len()")
        return len(self._orig_mod)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return OptimizedModule, (self._orig_mod, self.compiled.fullgraph)
