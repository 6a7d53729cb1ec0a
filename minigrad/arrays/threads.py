"""How many threads compute: torch's four functions.

Only NumPy's matrix products run on several threads, those of its BLAS library. By default that is one per core. On a busy
machine, threads that wait for each other make small products many times slower; one thread is then the better choice.
`minigrad` leaves the number alone until it is asked to change it.
"""

from __future__ import annotations

import operator
import warnings
from importlib import import_module
from typing import Any

_interop: list[int] = []  # what set_num_interop_threads was given


def set_num_threads(number: int, /) -> None:
    """Let matrix products run on this many threads, in this process and in those that are forked from it.

    Raises
    ------
    RuntimeError
        If `number` is not a positive integer.

    Warns
    -----
    RuntimeWarning
        If NumPy's BLAS offers no way to set the number (Apple's Accelerate does not), or if the package threadpoolctl is missing.
        Nothing changes then.

    Examples
    --------
    >>> import minigrad
    >>> before = minigrad.get_num_threads()
    >>> minigrad.set_num_threads(1)
    >>> minigrad.get_num_threads()
    1
    >>> minigrad.set_num_threads(before)
    """
    number = _positive("set_num_threads", number)
    if libraries := blas_libraries():
        libraries.limit(limits=number)
    else:
        warnings.warn("set_num_threads: the number of threads of NumPy's BLAS stays as it is: it offers no way to set it, or the "
                      "package threadpoolctl is missing (pip install threadpoolctl)", RuntimeWarning, stacklevel=2)  # fmt: skip


def get_num_threads() -> int:
    """Return the number of threads that matrix products run on; 1 if NumPy's BLAS does not tell, or threadpoolctl is missing."""
    libraries = blas_libraries()
    return max(library["num_threads"] for library in libraries.info()) if libraries else 1


def set_num_interop_threads(number: int, /) -> None:
    """Set the number of threads on which torch runs independent operations. It changes nothing, as in torch's eager mode.

    Raises
    ------
    RuntimeError
        If `number` is not a positive integer, or if the number was set before.
    """
    number = _positive("set_num_interop_threads", number)
    if _interop:
        raise RuntimeError("set_num_interop_threads: the number of interop threads can be set only once")
    _interop.append(number)


def get_num_interop_threads() -> int:
    """Return the number given to `set_num_interop_threads`; 1 before that, since operations run one after the other."""
    return _interop[0] if _interop else 1


def blas_libraries() -> Any:
    """The BLAS libraries that are loaded, as the package threadpoolctl sees them; an empty list if it is missing."""
    try:
        pool = import_module("threadpoolctl")  # only where the number is set or asked for
    except ImportError:
        return []
    return pool.ThreadpoolController().select(user_api="blas")


def _positive(name: str, number: Any) -> int:
    if isinstance(number, bool) or not hasattr(number, "__index__") or hasattr(number, "grad_fn"):
        raise RuntimeError(f"{name} expects an int, but got {type(number).__name__}")
    if operator.index(number) < 1:
        raise RuntimeError(f"{name} expects a positive integer, got {number}")
    return operator.index(number)
