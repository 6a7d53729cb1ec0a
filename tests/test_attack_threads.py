"""Programs in which threads draw random numbers, or load, while workers are forked. None may hang, no worker may stay.

Of one framework, and how often: ``python tests/test_attack_threads.py torch 10``
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

KINDS = ["loaders", "rand", "randn", "dropout", "numpy", "own", "mixed"]
LIMIT = 120  # seconds after which a program hangs; it takes 1 or 2, and many more where the computer is busy

PROGRAM = """
import importlib, itertools, sys, threading, warnings
warnings.simplefilter("ignore")
import numpy as np
lib, kind = sys.argv[1:]
torch, data = importlib.import_module(lib), importlib.import_module(lib + ".utils.data")
own, drop, ones = torch.Generator(), torch.nn.Dropout(), torch.ones(10**5)
noises = {
    "rand": lambda: torch.rand(10**5), "randn": lambda: torch.randn(10**6), "dropout": lambda: drop(ones),
    "numpy": lambda: np.random.rand(10**5), "own": lambda: torch.rand(10**5, generator=own),
}

class Numbers(data.Dataset):
    def __getitem__(self, index):
        return index + 0 * (torch.rand(1).item() + torch.rand(1, generator=own).item() + np.random.rand())
    def __len__(self):
        return 20

def load(epochs):
    loader = data.DataLoader(Numbers(), 4, num_workers=2, multiprocessing_context="fork")
    for _ in range(epochs):
        assert sum(batch.sum().item() for batch in loader) == 190

def noise(make):
    while not over:
        make()

over = False
if kind == "loaders":
    threads = [threading.Thread(target=load, args=(8,)) for _ in range(6)]
else:
    threads = [threading.Thread(target=noise, args=(make,)) for name, make in noises.items() if kind in (name, "mixed")]
for thread in threads:
    thread.start()
if kind != "loaders":
    load(8)
over = True
for thread in threads:
    thread.join()
"""


def members(session: int) -> list[int]:
    """The processes of a session that run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] not in "ZX":
            found.append(int(stat.parent.name))
    return found


def outcome(lib: str, kind: str) -> str:
    """How the program ended."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen([sys.executable, "-c", PROGRAM, lib, kind], env=environment, start_new_session=True,
                          stderr=subprocess.PIPE) as process:  # fmt: skip
        try:
            _, errors = process.communicate(timeout=LIMIT)
            ending = "right" if process.returncode == 0 else f"failed: {errors.decode()[-300:]}"
        except subprocess.TimeoutExpired:
            ending = "hangs"
        end = time.monotonic() + 5
        while ending == "right" and members(process.pid) and time.monotonic() < end:
            time.sleep(0.05)
        left = members(process.pid)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
    return "orphans" if left and ending == "right" else ending


@pytest.mark.parametrize("kind", ["loaders", "mixed"])
def test_threads_and_workers(kind: str) -> None:
    assert outcome("minigrad", kind) == "right"


@pytest.mark.attack
def test_50_programs_with_threads_and_workers() -> None:
    assert Counter(outcome("minigrad", KINDS[i % len(KINDS)]) for i in range(50)) == {"right": 50}


if __name__ == "__main__":
    print(Counter(outcome(sys.argv[1], KINDS[i % len(KINDS)]) for i in range(int(sys.argv[2]))))
