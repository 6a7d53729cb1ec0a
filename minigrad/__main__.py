"""``python -m minigrad``: the command line."""

import sys

from minigrad import training
from minigrad.tools import run
from minigrad.tools.cli import Command, main, train_options

if __name__ == "__main__":
    commands = {
        "train": Command("train a classifier of handwritten digits", train_options, training.run),
        "run": Command("run a script in which torch means minigrad", run.run_options, run.run, guarded=False),
    }
    sys.exit(main("minigrad", commands))
