"""The command line that minigrad and its torch twin share: the options, and how a command fails.

A mistake in the command ends in one sentence on stderr and exit status 2, Ctrl-C in one line and status 130. Only a mistake of ours
ends in a traceback.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn


class CommandError(Exception):
    """What keeps a command from its work, in one sentence that says what to do."""


@dataclass(frozen=True)
class Command:
    """A command: what it does in one line, the options it takes, and the function that does it.

    One that runs somebody else's program is not `guarded`: what goes wrong is the program's to report.
    """

    summary: str
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], None]
    guarded: bool = True


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser` that reports a wrong option in one line, without the whole usage before it."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and leave with status 2."""
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def number(kind: Callable[[str], float], lowest: float, highest: float, wanted: str) -> Callable[[str], float]:
    """Make an argparse type: a number that `kind` reads, from `lowest` to `highest`."""

    def convert(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not lowest <= value <= highest:
            raise argparse.ArgumentTypeError(f"expected {wanted}, got {text!r}")
        return value

    return convert


def whole_number(lowest: int, highest: int) -> Callable[[str], float]:
    """Make an argparse type: an int from `lowest` to `highest`."""
    return number(int, lowest, highest, f"a whole number from {lowest} to {highest}")


def threads_option(parser: argparse.ArgumentParser, default: int | None, described: str) -> None:
    """Add the number of threads that matrix products may run on."""
    parser.add_argument("--threads", type=whole_number(1, 1024), default=default, metavar="N",
                        help=f"threads that matrix products may run on (default: {described})")  # fmt: skip


def train_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a training run.

    The defaults bring the tutorial's model to about 90 % on the embedded digits, whatever the seed. The tutorial's own,
    2 epochs at a learning rate of 0.5, suit all of MNIST; on a fifth of it they end between 80 and 90 %.
    """
    count, real = whole_number(1, 10**9), number(float, 0, sys.float_info.max, "a number that is at least 0")
    add = parser.add_argument
    add("--model", choices=("manual", "logistic", "mlp", "cnn"), default="logistic",
        help="logistic regression by hand or with nn.Linear, a 784-512-512-10 network, or three convolutions, for which "
        "--lr 0.05 --momentum 0.9 is a good start (default: %(default)s)")  # fmt: skip
    add("--data", choices=("digits", "mnist"), default="digits",
        help="the sample of digits that comes with minigrad, or all of MNIST (default: %(default)s)")  # fmt: skip
    add("--epochs", type=count, default=5, metavar="N", help="passes over the data (default: %(default)s)")
    add("--batch-size", type=count, default=64, metavar="N", help="digits per step (default: %(default)s)")
    add("--lr", type=real, default=0.2, metavar="X", help="learning rate of SGD (default: %(default)s)")
    add("--momentum", type=real, default=0.0, metavar="X", help="momentum of SGD (default: %(default)s)")
    add("--seed", type=whole_number(0, 2**63 - 1), default=0, metavar="N",
        help="fixes the first weights and the shuffles (default: %(default)s)")  # fmt: skip
    threads_option(parser, 1, "1, since more gain nothing at this size, and lose much on a busy machine")
    add("--compile", action="store_true", help="compile the training step: the same numbers, sooner (torch needs a C++ compiler)")
    add("--plot", metavar="FILE.png", help="also draw how it went (needs matplotlib)")
    add("--quiet", action="store_true", help="no progress bar")


def distributed_option(parser: argparse.ArgumentParser) -> None:
    """Add what makes a training run one of several that train together."""
    parser.add_argument("--distributed", action="store_true",
                        help="train together with the other processes that torchrun has started, each on its part of the data; "
                        "--batch-size is that of each process")  # fmt: skip


def check_distributed(options: argparse.Namespace, program: str) -> None:
    """Refuse a distributed run that cannot be.

    Raises
    ------
    CommandError
        If nobody has started other processes, the model is no module, or the step is to be compiled.
    """
    if options.distributed and "RANK" not in os.environ:
        raise CommandError(f"--distributed: several processes must be started, as with: {program}")
    if options.distributed and options.model == "manual":
        raise CommandError("--distributed: the model by hand is no module, choose another --model")
    if options.distributed and options.compile:
        raise CommandError("--distributed: a compiled step does not talk to other processes, leave --compile out")


def main(program: str, commands: dict[str, Command], arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` (by default those of the process) name, and return the exit status."""
    parser = Parser(prog=f"python -m {program}", allow_abbrev=False)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="|".join(commands))
    for name, command in commands.items():
        command.add_options(subparsers.add_parser(name, help=command.summary, description=command.summary, allow_abbrev=False))
    options = parser.parse_args(arguments)
    chosen = commands[options.command]
    if not chosen.guarded:
        chosen.run(options)
        return 0
    try:
        chosen.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read our output has left (`| head`): leave too, and let nothing flush to it again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        from minigrad.vision.datasets import DataError  # loads what most commands do not need

        if not isinstance(error, CommandError | DataError):
            raise
        print(f"{parser.prog} {options.command}: {error}", file=sys.stderr)
        return 2
    return 0
