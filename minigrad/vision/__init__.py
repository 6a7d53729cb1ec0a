"""Images, under torchvision's names.

There are `datasets` to train on, `transforms` that make tensors of them, `models` to train,
`utils` to look at batches, and `io` for image files.
"""

from minigrad.vision import datasets, io, models, transforms, utils

__all__ = ["datasets", "io", "models", "transforms", "utils"]

__version__ = "0.28.0"  # of the torchvision whose names these are
