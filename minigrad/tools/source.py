"""``python -m minigrad source``: one training step of a model, as the NumPy program that `compile` makes of it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import minigrad as torch
from minigrad.nn.functional import mse_loss
from minigrad.tools.cli import CommandError


def linear_step() -> tuple[Callable[..., Any], list[tuple[Any, ...]]]:
    """The linear model whose gradients are derived by hand in tests/test_mse_linear.py, and some data."""
    torch.manual_seed(1)
    data = [(torch.randn(5, 1), torch.randn(3, 1)) for _ in range(4)]
    w, b = torch.randn(3, 5, requires_grad=True), torch.randn(3, 1, requires_grad=True)

    def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        w.grad = b.grad = None
        z = w @ x + b
        loss = mse_loss(z, y)
        loss.backward()
        return loss

    return step, data


def training_step(name: str, batch_size: int) -> tuple[Callable[..., Any], list[tuple[Any, ...]]]:
    """A step of the tutorial's model, and some data."""
    from minigrad import training  # loads the data sets' downloads, which the linear step does not need

    torch.manual_seed(0)
    model, loss_func, opt = training.get_model(name, lr=0.1, momentum=0.9 if name == "cnn" else 0.0)
    data = [(torch.rand(batch_size, training.PIXELS), torch.randint(training.CLASSES, (batch_size,))) for _ in range(4)]
    return training.loss_batch, [(model, loss_func, xb, yb, opt) for xb, yb in data]


def compiled_step(name: str, batch_size: int = 64) -> Any:
    """The compiled step, which has run as a program."""
    function, data = linear_step() if name == "linear" else training_step(name, batch_size)
    step = torch.compile(function, fullgraph=True)
    for arguments in data:
        step(*arguments)
    return step


def source(options: argparse.Namespace) -> None:
    """Print the program."""
    step = compiled_step(options.model, options.batch_size)
    print(step.source)
    if options.export:
        try:
            step.export(options.export)
        except (OSError, ValueError) as error:
            raise CommandError(f"--export: {error}") from None
