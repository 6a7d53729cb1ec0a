"""Train on minigrad and on torch from the same seed, and show both loss curves.

Nothing but the seed is shared. Each side draws its own weights and deals its own batches; they are the same because
minigrad draws torch's random numbers.
"""

from __future__ import annotations

from argparse import Namespace
from time import perf_counter
from types import ModuleType
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

import minigrad
import minigrad.training
import reference.training
from minigrad.tools.plot import save

ROWS = 20  # lines of the table of losses


class Side:
    """One framework's half of the comparison.

    Parameters
    ----------
    name
        What to call it: "minigrad" or "torch".
    training
        `minigrad.training` or `reference.training`; they offer the same functions.
    options
        What the command line asks for.
    """

    def __init__(self, name: str, training: ModuleType, options: Namespace) -> None:
        self.name, self.training = name, training
        training.torch.manual_seed(options.seed)
        train_ds, valid_ds, _ = training.get_datasets(options.data, options.quiet)
        self.train_dl, self.valid_dl = training.get_data(train_ds, valid_ds, options.batch_size)
        self.model, self.loss_func, self.opt = training.get_model(options.model, options.lr, options.momentum)
        self.losses: list[float] = []
        self.seconds = self.loading_seconds = 0.0

    def warm_up(self) -> None:
        """Take one gradient and drop it: a library's first call also pays for its setting up."""
        with self.training.torch.random.fork_rng(devices=[]):  # what is drawn here is put back
            xb, yb = next(iter(self.train_dl))
            self.loss_func(self.model(xb), yb).backward()
        self.opt.zero_grad()

    def train_epoch(self, bar: Any) -> None:
        """Train on each batch of an epoch, and note the losses and the time."""
        start = before = perf_counter()
        for xb, yb in self.train_dl:
            self.loading_seconds += perf_counter() - before
            self.losses.append(self.training.loss_batch(self.model, self.loss_func, xb, yb, self.opt))
            bar.update()
            before = perf_counter()
        self.seconds += perf_counter() - start


def print_losses(ours: Side, twin: Side) -> None:
    """Print the two curves side by side, about `ROWS` steps of them."""
    gaps = np.abs(np.subtract(ours.losses, twin.losses))
    steps = len(gaps)
    print(f"{'step':>8}{ours.name:>14}{twin.name:>14}{'gap':>12}")
    for step in np.unique(np.linspace(1, steps, ROWS).astype(int)):
        i = step - 1
        print(f"{step:8d}{ours.losses[i]:14.6f}{twin.losses[i]:14.6f}{gaps[i]:12.2e}")
    worst = int(np.argmax(gaps))  # a nan counts as the largest
    print(f"largest gap {gaps[worst]:.2e}, at step {worst + 1} of {steps}")


def plot(ours: Side, twin: Side, path: str) -> None:
    """Draw the two loss curves into a PNG file."""
    from matplotlib.figure import Figure  # wanted by --plot alone, and not everybody has it

    figure = Figure(layout="constrained")
    axes = figure.subplots()
    axes.plot(twin.losses, label=twin.name, linewidth=3, alpha=0.4)
    axes.plot(ours.losses, label=ours.name, linewidth=1)
    axes.set(xlabel="step", ylabel="training loss")
    axes.legend()
    save(figure, path)


def run(options: Namespace) -> None:
    """Do what ``compare`` on the command line asks for."""
    minigrad.set_num_threads(options.threads)
    torch.set_num_threads(options.threads)
    ours, twin = sides = Side("minigrad", minigrad.training, options), Side("torch", reference.training, options)
    for side in sides:
        side.warm_up()
    with tqdm(total=2 * options.epochs * len(twin.train_dl), unit="step", leave=False, disable=options.quiet) as bar:
        for _ in range(options.epochs):
            for side in sides:  # in turns, so that a disturbance of the machine hits both
                side.train_epoch(bar)

    print(
        f"{options.model} on {options.data}: minigrad and torch {torch.__version__}, "
        f"both from seed {options.seed}, threads: {options.threads} each"
    )
    print_losses(ours, twin)
    for side in sides:
        loss, right = side.training.evaluate(side.model, side.loss_func, side.valid_dl)
        print(
            f"{side.name:8}  validation loss {loss:.4f}  accuracy {right:.2%}"
            f"  {side.seconds:.2f} s, {side.loading_seconds:.2f} s of it to gather the batches"
        )
    print(f"minigrad took {ours.seconds / twin.seconds:.2f} times as long as torch")
    if options.plot:
        plot(ours, twin, options.plot)
