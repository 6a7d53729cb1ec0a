"""`torch.multiprocessing`: Python's `multiprocessing`, whose processes can share the memory of tensors.

``tensor.share_memory_()`` moves a tensor's memory to where processes share it. What one process writes there, the others see. A
shared tensor is sent to another process by reference, whether that was forked or spawned; any other tensor is copied.

`spawn` starts the ranks of `minigrad.distributed`.
"""

from __future__ import annotations

from multiprocessing import *  # noqa: F403  (all of its names are ours, too)
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np

from minigrad.arrays.sharing import reference
from minigrad.autograd import wrap
from minigrad.autograd.views import as_it_lies
from minigrad.multiprocessing.spawn import ProcessExitedException, spawn
from minigrad.nn.parameter import Parameter
from minigrad.tensors.tensor import Tensor


def _reduced(tensor: Any) -> Any:
    """How a tensor is sent to another process: by reference if it lies in shared memory, else as a copy."""
    shared = None if tensor._node is not None else reference(tensor.array)
    return tensor.__reduce__() if shared is None else (_received, (shared, tensor._requires_grad, type(tensor)))


def _received(shared: Any, requires_grad: bool, cls: type) -> Tensor:
    return as_it_lies(wrap(np.ndarray(*shared), requires_grad, cls))


for _class in (Tensor, Parameter):
    ForkingPickler.register(_class, _reduced)


def get_all_sharing_strategies() -> set[str]:
    """The one way in which memory is shared here, under torch's name: by a file descriptor."""
    return {"file_descriptor"}


def get_sharing_strategy() -> str:
    """``"file_descriptor"``."""
    return "file_descriptor"


def set_sharing_strategy(new_strategy: str) -> None:
    """Choose how memory is shared.

    Raises
    ------
    NotImplementedError
        For another way than ``"file_descriptor"``.
    """
    if new_strategy != "file_descriptor":
        raise NotImplementedError(f"set_sharing_strategy(): only 'file_descriptor' is supported, got {new_strategy!r}")
