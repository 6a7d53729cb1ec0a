"""``python -m minigrad``: the command line."""

import sys

from minigrad.cli import Command, main, train_options
from minigrad.training import run

if __name__ == "__main__":
    sys.exit(main("minigrad", {"train": Command("train a classifier of handwritten digits", train_options, run)}))
