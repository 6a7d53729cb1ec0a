"""How training went, as a picture (``train --plot curves.png``). It needs matplotlib, which is imported when something is drawn."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.tools.cli import CommandError

SHOWN = 8  # digits that were taken for another


def need(package: str, why: str) -> None:
    """Refuse to go on without `package`."""
    if importlib.util.find_spec(package) is None:
        raise CommandError(f"{why} needs {package}, which is not installed here (pip install {package})")


def check_plot(path: str) -> None:
    """Refuse a picture that could not be drawn, before the work is done for it."""
    need("matplotlib", "--plot")
    if not path.endswith(".png"):
        raise CommandError(f"--plot draws a PNG file, so its name must end in .png, got {path!r}")
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path) or not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise CommandError(f"--plot cannot write {path!r}: no such folder, or no permission to write there")


def save(figure: Any, path: str) -> None:
    """Write the picture."""
    try:
        figure.savefig(path)
    except OSError as error:
        raise CommandError(f"--plot cannot write {path!r}: {error.strerror}") from error


def plot_training(
    losses: Sequence[float], epochs: Sequence[tuple[float, float]], mistakes: Sequence[Any], path: str | None = None
) -> Any:
    """Draw the curves of a training run, and a few digits that were taken for another.

    Parameters
    ----------
    losses
        The loss of each step.
    epochs
        The loss and the accuracy on the validation data after each epoch.
    mistakes
        Images, (n, 784), what they show, and what they were taken for: tensors or arrays.
    path
        Where to save the picture.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    images, labels, guesses = (np.asarray(part.cpu() if hasattr(part, "cpu") else part) for part in mistakes)
    figure = Figure(figsize=(9, 5), layout="constrained")
    curves, digits = np.asarray(figure.subfigures(2, height_ratios=[3, 1.3]))
    loss, accuracy = curves.subplots(1, 2)
    ends = np.arange(1, len(epochs) + 1) * len(losses) / len(epochs)
    loss.plot(np.arange(1, len(losses) + 1), losses, linewidth=0.8, alpha=0.6, label="of each step")
    loss.plot(ends, [each for each, _ in epochs], "o-", label="on the validation data")
    loss.set(xlabel="step", ylabel="loss", ylim=(0, None))
    loss.legend()
    accuracy.plot(np.arange(1, len(epochs) + 1), [100 * right for _, right in epochs], "o-")
    accuracy.set(xlabel="epoch", ylabel="right, of the validation data (%)")
    accuracy.locator_params(axis="x", integer=True)
    digits.suptitle(f"{len(images)} digits of the test data were taken for another" + (", such as" if len(images) else ""))
    for axes, image, label, guess in zip(digits.subplots(1, SHOWN), images, labels, guesses, strict=False):
        axes.imshow(image.reshape(28, 28), cmap="gray_r")
        axes.set_title(f"{label} read as {guess}", fontsize="medium")
    for axes in digits.axes:
        axes.set_axis_off()
    if path is not None:
        save(figure, path)
    return figure
