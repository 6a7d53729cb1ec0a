"""The test suite itself: its table of contents, and that it runs however it was started."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from . import conftest

HERE = Path(__file__).parent

INTERRUPTED = """
import os, signal, subprocess, sys
import pytest

def test_an_interrupt_arrives():
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)

def test_an_interrupt_arrives_in_a_process_that_a_test_starts():
    code = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"
    assert subprocess.run([sys.executable, "-c", code], stderr=subprocess.DEVNULL).returncode == -signal.SIGINT
"""


def test_a_suite_that_was_started_with_interrupts_ignored(tmp_path: Path) -> None:
    """As the shell starts one with `&` after it, and as nohup does."""
    (tmp_path / "test_interrupts.py").write_text(INTERRUPTED)
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(HERE.parent / "pyproject.toml"), "--rootdir", str(tmp_path),
               "-p", "no:cacheprovider", "-p", "tests.conftest", str(tmp_path)]  # fmt: skip
    ignoring = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"]
    done = subprocess.run([*ignoring, *command], capture_output=True, text=True, cwd=HERE.parent, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_every_file_is_in_the_table_of_contents() -> None:
    named = set(re.findall(r"test_\w+", conftest.__doc__ or ""))
    files = {path.stem for path in HERE.glob("test_*.py")}
    assert named == files, "the table at the head of tests/conftest.py says which file tests what"
