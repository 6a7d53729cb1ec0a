"""`save` and `load`: torch's checkpoint files, written and read without torch.

Such a file is a zip archive (see `archive`). Its record ``data.pkl`` is a pickle of the whole object in which
each tensor is a call, ``torch._utils._rebuild_tensor_v2(storage, offset, size, stride, ...)``, and each storage a
reference to a record ``data/0``, ``data/1`` ... of raw numbers. `_Writer` writes that pickle and `_Reader` says what its
names mean; `unpickler` reads it, and runs nothing.
"""

from __future__ import annotations

import io
import os
import pickle
import struct
import sys
from collections import Counter, OrderedDict
from functools import partial
from pickle import UnpicklingError
from typing import IO, Any, NoReturn

import numpy as np

from minigrad.arrays.dtypes import OLD_NAMES, Array, Size, check_device, device, dtype
from minigrad.arrays.storage import Storage, float32_of_bfloat16, show, storage_of
from minigrad.autograd import wrap
from minigrad.autograd.views import as_it_lies
from minigrad.nn.parameter import Parameter
from minigrad.serialization import safetensors
from minigrad.serialization.archive import Archive, write_archive
from minigrad.serialization.objects import Names, is_found, name_of, state_of
from minigrad.serialization.replacing import replacing
from minigrad.serialization.safe_globals import NUMPY, allowed
from minigrad.serialization.unpickler import array_names, expect, is_key, loads, refuse
from minigrad.tensors.tensor import Tensor

File = str | os.PathLike[str] | IO[bytes]

MAX_OPCODES = 2_000_000
"""The most that a pickle may have: some seconds of reading, some 100 bytes of memory for each. A tensor takes about 40."""

BFLOAT16 = np.dtype("V2")  # NumPy has no such numbers: two bytes each, which are read as float32


def save(
    obj: object, f: File, pickle_module: Any = pickle, pickle_protocol: int = 2, _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:  # fmt: skip
    """Write an object to a file that `load` and torch's ``torch.load`` read.

    The file appears under its name when it is complete; until then, and if anything goes wrong, what was there before
    stays. Equal objects give equal bytes. Tensors that share memory do so in the file, which holds, as torch's, all the
    memory that a view is taken from: save ``x[0].clone()`` to leave the rest of `x` out.

    Parameters
    ----------
    obj
        Tensors, parameters, `state_dict`s; None, bool, int, float, str, bytes, `Size`, dtypes, devices; arrays and numbers of
        NumPy; lists, tuples, dicts, `OrderedDict`s and `Counter`s of them. Keys, and what is in a set, are text or numbers.
        Whole modules, too, and other objects that are nothing but their attributes: the file has the name of the class. So only a
        program that has the class can read it, in the same library; a `state_dict` is safer.
    f : str, path or binary file
        Where to.
    pickle_module, pickle_protocol, _use_new_zipfile_serialization, _disable_byteorder_record
        torch's other ways of writing; only the defaults are supported.

    Raises
    ------
    TypeError
        If the object holds anything else; the message says where. Nothing has been written then.
    ValueError
        If it is nested too deeply, or holds millions of numbers outside tensors.
    RuntimeError
        If the folder does not exist, or the file cannot be written.
    AttributeError
        If `f` is nothing that can be written to.
    NotImplementedError
        If another way of writing is asked for.

    Examples
    --------
    >>> import io, minigrad as torch
    >>> file = io.BytesIO()
    >>> torch.save({"weight": torch.ones(2), "epoch": 3}, file)
    >>> torch.load(file)
    {'weight': tensor([1., 1.]), 'epoch': 3}
    """
    if pickle_module is not pickle or pickle_protocol != 2 or not _use_new_zipfile_serialization or _disable_byteorder_record:
        raise NotImplementedError("save(): of pickle_module, pickle_protocol, _use_new_zipfile_serialization and "
                                  "_disable_byteorder_record only the defaults are supported; omit them")
    if not isinstance(f, (str, os.PathLike)) and not hasattr(f, "write"):
        raise AttributeError("expected 'f' to be string, path, or a file-like object with a 'write' attribute")
    writer = _Writer()
    try:
        writer.write(obj, "state")
    except RecursionError:
        raise ValueError("save(): the object is nested too deeply") from None
    records = [
        ("data.pkl", b"".join([b"\x80\x02", *writer.opcodes, b"."])), ("byteorder", sys.byteorder.encode()),
        *((f"data/{number}", storage.flat.view(np.uint8)) for number, storage in writer.storages.values()), ("version", b"3\n"),
    ]  # fmt: skip
    if isinstance(f, (str, os.PathLike)):
        with replacing(f) as part, open(part, "wb") as file:
            write_archive(file, records)
    else:
        buffer = io.BytesIO()
        write_archive(buffer, records)
        f.write(buffer.getvalue())


def load(
    f: File, map_location: Any = None, pickle_module: Any = None, *, weights_only: bool | None = True,
    mmap: bool | None = None, **pickle_load_args: Any,
) -> Any:  # fmt: skip
    """Read what `save`, or torch's ``torch.save``, has written. Nothing in the file is executed, whatever it holds.

    Parameters
    ----------
    f : str, path or binary file
        Where from; a file must be able to seek. A path that ends in ``.safetensors`` goes to
        `minigrad.serialization.safetensors.load_file`.
    map_location : str, device or dict, optional
        Where tensors go, for files from other devices: ``"cpu"``, or ``{"cuda:0": "cpu"}``.
    weights_only : bool
        With False, arrays and numbers of NumPy are read, too, and whole modules, if the program has their classes. That is
        all: whatever it is, nothing in the file is executed. Objects of other classes are read after `add_safe_globals`.
    mmap : bool
        Map the file into memory: of large tensors, only what is used is read, and their checksums are not verified. What is changed
        stays in memory.
    pickle_module, pickle_load_args
        Not supported.

    Returns
    -------
    The object. bfloat16 tensors come as float32; tensors that shared memory share it again.

    Raises
    ------
    pickle.UnpicklingError
        If the file describes anything but what `save` writes, or wants to run something.
    RuntimeError
        If the file is damaged, is not what torch has written since version 1.6, or holds tensors of another device.
    ValueError
        If its numbers are in a byte order that nobody knows.
    OSError
        If it cannot be read.
    """
    if pickle_module is not None:
        raise RuntimeError("Can not safely load weights when explicit pickle_module is specified")
    if pickle_load_args or callable(map_location):
        name = next(iter(pickle_load_args), "map_location=<function>")
        raise NotImplementedError(f"load(): {name} is not supported; use map_location='cpu' or omit it")
    if not isinstance(map_location, dict):
        try:
            check_device(map_location)
        except AssertionError as error:  # torch's here is another than for a tensor
            raise RuntimeError(f"load(): {error}") from None
    modules = weights_only is False
    if isinstance(f, (str, os.PathLike)):
        name = os.fspath(f)
        if name.endswith(".safetensors"):
            return safetensors.load_file(name)
        with open(f, "rb") as file:
            return _load(file, name, map_location, bool(mmap), modules)
    if mmap:
        raise ValueError("f must be a file path in order to use the mmap argument")
    for method in ("read", "seek", "tell"):
        if not hasattr(f, method):
            raise AttributeError(f"'{type(f).__name__}' object has no attribute '{method}'. You can only load from a file that is "
                                 "seekable: read it into io.BytesIO and load from that")
    return _load(f, "the file", map_location, False, modules)


def _load(file: IO[bytes], name: str, map_location: Any, mapped: bool, modules: bool) -> Any:
    try:
        archive = Archive(file, mapped)
        data = archive.read_bytes("data.pkl")
        reader = _Reader(archive, map_location)
        names = Names(reader.names(len(data), NUMPY if modules else set(map(name_of, allowed()))), allowed(), modules)
        return loads(data, names, reader.storage, MAX_OPCODES, names.build)
    except (UnpicklingError, RuntimeError, ValueError) as error:
        raise type(error)(f"cannot load {name}: {error}") from None


# ---- writing -------------------------------------------------------------------------------------------------------------


class _Name(str):
    """The name of a function, class or constant in torch."""

    __slots__ = ()


class _Reference(tuple[Any, ...]):
    """What stands in the pickle for something outside it: a "persistent id"."""

    __slots__ = ()


class _Writer:
    """Writes an object as the opcodes of a pickle of protocol 2, and collects the storages that its tensors show.

    Python's own pickler cannot serve: it insists that names such as ``torch.FloatStorage`` can be imported, and its
    bytes depend on which equal strings are the same object. Here only what can be changed counts by identity.
    """

    REMEMBERED = (str, bytes, _Name, list, dict, set, OrderedDict, Counter, Tensor, Parameter, np.ndarray)

    KNOWN = (type(None), int, float, tuple, dtype, device, np.generic, np.dtype, *REMEMBERED)  # the others are a program's objects

    def __init__(self) -> None:
        self.opcodes: list[bytes] = []
        self.memo: dict[Any, tuple[int, Any]] = {}  # (number, object: alive, so that no other gets its id)
        self.storages: dict[Any, tuple[int, Storage]] = {}

    def write(self, x: Any, path: str) -> None:
        """Append what makes a reader put `x` onto its stack; `path` says where in the whole it is."""
        op, kind = self.opcodes.append, type(x)
        state = None if isinstance(x, self.KNOWN) else state_of(x)
        if len(self.opcodes) > MAX_OPCODES - 5000:  # what is open now takes some more to close
            raise ValueError(f"save(): the object takes more than the {MAX_OPCODES} opcodes that load() reads: put long lists of "
                             "numbers into tensors")
        key = (kind, x) if kind in (str, bytes, _Name) else id(x)
        if key in self.memo:
            return op(b"j" + struct.pack("<I", self.memo[key][0]))
        if x is None or kind in (bool, int, float):
            op(pickle.dumps(x, 2)[2:-1])  # between the mark of the protocol and STOP
            if self.opcodes[-1][:1] == pickle.LONG4:
                raise ValueError(f"save(): {path} is an integer of more than 255 bytes, which torch would not load")
        elif kind is str:
            text = x.encode("utf-8", "surrogatepass")
            op(b"X" + struct.pack("<I", len(text)) + text)
        elif kind is _Name:
            op("c{}\n{}\n".format(*x.rsplit(".", 1)).encode())
        elif kind is dtype:
            self.write(_Name(repr(x)), path)
        elif kind is tuple or kind is _Reference:
            op(b"(")
            for i, item in enumerate(x):
                self.write(item, f"{path}[{i}]")
            op(b"t" if kind is tuple else b"tQ")
        elif kind is list or kind is dict:
            op(b"]" if kind is list else b"}")
        elif is_found(x):
            self.write(_Name(name_of(x)), path)
        elif state is not None:
            self.write(_Name(name_of(kind)), path)
            op(b")\x81")
        else:
            function, arguments = self._call(x, path)
            self.write(_Name(function), path)
            self.write(arguments, path)
            op(b"R")
        if kind in self.REMEMBERED or state is not None:
            op(b"r" + struct.pack("<I", len(self.memo)))
            self.memo[key] = len(self.memo), x
        if kind in (list, dict, OrderedDict):  # behind the memo, as they may contain themselves
            self._fill(x, path)
        if state is not None:
            self._build(state, path)
        if kind is np.ndarray:
            self._fill_array(x, path)
        if isinstance(x, np.dtype):
            self._build((3, x.str[0], None, None, None, -1, -1, 0), path)
        return None

    def _fill_array(self, x: Array, path: str) -> None:
        """Append the state of an array. Its bytes are never shared with another's, so a reader may limit what it copies."""
        self.opcodes.append(b"(")
        for item in (1, x.shape, x.dtype, x.flags.fnc):
            self.write(item, path)
        self.write(_Name("_codecs.encode"), path)
        text = x.tobytes("F" if x.flags.fnc else "C").decode("latin-1").encode()
        self.opcodes.append(b"(X" + struct.pack("<I", len(text)) + text)
        self.write("latin1", path)
        self.opcodes.append(b"tRtb")

    def _build(self, state: Any, path: str) -> None:
        """Append what gives the object written last its state."""
        self.write(state, path)
        self.opcodes.append(b"b")

    def _fill(self, x: Any, path: str) -> None:
        """Append the items of a list or dict."""
        self.opcodes.append(b"(")
        for key, item in enumerate(x) if type(x) is list else x.items():
            where = f"{path}[{key!r}]"
            if type(x) is not list:
                if not is_key(key):
                    raise TypeError(f"save(): {path} has a key of type {type(key).__name__} which is neither text nor a number "
                                    "below 2**61")
                self.write(key, where)
            self.write(item, where)
        self.opcodes.append(b"e" if type(x) is list else b"u")
        if hasattr(x, "_metadata"):  # of a state_dict of torch's
            self._build({"_metadata": x._metadata}, path)

    def _call(self, x: Any, path: str) -> tuple[str, tuple[Any, ...]]:
        """The function that makes `x` when it is loaded, and its arguments."""
        kind = type(x)
        if kind is bytes:
            return "_codecs.encode", (x.decode("latin-1"), "latin1")
        if kind is OrderedDict:
            return "collections.OrderedDict", ()
        if kind is set:
            if not all(map(is_key, x)):
                raise TypeError(f"save(): {path} has a member that is neither text nor a number below 2**61")
            return "__builtin__.set", (sorted(x, key=repr),)
        if kind is Counter:
            return "collections.Counter", (dict(x),)
        if kind is Size:
            return "torch.Size", (tuple(x),)
        if kind is device:
            return "torch.device", (x.type,) if x.index is None else (x.type, x.index)
        if kind is Parameter:
            return "torch._utils._rebuild_parameter", (x.data, x.requires_grad, OrderedDict())
        if kind is Tensor:
            storage = storage_of(x.array)
            number, _ = self.storages.setdefault(storage.key, (len(self.storages), storage))
            numbers = _Name(f"torch.{OLD_NAMES[x.dtype]}Storage")
            reference = _Reference(("storage", numbers, str(number), "cpu", storage.flat.size))
            place = storage.offset, tuple(x.shape), storage.strides
            return "torch._utils._rebuild_tensor_v2", (reference, *place, x.requires_grad, OrderedDict())
        if kind is np.ndarray and x.dtype.kind in "biuf":
            return "numpy._core.multiarray._reconstruct", (_Name("numpy.ndarray"), (0,), b"b")
        if isinstance(x, np.generic) and x.dtype.kind in "biuf":
            return "numpy._core.multiarray.scalar", (x.dtype, x.tobytes())
        if isinstance(x, np.dtype) and x.kind in "biuf":
            return "numpy.dtype", (x.str[1:], False, True)
        of = f" of {x.dtype}" if isinstance(x, (np.ndarray, np.generic)) else ""
        raise TypeError(f"save(): {path} is of type {kind.__name__}{of}; a checkpoint holds tensors, numbers, text, bytes, dtypes, "
                        "devices, arrays of numbers, lists, tuples, dicts, sets, modules, and objects and functions that can be "
                        "imported (of a module or optimizer save state_dict())")



# ---- reading -------------------------------------------------------------------------------------------------------------


class _Reader:
    """What the names and references in a pickle stand for. Everything here meets hostile arguments."""

    def __init__(self, archive: Archive, map_location: Any) -> None:
        self.archive, self.map_location = archive, map_location
        self.storages: dict[str, tuple[Any, Array]] = {}
        self.known: set[int] = set()  # the ids of the storages, which live as long as this
        order = archive.read_bytes("byteorder") if "byteorder" in archive.places else b"little"
        if order not in (b"little", b"big"):
            raise ValueError(f"its record 'byteorder' is {order[:20]!r}, and neither 'little' nor 'big'")
        self.swapped = order != sys.byteorder.encode()

    def names(self, size: int, safe: set[str]) -> dict[str, object]:
        """Name -> constructor, or the object itself; `size` is that of the pickle, `safe` are those of NumPy's that may be read."""
        safe = {"_codecs.encode", *safe}
        return {
            "torch._utils._rebuild_tensor_v2": self.tensor,
            "torch._utils._rebuild_parameter": lambda data, grad, hooks: Parameter(expect(Tensor, data), expect(bool, grad)),
            "torch.Size": lambda values: Size(_sizes(values)),
            "torch.device": lambda kind, index=None: device(expect(str, kind)[:20], None if index is None else expect(int, index)),
            "collections.OrderedDict": lambda: OrderedDict(),
            "collections.Counter": lambda counts: _moved(Counter, expect(dict, counts)),
            "__builtin__.set": lambda members: _moved(set, expect(list, members)),
            **{name: what if name.replace("numpy.core", "numpy._core") in safe else partial(_not_safe, name)
               for name, what in array_names(size, writable=True).items()},
            "__builtin__.bytes": lambda: b"",
            "torch.BFloat16Storage": BFLOAT16,
            **{f"torch.{name}Storage": kind.numpy for kind, name in OLD_NAMES.items()},
            **{repr(kind): kind for kind in OLD_NAMES},
        }

    def storage(self, reference: Any) -> Array:
        """The numbers that ``("storage", type, key, location, count)`` refers to."""
        _, kind, key, location, count = expect(tuple, reference)
        if not isinstance(kind, np.dtype) or expect(int, count) < 0:
            refuse("it refers to something else than numbers")
        if expect(str, key) not in self.storages:
            self._check_location(expect(str, location))
            size, expected = self.archive.size(f"data/{key}"), count * kind.itemsize
            if size != expected:  # before memory is taken for it
                raise RuntimeError(f"its record 'data/{key}' has {size} bytes, and the {count} numbers in it take {expected}")
            self.storages[key] = (kind, count), self._numbers(self.archive.read(f"data/{key}"), kind)
            self.known.add(id(self.storages[key][1]))
        known, numbers = self.storages[key]
        if known != (kind, count):  # each type would take a conversion, and so more memory
            refuse("it refers to one storage as of two types or sizes")
        return numbers

    def _check_location(self, location: str) -> None:
        if isinstance(self.map_location, dict):
            location = str(self.map_location.get(location, location))
        if location != "cpu" and (self.map_location is None or isinstance(self.map_location, dict)):
            raise RuntimeError(f"it holds tensors of device {location[:20]!r}, and minigrad computes on the CPU only; give "
                               "map_location='cpu'")

    def _numbers(self, raw: Array, kind: np.dtype[Any]) -> Array:
        numbers = raw.view(np.uint16 if kind == BFLOAT16 else kind)
        if self.swapped:
            numbers = numbers.byteswap()
        if kind == BFLOAT16:
            return float32_of_bfloat16(numbers)
        return raw != 0 if kind == np.bool_ else numbers  # a bool that is neither 0 nor 1 would confuse NumPy

    def tensor(self, storage: Any, offset: Any, shape: Any, strides: Any, grad: Any, hooks: Any, extra: Any = None) -> Tensor:
        """The tensor that shows a part of a storage. Hooks, which torch does not write, are ignored."""
        if extra is not None:
            refuse("it has a tensor with conjugate or negative bits")
        if id(expect(np.ndarray, storage)) not in self.known:
            refuse("it has a tensor in the memory of an array")
        try:
            array = show(storage, expect(int, offset), _sizes(shape), _sizes(strides))
        except (ValueError, TypeError, OverflowError):
            refuse(f"it has a tensor that reaches outside its storage of {storage.size} numbers, or has more than fit into memory")
        return as_it_lies(wrap(array)).requires_grad_(expect(bool, grad))


def _sizes(values: Any) -> tuple[int, ...]:
    if len(expect(tuple, values)) > 64 or any(expect(int, n) < 0 for n in values):
        refuse("it has a tensor with negative sizes or steps, or too many of them")
    return values


def _not_safe(name: str, *arguments: Any) -> NoReturn:
    refuse(f"it names {name}, as NumPy's arrays and numbers do. To read them, please use weights_only=False, or "
           f"torch.serialization.add_safe_globals([{name}])")


def _moved(kind: type[Any], items: Any) -> Any:
    if not all(map(is_key, items)):
        refuse("it has a set or Counter with a member that is neither text nor a number below 2**61")
    result = kind(items)
    items.clear()  # or a file could have one dict or list copied over and over
    return result
