"""`Function`: an operation whose derivative a user writes by hand, in torch's form."""

from __future__ import annotations

import functools
import inspect
import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.autograd.casting import cast
from minigrad.autograd.grad_mode import is_grad_enabled, no_grad
from minigrad.autograd.hooks import read_only
from minigrad.autograd.node import Op, record
from minigrad.autograd.saved import Saved, here
from minigrad.autograd.tensor_base import TensorBase, wrap
from minigrad.autograd.versions import count_change
from minigrad.autograd.views import as_it_lies, needs_grad, settle, share


class FunctionCtx:
    """What `Function.forward` hands to `Function.backward`; attributes can be set freely."""

    def __init__(self) -> None:
        self.needs_input_grad: tuple[bool, ...] = ()
        self._saved: list[Saved | None] = []
        self._constant: tuple[Any, ...] = ()
        self._dirty: tuple[Any, ...] = ()
        self._materialize = True

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep `tensors` for backward, which will notice if they are changed in place until then."""
        for i, t in enumerate(tensors):
            if t is not None and not isinstance(t, TensorBase):
                raise TypeError(f"save_for_backward can only save variables, but argument {i} is of type {type(t).__name__}")
        self._saved = [None if t is None else Saved(t) for t in tensors]

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors given to `save_for_backward`."""
        return tuple(None if saved is None else saved.value() for saved in self._saved)

    def mark_non_differentiable(self, *outputs: TensorBase) -> None:
        """Declare outputs that have no gradient, such as indices."""
        self._constant = outputs

    def mark_dirty(self, *tensors: Any) -> None:
        """Declare inputs that `forward` has changed in place, and returns."""
        self._dirty = tensors
        for t in tensors:
            count_change(t)

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros (the default) or None for outputs that no gradient reached."""
        self._materialize = value


class _Outputs(dict[int, Any]):
    """Gradients of a function's several outputs, under way to the one node they share."""

    shape = None

    def __add__(self, other: dict[int, Any]) -> _Outputs:
        return _Outputs({**self, **{k: self[k] + g if k in self else g for k, g in other.items()}})


class Function:
    """An operation with a derivative written by hand, in torch's form.

    Subclasses define ``forward(ctx, *args)`` and ``backward(ctx, *grad_outputs)`` as static methods and are used through
    ``apply``. `forward` may also be written without `ctx`, with a ``setup_context(ctx, inputs, output)`` beside it.

    Examples
    --------
    >>> import minigrad as torch
    >>> class Cube(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return g * 3 * x**2
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the result; to be defined by the subclass."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Gradients of the inputs, one per argument of forward; to be defined by the subclass."""
        raise NotImplementedError("You must implement either the backward or vjp method for your custom autograd.Function to use "
                                  "it with backward mode AD.")

    vjp = backward  # another name, for subclasses to define

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """Not used: there is no forward mode."""
        raise NotImplementedError("You must implement the jvp function for custom autograd.Function to use it with forward mode "
                                  "AD; but there is no forward mode")

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """Not used: there is no `vmap`."""
        raise NotImplementedError("To use autograd.Function with vmap, you must override the vmap staticmethod; but vmap is not "
                                  "supported")

    setup_context: Any = None
    _ops: dict[bool, Op]  # of the nodes: has anything been saved, which is freed when backward has passed?

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._ops = {saved: Op(recorded_as_rules, cls.__name__ + "Backward", linear=not saved) for saved in (True, False)}

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Compute the function and record it."""
        ctx = FunctionCtx()
        if cls.setup_context is not None:
            args = _by_position(cls.forward, args, kwargs, defaults=True)
        elif kwargs:
            args = _by_position(cls.forward, (ctx, *args), kwargs, defaults=False)[1:]
        ctx.needs_input_grad = tuple(map(needs_grad, args))
        with no_grad():
            if cls.setup_context is None:
                output = cls.forward(ctx, *args)
            else:
                output = cls.forward(*args)
                cls.setup_context(ctx, args, output)
        outputs = list(output) if isinstance(output, tuple) else [output]
        if ctx._dirty:
            _check_dirty(ctx, outputs, args)
        if is_grad_enabled() and any(ctx.needs_input_grad):
            outputs = cls._with_history(ctx, outputs, args)
        return tuple(outputs) if isinstance(output, tuple) else outputs[0]

    @classmethod
    def _with_history(cls, ctx: FunctionCtx, outputs: list[Any], args: Sequence[Any]) -> list[Any]:
        """The outputs, the differentiable ones as results of the function's node."""
        results = [_differentiable(out, args) if not any(out is c for c in ctx._constant) else out for out in outputs]
        own = results[0] if len(results) == 1 and results[0] is not outputs[0] else wrap(_NOTHING)  # the result of that node
        record(cls._ops[bool(ctx._saved)], own, args, _rules(cls, ctx, outputs, args), ((), {"ctx": weakref.ref(ctx)}))
        own._node.inputs = None  # backward has what it saved, and watches over that itself
        for k, (out, result) in enumerate(zip(outputs, results, strict=True)):
            if result is out:
                continue
            if result is not own:
                record(cls._ops[False], result, [own], [lambda g, k=k: _Outputs({k: g})], _NO_OPTIONS)
                own._node.shape = None
            # An output that backward reads was saved before it had a node. Weakly, for the nodes lead back to `ctx`.
            for saved in ctx._saved:
                if saved is not None and saved.kept is out:
                    nodes = weakref.ref(result._node), weakref.ref(own._node)
                    saved.find_node = functools.partial(cls._find_node, k, out.array.shape, *nodes)
        for saved in ctx._saved:
            if saved is not None:
                saved.version = saved.kept._version_cell[0]
                if here.hooks:
                    saved.pack(here.hooks[-1])
        for k, out in enumerate(outputs):
            if any(out is t for t in ctx._dirty):
                out._rewrite_history(results[k])
                results[k] = out
        return results

    @classmethod
    def _find_node(cls, k: int, shape: tuple[int, ...], output: Callable[[], Any], function: Callable[[], Any]) -> Any:
        """The node of output `k`. If nobody has kept that output, its node is gone, and a new one is recorded."""
        own, again = wrap(_NOTHING), wrap(_NOTHING)
        own._node, own._requires_grad = function(), True
        if output() is not None or own._node is None:
            return output()
        record(cls._ops[False], again, [own], [lambda g: _Outputs({k: g})], _NO_OPTIONS)
        again._node.shape = shape
        return again._node


_NO_OPTIONS: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})
_NOTHING = np.zeros(())


def recorded_as_rules() -> Any:
    """Stands for the body of every custom function. It is never called: the rules serve arrays and tensors alike."""


def _differentiable(output: Any, args: Sequence[Any]) -> Any:
    """A new tensor on the memory of `output`, to be given a history, since `output` may be an input, or in use elsewhere.

    What has no derivative is returned as it is. If the new tensor shows an input's memory it is a view, but its history is the
    function's. Changing either of them in place is refused, since that would bypass the function's backward.
    """
    if not isinstance(output, TensorBase) or output.array.dtype.kind != "f":
        return output
    settle(output)
    result = as_it_lies(wrap(output.array))
    result._version_cell = output._version_cell
    for x in args:
        if isinstance(x, TensorBase):
            base = x if x._view is None else x._view[0]
            if output is x or (output._view is not None and output._view[0] is base):
                share(result, x, recording=False)  # its history cannot be derived again: it does not come from x alone
    return result


def _check_dirty(ctx: FunctionCtx, outputs: Sequence[Any], args: Sequence[Any]) -> None:
    """Refuse to be told of changes in place that autograd cannot follow."""
    for t in ctx._dirty:
        if not any(t is out for out in outputs):
            raise RuntimeError("Some elements marked as dirty during the forward method were not returned as output. The inputs "
                               "that are modified inplace must all be outputs of the Function.")
        if not any(t is x for x in args):
            warnings.warn("ctx.mark_dirty() received a tensor that was not an input. Only input Tensors that have been mutated "
                          "should be passed to ctx.mark_dirty().", stacklevel=3)
        elif is_grad_enabled():
            t._may_change()


@functools.lru_cache(maxsize=256)
def _signature(forward: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(forward)


def _by_position(forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], defaults: bool) -> tuple[Any, ...]:
    """The arguments of `forward` as they stand in its definition, with or without those that were left out."""
    bound = _signature(forward).bind(*args, **kwargs)
    if defaults:
        bound.apply_defaults()
    if bound.kwargs:
        raise TypeError(f"forward() of a custom Function cannot have keyword-only arguments, got {', '.join(bound.kwargs)}")
    return bound.args


def _rules(cls: Any, ctx: FunctionCtx, outputs: Sequence[Any], args: Sequence[Any]) -> list[Any]:
    """One rule per argument; `backward` of the class runs once for them all."""
    kinds, expected = ([(t.array.shape, t.array.dtype) if isinstance(t, TensorBase) else None for t in each]
                       for each in (outputs, args))
    count = len(args)  # the rules must not hold the arguments
    latest: list[Any] = [None, {}]  # the gradient that arrived, and those of its results that have not been fetched

    def run(arrived: Any) -> dict[int, Any]:
        given = [arrived.get(k) for k in range(len(kinds))] if type(arrived) is _Outputs else [arrived]
        recorded = any(isinstance(g, TensorBase) for g in given)
        if ctx._materialize:
            given = [np.zeros(*kind) if g is None and kind else g for g, kind in zip(given, kinds, strict=True)]
        result = _derivative(cls)(ctx, *(g if g is None or isinstance(g, TensorBase) else wrap(g) for g in given))
        result = result if isinstance(result, tuple) else (result,)
        if len(result) < count or any(g is not None for g in result[count:]):
            raise RuntimeError(f"function {cls.__name__}Backward returned an incorrect number of gradients (expected "
                               f"{count}, got {len(result)})")
        fitting = [_fitting(cls.__name__, k, g, a) for k, (g, a) in enumerate(zip(result, expected, strict=False))]
        return {k: g if g is None or recorded else read_only(g.array) for k, g in enumerate(fitting) if ctx.needs_input_grad[k]}

    def rule(i: int, arrived: Any) -> Any:
        if latest[0] is not arrived or i not in latest[1]:
            latest[:] = arrived, run(arrived)
        return latest[1].pop(i)

    return [functools.partial(rule, i) for i in range(count)]


def _derivative(cls: Any) -> Callable[..., Any]:
    """The class's `backward`, which may also be called `vjp`."""
    if cls.vjp is Function.vjp:
        return cls.backward
    if cls.backward is not Function.backward:
        raise RuntimeError("Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only implement "
                           "one of them.")
    return cls.vjp


def _fitting(name: str, i: int, g: Any, kind: Any) -> Any:
    """The gradient that a custom function gave for argument `i`, in the dtype of the argument; its shape is checked."""
    if g is None:
        return None
    if kind is None or not isinstance(g, TensorBase):
        raise RuntimeError(f"function {name}Backward must return a tensor or None for each tensor argument, and None for every "
                           f"other one; got {type(g).__name__} at index {i}")
    shape, dtype = kind
    if g.array.ndim < len(shape) or any(n not in (1, m) for n, m in zip(shape[::-1], g.array.shape[::-1], strict=False)):
        raise RuntimeError(f"Function {name}Backward returned an invalid gradient at index {i} - got {list(g.array.shape)} but "
                           f"expected shape compatible with {list(shape)}")
    return g if g.array.dtype == dtype else cast(g, dtype)


class _Once(Function):
    """The gradient that a once-differentiable backward computed, as a function of the gradients it was given."""

    @staticmethod
    def forward(ctx: FunctionCtx, value: Any, *gradients: Any) -> Any:
        """The value itself."""
        return value

    @staticmethod
    def backward(ctx: FunctionCtx, g: Any) -> Any:
        """Refuse."""
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a `Function.backward` whose own derivative would be wrong: asking for that is an error.

    As torch.autograd.function.once_differentiable; to be written below ``@staticmethod``.
    """

    @functools.wraps(backward)
    def once(ctx: FunctionCtx, *gradients: Any) -> Any:
        with no_grad():
            results = backward(ctx, *gradients)
        guarded = [_Once.apply(r, *gradients) if isinstance(r, TensorBase) else r
                   for r in (results if isinstance(results, tuple) else (results,))]  # fmt: skip
        return tuple(guarded) if isinstance(results, tuple) else guarded[0]

    return once
