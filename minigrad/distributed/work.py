"""`Work`: one call under way, from its start until all ranks have done their part."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from minigrad.distributed import mpi
from minigrad.distributed.faults import GRACE, Board, DistBackendError

SPINS = 100  # how often a rank looks for the end of a call at once, about 0.1 ms, before it lets others have the processor
NAP = 50e-6  # seconds


class Work:
    """A call that has been started; what ``async_op=True`` returns.

    A collective call sends a checksum of its description along, on a communicator of its own. MPI itself would let ranks
    that make different calls pass, with wrong numbers. On one host this costs 2 to 6 µs a call, and no time in addition to
    that of a large array.

    Parameters
    ----------
    board : Board
        Where this rank stands.
    text : str
        The call, in words; equal on all ranks.
    post : callable
        Starts the call and returns MPI's request.
    store : callable, optional
        Called at the end, with MPI's status: puts what has arrived in its place.
    ranks : sequence of int
        The ranks (of the world) that have to take part.
    timeout : float
        Seconds after which `wait` raises.
    group : str
        Of a collective call: the name of its group.
    checks : communicator, optional
        Of a collective call: where checksums are compared.
    """

    def __init__(
        self, board: Board, text: str, post: Callable[[], Any], store: Callable[[Any], object] | None, ranks: Sequence[int],
        timeout: float, group: str = "", checks: Any = None,
    ) -> None:
        self._board, self._store, self._ranks, self._timeout, self._group = board, store, ranks, timeout, group
        self._done = False
        board.number += 1
        self._place = board.number, text
        board.stand(*self._place, True)
        self._turn = board.calls[group] = board.calls.get(group, 0) + 1
        self._checking = None
        if checks is not None:
            checksum = zlib.crc32(text.encode())
            self._sums = np.array([checksum, -checksum])
            self._checking = checks.Iallreduce(mpi.IN_PLACE, self._sums, mpi.MAX)
        self._status = mpi.Status()
        self._request = self._guarded(post)
        board.stand(*self._place, False)

    def is_completed(self) -> bool:
        """Whether the call is over; does not wait."""
        if self._done:
            return True
        if self._checking is not None and self._guarded(self._checking.Test):
            self._checking = None
            if self._sums[0] != -self._sums[1]:  # the largest and the smallest checksum of all ranks
                self._differs()
        if self._guarded(lambda: self._request.Test(self._status)) and self._checking is None:
            self._done = True
            if self._store is not None:
                self._store(self._status)
        return self._done

    def wait(self, timeout: float | timedelta | None = None) -> bool:
        """Wait until the call is over.

        Parameters
        ----------
        timeout : float or timedelta, optional
            Seconds to wait at most; those of the group otherwise.

        Returns
        -------
        bool
            True.

        Raises
        ------
        DistBackendError
            If the call is not over in time, if another rank has left the program or makes another call. The message says
            where the other ranks stand.
        """
        given = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
        limit = given or self._timeout  # 0, torch's default, means the group's
        start, spins, left_since = time.monotonic(), 0, None
        self._board.stand(*self._place, True)
        while not self.is_completed():
            spins += 1
            if spins > SPINS:
                time.sleep(NAP)
            if spins % 64:
                continue
            self._board.listen()
            now = time.monotonic()
            if not self._deserted():
                left_since = None
            elif left_since is None:
                left_since = now  # what it sent before it left may still be on its way
            elif now - left_since > GRACE:
                self._fail(self._board.ask(self._ranks))
            if now - start > limit:
                self._fail(f"it has waited for {limit:g} s; {self._board.ask(self._ranks)}")
        self._board.stand(*self._place, False)
        return True

    def _deserted(self) -> bool:
        """Whether a rank that this call needs has left the program without having made the call."""
        left = self._board.left
        return any(rank in left and (not self._group or left[rank][1].get(self._group, 0) < self._turn) for rank in self._ranks)

    def _differs(self) -> None:
        self._fail(f"the ranks do not make the same call: {self._board.ask(self._ranks)}")

    def _fail(self, why: str) -> None:
        self._board.stand(*self._place, True)
        raise DistBackendError(f"rank {self._board.comm.rank} is {self._board.place}; {why}")

    def _guarded(self, call: Callable[[], Any]) -> Any:
        """What `call` returns; an error of MPI's is put into words."""
        try:
            return call()
        except mpi.Exception as error:
            self._fail(f"MPI says: {error}; {self._board.ask(self._ranks)}")
