"""Faults of a rank end the whole job, quickly, and with a line that names the rank and the call.

MPI alone lets the others wait for ever. Five things can happen to a rank, and each has its answer:

- It raises an exception: `Board.abort` prints the traceback and ends the job.
- It leaves while others still wait for it (``sys.exit``): it sends them a note, and they raise.
- It is killed or calls ``os._exit``: its `watcher` process speaks for it.
- It hangs: the others ask around once their timeout is over, and raise an error that says who does not answer.
- It makes another call than the others, or the same with another size or dtype: every collective compares what was called.
"""

from __future__ import annotations

import atexit
import mmap
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

from minigrad.distributed import mpi, watcher
from minigrad.distributed.watcher import PAGE

GRACE = 1.0  # seconds: for answers to arrive, and for the data of a rank that sent them and left


class DistError(RuntimeError):
    """Communication between ranks failed."""


class DistBackendError(DistError):
    """A call failed because of what another rank did or did not do."""


class Board:
    """Where this rank stands, and what it knows of the others.

    Attributes
    ----------
    number : int
        How many calls this rank has made.
    place : str
        Where it stands, in words.
    calls : dict
        Name of a group -> how many collective calls this rank has made on it.
    left : dict
        Rank -> (where it stood, its `calls`), for each rank that has left the program.
    answers : dict
        Rank -> where it stands, for the ranks that answered `ask`.
    """

    def __init__(self, comm: Any, timeout: float) -> None:
        self.comm, self.timeout = comm.Dup(), timeout
        self.calls: dict[str, int] = {}
        self.left: dict[int, tuple[str, dict[str, int]]] = {}
        self.answers: dict[int, str] = {}
        self.sent: list[Any] = []  # MPI reads a message from the request's memory until it has gone
        self.number, self.place = 0, "before its first call"
        self.process = os.getpid()
        self._start_watcher()
        self._write()
        self.previous_hook, sys.excepthook = sys.excepthook, self.abort
        atexit.register(self.leave)

    def _start_watcher(self) -> None:
        """Share a file with the ranks of this host, a page for each and one for all, and let another process read it."""
        host = self.comm.Split_type(mpi.COMM_TYPE_SHARED)
        number, path = tempfile.mkstemp() if host.rank == 0 else (-1, "")
        path = host.bcast(path)
        with open(number if host.rank == 0 else path, "r+b") as file:
            file.truncate((1 + host.size) * PAGE)
            host.Barrier()
            if host.rank == 0:
                os.unlink(path)
            self.notes, self.page = mmap.mmap(file.fileno(), (1 + host.size) * PAGE), 1 + host.rank
            mpiexec = int(os.environ.get("PMI_FD", -1))
            numbers = (self.comm.rank, self.process, file.fileno(), self.page, mpiexec)
            self.watcher = subprocess.Popen([sys.executable, "-I", "-S", watcher.__file__, *map(str, numbers)],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                            pass_fds=[file.fileno()] + [mpiexec] * (mpiexec >= 0))  # fmt: skip
        host.Free()

    # ---- where this rank stands ------------------------------------------------------------------------------------------

    def stand(self, number: int, text: str, inside: bool) -> None:
        """Note that the rank is inside its call `number`, described by `text`, or has started it and goes on."""
        self.place = f"{'in' if inside else 'after'} its call {number}, {text}"
        self._write()

    def _write(self) -> None:
        said = self.place.encode()[: PAGE - 1] + b"\0"
        self.notes[self.page * PAGE : self.page * PAGE + len(said)] = said

    # ---- what the others say ---------------------------------------------------------------------------------------------

    def tell(self, rank: int, kind: str, what: Any) -> None:
        """Send a note; it does not wait for the receiver."""
        self.sent.append(self.comm.isend((kind, what), rank))

    def listen(self) -> None:
        """Read the notes that have arrived, and answer questions."""
        while self.comm.iprobe():
            status = mpi.Status()
            kind, what = self.comm.recv(status=status)
            source = status.Get_source()
            if kind == "where are you?":
                self.tell(source, "answer", self.place)
            elif kind == "answer":
                self.answers[source] = what
            else:
                self.left[source] = what

    def ask(self, ranks: Sequence[int]) -> str:
        """Ask where `ranks` stand, wait a second for their answers, and put them into words."""
        others = [r for r in ranks if r != self.comm.rank]
        self.answers.clear()
        for rank in others:
            self.tell(rank, "where are you?", None)
        end = time.monotonic() + GRACE
        while time.monotonic() < end and not self.answers.keys() >= set(others):
            self.listen()
            time.sleep(0.005)
        known = {r: f"rank {r} is {self.answers[r]}" for r in others if r in self.answers}
        known |= {r: f"rank {r} has left the program {self.left[r][0]}" for r in others if r in self.left}
        return "; ".join(known.get(r, f"rank {r} does not answer: it computes or hangs, outside of any call") for r in others)

    # ---- the end ---------------------------------------------------------------------------------------------------------

    def abort(self, kind: Any, error: Any, trace: Any) -> None:
        """As `sys.excepthook`: report an exception that nobody caught, and take the other ranks with this one."""
        self.previous_hook(kind, error, trace)
        if os.getpid() == self.process and not mpi.Is_finalized():
            self._abort(f"failed with {kind.__name__} {self.place}")

    def _abort(self, why: str) -> None:
        sys.stdout.flush()
        watcher.say(f"rank {self.comm.rank} {why}; the job is aborted")
        self.notes[0] = 1  # nobody else needs to speak
        self.comm.Abort(1)

    def leave(self) -> None:
        """At the end of the program: tell the others, and wait until they have come to theirs."""
        if os.getpid() != self.process or mpi.Is_finalized():  # a forked child also gets here
            return
        others = set(range(self.comm.size)) - {self.comm.rank}
        for rank in others:
            self.tell(rank, "left", (self.place, self.calls))
        end = time.monotonic() + self.timeout
        while not self.left.keys() >= others:
            self.listen()
            if time.monotonic() > end:
                missing = sorted(others - self.left.keys())
                self._abort(f"is done and waited {self.timeout:g} s for the end of the others; {self.ask(missing)}")
            time.sleep(0.0005)
        self.watcher.kill()
        self.watcher.wait()
        mpi.Finalize()
