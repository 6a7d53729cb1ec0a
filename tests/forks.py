"""Scripts in processes of their own that need not import torch, because they are forked from one that has.

    with Forks() as forks:
        status, out, err = forks.run(["script.py", "--quiet"], folder)

The process that is forked does nothing but import torch and minigrad, so a script meets what it would meet in a fresh
``python -W error script.py --quiet``.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any


class Forks:
    """A running process that has imported torch."""

    def __init__(self, **environment: str) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([sys.executable, "-W", "error", __file__], env=os.environ | environment,
                                        stdin=pipe, stdout=pipe, text=True)  # fmt: skip

    def __enter__(self) -> Forks:
        return self

    def run(self, argv: list[str], folder: Path) -> tuple[int, str, str]:
        """Run a script in a folder; give its exit status, and what it wrote."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with tempfile.TemporaryDirectory() as scratch:
            out, err = Path(scratch, "out"), Path(scratch, "err")
            print(json.dumps([argv, str(folder), str(out), str(err)]), file=self.process.stdin, flush=True)
            return int(self.process.stdout.readline()), out.read_text("utf-8"), err.read_text("utf-8")

    def __exit__(self, *error: Any) -> None:
        self.process.communicate()  # with its input closed, it ends


def serve() -> None:
    """Fork for each line of the input; write the exit status of the fork."""
    import torch  # noqa: F401

    import minigrad.vision.datasets  # noqa: F401

    for line in sys.stdin:
        argv, folder, out, err = json.loads(line)
        child = os.fork()
        if not child:
            signal.alarm(100)  # a script that hangs is killed
            for path, number in (out, 1), (err, 2):
                os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.chdir(folder)
            sys.argv, sys.path[0] = argv, str(Path(argv[0]).parent.resolve())
            runpy.run_path(argv[0], run_name="__main__")
            return
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
