"""The rungs of the ladder: each script as it is on torch, and unchanged on minigrad, printing the same text."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LADDER = ROOT / "reference" / "ladder"
RUNGS = sorted(LADDER.glob("[0-9]*.py"))
PYTHON = [sys.executable, "-W", "error"]


def start(command: list[str]) -> subprocess.Popen[str]:
    # From another folder, where minigrad is found as if it were installed; with one thread, for the sake of torch's sums.
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment |= {"PYTHONIOENCODING": "utf-8", "CUDA_VISIBLE_DEVICES": ""}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=LADDER.parent, env=environment, stdout=pipe, stderr=pipe, text=True, encoding="utf-8")


@pytest.mark.parametrize("script", RUNGS, ids=[path.stem for path in RUNGS])
def test_the_same_text(script: Path) -> None:
    plain = [str(script.relative_to(LADDER.parent))]
    with start([*PYTHON, *plain]) as theirs, start([*PYTHON, "-m", "minigrad", "run", *plain]) as ours:
        expected, got = (process.communicate(timeout=100) for process in (theirs, ours))
    assert expected[1] == got[1] == ""
    assert theirs.returncode == ours.returncode == 0
    assert expected[0].count("\n") >= 3
    assert got[0] == expected[0]


def test_each_rung_is_short_and_says_what_it_adds() -> None:
    assert len(RUNGS) == 19
    for number, script in enumerate(RUNGS, 1):
        text = script.read_text(encoding="utf-8")
        assert text.startswith(f'"""Rung {number}: '), script
        assert 20 <= text.count("\n") <= 60, script
        assert "minigrad" not in text, script
