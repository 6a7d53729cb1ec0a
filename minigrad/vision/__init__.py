"""Images to train on: `minigrad.vision.datasets`, and what makes tensors of them, `minigrad.vision.transforms`."""

from minigrad.vision import datasets, transforms

__all__ = ["datasets", "transforms"]
