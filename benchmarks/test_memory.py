"""The memory that a process takes which trains the convolutional network."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.conftest import THREADS, Race
from benchmarks.rounds import Contender
from benchmarks.test_import_speed import ROOT

SCRIPT = """
import pathlib, re, resource, sys
import {m} as m, {training} as training
from minigrad.vision.datasets import load_digits
images, labels = (m.from_numpy(part[:640]) for part in load_digits()[0])
model, loss_func, opt = training.get_model("cnn", 0.01, 0.9)
for i in range({steps}):
    rows = slice(64 * (i % 10), 64 * (i % 10) + 64)
    training.loss_batch(model, loss_func, images[rows], labels[rows], opt)
status = pathlib.Path("/proc/self/status")
if status.exists():  # Linux, where ru_maxrss begins with what the process had that this one was started from
    print(int(re.search("VmHWM:\\s*(\\d+) kB", status.read_text())[1]) * 1024)
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""


class PeakMemory:
    """A clock that shows bytes: the peaks of all the processes so far, added up."""

    unit = "B"

    def __init__(self) -> None:
        self.total = 0.0

    def __call__(self) -> float:
        return self.total

    def training(self, m: str, training: str, steps: int) -> Contender:
        """Train in a process of its own, and add the most memory that it had."""
        environment = os.environ | {"OMP_NUM_THREADS": str(THREADS), "OPENBLAS_NUM_THREADS": str(THREADS)}
        script = SCRIPT.format(m=m, training=training, steps=steps)

        def run() -> None:
            done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, check=True, capture_output=True)
            self.total += int(done.stdout)

        return run


def test_peak_memory(race: Race) -> None:
    clock = PeakMemory()
    steps = 100 if race.timed else 2
    contenders = {
        "minigrad": clock.training("minigrad", "minigrad.training", steps),
        "torch": clock.training("torch", "reference.training", steps),
    }
    race("memory", "peak memory, training the convolutional network, batch 64", contenders, budget=5, clock=clock)
    ten, thousand = (clock.training("minigrad", "minigrad.training", n) for n in ((10, 1000) if race.timed else (2, 3)))
    race("memory", "peak memory, 1,000 steps of it", {"minigrad": thousand, "10 steps": ten}, budget=5, clock=clock)
