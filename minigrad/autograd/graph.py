"""Operations that record themselves, and the graph they leave behind; `engine` differentiates by walking it.

Read this file first. An operation is written as one plain NumPy function, its *body*, which returns the value and then one
derivative per tensor argument, each a function of the gradient `g` of the result::

    @op
    def mul(a, b, /):
        return a * b, lambda g: g * b, lambda g: g * a

`op` turns the body into a function on tensors. Where one of its tensors requires a gradient, the call leaves a `Node` behind:
the derivatives to apply, and the edges along which their results travel on. `backward` walks the nodes, newest first.

Everything that each rule would otherwise repeat is done here, once: unwrapping and wrapping, type promotion, undoing
broadcasting, skipping inputs that need no gradient, adding up gradients that meet, noticing memory that was overwritten.
"""

from __future__ import annotations

import functools
import inspect
import sys
import weakref
from collections.abc import Callable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, ParamSpec, overload

import numpy as np

from minigrad.arrays.dtypes import Array, common_dtype, last_bits
from minigrad.autograd.grad_mode import current

if TYPE_CHECKING:
    from minigrad.tensors.tensor import Tensor

P = ParamSpec("P")
Name = str | Callable[..., str] | tuple[str, str]
ndarray = np.ndarray


# ---- what a tensor is to the machine -----------------------------------------------------------------------------------


class TensorBase:
    """A NumPy array with a place in the graph; `Tensor` adds the operators and methods.

    Attributes
    ----------
    array : numpy.ndarray
        The values.
    """

    __slots__ = ("__weakref__", "_grad", "_hooks", "_node", "_requires_grad", "_version_cell", "_view", "array")

    array: Array
    _grad: Tensor | None  # what `backward` has added up so far; on leaves, and where `retain_grad()` asked for it
    _node: Node | None  # the operation that made this tensor; None for a leaf
    _requires_grad: bool
    _version_cell: list[int]  # [count of in-place changes]: one cell for all the tensors that share the memory
    _view: tuple[TensorBase, int | None] | None  # (tensor whose memory this shows, moment it was made, if recorded); see inplace.py
    _hooks: dict[int, Callable[[Tensor], Tensor | None]] | None  # of a leaf; those of other tensors are with their node

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        _CLASSES.add(cls)


_result_class: Any = TensorBase
_CLASSES: set[type] = set()  # of tensors


def result_class(cls: type) -> type:
    """Class decorator: the results of operations are instances of this class from now on."""
    global _result_class
    _result_class = cls
    return cls


def wrap(array: Array, requires_grad: bool = False, cls: Any = None) -> Tensor:
    """A leaf tensor around `array`, whose memory it shares."""
    tensor = object.__new__(cls or _result_class)
    tensor.array = array if type(array) is ndarray else np.asarray(array)
    tensor._grad = tensor._node = tensor._view = tensor._hooks = None
    tensor._requires_grad = requires_grad
    tensor._version_cell = [0]
    return tensor


def raw(x: Array) -> np.ndarray[Any, Any]:
    """The plain NumPy values of `x`: for the parts of a body that nobody differentiates.

    Raises
    ------
    TypeError
        If `x` is neither a tensor nor an array.
    """
    if isinstance(x, TensorBase):
        return x.array
    if type(x) is ndarray or isinstance(x, (ndarray, np.generic)):
        return x  # type: ignore[return-value]
    frame: Any = sys._getframe(1)  # up to the operation that the user called
    while frame.f_code.co_name.startswith(("_", "<", "call", "floating")) and frame.f_back:
        frame = frame.f_back
    raise TypeError(f"{frame.f_code.co_name}(): expected a tensor, got {type(x).__name__}; make one with torch.tensor(...)")


def unwrapped(x: Any) -> Any:
    """The plain NumPy values of `x` if it is a tensor, else `x`: where it may be a number, or None."""
    return x.array if isinstance(x, TensorBase) else x


# ---- the graph -----------------------------------------------------------------------------------------------------------

clock = count(1)


class Node:
    """One recorded operation: the `grad_fn` of its result.

    Attributes
    ----------
    edges : list
        Where each input's gradient goes: to the node that made it, to the tensor itself if it is a leaf, or nowhere (None).
    rules : list of callable, or None
        One derivative per input, None for one that needs no gradient; the list is None once backward has passed and freed it.
    shape : tuple of int
        Of the result, and so of the gradient that this node waits for.
    tensors : sequence, or None
        The inputs, to see whether somebody overwrote them and to record derivatives of derivatives. An operation whose rules
        read none of their values (a sum, a product with a number) does not hold on to them.
    number : int
        Moment of creation. An operation is newer than those that made its inputs; so "newest first" reaches every node
        after all the nodes it feeds, and the graph needs no sorting.
    """

    __slots__ = (
        "__weakref__", "_hooks", "edges", "grad_keeper", "number", "op", "options", "rules", "seen", "shape", "tensors", "title",
    )  # fmt: skip

    op: Op
    options: tuple[tuple[Any, ...], dict[str, Any]]
    edges: list[Any]
    rules: Any
    shape: tuple[int, ...]
    title: str | Callable[..., str]  # what torch calls the node, or how to find out from the options
    tensors: Sequence[Any] | None
    seen: list[Any]  # the version cell of each input, and of the result, each followed by what it said when the node was made
    number: int
    grad_keeper: weakref.ref[TensorBase] | None  # the tensor for which retain_grad() was called
    _hooks: dict[int, Callable[[Tensor], Tensor | None]] | None

    def name(self) -> str:
        """The name under which torch knows this derivative, ``"MulBackward0"`` for example."""
        return self.title if isinstance(self.title, str) else self.title(*self.options[0], **self.options[1])

    def __repr__(self) -> str:
        return f"<{self.name().rpartition(':')[2]} object at {id(self):#x}>"

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """Where the gradients go, as torch shows it: ``((node, 0), ...)``, with `AccumulateGrad` for a leaf."""
        return tuple((AccumulateGrad(e) if isinstance(e, TensorBase) else e, 0) for e in self.edges)

    def replay(self) -> Any:
        """The rules once more, as functions of tensors, so that what they compute is recorded itself.

        The body is run again on the input *tensors*; NumPy's dispatch protocols send each function it calls back to the
        operation of that name. The derivative of a derivative thus comes from the same line as the derivative.
        """
        if self.tensors is None:  # the rules read no values, and serve arrays and tensors alike
            return self.rules
        inputs = []
        for tensor, edge in zip(self.tensors, self.edges, strict=True):
            if isinstance(edge, Node):  # not the tensor itself: an in-place operation may have given it a newer node
                inputs.append(_link(wrap(tensor.array), edge))
            else:
                inputs.append(tensor if edge is not None else unwrapped(tensor))
        args, kwargs = self.options
        return self.op.body(*inputs, *args, **kwargs)[1:]

    def check_versions(self, replaying: bool) -> None:
        """Raise if values that a rule reads were overwritten since. The closures of the rules tell what they read.

        To replay the body is to read all inputs again.
        """
        live = [rule for rule in self.rules if rule is not None]
        read = _arrays_within(live)
        for tensor, cell, seen in zip(self.tensors or (), self.seen[::2], self.seen[1::2], strict=False):
            if cell[0] != seen and (replaying or any(np.may_share_memory(x, unwrapped(tensor)) for x in read)):
                self._overwritten(f"an input of shape {list(raw(tensor).shape)}", cell[0], seen)
        codes = [rule.__code__ for rule in live if hasattr(rule, "__code__")]
        cell, seen = self.seen[-2:]
        if cell[0] != seen and any("out" in code.co_freevars for code in codes):
            self._overwritten("its result", cell[0], seen)

    def _overwritten(self, what: str, now: int, seen: int) -> None:
        raise RuntimeError(
            f"one of the variables needed for gradient computation has been modified by an inplace operation: {what}, read "
            f"by {self.name()}, is at version {now}; expected version {seen} instead. Write the new values into a new "
            "tensor (y = y * 2 for y *= 2), or change it after backward()")


def _arrays_within(x: Any, depth: int = 5) -> list[Any]:
    """The arrays that functions have in their closures, directly or inside lists and inner functions."""
    if isinstance(x, ndarray):
        return [x]
    inside = x if isinstance(x, (list, tuple)) else [cell.cell_contents for cell in getattr(x, "__closure__", None) or ()]
    return [array for item in inside if depth for array in _arrays_within(item, depth - 1)]


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


def _link(tensor: Any, node: Node) -> Any:
    tensor._node, tensor._requires_grad = node, True
    return tensor


# ---- operations ----------------------------------------------------------------------------------------------------------


def torch_names(options: dict[str, Any]) -> dict[str, Any]:
    """Options with NumPy's names, which torch takes too, replaced by torch's."""
    return {_NUMPY_NAMES.get(name, name): value for name, value in options.items()}


_NUMPY_NAMES = {
    "axis": "dim", "keepdims": "keepdim", "axis0": "dim0", "axis1": "dim1",
    "a": "input", "x": "input", "x1": "input", "x2": "other",
}  # fmt: skip


class Op:
    """What is known of one operation: its body, and how its operands are prepared (see `op`)."""

    __slots__ = (
        "body", "bools", "floating", "in_single", "linear", "name", "node_name", "numbers", "operands", "promote", "scaling",
        "tensor_count", "view",
    )  # fmt: skip

    def __init__(
        self, body: Callable[..., Any], node_name: Any, *, linear: bool = False, promote: bool = False, floating: bool = False,
        view: bool = False, in_single: bool = False, scaling: bool = False, bools: bool = True, numbers: bool = True,
    ) -> None:
        self.body, self.name = body, body.__name__.strip("_")
        self.node_name = node_name or "".join(part.title() for part in self.name.split("_")) + "Backward0"
        self.linear, self.promote, self.floating, self.view = linear, promote or floating or not bools, floating, view
        self.in_single, self.scaling, self.bools, self.numbers = in_single, scaling, bools, (float, int) if numbers else ()
        parameters = inspect.signature(body).parameters.values()
        operands = [p.name for p in parameters if p.kind is p.POSITIONAL_ONLY]
        self.operands = [_TORCH_NAMES.get(name, name) for name in operands]
        self.tensor_count = sys.maxsize if any(p.kind is p.VAR_POSITIONAL for p in parameters) else len(operands)

    def place(self, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Operands given by name, ``mul(x, other=y)``, put in their places among the positional arguments."""
        options = torch_names(options)
        if options.pop("out", None) is not None:
            raise NotImplementedError(f"{self.name}(): out= is not supported; take the result, or copy it: out.copy_(...)")
        for i, name in enumerate(self.operands):
            if name not in options:
                continue
            if i != len(args):
                problem = "got multiple values for argument" if i < len(args) else f"needs {self.operands[len(args)]!r} before"
                raise TypeError(f"{self.name}() {problem} {name!r}")
            args = (*args, options.pop(name))
        return args, options


_TORCH_NAMES = {"a": "input", "x": "input", "b": "other", "y": "other"}  # short in formulas, and what torch's users write


@overload
def op(body: Callable[P, Any], /) -> Callable[P, Any]: ...


@overload
def op(
    *, name: Name | None = None, linear: bool = False, promote: bool = False, floating: bool = False,
    view: bool = False, in_single: bool = False, scaling: bool = False, bools: bool = True, numbers: bool = True,
) -> Callable[[Callable[P, Any]], Callable[P, Any]]: ...


def op(body: Callable[..., Any] | None = None, /, *, name: Name | None = None, **flags: bool) -> Any:
    """Turn a body, which computes a value and its derivatives on arrays, into an operation on tensors.

    The parameters before ``/`` (or ``*args``) are the tensors, those behind it are options. A tensor for which the body gives
    no derivative, or None, is a constant to it. A body is written in NumPy functions and operators, without `out=` and item
    assignment on what is differentiated, because `Node.replay` runs it on tensors too; a result that rules read is called
    `out`. Called on plain arrays, as from within a rule, an operation gives a plain array.

    Parameters
    ----------
    name : str, callable or pair of str, optional
        What torch calls the node. Where it depends: a function of the options; or two names, the second for a last operand
        that is a number. Default: ``MulBackward0`` for `mul`.
    linear : bool
        The rules read no values: nothing is kept for them, so nothing has to be checked or freed.
    promote : bool
        Bring the operands to one dtype first, by torch's rules.
    floating : bool
        Like `promote`, and bring integers to the default floating-point dtype.
    view : bool
        The result may share memory with the first operand.
    in_single : bool
        Compute float16 in float32, as torch does, and round once, at the end.
    scaling : bool
        If the last operand is a number, the rule of the other reads only that: the operand is not kept.
    bools : bool
        False: refuse bools among the operands; and like `promote`.
    numbers : bool
        False: refuse Python numbers for tensors.
    """
    if body is None:
        return functools.partial(op, name=name, **flags)
    this = Op(body, name, **flags)
    tensor_count, promoting, view, in_single, numbers = this.tensor_count, this.promote, this.view, this.in_single, this.numbers

    @functools.wraps(body)
    def call(*args: Any, **options: Any) -> Any:
        plain = not options and args and type(args[0]) is ndarray and _PLAIN.issuperset(map(type, args[:tensor_count]))
        if plain and not in_single:
            return body(*args)[0]  # from within a rule: half the time of what follows
        mode = current.mode
        if options:
            args, options = this.place(args, options)
        tensors: Sequence[Any] = args[:tensor_count]
        rest = args[tensor_count:]
        if rest and not _CLASSES.isdisjoint(map(type, rest)):
            rest = tuple(map(_option, rest))
        if options:
            options = {name: _option(value) for name, value in options.items()}
        arrays, recorded, dtype, one_dtype = [], False, None, True
        for t in tensors:
            if isinstance(t, TensorBase):
                if t._view is not None and mode.recording:
                    refresh(t)
                array = t.array
                if t._requires_grad:
                    recorded = True
                if dtype is None:
                    dtype = array.dtype
                elif dtype is not array.dtype:
                    one_dtype = False
                arrays.append(array)
            else:
                arrays.append(t if type(t) in numbers else _operand(this, t))
                one_dtype = one_dtype and type(t) is not ndarray
        if dtype is None:
            return _on_arrays(this, call, tensors, rest, options)
        if in_single and dtype == HALF:
            return _in_single(this, call, tensors, rest, options)
        if promoting and not (one_dtype and dtype.kind == "f"):  # numbers go with floating-point tensors as they are
            tensors, arrays = _promoted(this, tensors, arrays)
        try:
            computed = mode.run(body, *arrays, *rest, **options)
        except ValueError as error:
            raise _explained(this, arrays, error) from None
        result = wrap(computed[0])
        if view:
            share(result, tensors[0], mode.recording)
        if recorded and mode.recording and len(computed) > 1:
            _, *rules = computed
            record(this, result, tensors, rules, (rest, options) if rest or options else _NO_OPTIONS)
        return result

    call.op = this  # type: ignore[attr-defined]
    return call


def record(this: Op, result: Any, tensors: Sequence[Any], rules: list[Any], options: Any) -> None:
    """Make `result` the outcome of a new node.

    It holds few objects (ten for a product, six with a number), since Python's cycle collector looks at each of them, again
    and again while a graph grows: that is most of what a chain of 100,000 operations costs.
    """
    node = Node()
    node.op, node.rules, node.options, node.number = this, rules, options, next(clock)
    node.title = this.node_name[not isinstance(tensors[-1], TensorBase)] if type(this.node_name) is tuple else this.node_name
    node._hooks = node.grad_keeper = None
    reads_nothing = this.linear or (this.scaling and type(tensors[-1]) in (float, int))
    node.tensors, node.shape = None if reads_nothing else tensors, result.array.shape
    edges: list[Any] = []
    seen: list[Any] = []
    for t in tensors:
        if isinstance(t, TensorBase):
            edge = t._node or (t if t._requires_grad else None)
            cell = t._version_cell
        else:
            edge, cell = None, _CONSTANT
        if edge is None and len(edges) < len(rules):
            rules[len(edges)] = None  # and with it what it holds
        edges.append(edge)
        seen += cell, cell[0]
    seen += result._version_cell, result._version_cell[0]
    node.edges, node.seen = edges, _NOTHING if reads_nothing else seen
    result._node, result._requires_grad = node, True


_PLAIN = {ndarray, float, int}
HALF, SINGLE, DOUBLE = np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)
_CONSTANT = [0]  # the version cell of what is no tensor
_NOTHING: list[Any] = []
_NO_OPTIONS: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})


def share(result: TensorBase, base: Any, recording: bool) -> None:
    """Let `result`, if it shows memory of `base`, know its base and share its version."""
    below = result.array.base  # the array that owns the memory; or ours, where that is no array
    if result.array is base.array or (below is not None and (below is base.array.base or below is base.array)):
        result._version_cell = base._version_cell
        result._view = (base if base._view is None else base._view[0], next(clock) if recording else None)


def refresh(view: Any) -> None:
    """Give a view whose base was changed in place since it was made the base's new history."""
    base, moment = view._view
    if moment is not None and base._node is not None and base._node.number > moment:
        view._regenerate()


def needs_grad(x: Any) -> bool:
    """Whether `x` is a tensor that requires a gradient; a view may do so since its base was changed in place."""
    if not isinstance(x, TensorBase):
        return False
    if x._view is not None:
        refresh(x)
    return x._requires_grad


def _promoted(this: Op, tensors: Sequence[Any], arrays: list[Any]) -> tuple[Sequence[Any], list[Any]]:
    """The operands in one dtype; a change of dtype is recorded like any operation."""
    if not this.bools and any(isinstance(t, TensorBase) and t.array.dtype.kind == "b" for t in tensors):
        _refuse_bools(this)
    target = common_dtype(arrays, this.floating)
    kind = target or next(a.dtype for a in arrays if isinstance(a, ndarray))
    if kind.kind in "iu":
        tensors = arrays = [last_bits(a, kind) if type(a) is int else t for t, a in zip(tensors, arrays, strict=True)]
    if target is None:
        return tensors, [unwrapped(t) for t in tensors]
    tensors = [cast(t, target) if isinstance(t, (TensorBase, ndarray)) else a for t, a in zip(tensors, arrays, strict=True)]
    return tensors, [unwrapped(t) for t in tensors]


def _operand(this: Op, x: Any) -> Any:
    """A constant that is no tensor, as an array or a Python number."""
    if isinstance(x, np.generic) and this.numbers:
        return x.item()
    if isinstance(x, bool) and not this.bools and this.tensor_count > 1:
        _refuse_bools(this)
    if isinstance(x, (bool, float, int, ndarray) if this.numbers else ndarray):
        return x
    raise TypeError(f"{this.name}(): expected tensors, got {type(x).__name__}; make one with torch.tensor(...)")


def _refuse_bools(this: Op) -> None:
    raise RuntimeError(f"{this.name}(): bool tensors are not supported; to invert a mask, use the `~` operator or logical_not(), "
                       "to compute with it, convert it, as in x.int()")


def _option(x: Any) -> Any:
    """An option; as in torch, a tensor without dimensions serves as a number."""
    return x.array.item() if isinstance(x, TensorBase) and not x.array.ndim else x


def _on_arrays(this: Op, call: Any, operands: Sequence[Any], rest: tuple[Any, ...], options: dict[str, Any]) -> Any:
    arrays = [np.asarray(x) if isinstance(x, np.generic) else x for x in operands]  # NumPy's 0-d results are no arrays
    if not any(isinstance(a, ndarray) for a in arrays):
        kinds = ", ".join(type(a).__name__ for a in arrays)
        raise TypeError(f"{this.name}(): at least one argument must be a tensor, got {kinds or 'none'}")
    if this.in_single and getattr(arrays[0], "dtype", None) == HALF:
        return _in_single(this, call, arrays, rest, options)
    return this.body(*arrays, *rest, **options)[0]


def _in_single(this: Op, call: Any, operands: Sequence[Any], rest: tuple[Any, ...], options: dict[str, Any]) -> Any:
    wide = [cast(x, SINGLE) if getattr(unwrapped(x), "dtype", None) == HALF else x for x in operands]
    result = call(*wide, *rest, **options)
    if this.promote and any(getattr(unwrapped(x), "dtype", None) in (SINGLE, DOUBLE) for x in operands):
        return result  # of the wider dtype
    node = getattr(result, "_node", None)
    return cast(result, HALF, node.name()) if node else cast(result, HALF)


def _explained(this: Op, arrays: list[Any], error: ValueError) -> Exception:
    shapes = " and ".join(str(list(a.shape)) for a in arrays if isinstance(a, ndarray))
    if this.promote and "broadcast" in str(error):
        return RuntimeError(f"{this.name}(): the sizes of tensors of shapes {shapes} do not match: aligned from the right, "
                            "sizes must be equal or 1")
    return RuntimeError(f"{this.name}(): {error} (shapes received: {shapes})")


@op(name=lambda dtype, name="ToCopyBackward0": name, linear=True)
def cast(x: Array, /, dtype: Any, name: str = "ToCopyBackward0") -> Any:
    """`x` in another NumPy dtype."""
    before = x.dtype
    value = x.astype(dtype)
    return (value, lambda g: cast(g, before)) if value.dtype.kind == "f" else (value,)
