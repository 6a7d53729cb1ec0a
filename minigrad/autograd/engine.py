"""The walk back through the graph: `backward` and `grad`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np

from minigrad.arrays.memory import out_of_memory
from minigrad.arrays.sums import ones, unbroadcast
from minigrad.autograd.anomaly_mode import is_anomaly_enabled, watched
from minigrad.autograd.grad_mode import current
from minigrad.autograd.hooks import attend, awaited, completed, hooked, keep, last_uses, with_post_hooks
from minigrad.autograd.inspection import nodes_behind
from minigrad.autograd.node import Node, Op, record
from minigrad.autograd.passes import start_pass
from minigrad.autograd.tensor_base import TensorBase, wrap
from minigrad.autograd.versions import check_versions, count_change
from minigrad.autograd.views import refresh


def walk(
    roots: Sequence[tuple[TensorBase, Any]], retain_graph: bool, create_graph: bool, wanted: Sequence[Any] | None = None,
    complete_after: Mapping[Node, list[Any]] | None = None,
) -> tuple[dict[Any, Any], set[Any]]:
    """Carry gradients from `roots` back through the graph.

    Leaving out hooks, `wanted` and memory, the walk is this::

        waiting = {node of the root: its gradient}
        while nodes are waiting:
            node = the newest of them;  g = waiting.pop(node)
            for each rule and edge of the node:
                waiting[edge] += rule(g)
        what still waits belongs to the leaves

    Newest first means that all gradients of a node have arrived when its turn comes. They wait in a dictionary of this walk, so
    two walks never see each other's state.

    Parameters
    ----------
    roots : sequence of (tensor, gradient)
        Gradients are arrays. With `create_graph` they are tensors, and the walk itself is recorded.
    wanted : sequence of nodes and leaves, optional
        What gradients are asked for. Only the part of the graph that leads there is visited. Default: all leaves.
    complete_after : dict, optional
        Leaves whose gradients are to be put into their `.grad` as soon as they are complete, by the node after whose turn that is
        (see `hooks.last_uses`). The others are returned.

    Returns
    -------
    dict
        Leaf (or wanted node) -> gradient.
    set
        Among these, the leaves whose gradient is an array that nobody else holds. (Nodes in the set mean nothing.)
    """
    waiting: dict[Any, Any] = {}
    found: dict[Any, Any] = {}
    owned: set[Any] = set()
    useful = None if wanted is None else _leading_to(wanted, [tensor._node for tensor, _ in roots])
    rules_of = watched(_rules_of) if is_anomaly_enabled() else _rules_of

    for tensor, g in roots:
        edge = tensor._node or tensor
        waiting[edge] = waiting[edge] + g if edge in waiting else g
    newest_first = [(-node.number, node) for node in waiting if isinstance(node, Node)]
    heapify(newest_first)

    while newest_first:
        _, node = heappop(newest_first)
        g = waiting.pop(node)
        if node._hooks or node.grad_keeper is not None:
            g = attend(node, g)
        if useful is not None:
            if node in wanted:  # type: ignore[operator]
                found[node] = g
            if useful.isdisjoint(node.edges):
                continue
        for rule, edge in zip(rules_of(node, create_graph), node.edges):  # noqa: B905  (an operand without a rule is a constant)
            if edge is None or (useful is not None and edge not in useful):
                continue
            passed = rule(g)
            if passed is None:  # a custom function says so where there is no gradient
                continue
            to_node = isinstance(edge, Node)
            shape = edge.shape if to_node else edge.array.shape
            if passed.shape != shape:
                passed = unbroadcast(passed, shape)
            if edge in waiting:
                waiting[edge] = waiting[edge] + passed  # not in place: somebody may hold the array that arrived first
                owned.add(edge)
            else:
                waiting[edge] = passed
                if to_node:
                    heappush(newest_first, (-edge.number, edge))
                elif _is_new(passed, g):
                    owned.add(edge)
        if not retain_graph and not node.op.linear:
            node.rules = node.inputs = None
        if complete_after and node in complete_after:
            for leaf in complete_after[node]:
                if leaf in waiting:
                    accumulate(leaf, waiting.pop(leaf), leaf in owned)
    return found | waiting, owned


def _rules_of(node: Node, create_graph: bool) -> Any:
    """The rules of a node whose turn has come; with `create_graph`, as functions of tensors."""
    if node.rules is None:
        raise RuntimeError(
            f"Trying to backward through the graph a second time: what {node.name()} had saved was freed by the first pass. "
            "Specify retain_graph=True in the first backward() or autograd.grad(), or compute the loss again")
    for cell, version in zip(node.cells, node.versions):  # noqa: B905  (strict=... takes as long as the rest)
        if cell[0] != version:
            check_versions(node, create_graph)
            break
    rules = node.replay() if create_graph else node.rules
    return with_post_hooks(node, rules) if node._hooks else rules


def _is_new(passed: Any, g: Any) -> bool:
    """Whether a leaf may keep `passed`, which a rule gave for `g`: it is neither `g`, nor a view of it, nor read-only.

    Reference counts would tell the same, but not in every version of Python.
    """
    if not isinstance(passed, np.ndarray) or not passed.flags.writeable:
        return False
    base = passed.base
    return passed is not g if base is None else base is not g and base is not g.base and base.size == passed.size


def _leading_to(wanted: Sequence[Any], starts: list[Any]) -> set[Any]:
    """The nodes and leaves, reachable from `starts`, from which something in `wanted` can be reached."""
    useful = set(wanted)
    for node in sorted(nodes_behind(starts), key=lambda node: node.number):  # oldest first: its inputs are decided before a node
        if not useful.isdisjoint(node.edges):
            useful.add(node)
    return useful


# ---- what the walk brings back ---------------------------------------------------------------------------------------------


def backward(
    tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
) -> None:
    """Add the gradients of `tensors` to the `.grad` of the leaves they were computed from.

    Parameters
    ----------
    tensors : Tensor or sequence of Tensor
        What is differentiated.
    grad_tensors : Tensor or sequence of Tensor, optional
        The vectors in the vector-Jacobian product, one per tensor, of its shape; may be left out for scalars.
    retain_graph : bool, optional
        Keep what the graph has saved, for another pass. Default: `create_graph`.
    create_graph : bool
        Record the computation of the gradients, so that they can be differentiated in turn.
    inputs : Tensor or sequence of Tensor, optional
        Tensors, leaves or not, that alone get a gradient.

    Raises
    ------
    RuntimeError
        If a tensor is not a scalar and no gradient is given for it, if it requires no gradient, or its graph was freed already.
    """
    if create_graph:
        warnings.warn("Using backward() with create_graph=True will create a reference cycle between the parameter and its "
                      "gradient, which can cause a memory leak. Use autograd.grad() to avoid this, or reset the .grad of your "
                      "parameters to None after use", stacklevel=2 if isinstance(tensors, (list, tuple)) else 3)
    roots = _roots(sequence(tensors), sequence(grad_tensors), create_graph)
    wanted = None if inputs is None else [t._node or t for t in sequence(inputs)]
    if wanted == []:
        raise RuntimeError("backward(): inputs must not be empty; leave it out to reach every leaf")
    grads = start_pass(_differentiate, wanted, roots, retain_graph, create_graph, True)
    for tensor in sequence(inputs):
        if tensor._node in grads and tensor._node.grad_keeper is None:  # an input that is no leaf
            keep(tensor, grads[tensor._node])


def _differentiate(
    wanted: Sequence[Any] | None, roots: list[Any], retain_graph: bool | None, create_graph: bool, accumulating: bool
) -> dict[Any, Any]:
    """`walk`, recorded or not; if `accumulating`, what arrived at leaves is put into their `.grad`."""
    before, current.recording = current.recording, bool(create_graph)
    try:
        retain_graph = create_graph if retain_graph is None else retain_graph
        complete_after = last_uses([tensor._node for tensor, _ in roots], wanted) if accumulating and awaited else None
        grads, owned = walk(roots, retain_graph, create_graph, wanted, complete_after)
        if accumulating:
            for leaf in wanted or list(grads):
                if leaf in grads and not isinstance(leaf, Node):
                    accumulate(leaf, grads.pop(leaf), leaf in owned)
        else:
            for leaf in set(wanted or ()):
                if leaf in grads and leaf._hooks and not isinstance(leaf, Node):
                    grads[leaf] = hooked(leaf._hooks, grads[leaf])
    except MemoryError as error:
        raise out_of_memory("backward", error) from None
    finally:
        current.recording = before
    return grads


def accumulate(leaf: Any, g: Any, owned: bool) -> None:
    """Add `g` to ``leaf.grad``, which lies in memory as the leaf does. An array that nobody else holds is kept as it is."""
    if leaf._hooks:
        g, owned = hooked(leaf._hooks, g), False
    grad = leaf._grad
    if isinstance(g, TensorBase):
        leaf._grad = _laid_out_like(leaf, g) if grad is None else grad + g
    elif grad is None:
        leaf._grad = wrap(g if owned and g.strides == leaf.array.strides else _copied(g, leaf.array))
    elif not grad.array.flags.writeable:
        raise RuntimeError("unsupported operation: more than one element of the written-to tensor refers to a single memory "
                           "location. Please clone() the tensor before performing the operation.")
    else:
        np.add(grad.array, g, grad.array)
        count_change(grad)
    if id(leaf) in awaited:
        completed(leaf)


def _copied(g: Any, like: Any) -> Any:
    """A copy of `g` that lies in memory as `like` does; in C order if `like` has gaps or repeats elements."""
    copy = np.empty_like(like)
    if copy.strides != like.strides:
        copy = np.empty(like.shape, like.dtype)
    copy[...] = g
    return copy


def _laid_out_like(leaf: Any, g: Any) -> Any:
    """`_copied`, as an operation."""
    copy = wrap(_copied(g.array, leaf.array))
    if g._requires_grad:
        record(_COPY, copy, (g,), [lambda gradient: gradient], ((), {}))
    return copy


_COPY = Op(_laid_out_like, "torch::autograd::CopyBackwards", linear=True)


def grad(
    outputs: Any, inputs: Any, grad_outputs: Any = None, retain_graph: bool | None = None, create_graph: bool = False,
    only_inputs: bool = True, allow_unused: bool | None = None, is_grads_batched: bool = False, materialize_grads: bool = False,
) -> Any:
    """The gradients of `outputs` with respect to `inputs`; no tensor's `.grad` is touched.

    Parameters
    ----------
    outputs, inputs : Tensor or sequence of Tensor
        What is differentiated, and with respect to what (leaves or not). The inputs may also be a dictionary.
    grad_outputs : Tensor or sequence of Tensor, optional
        The vector in the vector-Jacobian product; may be left out for scalar outputs.
    retain_graph, create_graph : bool
        As in `backward`.
    only_inputs : bool
        Deprecated in torch, and without effect.
    allow_unused : bool, optional
        Give None for an input that the outputs do not depend on, instead of an error.
    is_grads_batched : bool
        Not supported: there is no `vmap`.
    materialize_grads : bool
        Give zeros, not None, for an input that the outputs do not depend on.

    Returns
    -------
    tuple of Tensor, or dict
        One gradient per input, of its shape and dtype; under the inputs' keys if they are a dictionary.

    Raises
    ------
    RuntimeError
        If there is no input, or one requires no gradient, or is not used and `allow_unused` is not set.

    Examples
    --------
    >>> import minigrad as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> (dx,) = torch.autograd.grad(x**3, x, create_graph=True)
    >>> torch.autograd.grad(dx, x)
    (tensor(18.),)
    """
    if is_grads_batched:
        raise NotImplementedError("autograd.grad(): is_grads_batched=True is not supported; call it once for each gradient")
    if not only_inputs:
        warnings.warn("only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for other "
                      "parts of the graph, please use torch.autograd.backward.", FutureWarning, stacklevel=2)
    if materialize_grads and allow_unused is False:
        raise ValueError("autograd.grad(): materialize_grads=True gives zeros for unused inputs; leave allow_unused out")
    if isinstance(inputs, dict):
        found = grad(outputs, list(inputs.values()), grad_outputs, retain_graph, create_graph, True, allow_unused, False,
                     materialize_grads)
        return dict(zip(inputs, found, strict=True))
    inputs = sequence(inputs)
    if not inputs:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    for t in inputs:
        if not t._requires_grad:
            raise RuntimeError("autograd.grad(): one of the differentiated tensors does not require grad; create it with "
                               "requires_grad=True")
    roots = _roots(sequence(outputs), sequence(grad_outputs), create_graph)
    wanted = [t._node or t for t in inputs]
    grads = start_pass(_differentiate, wanted, roots, retain_graph, create_graph, False)
    result: list[Any] = []
    for t, key in zip(inputs, wanted, strict=True):
        g = grads.get(key)
        if g is None and materialize_grads:
            g = wrap(np.zeros(t.array.shape, t.array.dtype), requires_grad=bool(create_graph))
        if g is None and not allow_unused:
            raise RuntimeError("autograd.grad(): one of the differentiated tensors appears to not have been used in the "
                               "graph. Set allow_unused=True if this is the desired behavior")
        result.append(g if g is None or isinstance(g, TensorBase) else wrap(np.array(g)))
    return tuple(result)


def sequence(x: Any) -> list[Any]:
    """`x`, a tensor or several or None, as a list."""
    return [] if x is None else [x] if isinstance(x, TensorBase) or not hasattr(x, "__iter__") else list(x)


def _roots(tensors: list[Any], gradients: list[Any], create_graph: bool) -> list[tuple[TensorBase, Any]]:
    """Pair each output with the gradient to start from; ones for scalars."""
    roots = []
    if gradients and len(gradients) != len(tensors):
        raise RuntimeError(f"got {len(tensors)} tensors and {len(gradients)} gradients; give one gradient per tensor")
    for i, t in enumerate(tensors):
        g = gradients[i] if gradients else None
        if t._view is not None:
            refresh(t)
        if not t._requires_grad:
            raise RuntimeError(f"element {i} of tensors does not require grad and does not have a grad_fn: create the "
                               "tensors to differentiate with requires_grad=True, and compute it outside no_grad()")
        if g is None:
            if t.array.size != 1:
                raise RuntimeError("grad can be implicitly created only for scalar outputs, and this one has shape "
                                   f"{list(t.array.shape)}: reduce it, as in loss.sum().backward(), or pass gradient=")
            roots.append((t, wrap(np.ones_like(t.array)) if create_graph else ones(1, t.array.dtype).reshape(t.array.shape)))
            continue
        if not isinstance(g, TensorBase):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
        if g.array.shape != t.array.shape:
            raise RuntimeError(f"Mismatch in shape: grad_output[{i}] has a shape of {list(g.array.shape)} and output[{i}] "
                               f"has a shape of {list(t.array.shape)}; they must be equal")
        roots.append((t, g if create_graph else g.array.astype(t.array.dtype, copy=False)))
    return roots
