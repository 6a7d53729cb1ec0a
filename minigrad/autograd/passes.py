"""Backward passes under way; a hook, or a custom function, may start one inside another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from minigrad.arrays.quiet import quietly

DEPTH = 16  # passes inside one another in one thread; each takes about ten levels of the thousand that Python allows


class Pass:
    """A pass under way.

    Attributes
    ----------
    restricted : bool
        Whether it visits only the part of the graph that leads to certain inputs.
    at_end : list of callable
        To be called when it is done.
    """

    __slots__ = ("at_end", "restricted")

    def __init__(self, restricted: bool) -> None:
        self.restricted = restricted
        self.at_end: list[Callable[[], None]] = []


class _Thread(threading.local):
    def __init__(self) -> None:
        self.passes: list[Pass] = []


_here = _Thread()


def start_pass(function: Callable[..., Any], wanted: Any, *args: Any) -> Any:
    """``function(wanted, *args)``, a pass, without NumPy's warnings; deep inside others it goes on in a new thread.

    Python limits how deeply calls may be nested, but for each thread separately.
    """
    passes = _here.passes
    if len(passes) >= DEPTH:
        return _in_a_thread_of_its_own(start_pass, function, wanted, *args)
    this = Pass(restricted=wanted is not None)
    passes.append(this)
    try:
        result = quietly(function, wanted, *args)
        for callback in this.at_end:
            callback()
        return result
    finally:
        passes.pop()


def innermost_pass() -> Pass:
    """The pass that this thread is in; to be asked in a hook, or in a function's backward."""
    return _here.passes[-1]


def _in_a_thread_of_its_own(function: Callable[..., Any], *args: Any) -> Any:
    results: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function(*args))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors.pop()
    return results.pop()
