"""Hooks: the user's functions that see a gradient on its way, and may replace it, or that are called when a leaf has received all
of its gradient; and `retain_grad`, which keeps gradients on the way.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.arrays.sums import unbroadcast
from minigrad.autograd.inspection import PostHook, RemovableHandle, nodes_behind
from minigrad.autograd.node import Node
from minigrad.autograd.tensor_base import TensorBase, raw, wrap

# The leaves that have hooks for when their gradient is complete. The hooks themselves belong to the leaf, and end with it.
awaited: dict[int, weakref.ref[TensorBase]] = {}

Hooks = dict[int, Callable[[Any], Any]]


def attend(node: Node, g: Any) -> Any:
    """Let the hooks of a node's result see (and change) its gradient, then keep it where `retain_grad()` asked for it."""
    g = hooked(node._hooks, g)
    keeper = None if node.grad_keeper is None else node.grad_keeper()
    if keeper is not None:
        keep(keeper, g)
    return g


def keep(tensor: TensorBase, g: Any) -> None:
    """Add a gradient that travels on to the `.grad` of a tensor that is no leaf."""
    g = g if isinstance(g, TensorBase) else wrap(np.array(g))
    tensor._grad = g if tensor._grad is None else tensor._grad + g


def hooked(hooks: Hooks | None, g: Any) -> Any:
    """The gradient after the hooks have seen, and perhaps replaced, it."""
    if hooks and isinstance(g, np.ndarray) and not g.flags.writeable:  # a hook may change in place what it gets
        g = g.copy()
    for hook in list((hooks or {}).values()):
        changed = hook(g if isinstance(g, TensorBase) else wrap(g))
        if changed is None:
            continue
        if not isinstance(changed, TensorBase):
            raise TypeError(f"a hook must return a tensor or None, got {type(changed).__name__}")
        if (changed.array.shape, changed.array.dtype) != (raw(g).shape, raw(g).dtype):
            raise RuntimeError(f"a hook has changed the size or type of a gradient, from {list(raw(g).shape)} of {raw(g).dtype} to "
                               f"{list(changed.array.shape)} of {changed.array.dtype}")
        g = changed if isinstance(g, TensorBase) else changed.array
    return g


def with_post_hooks(node: Node, rules: Sequence[Any]) -> Sequence[Any]:
    """The rules of a node, wrapped so that its post hooks see all of their results at once, and may replace them."""
    hooks = [hook for hook in (node._hooks or {}).values() if isinstance(hook, PostHook)]
    if not hooks:
        return rules
    latest: list[Any] = [None, ()]

    def run(g: Any) -> tuple[Any, ...]:
        passed: tuple[Any, ...] = ()
        for rule, edge in zip(rules, node.edges, strict=False):
            result = None if edge is None else rule(g)
            if result is not None:
                shape = edge.shape if isinstance(edge, Node) else edge.array.shape
                result = result if result.shape == shape else unbroadcast(result, shape)
                result = result if isinstance(result, TensorBase) else wrap(result)
            passed += (result,)
        for hook in hooks:
            changed = hook.function(passed, (g if isinstance(g, TensorBase) else wrap(g),))
            if changed is not None:
                passed = changed if isinstance(changed, tuple) else (changed,)
                if len(passed) != len(rules):
                    raise RuntimeError(f"hook of {node.name()} has returned an incorrect number of values (got {len(passed)}, but "
                                       f"expected {len(rules)})")
        return passed

    def rule(i: int, g: Any) -> Any:
        if latest[0] is not g:
            latest[:] = g, run(g)
        passed = latest[1][i]
        return passed if isinstance(g, TensorBase) or passed is None else read_only(passed.array)

    return [functools.partial(rule, i) for i in range(len(rules))]


def read_only(array: Any) -> Any:
    """The same memory, which the user's code may hold as well: a leaf will not keep it as its gradient."""
    view = array.view()
    view.flags.writeable = False
    return view


def when_complete(leaf: Any, hook: Callable[[Any], None]) -> RemovableHandle:
    """Call `hook` with the leaf in each backward pass, once all of its gradient has been added to its `.grad`."""
    key = id(leaf)
    if key not in awaited:
        leaf._complete_hooks = {}
        awaited[key] = weakref.ref(leaf, lambda _: awaited.pop(key, None))
    return RemovableHandle(leaf._complete_hooks, hook)


def completed(leaf: Any) -> None:
    """Call the hooks of a leaf that has received all of its gradient."""
    for hook in list(leaf._complete_hooks.values()):
        hook(leaf)


def last_uses(starts: Sequence[Node | None], wanted: Sequence[Any] | None) -> dict[Node, list[Any]]:
    """When the gradients of the awaited leaves are complete.

    Returns
    -------
    dict
        Node -> the leaves whose gradient is complete after its turn: no older node passes anything to them.
    """
    last: dict[Any, Node] = {}
    for node in nodes_behind(starts):
        for edge in node.edges:
            if isinstance(edge, TensorBase) and id(edge) in awaited and (wanted is None or edge in wanted):
                last[edge] = min(last.get(edge, node), node, key=lambda user: user.number)
    return {node: [edge for edge in dict.fromkeys(node.edges) if last.get(edge) is node] for node in last.values()}
