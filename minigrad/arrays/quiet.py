"""Turns NumPy's warnings off while our own code computes, and only then: as in torch, log(0) is -inf without a warning."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from typing import Any

import numpy as np

# NumPy keeps what to do about warnings in a context variable. In this context it was told to ignore them.
SILENT = Context()
SILENT.run(np.seterr, all="ignore")

# The variable has no public name; it is the only one that this context holds.
((_variable, _ignore),) = SILENT.items()


def quietly(function: Callable[..., Any], *args: Any) -> Any:
    """``function(*args)`` without NumPy's warnings; the context variables of the user's code keep their values.

    ``SILENT.copy().run(function, *args)`` does the same in a third of the time, but shows `function` an empty context. That is
    for code of ours: bodies, and the steps of optimisers. A copy can be entered at any depth. So an operation may start while
    another one runs, in a signal handler, a debugger or a ``__del__``.
    """
    before = _variable.set(_ignore)
    try:
        return function(*args)
    finally:
        _variable.reset(before)
