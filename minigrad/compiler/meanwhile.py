"""What has another meaning while a step is captured.

NumPy tells us about each call on a `Traced` array. It does not tell us about arrays that minigrad makes out of nothing, keeps for
later, or fills with random numbers. So during a capture other functions stand in minigrad's modules and classes: `replacements`, at
the end, lists them. All threads find them there, but they write down only what the capturing thread does.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import random
from minigrad.arrays import sums
from minigrad.autograd import TensorBase, count_change, engine, record
from minigrad.compiler.record import short_name
from minigrad.compiler.traced import Group, Number, Traced, called, plain, plain_options, recording, refusing, within
from minigrad.nn.module import Module
from minigrad.optim import optimizer
from minigrad.optim.optimizer import Optimizer
from minigrad.tensors.tensor import Tensor

if TYPE_CHECKING:
    from minigrad.compiler.trace import Trace

ndarray = np.ndarray

_MAKE = ("zeros", "ones", "empty", "full", "arange", "eye", "linspace")  # memory that the step may write to


class _Numpy(types.ModuleType):
    """NumPy, as minigrad's modules see it: what they make out of nothing is written down, too."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


_numpy: Any = _Numpy("numpy")


class _Arrays(type):
    """What `np.ndarray` is to minigrad's modules: the same class, but a view of a traced array's memory is written down."""

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, ndarray)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, ndarray)

    def __call__(cls, shape: Any, dtype: Any = float, buffer: Any = None, offset: int = 0, strides: Any = None) -> Any:
        if isinstance(buffer, Traced):
            return called("np.ndarray", _shown, (buffer, tuple(shape), np.dtype(dtype), offset, strides))
        array: Any = ndarray(shape, dtype, buffer, offset, strides)
        trace = recording()
        return trace.filled(array, None) if trace is not None and buffer is None else array


def _shown(memory: ndarray, shape: Any, dtype: Any, offset: int, strides: Any) -> ndarray:
    return ndarray(shape, dtype, memory, offset, strides)


_numpy.ndarray = _Arrays("ndarray", (), {})


def _copy_of(trace: Trace, array: ndarray) -> Traced:
    """`array`, which is the same in each run, in memory that the step may write to."""
    original = array.copy("K")
    original.flags.writeable = False
    return trace.make(".copy", [trace.constant(original)], {}, array, True)


def _making(name: str) -> Any:
    make = getattr(np, name)

    def function(*args: Any, **options: Any) -> Any:
        trace = recording()
        array = make(*plain(args), **plain_options(options))
        if trace is None:
            return array
        fill = {"zeros": 0, "ones": 1, "empty": None}.get(name, ...)
        if name == "full":
            fill = args[1] if len(args) > 1 else options["fill_value"]
        if fill is ... or isinstance(fill, ndarray):
            return _copy_of(trace, array)
        return trace.filled(array, fill)

    return function


def _vectorize(function: Any, **options: Any) -> Any:
    """As `np.vectorize`: what it gives is called as it is by the program, too."""
    vectorized = np.vectorize(function, **options)
    return lambda *args: called("()", lambda function, *args: function(*args), (vectorized, *args))


_numpy.vectorize = _vectorize
for _name in _MAKE:
    setattr(_numpy, _name, _making(_name))


def _converting(name: str) -> Any:
    convert = getattr(np, name)

    def function(x: Any, dtype: Any = None, **options: Any) -> Any:
        trace = recording()
        if trace is None:
            return convert(plain(x), dtype, **options)
        if type(x) is Number:
            return trace.make("number", [x.symbol], {}, np.asarray(x.value, dtype), False)
        if not isinstance(x, Traced):
            array = convert(plain(x), dtype, **options)
            if not isinstance(x, (ndarray, np.generic)) and type(x) not in (int, float, bool) and within(x):
                trace.fail("a list holds numbers that the step computes")
            if name == "array":
                return _copy_of(trace, array)
            if not isinstance(x, ndarray):
                array.flags.writeable = False  # made anew in each run: the same
            return array
        same = dtype is None or np.dtype(dtype) == x.dtype
        if x.scalar:  # becomes an array
            x = trace.traced(trace.value_of(x), x.plain)
        order = options.get("order", "C" if name == "ascontiguousarray" else "K")
        if name == "array":
            return x.copy(order) if same else x.astype(dtype, order)
        if same and (order != "C" or x.flags.c_contiguous):
            return x
        return x.copy("C" if order == "C" else "K") if same else x.astype(dtype, order)

    return function


for _name in ("array", "asarray", "ascontiguousarray"):
    setattr(_numpy, _name, _converting(_name))


def _unseen(function: Any) -> Any:
    """`function`, of which nothing is written down."""

    @functools.wraps(function)
    def unseen(*args: Any, **options: Any) -> Any:
        trace = recording()
        if trace is None:
            return function(*plain(args), **plain_options(options))
        trace.awake = False
        try:
            return function(*plain(args), **plain_options(options))
        finally:
            trace.awake = trace.reason is None

    return unseen


def _keeping(function: Any) -> Any:
    """`function`, which keeps its results for later, and so must see nothing that is traced."""
    unseen = _unseen(function)

    @functools.wraps(function)
    def keeping(*args: Any, **options: Any) -> Any:
        trace = recording()
        if trace is not None and any(map(within, args)):
            trace.fail(f"{function.__name__}() is given a number that the step computes")
        return unseen(*args, **options)

    return keeping


def _number(value: Any, dtype: Any) -> Any:
    """As `optimizer.number`."""
    trace = recording()
    if trace is None or type(value) is not Number:
        return _kept_number(plain(value), dtype)
    key = "number", value.symbol, dtype
    if key not in trace._known:
        trace._known[key] = _numpy.array(value, dtype)
    return trace._known[key]


_kept_number = optimizer.number


def _new_scratch(opt: Any, p: Any) -> Any:
    """As `Optimizer._new_scratch`, with memory of the program's."""
    array = p.array
    trace = recording()
    if trace is None:
        return array, np.empty_like(array), np.empty_like(array)
    scratch = [trace.filled(np.empty_like(array.plain), None) for _ in range(2)]
    trace.named |= {trace.value_of(each).memory: "scratch" for each in scratch}
    return array, *scratch


def _groups(trace: Trace, opt: Any) -> Any:
    groups = opt.__dict__["param_groups"]
    if recording() is not trace:
        return groups
    trace.optimizers[id(opt)] = opt
    return trace._known.setdefault(("groups", id(groups)), [Group(trace, group) for group in groups])


def _record(trace: Trace) -> Any:
    def noted(this: Any, result: Any, *args: Any) -> None:
        record(this, result, *args)
        if recording() is trace:
            where = trace.label()
            value = getattr(result.array, "value", None)
            trace.made[result._node.number] = value, short_name(this), where.file, where.line

    return noted


def _fill(fill: Any, out: Any, generator: Any, draw: Any) -> Any:
    """As `random.draws._fill`: the program draws again, from the same stream."""
    trace = recording()
    if trace is not None and not isinstance(out, Traced):
        trace.fail("random numbers are drawn into an array from outside of the step")
        trace = None
    if trace is None:
        return fill(plain(out), generator, draw)
    trace.awake = False
    fill(out.plain, generator, draw)
    trace.awake = True
    source = random.default_generator if generator is None else generator
    if source not in trace.generators:
        trace.generators.append(source)
    trace.write(out, draw.__qualname__.split("_.")[0], (source, draw), kind="random")
    return out


# ---- and where ---------------------------------------------------------------------------------------------------------------


def replacements(trace: Trace) -> Iterator[tuple[Any, str, Any]]:
    """What to put in the place of what: the owner, the name there, and the new thing."""
    yield TensorBase, "array", property(trace.array_of, trace.set_array)
    yield TensorBase, "_grad", property(trace.grad_of, trace.set_grad)
    yield Optimizer, "_new_scratch", _new_scratch
    yield Optimizer, "param_groups", property(functools.partial(_groups, trace), lambda o, g: o.__dict__.update(param_groups=g))
    yield Module, "__call__", _call(trace)
    for name in ("manual_seed", "set_state"):
        yield random.Generator, name, refusing(getattr(random.Generator, name), "the step seeds a random stream")
    for name in ("numpy", "__array__"):  # what is done with it may go unseen
        yield Tensor, name, refusing(getattr(Tensor, name), "numpy() takes values out of the step")
    yield random.draws, "_fill", functools.partial(_fill, random.draws._fill)
    instead = {id(np): _numpy, id(optimizer.number): _number, id(record): _record(trace)}
    instead |= {id(f): _unseen(f) for f in (count_change, engine._is_new)}
    instead |= {id(f): _keeping(f) for f in (sums.ones, sums.count_up)}
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("minigrad.") and not module.__name__.startswith("minigrad.compiler"):
            for key, thing in list(vars(module).items()):
                if id(thing) in instead:
                    yield module, key, instead[id(thing)]
                elif isinstance(thing, functools._lru_cache_wrapper):
                    yield module, key, _keeping(thing)


def _call(trace: Trace) -> Any:
    call = Module.__call__

    def noted(module: Any, *args: Any, **options: Any) -> Any:
        if recording() is trace:
            trace.modules[id(module)] = module
        return call(module, *args, **options)

    return noted
