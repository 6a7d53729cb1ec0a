"""Images, under torchvision's names: `datasets` to train on, `transforms` that make tensors of them, `utils` to look at batches."""

from minigrad.vision import datasets, transforms, utils

__all__ = ["datasets", "transforms", "utils"]

__version__ = "0.28.0"  # of the torchvision whose names these are
