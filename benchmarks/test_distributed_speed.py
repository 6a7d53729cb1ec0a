"""What several processes on one machine take: a sum over two ranks, and a training step on one and on two, beside torch with gloo.

Two cores and shared memory are no network: these rows say what the calls cost, not how a cluster would do.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.conftest import THREADS, Race
from benchmarks.rounds import Contender
from benchmarks.test_import_speed import ROOT

SCRIPT = """
import sys, time
import torch, torch.distributed as dist
from torch import nn
job, size, calls = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(1)
dist.init_process_group("gloo")
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
    print("seconds", seconds.item())
dist.destroy_process_group()
"""
LAUNCHERS = {"minigrad": ("-m", "minigrad", "torchrun"), "torch": ("-m", "torch.distributed.run", "--standalone")}


class Slowest:
    """A clock that shows what the slowest rank took for a call, added up over all the runs so far."""

    unit = "s"

    def __init__(self, script: Path) -> None:
        self.script, self.total = script, 0.0

    def __call__(self) -> float:
        return self.total

    def ranks(self, launcher: tuple[str, ...], count: int, job: str, size: int, calls: int) -> Contender:
        """Start ranks, let them do a job together, and add the time of a call."""
        environment = os.environ | {"OMP_NUM_THREADS": str(THREADS), "OPENBLAS_NUM_THREADS": str(THREADS)}
        command = [sys.executable, *launcher, "--nproc-per-node", str(count), str(self.script), job, str(size), str(calls)]

        def run() -> None:
            done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
            self.total += float(done.stdout.partition("seconds")[2])

        return run


def test_a_sum_over_two_ranks(race: Race, tmp_path: Path) -> None:
    (tmp_path / "job.py").write_text(SCRIPT)
    clock, calls = Slowest(tmp_path / "job.py"), 50 if race.timed else 1
    for megabytes in (1, 25) if race.timed else (1,):
        size = megabytes * 2**20
        contenders = {name: clock.ranks(launcher, 2, "sum", size, calls) for name, launcher in LAUNCHERS.items()}
        race("processes", f"all_reduce of {megabytes} MB, 2 ranks", contenders, budget=5, clock=clock)


def test_a_step_on_two_ranks(race: Race, tmp_path: Path) -> None:
    (tmp_path / "job.py").write_text(SCRIPT)
    clock, calls = Slowest(tmp_path / "job.py"), 50 if race.timed else 1
    contenders = {name: clock.ranks(launcher, 2, "step", 128, calls) for name, launcher in LAUNCHERS.items()}
    if race.timed:
        contenders["one rank"] = clock.ranks(LAUNCHERS["minigrad"], 1, "step", 256, calls)
    race("processes", "training step, 784-512-512-10, 2 ranks of batch 128", contenders, budget=5, clock=clock)
