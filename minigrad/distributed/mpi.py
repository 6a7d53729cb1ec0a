"""MPI as `mpi4py` has it, loaded when it is first needed: ``mpi.SUM`` is `mpi4py.MPI.SUM`."""

from __future__ import annotations

import contextlib
import functools
import glob
import os
from typing import Any

INSTALL = "install it with: pip install 'minigrad-twin[mpi]' (that is mpi4py and mpich)"


@functools.cache
def library() -> Any:
    """The module `mpi4py.MPI`, with MPI started.

    Raises
    ------
    RuntimeError
        If mpi4py is not installed or finds no MPI; the message says what to install.
    """
    try:
        import mpi4py

        mpi4py.rc.initialize = mpi4py.rc.finalize = False
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise RuntimeError(f"torch.distributed needs MPI, and {str(error).splitlines()[0]}: {INSTALL}") from None
    if not MPI.Is_initialized():
        MPI.Init_thread()
    MPI.COMM_WORLD.Set_errhandler(MPI.ERRORS_RETURN)
    MPI.COMM_WORLD.Barrier()
    _unlink_shared_memory()
    return MPI


def _unlink_shared_memory() -> None:
    """Delete the names of MPICH's shared memory, now that all ranks have it open: no end of a rank can leave it behind."""
    maps = "/proc/self/maps"
    if not glob.glob("/dev/shm/mpich_shm_*") or not os.path.exists(maps):
        return
    with open(maps) as file:
        names = {line.split(maxsplit=5)[-1].strip() for line in file if "/dev/shm/mpich_shm_" in line}
    for name in names:
        with contextlib.suppress(FileNotFoundError):  # another rank was quicker
            os.unlink(name)


def __getattr__(name: str) -> Any:
    if not name[0].isupper():  # none of MPI's: an import statement asks for __path__, pytest for pytest_plugins
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(library(), name)
