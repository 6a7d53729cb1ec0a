"""What several processes on one machine take: a sum over two ranks, and a training step on one and on two, beside torch with gloo.

Two cores and shared memory are no network: these rows say what the calls cost, not how a cluster would do.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.conftest import THREADS, Race
from benchmarks.rounds import Contender
from benchmarks.test_import_speed import ROOT

SCRIPT = """
import os, sys, time
import torch, torch.distributed as dist
from torch import nn
job, size, calls, *meet = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:]
torch.set_num_threads(1)
dist.init_process_group("gloo", **({"init_method": f"file://{meet[0]}", "rank": int(meet[1]), "world_size": 2} if meet else {}))
if job == "sum":
    x = torch.ones(size // 4)
    def call():
        dist.all_reduce(x)
        x.fill_(1)
else:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
    model = nn.parallel.DistributedDataParallel(model)
    opt = torch.optim.SGD(model.parameters(), lr=0.01)
    images, labels = torch.rand(size, 784), torch.randint(10, (size,))
    def call():
        nn.functional.cross_entropy(model(images), labels).backward()
        opt.step()
        opt.zero_grad()
for _ in range(3):
    call()
dist.barrier()
start = time.perf_counter()
for _ in range(calls):
    call()
seconds = torch.tensor([(time.perf_counter() - start) / calls])
dist.all_reduce(seconds, dist.ReduceOp.MAX)
if dist.get_rank() == 0:
    print("seconds", seconds.item(), flush=True)
if meet:  # torch's threads now and then abort a process that ends: "terminate called without an active exception"
    dist.barrier()
    os._exit(0)
dist.destroy_process_group()
"""
class Slowest:
    """A clock that shows what the slowest rank took for a call, added up over all the runs so far."""

    unit = "s"

    def __init__(self, script: Path) -> None:
        self.script, self.total = script, 0.0

    def __call__(self) -> float:
        return self.total

    def ours(self, count: int, *job: object) -> Contender:
        """Let ranks of minigrad, started by its launcher, do a job together, and add the time of a call."""
        return lambda: self._add([["-m", "minigrad", "torchrun", "--nproc-per-node", str(count), self.script, *job]])

    def theirs(self, *job: object) -> Contender:
        """The same of two ranks of torch, which meet at a file."""

        def run() -> None:
            with tempfile.TemporaryDirectory() as folder:
                self._add([[self.script, *job, f"{folder}/meet", rank] for rank in range(2)])

        return run

    def _add(self, commands: list[list[object]]) -> None:
        environment = os.environ | {"OMP_NUM_THREADS": str(THREADS), "OPENBLAS_NUM_THREADS": str(THREADS), "PYTHONPATH": str(ROOT)}
        started = [
            subprocess.Popen([sys.executable, *map(str, command)], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
            for command in commands
        ]
        said = [process.communicate()[0] for process in started]
        assert [process.returncode for process in started] == [0] * len(started)
        self.total += float("".join(said).partition("seconds")[2])


def test_a_sum_over_two_ranks(race: Race, tmp_path: Path) -> None:
    (tmp_path / "job.py").write_text(SCRIPT)
    clock, calls = Slowest(tmp_path / "job.py"), 50 if race.timed else 1
    for megabytes in (1, 25) if race.timed else (1,):
        job = "sum", megabytes * 2**20, calls
        contenders = {"minigrad": clock.ours(2, *job), "torch": clock.theirs(*job)}
        race("processes", f"all_reduce of {megabytes} MB, 2 ranks", contenders, budget=5, clock=clock)


def test_a_step_on_two_ranks(race: Race, tmp_path: Path) -> None:
    (tmp_path / "job.py").write_text(SCRIPT)
    clock, calls = Slowest(tmp_path / "job.py"), 50 if race.timed else 1
    contenders = {"minigrad": clock.ours(2, "step", 128, calls), "torch": clock.theirs("step", 128, calls)}
    if race.timed:
        contenders["one rank"] = clock.ours(1, "step", 256, calls)
    race("processes", "training step, 784-512-512-10, 2 ranks of batch 128", contenders, budget=5, clock=clock)
