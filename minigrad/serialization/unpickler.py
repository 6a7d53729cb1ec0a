"""Read pickles that hold data, and run nothing.

`pickle.load` executes whatever program the file contains. An allow-list of names (`find_class`) does not tame it: the
file may still change the allowed functions, ask for terabytes, or build keys that take years to hash. So this module
does not call `pickle` at all. `pickletools.genops`, which only splits the bytes into opcodes, feeds the small stack
machine below; it knows the opcodes that plain data needs and refuses all others. Every name in the file stands for a
constructor that the caller chose, wrapped so that the file can do nothing with it but call it.

Not a word of a refused object is ever printed beyond its type: `repr`, `hash` and `==` of nested tuples that share
their parts take exponential time.
"""

import pickletools
import re
import sys
import warnings
from abc import ABC, abstractmethod
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import prod
from pickle import UnpicklingError
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray


class Buildable(ABC):
    """An object that a pickle may give a state (opcode BUILD), once; every other object refuses one."""

    @abstractmethod
    def build(self, state: Any) -> Any:
        """The object with that state, which takes this one's place; or raise UnpicklingError."""


@dataclass(frozen=True)
class Itself:
    """A function that a pickle may pass on, and not call."""

    function: Callable[..., object]


@dataclass(frozen=True)
class Class:
    """A class that a pickle may pass on, and of which it may make objects that have no attributes yet (opcode NEWOBJ)."""

    itself: type[Any]
    name: str
    make: Callable[[], object]


@dataclass(frozen=True)
class Name:
    """What a pickle gets when it names a global: a constructor to call, or None if it may only be passed on."""

    name: str
    constructor: Callable[..., object] | None


def loads(data: bytes, names: Mapping[str, object], persistent_load: Callable[[Any], object] | None = None,
          max_operations: int = 1_000_000, build: Callable[[Any, Any], bool] | None = None) -> Any:  # fmt: skip
    """The object that the pickle `data` describes, made of numbers, text, bytes, containers and what `names` constructs.

    Parameters
    ----------
    data : the pickle, protocol 1 to 4; Python 2's byte strings come out as `bytes`.
    names : "module.name" -> the constructor it stands for, or None for a name that may be passed on but not called, or
        the object that the name itself stands for, which cannot be called: a function is given as `Itself`, a class as `Class`.
        A constructor meets hostile arguments: it checks their types first, and bounds the memory it asks for, also
        where it is called a million times with the same arguments.
    persistent_load : what gives the object for a persistent id (opcode BINPERSID); without it they are refused.
    max_operations : the most opcodes that are executed. One byte of a pickle can cost 100 bytes of memory.
    build : gives an object a state, if it knows it, and says whether it does. (Arrays, dtypes and `OrderedDict`s are known.)

    Raises
    ------
    pickle.UnpicklingError : for everything else: an unknown name or opcode, a truncated or malformed pickle.

    Examples
    --------
    >>> import pickle
    >>> loads(pickle.dumps((1, "two", (b"three", None)), protocol=4), names={})
    (1, 'two', (b'three', None))
    >>> loads(pickle.dumps(print, protocol=4), names={})
    Traceback (most recent call last):
    _pickle.UnpicklingError: refused pickle: it names 'builtins.print', which is not among the names that may be loaded
    """
    try:
        with warnings.catch_warnings():  # genops decodes the strings of protocol 0, and may warn of what it finds in them
            warnings.simplefilter("ignore")
            return _run(data, names, persistent_load, max_operations, build)
    except (ValueError, TypeError, IndexError, KeyError, OverflowError) as error:
        # genops on a truncated stream, an empty stack, a constructor called with the wrong number of arguments, ...
        raise UnpicklingError(f"refused pickle: it is not well-formed ({type(error).__name__}: {str(error)[:100]})") from error


def _run(data: bytes, names: Mapping[str, object], persistent_load: Callable[[Any], object] | None, max_operations: int,
         build: Callable[[Any, Any], bool] | None) -> Any:  # fmt: skip
    """Execute the opcodes of `data` on a stack; the one object left at STOP is the result."""
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}
    classes: dict[int, Class] = {}  # those that were named, by their id
    unbuilt: dict[int, list[int]] = {}  # id of an object without a state, which the memo keeps alive -> its places in the memo

    def pop(count: int) -> tuple[Any, ...]:
        if len(stack) - count < (marks[-1] if marks else 0):
            refuse("it takes more from the stack than is there")
        items = tuple(stack[len(stack) - count :])
        del stack[len(stack) - count :]
        return items

    def named(module: str, name: str) -> Any:
        found = _find(module, name, names)
        if not isinstance(found, Class):
            return found
        classes[id(found.itself)] = found
        return found.itself

    def remember(key: int) -> None:
        memo[key] = stack[-1]
        if isinstance(stack[-1], Buildable):
            unbuilt.setdefault(id(stack[-1]), []).append(key)

    def pop_to_mark() -> tuple[Any, ...]:
        items = pop(len(stack) - marks[-1])
        marks.pop()
        return items

    for number, (opcode, argument, position) in enumerate(pickletools.genops(data)):
        if number >= max_operations:
            refuse(f"it has more than {max_operations} opcodes")
        match opcode.name:
            case "PROTO" | "FRAME":
                pass
            case "NONE":
                stack.append(None)
            case "NEWTRUE" | "NEWFALSE":
                stack.append(opcode.name == "NEWTRUE")
            case ("INT" | "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINFLOAT"
                  | "BINUNICODE" | "SHORT_BINUNICODE" | "BINBYTES" | "SHORT_BINBYTES"):  # fmt: skip
                stack.append(argument)
            case "BINSTRING" | "SHORT_BINSTRING":  # a str of Python 2, which genops decodes as latin-1
                stack.append(expect(str, argument).encode("latin-1"))
            case "EMPTY_TUPLE" | "EMPTY_LIST" | "EMPTY_DICT":
                stack.append({"EMPTY_TUPLE": (), "EMPTY_LIST": [], "EMPTY_DICT": {}}[opcode.name])
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                stack.append(pop(int(opcode.name[-1])))
            case "MARK":
                marks.append(len(stack))
            case "TUPLE":
                stack.append(pop_to_mark())
            case "APPEND" | "APPENDS":
                items = pop(1) if opcode.name == "APPEND" else pop_to_mark()
                expect(list, stack[-1]).extend(items)
            case "SETITEM" | "SETITEMS":
                items = pop(2) if opcode.name == "SETITEM" else pop_to_mark()
                _set_items(stack[-1], items)
            case "MEMOIZE":
                remember(len(memo))
            case "BINPUT" | "LONG_BINPUT":
                if expect(int, argument) > expect(int, position):  # a true pickle has no more memos than bytes
                    refuse(f"it stores memo {argument} after only {position} bytes")
                remember(expect(int, argument))
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[expect(int, argument)])
            case "GLOBAL":
                module, _, name = expect(str, argument).partition(" ")
                stack.append(named(module, name))
            case "STACK_GLOBAL":
                module, name = pop(2)
                stack.append(named(expect(str, module), expect(str, name)))
            case "NEWOBJ":
                kind, arguments = pop(2)
                known = classes.get(id(kind), kind)
                if not isinstance(known, Class) or expect(tuple, arguments):
                    refuse(f"it makes an object of {known.name if isinstance(known, (Name, Class)) else type(kind).__name__}")
                stack.append(known.make())
            case "REDUCE":
                function, arguments = pop(2)
                if not isinstance(function, Name) or function.constructor is None:
                    refuse(f"it calls {function.name if isinstance(function, Name) else type(function).__name__}")
                stack.append(function.constructor(*expect(tuple, arguments)))
            case "BUILD":
                (state,) = pop(1)
                if type(stack[-1]) is OrderedDict and expect(dict, state).keys() == {"_metadata"}:  # torch's state_dicts
                    vars(stack[-1]).update(state)
                elif isinstance(stack[-1], Buildable):
                    bare, stack[-1] = stack[-1], stack[-1].build(state)
                    memo.update(dict.fromkeys((key for key in unbuilt.pop(id(bare), ()) if memo[key] is bare), stack[-1]))
                elif build is None or not build(stack[-1], state):
                    refuse(f"it sets the state of an object of type {type(stack[-1]).__name__}")
            case "BINPERSID" if persistent_load is not None:
                stack.append(persistent_load(*pop(1)))
            case "STOP":
                (result,) = stack
                return result
            case _:
                refuse(f"its opcode {opcode.name} at byte {position} is not one that plain data needs")
    raise AssertionError("genops ends with STOP or raises ValueError")


def _set_items(target: Any, items: tuple[Any, ...]) -> None:
    if type(target) not in (dict, OrderedDict, Counter):
        refuse(f"it gives keys and values to an object of type {type(target).__name__}")
    for key, value in zip(items[::2], items[1::2], strict=True):
        if not is_key(key):
            refuse(f"it has a key of type {type(key).__name__} which is neither text nor a number below 2**61")
        target[key] = value


def is_key(x: object) -> bool:
    """Whether dictionaries in a pickle may have the key `x`: what takes no time to hash, and not the same hash for many."""
    if type(x) is int:
        return abs(x) < sys.hash_info.modulus  # beyond it any number of them can have the same
    return x is None or type(x) in (str, bytes, float, bool)


def _find(module: str, name: str, names: Mapping[str, object]) -> Any:
    full_name = f"{module}.{name}"
    try:
        known = names[full_name]
    except KeyError:
        refuse(f"it names {full_name[:80]!r}, which is not among the names that may be loaded")
    if isinstance(known, Itself):
        return known.function
    if isinstance(known, Class):
        return known
    return Name(full_name, known) if known is None or callable(known) else known


def expect(kind: type[Any], value: object) -> Any:
    """`value` if its type is exactly `kind` (bool is not taken for int); for constructors too."""
    if type(value) is not kind:
        refuse(f"it has a value of type {type(value).__name__} where one of type {kind.__name__} is needed")
    return value


def refuse(reason: str) -> NoReturn:
    """Raise UnpicklingError with `reason`, a clause whose subject "it" is the pickle."""
    raise UnpicklingError(f"refused pickle: {reason}")


# --- NumPy arrays ---------------------------------------------------------------------------------------------------


class PickledDtype(Buildable):
    """A `numpy.dtype` of plain numbers on its way out of a pickle: first "f4", then, as its state, the byte order."""

    def __init__(self, spelling: Any, align: Any = False, copy: Any = False):
        text = spelling.decode("latin-1") if type(spelling) is bytes else expect(str, spelling)
        if not re.fullmatch("[biuf][1248]", text):
            refuse(f"it holds an array of dtype {text[:20]!r}, not of plain numbers")
        self.dtype = np.dtype(text)

    def build(self, state: Any) -> np.dtype[Any]:
        """The dtype in that byte order; the other entries describe records, which are refused."""
        _version, order, *record = expect(tuple, state)
        order = order.decode("latin-1") if type(order) is bytes else expect(str, order)
        if order not in ("<", ">", "|", "=") or any(type(entry) not in (int, type(None)) for entry in record):
            refuse("it holds an array whose dtype is not one of plain numbers")
        return self.dtype.newbyteorder(order)  # type: ignore[arg-type]


class Budget:
    """How many bytes more a pickle may ask for. Without one it could have a long string encoded, or copied, over and over."""

    def __init__(self, size: int):
        self.left = size

    def spend(self, count: int) -> None:
        """Take some of it away, or raise UnpicklingError."""
        self.left -= count
        if self.left < 0:
            refuse("it asks for more bytes than it contains")


class Latin1(Budget):
    """`_codecs.encode`, as which protocols 1 and 2 write bytes."""

    def encode(self, text: Any, encoding: Any) -> bytes:
        """The bytes whose numbers the letters of `text` have."""
        if expect(str, encoding) != "latin1":
            refuse("it encodes text in another way than latin1")
        self.spend(len(expect(str, text)))
        return expect(str, text).encode("latin-1")


class PickledArray(Buildable):
    """A `numpy.ndarray` on its way out of a pickle: its state is its shape, dtype and bytes.

    With a budget the array is a copy, in this machine's byte order, that may be changed; without, it shows the bytes themselves,
    and is read-only.
    """

    def __init__(self, copies: Budget | None, subtype: Any, shape: Any, typecode: Any):
        if not isinstance(subtype, Name) or subtype.name != "numpy.ndarray":
            refuse("it reconstructs something else than a numpy.ndarray")
        self.copies = copies

    def build(self, state: Any) -> NDArray[Any]:
        """The array; the number of its bytes must be what shape and dtype ask for."""
        _version, shape, dtype, is_fortran, raw = expect(tuple, state)
        sizes = [expect(int, size) for size in expect(tuple, shape)[:65]]  # NumPy knows at most 64 dimensions
        dtype = dtype.dtype if isinstance(dtype, PickledDtype) else dtype
        if not isinstance(dtype, np.dtype) or dtype.kind not in "biuf":
            refuse(f"it has a value of type {type(dtype).__name__} where the dtype of plain numbers is needed")
        if min(sizes, default=0) < 0 or prod(sizes) * dtype.itemsize != len(expect(bytes, raw)):
            refuse(f"it holds an array whose shape does not fit its {len(raw)} bytes")
        if dtype == np.bool_ and raw.strip(b"\0\1"):
            refuse("it holds an array of bools, of which some are neither 0 nor 1")
        array = np.ndarray(tuple(sizes), dtype, buffer=raw, order="F" if expect(bool, is_fortran) else "C")
        if self.copies is None:
            return array
        self.copies.spend(len(raw))
        return array.astype(dtype.newbyteorder("="), order="K")


def number(dtype: Any, raw: Any) -> Any:
    """NumPy's number of that dtype with those bytes."""
    array = PickledArray(None, Name("numpy.ndarray", None), (0,), b"b").build((1, (), dtype, False, raw))
    return array[()]


def array_names(size: int, writable: bool = False) -> dict[str, Callable[..., object] | None]:
    """What the names that pickled arrays and NumPy's numbers need stand for; `size` is that of the pickle."""
    array = partial(PickledArray, Budget(size) if writable else None)
    return {
        "numpy.ndarray": None,
        "numpy.dtype": PickledDtype,
        "_codecs.encode": Latin1(size).encode,
        **{f"{module}._reconstruct": array for module in MULTIARRAY},
        **{f"{module}.scalar": number for module in MULTIARRAY},
    }


MULTIARRAY = ("numpy._core.multiarray", "numpy.core.multiarray")  # since NumPy 2, and before


def load_arrays(data: bytes, max_operations: int = 10_000) -> Any:
    """What the pickle `data` describes, where it holds NumPy arrays of plain numbers; they are read-only.

    It may take `max_operations` steps to read; an array takes about 30.

    Raises
    ------
    pickle.UnpicklingError : if it holds or does anything else.

    Examples
    --------
    >>> import pickle
    >>> x, y = load_arrays(pickle.dumps((np.eye(2), np.arange(3)), protocol=2))
    >>> x
    array([[1., 0.],
           [0., 1.]])
    """
    return loads(data, array_names(len(data)), max_operations=max_operations)
