"""Train on minigrad and on torch, from the same weights and with the same batches, and show both loss curves."""

from __future__ import annotations

import math
from argparse import Namespace
from time import perf_counter
from types import ModuleType
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

import minigrad.training
import reference.training
from minigrad.cli import CommandError

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
        self.train_ds, valid_ds, _ = training.get_datasets(options.data, options.quiet)
        self.valid_dl = training.DataLoader(valid_ds, batch_size=options.batch_size * 2)
        self.model, self.loss_func, self.opt = training.get_model(options.model, options.lr, options.momentum)
        self.losses: list[float] = []
        self.seconds = self.loading_seconds = 0.0

    def weights(self) -> list[np.ndarray]:
        """Copy the model's parameters into arrays."""
        return [p.detach().numpy().copy() for p in self.model.parameters()]

    def set_weights(self, arrays: list[np.ndarray]) -> None:
        """Overwrite the model's parameters with `arrays`."""
        with self.training.torch.no_grad():
            for parameter, array in zip(self.model.parameters(), arrays, strict=True):
                parameter.copy_(self.training.torch.tensor(array))

    def warm_up(self, batch_size: int) -> None:
        """Take one gradient and drop it: a library's first call also pays for its setting up."""
        xb, yb = self.train_ds[:batch_size]
        self.loss_func(self.model(xb), yb).backward()
        self.opt.zero_grad()

    def train_epoch(self, batches: list[list[int]], bar: Any) -> None:
        """Train on each batch, given by the indices of its samples, and note the losses and the time."""
        start = before = perf_counter()
        for xb, yb in self.training.DataLoader(self.train_ds, batch_sampler=batches):
            self.loading_seconds += perf_counter() - before
            self.losses.append(self.training.loss_batch(self.model, self.loss_func, xb, yb, self.opt))
            bar.update()
            before = perf_counter()
        self.seconds += perf_counter() - start


def shuffled_batches(count: int, batch_size: int, rng: np.random.Generator) -> list[list[int]]:
    """Deal the indices 0 to count - 1 into batches, in random order; the last may be smaller."""
    order = rng.permutation(count).tolist()
    return [order[i : i + batch_size] for i in range(0, count, batch_size)]


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
    try:
        figure.savefig(path)
    except OSError as error:
        raise CommandError(f"--plot cannot write {path!r}: {error.strerror}") from error


def run(options: Namespace) -> None:
    """Do what ``compare`` on the command line asks for."""
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    twin = Side("torch", reference.training, options)
    ours = Side("minigrad", minigrad.training, options)
    ours.set_weights(twin.weights())

    rng = np.random.default_rng(options.seed)
    sides = (ours, twin)
    for side in sides:
        side.warm_up(options.batch_size)
    per_epoch = math.ceil(len(twin.train_ds) / options.batch_size)
    with tqdm(total=2 * options.epochs * per_epoch, unit="step", leave=False, disable=options.quiet) as bar:
        for _ in range(options.epochs):
            batches = shuffled_batches(len(twin.train_ds), options.batch_size, rng)
            for side in sides:  # in turns, so that a disturbance of the machine hits both
                side.train_epoch(batches, bar)

    print(f"{options.model} on {options.data}: minigrad and torch {torch.__version__}, threads: {options.threads} each")
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
