"""The three kinds of images, and what all functions of them need."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.autograd import is_grad_enabled
from minigrad.tensors.creation import from_numpy
from minigrad.tensors.tensor import Tensor


def pillow() -> Any:
    """Pillow's module `Image`.

    Raises
    ------
    ImportError
        If it is not installed; the message says what to do.
    """
    try:
        from PIL import Image
    except ImportError:
        raise ImportError("image files and Pillow's images need the package Pillow: pip install pillow") from None
    return Image


def is_pillow(img: Any) -> bool:
    """Whether it is an image of Pillow. Without Pillow imported, there can be none."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(img, module.Image)


def check_image(img: Any) -> None:
    """Refuse what is no image."""
    if isinstance(img, Tensor):
        if img.ndim < 2:
            raise TypeError(f"a tensor image has the shape (..., channels, height, width), got {list(img.shape)}")
    elif isinstance(img, np.ndarray):
        if img.ndim not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {img.ndim} dimensions.")
    elif not is_pillow(img):
        raise TypeError(f"img should be an ndarray, a tensor or an image of Pillow. Got {type(img)}")


def of_pixels(img: Any, function: Callable[[Any], Any]) -> Any:
    """Apply a function of arrays (..., height, width) to an image of any kind.

    Raises
    ------
    NotImplementedError
        If the image is a tensor that requires a gradient, which would be lost.
    """
    check_image(img)
    if isinstance(img, Tensor):
        if img.requires_grad and is_grad_enabled():
            raise NotImplementedError("gradients through this transform are not supported; pass img.detach() if none is needed")
        return from_numpy(np.ascontiguousarray(function(img.detach().numpy())))
    if is_pillow(img):
        return _like(img, of_pixels(np.asarray(img), function))
    if img.ndim == 2:
        return np.ascontiguousarray(function(img))
    return np.ascontiguousarray(function(img.transpose(2, 0, 1)).transpose(1, 2, 0))


def _like(img: Any, pixels: Any) -> Any:
    """Pixels as an image of Pillow that means them as `img` does: by its palette, or as other colours than red, green and blue."""
    image = pillow().fromarray(pixels)
    if image.mode != img.mode:
        image = pillow().frombytes(img.mode, image.size, image.tobytes())
        if img.mode == "P":
            image.putpalette(img.getpalette())
    image.info = dict(img.info)
    return image


def by_pillow(img: Any, function: Callable[[Any], Any]) -> Any:
    """Apply a function of Pillow's images to an image of Pillow, or to an array."""
    check_image(img)
    return function(img) if is_pillow(img) else np.array(function(pillow().fromarray(img)))


def get_dimensions(img: Any) -> list[int]:
    """Channels, height and width."""
    width, height = get_image_size(img)
    if is_pillow(img):
        return [len(img.getbands()), height, width]
    channels = img.shape[-3] if isinstance(img, Tensor) and img.ndim > 2 else img.shape[2] if img.ndim > 2 else 1
    return [channels, height, width]


def get_image_size(img: Any) -> list[int]:
    """Width and height."""
    check_image(img)
    if is_pillow(img):
        return list(img.size)
    height, width = img.shape[-2:] if isinstance(img, Tensor) else img.shape[:2]
    return [width, height]


def pair(size: Any) -> tuple[int, int]:
    """A size as height and width; one number is for both."""
    values = tuple(size) if isinstance(size, Sequence) else (size,)
    if len(values) not in (1, 2):
        raise ValueError(f"Please provide only two dimensions (h, w) for size, got {size}")
    return int(values[0]), int(values[-1])
