"""Nested dictionaries, lists and tuples, taken apart and put together again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

Build = Callable[[Any], Any]


def flatten(tree: Any) -> tuple[list[Any], Build]:
    """The leaves of a nest, in order, and the function that builds the same nest of other leaves.

    Examples
    --------
    >>> leaves, build = flatten({"weight": 1, "others": (2, [3])})
    >>> leaves
    [1, 2, 3]
    >>> build("abc")
    {'weight': 'a', 'others': ('b', ['c'])}
    """
    make: Build
    if type(tree) in (dict, OrderedDict):
        keys, parts = list(tree), list(tree.values())

        def make(values: Any) -> Any:
            return type(tree)(zip(keys, values, strict=True))

    elif type(tree) in (list, tuple):
        parts, make = list(tree), type(tree)
    elif isinstance(tree, tuple) and hasattr(tree, "_fields"):
        parts, make = list(tree), lambda values: type(tree)(*values)
    else:
        return [tree], lambda leaves: next(iter(leaves))
    flat = [flatten(part) for part in parts]

    def build(leaves: Any) -> Any:
        rest = iter(leaves)
        return make([rebuild([next(rest) for _ in own]) for own, rebuild in flat])

    return [leaf for own, _ in flat for leaf in own], build


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """The same nest, with ``function(leaf)`` for each leaf."""
    leaves, build = flatten(tree)
    return build(map(function, leaves))
