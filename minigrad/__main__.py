"""``python -m minigrad``: the command line."""

import argparse
import sys

from minigrad.tools import run, torchrun
from minigrad.tools.cli import (
    Command,
    check_distributed,
    distributed_option,
    main,
    threads_option,
    train_options,
    whole_number,
)
from minigrad.tools.plot import check_plot
from minigrad.tools.source import source


def minigrad_train_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a training run, which may be one of several."""
    train_options(parser)
    distributed_option(parser)


def train(options: argparse.Namespace) -> None:
    """Train on minigrad."""
    check_distributed(options, "python -m minigrad torchrun --nproc-per-node 2 -m minigrad train --distributed")
    from minigrad import training  # loads the data sets' downloads and the progress bar, which `run` does not need

    if options.plot:
        check_plot(options.plot)
    training.run(options)


def run_options(parser: argparse.ArgumentParser) -> None:
    """Add the number of threads, and what stands behind ``run``."""
    threads_option(parser, None, "NumPy's own, one per core")
    run.run_options(parser)


def source_options(parser: argparse.ArgumentParser) -> None:
    """Add the model, and what belongs to its step."""
    models = ("linear", "manual", "logistic", "mlp", "cnn")
    parser.add_argument("--model", choices=models, default="linear",
                        help="z = w x + b under a mean squared error, or a model of `train` (default: %(default)s)")  # fmt: skip
    parser.add_argument("--batch-size", type=whole_number(1, 10**6), default=64, metavar="N",
                        help="digits per step, of the models of `train` (default: %(default)s)")  # fmt: skip
    parser.add_argument("--export", metavar="FILE.py", help="also write the program there, and its arrays beside it")


if __name__ == "__main__":
    commands = {
        "train": Command("train a classifier of handwritten digits", minigrad_train_options, train),
        "source": Command("print a training step as a NumPy program", source_options, source),
        "run": Command("run a script in which torch means minigrad", run_options, run.run, guarded=False),
        "torchrun": Command("run a script in several processes", torchrun.torchrun_options, torchrun.torchrun),
    }
    sys.exit(main("minigrad", commands))
