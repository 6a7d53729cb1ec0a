"""Looking into the graph, under the names of `torch.autograd.graph`: hooks for what is saved, and for several gradients.

`saved_tensors_hooks` decides how the tensors that nodes save are kept until backward. A node saves the inputs of its operation.
When its turn comes, they are unpacked, and the body runs again to make the rules.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from minigrad.autograd.function import recorded_as_rules
from minigrad.autograd.inspection import RemovableHandle
from minigrad.autograd.node import Node, watchers
from minigrad.autograd.passes import innermost_pass
from minigrad.autograd.saved import Hooks, Packed, here, linked
from minigrad.autograd.tensor_base import TensorBase, unwrapped

__all__ = ["Node", "disable_saved_tensors_hooks", "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks"]


@contextmanager
def watching(watcher: Callable[[Node], None]) -> Iterator[None]:
    """Show `watcher` each node that this thread records in the block."""
    thread = threading.get_ident()

    def watch(node: Node) -> None:
        if threading.get_ident() == thread:
            watcher(node)

    watchers.append(watch)
    try:
        yield
    finally:
        watchers.remove(watch)


class saved_tensors_hooks:
    """Within a `with` statement, let two functions decide how tensors that are saved for backward are kept.

    Parameters
    ----------
    pack_hook : callable
        Takes a tensor; what it returns is kept instead.
    unpack_hook : callable
        Takes what `pack_hook` returned, and returns a tensor with the same values.

    Examples
    --------
    >>> import minigrad as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> with saved_tensors_hooks(lambda t: t.half(), lambda t: t.float()):
    ...     y = x * x
    >>> y.sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        self.hooks: Hooks = (pack_hook, unpack_hook)

    def __enter__(self) -> None:
        if here.refusal is not None:
            raise RuntimeError(here.refusal)
        here.hooks.append(self.hooks)
        self.watching = watching(self._pack)
        self.watching.__enter__()

    def __exit__(self, *error: Any) -> None:
        self.watching.__exit__(*error)
        here.hooks.pop()

    def _pack(self, node: Node) -> None:
        """Pack what a new node keeps; what a custom function saves, it packs itself."""
        if node.inputs is None or node.op.body is recorded_as_rules or here.hooks[-1] is not self.hooks:
            return
        inputs = _PackedInputs(node.inputs, node.edges, self.hooks)
        node.rules, node.inputs, node.cells, node.versions = _Rules(node, inputs), inputs, [], []  # type: ignore[assignment]


class _PackedInputs:
    """The inputs of a node; iterating unpacks the tensors among them."""

    def __init__(self, inputs: Sequence[Any], edges: Sequence[Any], hooks: Hooks) -> None:
        self.edges = edges
        self.packed = [Packed(x, hooks) if isinstance(x, TensorBase) else x for x in inputs]

    def __iter__(self) -> Iterator[Any]:
        for x, edge in zip(self.packed, self.edges, strict=True):
            yield linked(x.tensor(), edge) if isinstance(x, Packed) else x


class _Rules:
    """The rules of a node whose inputs are packed; iterating computes them."""

    def __init__(self, node: Node, inputs: _PackedInputs) -> None:
        self.body, self.settings, self.inputs = node.op.body, node.settings, inputs

    def __iter__(self) -> Iterator[Any]:
        positional, by_name = self.settings
        arrays = (x.tensor().array if isinstance(x, Packed) else unwrapped(x) for x in self.inputs.packed)
        return iter(self.body(*arrays, *positional, **by_name)[1:])


class save_on_cpu(saved_tensors_hooks):
    """Keep what is saved in the memory of the CPU, where all tensors are: this changes nothing."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda tensor: tensor, lambda tensor: tensor)


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Refuse `saved_tensors_hooks` in the block, with this message."""
    before, here.refusal = here.refusal, error_message
    try:
        if here.hooks:
            raise RuntimeError(error_message)
        yield
    finally:
        here.refusal = before


class _MultiGradHandle(RemovableHandle):
    """What `register_multi_grad_hook` returns: the handles of several hooks in one."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        self.handles = handles

    def remove(self) -> None:
        """Take the hook away."""
        for handle in self.handles:
            handle.remove()


def register_multi_grad_hook(tensors: Sequence[Any], fn: Callable[[Any], None], *, mode: str = "all") -> _MultiGradHandle:
    """Call a function once in each backward pass for the gradients of several tensors.

    Parameters
    ----------
    tensors : sequence of Tensor
        Each requires a gradient.
    fn : callable
        With ``mode="all"``, it gets the gradients in a list, with None for what the pass does not reach, as soon as all of them are
        known, and at the end of the pass if some are not reached. With ``mode="any"`` it gets the first one.
    mode : str
        ``"all"`` or ``"any"``.

    Examples
    --------
    >>> import minigrad as torch
    >>> a, b = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
    >>> handle = register_multi_grad_hook([a, b], print)
    >>> (2 * a + 3 * b).backward()
    [tensor([2.]), tensor([3.])]
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    arrived: dict[Any, list[Any]] = {}  # of the passes under way

    def hook_of(place: int) -> Callable[[Any], None]:
        def hook(g: Any) -> None:
            this = innermost_pass()
            if this not in arrived:
                arrived[this] = [None] * len(tensors)
                this.at_end.append(lambda: finish(this))
                if mode == "any":
                    fn(g)
            arrived[this][place] = g
            if all(found is not None for found in arrived[this]):
                finish(this)

        return hook

    def finish(this: Any) -> None:
        gradients = arrived.pop(this, None)
        if gradients is not None and mode == "all":
            fn(gradients)

    return _MultiGradHandle([t.register_hook(hook_of(i)) for i, t in enumerate(tensors)])
