"""Memory that processes share: a file without a name, which each of them maps."""

from __future__ import annotations

import mmap
import os
from typing import Any

import numpy as np


class SharedMemory(mmap.mmap):
    """A piece of memory that is the same in all processes that have its file descriptor, `fd`. It lives as long as one of them."""

    fd: int

    def __new__(cls, fd: int, size: int) -> SharedMemory:
        """Map a file, which stays open for processes to come."""
        memory = super().__new__(cls, fd, size)
        memory.fd = fd
        return memory

    def __del__(self) -> None:
        os.close(self.fd)

    def __reduce__(self) -> Any:
        """How `multiprocessing` sends the memory to another process: once in a message, however many arrays lie in it."""
        from multiprocessing.reduction import DupFd  # is loaded already, by who sends

        return _arrived, (DupFd(self.fd), len(self))


def anonymous_file(name: str) -> int:
    """A descriptor of a file in memory, which `/dev/shm` and its limits have nothing to do with; a temporary file elsewhere."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create(name)
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def new_memory(size: int) -> SharedMemory:
    """Memory of so many bytes, all zeros."""
    fd = anonymous_file("minigrad")
    os.ftruncate(fd, max(size, 1))
    return SharedMemory(fd, max(size, 1))


def memory_of(array: Any) -> SharedMemory | None:
    """The shared memory in which an array lies, if it does."""
    while isinstance(array, (np.ndarray, memoryview)):
        array = array.base if isinstance(array, np.ndarray) else array.obj
    return array if isinstance(array, SharedMemory) else None


def shared_copy(array: Any) -> Any:
    """The same numbers in shared memory, in the same order."""
    memory = new_memory(array.nbytes)
    order = sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))
    copy = np.ndarray([array.shape[axis] for axis in order], array.dtype, memory).transpose(np.argsort(order))
    copy[...] = array
    return copy


def _arrived(sent: Any, size: int) -> SharedMemory:
    return SharedMemory(sent.detach(), size)


def reference(array: Any) -> tuple[Any, ...] | None:
    """What `np.ndarray` needs to make the array again in another process; None if it does not lie in shared memory."""
    memory = memory_of(array)
    if memory is None:
        return None
    start = array.ctypes.data - np.frombuffer(memory, np.uint8).ctypes.data
    return array.shape, array.dtype.str, memory, start, array.strides
