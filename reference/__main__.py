"""``python -m reference``: train on torch, or run minigrad and torch side by side."""

import argparse
import sys

from minigrad.tools.cli import Command, check_distributed, distributed_option, main, train_options
from minigrad.tools.plot import check_plot, need


def reference_train_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `python -m minigrad train`, and the device."""
    train_options(parser)
    distributed_option(parser)
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where to compute; auto takes a GPU where there is one (default: %(default)s)",
    )


# torch takes a second or more to load, so the two commands load it only once the options are known to be good.


def train(options: argparse.Namespace) -> None:
    """Train on torch."""
    check_distributed(options, "torchrun --nproc-per-node 2 -m reference train --distributed")
    need("torch", "the reference")
    if options.plot:
        check_plot(options.plot)
    from reference.training import run

    run(options)


def compare(options: argparse.Namespace) -> None:
    """Train on both frameworks."""
    need("torch", "the reference")
    if options.plot:
        check_plot(options.plot)
    from reference.compare import run

    run(options)


if __name__ == "__main__":
    commands = {
        "train": Command("train a classifier of handwritten digits on torch", reference_train_options, train),
        "compare": Command("train on minigrad and on torch from the same start", train_options, compare),
    }
    sys.exit(main("reference", commands))
