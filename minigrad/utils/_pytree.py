"""`torch.utils._pytree`: dictionaries, lists and tuples, nested as one likes, and their leaves.

torch keeps this module to itself, but libraries import it. What it does is in `minigrad.func.trees`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from minigrad.func.trees import Build, flatten
from minigrad.func.trees import mapped as tree_map

__all__ = ["TreeSpec", "tree_flatten", "tree_leaves", "tree_map", "tree_unflatten"]


class TreeSpec(NamedTuple):
    """A nest without its leaves: how many there are, and the function that builds the nest of them."""

    num_leaves: int
    build: Build


def tree_flatten(tree: Any) -> tuple[list[Any], TreeSpec]:
    """The leaves of a nest, in order, and what `tree_unflatten` needs to build the same nest of other leaves.

    Examples
    --------
    >>> leaves, spec = tree_flatten({"a": 1, "b": (2, [3])})
    >>> leaves, tree_unflatten("xyz", spec)
    ([1, 2, 3], {'a': 'x', 'b': ('y', ['z'])})
    """
    leaves, build = flatten(tree)
    return leaves, TreeSpec(len(leaves), build)


def tree_leaves(tree: Any) -> list[Any]:
    """The leaves of a nest, in order."""
    return flatten(tree)[0]


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> Any:
    """The nest that `treespec` describes, with these leaves.

    Raises
    ------
    ValueError
        If there are more or fewer of them than the nest has.
    """
    leaves = list(leaves)
    if len(leaves) != treespec.num_leaves:
        raise ValueError(f"tree_unflatten() expected {treespec.num_leaves} leaves, as tree_flatten() gave, got {len(leaves)}")
    return treespec.build(leaves)
