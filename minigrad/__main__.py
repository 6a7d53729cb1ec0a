"""``python -m minigrad``: the command line."""

import argparse
import sys

from minigrad.tools import run
from minigrad.tools.cli import Command, main, threads_option, train_options
from minigrad.tools.plot import check_plot


def train(options: argparse.Namespace) -> None:
    """Train on minigrad."""
    from minigrad import training  # loads the data sets' downloads and the progress bar, which `run` does not need

    if options.plot:
        check_plot(options.plot)
    training.run(options)


def run_options(parser: argparse.ArgumentParser) -> None:
    """Add the number of threads, and what stands behind ``run``."""
    threads_option(parser, None, "NumPy's own, one per core")
    run.run_options(parser)


if __name__ == "__main__":
    commands = {
        "train": Command("train a classifier of handwritten digits", train_options, train),
        "run": Command("run a script in which torch means minigrad", run_options, run.run, guarded=False),
    }
    sys.exit(main("minigrad", commands))
