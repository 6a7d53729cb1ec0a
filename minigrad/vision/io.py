"""Image files, as in `torchvision.io`: read into tensors of bytes, and written from them. Pillow must be installed.

An image is a tensor of shape (channels, height, width) and dtype uint8, as the file stores it: one channel for grey, three for red,
green and blue, one more where the file has transparency.
"""

from __future__ import annotations

import io
import os
from enum import Enum
from typing import Any

import numpy as np

from minigrad.tensors.creation import from_numpy
from minigrad.tensors.tensor import Tensor
from minigrad.vision.transforms.functional import pillow


class ImageReadMode(Enum):
    """Which channels to give, whatever the file has. Functions that take a mode take its name, too."""

    UNCHANGED = 0
    GRAY = 1
    GRAY_ALPHA = 2
    RGB = 3
    RGB_ALPHA = 4
    RGBA = RGB_ALPHA


# Pillow's names for these channels.
CHANNELS = {ImageReadMode.GRAY: "L", ImageReadMode.GRAY_ALPHA: "LA", ImageReadMode.RGB: "RGB", ImageReadMode.RGB_ALPHA: "RGBA"}


def read_file(path: str | os.PathLike[str]) -> Tensor:
    """The bytes of a file, as a tensor of one dimension.

    Raises
    ------
    RuntimeError
        If there is no such file.
    """
    try:
        with open(path, "rb") as file:
            return from_numpy(np.frombuffer(bytearray(file.read()), np.uint8))
    except OSError as error:
        raise RuntimeError(f"[Errno {error.errno}] {error.strerror}: '{path}'") from None


def write_file(filename: str | os.PathLike[str], data: Tensor) -> None:
    """Write a tensor of bytes to a file."""
    if data.ndim != 1 or data.numpy().dtype != np.uint8:
        raise RuntimeError(f"write_file(): expected a tensor of one dimension and dtype uint8, got {data.ndim} and {data.dtype}")
    with open(filename, "wb") as file:
        file.write(data.numpy().tobytes())


def decode_image(
    input: Tensor | str | os.PathLike[str], mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    apply_exif_orientation: bool = False,
) -> Tensor:
    """An image from a file, or from the bytes of one.

    Parameters
    ----------
    input : str, path, or Tensor of one dimension and dtype uint8
        The file, or what it contains: JPEG, PNG or another format that Pillow reads.
    mode : ImageReadMode or str
        The channels to give, such as ``"RGB"``; by default those of the file, and for colours from a palette, the colours.
    apply_exif_orientation : bool
        Turn a photograph upright if its file says how the camera was held.

    Returns
    -------
    Tensor of shape (channels, height, width), uint8

    Raises
    ------
    RuntimeError
        If there is no such file, or it is no image.
    NotImplementedError
        If the file has more than eight bits per channel, or colours other than red, green and blue.

    Examples
    --------
    >>> import io, minigrad as torch
    >>> from minigrad.vision.io import decode_image, encode_png
    >>> image = torch.tensor([[[0, 1], [2, 3]]], dtype=torch.uint8)
    >>> decode_image(encode_png(image))
    tensor([[[0, 1],
             [2, 3]]], dtype=torch.uint8)
    >>> decode_image(encode_png(image), "RGB").shape
    torch.Size([3, 2, 2])
    """
    pil = pillow()
    if isinstance(mode, str):
        mode = ImageReadMode[mode.upper()]
    data = input if isinstance(input, Tensor) else read_file(input)
    if data.ndim != 1 or data.numpy().dtype != np.uint8 or not len(data):
        raise RuntimeError(f"decode_image(): expected a tensor of one dimension and dtype uint8 that is not empty, "
                           f"got {list(data.shape)} and {data.dtype}")
    try:
        image = pil.open(io.BytesIO(data.numpy().tobytes()))
    except pil.UnidentifiedImageError:
        raise RuntimeError("decode_image(): this is no image, or one of a format that Pillow does not read") from None
    if mode is ImageReadMode.GRAY:
        image.draft("L", None)  # a JPEG file stores how light each pixel is
    if apply_exif_orientation:
        from PIL import ImageOps

        image = ImageOps.exif_transpose(image)
    if image.mode not in ("1", "L", "LA", "P", "RGB", "RGBA"):
        raise NotImplementedError(f"decode_image(): images of Pillow's mode {image.mode!r} are not supported, only grey ones and "
                                  f"those of red, green and blue, with eight bits per channel")
    channels = CHANNELS.get(mode)
    if channels is None:
        transparent = "A" in image.mode or "transparency" in image.info
        channels = "L" if image.mode == "1" else {"P": "RGBA" if transparent else "RGB"}.get(image.mode, image.mode)
    pixels = np.asarray(image.convert(channels))
    return from_numpy(np.array(pixels.reshape(*pixels.shape[:2], -1)).transpose(2, 0, 1))  # as torchvision leaves it in memory


def read_image(
    path: str | os.PathLike[str], mode: ImageReadMode | str = ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False
) -> Tensor:
    """An image from a file; `decode_image` describes the arguments."""
    return decode_image(path, mode, apply_exif_orientation)


def _encode(input: Tensor, format: str, **options: Any) -> Tensor:
    """The bytes of a file with this image."""
    if input.ndim != 3 or input.numpy().dtype != np.uint8 or len(input) not in (1, 3):
        raise RuntimeError(f"encode_{format}(): expected a tensor of shape (1 or 3, height, width) and dtype uint8, "
                           f"got {list(input.shape)} and {input.dtype}")
    pixels = input.permute(1, 2, 0).numpy()
    file = io.BytesIO()
    pillow().fromarray(np.ascontiguousarray(pixels[..., 0] if len(input) == 1 else pixels)).save(file, format=format, **options)
    return from_numpy(np.frombuffer(bytearray(file.getvalue()), np.uint8))


def encode_png(input: Tensor, compression_level: int = 6) -> Tensor:
    """The bytes of a PNG file with an image of one or three channels; `compression_level` from 0, fast, to 9, small."""
    return _encode(input, "png", compress_level=compression_level)


def encode_jpeg(input: Tensor, quality: int = 75) -> Tensor:
    """The bytes of a JPEG file with an image of one or three channels; `quality` from 1 to 100."""
    return _encode(input, "jpeg", quality=quality)


def write_png(input: Tensor, filename: str | os.PathLike[str], compression_level: int = 6) -> None:
    """Write an image of one or three channels to a PNG file; see `encode_png`."""
    write_file(filename, encode_png(input, compression_level))


def write_jpeg(input: Tensor, filename: str | os.PathLike[str], quality: int = 75) -> None:
    """Write an image of one or three channels to a JPEG file; see `encode_jpeg`."""
    write_file(filename, encode_jpeg(input, quality))
