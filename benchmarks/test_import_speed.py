"""How long it takes to start Python and import a package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from benchmarks.conftest import THREADS, Race
from benchmarks.rounds import Contender

ROOT = Path(__file__).parent.parent


def importing(package: str) -> Contender:
    environment = os.environ | {"OMP_NUM_THREADS": str(THREADS), "OPENBLAS_NUM_THREADS": str(THREADS)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # or minigrad would be compiled anew each time, unlike the others

    def run() -> None:
        subprocess.run([sys.executable, "-c", f"import {package}"], cwd=ROOT, env=environment, check=True)

    return run


def test_import(race: Race) -> None:
    contenders = {name: importing(name) for name in ("minigrad", "torch", "numpy")}
    race("import", "import", contenders, budget=10, clock=perf_counter)  # another process computes here
