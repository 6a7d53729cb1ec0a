"""`spawn`: a function in several processes, which are MPI's ranks."""

from __future__ import annotations

import multiprocessing.spawn
import os
import pickle
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from minigrad.distributed.environment import under_mpiexec
from minigrad.distributed.launch import mpiexec


class ProcessExitedException(Exception):
    """A process that `spawn` started has failed; its own error is on stderr."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def spawn(
    fn: Callable[..., Any], args: tuple[Any, ...] = (), nprocs: int = 1, join: bool = True, daemon: bool = False,
    start_method: str = "spawn",
) -> None:
    """Call ``fn(i, *args)`` in processes i = 0 to nprocs - 1, and wait until all have ended.

    The processes are ranks that `mpiexec` starts, so `init_process_group` works in them. As with Python's own
    `multiprocessing`, each imports the script anew: what follows ``if __name__ == "__main__":`` is not run again.

    Parameters
    ----------
    fn : callable
        Defined at the top of a module, so that it can be pickled.
    args : tuple
        Pickled as well.
    nprocs : int
        How many.
    join, daemon, start_method
        Only their defaults are supported.

    Raises
    ------
    NotImplementedError
        For other values of the last three, or in a process that `mpiexec` has started.
    ProcessExitedException
        If a process fails.
    """
    for name, value, only in (("join", join, True), ("daemon", daemon, False), ("start_method", start_method, "spawn")):
        if value != only:
            raise NotImplementedError(f"spawn(): {name}={value!r} is not supported: mpiexec starts the processes, and only "
                                      f"{name}={only!r} is")
    if under_mpiexec():
        raise NotImplementedError("spawn(): mpiexec has started this process as one of several; start the script once, with "
                                  "python -m minigrad run script.py, or leave spawn() out and call the function with get_rank()")
    preparation = multiprocessing.spawn.get_preparation_data("spawned")
    preparation.pop("authkey", None)
    with tempfile.NamedTemporaryFile() as file:
        pickle.dump(preparation, file)
        pickle.dump((fn, args), file)
        file.flush()
        status = mpiexec(nprocs, [sys.executable, "-c", f"from {__name__} import run; run({file.name!r})"])
    if status:
        raise ProcessExitedException(f"spawn(): a process has failed, exit status {status}; its error is above", status)


def run(path: str) -> None:
    """In a process that `spawn` has started: prepare as `multiprocessing` does, then call the function."""
    with open(path, "rb") as file:
        multiprocessing.spawn.prepare(pickle.load(file))
        fn, args = pickle.load(file)
    fn(int(os.environ["RANK"]), *args)
