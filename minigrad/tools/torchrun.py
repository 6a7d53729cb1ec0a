"""``python -m minigrad torchrun``: torchrun's options, and `mpiexec` to do the work.

Each rank runs the script as ``python -m minigrad run`` does, so that in it ``torch`` means minigrad.
"""

from __future__ import annotations

import argparse
import os
import sys
import uuid

from minigrad.distributed.launch import LaunchError, mpiexec
from minigrad.tools.cli import CommandError, whole_number

# With one of these, mpiexec knows the hosts: a file that the user names, or the list of a cluster's scheduler.
HOSTS = ("HYDRA_HOST_FILE", "SLURM_JOB_NODELIST", "SLURM_NODELIST", "PBS_NODEFILE", "LSB_HOSTS", "PE_HOSTFILE", "COBALT_NODEFILE")


def torchrun_options(parser: argparse.ArgumentParser) -> None:
    """Add those of torchrun's options that mean something to MPI."""
    add = parser.add_argument
    count = whole_number(1, 10**6)
    add("--nproc-per-node", "--nproc_per_node", type=_processes, default=1, metavar="N",
        help="ranks on each host; auto or cpu for as many as there are cores (default: %(default)s)")  # fmt: skip
    add("--nnodes", type=count, default=1, metavar="N",
        help="hosts; several are named in the file that HYDRA_HOST_FILE names, or by a cluster's scheduler (default: %(default)s)")
    add("--max-restarts", "--max_restarts", type=whole_number(0, 10**6), default=0, metavar="N",
        help="how often to start anew when a rank fails (default: %(default)s)")  # fmt: skip
    add("--standalone", action="store_true", help="one host; needed by torch, not here")
    for name in ("--rdzv-backend", "--rdzv-endpoint", "--rdzv-id", "--rdzv-conf", "--master-addr", "--master-port", "--local-addr"):
        add(name, name[:2] + name[2:].replace("-", "_"), metavar="X", help="not needed: mpiexec connects the ranks")
    add("--node-rank", "--node_rank", metavar="N", help="not needed: this command runs on one host, and mpiexec starts the others")
    add("-m", "--module", action="store_true", help="run a module, found as imports find it")
    add("--no-python", "--no_python", action="store_true", help="run a program, not a Python script")
    add("argv", nargs=argparse.REMAINDER, metavar="script.py", help="the script, followed by its arguments")


def _processes(text: str) -> int:
    if text in ("auto", "cpu"):
        return os.cpu_count() or 1
    if text == "gpu":
        raise argparse.ArgumentTypeError("'gpu': there is none; give a number")
    return int(whole_number(1, 10**6)(text))


def torchrun(options: argparse.Namespace) -> None:
    """Start the ranks, again if need be, and leave with the status of the last try."""
    if not options.argv:
        raise CommandError("name a script, or a module behind -m (see --help)")
    if options.node_rank not in (None, "0"):
        raise CommandError(f"--node-rank {options.node_rank}: run this command on one host only; mpiexec starts the others' ranks")
    if options.nnodes > 1 and not any(name in os.environ for name in HOSTS):
        raise CommandError(f"--nnodes {options.nnodes}: name the hosts, one a line, in a file, and the file in HYDRA_HOST_FILE")
    python = [sys.executable, "-m", "minigrad", "run", *(["-m"] if options.module else [])]
    command = options.argv if options.no_python else [*python, *options.argv]
    placement = ("-ppn", str(options.nproc_per_node)) if options.nnodes > 1 else ()
    name = uuid.uuid4().hex
    for attempt in range(options.max_restarts + 1):
        variables = {"TORCHELASTIC_RUN_ID": name, "TORCHELASTIC_RESTART_COUNT": str(attempt)}
        try:
            status = mpiexec(options.nnodes * options.nproc_per_node, command, *placement, **variables)
        except LaunchError as error:
            raise CommandError(str(error)) from None
        if status == 0:
            return
        if attempt < options.max_restarts:
            print(f"torchrun: exit status {status}; restart {attempt + 1} of {options.max_restarts}", file=sys.stderr, flush=True)
    sys.exit(status)
