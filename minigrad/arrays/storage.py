"""The memory behind arrays. Memory that several of them share stays shared in copies and in files."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.arrays.dtypes import Array


class Storage(NamedTuple):
    """The memory that an array shows, and where in it the array lies.

    Attributes
    ----------
    owner : numpy.ndarray
        What the array is, through any number of others, a view of.
    flat : numpy.ndarray
        All of that memory, as elements of the array's dtype in one row.
    offset : int
        Place of the array's first element in `flat`.
    strides : tuple of int
        Steps in `flat` from one index to the next, for each dimension.
    """

    owner: Array
    flat: Array
    offset: int
    strides: tuple[int, ...]

    @property
    def key(self) -> Any:
        """The same for arrays that share memory, as long as they live."""
        return id(self.owner), self.flat.dtype


def owner_of(array: Any) -> Any:
    """The array that owns the memory: what `array` is, through any number of others, a view of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def storage_of(array: Array) -> Storage:
    """The memory that `array` shows; a copy's where torch has no such views: steps backwards, or of parts of an element."""
    owner, size = owner_of(array), array.itemsize
    low, high = np.lib.array_utils.byte_bounds(owner)
    offset = array.ctypes.data - low
    if offset % size or any(step < 0 or step % size for step in array.strides):
        return storage_of(array.copy())
    count = (high - low) // size
    flat = np.empty(0, array.dtype)
    if count:  # by its address: the owner may have gaps, or another dtype
        memory = (ctypes.c_char * (count * size)).from_address(low)
        memory.owner = owner  # which lives as long as `flat` does
        flat = np.frombuffer(memory, array.dtype)
    return Storage(owner, flat, offset // size, tuple(step // size for step in array.strides))


def show(flat: Array, offset: int, shape: Sequence[int], strides: Sequence[int]) -> Array:
    """The array of that shape in the memory of `flat`; one without elements may lie anywhere.

    Raises
    ------
    ValueError, TypeError, OverflowError
        If it would reach outside `flat`.
    """
    size = flat.itemsize
    if 0 in shape:
        return np.empty(shape, flat.dtype)
    array = np.ndarray(shape, flat.dtype, flat, offset * size, [step * size for step in strides])
    if any(n > 1 and step == 0 for n, step in zip(shape, strides, strict=True)):
        array.flags.writeable = False  # as `expand` does it: two elements in one place
    return array


def shown(x: Array, shape: Sequence[int], strides: Sequence[int], first: int) -> Array:
    """The memory that x shows a part of, in another shape: `strides` are in bytes, and `first` is the number of the first byte.

    NumPy's own `as_strided` hides the array that owns the memory, by which views are recognised.
    """
    owner = _owner(x)
    memory = owner.transpose(np.argsort([-step for step in owner.strides], stable=True))  # in the order of its addresses
    last = first + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if math.prod(shape) and last + x.itemsize > memory.nbytes:
        raise RuntimeError(f"setStorage: sizes {list(shape)} and strides {[s // x.itemsize for s in strides]} reach "
                           f"{last + x.itemsize} bytes, out of bounds for storage of size {memory.nbytes}")
    return np.ndarray(tuple(shape), x.dtype, memory, first if math.prod(shape) else 0, tuple(strides))


def _owner(x: Array) -> Array:
    return x.base if isinstance(x.base, np.ndarray) and x.base.dtype == x.dtype else x


def first_byte(x: Array) -> int:
    """Where in its memory, which `shown` takes, x begins."""
    return x.ctypes.data - _owner(x).ctypes.data


def resized(x: Array, shape: Sequence[int]) -> Array:
    """The memory of x, from its first element on, in another shape and in order; new memory if there is not enough of it."""
    fresh = np.empty(shape, x.dtype)
    first, owner = first_byte(x), _owner(x)
    if first + fresh.nbytes <= owner.nbytes:
        return shown(x, shape, fresh.strides, first)
    known = (owner.nbytes - first) // x.itemsize
    fresh.reshape(-1)[:known] = shown(x, (known,), (x.itemsize,), first)
    return fresh


def deep_copied(array: Array, memo: dict[Any, Any]) -> Array:
    """A copy of `array` that shares its memory with the copies, under the same `memo`, of what `array` shares it with."""
    storage = storage_of(array)
    if storage.key not in memo:
        memo[storage.key] = storage.flat.copy(), storage.owner  # which lives on, or another could get its id
    return show(memo[storage.key][0], storage.offset, array.shape, storage.strides)


def float32_of_bfloat16(bits: Array) -> Array:
    """bfloat16 numbers, of which NumPy has none, from the uint16 that they are in memory: the upper halves of float32."""
    return (bits.astype(np.uint32) << 16).view(np.float32)
