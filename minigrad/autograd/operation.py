"""How an operation becomes part of the graph. Start reading here.

You write an operation as a plain NumPy function, its *body*. It returns the value and then, for each tensor argument, a *rule*:
a function that takes the gradient of the result and returns the gradient of that argument.

    @op
    def mul(a, b, /):
        return a * b, lambda g: g * b, lambda g: g * a

The decorator `op` turns the body into a function on tensors. When you call it,

1. the arguments are sorted into tensors and settings;
2. the tensors are unwrapped, so that the body sees arrays;
3. the arrays are brought to one dtype;
4. the body computes the value and makes the rules;
5. the value is wrapped in a new tensor. If an input requires a gradient, that tensor gets a `Node`, which holds the rules and
   points to the nodes of the inputs.

        x ──┐
            ├── mul ──▶ z          z._node.edges == [x, y]
        y ──┘                      z._node.rules == [g ↦ g * y, g ↦ g * x]

The node is all that autograd adds. `backward` follows the edges from z back to x and y, and applies the rules on the way.

Rules stay this short because everything they share happens here and in `backward`: type promotion, summing over dimensions
that were broadcast, skipping inputs that need no gradient, and noticing that a value was overwritten before its rule could read it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, overload

import numpy as np

from minigrad.arrays.arguments import sorted_arguments
from minigrad.arrays.dtypes import HALF, SINGLE
from minigrad.arrays.layout import laid_out
from minigrad.arrays.memory import out_of_memory
from minigrad.arrays.quiet import SILENT
from minigrad.autograd.casting import in_single, promoted, refuse_bools
from minigrad.autograd.grad_mode import current
from minigrad.autograd.node import Name, Op, record
from minigrad.autograd.out import written
from minigrad.autograd.tensor_base import TENSOR_CLASSES, TensorBase, wrap
from minigrad.autograd.views import lies_as, refresh, settle, share

P = ParamSpec("P")
ndarray = np.ndarray


@overload
def op(body: Callable[P, Any], /) -> Callable[P, Any]: ...


@overload
def op(*, name: Name | None = None, **flags: Any) -> Callable[[Callable[P, Any]], Callable[P, Any]]: ...


def op(body: Callable[..., Any] | None = None, /, *, name: Name | None = None, **flags: Any) -> Any:
    """Turn a body, which computes a value and its derivatives on arrays, into an operation on tensors.

    The parameters before ``/`` (or ``*args``) are the tensors. Those after it are settings: how to compute, not what. A tensor
    for which the body gives no rule, or None, is a constant.

    A rule returns `g` itself, a view of it, a new array, or a read-only array; never a writable array that somebody else keeps.
    So a leaf may keep a new array as its gradient.

    For derivatives of derivatives the body runs again, on tensors. So it calls only NumPy functions and operators, which work on
    tensors, too, and never changes in place what is differentiated. ``raw(x)`` gives the values of x, array or
    tensor, for what is not differentiated: its dtype, or a decision that depends on values.

    Parameters
    ----------
    name : str, callable or pair of str, optional
        torch's name for the node, if it is not formed as ``MulBackward0`` is from `mul`. If it varies: a function of the settings;
        or two names, the second for when the last operand is a number.
    **flags
        What else is special about the operation. Most new operations need `promote`, or nothing.

        ====================  ================================================================================================
        flag                  use it if
        ====================  ================================================================================================
        promote=True          operands of different dtypes are brought to one, by torch's rules: ``int64 + float32``
        promote="floating"    the same, and integers give floating-point numbers: ``exp`` of int64
        bools=False           torch refuses bools; implies promote
        numbers=False         torch refuses a Python number in the place of a tensor
        in_single=True        torch computes float16 in float32 and rounds at the end
        view=True             the result may share memory with the first operand
        linear=True           the rules read no values: no input is kept, so none has to be checked or freed
        order="C"             torch's result lies in order in memory however the operands lie; "L": as well, but channels come last
                              where those of the user's images do; "K": as the operands lie, which goes without saying for those
                              that are promoted; see `laid_out`
        scaling=True          if the last operand is a number, the rule of the other one reads only that number: ``x * 2``
        ====================  ================================================================================================
    """
    if body is None:
        return functools.partial(op, name=name, **flags)
    this = Op(body, name, **flags)
    count, detour = this.tensor_count, this.in_single

    @functools.wraps(body)
    def call(*args: Any, **options: Any) -> Any:
        # A rule calls operations on plain arrays. Then there is nothing to unwrap and nothing to record.
        plain = not options and args and type(args[0]) is ndarray and _PLAIN.issuperset(map(type, args[:count]))
        if plain and not (detour and args[0].dtype == HALF):
            return body(*args)[0]
        recording = current.recording

        # 1. Sort the arguments: tensors first, then the settings.
        if options:
            if options.get("out") is not None:
                return written(call, args, options, "cast" if this.promote else "same")
            args, options = sorted_arguments(this.name, this.operands, args, options)
            options = {name: _setting(value) for name, value in options.items()}
        operands: Sequence[Any] = args[:count]
        settings = args[count:]
        if settings and not TENSOR_CLASSES.isdisjoint(map(type, settings)):
            settings = tuple(map(_setting, settings))

        # 2. Unwrap the tensors, and see what they have in common.
        if this.view:
            settle(operands[0])
        arrays, dtype, alike, tracked = _unwrap(this, operands, recording)
        if dtype is None:
            return _on_arrays(this, call, operands, settings, options)
        if detour and dtype is not SINGLE and dtype == HALF:
            return in_single(this, call, operands, settings, options)

        # 3. Bring them to one dtype. A Python number beside a floating-point tensor stays as it is.
        if this.promote and not (alike and dtype.kind == "f"):
            operands, arrays = promoted(this, operands, arrays)

        # 4. Compute. The body returns the value, followed by one rule per tensor.
        try:
            computed = SILENT.copy().run(body, *arrays, *settings, **options)
        except (ValueError, MemoryError) as error:
            raise _explained(this, arrays, error) from None

        # 5. Wrap the value, and record where it came from if a gradient may be asked for.
        result = wrap(computed[0] if this.order is None else laid_out(computed[0], this.order, arrays))
        if result.array.ndim == 4 and this.order != "C":
            lies_as(result, operands if this.order != "L" or count > len(this.operands) else operands[:1], this.order)
        if this.view:
            share(result, operands[0], recording)
        if tracked and recording and len(computed) > 1:
            record(this, result, operands, list(computed[1:]), (settings, options) if settings or options else _NO_SETTINGS)
        return result

    call.op = this  # type: ignore[attr-defined]
    return call


_PLAIN = {ndarray, float, int}
_NO_SETTINGS: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})


def _setting(x: Any) -> Any:
    """A setting; as in torch, a 0-d tensor counts as its number."""
    return x.array.item() if isinstance(x, TensorBase) and not x.array.ndim else x


def _unwrap(this: Op, operands: Sequence[Any], recording: bool) -> tuple[list[Any], Any, bool, bool]:
    """The operands as arrays and numbers; the dtype of the first tensor, None without one; whether all arrays have that dtype;
    whether one of the tensors requires a gradient.
    """
    arrays, dtype, alike, tracked = [], None, True, False
    for x in operands:
        if isinstance(x, TensorBase):
            if recording and x._view is not None:
                refresh(x)
            array = x.array
            tracked = tracked or x._requires_grad
            if dtype is None:
                dtype = array.dtype
            elif dtype is not array.dtype:
                alike = False
            arrays.append(array)
        else:
            arrays.append(x if type(x) in this.number_types else _constant(this, x))
            alike = alike and type(x) is not ndarray
    return arrays, dtype, alike, tracked


def _constant(this: Op, x: Any) -> Any:
    """An operand that is not a tensor, as an array or a Python number."""
    if isinstance(x, np.generic) and this.numbers:
        return x.item()
    if isinstance(x, bool) and not this.bools and this.tensor_count > 1:
        refuse_bools(this)
    if isinstance(x, (bool, float, int, ndarray) if this.numbers else ndarray):
        return x
    raise TypeError(f"{this.name}(): expected tensors, got {type(x).__name__}; make one with torch.tensor(...)")


def _on_arrays(this: Op, call: Any, operands: Sequence[Any], settings: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """The value alone, as an array: there is no tensor among the operands."""
    arrays = [np.asarray(x) if isinstance(x, np.generic) else x for x in operands]  # NumPy's scalars are not arrays
    if not any(isinstance(a, ndarray) for a in arrays):
        kinds = ", ".join(type(a).__name__ for a in arrays)
        raise TypeError(f"{this.name}(): at least one argument must be a tensor, got {kinds or 'none'}")
    if this.in_single and getattr(arrays[0], "dtype", None) == HALF:
        return in_single(this, call, arrays, settings, options)
    return this.body(*arrays, *settings, **options)[0]


def _explained(this: Op, arrays: list[Any], error: ValueError | MemoryError) -> Exception:
    """NumPy's complaint about shapes as torch's kind of error, with the shapes received; or about memory, with the bytes."""
    if isinstance(error, MemoryError):
        return out_of_memory(this.name, error)
    shapes = " and ".join(str(list(a.shape)) for a in arrays if isinstance(a, ndarray))
    if this.promote and "broadcast" in str(error):
        return RuntimeError(f"{this.name}(): the sizes of tensors of shapes {shapes} do not match: aligned from the right, "
                            "sizes must be equal or 1")
    return RuntimeError(f"{this.name}(): {error} (shapes received: {shapes})")
