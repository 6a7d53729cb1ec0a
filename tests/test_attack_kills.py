"""Processes killed while they save. The file under the name is whole, and what was left beside it does not stay.

Of one framework, and how often: ``python tests/test_attack_kills.py torch 100``
"""

from __future__ import annotations

import importlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

SAVING = """
import importlib, sys
torch = importlib.import_module(sys.argv[1])
big = [torch.full((500_000,), float(i)) for i in range(2)]
while True:
    for i in range(2):
        torch.save({"i": i, "x": big[i]}, sys.argv[2])
        print(flush=True)
"""


def kills(lib: str, tries: int, folder: Path) -> Counter[str]:
    """How the file was found, and how many other files there are after one more save."""
    torch: Any = importlib.import_module(lib)
    path, chance, found = folder / "x.pt", random.Random(0), Counter[str]()
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    for _ in range(tries):
        with subprocess.Popen([sys.executable, "-c", SAVING, lib, path], stdout=subprocess.PIPE, env=environment) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chance.uniform(0, 0.03))
            process.send_signal(signal.SIGKILL)
        try:
            state = torch.load(path)
            found["whole" if set(state["x"].tolist()) == {state["i"]} else "wrong"] += 1
        except Exception:
            found["lost"] += 1
    torch.save(1, path)
    found["files left behind"] = len(os.listdir(folder)) - 1
    return found


def test_kills_while_saving(tmp_path: Path) -> None:
    assert kills("minigrad", 5, tmp_path) == {"whole": 5, "files left behind": 0}


@pytest.mark.attack
def test_100_kills_while_saving(tmp_path: Path) -> None:
    assert kills("minigrad", 100, tmp_path) == {"whole": 100, "files left behind": 0}


@pytest.mark.attack
def test_saving_each_minute_for_a_week(tmp_path: Path) -> None:
    minigrad: Any = importlib.import_module("minigrad")
    state = {"x": minigrad.ones(1000)}
    files: list[int] = []
    memory: list[int] = []
    for i in range(7 * 24 * 60):
        minigrad.save(state | {"i": i}, tmp_path / "x.pt")
        if i % 5000 == 1000:
            assert minigrad.load(tmp_path / "x.pt")["i"] == i
            files.append(len(os.listdir("/proc/self/fd")) + len(os.listdir(tmp_path)))
            memory.append(int(Path("/proc/self/statm").read_text().split()[1]))
    assert len(set(files)) == 1
    assert memory[-1] - memory[0] < 500  # pages: 2 MB


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        print(kills(sys.argv[1], int(sys.argv[2]), Path(name)))
