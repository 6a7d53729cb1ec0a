"""Collective calls, in which every rank of a group takes part, and messages from one rank to another.

Each function is one call of MPI's. `Memory` lends it the tensors' memory; `ProcessGroup.start` watches over it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import DTYPES
from minigrad.autograd import count_change, wrap
from minigrad.distributed import mpi
from minigrad.distributed.groups import ProcessGroup, member
from minigrad.distributed.work import Work
from minigrad.tensors.tensor import Tensor

Array = np.ndarray[Any, Any]


class RedOpType(Enum):
    """How the values of several ranks become one; `torch.distributed.ReduceOp` is another name."""

    SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR, PREMUL_SUM = range(9)


ReduceOp = RedOpType


class Memory:
    """A tensor's memory as MPI takes it: its elements in order.

    Parameters
    ----------
    tensor : Tensor
        Any whose elements lie in order lends its own memory; of another, a copy is sent.
    name : str
        Of the parameter, for the error.
    written : bool
        Whether something will arrive there.

    Raises
    ------
    TypeError
        If it is no tensor.
    RuntimeError
        If it cannot be written to, because several of its elements are one in memory.
    """

    def __init__(self, tensor: Any, name: str = "tensor", written: bool = True) -> None:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"Invalid function argument. Expected parameter `{name}` of type torch.Tensor but got {type(tensor)} "
                            "instead.")
        self.tensor, array = tensor, tensor.array
        if written and not array.flags.writeable:
            raise RuntimeError(f"`{name}` cannot be written to, it was made by expand(): clone() it first")
        self.array: Array = array if array.flags.c_contiguous and array.flags.writeable else array.copy("C")

    @property
    def bytes(self) -> Array:
        """The memory, whatever the dtype: float16 and bool are nothing to MPI."""
        return self.array.reshape(-1).view(np.uint8)

    def store(self, status: Any = None) -> None:
        """Note that the tensor has changed; bring what has arrived there, if its memory was not lent."""
        if self.array is not self.tensor.array:
            self.tensor.array[...] = self.array
        count_change(self.tensor)

    def __str__(self) -> str:
        return f"{self.array.dtype}{list(self.array.shape)}"


class Reduction:
    """`op` for arrays of one dtype: MPI's operation, and the array it works on.

    float16 is added up in float32 and rounded once. For bools, a sum is "any" and a product "all".

    Raises
    ------
    RuntimeError
        If torch has no such reduction: bits of floating-point numbers, the average of integers.
    """

    def __init__(self, op: Any, memory: Memory) -> None:
        if not isinstance(op, RedOpType):
            raise TypeError(f"op must be a torch.distributed.ReduceOp, such as ReduceOp.SUM, got {op!r}")
        if op is ReduceOp.PREMUL_SUM:
            raise NotImplementedError("ReduceOp.PREMUL_SUM is not supported: multiply, and use ReduceOp.SUM")
        self.average, self.dtype, name = op is ReduceOp.AVG, memory.array.dtype, op.name
        if name in ("BAND", "BOR", "BXOR") and self.dtype.kind == "f":
            raise RuntimeError(f"Cannot use ReduceOp.{name} with non-integral dtype {DTYPES[self.dtype]}")
        if self.average and self.dtype.kind != "f":
            raise RuntimeError(f"ReduceOp.AVG: the average is no {DTYPES[self.dtype]}; use ReduceOp.SUM, or convert to float first")
        if self.dtype.kind == "b":
            name = {"SUM": "MAX", "PRODUCT": "MIN"}.get(name, name)
        self.mpi = getattr(mpi, {"AVG": "SUM", "PRODUCT": "PROD"}.get(name, name))

    def operand(self, array: Array) -> Array:
        """`array`, in a dtype that MPI computes in."""
        return array.view(np.uint8) if self.dtype.kind == "b" else array.astype(np.float32) if self.dtype == np.float16 else array

    def result(self, reduced: Array, into: Array, ranks: int) -> None:
        """Finish what MPI has computed, in the memory that `operand` gave for `into`."""
        if self.average:
            np.divide(reduced, ranks, out=reduced)
        if self.dtype == np.float16:
            into[...] = reduced


def _apart(wholes: Array, into: Sequence[Memory]) -> None:
    """Give each tensor its part of what has arrived, (ranks, ...)."""
    for memory, part in zip(into, wholes, strict=True):
        memory.array[...] = part
        memory.store()


def _list(tensors: Any, name: str, like: Memory, count: int, where: str = "", written: bool = True) -> list[Memory]:
    """One tensor for each rank, all of the shape and dtype of `like`."""
    if not tensors:
        raise ValueError(f"Argument ``{name}`` must be specified{where}: a list of {count} tensors.")
    memories = [Memory(t, name, written) for t in tensors]
    if len(memories) != count:
        raise RuntimeError(f"invalid {name}: expected one tensor for each of {count} ranks, got {len(memories)}")
    for memory in memories:
        if memory.array.dtype != like.array.dtype:
            raise ValueError(f"Invalid usage of tensors with different dtypes. Found {memory} in {name}, and {like}")
        if memory.array.shape != like.array.shape:
            raise RuntimeError(f"invalid {name}: all tensors must have one shape; found {memory}, and {like}")
    return memories


def _must_hold(whole: Memory, part: Memory, ranks: int, names: str) -> None:
    if whole.array.size != part.array.size * ranks or whole.array.dtype != part.array.dtype:
        raise RuntimeError(f"{names}: the first must have the dtype of the second and {ranks} times its elements; "
                           f"got {whole} and {part}")


# ---- all ranks get the same ----------------------------------------------------------------------------------------------


def all_reduce(tensor: Tensor, op: RedOpType = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Work | None:
    """Replace `tensor` on every rank by the sum (or another reduction) of those of all ranks.

    Parameters
    ----------
    tensor : Tensor
        Of one shape and dtype on all ranks.
    op : ReduceOp
        SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR or BXOR.
    group : ProcessGroup, optional
        Who takes part. Default: all ranks.
    async_op : bool
        Return at once.

    Returns
    -------
    Work or None
        With `async_op`, what to wait for. None also on a rank outside the group, which does nothing.

    Raises
    ------
    RuntimeError, TypeError
        If the dtype has no such reduction, or `tensor` or `op` are something else. DistBackendError (a RuntimeError) if
        another rank does not take part.
    """
    if (pg := member(group)) is None:
        return None
    memory = Memory(tensor)
    reduction = Reduction(op, memory)
    operand = reduction.operand(memory.array)

    def store(status: Any) -> None:
        reduction.result(operand, memory.array, pg.size())
        memory.store()

    text = f"all_reduce({op.name}) of {memory}"
    return pg.start(text, lambda comm: comm.Iallreduce(mpi.IN_PLACE, operand, reduction.mpi), store, async_op)


def broadcast(
    tensor: Tensor, src: int | None = None, group: Any = None, async_op: bool = False, group_src: int | None = None,
) -> Work | None:
    """Replace `tensor` on every rank by that of rank `src`; the other parameters are those of `all_reduce`."""
    if (pg := member(group)) is None:
        return None
    memory, root = Memory(tensor), pg.index(src, group_src, "src")
    text = f"broadcast of {memory} from rank {pg.ranks[root]}"
    return pg.start(text, lambda comm: comm.Ibcast(memory.bytes, root), memory.store, async_op)


def all_gather(tensor_list: list[Tensor], tensor: Tensor, group: Any = None, async_op: bool = False) -> Work | None:
    """Copy the `tensor` of each rank to its place in everybody's `tensor_list`; see `all_reduce`."""
    if (pg := member(group)) is None:
        return None
    memory = Memory(tensor, written=False)
    into = _list(tensor_list, "tensor_list", memory, pg.size())
    whole = np.empty((pg.size(), *memory.array.shape), memory.array.dtype)
    post = lambda comm: comm.Iallgather(memory.bytes, whole.reshape(-1).view(np.uint8))  # noqa: E731
    return pg.start(f"all_gather of {memory}", post, lambda status: _apart(whole, into), async_op)


def all_gather_into_tensor(output_tensor: Tensor, input_tensor: Tensor, group: Any = None, async_op: bool = False) -> Work | None:
    """Like `all_gather`, but the parts come one after the other into one tensor."""
    if (pg := member(group)) is None:
        return None
    part, whole = Memory(input_tensor, "input_tensor", False), Memory(output_tensor, "output_tensor")
    _must_hold(whole, part, pg.size(), "all_gather_into_tensor(output_tensor, input_tensor)")
    text = f"all_gather_into_tensor of {part}"
    return pg.start(text, lambda comm: comm.Iallgather(part.bytes, whole.bytes), whole.store, async_op)


def barrier(group: Any = None, async_op: bool = False, device_ids: Any = None) -> Work | None:
    """Wait until all ranks are here; `device_ids` is not needed on a CPU."""
    if (pg := member(group)) is None:
        return None
    return pg.start("barrier", lambda comm: comm.Ibarrier(), None, async_op)


# ---- to one rank, or from one --------------------------------------------------------------------------------------------


def reduce(
    tensor: Tensor, dst: int | None = None, op: RedOpType = ReduceOp.SUM, group: Any = None, async_op: bool = False,
    group_dst: int | None = None,
) -> Work | None:
    """Like `all_reduce`, but only rank `dst` gets the result. Unlike in torch, the others' tensors stay as they are."""
    if (pg := member(group)) is None:
        return None
    memory, root = Memory(tensor), pg.index(dst, group_dst, "dst")
    reduction, here = Reduction(op, memory), pg.rank() == root
    operand = reduction.operand(memory.array)

    def store(status: Any) -> None:
        if here:
            reduction.result(operand, memory.array, pg.size())
            memory.store()

    buffers = (mpi.IN_PLACE, operand) if here else (operand, None)
    text = f"reduce({op.name}) of {memory} to rank {pg.ranks[root]}"
    return pg.start(text, lambda comm: comm.Ireduce(*buffers, reduction.mpi, root), store, async_op)


def gather(
    tensor: Tensor, gather_list: list[Tensor] | None = None, dst: int | None = None, group: Any = None, async_op: bool = False,
    group_dst: int | None = None,
) -> Work | None:
    """Like `all_gather`, but only rank `dst` (default: the group's first) gets the list, and only it gives one."""
    if (pg := member(group)) is None:
        return None
    memory, root = Memory(tensor, written=False), pg.index(dst, group_dst, "dst") if dst is not None or group_dst is not None else 0
    into, whole, all_bytes = [], None, None
    if pg.rank() == root:
        into = _list(gather_list, "gather_list", memory, pg.size(), " on destination rank")
        whole = np.empty((pg.size(), *memory.array.shape), memory.array.dtype)
        all_bytes = whole.reshape(-1).view(np.uint8)
    elif gather_list:
        raise ValueError("Argument ``gather_list`` must NOT be specified on non-destination ranks.")
    store = None if whole is None else lambda status: _apart(whole, into)
    text = f"gather of {memory} to rank {pg.ranks[root]}"
    return pg.start(text, lambda comm: comm.Igather(memory.bytes, all_bytes, root), store, async_op)


def scatter(
    tensor: Tensor, scatter_list: list[Tensor] | None = None, src: int | None = None, group: Any = None, async_op: bool = False,
    group_src: int | None = None,
) -> Work | None:
    """Replace each rank's `tensor` by its place in the `scatter_list` of rank `src` (default: the group's first)."""
    if (pg := member(group)) is None:
        return None
    memory, root = Memory(tensor), pg.index(src, group_src, "src") if src is not None or group_src is not None else 0
    all_bytes = None
    if pg.rank() == root:
        parts = _list(scatter_list, "scatter_list", memory, pg.size(), " on source rank", False)
        all_bytes = np.concatenate([part.bytes for part in parts])
    elif scatter_list:
        raise ValueError("Argument ``scatter_list`` must NOT be specified on non-source ranks.")
    text = f"scatter of {memory} from rank {pg.ranks[root]}"
    return pg.start(text, lambda comm: comm.Iscatter(all_bytes, memory.bytes, root), memory.store, async_op)


# ---- to each rank something else -----------------------------------------------------------------------------------------


def reduce_scatter(
    output: Tensor, input_list: list[Tensor], op: RedOpType = ReduceOp.SUM, group: Any = None, async_op: bool = False,
) -> Work | None:
    """Put into rank r's `output` the reduction of ``input_list[r]`` over all ranks."""
    if (pg := member(group)) is None:
        return None
    parts = _list(input_list, "input_list", Memory(output, "output"), pg.size(), written=False)
    return reduce_scatter_tensor(output, wrap(np.stack([part.array for part in parts])), op, group, async_op)


def reduce_scatter_tensor(
    output: Tensor, input: Tensor, op: RedOpType = ReduceOp.SUM, group: Any = None, async_op: bool = False,
) -> Work | None:
    """Like `reduce_scatter`, with the inputs one after the other in one tensor."""
    if (pg := member(group)) is None:
        return None
    part, whole = Memory(output, "output"), Memory(input, "input", False)
    _must_hold(whole, part, pg.size(), "reduce_scatter_tensor(input, output)")
    reduction = Reduction(op, part)
    operand, reduced = reduction.operand(whole.array), reduction.operand(part.array)

    def store(status: Any) -> None:
        reduction.result(reduced, part.array, pg.size())
        part.store()

    text = f"reduce_scatter({op.name}) of {part}"
    return pg.start(text, lambda comm: comm.Ireduce_scatter_block(operand, reduced, reduction.mpi), store, async_op)


def all_to_all(
    output_tensor_list: list[Tensor], input_tensor_list: list[Tensor], group: Any = None, async_op: bool = False,
) -> Work | None:
    """Send ``input_tensor_list[r]`` to rank r, which puts it into its ``output_tensor_list``, at the place of the sender.

    The tensors may differ in shape. What one rank sends to another must have the size of what that one expects.
    """
    if (pg := member(group)) is None:
        return None
    given = [Memory(t, "input_tensor_list", False) for t in input_tensor_list]
    into = [Memory(t, "output_tensor_list") for t in output_tensor_list]
    if len(given) != pg.size() or len(into) != pg.size():
        raise RuntimeError(f"all_to_all(): expected two lists of {pg.size()} tensors, got {len(into)} and {len(given)}")
    sent, received = (np.concatenate([m.bytes for m in memories]) for memories in (given, into))
    counts, expected = ([m.array.nbytes for m in memories] for memories in (given, into))

    def store(status: Any) -> None:
        for memory, part in zip(into, np.split(received, np.cumsum(expected)[:-1]), strict=True):
            memory.bytes[:] = part
            memory.store()

    kinds = {str(m.array.dtype) for m in (*given, *into)}
    post = lambda comm: comm.Ialltoallv((sent, counts), (received, expected))  # noqa: E731
    return pg.start(f"all_to_all of {' and '.join(sorted(kinds))}", post, store, async_op)


def all_to_all_single(
    output: Tensor, input: Tensor, output_split_sizes: list[int] | None = None, input_split_sizes: list[int] | None = None,
    group: Any = None, async_op: bool = False,
) -> Work | None:
    """Like `all_to_all`, with the pieces one after the other in one tensor, of equal sizes or of those that are given."""
    if (pg := member(group)) is None:
        return None
    pieces = []
    for name, tensor, sizes in (("output", output, output_split_sizes), ("input", input, input_split_sizes)):
        rows = Memory(tensor, name).array.shape[0]
        if not sizes and rows % pg.size():
            raise RuntimeError(f"all_to_all_single(): {rows} rows of {name} do not divide among {pg.size()} ranks; give "
                               f"{name}_split_sizes")
        pieces.append(list(tensor.detach().split(sizes or rows // pg.size())))
    return all_to_all(pieces[0], pieces[1], group, async_op)


# ---- from one rank to another --------------------------------------------------------------------------------------------


def isend(
    tensor: Tensor, dst: int | None = None, group: Any = None, tag: int = 0, group_dst: int | None = None,
) -> Work | None:
    """Start sending `tensor` to rank `dst`; it must not change until ``wait()`` has returned.

    Raises
    ------
    ValueError
        If the rank is this one, or the group has no such rank.
    """
    if (pg := member(group)) is None:
        return None
    memory, peer = Memory(tensor, written=False), _peer(pg, dst, group_dst, "dst", "destination")
    post = lambda comm: comm.Isend(memory.bytes, peer, tag)  # noqa: E731
    return pg.start_with(peer, f"send of {memory} to rank {pg.ranks[peer]}", post, None)


def irecv(
    tensor: Tensor, src: int | None = None, group: Any = None, tag: int = 0, group_src: int | None = None,
) -> Work | None:
    """Start to receive `tensor` from rank `src`, or from any; see `isend`."""
    return _irecv(tensor, src, group, tag, group_src)[0]


def _irecv(tensor: Tensor, src: int | None, group: Any, tag: int, group_src: int | None) -> tuple[Work | None, list[int]]:
    """Also a list that will hold the sender's rank."""
    sender: list[int] = []
    if (pg := member(group)) is None:
        return None, sender
    memory = Memory(tensor)
    peer = None if src is None and group_src is None else _peer(pg, src, group_src, "src", "source")
    whom = "any rank" if peer is None else f"rank {pg.ranks[peer]}"

    def store(status: Any) -> None:
        sender.append(pg.ranks[status.Get_source()])
        if status.Get_count(mpi.BYTE) != memory.array.nbytes:
            raise RuntimeError(f"recv(): {status.Get_count(mpi.BYTE)} bytes have come from rank {sender[0]}, and {memory} has "
                               f"{memory.array.nbytes}")
        memory.store()

    post = lambda comm: comm.Irecv(memory.bytes, mpi.ANY_SOURCE if peer is None else peer, tag)  # noqa: E731
    return pg.start_with(peer, f"recv of {memory} from {whom}", post, store), sender


def _peer(pg: ProcessGroup, rank: int | None, rank_here: int | None, name: str, word: str) -> int:
    peer = pg.index(rank, rank_here, name)
    if peer == pg.rank():
        raise ValueError(f"Invalid {word} rank: {word} rank should not be the same as the rank of the current process.")
    return peer


def send(tensor: Tensor, dst: int | None = None, group: Any = None, tag: int = 0, group_dst: int | None = None) -> None:
    """Send `tensor` to rank `dst`; see `isend`."""
    work = isend(tensor, dst, group, tag, group_dst)
    if work is not None:
        work.wait()


def recv(tensor: Tensor, src: int | None = None, group: Any = None, tag: int = 0, group_src: int | None = None) -> int:
    """Receive `tensor` from rank `src`, or from any; returns the sender's rank, -1 outside the group."""
    work, sender = _irecv(tensor, src, group, tag, group_src)
    if work is None:
        return -1
    work.wait()
    return sender[0]
