"""Images made of noise, as in `torchvision.datasets`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad import random
from minigrad.tensors.sampling import randint, randn
from minigrad.vision.datasets.vision import VisionDataset
from minigrad.vision.transforms.functional import to_array


class FakeData(VisionDataset):
    """Images made of noise, and classes drawn by chance, the same ones for an index each time: to try a program without data.

    Parameters
    ----------
    size : int
        How many.
    image_size : tuple of int
        Channels, height and width.
    num_classes : int
        How many classes.
    transform, target_transform : callable, optional
        What to make of the image, an array of (height, width, channels), and of the target.
    random_offset : int
        Added to the index, which is the seed.
    """

    def __init__(
        self, size: int = 1000, image_size: tuple[int, ...] = (3, 224, 224), num_classes: int = 10,
        transform: Callable[[Any], Any] | None = None, target_transform: Callable[[Any], Any] | None = None, random_offset: int = 0,
    ) -> None:
        super().__init__(None, transform=transform, target_transform=target_transform)
        self.size, self.image_size, self.num_classes, self.random_offset = size, image_size, num_classes, random_offset

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if index >= len(self):
            raise IndexError(f"{type(self).__name__} index out of range")
        with random.fork_rng():
            random.manual_seed(index + self.random_offset)
            image = randn(*self.image_size)
            target = randint(0, self.num_classes, size=(1,))[0]
        return self._transformed(to_array(image), target.item())
