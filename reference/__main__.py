"""``python -m reference``: train on torch, or run minigrad and torch side by side."""

import argparse
import importlib.util
import os
import sys

from minigrad.tools.cli import Command, CommandError, main, train_options


def reference_train_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `python -m minigrad train`, and the device."""
    train_options(parser)
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where to compute; auto takes a GPU where there is one (default: %(default)s)",
    )


def compare_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a training run, and the picture."""
    train_options(parser)
    parser.add_argument("--plot", metavar="FILE.png", help="also draw the two loss curves (needs matplotlib)")


def need(package: str, why: str) -> None:
    """Refuse to go on without `package`."""
    if importlib.util.find_spec(package) is None:
        raise CommandError(f"{why} needs {package}, which is not installed here (pip install {package})")


# torch takes a second or more to load, so the two commands load it only once the options are known to be good.


def train(options: argparse.Namespace) -> None:
    """Train on torch."""
    need("torch", "the reference")
    from reference.training import run

    run(options)


def compare(options: argparse.Namespace) -> None:
    """Train on both frameworks."""
    need("torch", "the reference")
    if options.plot:
        check_plot(options.plot)
    from reference.compare import run

    run(options)


def check_plot(path: str) -> None:
    """Refuse a picture that could not be drawn, before the work is done for it."""
    need("matplotlib", "--plot")
    if not path.endswith(".png"):
        raise CommandError(f"--plot draws a PNG file, so its name must end in .png, got {path!r}")
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path) or not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise CommandError(f"--plot cannot write {path!r}: no such folder, or no permission to write there")


if __name__ == "__main__":
    commands = {
        "train": Command("train a classifier of handwritten digits on torch", reference_train_options, train),
        "compare": Command("train on minigrad and on torch from the same start", compare_options, compare),
    }
    sys.exit(main("reference", commands))
