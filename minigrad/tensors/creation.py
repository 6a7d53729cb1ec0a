"""Tensors out of nothing or out of data: `tensor`, `zeros`, `arange` … (random ones are in `sampling.py`)."""

from __future__ import annotations

import functools
import math
import operator
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.arrays.dtypes import (
    DTYPES,
    KIND,
    Array,
    Size,
    as_dtype,
    as_element,
    check_device,
    check_range,
    dtype_of_number,
    get_default_dtype,
    int64,
    promoted,
    result_type_of,
)
from minigrad.arrays.layout import memory_options
from minigrad.arrays.memory import OutOfMemoryError, allocating
from minigrad.arrays.storage import shown
from minigrad.autograd import TensorBase, unwrapped, wrap
from minigrad.autograd.views import as_it_lies, empty_in_order_of
from minigrad.ops.comparison import isclose
from minigrad.ops.shape import sizes_of

if TYPE_CHECKING:
    from minigrad.tensors.tensor import Tensor


def _finished(array: Any, requires_grad: bool, device: Any) -> Tensor:
    """A new tensor around `array`, as the options of all the functions here want it."""
    check_device(device)
    result = as_it_lies(wrap(array))
    if requires_grad:
        result.requires_grad_(requires_grad)
    return result


def numpy_dtype(dtype: Any, default: np.dtype[Any] | None = None) -> np.dtype[Any]:
    """NumPy's name for `dtype`; for None the default, which is float32 unless told otherwise."""
    return as_dtype(dtype).numpy if dtype is not None else default or get_default_dtype().numpy


@np.errstate(all="ignore")  # too large for float16 is inf, without a warning
def array_of(data: Any, dtype: Any) -> np.ndarray[Any, Any]:
    """An array of `data`, in torch's dtype for it: float32 for Python floats, int64 for ints, a NumPy array's own."""
    target = None if dtype is None else as_dtype(dtype).numpy
    if isinstance(data, TensorBase):
        array = data.array
    elif hasattr(data, "__array__"):
        array = np.asarray(data)
    else:
        if isinstance(data, (list, tuple)) or is_sequence(type(data)):
            if len(data) > 1 and isinstance(data[0], np.ndarray) and data[0].ndim:
                warnings.warn("Creating a tensor from a list of numpy.ndarrays is extremely slow. Please consider converting the "
                              "list to a single numpy.ndarray with numpy.array() before converting to a tensor.", stacklevel=5)
            data = _without_tensors(data)
        kind = _dtype_within(data) or get_default_dtype().numpy
        try:
            array = np.array(data, kind if target is None else None if target.kind in "iu" else target)
        except OverflowError:
            raise ValueError(f"tensor(): Overflow: an integer that {kind} cannot hold") from None
        except ValueError:
            raise ValueError("tensor(): nested lists of different lengths; every list of a level must be equally long") from None
        if target is not None and target.kind in "iu":
            check_range(array, target)
    if target is None:
        native = array.dtype.newbyteorder("=")
        if native not in DTYPES:
            raise TypeError(f"can't convert an array of {array.dtype} to a tensor; supported are "
                            f"{', '.join(d.name for d in DTYPES.values())}")
        target = DTYPES[native].numpy  # NumPy makes equal dtypes that are not the same object
    return array.astype(target, copy=False)


def is_sequence(kind: type) -> bool:
    """Whether a class is not known as a sequence, but has what torch asks of one: a length, and elements by number."""
    return hasattr(kind, "__getitem__") and hasattr(kind, "__len__") and not (
        hasattr(kind, "__array__") or issubclass(kind, (Sequence, Mapping)))


def _without_tensors(data: Any) -> Any:
    if is_sequence(type(data)):
        data = [data[i] for i in range(len(data))]
    kinds = set(map(type, data))
    if not any(issubclass(kind, (list, tuple, TensorBase)) or is_sequence(kind) for kind in kinds):
        return data
    for x in data:
        if isinstance(x, TensorBase) and x.array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars, and this list holds one of shape "
                             f"{list(x.array.shape)}: use stack")
    return [
        x.array.reshape(-1)[0] if isinstance(x, TensorBase)
        else _without_tensors(x) if isinstance(x, (list, tuple)) or is_sequence(type(x)) else x
        for x in data
    ]


def _dtype_within(data: Any) -> np.dtype[Any] | None:
    """The dtype that torch finds for (nested) lists: the one in which all they hold combine, Python's numbers and NumPy's."""
    if isinstance(data, (int, float)) and not isinstance(data, np.generic):
        return dtype_of_number(data).numpy
    if hasattr(data, "__array__"):
        return np.asarray(data).dtype
    if isinstance(data, (str, bytes)) or not isinstance(data, Sequence):
        kind = TypeError if isinstance(data, (str, bytes)) else RuntimeError  # as in torch
        raise kind(f"tensor(): expected numbers, lists of numbers or an array, got {type(data).__name__}")
    kinds = dict(zip(map(type, data), data, strict=True))
    lists = [kind for kind in kinds if issubclass(kind, (list, tuple, range, np.ndarray))]
    if 0 < len(lists) < len(kinds):
        raise TypeError(f"tensor(): expected numbers or lists of numbers, got {', '.join(k.__name__ for k in kinds)} side by side")
    if str in kinds and type(data[0]) is str:
        raise ValueError("tensor(): too many dimensions: expected numbers, got 'str'")
    return functools.reduce(promoted, map(_dtype_within, data if lists else kinds.values()), None)  # of numbers, one per type


@memory_options
def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A new tensor that holds a copy of `data`.

    Parameters
    ----------
    data : number, (nested) list or tuple of numbers, NumPy array or Tensor
        The values. Python floats become float32, ints int64, bools bool; arrays and tensors keep their dtype.
    dtype : dtype, optional
        Another dtype.
    device : device, optional
        The CPU.
    requires_grad : bool
        Record operations on it.

    Raises
    ------
    TypeError, ValueError
        If `data` holds no numbers, or lists of different lengths.

    Examples
    --------
    >>> tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    if isinstance(data, TensorBase):
        warnings.warn("To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
                      "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).", stacklevel=3)
    return _finished(np.array(array_of(data, dtype)), requires_grad, device)


def as_tensor(data: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor of `data` that shares its memory where it can; a tensor of the right dtype is returned as it is."""
    check_device(device)
    if isinstance(data, TensorBase):
        return data.to(dtype=dtype)  # type: ignore[attr-defined]
    return as_it_lies(wrap(array_of(data, dtype)))


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool | None = None
) -> Tensor:
    """A tensor of `obj` that shares its memory where it can; with `copy` never, and without it always, or there is an error.

    A tensor of the right dtype is returned as it is, with its history. A buffer, such as a bytearray, is read as memory of the
    dtype (see `frombuffer`).

    Raises
    ------
    ValueError
        If `copy` is False and the memory cannot be shared.
    """
    check_device(device)
    if isinstance(obj, TensorBase):
        result: Any = obj.to(dtype=dtype, copy=bool(copy))  # type: ignore[attr-defined]
        if copy is False and result is not obj:
            raise ValueError(f"asarray(): can't alias tensor with dtype {obj.dtype} into dtype {dtype}; "  # type: ignore[attr-defined]
                             "leave copy out")
        if requires_grad is None:
            if obj._requires_grad:
                warnings.warn("torch.asarray: unspecified requires_grad now defaults to obj.requires_grad instead of False. Pass "
                              "requires_grad explicitly to silence this", stacklevel=2)
            return result
        return result.requires_grad_() if requires_grad else result.detach()
    if not isinstance(obj, (np.ndarray, np.generic)) and _is_buffer(obj):
        result = frombuffer(obj, dtype=get_default_dtype() if dtype is None else dtype)
        return _finished(result.array.copy() if copy else result.array, bool(requires_grad), device)
    array = array_of(obj, dtype)
    if copy is False and not (isinstance(obj, np.ndarray) and np.may_share_memory(array, obj)):
        raise ValueError(f"asarray(): can't alias {type(obj).__name__} into a tensor; leave copy out")
    return _finished(array.copy() if copy else array, bool(requires_grad), device)


def _is_buffer(obj: Any) -> bool:
    try:
        return bool(memoryview(obj).nbytes + 1)
    except TypeError:
        return False


def frombuffer(buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """The memory of a buffer (bytes, bytearray, `array.array`, mmap …) as a vector; only read-only memory is copied.

    Parameters
    ----------
    count : int
        How many elements; all if negative.
    offset : int
        How many bytes to leave out at the beginning.

    Raises
    ------
    ValueError
        If the buffer has no such elements.

    Examples
    --------
    >>> import minigrad as torch
    >>> frombuffer(bytearray([1, 0, 2, 0]), dtype=torch.int16)
    tensor([1, 2], dtype=torch.int16)
    """
    size, kind = memoryview(buffer).nbytes, as_dtype(dtype).numpy
    if size == 0 or count == 0:
        raise ValueError(f"both buffer length ({size}) and count ({count}) must not be 0")
    if not 0 <= offset < size:
        raise ValueError(f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({size} bytes) - 1")
    if count < 0 and (size - offset) % kind.itemsize:
        raise ValueError(f"buffer length ({size} bytes) after offset ({offset} bytes) must be a multiple of element size "
                         f"({kind.itemsize})")
    if count * kind.itemsize > size - offset:
        raise ValueError(f"requested buffer length ({count} * {kind.itemsize} bytes) after offset ({offset} bytes) must not be "
                         f"greater than actual buffer length ({size} bytes)")
    array = np.frombuffer(buffer, kind, count, offset)
    if not array.flags.writeable:
        warnings.warn("The given buffer is not writable, and a tensor must be: its memory was copied", stacklevel=2)
        array = array.copy()
    return _finished(array, requires_grad, None)


def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    """A tensor that shares the memory of a NumPy array.

    Raises
    ------
    TypeError
        If it is no array, or of a dtype torch does not have.
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    if array.dtype not in DTYPES:
        raise TypeError(f"can't convert np.ndarray of type {array.dtype}. The only supported types are: "
                        f"{', '.join(d.name for d in DTYPES.values())}.")
    return as_it_lies(wrap(array))


def _number(name: str, x: Any) -> Any:
    """`x`, a number or a tensor without dimensions, as a number."""
    if isinstance(x, TensorBase) and not x.array.ndim:
        return x.array.item()
    if not isinstance(x, (int, float, np.number, np.bool_)):
        raise TypeError(f"{name}(): expected a number, got {type(x).__name__}")
    return x


def sized(name: str, given: tuple[Any, ...], keyword: Any = None) -> tuple[int, ...]:
    """Sizes given one by one, or as one sequence, or as the keyword `size`."""
    try:
        sizes = sizes_of(given, keyword)
    except (TypeError, ValueError):
        raise TypeError(f"{name}(): sizes must be integers, got {given!r}") from None
    if any(n < 0 for n in sizes):
        raise RuntimeError(f"{name}(): trying to create tensor with negative dimension: {list(sizes)}")
    if math.prod(filter(None, sizes)) >= 2**60:  # NumPy counts the bytes in 63 bits, and leaves sizes of 0 out of it
        raise OutOfMemoryError(f"{name}(): not enough memory: Storage size calculation overflowed with sizes={list(sizes)}, "
                               f"{math.prod(filter(None, sizes))} elements of one byte or more")
    return sizes


@memory_options
@allocating
def zeros(*sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of zeros, float32 unless told otherwise."""
    return _finished(np.zeros(sized("zeros", sizes, size), numpy_dtype(dtype)), requires_grad, device)


@memory_options
@allocating
def ones(*sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of ones, float32 unless told otherwise."""
    return _finished(np.ones(sized("ones", sizes, size), numpy_dtype(dtype)), requires_grad, device)


@memory_options
@allocating
def empty(*sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor whose values are whatever the memory held."""
    return _finished(np.empty(sized("empty", sizes, size), numpy_dtype(dtype)), requires_grad, device)


@memory_options
@allocating
def empty_strided(size: Any, stride: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """`empty`, with elements that lie `stride` of them apart in memory, along each dimension.

    Raises
    ------
    RuntimeError
        If there are not as many strides as sizes, or one is negative.
    """
    shape, steps = sized("empty_strided", (size,)), tuple(stride)
    if len(shape) != len(steps):
        raise RuntimeError(f"empty_strided(): dimensionality of sizes ({len(shape)}) must match dimensionality of strides "
                           f"({len(steps)})")
    if min(steps, default=0) < 0:
        raise RuntimeError(f"empty_strided(): strides must not be negative, got {list(steps)}")
    count = 1 + sum((n - 1) * step for n, step in zip(shape, steps, strict=True)) if math.prod(shape) else 0
    memory = np.empty(count, numpy_dtype(dtype))
    return _finished(shown(memory, shape, [step * memory.itemsize for step in steps], 0), requires_grad, device)


@memory_options
@allocating
def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of one value; its dtype is that of the value, float32 for a Python float."""
    value = _number("full", fill_value)
    if dtype is None:
        dtype = fill_value.dtype if isinstance(fill_value, (TensorBase, np.generic)) else dtype_of_number(value)  # type: ignore
    kind = as_dtype(dtype).numpy
    return _finished(np.full(sized("full", (size,)), as_element("full()", value, kind), kind), requires_grad, device)


def _like(name: str, input: Any, dtype: Any, value: Any = None) -> Array:
    """An array in the shape, dtype and order in memory of `input`, all `value`."""
    if not isinstance(input, TensorBase):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    array = empty_in_order_of(input, numpy_dtype(dtype, input.array.dtype))
    if value is not None:
        array.fill(as_element(f"{name}()", value, array.dtype))
    return array


@memory_options
@allocating
def zeros_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros in the shape and dtype of `input`."""
    return _finished(_like("zeros_like", input, dtype, 0), requires_grad, device)


@memory_options
@allocating
def ones_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones in the shape and dtype of `input`."""
    return _finished(_like("ones_like", input, dtype, 1), requires_grad, device)


@memory_options
@allocating
def empty_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor in the shape and dtype of `input` whose values are whatever the memory held."""
    return _finished(_like("empty_like", input, dtype), requires_grad, device)


@memory_options
@allocating
def full_like(input: Tensor, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """One value in the shape and dtype of `input`."""
    return _finished(_like("full_like", input, dtype, _number("full_like", fill_value)), requires_grad, device)


_MISSING: Any = object()


@memory_options
@allocating
def arange(
    start: Any = _MISSING, end: Any = _MISSING, step: Any = 1, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from `start` (0 if only one is given) up to, not with, `end`, `step` apart; int64 if all three are integers.

    Raises
    ------
    RuntimeError
        If `step` is zero or leads away from `end`.
    ValueError
        If the integer part of `step` is zero, for the dtype int64.
    """
    if end is _MISSING:
        start, end = 0, start
    elif start is _MISSING:
        start = 0
    start, end, step = (_number("arange", v) for v in (start, end, step))
    if not math.isfinite(end - start):
        raise RuntimeError(f"arange(): unsupported range: {start} -> {end}")
    if step == 0:
        raise RuntimeError("arange(): step must be nonzero")
    whole = all(isinstance(v, (int, np.integer)) for v in (start, end, step))
    kind = numpy_dtype(dtype, np.dtype(np.int64) if whole else None)
    if kind == np.int64:
        if not int(step):
            raise ValueError(f"arange(): step must be nonzero, got {step}, which is 0 in int64")
        start, end, step = int(start), int(end), int(step)
    if (end - start) * step < 0:
        raise RuntimeError("arange(): upper bound and lower bound inconsistent with step sign: "
                           f"start {start}, end {end}, step {step}")
    (count,) = sized("arange", (max(math.ceil((end - start) / step), 0),))
    if kind.kind in "iu":  # for those shorter than int64, torch counts in floating point, but goes in whole steps
        start, step = int(start), int(step)
    return _finished((start + step * np.arange(count)).astype(kind), requires_grad, device)


@memory_options
@allocating
def linspace(start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """`steps` numbers, evenly spaced, from `start` to `end`, both included.

    Raises
    ------
    RuntimeError
        If `steps` is negative, or the dtype cannot hold `start` or `end`.
    NotImplementedError
        For bool.
    """
    count, kind = operator.index(steps), numpy_dtype(dtype)
    if count < 0:
        raise RuntimeError(f"linspace(): number of steps must be non-negative, got {steps}")
    sized("linspace", (count,))
    if kind == np.bool_:
        raise NotImplementedError("linspace(): not implemented for torch.bool; compare the numbers, as in linspace(...) > 0.5")
    for limit in (start, end):
        if isinstance(limit, TensorBase) and limit.array.ndim:
            raise RuntimeError("linspace only supports 0-dimensional start and end tensors, but got one with "
                               f"{limit.array.ndim} dimension(s).")
    first, last = (as_element("linspace()", _number("linspace", limit), kind) for limit in (start, end))
    with np.errstate(all="ignore"):
        return _finished(_evenly_spaced(first, last, count), requires_grad, device)


def _evenly_spaced(first: Any, last: Any, count: int) -> np.ndarray[Any, Any]:
    """`count` numbers from `first` to `last`; as in torch, each half is counted from its own end, and integers lose fractions."""
    if count < 2:
        return np.full(count, first)
    kind = first.dtype
    wide = np.dtype(np.float64) if kind.kind in "iu" else kind
    step = (last.astype(wide) - first.astype(wide)) / wide.type(count - 1)
    half = count // 2
    exact = np.longdouble if wide == np.float64 else np.float64 if wide == np.float32 else wide  # torch rounds once, not twice
    numbers = np.arange(count).astype(exact)
    rising, falling = first + numbers[:half] * step, last - numbers[: count - half][::-1] * step
    return np.concatenate([rising, falling]).astype(wide).astype(kind)


@memory_options
@allocating
def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`base` to the powers of `linspace(start, end, steps)`."""
    powers = linspace(start, end, steps, dtype=dtype).array
    return _finished(np.power(float(base), powers.astype(np.float64)).astype(powers.dtype), requires_grad, device)


@memory_options
def scalar_tensor(s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor without dimensions of one number, float32 unless told otherwise."""
    return full((), s, dtype=dtype or get_default_dtype(), device=device, requires_grad=requires_grad)


def result_type(tensor1: Any, tensor2: Any) -> Any:
    """The dtype in which two tensors, or a tensor and a number, are combined.

    Examples
    --------
    >>> result_type(tensor([1, 2]), 1.0)
    torch.float32
    """
    return DTYPES[result_type_of([unwrapped(tensor1), unwrapped(tensor2)])]


def can_cast(from_: Any, to: Any) -> bool:
    """Whether a result of one dtype may be written into a tensor of another one: floating-point numbers not into integers."""
    return KIND[as_dtype(from_).numpy.kind] <= KIND[as_dtype(to).numpy.kind]


@memory_options
@allocating
def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """The matrix of `n` rows (and `m` columns) with ones on the diagonal."""
    return _finished(np.eye(*sized("eye", (n, n if m is None else m)), dtype=numpy_dtype(dtype)), requires_grad, device)


@allocating
def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = int64, device: Any = None) -> Tensor:
    """The indices, in two rows, of the lower triangle of a matrix of `row` rows and `col` columns (see `tril`)."""
    return _finished(np.asarray(np.tril_indices(*_rectangle(row, col, offset)), as_dtype(dtype).numpy), False, device)


@allocating
def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = int64, device: Any = None) -> Tensor:
    """The indices, in two rows, of the upper triangle of a matrix of `row` rows and `col` columns (see `triu`)."""
    return _finished(np.asarray(np.triu_indices(*_rectangle(row, col, offset)), as_dtype(dtype).numpy), False, device)


def _rectangle(row: int, col: int, offset: int) -> tuple[int, int, int]:
    if row < 0 or col < 0:
        raise RuntimeError(f"row and col must be non-negative, got {row} and {col}")
    return row, offset, col


def typename(obj: Any) -> str:
    """The name of the type of `obj`, with its module; of a tensor, the old name of its dtype: ``torch.FloatTensor``."""
    if isinstance(obj, TensorBase):
        return obj.type()  # type: ignore[attr-defined]
    kind = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(kind, "__module__", "builtins") or "builtins"
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that tensors of these shapes have together; an integer is the shape of a vector.

    Examples
    --------
    >>> broadcast_shapes((2, 1), 3)
    torch.Size([2, 3])
    """
    try:
        return Size(np.broadcast_shapes(*shapes))
    except ValueError:
        raise RuntimeError("Shape mismatch: objects cannot be broadcast to a single shape: sizes must be equal or 1, got "
                           f"{' and '.join(map(str, shapes))}") from None


def is_tensor(x: Any) -> bool:
    """True for tensors."""
    return isinstance(x, TensorBase)


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements agree: ``|input - other| <= atol + rtol * |other|``."""
    return bool(isclose(input, other, rtol, atol, equal_nan).array.all())


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and elements."""
    return np.array_equal(input.array, other.array)
