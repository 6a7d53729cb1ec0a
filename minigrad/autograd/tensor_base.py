"""The part of a tensor that autograd needs: an array, and its place in the graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.arrays.arguments import called_function
from minigrad.arrays.dtypes import Array
from minigrad.autograd.grad_mode import current, inferring

if TYPE_CHECKING:
    from minigrad.autograd.node import Node


class TensorBase:
    """A NumPy array that knows how it was computed. `Tensor` adds the operators and methods.

    A tensor is either a *leaf*, which the user made, or the result of an operation. Leaves that require a gradient get it in
    `.grad`; results hold the node through which gradients flow on to them.

    Attributes
    ----------
    array : numpy.ndarray
        The values.
    """

    __slots__ = (
        "__weakref__", "_as_it_lies", "_complete_hooks", "_grad", "_hooks", "_node", "_requires_grad", "_version_cell", "_view",
        "array",
    )  # fmt: skip

    array: Array
    _requires_grad: bool  # whether operations on this tensor are recorded
    _node: Node | None  # the operation that made it; None for a leaf
    _grad: Any  # what `backward` has added up so far; on leaves, and where `retain_grad()` asked for it
    _hooks: dict[int, Callable[[Any], Any]] | None  # of a leaf; a result's hooks are with its node
    _complete_hooks: dict[int, Callable[[Any], None]]  # set only on leaves that have some; see hooks.py

    _as_it_lies: bool  # set only on some tensors with four dimensions; see views.py
    _version_cell: list[Any]  # counts the changes of the memory, for all tensors that share it; see versions.py
    _view: tuple[TensorBase, int] | None  # (the tensor whose memory it shows, when it was made); see views.py

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        TENSOR_CLASSES.add(cls)


TENSOR_CLASSES: set[type] = set()
_result_class: Any = TensorBase


def result_class(cls: type) -> type:
    """Class decorator: from now on the results of operations are instances of this class."""
    global _result_class
    _result_class = cls
    return cls


def wrap(array: Array, requires_grad: bool = False, cls: Any = None) -> Any:
    """A leaf tensor around `array`, whose memory it shares: of class `cls`, or else of the class that `result_class` has named."""
    tensor = object.__new__(cls or _result_class)
    tensor.array = array if type(array) is np.ndarray else np.asarray(array)
    tensor._grad = tensor._node = tensor._view = tensor._hooks = None
    tensor._requires_grad = requires_grad
    tensor._version_cell = Untracked() if inferring and current.inference else [0]
    return tensor


class Untracked(list[Any]):
    """The version cell of tensors made in inference mode: their changes are not counted, so no node may rely on them."""

    def __getitem__(self, index: Any) -> Any:
        raise RuntimeError("Inference tensors cannot be saved for backward, and do not track a version counter; use a clone() in "
                           "autograd, or no_grad() instead of inference_mode()")


def raw(x: Array) -> np.ndarray[Any, Any]:
    """The plain NumPy values of a tensor or an array.

    A body that runs on tensors, for derivatives of derivatives, needs them for what is not differentiated: dtypes, and
    decisions that depend on values.

    Raises
    ------
    TypeError
        If `x` is neither a tensor nor an array.
    """
    if isinstance(x, TensorBase):
        return x.array
    if isinstance(x, (np.ndarray, np.generic)):
        return x  # type: ignore[return-value]
    raise TypeError(f"{called_function()}(): expected a tensor, got {type(x).__name__}; make one with torch.tensor(...)")


def tensors_in(x: Any) -> Iterator[Any]:
    """The tensors in nested lists, tuples and dictionaries."""
    if isinstance(x, TensorBase):
        yield x
    elif isinstance(x, (list, tuple, dict)):
        for part in x.values() if isinstance(x, dict) else x:
            yield from tensors_in(part)


def unwrapped(x: Any) -> Any:
    """The plain NumPy values of `x` if it is a tensor, else `x`: where it may be a number, or None."""
    return x.array if isinstance(x, TensorBase) else x
