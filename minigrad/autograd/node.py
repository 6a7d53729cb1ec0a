"""The graph: a node for each recorded operation, with the rules that carry gradients back through it."""

from __future__ import annotations

import inspect
import sys
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

from minigrad.arrays.arguments import operand_name
from minigrad.autograd.inspection import Inspected
from minigrad.autograd.tensor_base import TensorBase, unwrapped, wrap

Name = str | Callable[..., str] | tuple[str, str]


@dataclass(slots=True, eq=False)
class Op:
    """What is known about an operation: its body, and the flags that `operation.op` explains."""

    body: Callable[..., Any]
    node_name: Any = None
    linear: bool = False
    promote: bool | str = False
    view: bool = False
    in_single: bool = False
    scaling: bool = False
    order: Literal["C", "K", "L"] | None = None
    bools: bool = True
    numbers: bool = True
    # What the body tells:
    name: str = field(init=False)
    operands: list[str] = field(init=False)  # torch's names of the tensor arguments
    tensor_count: int = field(init=False)  # `sys.maxsize` if the body takes any number of them
    number_types: tuple[type, ...] = field(init=False)  # of Python's numbers that may stand for a tensor

    def __post_init__(self) -> None:
        self.name = self.body.__name__.strip("_")
        self.node_name = self.node_name or "".join(part.title() for part in self.name.split("_")) + "Backward0"
        self.promote = self.promote or not self.bools
        self.number_types = (float, int) if self.numbers else ()
        code = self.body.__code__  # not inspect.signature(): 400 of them are a tenth of the time that `import minigrad` takes
        self.operands = [operand_name(name) for name in code.co_varnames[: code.co_posonlyargcount]]
        self.tensor_count = sys.maxsize if code.co_flags & inspect.CO_VARARGS else len(self.operands)
        if self.promote and self.operands:
            self.order = self.order or "K"


class Node(Inspected):
    """One recorded operation: the `grad_fn` of its result.

    Attributes
    ----------
    op : Op
        The operation.
    settings : tuple of (tuple, dict)
        The arguments, positional and by name, that are settings.
    edges : list
        Where each input's gradient goes: to the node that made it, to the tensor itself if it is a leaf, or nowhere (None).
    rules : list of callable, or None
        One derivative per input; None for an input that needs no gradient. The list itself is None once backward has used
        and freed it. (Rules that read no values stay.)
    shape : tuple of int
        Of the result. The gradient that arrives here has the same.
    number : int
        Counts up with each node. A node is newer than the nodes of its inputs. So "newest first" reaches every node after all the
        nodes it feeds, and the graph needs no sorting.
    inputs : sequence, or None
        The operands, for derivatives of derivatives. An operation whose rules read none of their values (a sum, a product with
        a number) does not hold on to them.
    cells, versions : list
        The version cells of the inputs and of the result, and their counts when the node was made; see `versions`.
    title : str or callable
        torch's name for the node, or a function that gives it from the settings.
    grad_keeper : weak reference, or None
        The result, if `retain_grad()` was called for it.
    """

    __slots__ = (
        "__weakref__", "_hooks", "_metadata", "cells", "edges", "grad_keeper", "inputs", "number", "op", "rules", "settings",
        "shape", "title", "versions",
    )  # fmt: skip

    op: Op
    settings: tuple[tuple[Any, ...], dict[str, Any]]
    edges: list[Any]
    rules: Any
    shape: tuple[int, ...]
    number: int
    inputs: Sequence[Any] | None
    cells: list[list[Any]]
    versions: list[int]
    title: str | Callable[..., str]
    grad_keeper: weakref.ref[TensorBase] | None
    _hooks: dict[int, Callable[[Any], Any]] | None

    def name(self) -> str:
        """The name under which torch knows this derivative, ``"MulBackward0"`` for example."""
        positional, by_name = self.settings
        return self.title if isinstance(self.title, str) else self.title(*positional, **by_name)

    def __repr__(self) -> str:
        name = self.name().rpartition(":")[2]
        written_by_hand = name.endswith("Backward")  # a `Function`; the others have a number behind it
        return f"<{'torch.autograd.function.' * written_by_hand}{name} object at {id(self):#x}>"

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """Where the gradients go, as torch shows it: ``((node, 0), ...)``, with `AccumulateGrad` for a leaf."""
        return tuple((AccumulateGrad(e) if isinstance(e, TensorBase) else e and e.shown(), 0) for e in self.edges)

    def replay(self) -> Any:
        """The rules once more, as functions of tensors, so that what they compute is recorded itself.

        The body runs again, on the input *tensors*. NumPy's dispatch protocols send each function that it calls back to the
        operation of that name. So the derivative of a derivative comes from the same line as the derivative.
        """
        if self.inputs is None:  # the rules read no values, and serve arrays and tensors alike
            return self.rules
        inputs = []
        for x, edge in zip(self.inputs, self.edges, strict=True):
            if isinstance(edge, Node):
                # Not x itself: after ``y = x.exp(); x.add_(1)`` x belongs to add's node, but exp got it from the node before.
                x = wrap(x.array)
                x._node, x._requires_grad = edge, True
            inputs.append(x if edge is not None else unwrapped(x))
        positional, by_name = self.settings
        return self.op.body(*inputs, *positional, **by_name)[1:]


class AccumulateGrad:
    """The end of an edge at a leaf: what arrives is added to `variable.grad`. Shown by `Node.next_functions`."""

    next_functions = ()

    def __init__(self, variable: TensorBase) -> None:
        self.variable = variable

    def name(self) -> str:
        """``"torch::autograd::AccumulateGrad"``, as torch calls it."""
        return "torch::autograd::AccumulateGrad"

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self.variable):#x}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccumulateGrad) and self.variable is other.variable

    def __hash__(self) -> int:
        return id(self.variable)


clock = count(1)
watchers: list[Callable[[Node], None]] = []  # see each new node: anomaly mode, checkpoints, hooks for what is saved
_NO_CELLS: list[list[Any]] = []
_NO_VERSIONS: list[int] = []


def record(op: Op, result: Any, operands: Sequence[Any], rules: list[Any], settings: Any) -> None:
    """Make `result` the outcome of a new node.

    The node holds few objects. Python's cycle collector looks at each of them again and again while a graph grows, which is most
    of what a chain of 100,000 operations costs.
    """
    node = Node()
    node.op, node.rules, node.settings, node.number = op, rules, settings, next(clock)
    node.shape, node._hooks, node.grad_keeper = result.array.shape, None, None
    node.title = op.node_name
    if isinstance(op.node_name, tuple):
        of_tensors, of_a_number = op.node_name
        node.title = of_tensors if isinstance(operands[-1], TensorBase) else of_a_number

    edges: list[Any] = []
    cells: list[list[Any]] = []
    for i, x in enumerate(operands):
        edge = None
        if isinstance(x, TensorBase):
            edge = x._node or (x if x._requires_grad else None)
            cells.append(x._version_cell)
        if edge is None and i < len(rules):
            rules[i] = None  # the rule is not needed; dropping it frees what it holds
        edges.append(edge)
    node.edges = edges

    if op.linear or (op.scaling and type(operands[-1]) in (float, int)):  # the rules read none of the operands
        node.inputs, node.cells, node.versions = None, _NO_CELLS, _NO_VERSIONS
    else:
        cells.append(result._version_cell)
        node.inputs, node.cells, node.versions = operands, cells, [cell[0] for cell in cells]
    result._node, result._requires_grad = node, True
    if watchers:
        for watcher in watchers:
            watcher(node)
