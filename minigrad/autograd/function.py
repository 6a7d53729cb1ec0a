"""`Function`: an operation whose derivative a user writes by hand, in torch's form."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.autograd.grad_mode import is_grad_enabled, no_grad
from minigrad.autograd.graph import Op, TensorBase, cast, needs_grad, record, wrap

if TYPE_CHECKING:
    from minigrad.tensors.tensor import Tensor


class FunctionCtx:
    """What `Function.forward` hands to `Function.backward`; attributes can be set freely."""

    def __init__(self) -> None:
        self.needs_input_grad: tuple[bool, ...] = ()
        self._saved: list[tuple[Any, int, Any]] = []  # tensor, its version, and for an output how to find its node
        self._constant: tuple[Any, ...] = ()
        self._materialize = True

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep `tensors` for backward, which will notice if they are changed in place until then."""
        self._saved = [(t, t._version_cell[0] if t is not None else 0, None) for t in tensors]

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """The tensors given to `save_for_backward`."""
        for t, version, _ in self._saved:
            if t is not None and t._version_cell[0] != version:
                raise RuntimeError("one of the variables needed for gradient computation has been modified by an inplace "
                                   f"operation: a saved tensor of shape {list(t.shape)} is at version "
                                   f"{t._version_cell[0]}; expected version {version} instead")
        return tuple(t if node is None else _link_to(t, node()) for t, _, node in self._saved)

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """Declare outputs that have no gradient, such as indices."""
        self._constant = outputs

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Not supported: write the function so that it returns a new tensor."""
        raise NotImplementedError("mark_dirty: in-place custom functions are not supported; return a new tensor")

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros (the default) or None for outputs that no gradient reached."""
        self._materialize = value


def _link_to(tensor: Any, node: Any) -> Any:
    """The values of `tensor` as the result of `node`."""
    alias = wrap(tensor.array)
    alias._version_cell, alias._node, alias._requires_grad = tensor._version_cell, node, node is not None
    return alias


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
        raise NotImplementedError("You must implement the backward function for your custom autograd.Function.")

    setup_context: Any = None

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Compute the function and record it."""
        ctx = FunctionCtx()
        ctx.needs_input_grad = tuple(map(needs_grad, args))
        with no_grad():
            if cls.setup_context is None:
                output = cls.forward(ctx, *args)
            else:
                output = cls.forward(*args)
                cls.setup_context(ctx, args, output)
        if not (is_grad_enabled() and any(ctx.needs_input_grad)):
            return output
        single = not isinstance(output, tuple)
        outputs = [output] if single else list(output)
        rules = _function_rules(cls, ctx, outputs, args)
        this = Op(lambda *_: (None, *rules), cls.__name__ + "Backward")
        part = Op(lambda *_: (), cls.__name__ + "Backward", linear=True)
        shared = wrap(np.zeros(()))  # stands for all the outputs together: its node is the function's
        record(this, shared, args, rules, ((), {}))
        results = []
        for k, out in enumerate(outputs):
            if isinstance(out, TensorBase) and not any(out is c for c in ctx._constant) and out.array.dtype.kind == "f":
                result = wrap(out.array)
                result._version_cell = out._version_cell
                record(part, result, [shared], [lambda g, k=k: _Outputs({k: g})], ((), {}))
                shared._node.shape = None  # type: ignore[union-attr]
                # An output that backward reads was saved before it had a node. Weakly, for the node leads back to `ctx`.
                node = weakref.ref(result._node)
                ctx._saved = [(t, version, node if t is out else known) for t, version, known in ctx._saved]
                out = result
            results.append(out)
        return results[0] if single else tuple(results)


def _function_rules(cls: Any, ctx: FunctionCtx, outputs: Sequence[Any], args: Sequence[Any]) -> list[Any]:
    """One rule per argument; `backward` of the class runs once for them all."""
    kinds, expected = ([(t.array.shape, t.array.dtype) if isinstance(t, TensorBase) else None for t in each]
                       for each in (outputs, args))
    latest: list[Any] = [None, None]

    def rule(i: int, gradients: _Outputs) -> Any:
        if latest[0] is not gradients:
            recorded = any(isinstance(g, TensorBase) for g in gradients.values())
            given = [gradients.get(k) for k in range(len(kinds))]
            if ctx._materialize:
                given = [np.zeros(*kind) if g is None and kind else g for g, kind in zip(given, kinds, strict=True)]
            result = cls.backward(ctx, *(g if g is None or isinstance(g, TensorBase) else wrap(g) for g in given))
            result = result if isinstance(result, tuple) else (result,)
            if len(result) < len(args) or any(g is not None for g in result[len(args) :]):
                raise RuntimeError(f"function {cls.__name__}Backward returned an incorrect number of gradients (expected "
                                   f"{len(args)}, got {len(result)})")
            result = [_fitting(cls.__name__, k, g, a) for k, (g, a) in enumerate(zip(result, expected, strict=False))]
            latest[:] = gradients, [g if g is None or recorded else g.array for g in result]
        return latest[1][i]

    return [functools.partial(rule, i) for i in range(len(args))]


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
    def forward(ctx: FunctionCtx, value: Tensor, *gradients: Tensor | None) -> Tensor:
        """The value itself."""
        return value

    @staticmethod
    def backward(ctx: FunctionCtx, g: Tensor) -> Any:
        """Refuse."""
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a `Function.backward` whose own derivative would be wrong: who asks for it gets an error.

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
