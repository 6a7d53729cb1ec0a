"""What only old scripts use: `Tensor(2, 3)`, `FloatTensor`, `LongTensor` and the like, `Variable`, `x.new`, default tensor types.

New code writes ``torch.tensor(data)``, ``torch.empty(2, 3)`` and dtypes.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.arrays.dtypes import DTYPES, OLD_NAMES, Size, device, dtype, get_default_dtype, set_default_dtype
from minigrad.arrays.layout import memory_options
from minigrad.arrays.memory import allocating
from minigrad.autograd import TensorBase, wrap
from minigrad.autograd.views import as_it_lies, settle
from minigrad.ops.indexing import getitem
from minigrad.ops.linalg import outer
from minigrad.tensors.creation import _finished, array_of, empty, is_sequence, numpy_dtype
from minigrad.tensors.storage import TypedStorage

if TYPE_CHECKING:
    from minigrad.tensors.tensor import Tensor


def constructed(given: tuple[Any, ...], kind: dtype | None = None, where: Any = None, cls: Any = None) -> Tensor:
    """What the constructor ``Tensor(*given)`` gives, or with a `kind` that of its dtype, ``LongTensor(*given)``.

    Sizes give a tensor whose values are whatever the memory held, a sequence its values. A tensor gives another one that shares
    its memory and its history, an array shares its memory if it has the dtype.

    Raises
    ------
    TypeError
        If `given` is neither of these, or a tensor of another dtype than `kind`.
    RuntimeError
        If `where` is not the CPU, a size is negative, or `given` is a storage of another dtype.
    """
    if where is not None and device(where).type != "cpu":
        raise RuntimeError(f"legacy constructor expects device type: cpu but device type: {device(where).type} was passed")
    target = kind or get_default_dtype()
    data = given[0] if len(given) == 1 else None
    if isinstance(data, TensorBase):
        if kind not in (None, data.dtype):  # type: ignore[attr-defined]
            raise TypeError(f"{OLD_NAMES[target]}Tensor(): expected a tensor of {target}, got one of {data.dtype}; "  # type: ignore
                            f"convert it, as in x.to({target})")
        result = getitem(data, ())
    elif isinstance(data, Size):
        result = empty(data, dtype=target)
    elif isinstance(data, TypedStorage):
        if DTYPES[data._row.dtype] is not target:
            raise RuntimeError(f"{OLD_NAMES[target]}Tensor(): expected a storage of {target}, got one of {data.dtype}")
        result = wrap(data._row)
    elif _holds_values(data):
        result = as_it_lies(wrap(array_of(data, target)))
    elif all(hasattr(size, "__index__") for size in given) and not isinstance(data, bool):
        result = empty(given or (0,), dtype=target)
    else:
        raise TypeError("new(): data must be a sequence, or sizes must be integers, got "
                        f"({', '.join(type(each).__name__ for each in given)}); make a tensor of a number with torch.tensor(...)")
    return result if cls is None else adopted(result, cls)


def _holds_values(x: Any) -> bool:
    if isinstance(x, np.ndarray):
        return x.ndim > 0 or x.dtype.kind == "f"  # an integer without dimensions is a size
    return is_sequence(type(x)) or (isinstance(x, Sequence) and not isinstance(x, (str, bytes)))


def adopted(x: Any, cls: Any) -> Any:
    """`x` as a tensor of the class `cls`, in the same memory and with the same history."""
    if type(x) is cls:
        return x
    settle(x)
    result = as_it_lies(wrap(x.array, x._requires_grad, cls))
    result._node, result._version_cell, result._view = x._node, x._version_cell, x._view
    return result


class TensorType:
    """`FloatTensor` or another of the old types: makes tensors of its dtype, and stands for the dtype elsewhere.

    Examples
    --------
    >>> LongTensor([1, 2])
    tensor([1, 2])
    >>> isinstance(LongTensor([1, 2]), FloatTensor)
    False
    """

    def __init__(self, kind: dtype) -> None:
        self.dtype, self.__name__ = kind, f"{OLD_NAMES[kind]}Tensor"

    def __call__(self, *data: Any, device: Any = None) -> Tensor:
        """Make a tensor, as `constructed` says."""
        return constructed(data, self.dtype, device)

    def __instancecheck__(self, x: object) -> bool:
        return isinstance(x, TensorBase) and x.dtype is self.dtype  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return f"<class 'torch.{self.__name__}'>"


_TYPES = {kind: TensorType(kind) for kind in OLD_NAMES}
(HalfTensor, FloatTensor, DoubleTensor, ByteTensor, CharTensor, ShortTensor, IntTensor, LongTensor, BoolTensor) = _TYPES.values()


def dtype_of_type(t: Any) -> Any:
    """The dtype that `FloatTensor`, the name ``"torch.FloatTensor"`` or the class `Tensor` stands for; a dtype is one already.

    Raises
    ------
    ValueError
        If there is no such type.
    """
    if isinstance(t, (dtype, TensorType)):
        return t if isinstance(t, dtype) else t.dtype
    if isinstance(t, type) and issubclass(t, TensorBase):
        return get_default_dtype()
    names = {f"torch.{each.__name__}": kind for kind, each in _TYPES.items()}
    if t not in names:
        raise ValueError(f"invalid type: {t!r}; it must be a dtype or one of {', '.join(names)}")
    return names[t]


def set_default_tensor_type(t: Any, /) -> None:
    """`set_default_dtype` under its old name; takes ``torch.DoubleTensor`` or ``"torch.DoubleTensor"``."""
    warnings.warn("torch.set_default_tensor_type() is deprecated, use torch.set_default_dtype() instead", stacklevel=2)
    set_default_dtype(dtype_of_type(t))


class _AnyTensor(type):
    def __instancecheck__(cls, x: object) -> bool:
        return isinstance(x, TensorBase)


class Variable(metaclass=_AnyTensor):
    """Once a tensor that records; every tensor is one today. ``Variable(x)`` is a leaf that shares the memory of x.

    Examples
    --------
    >>> Variable(FloatTensor([1, 2]), requires_grad=True)
    tensor([1., 2.], requires_grad=True)
    """

    def __new__(cls, data: Any, requires_grad: bool = False, volatile: bool = False) -> Any:
        """Make the leaf."""
        if not isinstance(data, TensorBase):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        if volatile:
            warnings.warn("volatile was removed and now has no effect. Use `with torch.no_grad():` instead.", stacklevel=2)
        return data.detach().requires_grad_(requires_grad)  # type: ignore[attr-defined]


@memory_options
@allocating
def range(
    start: Any, end: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`arange` of old scripts: floating-point numbers, and `end` belongs to them."""
    warnings.warn("torch.range is deprecated and will be removed in a future release because its behavior is inconsistent with "
                  "Python's range builtin. Instead, use torch.arange, which produces values in [start, end).", stacklevel=4)
    start, end = (0, start) if end is None else (start, end)
    if step == 0 or (end - start) * step < 0:
        raise RuntimeError(f"range(): step must be nonzero and lead from start to end, got {start}, {end}, {step}")
    numbers = start + step * np.arange(int((end - start) / step + 1))
    return _finished(numbers.astype(numpy_dtype(dtype)), requires_grad, device)


def ger(input: Tensor, vec2: Tensor) -> Any:
    """`outer` of old scripts."""
    warnings.warn("torch.ger is deprecated and will be removed in a future PyTorch release. Use torch.outer instead.", stacklevel=2)
    return outer(input, vec2)
