"""What turns images into tensors, under the names of `torchvision.transforms`.

Images are NumPy arrays here, where torchvision has those of PIL: see `minigrad.vision.datasets.MNIST`.

Examples
--------
>>> import numpy as np
>>> pixels = np.array([[0, 51], [102, 255]], np.uint8)
>>> ToTensor()(pixels)
tensor([[[0.0000, 0.2000],
         [0.4000, 1.0000]]])
>>> Compose([ToTensor(), Normalize((0.5,), (0.5,))])(pixels)
tensor([[[-1.0000, -0.6000],
         [-0.2000,  1.0000]]])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import get_default_dtype
from minigrad.nn import Module
from minigrad.tensors.creation import from_numpy
from minigrad.tensors.tensor import Tensor

__all__ = ["Compose", "Lambda", "Normalize", "ToTensor"]


class Compose:
    """One transform after the other.

    Parameters
    ----------
    transforms : sequence of callables
        Each gets what the one before returned.
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        """The result of the last."""
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return "\n".join([f"{type(self).__name__}(", *(f"    {transform}" for transform in self.transforms), ")"])


class Lambda:
    """A function as a transform.

    Raises
    ------
    TypeError
        If it cannot be called.
    """

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__!r}")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        """What the function returns."""
        return self.lambd(img)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ToTensor:
    """From an image, an array of (height, width) or (height, width, channels), to a tensor (channels, height, width).

    Bytes become numbers between 0 and 1 of the default dtype; all else keeps its values, and its dtype.

    Raises
    ------
    TypeError, ValueError
        If it is no array, or has not two or three dimensions.
    """

    def __call__(self, pic: Any) -> Tensor:
        """The tensor."""
        if not isinstance(pic, np.ndarray):
            raise TypeError(f"pic should be an ndarray. Got {type(pic)}")
        if pic.ndim not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        image = from_numpy(np.ascontiguousarray(np.atleast_3d(pic).transpose(2, 0, 1)))
        return image.to(get_default_dtype()).div(255) if pic.dtype == np.uint8 else image

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Normalize(Module):
    """(image - mean) / std, for each channel of a tensor (..., channels, height, width) of a floating-point dtype.

    Parameters
    ----------
    mean, std : sequence of float
        One per channel, or one for all.
    inplace : bool
        Change the tensor itself.

    Raises
    ------
    TypeError
        If it is no tensor, or not of a floating-point dtype.
    ValueError
        If it has less than three dimensions, or a standard deviation is zero.
    """

    def __init__(self, mean: Any, std: Any, inplace: bool = False) -> None:
        super().__init__()
        self.mean, self.std, self.inplace = mean, std, inplace

    def forward(self, tensor: Tensor) -> Tensor:
        """The normalised image."""
        if not isinstance(tensor, Tensor):
            raise TypeError(f"img should be Tensor Image. Got {type(tensor)}")
        if not tensor.is_floating_point():
            raise TypeError(f"Input tensor should be a float tensor. Got {tensor.dtype}.")
        if tensor.ndim < 3:
            raise ValueError("Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = "
                             f"{tensor.size()}")
        mean, std = (np.asarray(numbers, tensor.dtype.numpy) for numbers in (self.mean, self.std))
        if not std.all():
            raise ValueError(f"std evaluated to zero after conversion to {tensor.dtype}, leading to division by zero.")
        shift, scale = (from_numpy(numbers.reshape(-1, 1, 1) if numbers.ndim == 1 else numbers) for numbers in (mean, std))
        return tensor.sub_(shift).div_(scale) if self.inplace else (tensor - shift) / scale

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mean={self.mean}, std={self.std})"
