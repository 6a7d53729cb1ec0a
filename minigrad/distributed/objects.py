"""Python objects between ranks: pickled, and sent as tensors of bytes."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

from minigrad.autograd import wrap
from minigrad.distributed import collectives
from minigrad.distributed.groups import member

Bytes = np.ndarray[Any, np.dtype[np.uint8]]


def _pickled(obj: Any) -> Bytes:
    return np.frombuffer(pickle.dumps(obj), np.uint8).copy()


def all_gather_object(object_list: list[Any], obj: Any, group: Any = None) -> None:
    """Put the `obj` of each rank into its place in everybody's `object_list`.

    Objects are pickled; like every pickle, they must come from somebody you trust.

    Parameters
    ----------
    object_list : list
        As long as the group; filled.
    obj : picklable
    group : ProcessGroup, optional
        Default: all ranks.
    """
    if (pg := member(group)) is None:
        return
    if len(object_list) != pg.size():
        raise ValueError(f"all_gather_object(): object_list must have {pg.size()} places, one for each rank, it has "
                         f"{len(object_list)}")
    data = _pickled(obj)
    lengths = np.zeros(pg.size(), np.int64)
    collectives.all_gather_into_tensor(wrap(lengths), wrap(np.array([data.size])), group)
    padded = np.zeros(lengths.max(), np.uint8)
    padded[: data.size] = data
    whole = np.zeros((pg.size(), padded.size), np.uint8)
    collectives.all_gather_into_tensor(wrap(whole), wrap(padded), group)
    object_list[:] = [pickle.loads(row[:length].tobytes()) for row, length in zip(whole, lengths, strict=True)]


def broadcast_object_list(
    object_list: list[Any], src: int | None = None, group: Any = None, device: Any = None, group_src: int | None = None,
) -> None:
    """Replace the objects in the list by those of rank `src` (default: 0); `device` is not needed on a CPU."""
    if (pg := member(group)) is None:
        return
    root = pg.index(0 if src is None and group_src is None else src, group_src, "src")
    data = _pickled(list(object_list)) if pg.rank() == root else np.empty(0, np.uint8)
    sizes = np.array([len(object_list), data.size])
    collectives.broadcast(wrap(sizes), group=group, group_src=root)
    if sizes[0] != len(object_list):
        raise RuntimeError(f"broadcast_object_list(): rank {pg.ranks[root]} sends {sizes[0]} objects, and the list here has "
                           f"{len(object_list)} places")
    if pg.rank() != root:
        data = np.empty(sizes[1], np.uint8)
    collectives.broadcast(wrap(data), group=group, group_src=root)
    object_list[:] = pickle.loads(data.tobytes())


def gather_object(
    obj: Any, object_gather_list: list[Any] | None = None, dst: int | None = None, group: Any = None, group_dst: int | None = None,
) -> None:
    """Like `all_gather_object`, but only rank `dst` (default: 0) gets the list, and only it gives one."""
    if (pg := member(group)) is None:
        return
    root = pg.index(0 if dst is None and group_dst is None else dst, group_dst, "dst")
    if pg.rank() == root and not object_gather_list:
        raise ValueError(f"Argument ``object_gather_list`` must be specified on destination rank: a list of {pg.size()} places.")
    if pg.rank() != root and object_gather_list:
        raise ValueError("Argument ``object_gather_list`` must NOT be specified on non-destination ranks.")
    everything = [None] * pg.size()
    all_gather_object(everything, obj, group)
    if object_gather_list:
        object_gather_list[:] = everything


def scatter_object_list(
    scatter_object_output_list: list[Any], scatter_object_input_list: list[Any] | None = None, src: int | None = None,
    group: Any = None, group_src: int | None = None,
) -> None:
    """Put into the first place of each rank's output list its object from the input list of rank `src` (default: 0)."""
    if (pg := member(group)) is None:
        return
    if not scatter_object_output_list:
        raise ValueError("Expected argument scatter_object_output_list to be a list of size at least 1.")
    root = pg.index(0 if src is None and group_src is None else src, group_src, "src")
    everything = list(scatter_object_input_list or ()) if pg.rank() == root else [None] * pg.size()
    if len(everything) != pg.size():
        raise ValueError(f"Argument ``scatter_object_input_list`` must be specified on source rank: a list of {pg.size()} objects.")
    broadcast_object_list(everything, group=group, group_src=root)
    scatter_object_output_list[0] = everything[pg.rank()]
