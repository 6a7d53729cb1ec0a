"""The part of a node that autograd itself does not need: what users look at, and their hooks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

import numpy as np

from minigrad.autograd.tensor_base import TensorBase, unwrapped, wrap


class RemovableHandle:
    """What `register_hook` returns; `remove()` takes the hook away."""

    _count = 0

    def __init__(self, hooks: dict[int, Any], hook: Any) -> None:
        RemovableHandle._count += 1
        self.id, self.hooks = RemovableHandle._count, hooks
        hooks[self.id] = hook

    def remove(self) -> None:
        """Take the hook away."""
        self.hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


class PreHook:
    """A hook of a node, to be called before its rules; it stands among the hooks of the tensor that the node made."""

    def __init__(self, function: Callable[[tuple[Any, ...]], Any]) -> None:
        self.function = function

    def __call__(self, g: Any) -> Any:
        """What replaces the gradient, or None."""
        changed = self.function((g,))
        if isinstance(changed, tuple) and len(changed) != 1:
            raise RuntimeError(f"a prehook of a node must return None or a tuple of 1 gradient, got {len(changed)}")
        return changed[0] if isinstance(changed, tuple) else changed


class PostHook:
    """A hook of a node, to be called after its rules; see `hooks.with_post_hooks`."""

    def __init__(self, function: Callable[[tuple[Any, ...], tuple[Any, ...]], Any]) -> None:
        self.function = function

    def __call__(self, g: Any) -> None:
        """Do nothing: its turn comes after the rules."""


_NAMED: dict[str, type] = {}  # classes of nodes that have the names of operations


class Inspected:
    """Base class of `Node`."""

    __slots__ = ()

    def shown(self) -> Self:
        """The node itself, its class now named after its operation: ``type(y.grad_fn).__name__`` is ``"MulBackward0"``."""
        node: Any = self
        name = node.name().rpartition(":")[2]
        if type(node).__name__ != name:
            if name not in _NAMED:
                _NAMED[name] = type(name, (type(node),), {"__slots__": (), "__getattr__": _attribute, "__dir__": _attributes})
            node.__class__ = _NAMED[name]
        return self

    @property
    def metadata(self) -> dict[str, Any]:
        """What is noted about the node; anomaly mode notes the lines that made it."""
        node: Any = self
        if not hasattr(node, "_metadata"):
            node._metadata = {}
        return node._metadata

    def register_prehook(self, hook: Callable[[tuple[Any, ...]], Any]) -> RemovableHandle:
        """Call ``hook(grad_outputs)`` before the node's rules; a tuple that it returns replaces the gradient."""
        return self._register(PreHook(hook))

    def register_hook(self, hook: Callable[[tuple[Any, ...], tuple[Any, ...]], Any]) -> RemovableHandle:
        """Call ``hook(grad_inputs, grad_outputs)`` after the node's rules; a tuple that it returns replaces the gradients of the
        inputs.
        """
        return self._register(PostHook(hook))

    def _register(self, hook: Any) -> RemovableHandle:
        node: Any = self
        if node.shape is None or any(edge is not None and getattr(edge, "shape", ()) is None for edge in node.edges):
            raise NotImplementedError(f"{node.name()}: hooks of the node of a function with several results are not supported; "
                                      "register a hook with a tensor")
        if node._hooks is None:
            node._hooks = {}
        return RemovableHandle(node._hooks, hook)


def nodes_behind(starts: Iterable[Any]) -> Iterator[Any]:
    """The nodes among `starts`, and all that their edges lead to, each once; in no particular order."""
    visited: set[Inspected] = set()
    stack = list(starts)
    while stack:
        node = stack.pop()
        if isinstance(node, Inspected) and node not in visited:
            visited.add(node)
            yield node
            stack += node.edges  # type: ignore[attr-defined]


# ---- what is saved: attributes of the classes that `shown` makes, since `__getattr__` would slow `Node` itself down -------------


def _attribute(node: Any, name: str) -> Any:
    """``_saved_self``, ``_saved_other``, ``_saved_result``, ``_saved_dim`` …: what the rules keep, under torch's names.

    The node of a custom function has the attributes of its `ctx`.
    """
    if name.startswith("_saved_"):
        for key, value in _saved(node):
            if name == f"_saved_{key}":
                return value
    elif not name.startswith("_"):
        ctx = node.settings[1].get("ctx", lambda: None)()
        if ctx is not None and hasattr(ctx, name):
            return getattr(ctx, name)
    raise AttributeError(f"{type(node).__name__!r} object has no attribute {name!r}")


def _attributes(node: Any) -> list[str]:
    freed = node.rules is None
    return [*object.__dir__(node), *([] if freed else (f"_saved_{name}" for name, _ in _saved(node)))]


def _saved(node: Any) -> Iterator[tuple[str, Any]]:
    if node.rules is None:
        raise RuntimeError("Trying to backward through the graph a second time (or directly access saved tensors after they "
                           "have already been freed).")
    operands = list(node.inputs or ())
    for name, x in zip(node.op.operands, operands, strict=False):
        yield "self" if name == "input" else name, x if isinstance(x, TensorBase) or not isinstance(x, np.ndarray) else wrap(x)
    arrays = [unwrapped(x) for x in operands]
    for rule in node.rules:
        for cell in getattr(rule, "__closure__", None) or ():
            value = unwrapped(cell.cell_contents)
            if isinstance(value, np.ndarray) and value.shape == node.shape and all(value is not array for array in arrays):
                yield "result", wrap(value)
                break
    positional, by_name = node.settings
    settings = list(inspect.signature(node.op.body).parameters)[len(node.op.operands) :]
    yield from {**dict(zip(settings, positional, strict=False)), **by_name}.items()
