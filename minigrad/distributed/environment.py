"""What the process that started this one tells it in variables: MPI's names, and torch's."""

from __future__ import annotations

import os

# (rank, number of ranks, rank on this host, number of ranks on this host) as MPICH and its relatives, and Open MPI, call them
_MPI_NAMES = (
    ("PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"),
)
_TORCH_NAMES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")


def under_mpiexec() -> bool:
    """Whether an MPI launcher has started this process."""
    return any(names[0] in os.environ for names in _MPI_NAMES)


def set_torch_variables() -> None:
    """Set RANK, WORLD_SIZE, LOCAL_RANK and LOCAL_WORLD_SIZE from what `mpiexec` has set, for scripts that read them.

    MASTER_ADDR and MASTER_PORT are set too. Nobody listens there: MPI's ranks find each other through `mpiexec`.
    """
    for names in _MPI_NAMES:
        if names[0] in os.environ:
            for theirs, ours in zip(names, _TORCH_NAMES, strict=True):
                if theirs in os.environ:
                    os.environ.setdefault(ours, os.environ[theirs])
            os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
            os.environ.setdefault("MASTER_PORT", "29500")
