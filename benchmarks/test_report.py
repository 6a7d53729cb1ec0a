"""The table and the picture, from a small report; and that contenders take turns."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import conftest, report
from benchmarks.rounds import FEWEST_ROUNDS, Rounds, take_turns

TABLE = """\
### Training

| job   | minigrad |  torch | ratio | ratio to others |
|-------|---------:|-------:|------:|----------------:|
| step  |  50.0 µs | 100 µs |  0.50 | bare NumPy 1.25 |
| epoch |   2.00 s | 1.00 s |  2.00 |                 |
| chain |   1.00 s |        |       |     chunks 1.10 |

### Operations

| job | minigrad |   torch | ratio |
|-----|---------:|--------:|------:|
| erf |  3.00 ms | 1.50 ms |  2.00 |

training: minigrad takes no longer than torch in 1 of 2; ratios from 0.50 to 2.00
operations: minigrad takes no longer than torch in 0 of 1; ratios from 2.00 to 2.00

Medians of processor time (import: time on the clock; memory: the most that a process had), each ratio between neighbours in time. \
Measured on Some CPU, Linux; Python 3.11.7, numpy 2.4.6, torch 2.13.0. \
Matrix products: NumPy's by openblas 0.3, kernel Zen, 1 thread; torch's by MKL 2024.2, kernel AVX2, 1 thread.
"""


def row(section: str, job: str, contender: str, median: float, ratio: float | None = None) -> dict[str, Any]:
    info = {"section": section, "job": job, "unit": "s", "contender": contender, "ratio": ratio}
    return {"extra_info": info, "stats": {"median": median}}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    machine = {"cpu": {"brand_raw": "Some CPU"}, "machine": "x86_64", "system": "Linux", "python_version": "3.11.7"}
    rows = [row("training", "step", "minigrad", 5e-5), row("training", "step", "torch", 1e-4, 0.5),
            row("training", "step", "bare NumPy", 4e-5, 1.25), row("operations", "erf", "minigrad", 3e-3),
            row("operations", "erf", "torch", 1.5e-3, 2.0), row("training", "epoch", "minigrad", 2.0),  # a section goes on
            row("training", "epoch", "torch", 1.0, 2.0), row("training", "chain", "minigrad", 1.0),
            row("training", "chain", "chunks", 0.9, 1.1)]  # fmt: skip
    blas = {"NumPy's": "openblas 0.3, kernel Zen, 1 thread", "torch's": "MKL 2024.2, kernel AVX2, 1 thread"}
    versions = {"versions": {"numpy": "2.4.6", "torch": "2.13.0"}, "blas": blas}
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"machine_info": machine | versions, "benchmarks": rows}))
    return path


def test_table(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report.main([str(results)])
    assert capsys.readouterr().out == TABLE


def test_section(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report.main([str(results), "--section", "operations"])
    shown = capsys.readouterr().out
    assert "erf" in shown
    assert "step" not in shown
    with pytest.raises(SystemExit) as exit:
        report.main([str(results), "--section", "nothing"])
    assert exit.value.code == 2
    assert "has no section 'nothing', only training, operations\n" in capsys.readouterr().err


def test_picture(results: Path, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    report.main([str(results), "--plot", str(picture)])
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("content", "sentence"), [
    (None, "cannot read {}: No such file or directory"),
    ("[1]", "{} is not what pytest --benchmark-only --benchmark-json writes for this project"),
    ("no json", "{} is not what pytest --benchmark-only --benchmark-json writes for this project"),
])  # fmt: skip
def test_wrong_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, sentence: str) -> None:
    path = tmp_path / "wrong.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SystemExit) as exit:
        report.main([str(path)])
    assert exit.value.code == 2
    assert capsys.readouterr().err.endswith(f"error: {sentence.format(path)}\n")


def test_picture_of_unknown_kind(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        report.main([str(results), "--plot", "picture.nothing"])
    assert exit.value.code == 2
    assert "error: cannot draw picture.nothing: " in capsys.readouterr().err


def test_take_turns() -> None:
    called: list[str] = []
    rounds = take_turns({"a": lambda: called.append("a"), "b": lambda: called.append("b")}, budget=0)
    assert [len(seconds) for seconds in rounds.seconds.values()] == [FEWEST_ROUNDS] * 2
    measured = called[-2 * FEWEST_ROUNDS * rounds.calls :]
    assert "".join(measured[:: rounds.calls]) == "abbaabbaab"
    assert rounds.calls > 1


def test_ratio_compares_neighbours() -> None:
    rounds = Rounds(1, {"minigrad": [1.0, 10.0, 1.5], "torch": [2.0, 20.0, 5.0]})
    assert rounds.ratio("minigrad", "torch") == 0.5
    assert rounds.median("minigrad") == 1.5


def test_the_report_names_both_libraries_of_matrix_products() -> None:
    ours, theirs = conftest.blas().values()
    assert re.match(r"(openblas|mkl|blis|flexiblas) [\d.]+, kernel \w+, \d+ threads?|a library that does not tell", ours)
    assert re.match(r"(MKL )?[\w.]+, kernel \w+, \d+ threads?", theirs)


def test_a_measuring_run_ends_with_our_table_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "--benchmark-only", "-p", "no:cacheprovider", "benchmarks/test_loader_speed.py"]
    # Beside other workers nothing is measured.
    alone = {name: value for name, value in os.environ.items() if name != "PYTEST_XDIST_WORKER"}
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, env=alone, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "### Data" in done.stdout
    assert "Matrix products: NumPy's by " in done.stdout
    assert "Outliers" not in done.stdout  # of the plugin's own table
