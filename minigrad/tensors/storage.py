"""`x.storage()` and `x.untyped_storage()`: the memory behind a tensor, in one row, as torch's tutorials show it.

Views of one tensor have one storage. What is written into it is seen by all of them, and noticed by no graph.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from minigrad.arrays.dtypes import CPU, DTYPES, Array, device, dtype
from minigrad.arrays.sharing import memory_of
from minigrad.arrays.storage import storage_of


class _Storage:
    """What both kinds share; `_row` is the memory as a one-dimensional array, and `_owner` the array that owns it."""

    def __init__(self, row: Array, owner: Any = None) -> None:
        self._row, self._owner = row, owner

    @classmethod
    def of(cls, array: Array) -> Self:
        """The memory that an array shows."""
        memory = storage_of(array)
        return cls(memory.flat, memory.owner)

    @property
    def device(self) -> device:
        """Where the memory is."""
        return CPU

    @property
    def is_cuda(self) -> bool:
        """False."""
        return False

    def __len__(self) -> int:
        return len(self._row)

    def size(self) -> int:
        """How many elements there are."""
        return len(self._row)

    def nbytes(self) -> int:
        """How many bytes there are."""
        return self._row.nbytes

    def element_size(self) -> int:
        """Bytes of an element."""
        return self._row.itemsize

    def data_ptr(self) -> int:
        """Address of the first byte."""
        return self._row.ctypes.data if len(self._row) else 0

    def is_shared(self) -> bool:
        """Whether other processes see the memory."""
        return self._owner is not None and memory_of(self._owner) is not None

    def tolist(self) -> list[Any]:
        """All elements as Python's numbers."""
        return self._row.tolist()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def __getitem__(self, index: Any) -> Any:
        return self._row[self._checked(index)].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        if not isinstance(index, slice):
            index = self._checked(index)
        self._row[index] = value

    def _checked(self, index: Any) -> int:
        if not isinstance(index, int):
            raise RuntimeError(f"can't index a {type(self)} with {type(index)}")
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} out of range for storage of size {len(self)}")
        return index

    def fill_(self, value: Any) -> Self:
        """Write one number into all elements."""
        self._row[...] = value
        return self

    def copy_(self, source: _Storage, non_blocking: bool | None = None) -> Self:
        """Write the bytes of another storage into this one.

        Raises
        ------
        RuntimeError
            If it has another number of them.
        """
        if source.nbytes() != self.nbytes():
            raise RuntimeError(f"size does not match, self was {self.nbytes()} bytes but src was {source.nbytes()} bytes")
        self._row.view(np.uint8)[...] = source._row.view(np.uint8)
        return self

    def clone(self) -> Self:
        """The same numbers in memory of their own."""
        return type(self)(self._row.copy())

    def cpu(self) -> Self:
        """Itself."""
        return self

    def resize_(self, size: int) -> None:
        """Not supported: tensors would keep the memory they have."""
        raise NotImplementedError(f"{type(self).__name__}.resize_ is not supported: make a larger tensor")

    def _text(self, kind: str) -> str:
        numbers = "\n ".join(map(str, self.tolist()))
        return f" {numbers}\n[torch.storage.{type(self).__name__}({kind}device=cpu) of size {len(self)}]"


class UntypedStorage(_Storage):
    """Memory as bytes."""

    def __init__(self, row: Array, owner: Any = None) -> None:
        super().__init__(row.view(np.uint8), owner)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return UntypedStorage(self._row[index], self._owner)
        return super().__getitem__(index)

    def __repr__(self) -> str:
        return self._text("")


class TypedStorage(_Storage):
    """Memory as numbers of one dtype; deprecated in torch, as its first use says."""

    @property
    def dtype(self) -> dtype:
        """Of the numbers."""
        return DTYPES[self._row.dtype]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            raise RuntimeError("slices are only supported in UntypedStorage.__getitem__")
        return super().__getitem__(index)

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return UntypedStorage(self._row, self._owner)

    def __repr__(self) -> str:
        return self._text(f"dtype={self.dtype}, ")

