"""The list of calls of one step, and the way there.

Within ``with Trace(...) as trace:`` the array of each tensor is a `Traced` array, of the same memory.
"""

from __future__ import annotations

import linecache
import os
import re
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minigrad.autograd import Node, TensorBase
from minigrad.compiler import meanwhile, traced
from minigrad.compiler.record import Label, Line, Memory, Symbol, Value, leaves, short_name
from minigrad.compiler.traced import Number, Traced, plain, plain_options, recording, same_place, within

ndarray = np.ndarray

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_SCRIPTS = {os.path.join(_PACKAGE, "training.py"), os.path.join(_PACKAGE, "tools", "source.py")}  # which use it as users do

# Functions that give one new array whose shape does not depend on values, or a view.
_FUNCTIONS = {
    np.dot, np.where, np.take, np.concatenate, np.stack, np.clip, np.einsum, np.bincount, np.cumsum, np.cumprod, np.tril,
    np.triu, np.argmax, np.argmin, np.argsort, np.sort, np.outer, np.diff, np.flip, np.roll, np.mean, np.take_along_axis,
    np.tensordot, np.broadcast_to, np.transpose, np.moveaxis, np.expand_dims, np.squeeze, np.swapaxes, np.reshape, np.ravel,
    np.diagonal, np.trace, np.repeat, np.tile, np.pad, np.rot90, np.searchsorted, np.zeros_like, np.ones_like, np.empty_like,
    np.full_like, np.isclose, np.round, np.copy, np.nan_to_num, np.linalg.norm, np.linalg.inv, np.linalg.det, np.linalg.solve,
    np.linalg.cholesky, np.inner, np.lexsort, np.median, np.partition, np.astype, np.count_nonzero, np.argpartition, np.var,
    np.std, np.isin, np.cross, np.atleast_1d, np.atleast_2d, np.vander, np.interp,
}  # fmt: skip
_SHAPED = {np.where, np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.repeat}  # by values


_ARRAY: Any = TensorBase.__dict__["array"]
_GRAD: Any = TensorBase.__dict__["_grad"]


def _array_of(tensor: Any) -> Any:
    try:
        return _ARRAY.__get__(tensor)
    except AttributeError:
        return None


class Outside(NamedTuple):
    """A tensor that was there before the step, as the step found it."""

    tensor: Any
    value: Value
    array: ndarray
    bits: int
    version: int
    requires_grad: bool
    node: Any


def bits_of(array: ndarray) -> int:
    """A number that stands for the values of an array."""
    return hash((array.shape, array.tobytes()))


class Trace:
    """The list of calls of one step, and what the step touched.

    Attributes
    ----------
    inputs : set of int
        The ids of the tensors among the arguments.
    lines : list of Line
    reason : str or None
        Why it could not all be written down.
    outside : dict
        id -> `Outside`: the tensors that were there before.
    grads : dict
        id -> (tensor, its gradient before, whether that was looked at).
    numbers : dict
        (id of a group, name) -> (`Number`, group, name): what is read from optimisers' groups.
    settings : list of (group, name, value)
        What else they say, which must not change.
    generators : list
        From which random numbers are drawn.
    modules, optimizers : dict
        id -> module that was called, or optimiser that was at work.
    """

    def __init__(self, inputs: set[int]) -> None:
        self.lines: list[Line] = []
        self.reason: str | None = None
        self.awake, self.thread = True, threading.get_ident()
        self.inputs = inputs
        self.outside: dict[int, Outside] = {}
        self.shown: dict[int, Traced] = {}  # their arrays
        self.inside: dict[int, tuple[ndarray, Any]] = {}
        self.grads: dict[int, tuple[Any, Any, bool]] = {}
        self.owner_of: dict[int, Any] = {}
        self.numbers: dict[Any, tuple[Number, dict[str, Any], str]] = {}
        self.settings: list[tuple[dict[str, Any], str, Any]] = []
        self.generators: list[Any] = []
        self.modules: dict[int, Any] = {}
        self.optimizers: dict[int, Any] = {}
        self.made: dict[int, tuple[Value | None, str, str, int]] = {}  # node number -> result, operation, the user's line
        self.constants: dict[int, Value] = {}
        self.named: dict[Memory, str] = {}
        self.alive: list[weakref.ref[Any]] = []
        self._known: dict[Any, Any] = {}
        self._undo: list[tuple[Any, str, Any]] = []

    def fail(self, reason: str) -> None:
        """Give up, for this reason; what follows runs as usual."""
        if self.reason is None:
            where = self.label()
            self.reason = reason + (f" ({os.path.basename(where.file)}:{where.line})" if where.file else "")
        self.awake = False

    # -- values

    def traced(self, value: Value, array: ndarray) -> Traced:
        """An array that is written down as `value`."""
        result: Any = ndarray.view(array, Traced)
        result.plain, result.value = array, value
        if value.memory.owner is None:
            value.memory.owner = weakref.ref(result)
        self.alive.append(weakref.ref(result))
        return result

    def constant(self, array: ndarray) -> Value:
        """An array from outside of the step. What it holds may change from run to run, unless it is read-only."""
        known = self.constants.get(id(array))
        if known is None:
            known = self.constants[id(array)] = Value(Memory("constant", array.nbytes, not array.flags.writeable), array)
        return known

    def value_of(self, x: Any) -> Any:
        """`x`, as a line has it among its arguments."""
        if isinstance(x, Traced):
            if x.value is None:
                self.fail("an array was made in a way that is not captured")
                return self.constant(plain(x))
            return x.value
        if type(x) is Number:
            return x.symbol
        if isinstance(x, ndarray):
            return self.constant(x)
        if isinstance(x, (list, tuple)):
            return type(x)(map(self.value_of, x))
        if isinstance(x, slice):
            return slice(*map(self.value_of, (x.start, x.stop, x.step)))
        return x

    def value_in(self, tensor: Any) -> Any:
        """What the array of a tensor that the step has made is written down as; None if it is not."""
        _, traced = self.inside.get(id(tensor), (None, None))
        return None if traced is None else traced.value

    # -- lines

    def call(self, function: str, compute: Callable[..., Any], args: Any, options: dict[str, Any] | None = None) -> Any:
        """Compute, and write it down: the result is a view of an argument, or new memory."""
        options = options or {}
        result = compute(*plain(args), **plain_options(options))
        if not isinstance(result, (ndarray, np.generic)):
            self.fail(f"{function.lstrip('.')} gives several results")
            return result
        array = np.asarray(result)
        values, settings = [self.value_of(x) for x in args], {k: self.value_of(v) for k, v in options.items()}
        for x in args:
            if isinstance(x, ndarray) and array is plain(x):
                return x
        fixed = all(type(v) is Value and v.memory.fixed for v in leaves([values, list(settings.values())]))
        for x, value in zip(args, values, strict=True):
            if type(value) is Value and (np.may_share_memory(array, plain(x)) or (array.size == 0 and array.base is not None)):
                line = Line("view", function, values, settings, self.label(), target=None)
                return self.traced(Value(value.memory, array, line), array)
        made = self.make(function, values, settings, array, fixed)
        made.scalar = array is not result
        return made

    def make(self, function: str, args: list[Any], options: dict[str, Any], array: ndarray, fixed: bool) -> Traced:
        """New memory, and the call that fills it."""
        value = Value(Memory("new", array.nbytes, fixed), array)
        self.lines.append(Line("call", function, args, options, self.label(), value))
        return self.traced(value, array)

    def write(self, target: Traced, function: str, args: Any, options: dict[str, Any] | None = None, kind: str = "write") -> None:
        """A call that writes to memory which is there."""
        value = self.value_of(target)
        if value.memory.kind == "constant":
            self.fail("an array from outside of the step is written to")
        value.memory.fixed = False
        settings = {k: self.value_of(v) for k, v in (options or {}).items()}
        self.lines.append(Line(kind, function, map(self.value_of, args), settings, self.label(), target=value))

    def function(self, function: Any, args: Any, options: dict[str, Any]) -> Any:
        """A function of NumPy's."""
        if function in (np.may_share_memory, np.shares_memory, np.shape, np.ndim, np.size, np.result_type):
            return function(*plain(args), **plain_options(options))
        if function in (np.split, np.array_split):
            return function.__wrapped__(*args, **options)
        name = f"{function.__module__}.{function.__name__}".replace("numpy", "np")
        if function in (np.zeros_like, np.ones_like, np.empty_like, np.full_like):
            array = function(*plain(args), **plain_options(options))
            fill = {np.zeros_like: 0, np.ones_like: 1, np.empty_like: None}.get(function, args[1] if len(args) > 1 else None)
            return self.filled(array, fill)
        unknown = function not in _FUNCTIONS or (function is np.where and len(args) == 1)
        unknown = unknown or options.get("out") is not None or (function is np.dot and len(args) > 2)
        if unknown or (function is np.repeat and within(args[1])):
            self.fail(f"{name}() is not captured" + ": the shape of its result depends on the values" * (function in _SHAPED))
            return function(*plain(args), **plain_options(options))
        return self.call(name, function, args, options)

    def filled(self, array: ndarray, fill: Any) -> Traced:
        """New memory that `array` is an example of, full of one number; None: of nothing in particular."""
        return self.make("new", [self.value_of(fill)], {}, array, fixed=type(fill) is not Number)

    def number(self, function: str, args: Any, value: Any) -> Any:
        """A Python number that is computed from others, or read from an array."""
        key = (function, *(id(x.symbol) if type(x) is Number else (type(x), x) for x in args)) if function != ".item" else None
        if key in self._known:
            return Number(self._known[key], value)
        symbol = Symbol()
        self.lines.append(Line("number", function, map(self.value_of, args), {}, self.label(), symbol))
        if key is not None:
            self._known[key] = symbol
        return self.counted(Number(symbol, value))

    def counted(self, number: Number) -> Number:
        """`number`, of which it will be seen whether somebody keeps it."""
        self.alive.append(weakref.ref(number))
        return number

    def guard(self, x: Any, truth: bool) -> None:
        """A branch: later runs must take the same."""
        value = self.value_of(x)
        if type(value) is Value and value.memory.fixed:
            return
        if (value, truth) not in self._known:
            if type(value) is Symbol:
                self._known[value, truth] = True
            self.lines.append(Line("guard", "" if truth else "not", [value], {}, self.label()))

    def read(self, group: dict[str, Any], name: str, value: Any) -> Any:
        """A number of an optimiser's group; or something else there, which must stay as it is."""
        key = id(group), name
        if isinstance(value, tuple) and all(type(v) is float for v in value):
            return tuple(self._read(group, (name, i), v) for i, v in enumerate(value))
        if type(value) is float:
            return self._read(group, name, value)
        if name != "params" and key not in self._known:
            self._known[key] = True
            self.settings.append((group, name, value))
        return value

    def _read(self, group: dict[str, Any], name: Any, value: float) -> Number:
        key = id(group), name
        if key not in self.numbers:
            stem = name if isinstance(name, str) else f"{name[0].removesuffix('s')}{name[1] + 1}"
            self.numbers[key] = Number(Symbol(stem), value), group, name
        return self.counted(Number(self.numbers[key][0].symbol, value))

    # -- where a line comes from

    def label(self) -> Label:
        """The operation that is at work, and the line of the user's that called it."""
        frame: Any = sys._getframe(1)
        operation, method, target = "", "", None
        while frame is not None:
            code, names = frame.f_code, frame.f_globals
            if code.co_filename in _SCRIPTS or not names.get("__name__", "").startswith(("minigrad.", "numpy")):
                return Label(operation or method, code.co_filename, frame.f_lineno, target=target)
            if code.co_name == "walk":
                return self._derivative(frame.f_locals)
            if code.co_name == "call" and "this" in frame.f_locals:
                operation = short_name(frame.f_locals["this"])
            elif code.co_name == "update" and "group" in frame.f_locals:
                operation, target = type(frame.f_locals["self"]).__name__, id(frame.f_locals["p"])
            elif code.co_name[0] not in "<_" and not names["__name__"].startswith("minigrad.compiler"):
                method = code.co_name
            frame = frame.f_back
        return Label(operation or method)

    def _derivative(self, names: dict[str, Any]) -> Label:
        node, edge = names.get("node"), names.get("edge")
        if node is None:
            return Label("backward", derivative=True)
        _, _, file, line = self.made.get(node.number, (None, "", "", 0))
        target = self.made.get(edge.number, (None,))[0] if isinstance(edge, Node) else id(edge)
        return Label(short_name(node.op), file, line, True, target)

    def results(self) -> dict[Memory, str]:
        """The names of what operations give: the variable that the user's line assigns, for the last operation of that line."""
        last = {(file, line): number for number, (_, _, file, line) in self.made.items()}
        names = dict(self.named)
        for number, (value, name, file, line) in self.made.items():
            if value is not None and value.memory not in names:
                code = linecache.getline(file, line) if last[file, line] == number else ""
                match = re.match(r"\s*([A-Za-z_]\w*)\s*=[^=]", code)
                names[value.memory] = match[1] if match else name
        return names

    # -- while it lasts

    def array_of(self, tensor: Any) -> Any:
        """What `tensor.array` is, while a step is captured."""
        array = _ARRAY.__get__(tensor)
        if recording() is not self:
            return array
        known = self.inside.get(id(tensor))
        if known is not None:
            return known[1] if known[0] is array and known[1] is not None else array
        if id(tensor) not in self.outside:
            self.outside[id(tensor)] = self._found(tensor, array)
        return self.shown[id(tensor)]

    def _found(self, tensor: Any, array: ndarray) -> Outside:
        if tensor._hooks:
            self.fail("a hook waits for the gradient of a tensor; hooks run eagerly")
        kind = "input" if id(tensor) in self.inputs or id(tensor) in self.owner_of else "state"
        value = Value(Memory(kind, array.nbytes), array)
        self.shown[id(tensor)] = self.traced(value, array)
        return Outside(tensor, value, array, bits_of(array), tensor._version_cell[0], tensor._requires_grad, tensor._node)

    def set_array(self, tensor: Any, array: Any) -> None:
        """What ``tensor.array = array`` does, while a step is captured."""
        if recording() is not self:
            _ARRAY.__set__(tensor, plain(array))
            return
        fresh = not hasattr(_array_of(tensor), "dtype")
        if not fresh and id(tensor) not in self.inside:
            if not (isinstance(array, Traced) and same_place(array.plain, _ARRAY.__get__(tensor))):
                self.fail("a tensor from outside of the step is given other memory")
                _ARRAY.__set__(tensor, plain(array))
            return
        _ARRAY.__set__(tensor, plain(array))
        self.alive.append(weakref.ref(tensor))
        if not isinstance(array, Traced) and array.flags.writeable:  # from outside, and may change there
            array = self.traced(self.constant(array), array)
        self.inside[id(tensor)] = (plain(array), array if isinstance(array, Traced) else None)

    def grad_of(self, tensor: Any) -> Any:
        """What `tensor._grad` is, while a step is captured."""
        grad = _GRAD.__get__(tensor)
        if recording() is self and id(tensor) not in self.inside and id(tensor) not in self.grads:
            self.grads[id(tensor)] = tensor, grad, True
            if grad is not None:
                self.owner_of[id(grad)] = tensor
        return grad

    def set_grad(self, tensor: Any, grad: Any) -> None:
        """What ``tensor._grad = grad`` does, while a step is captured."""
        if recording() is self and id(tensor) not in self.inside and id(tensor) not in self.grads:
            self.grads[id(tensor)] = tensor, _GRAD.__get__(tensor), False
        _GRAD.__set__(tensor, grad)

    def __enter__(self) -> Trace:
        for owner, name, new in meanwhile.replacements(self):
            self._undo.append((owner, name, vars(owner).get(name)))
            setattr(owner, name, new)
        traced._active = self
        return self

    def __exit__(self, *error: object) -> None:
        traced._active, self.awake = None, False
        for owner, name, old in reversed(self._undo):
            if old is None:
                delattr(owner, name)
            else:
                setattr(owner, name, old)
