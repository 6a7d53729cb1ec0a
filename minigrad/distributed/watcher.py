"""Speaks for a rank that has ended without a word: killed, or by ``os._exit``.

A rank starts this file as a small process of its own. It shares a file with the rank, in which the rank notes where it stands,
and holds the rank's connection to ``mpiexec``. When the rank disappears, the watcher prints the note and asks ``mpiexec`` to
abort the job. Without it, MPICH ends the other ranks in silence, with exit status 0 after ``os._exit(0)``.

It imports nothing of minigrad, so that it starts in a few milliseconds.
"""

import contextlib
import os
import signal
import sys
import time

PAGE = 4096


def watch(rank: int, parent: int, notes: int, page: int, mpiexec: int) -> None:
    """Wait for a rank to disappear.

    Parameters
    ----------
    rank, parent : int
        Its number, and that of its process.
    notes, page : int
        A file that the ranks of this host share, and the page in it where this rank stands. The first page is the host's: if
        it isn't empty, a rank has aborted the job, and has said why.
    mpiexec : int
        The connection to it, -1 if there is none.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the rank
    aborted = 0
    while os.getppid() == parent:
        time.sleep(0.05)
        aborted += _aborted(notes)
        if aborted == 10:  # for half a second: where two ranks abort at once, mpiexec has been seen to leave the others alive
            os.kill(parent, signal.SIGKILL)
    if _aborted(notes):
        return
    where = os.pread(notes, PAGE, page * PAGE).partition(b"\0")[0].decode()
    say(f"rank {rank} was killed or called os._exit {where}; the job is aborted")
    if mpiexec >= 0:
        os.write(mpiexec, b"cmd=abort exitcode=1\n")  # in the language that MPICH's processes speak with mpiexec (PMI-1)


def say(last_words: str) -> None:
    """Print the line before an abort, and wait until ``mpiexec`` has read it: when a job is aborted, it may forget the rest."""
    print(last_words, file=sys.stderr, flush=True)
    with contextlib.suppress(ImportError, OSError, ValueError):  # Windows; a terminal or a file, which need no waiting
        import fcntl
        import termios

        for _ in range(200):
            unread = fcntl.ioctl(sys.stderr.fileno(), termios.FIONREAD, bytes(4))
            if not int.from_bytes(unread, sys.byteorder):
                break
            time.sleep(0.01)


def _aborted(notes: int) -> bool:
    """Whether a rank of this host has aborted the job."""
    return os.pread(notes, 1, 0) != b"\0"


if __name__ == "__main__":
    watch(*map(int, sys.argv[1:]))
