"""Where the reference computes: on the CPU, or on a GPU that torch can use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from minigrad.tools.cli import CommandError


def pick_device(name: str) -> torch.device:
    """Turn "auto", "cpu" or "cuda" into a device; "auto" takes the GPU where there is one.

    Raises
    ------
    CommandError
        If "cuda" is asked for and torch can use no GPU.
    """
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise CommandError(f"torch {torch.__version__} finds no GPU it can use here; --device cpu runs without one")
    return torch.device("cuda" if has_gpu and name != "cpu" else "cpu")


class OnDevice:
    """A loader whose batches arrive on `device` (the tutorial's WrappedDataLoader)."""

    def __init__(self, dl: Any, device: torch.device) -> None:
        self.dl, self.device = dl, device

    def __len__(self) -> int:
        return len(self.dl)

    def __iter__(self) -> Iterator[Sequence[Tensor]]:
        return ([t.to(self.device) for t in batch] for batch in self.dl)


def place_on_device(device: torch.device, model: Any, *loaders: Iterable[Sequence[Tensor]]) -> list[OnDevice]:
    """Move a model's parameters to `device`, and give back the loaders with their batches moved there too."""
    for parameter in model.parameters():
        parameter.data = parameter.data.to(device)  # the same Parameter, so that the optimiser keeps hold of it
    return [OnDevice(dl, device) for dl in loaders]
