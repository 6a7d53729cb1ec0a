"""The rungs of the ladder: each script as it is on torch, and unchanged on minigrad, printing the same text."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .forks import Forks

ROOT = Path(__file__).parents[1]
LADDER = ROOT / "reference" / "ladder"
RUNGS = sorted(LADDER.glob("[0-9]*.py"))
WHOLE = {"09", "14", "17"}  # the other rungs train on a tenth of the digits, to save time
# From another folder, where minigrad is found as if it were installed; with one thread, for the sake of torch's sums.
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8",
               "CUDA_VISIBLE_DEVICES": ""}  # fmt: skip


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with Forks(**ENVIRONMENT) as running:
        yield running


ALONE = [path for path in RUNGS if "torchrun" not in path.read_text(encoding="utf-8")]  # the others are in test_distributed


@pytest.mark.parametrize("script", ALONE, ids=[path.stem for path in ALONE])
def test_the_same_text(script: Path, forks: Forks) -> None:
    argv, folder, pipe = [str(script.relative_to(LADDER.parent))], LADDER.parent, subprocess.PIPE
    if script.stem[:2] not in WHOLE:
        argv += ["--data", "few"]
    command = [sys.executable, "-W", "error", "-m", "minigrad", "run", *argv]
    with subprocess.Popen(command, cwd=folder, env=os.environ | ENVIRONMENT, stdout=pipe, stderr=pipe, encoding="utf-8") as ours:
        expected = forks.run(argv, folder)
        out, err = ours.communicate(timeout=100)
    assert expected[0] == ours.returncode == 0, (expected, err)
    assert expected[2] == err == ""
    assert expected[1].count("\n") >= 3
    assert out == expected[1]


def test_each_rung_is_short_and_says_what_it_adds() -> None:
    assert len(RUNGS) >= 20
    for script in RUNGS:
        number = int(script.name[:2])
        text = script.read_text(encoding="utf-8")
        assert text.startswith(f'"""Rung {number}: '), script
        assert 20 <= text.count("\n") <= 60, script
        assert "minigrad" not in text, script
