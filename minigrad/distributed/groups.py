"""Starting and ending, and groups: who takes part in a call."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from minigrad.distributed import mpi
from minigrad.distributed.environment import set_torch_variables, under_mpiexec
from minigrad.distributed.faults import Board
from minigrad.distributed.work import Work

default_pg_timeout = timedelta(minutes=30)


class ProcessGroup:
    """Some of the ranks, in order, and the communicators over which they talk.

    Parameters
    ----------
    comm : mpi4py.MPI.Comm
        Has exactly these ranks; the group takes copies of it.
    ranks : list of int
        Their numbers in the world.
    board : Board
        Where this rank stands.
    backend : str
        The name that the user gave.
    timeout : float
        Seconds.
    name : str
        The same on all ranks.
    """

    def __init__(self, comm: Any, ranks: list[int], board: Board, backend: str, timeout: float, name: str) -> None:
        self.comm, self.checks, self.ranks, self.board = comm.Dup(), comm.Dup(), ranks, board
        self.backend, self.timeout, self.group_name = backend, timeout, name

    def rank(self) -> int:
        """The number of this rank within the group."""
        return self.comm.rank

    def size(self) -> int:
        """How many ranks the group has."""
        return self.comm.size

    def index(self, rank: int | None, rank_here: int | None, what: str) -> int:
        """The number within the group of the rank called `rank` in the world, or `rank_here` in the group.

        Raises
        ------
        ValueError
            If both are given or none, or the group has no such rank.
        """
        if (rank is None) == (rank_here is None):
            raise ValueError(f"give either {what} or group_{what}, got {what}={rank} and group_{what}={rank_here}")
        if rank_here is not None and 0 <= rank_here < self.size():
            return rank_here
        if rank is None or rank not in self.ranks:
            raise ValueError(f"invalid {what} rank: {rank if rank_here is None else rank_here}; the group has ranks {self.ranks}")
        return self.ranks.index(rank)

    def start(self, text: str, post: Callable[[Any], Any], store: Callable[[Any], object] | None, async_op: bool) -> Work | None:
        """Start a collective call by ``post(comm)``; wait for its end if not `async_op`."""
        work = Work(self.board, text, lambda: post(self.comm), store, self.ranks, self.timeout, self.group_name, self.checks)
        if async_op:
            return work
        work.wait()
        return None

    def start_with(self, peer: int | None, text: str, post: Callable[[Any], Any], store: Callable[[Any], object] | None) -> Work:
        """Start a call that only this rank and `peer` (or anyone) take part in."""
        ranks = self.ranks if peer is None else [self.ranks[peer]]
        return Work(self.board, text, lambda: post(self.comm), store, ranks, self.timeout)


class group:
    """Where the group of all ranks is found: ``group.WORLD``."""

    WORLD: ProcessGroup | None = None


class GroupMember:
    """What `new_group` returns to a rank that is not in the group."""

    NON_GROUP_MEMBER = -100


_names = 0


def is_available() -> bool:
    """Whether `mpi4py` is installed."""
    return importlib.util.find_spec("mpi4py") is not None


is_mpi_available = is_gloo_available = is_available


def is_nccl_available() -> bool:
    """False: there is no GPU."""
    return False


def is_initialized() -> bool:
    """Whether `init_process_group` has been called."""
    return group.WORLD is not None


def is_torchelastic_launched() -> bool:
    """Whether ``python -m minigrad torchrun`` has started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def init_process_group(
    backend: str | None = None, init_method: str | None = None, timeout: timedelta | None = None, world_size: int = -1,
    rank: int = -1, store: Any = None, group_name: str = "", pg_options: Any = None, device_id: Any = None,
) -> None:
    """Let the ranks that `mpiexec` has started find each other.

    Parameters
    ----------
    backend : {"mpi", "gloo"}, optional
        Both mean MPI.
    init_method : str, optional
        Not needed, whatever it is: MPI's ranks find each other through `mpiexec`.
    timeout : timedelta, optional
        How long a call may take before it raises. Default: 30 minutes.
    world_size, rank : int, optional
        Must agree with what `mpiexec` has set.
    store, pg_options
        Not supported.
    group_name : str
        Not needed.
    device_id : optional
        Not needed: there is one device, the CPU.

    Raises
    ------
    ValueError
        If it was called before, or `world_size` or `rank` are wrong or unknown.
    RuntimeError
        If there is no MPI, the process was started without `mpiexec`, or the backend is another, such as "nccl".
    """
    if group.WORLD is not None:
        raise ValueError("trying to initialize the default process group twice!")
    for name, value in (("store", store), ("pg_options", pg_options)):
        if value is not None:
            raise NotImplementedError(f"init_process_group(): {name}= is not supported: leave it out, MPI needs none")
    backend = _backend(backend)
    set_torch_variables()
    rank = int(os.environ.get("RANK", -1)) if rank < 0 else rank
    world_size = int(os.environ.get("WORLD_SIZE", -1)) if world_size < 0 else world_size
    for variable, value in (("RANK", rank), ("WORLD_SIZE", world_size)):
        if value < 0:
            raise ValueError(f"Error initializing torch.distributed using env:// rendezvous: environment variable {variable} "
                             "expected, but not set; start the script with: mpiexec -n 2 python -m minigrad run script.py")
    if world_size > 1 and not under_mpiexec():
        raise RuntimeError(f"init_process_group(): {world_size} ranks are to meet, and this one was not started by mpiexec; "
                           f"start all of them with: mpiexec -n {world_size} python -m minigrad run script.py")
    world = mpi.COMM_WORLD
    if (rank, world_size) != (world.rank, world.size):
        raise ValueError(f"init_process_group(): this is to be rank {rank} of {world_size}, and mpiexec has made it rank "
                         f"{world.rank} of {world.size}; leave rank and world_size out")
    seconds = _seconds(timeout)
    group.WORLD = ProcessGroup(world, list(range(world.size)), _board(seconds), backend, seconds, "world")


def _backend(name: str | None) -> str:
    """The backend for the CPU, ``"gloo"`` in ``"cpu:gloo,cuda:nccl"``."""
    parts = (name or "mpi").lower().split(",")
    chosen = next((part[4:] for part in parts if part.startswith("cpu:")), parts[0])
    if chosen not in ("mpi", "gloo"):
        raise RuntimeError(f"Distributed package doesn't have {chosen.upper()} built in: there is no GPU; write "
                           "init_process_group(\"mpi\") or \"gloo\", which both mean MPI")
    return chosen


_boards: list[Board] = []


def _board(timeout: float) -> Board:
    """The one board of this process; it outlives `destroy_process_group`, as MPI does."""
    if not _boards:
        _boards.append(Board(mpi.COMM_WORLD, timeout))
    _boards[0].timeout = timeout
    return _boards[0]


def _seconds(timeout: timedelta | None) -> float:
    return (default_pg_timeout if timeout is None else timeout).total_seconds()


def destroy_process_group(group: Any = None) -> None:
    """Forget a group, or all of them. MPI itself ends with the program."""
    if group is None or group is _world.WORLD:
        member(None)
        _world.WORLD = None


_world = group  # the class, where a parameter has its name


def member(group: Any) -> ProcessGroup | None:
    """The group that a call is for; None if this rank is not in it and has nothing to do."""
    if group is GroupMember.NON_GROUP_MEMBER:
        return None
    found = _world.WORLD if group is None else group
    if found is None:
        raise ValueError("Default process group has not been initialized, please make sure to call init_process_group.")
    return found


def get_rank(group: Any = None) -> int:
    """The number of this process in the group, -1 if it is not in it."""
    found = member(group)
    return -1 if found is None else found.rank()


def get_world_size(group: Any = None) -> int:
    """How many processes the group has, -1 if this one is not in it."""
    found = member(group)
    return -1 if found is None else found.size()


def get_backend(group: Any = None) -> str:
    """The name that was given to `init_process_group`."""
    found = member(group)
    if found is None:
        raise ValueError("Invalid process group specified: this rank is not in it")
    return found.backend


def get_process_group_ranks(group: Any = None) -> list[int]:
    """The numbers of the group's ranks in the world."""
    found = member(group)
    return [] if found is None else list(found.ranks)


def get_node_local_rank(fallback_rank: int | None = None) -> int:
    """The number of this process among those on its host."""
    if "LOCAL_RANK" in os.environ:
        return int(os.environ["LOCAL_RANK"])
    if fallback_rank is None:
        raise RuntimeError("LOCAL_RANK is not in the environment. Consider passing fallback_rank to allow "
                           "`get_node_local_rank` to work")
    return int(fallback_rank)


def new_group(
    ranks: Sequence[int] | None = None, timeout: timedelta | None = None, backend: str | None = None, pg_options: Any = None,
) -> Any:
    """A group of some ranks. Every rank of the world calls this, in the same order.

    Parameters
    ----------
    ranks : sequence of int, optional
        Default: all.
    timeout : timedelta, optional
        As for `init_process_group`. Default: that of the world.
    backend : str, optional
        As for `init_process_group`.
    pg_options
        Not supported.

    Returns
    -------
    ProcessGroup
        `GroupMember.NON_GROUP_MEMBER` on a rank that is not in the group.
    """
    global _names
    if pg_options is not None:
        raise NotImplementedError("new_group(): pg_options= is not supported: leave it out, MPI needs none")
    world = member(None)
    assert world is not None
    chosen = list(range(world.size())) if ranks is None else sorted(ranks)
    if len(set(chosen)) < len(chosen) or not set(chosen) <= set(world.ranks):
        raise ValueError(f"new_group(): ranks must be different numbers from 0 to {world.size() - 1}, got {list(ranks or ())}")
    _names += 1
    # All the world takes part, and says so: a rank that comes late or with other ranks is found out as in any call.
    world.start(f"new_group of ranks {chosen}", lambda comm: comm.Ibarrier(), None, False)
    comm = world.comm.Split(0 if world.rank() in chosen else mpi.UNDEFINED, world.rank())
    if comm == mpi.COMM_NULL:
        return GroupMember.NON_GROUP_MEMBER
    limit = world.timeout if timeout is None else _seconds(timeout)
    name = world.backend if backend is None else _backend(backend)
    return ProcessGroup(comm, chosen, world.board, name, limit, f"group {_names}")
