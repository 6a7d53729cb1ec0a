"""Tensors in safetensors files, under the names of ``safetensors.torch``. Needs the package ``safetensors``.

Such a file holds a flat dict of tensors and some text: a header with names, dtypes and shapes, and the numbers.
"""

from __future__ import annotations

import math
import mmap
import os
from collections.abc import Container
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Array, check_device
from minigrad.arrays.storage import float32_of_bfloat16, storage_of
from minigrad.autograd import wrap
from minigrad.nn.module import Module
from minigrad.serialization.replacing import replacing
from minigrad.tensors.tensor import Tensor

CODES = {
    "F16": "<f2", "F32": "<f4", "F64": "<f8", "BF16": "<u2", "I8": "i1", "I16": "<i2", "I32": "<i4", "I64": "<i8", "U8": "u1",
    "BOOL": "u1",
}  # fmt: skip


def save_file(tensors: dict[str, Tensor], filename: str | os.PathLike[str], metadata: dict[str, str] | None = None) -> None:
    """Write tensors to a file, which appears when it is complete.

    Parameters
    ----------
    tensors : dict of str to Tensor
        What to save. Views are packed first.
    filename : str or path
        Where to.
    metadata : dict of str to str, optional
        Text to go with them.

    Raises
    ------
    RuntimeError
        If tensors share memory, which the format cannot say; `minigrad.save` can.
    ValueError
        If `tensors` is no dict of tensors.
    ImportError
        If the package ``safetensors`` is missing.
    """
    writer, arrays = _library().numpy, _arrays(tensors)
    with replacing(filename) as part:
        writer.save_file(arrays, part, metadata)


def save(tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """The bytes that `save_file` would write."""
    return _library().numpy.save(_arrays(tensors), metadata)


def load_file(filename: str | os.PathLike[str], device: Any = "cpu") -> dict[str, Tensor]:
    """The tensors in a file, by name, sorted; bfloat16 comes as float32.

    The file is mapped into memory: only what is used is read. What is changed stays in memory.

    Raises
    ------
    safetensors.SafetensorError
        If the file is damaged.
    TypeError
        If it holds tensors of a dtype that minigrad does not have.
    ImportError
        If the package ``safetensors`` is missing.
    """
    check_device(device)
    arrays = {}
    with _library().safe_open(filename, framework="np") as entries, open(filename, "rb") as file:
        place = 8 + int.from_bytes(file.read(8), "little")  # behind the header, whose length comes first
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        for name in entries.offset_keys():  # one behind the other, with no gaps, which the library checks
            entry = entries.get_slice(name)
            arrays[name] = _array(name, entry.get_dtype(), entry.get_shape(), mapped, place)
            place += arrays[name].size * np.dtype(CODES[entry.get_dtype()]).itemsize
    return {name: wrap(arrays[name]) for name in sorted(arrays)}


def load(data: bytes) -> dict[str, Tensor]:
    """The tensors in the bytes of a safetensors file, by name, sorted; see `load_file`."""
    entries = sorted(_library().deserialize(data), key=lambda entry: entry[0])
    return {name: wrap(_array(name, entry["dtype"], entry["shape"], bytearray(entry["data"]))) for name, entry in entries}


def save_model(
    model: Module, filename: str | os.PathLike[str], metadata: dict[str, str] | None = None, force_contiguous: bool = True,
) -> None:
    """Write a module's parameters and buffers to a file; of those that are tied, one, and the others' names as text.

    Parameters
    ----------
    model : Module
        What to save.
    filename : str or path
        Where to.
    metadata : dict of str to str, optional
        Text to go with them.
    force_contiguous : bool
        Changes nothing: what is written is always packed.

    Raises
    ------
    RuntimeError
        If none of several tensors that share memory covers all of it.
    """
    state = model.state_dict()
    tied = _tied(state)
    save_file({name: x for name, x in state.items() if name not in tied}, filename, {**tied, **(metadata or {})} or None)


def load_model(
    model: Module, filename: str | os.PathLike[str], strict: bool = True, device: Any = "cpu",
) -> tuple[set[str], list[str]]:
    """Copy the tensors in a file that `save_model` wrote into a module.

    Returns
    -------
    missing, unexpected : set of str, list of str
        Names that the module has and the file lacks, and the other way round.

    Raises
    ------
    RuntimeError
        If there are such names and `strict` is set. Errors of `load_file` and `Module.load_state_dict` pass through.
    """
    tensors = load_file(filename, device)
    tied = _tied(model.state_dict(), tensors)
    keys = model.load_state_dict(tensors, strict=False)
    missing = set(keys.missing_keys) - tied.keys()
    unexpected = [*keys.unexpected_keys, *(name for name in tied if name in tensors)]
    if strict and (missing or unexpected):
        lists = (("Missing", sorted(missing)), ("Unexpected", sorted(unexpected)))
        lines = [f"\n    {kind} key(s) in state_dict: " + ", ".join(f'"{n}"' for n in names) for kind, names in lists if names]
        raise RuntimeError(f"Error(s) in loading state_dict for {type(model).__name__}:{''.join(lines)}")
    return missing, unexpected


def _tied(state: dict[str, Tensor], preferred: Container[str] = ()) -> dict[str, str]:
    """The names that need not be in a file, each with the name of the tensor whose memory theirs is a part of."""
    tied: dict[str, str] = {}
    for group in _shared(state):
        whole = sorted(name for name in group if state[name].array.size == storage_of(state[name].array).flat.size)
        if not whole:
            raise RuntimeError(f"Some tensors share memory, and none of them covers all of it: {sorted(group)}. Save clones, or "
                               "use minigrad.save, which keeps them shared")
        kept = next((name for name in whole if name in preferred), whole[0])
        tied |= {name: kept for name in sorted(group) if name != kept}
    return tied


def _library() -> Any:
    try:
        import safetensors
        import safetensors.numpy
    except ImportError:
        raise ImportError("safetensors files need the package safetensors: pip install safetensors") from None
    return safetensors


def _arrays(tensors: Any) -> dict[str, Array]:
    """The arrays to be written, packed: the library writes the bytes behind a view's first element, whatever its strides."""
    if not isinstance(tensors, dict):
        raise ValueError(f"Expected a dict of [str, Tensor] but received {type(tensors)}")
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor):
            raise ValueError(f"Key `{name}` is invalid, expected a Tensor but received {type(tensor)}")
    if shared := _shared(tensors):
        raise RuntimeError("Some tensors share memory, this will lead to duplicate memory on disk and potential differences when "
                           f"loading them again: {shared}. Save clones, or use minigrad.save, which keeps them shared")
    return {name: np.asarray(tensor.array, order="C") for name, tensor in tensors.items()}


def _shared(tensors: dict[str, Tensor]) -> list[list[str]]:
    """The names of tensors whose memory overlaps, in groups."""
    groups: list[list[str]] = []
    end = 0
    for low, high, name in sorted((*np.lib.array_utils.byte_bounds(x.array), name) for name, x in tensors.items() if x.array.size):
        if low >= end:
            groups.append([])
        groups[-1].append(name)
        end = max(end, high)
    return [group for group in groups if len(group) > 1]


def _array(name: str, dtype: str, shape: list[int], data: Any, start: int = 0) -> Array:
    if dtype not in CODES:
        raise TypeError(f"tensor {name!r} is of dtype {dtype}, which minigrad does not have")
    array = np.frombuffer(data, CODES[dtype], math.prod(shape), start).reshape(shape)
    if dtype == "BF16":
        return float32_of_bfloat16(array)
    if dtype == "BOOL":
        return array != 0
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    return array if array.flags.aligned else array.copy()
