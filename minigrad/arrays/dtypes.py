"""What a tensor is made of besides its numbers: dtypes, `Size`, `device`, and the rules by which dtypes combine.

torch's rules, not NumPy's: a float wins over any integer without growing (int64 with float32 gives float32), a tensor with
dimensions wins over a 0-d tensor of the same kind, and that one over a Python number.
"""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, SupportsIndex, TypeAlias

import numpy as np

Array: TypeAlias = Any  # what the body of an operation gets: a NumPy array, or a Tensor while derivatives are recorded
Number: TypeAlias = builtins.bool | builtins.int | builtins.float

HALF, SINGLE, DOUBLE = np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)


class dtype:
    """The type of a tensor's elements, `float32` for example; prints as torch's does.

    Attributes
    ----------
    name : str
        Name without the module, ``"float32"``.
    numpy : numpy.dtype
        The NumPy dtype that holds such elements.
    is_floating_point : bool
        True for `float16`, `float32` and `float64`.
    itemsize : int
        Bytes per element.
    """

    __slots__ = ("is_floating_point", "itemsize", "name", "numpy")

    def __init__(self, name: str) -> None:
        self.name = name
        self.numpy = np.dtype(name)
        self.is_floating_point = self.numpy.kind == "f"
        self.itemsize = self.numpy.itemsize

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name  # pickled by reference: the names below are the only instances


float16 = half = dtype("float16")
float32 = float = dtype("float32")
float64 = double = dtype("float64")
uint8 = dtype("uint8")
int8 = dtype("int8")
int16 = short = dtype("int16")
int32 = int = dtype("int32")
int64 = long = dtype("int64")
bool = dtype("bool")


class _Named(dtype):
    """A dtype of torch's that minigrad lacks: libraries ask for its name, to compare others with it; nothing can be of it."""

    __slots__ = ()

    def __init__(self, name: str, itemsize: builtins.int) -> None:
        self.name, self.itemsize, self.is_floating_point = name, itemsize, "float" in name

    @property
    def numpy(self) -> Any:  # type: ignore[override]
        """Refuse."""
        raise NotImplementedError(f"{self!r} is not supported; use one of {', '.join(map(repr, OLD_NAMES))}")


bfloat16 = _Named("bfloat16", 2)
complex32, complex64, complex128 = _Named("complex32", 4), _Named("complex64", 8), _Named("complex128", 16)
uint16, uint32, uint64 = _Named("uint16", 2), _Named("uint32", 4), _Named("uint64", 8)
float8_e4m3fn, float8_e4m3fnuz = _Named("float8_e4m3fn", 1), _Named("float8_e4m3fnuz", 1)
float8_e5m2, float8_e5m2fnuz, float8_e8m0fnu = _Named("float8_e5m2", 1), _Named("float8_e5m2fnuz", 1), _Named("float8_e8m0fnu", 1)

OLD_NAMES = {  # what torch calls them in the names of types: "torch.FloatTensor", "torch.FloatStorage"
    float16: "Half", float32: "Float", float64: "Double", uint8: "Byte", int8: "Char", int16: "Short", int32: "Int",
    int64: "Long", bool: "Bool",
}  # fmt: skip
DTYPES: dict[np.dtype[Any], dtype] = {d.numpy: d for d in OLD_NAMES}
KIND = {"b": 0, "i": 1, "u": 1, "f": 2}  # bool < integer < floating point

_default_dtype = float32


def get_default_dtype() -> dtype:
    """The floating-point dtype of new tensors made from Python floats; `float32` unless changed."""
    return _default_dtype


def set_default_dtype(d: dtype, /) -> None:
    """Set the floating-point dtype of new tensors made from Python floats.

    Raises
    ------
    TypeError
        If `d` is not a floating-point dtype.
    """
    global _default_dtype
    if not (isinstance(d, dtype) and d.is_floating_point):
        raise TypeError(f"set_default_dtype(): only floating-point dtypes are supported as the default, got {d!r}")
    _default_dtype = d


def as_dtype(d: Any) -> dtype:
    """`d` as a minigrad dtype; accepts minigrad dtypes, NumPy's, and Python's float (float64), int (int64) and bool.

    Raises
    ------
    TypeError
        If there is no such dtype here.
    """
    if isinstance(d, dtype):
        return d
    if not isinstance(d, str):  # as in torch, names are none
        with suppress(TypeError, KeyError):
            return DTYPES[np.dtype(d)]
    raise TypeError(f"{d!r} is not a dtype minigrad has; use one of {', '.join(map(repr, DTYPES.values()))}")


def dtype_of_number(x: Any) -> dtype:
    """The dtype of a tensor made from one Python number: the default dtype for a float."""
    return bool if isinstance(x, builtins.bool) else int64 if isinstance(x, builtins.int) else get_default_dtype()


def check_range(values: Any, kind: np.dtype[Any]) -> None:
    """Refuse numbers that an integer dtype cannot hold; as in torch, negative integers as unsigned ones wrap around."""
    most = np.iinfo(kind).max
    least = -most if kind.kind == "u" and np.asarray(values).dtype.kind != "f" else np.iinfo(kind).min
    if not ((values >= least) & (values <= most)).all():
        raise RuntimeError(f"value cannot be converted to type {kind} without overflow")


def as_element(name: str, value: Any, kind: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """A Python number that is to be written into a tensor, as an array without dimensions.

    Raises
    ------
    TypeError
        If it is no number.
    RuntimeError
        If the dtype cannot hold it.
    """
    if not isinstance(value, (builtins.int, builtins.float, np.number, np.bool_)):  # bools are ints, too
        raise TypeError(f"{name}: expected a number or a tensor, got {type(value).__name__}; make it one with torch.tensor(...)")
    number: Any = np.asarray(value)
    if kind.kind in "iu":
        check_range(number, kind)
    elif kind.kind == "f" and math.isfinite(number) and abs(number.item()) > builtins.float(np.finfo(kind).max):
        raise RuntimeError(f"value cannot be converted to type {kind} without overflow")
    return number.astype(kind)


def last_bits(number: builtins.int, kind: np.dtype[Any]) -> builtins.int:
    """An integer as a dtype too small for it holds it: as in torch, its last bits."""
    size = 8 * kind.itemsize
    if number.bit_length() > 64:
        raise OverflowError("int too big to convert")
    number &= (1 << size) - 1
    return number - (1 << size) if kind.kind == "i" and number >> (size - 1) else number


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The smallest dtype that both fit in, by torch's rules.

    Examples
    --------
    >>> promote_types(int64, float32)
    torch.float32
    >>> promote_types(uint8, int8)
    torch.int16
    """
    return DTYPES[promoted(type1.numpy, type2.numpy)]  # type: ignore[index]


def promoted(a: np.dtype[Any] | None, b: np.dtype[Any] | None) -> np.dtype[Any] | None:
    """The smallest NumPy dtype that both fit in, by torch's rules; None does not count."""
    if a is None or b is None or a == b:
        return b if a is None else a
    if (a.kind == "f") != (b.kind == "f"):  # NumPy would widen: int64 with float32 to float64
        return a if a.kind == "f" else b
    return np.promote_types(a, b)


def result_type_of(operands: Sequence[Any]) -> np.dtype[Any]:
    """The NumPy dtype in which arrays and Python numbers combine.

    Arrays with dimensions come first. 0-d arrays count only where they are of a higher kind (bool < integer < floating
    point), and so do, after them, numbers.
    """
    groups: list[np.dtype[Any] | None] = [None, None, None]
    for x in operands:
        if isinstance(x, np.ndarray):
            rank, kind = (0 if x.ndim else 1), x.dtype
        else:
            rank, kind = 2, dtype_of_number(x).numpy
        groups[rank] = promoted(groups[rank], kind)
    result, *others = [kind for kind in groups if kind is not None]
    for kind in others:
        if KIND[kind.kind] > KIND[result.kind]:
            result = promoted(result, kind)  # type: ignore[assignment]
    return result


def common_dtype(arrays: Sequence[Any], floating: builtins.bool = False) -> Any:
    """The dtype that the operands must be brought to, or None if they can stay as they are."""
    common = None
    for a in arrays:
        if isinstance(a, np.ndarray):
            if common is None:
                common = a.dtype
            elif a.dtype != common:
                common = result_type_of(arrays)
                break
    kind = common.kind  # type: ignore[union-attr]
    if kind != "f" and any(isinstance(a, builtins.float) or (kind == "b" and type(a) is builtins.int) for a in arrays):
        common = result_type_of(arrays)
    if floating and common.kind != "f":  # type: ignore[union-attr]
        common = _default_dtype.numpy
    return common if any(isinstance(a, np.ndarray) and a.dtype != common for a in arrays) else None


class _Limits(SimpleNamespace):
    """The limits of a dtype, which print as torch's."""

    def __repr__(self) -> str:
        shown = [f"{name}={value:g}" for name, value in vars(self).items() if name not in ("bits", "dtype")]
        return f"{type(self).__name__}({', '.join(shown)}, dtype={self.dtype})"

    def __eq__(self, other: object) -> builtins.bool:
        return type(self) is type(other) and vars(self) == vars(other)


class finfo(_Limits):
    """The limits of a floating-point dtype, by default of the default one: `eps`, `max`, `tiny` … as Python numbers.

    Examples
    --------
    >>> finfo(float16)
    finfo(resolution=0.001, min=-65504, max=65504, eps=0.000976562, smallest_normal=6.10352e-05, tiny=6.10352e-05, dtype=float16)
    """

    def __init__(self, type: dtype | None = None) -> None:
        kind = get_default_dtype() if type is None else type
        if not kind.is_floating_point:
            raise TypeError(f"torch.finfo() requires a floating point input type, got {kind}; use torch.iinfo")
        info = np.finfo(kind.numpy)
        limits = {name: builtins.float(getattr(info, name)) for name in ("min", "max", "eps", "smallest_normal", "tiny")}
        super().__init__(resolution=10.0**-info.precision, **limits, bits=info.bits, dtype=kind.name)


class iinfo(_Limits):
    """The limits of an integer dtype: `min`, `max`, `bits`.

    Examples
    --------
    >>> iinfo(uint8)
    iinfo(min=0, max=255, dtype=uint8)
    """

    def __init__(self, type: dtype) -> None:
        if type.numpy.kind not in "iu":
            raise TypeError(f"torch.iinfo() requires an integer input type, got {type}; use torch.finfo")
        limits = np.iinfo(type.numpy)
        super().__init__(
            min=builtins.int(limits.min), max=builtins.int(limits.max), bits=limits.bits, dtype=type.name)


class Size(tuple[builtins.int, ...]):
    """The shape of a tensor: a tuple that prints as ``torch.Size([2, 3])`` and can count elements.

    Examples
    --------
    >>> Size((2, 3)).numel()
    6
    >>> Size((2, 3))[:1] + (5,)
    torch.Size([2, 5])
    """

    __slots__ = ()

    def __new__(cls, sizes: Any = ()) -> Size:
        """Make one of integers, or of what stands for them."""
        sizes = tuple(sizes)
        try:
            return tuple.__new__(cls, map(operator.index, sizes))
        except TypeError:
            wrong = next(i for i, n in enumerate(sizes) if not isinstance(n, builtins.int))
            raise TypeError(f"torch.Size() takes an iterable of 'int' (item {wrong} is '{type(sizes[wrong]).__name__}')") from None

    def numel(self) -> builtins.int:
        """Number of elements of a tensor of this shape."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    def __getitem__(self, index: Any) -> Any:
        item = tuple.__getitem__(self, index)
        return Size(item) if isinstance(index, slice) else item

    def __add__(self, other: Any) -> Any:
        return Size(tuple.__add__(self, other)) if isinstance(other, tuple) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        return Size(other + tuple(self)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, count: SupportsIndex) -> Size:
        return Size(tuple.__mul__(self, count))

    __rmul__ = __mul__


class device:
    """Where a tensor lives; minigrad computes on the CPU only, other devices can be named but not used.

    Parameters
    ----------
    type : str or device
        ``"cpu"``, ``"cuda"``, ``"cuda:0"`` …
    index : int, optional
        Number of the device among those of its type.
    """

    __slots__ = ("index", "type")

    _TYPES = ("cpu", "cuda", "mps", "xpu", "meta")

    def __init__(self, type: str | device, index: builtins.int | None = None) -> None:
        name, _, number = str(type).partition(":")
        if name not in self._TYPES or (number and not number.isdigit()):
            raise RuntimeError(f"Invalid device string {str(type)!r}: expected one of {', '.join(self._TYPES)}, "
                               "with an optional number as in 'cuda:0'")
        if index is not None and not 0 <= index < 2**63:
            raise RuntimeError(f"Device index must not be negative, nor above {2**63 - 1}, got {index}")
        self.type = name
        self.index = builtins.int(number) if number else index

    def __repr__(self) -> str:
        return f"device(type='{self.type}'" + (f", index={self.index})" if self.index is not None else ")")

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> builtins.bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> builtins.int:
        return hash((self.type, self.index))

    def __enter__(self) -> device:
        check_device(self)
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is to be undone."""


CPU = device("cpu")


def get_default_device() -> device:
    """Where new tensors are: the CPU."""
    return CPU


def set_default_device(where: Any) -> None:
    """Accept the CPU, where new tensors are anyway, and refuse any other device; None is the CPU."""
    check_device(where)


def check_device(where: Any) -> None:
    """Accept the CPU (or None); raise one clear sentence for any other device, of the type that a torch without it raises."""
    if where is not None and (kind := device(where).type) != "cpu":
        raise (AssertionError if kind in ("cuda", "xpu") else RuntimeError)(
            f"minigrad computes on the CPU only and cannot place a tensor on '{device(where)}'; "
            "leave the device out, or choose it by torch.cuda.is_available(), which is False here")
