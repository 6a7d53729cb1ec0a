"""What `load` reads beyond tensors and plain data if it is told to: NumPy's arrays and numbers.

In torch, any function may be put on this list; `load` then calls it if a file says so. Here a file never has anything called, so
the list takes only what `load` can read by itself.
"""

from __future__ import annotations

import _codecs
import collections
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Size, device
from minigrad.serialization.unpickler import MULTIARRAY
from minigrad.tensors.tensor import Tensor

# Read in any case.
_PLAIN: list[Any] = [collections.OrderedDict, collections.Counter, set, Size, device, Tensor, _codecs.encode]
_safe: list[Any] = []


def add_safe_globals(safe_globals: list[Callable[..., Any] | tuple[Callable[..., Any], str]]) -> None:
    """Let `load` read arrays and numbers of NumPy from now on, for which torch asks for the names that pickles give them.

    Parameters
    ----------
    safe_globals : list
        Of ``numpy._core.multiarray._reconstruct`` and ``scalar``, ``numpy.ndarray``, ``numpy.dtype`` and the classes in
        ``numpy.dtypes``; a pair is one of them and the name under which a file has it.

    Raises
    ------
    NotImplementedError
        For any other class or function.

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
        if name_of(known) not in NUMPY and known not in _PLAIN and not (isinstance(known, type) and issubclass(known, np.dtype)):
            raise NotImplementedError(f"add_safe_globals(): load() calls nothing that a file names, so {known!r} would not help; "
                                      "it reads tensors, plain data, and NumPy's arrays and numbers")
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


def name_of(x: Any) -> str:
    """The name of a function or class, as pickles write it."""
    return f"{getattr(x, '__module__', '')}.{getattr(x, '__qualname__', '')}"


def allowed() -> set[str]:
    """The names of NumPy's that have been added."""
    return {name_of(entry[0] if isinstance(entry, tuple) else entry) for entry in _safe} & NUMPY
