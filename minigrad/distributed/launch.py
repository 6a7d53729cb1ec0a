"""Starting ranks: `mpiexec`, which every MPI brings along."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from minigrad.distributed.mpi import INSTALL


class LaunchError(RuntimeError):
    """No rank could be started; the message says why, and what to do."""


def mpiexec(ranks: int, command: Sequence[str], *options: str, **variables: str) -> int:
    """Run `command` in `ranks` processes, wait for their end, and return mpiexec's exit status.

    Parameters
    ----------
    ranks : int
        How many processes.
    command : sequence of str
        What each of them runs.
    *options : str
        For mpiexec.
    **variables : str
        Environment variables in addition to those of this process. Without OMP_NUM_THREADS, each rank gets one thread:
        ranks that compute with as many threads as there are cores are in each other's way.

    Raises
    ------
    LaunchError
        If there is no `mpiexec`, on PATH or beside the Python that runs this.
    """
    beside = Path(sys.executable).with_name("mpiexec")
    program = shutil.which("mpiexec") or (str(beside) if beside.exists() else None)
    if program is None:
        raise LaunchError(f"mpiexec was not found: {INSTALL}")
    environment = ({"OMP_NUM_THREADS": "1"} if ranks > 1 else {}) | os.environ | variables
    return subprocess.run([program, *options, "-n", str(ranks), *command], env=environment, check=False).returncode
