"""Anomaly mode: which line of the user's code called the operation whose derivative fails, or is nan?

While the mode is on, each node notes the lines that led to it, and backward looks at what each rule returns::

    with torch.autograd.detect_anomaly():
        loss = f(x)
        loss.backward()     # UserWarning: Error detected in SqrtBackward0. Traceback of forward call that caused the error: ...
                            # RuntimeError: Function 'SqrtBackward0' returned nan values in its 0th output.
"""

from __future__ import annotations

import functools
import os
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.autograd.node import Node, watchers
from minigrad.autograd.tensor_base import unwrapped

_PACKAGE = os.path.dirname(os.path.dirname(__file__))
_TOOLS = os.path.join(_PACKAGE, "tools")
_check_nan = True


def is_anomaly_enabled() -> bool:
    """Whether anomaly mode is on."""
    return _note_lines in watchers


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly mode, if it is on, also refuses nan."""
    return _check_nan


def set_anomaly_enabled(enabled: bool, check_nan: bool = True) -> None:
    """Turn anomaly mode on or off, for all threads."""
    global _check_nan
    if enabled != is_anomaly_enabled():
        (watchers.append if enabled else watchers.remove)(_note_lines)
    _check_nan = check_nan


class set_detect_anomaly:
    """Turn anomaly mode on or off: for good when called, for its extent in a `with` statement.

    Parameters
    ----------
    mode : bool
        True for on.
    check_nan : bool
        Whether backward refuses nan; otherwise it only says where errors come from.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.before = is_anomaly_enabled(), is_anomaly_check_nan_enabled()
        set_anomaly_enabled(mode, check_nan)

    def __enter__(self) -> None:
        """Nothing is left to do."""

    def __exit__(self, *error: object) -> None:
        set_anomaly_enabled(*self.before)


class detect_anomaly:
    """Anomaly mode for the extent of a `with` statement; see `set_detect_anomaly`."""

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan
        warnings.warn("Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
                      "debugging.", stacklevel=2)

    def __enter__(self) -> None:
        self.switch = set_detect_anomaly(True, self.check_nan)

    def __exit__(self, *error: object) -> None:
        self.switch.__exit__()


# ---- the two places where it takes hold: a node is recorded, and its turn comes in backward --------------------------------------


def _note_lines(node: Node) -> None:
    """Note where the user's code is, down to the line that called into this package."""
    stack = list(traceback.extract_stack())
    while len(stack) > 1 and stack[-1].filename.startswith(_PACKAGE):
        stack.pop()
    inside = [i for i, line in enumerate(stack[:-1]) if line.filename.startswith(_TOOLS)]
    stack = stack[inside[-1] + 1 :] if inside else stack  # what started the user's script
    node.metadata["traceback_"] = traceback.format_list(stack)


def watched(rules_of: Callable[[Node, bool], Any]) -> Callable[[Node, bool], Any]:
    """The function that gives backward the rules of a node; both it and the rules are watched."""

    def watched_rules_of(node: Node, create_graph: bool) -> Any:
        rules = _reporting(node, lambda: list(rules_of(node, create_graph)))
        return [rule and functools.partial(_checked, node, i, rule) for i, rule in enumerate(rules)]

    return watched_rules_of


def _checked(node: Node, i: int, rule: Callable[[Any], Any], g: Any) -> Any:
    """What the rule gives for operand `i`; nan is an error."""
    passed = _reporting(node, lambda: rule(g))
    if _check_nan and passed is not None:
        parts = passed.values() if isinstance(passed, dict) else [passed]  # of a function with several results
        if any(np.isnan(unwrapped(part)).any() for part in parts):
            _report(node)
            raise RuntimeError(f"Function '{node.name()}' returned nan values in its {i}th output.")
    return passed


def _reporting(node: Node, function: Callable[[], Any]) -> Any:
    try:
        return function()
    except Exception:
        _report(node)
        raise


def _report(node: Node) -> None:
    """Say, in a warning at the line that called backward, which lines made the node."""
    lines = node.metadata.get("traceback_")
    where = ("Traceback of forward call that caused the error:\n" + "".join(lines) if lines else
             "No forward pass information available. Enable detect anomaly during forward pass for more information.")
    level, frame = 1, sys._getframe(0)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(f"Error detected in {node.name()}. {where}", stacklevel=level)
