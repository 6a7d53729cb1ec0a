"""Arrays and numbers that compute as usual, and write down how.

NumPy hands each call on a `Traced` array back to us, through `__array_ufunc__`, `__array_function__` or a method. We compute, and
add a line to the `trace.Trace` that is active in this thread. A number read from an array (``loss.item()``, a count of steps) or
from an optimiser's group becomes a `Number`, which writes down Python's arithmetic in the same way. A branch on either,
``if loss < 1:``, leaves a guard.

A step must run once, whatever happens. So nothing here raises: where something cannot be written down, `Trace.fail` keeps the
reason, and from there on everything computes as if nobody was watching.
"""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.autograd import TensorBase
from minigrad.compiler.record import Symbol, Value

if TYPE_CHECKING:
    from minigrad.compiler.trace import Trace

ndarray = np.ndarray

_active: Trace | None = None


def recording() -> Trace | None:
    """The trace that this thread is writing, if any."""
    trace = _active
    return trace if trace is not None and trace.awake and trace.thread == threading.get_ident() else None


def captured_here() -> bool:
    """Whether this thread is within a capture, even one that has failed."""
    trace = _active
    return trace is not None and trace.thread == threading.get_ident()


def plain(x: Any) -> Any:
    """`x` with NumPy's own arrays and Python's own numbers; `x` itself if it has no others."""
    if isinstance(x, Traced):
        return ndarray.view(x, ndarray) if x.plain is None else x.plain
    if type(x) is Number:
        return x.value
    if isinstance(x, (list, tuple)):
        parts = list(map(plain, x))
        if all(map(operator.is_, parts, x)):
            return x
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
    if isinstance(x, dict):
        values = plain_options(x)
        return x if all(map(operator.is_, values.values(), x.values())) else values
    if isinstance(x, slice):
        return slice(plain(x.start), plain(x.stop), plain(x.step))
    return x


def plain_options(options: dict[str, Any]) -> dict[str, Any]:
    """`plain`, of arguments by name."""
    return {name: plain(value) for name, value in options.items()}


def within(x: Any) -> bool:
    """Whether `x` is or holds something that is written down."""
    return isinstance(x, Traced) or type(x) is Number or (isinstance(x, (list, tuple)) and any(map(within, x)))


def called(name: str, compute: Callable[..., Any], args: Any, options: dict[str, Any] | None = None) -> Any:
    """Compute, and write it down if that is what this thread does; see `Trace.call`."""
    trace = recording()
    if trace is None:
        return compute(*plain(args), **plain_options(options or {}))
    return trace.call(name, compute, args, options)


def refusing(method: Any, reason: str) -> Any:
    """A method after which the step is no program any more."""

    def refused(self: Any, *args: Any, **options: Any) -> Any:
        trace = recording()
        if trace is not None:
            trace.fail(reason)
        return method(plain(self), *plain(args), **plain_options(options))

    return refused


class Traced(ndarray):
    """An array whose use is written down."""

    plain: Any = None  # the same memory, as NumPy's own array
    value: Value | None = None  # None: made in a way that was not seen
    scalar = False  # whether it would be one of NumPy's scalars, which are no arrays

    @property
    def base(self) -> Any:
        """The array that owns the memory, as `autograd.share` asks for it."""
        if self.value is None or self.value.memory.owner is None:
            return self.plain.base
        owner = self.value.memory.owner()
        return None if owner is self else owner

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        return _ufunc(ufunc, method, inputs, out, options)

    def __array_function__(self, function: Any, kinds: Any, args: Any, options: Any) -> Any:
        if any(issubclass(kind, TensorBase) for kind in kinds):
            return NotImplemented  # a tensor's turn
        trace = recording()
        if trace is None:
            return function(*plain(args), **plain_options(options))
        return trace.function(function, args, dict(options))

    def __getitem__(self, index: Any) -> Any:
        trace = recording()
        if trace is None:
            return self.plain[plain(index)]
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(p, (bool, list)) or getattr(p, "dtype", None) == np.dtype(bool) for p in parts):
            trace.fail("an index is a mask, and so the shape depends on the values")
            return self.plain[plain(index)]
        if all(p is None or p is Ellipsis or isinstance(p, (int, slice)) for p in parts) and Ellipsis not in parts:
            parts = (*parts, Ellipsis)  # a view even where one element is left
        return trace.call("[]", operator.getitem, (self, parts))

    def __setitem__(self, index: Any, value: Any) -> None:
        trace = recording()
        if trace is None:
            self.plain[plain(index)] = plain(value)
            return
        parts = index if isinstance(index, tuple) else (index,)
        if all(p is None or p is Ellipsis or isinstance(p, (int, slice)) for p in parts):
            place = self if parts == (Ellipsis,) else self[index if Ellipsis in parts else (*parts, Ellipsis)]
            if isinstance(value, Traced) and same_place(value.plain, place.plain):
                return  # x[0] *= 2 ends in x[0] = x[0]
            place.plain[...] = plain(value)
            trace.write(place, "[]=", (Ellipsis, value))
            return
        self.plain[plain(index)] = plain(value)
        trace.write(self, "[]=", (parts, value))

    def fill(self, value: Any) -> None:
        """Write `value` everywhere."""
        self[...] = value

    def item(self, *index: Any) -> Any:
        """The only element, as a number."""
        trace, number = recording(), self.plain.item(*index)
        if trace is None or self.value is None or self.value.memory.fixed:
            return number
        if index:
            trace.fail("item() is given an index")
            return number
        return trace.number(".item", (self,), number)

    def __bool__(self) -> bool:
        trace, truth = recording(), bool(self.plain)
        if trace is not None:
            trace.guard(self, truth)
        return truth

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __copy__(self) -> Any:
        return self.copy()

    @property
    def T(self) -> Any:
        """The transpose."""
        return called(".T", lambda a: a.T, (self,))

    def view(self, dtype: Any = None) -> Any:  # type: ignore[override]
        """The same memory, read in another way."""
        if isinstance(dtype, type) and issubclass(dtype, ndarray):
            return ndarray.view(self, dtype)
        return called(".view", ndarray.view, (self,) if dtype is None else (self, np.dtype(dtype)))

    mT = property(lambda self: self.swapaxes(-1, -2))


def _ufunc(ufunc: Any, method: str, inputs: Any, out: Any, options: dict[str, Any]) -> Any:
    """What a call of a ufunc on traced arrays, or numbers, does."""
    if any(isinstance(x, TensorBase) for x in inputs):
        return NotImplemented  # a tensor's turn
    trace = recording()
    compute = getattr(ufunc, method)
    if trace is None:
        out = None if out is None else plain(out)
        return compute(*plain(inputs), **plain_options(options), **({} if out is None else {"out": out}))
    name = f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
    options = {k: v for k, v in options.items() if not (k == "where" and v is True) and not (k == "initial" and v is None)}
    if method == "at" and isinstance(inputs[0], Traced):
        compute(*plain(inputs))
        trace.write(inputs[0], name, inputs[1:])
        return None
    known = method in ("__call__", "reduce", "accumulate", "reduceat") and getattr(np, ufunc.__name__, None) is ufunc
    if not known or ufunc.nout > 1:
        trace.fail(f"{name} is not captured")
        return compute(*plain(inputs), **plain_options(options), **({} if out is None else {"out": plain(out)}))
    if out is None:
        return trace.call(name, compute, inputs, options)
    (target,) = out
    if not isinstance(target, Traced):
        trace.fail(f"{name} writes to an array from outside of the step")
        return compute(*plain(inputs), out=target, **plain_options(options))
    compute(*plain(inputs), out=target.plain, **plain_options(options))
    trace.write(target, name, inputs, options)
    return target


def same_place(a: ndarray, b: ndarray) -> bool:
    """Whether two arrays show the same memory in the same way."""
    return (a.ctypes.data, a.shape, a.strides, a.dtype) == (b.ctypes.data, b.shape, b.strides, b.dtype)


def _method(name: str) -> Any:
    """A method of arrays that gives a new array, or a view."""
    return lambda self, *args, **options: called(f".{name}", getattr(ndarray, name), (self, *args), options)


def _reduction(ufunc: Any) -> Any:
    def method(self: Any, axis: Any = None, dtype: Any = None, out: Any = None, **options: Any) -> Any:
        return ufunc.reduce(self, axis, dtype, out, **options)

    return method


def _power(turned: bool) -> Any:
    """``**``, which rounds in another way between NumPy's scalars than between arrays."""
    name = "__rpow__" if turned else "__pow__"

    def method(self: Any, other: Any) -> Any:
        trace = recording()
        if trace is None or not self.scalar or (isinstance(other, ndarray) and not getattr(other, "scalar", False)):
            return getattr(ndarray, name)(self, other)
        args = (other, self) if turned else (self, other)
        return trace.call("**", lambda a, b: np.asarray(a)[()] ** np.asarray(b)[()] if isinstance(b, ndarray) else a[()] ** b, args)

    return method


def _in_place(name: str) -> Any:
    """``+=`` and the like, which give a scalar another value, and an array's memory others."""

    def method(self: Any, other: Any) -> Any:
        compute: Any = getattr(operator if self.scalar else ndarray, name if self.scalar else f"__i{name.strip('_')}__")
        return compute(self, other)

    return method


Traced.__pow__, Traced.__rpow__ = _power(False), _power(True)  # type: ignore[method-assign]
for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and_", "or_", "xor"):
    setattr(Traced, f"__i{_name.strip('_')}__", _in_place(_name))

_METHODS = (
    "reshape", "transpose", "swapaxes", "squeeze", "copy", "astype", "repeat", "take", "cumsum", "cumprod", "argmax", "argmin",
    "argsort", "clip", "diagonal", "round", "ravel", "flatten", "mean", "var", "std", "trace", "dot",
)  # fmt: skip
_REFUSED = (
    "tolist", "tobytes", "tofile", "dump", "dumps", "nonzero", "sort", "partition", "put", "resize", "setfield", "byteswap",
    "choose", "compress", "searchsorted", "argpartition", "getfield", "conj", "conjugate", "__float__", "__int__", "__index__",
    "__complex__", "__reduce__", "__deepcopy__", "__contains__", "__divmod__",
)  # fmt: skip
_REDUCTIONS = {
    "sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum, "all": np.logical_and, "any": np.logical_or,
}  # fmt: skip
for _name in _METHODS:
    setattr(Traced, _name, _method(_name))
for _name in _REFUSED:
    setattr(Traced, _name, refusing(getattr(ndarray, _name), f"{_name.strip('_')}() takes values out of the step"))
for _name, _function in _REDUCTIONS.items():
    setattr(Traced, _name, _reduction(_function))


# ---- numbers ---------------------------------------------------------------------------------------------------------------


class Number:
    """A Python number that the step computes, or reads from an optimiser's group: it behaves as its value does."""

    __slots__ = ("__weakref__", "symbol", "value")
    __class__ = property(lambda self: type(self.value))

    def __init__(self, symbol: Symbol, value: Any) -> None:
        self.symbol, self.value = symbol, value

    def __bool__(self) -> bool:
        return _decided(self, "!=", 0, bool(self.value))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        return _ufunc(ufunc, method, inputs, out, options)


def _decided(a: Any, symbol: str, b: Any, truth: bool) -> bool:
    """A comparison of numbers, which leaves a guard."""
    trace = recording()
    if trace is not None:
        trace.guard(trace.number(symbol, (a, b), truth), truth)
    return truth


def _arithmetic(symbol: str, compute: Callable[..., Any], turned: bool = False) -> Any:
    def method(self: Any, *others: Any) -> Any:
        if others and isinstance(others[0], (ndarray, TensorBase)):
            return NotImplemented
        args = (*others, self) if turned else (self, *others)
        trace, value = recording(), compute(*plain(args))
        return value if trace is None else trace.number(symbol, args, value)

    return method


def _comparison(symbol: str, compute: Callable[..., Any]) -> Any:
    def method(self: Any, other: Any) -> Any:
        if isinstance(other, (ndarray, TensorBase)):
            return NotImplemented
        return _decided(self, symbol, other, compute(self.value, plain(other)))

    return method


def _taken_out(name: str) -> Any:
    what = "text is made" if name in ("str", "repr", "format") else f"{name}() is taken"
    reason = f"{what} of a number that the step computes; return the number instead"
    return refusing(lambda value, *args: getattr(value, f"__{name}__")(*args), reason)


_OPERATORS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**"}
for _name, _symbol in _OPERATORS.items():
    setattr(Number, f"__{_name}__", _arithmetic(_symbol, getattr(operator, _name)))
    setattr(Number, f"__r{_name}__", _arithmetic(_symbol, getattr(operator, _name), turned=True))
for _name in ("neg", "pos", "abs"):
    setattr(Number, f"__{_name}__", _arithmetic(_name, getattr(operator, _name)))
for _name, _symbol in {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}.items():
    setattr(Number, f"__{_name}__", _comparison(_symbol, getattr(operator, _name)))
for _name in ("float", "int", "index", "complex", "round", "trunc", "floor", "ceil", "hash", "str", "repr", "format", "reduce_ex"):
    setattr(Number, f"__{_name}__", _taken_out(_name))


class Group(dict[str, Any]):
    """A group of an optimiser, of which each number is read anew in each run."""

    def __init__(self, trace: Trace, group: dict[str, Any]) -> None:
        super().__init__(group)
        self.trace, self.group = trace, group

    def __getitem__(self, name: str) -> Any:
        value = dict.__getitem__(self, name)
        return value if recording() is None else self.trace.read(self.group, name, value)

    def get(self, name: str, default: Any = None) -> Any:
        """As for any dict."""
        if name not in self:
            return default
        return self[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.trace.fail(f"the step changes {name!r} of an optimiser's group; call the scheduler between steps")
        self.group[name] = plain(value)
        dict.__setitem__(self, name, plain(value))

