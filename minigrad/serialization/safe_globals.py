"""What `load` reads beyond tensors and plain data if it is told to: NumPy's arrays and numbers, and objects of the user's classes.

In torch, `load` calls what is on this list if a file says so. Here a file never has anything called: of a class on the list it may
have objects, which get their attributes (see `objects`), and a function it may pass on.
"""

from __future__ import annotations

import _codecs
import collections
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Size, device
from minigrad.serialization.objects import can_be_read, name_of
from minigrad.serialization.unpickler import MULTIARRAY
from minigrad.tensors.tensor import Tensor

# Read in any case.
_PLAIN: list[Any] = [collections.OrderedDict, collections.Counter, set, Size, device, Tensor, _codecs.encode]
_safe: list[Any] = []


def add_safe_globals(safe_globals: list[Callable[..., Any] | tuple[Callable[..., Any], str]]) -> None:
    """Let `load` read objects of these classes from now on, and functions, and what NumPy's arrays and numbers are made with.

    Parameters
    ----------
    safe_globals : list
        Of classes and functions that can be found under their names, or, for NumPy's arrays and numbers,
        ``numpy._core.multiarray._reconstruct`` and ``scalar``, ``numpy.ndarray``, ``numpy.dtype`` and the classes in
        ``numpy.dtypes``; a pair is one of these and the name under which a file has it.

    Raises
    ------
    NotImplementedError
        For anything else, such as a function written in C.

    Examples
    --------
    >>> import io, numpy as np, minigrad as torch
    >>> file = io.BytesIO()
    >>> torch.save(np.arange(3), file)
    >>> with torch.serialization.safe_globals([np._core.multiarray._reconstruct, np.ndarray, np.dtype]):
    ...     torch.load(file)
    array([0, 1, 2])
    """
    for entry in safe_globals:
        known = entry[0] if isinstance(entry, tuple) else entry
        of_numpy = name_of(known) in NUMPY or (isinstance(known, type) and issubclass(known, np.dtype))
        if not of_numpy and known not in _PLAIN and not can_be_read(known):
            raise NotImplementedError(f"add_safe_globals(): load() reads objects of classes, and functions, that can be imported, "
                                      f"and NumPy's arrays and numbers; {known!r} is none of these")
        if entry not in _safe:
            _safe.append(entry)


def get_safe_globals() -> list[Any]:
    """What has been added by `add_safe_globals`."""
    return list(_safe)


def clear_safe_globals() -> None:
    """Forget what has been added."""
    _safe.clear()


class safe_globals:
    """`add_safe_globals` for the time of a ``with`` block."""

    def __init__(self, safe_globals: list[Any]) -> None:
        self.safe_globals = safe_globals

    def __enter__(self) -> None:
        self.before = get_safe_globals()
        add_safe_globals(self.safe_globals)

    def __exit__(self, *error: object) -> None:
        _safe[:] = self.before


NUMPY = {f"{MULTIARRAY[0]}._reconstruct", f"{MULTIARRAY[0]}.scalar", "numpy.ndarray", "numpy.dtype"}


def allowed() -> list[Any]:
    """The classes and functions that have been added, without the names that go with some."""
    return [entry[0] if isinstance(entry, tuple) else entry for entry in _safe]
