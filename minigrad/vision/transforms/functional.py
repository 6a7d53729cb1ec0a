"""Functions of images, under the names of `torchvision.transforms.functional`.

An image is one of three things: a NumPy array of shape (height, width) or (height, width, channels), as the datasets here give it;
a tensor of shape (..., channels, height, width); or an image of Pillow, where that is installed. Each function gives the kind that
it got, and treats an array as it treats Pillow's image of it.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import get_default_dtype
from minigrad.nn import functional as F
from minigrad.tensors.creation import from_numpy
from minigrad.tensors.tensor import Tensor
from minigrad.vision.transforms.colours import (
    adjust_brightness,
    adjust_contrast,
    adjust_gamma,
    adjust_hue,
    adjust_saturation,
    convert_image_dtype,
    rgb_to_grayscale,
    to_grayscale,
)
from minigrad.vision.transforms.images import check_image, get_dimensions, get_image_size, is_pillow, of_pixels, pair, pillow
from minigrad.vision.transforms.motions import affine, rotate
from minigrad.vision.transforms.resampling import InterpolationMode, at, nearest, resampled, resampled_bytes

# ---- to and from tensors -----------------------------------------------------------------------------------------------------


def to_tensor(pic: Any) -> Tensor:
    """From an array or an image of Pillow to a tensor (channels, height, width).

    Bytes become numbers between 0 and 1 of the default dtype; all else keeps its values, and its dtype.

    Raises
    ------
    TypeError, ValueError
        If it is no image, or has not two or three dimensions.
    """
    if isinstance(pic, Tensor) or not (isinstance(pic, np.ndarray) or is_pillow(pic)):
        raise TypeError(f"pic should be an ndarray. Got {type(pic)}")
    check_image(pic)
    image = _channels_first(np.array(pic) if is_pillow(pic) else pic).contiguous()
    return image.to(get_default_dtype()).div(255) if image.array.dtype == np.uint8 else image


def pil_to_tensor(pic: Any) -> Tensor:
    """From an array or an image of Pillow to a tensor (channels, height, width), with values as they are.

    In memory, the channels of a place stay together.
    """
    check_image(pic)
    return _channels_first(np.array(pic))


def _channels_first(array: np.ndarray[Any, Any]) -> Tensor:
    return from_numpy(np.atleast_3d(array).transpose(2, 0, 1))


def to_array(pic: Any) -> Any:
    """From a tensor (channels, height, width) or (height, width) to an array; numbers up to 1 become bytes."""
    check_image(pic)
    if not isinstance(pic, Tensor):
        return np.asarray(pic)
    if pic.ndim > 3:
        raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
    values = (pic.detach().mul(255).byte() if pic.is_floating_point() else pic).numpy()
    values = values if values.ndim == 2 else values.transpose(1, 2, 0)
    return np.ascontiguousarray(values[:, :, 0] if values.shape[2:] == (1,) else values)


def to_pil_image(pic: Any, mode: str | None = None) -> Any:
    """From a tensor or an array to an image of Pillow, which must be installed."""
    return pillow().fromarray(to_array(pic)) if mode is None else pillow().fromarray(to_array(pic)).convert(mode)


def normalize(tensor: Any, mean: Any, std: Any, inplace: bool = False) -> Tensor:
    """(image - mean) / std, for each channel of a tensor (..., channels, height, width) of a floating-point dtype.

    Raises
    ------
    TypeError
        If it is no tensor, or not of a floating-point dtype.
    ValueError
        If it has less than three dimensions, or a standard deviation is zero.
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(tensor)}")
    if not tensor.is_floating_point():
        raise TypeError(f"Input tensor should be a float tensor. Got {tensor.dtype}.")
    if tensor.ndim < 3:
        raise ValueError("Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = "
                         f"{tensor.size()}")
    average, deviation = (np.asarray(given, tensor.dtype.numpy) for given in (mean, std))
    if not deviation.all():
        raise ValueError(f"std evaluated to zero after conversion to {tensor.dtype}, leading to division by zero.")
    shift, scale = (from_numpy(each.reshape(-1, 1, 1) if each.ndim == 1 else each) for each in (average, deviation))
    return tensor.sub_(shift).div_(scale) if inplace else (tensor - shift) / scale


# ---- size and place ----------------------------------------------------------------------------------------------------------


def resize(
    img: Any, size: Any, interpolation: InterpolationMode = InterpolationMode.BILINEAR, max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    """The image in another size.

    Parameters
    ----------
    size : int or pair of int
        Height and width; one number is for the shorter edge, and the other one keeps its proportion.
    interpolation : InterpolationMode
        For tensors nearest, nearest-exact, bilinear or bicubic.
    max_size : int, optional
        How long the longer edge may get, where `size` is one number.
    antialias : bool
        Whether a smaller image takes all of the pixels into account. Arrays and images of Pillow always do.
    """
    if not isinstance(interpolation, InterpolationMode):
        raise TypeError(f"Argument interpolation should be a InterpolationMode, got {interpolation!r}")
    width, height = get_image_size(img)
    new = _new_size(height, width, size, max_size)
    if new == (height, width):
        return img
    if is_pillow(img):
        filter_ = interpolation.name.removesuffix("_EXACT")  # Pillow's nearest pixel is counted from centers
        return img.resize(new[::-1], pillow().Resampling[filter_])
    tensor = isinstance(img, Tensor)
    if interpolation in (InterpolationMode.NEAREST, InterpolationMode.NEAREST_EXACT):
        centers = not tensor or interpolation is InterpolationMode.NEAREST_EXACT
        return nearest(img, new, centers) if tensor else of_pixels(img, lambda pixels: nearest(pixels, new, centers))
    if tensor and interpolation not in (InterpolationMode.BILINEAR, InterpolationMode.BICUBIC):
        raise ValueError("tensors are resized by nearest, nearest-exact, bilinear or bicubic interpolation, not "
                         f"{interpolation.value}")
    if tensor and not antialias:
        images = img.reshape(-1, 1, height, width)
        result = F.interpolate(images if img.is_floating_point() else images.float(), new, mode=interpolation.value)
        result = result if img.is_floating_point() else result.round().clamp(0, 255).to(img.dtype)
        return result.reshape(*img.shape[:-2], *new)
    if tensor and img.is_floating_point():
        return resampled(img, new, interpolation)

    def function(pixels: Any) -> Any:
        if pixels.dtype.kind == "f":
            return resampled(pixels, new, interpolation)
        if not tensor and pixels.dtype == np.uint8:
            return resampled_bytes(pixels, new, interpolation)
        return np.clip(np.rint(resampled(pixels.astype(np.float32), new, interpolation)), 0, 255).astype(pixels.dtype)

    return of_pixels(img, function)


def _new_size(height: int, width: int, size: Any, max_size: int | None) -> tuple[int, int]:
    """What `size` means for an image."""
    if isinstance(size, Sequence) and len(size) == 2:
        if max_size is not None:
            raise ValueError("max_size should only be passed if size specifies the length of the smaller edge")
        return pair(size)
    shorter, longer = min(width, height), max(width, height)
    wanted = pair(size)[0]
    new = [wanted, int(wanted * longer / shorter)]
    if max_size is not None:
        if max_size <= wanted:
            raise ValueError(f"max_size = {max_size} must be strictly greater than the requested size for the smaller edge "
                             f"size = {size}")
        if new[1] > max_size:
            new = [int(max_size * new[0] / new[1]), max_size]
    return (new[0], new[1]) if height <= width else (new[1], new[0])


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """A part of the image; what lies outside of it is 0."""
    columns, rows = get_image_size(img)
    bottom, right = top + height, left + width
    around = ((max(min(bottom, 0) - top, 0), max(bottom - max(rows, top), 0)),
              (max(min(right, 0) - left, 0), max(right - max(columns, left), 0)))  # fmt: skip

    def function(pixels: Any) -> Any:
        part = pixels[..., max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        return _framed(part, *around) if np.any(around) else part

    return function(img) if isinstance(img, Tensor) else of_pixels(img, function)


def _framed(pixels: Any, rows: tuple[int, int], columns: tuple[int, int], fill: Any = 0) -> Any:
    """Pixels, an array or a tensor, with so many rows above and below, and columns to the left and right."""
    if isinstance(pixels, Tensor):
        return F.pad(pixels, [*columns, *rows], value=fill)
    return np.pad(pixels, [(0, 0)] * (pixels.ndim - 2) + [rows, columns], constant_values=fill)


def center_crop(img: Any, output_size: Any) -> Any:
    """The part in the middle; an image that is smaller gets zeros around it."""
    height, width = pair(output_size)
    columns, rows = get_image_size(img)
    if width > columns or height > rows:
        left, top = max(width - columns, 0), max(height - rows, 0)
        img = pad(img, [left // 2, top // 2, (left + 1) // 2, (top + 1) // 2])
        columns, rows = get_image_size(img)
    return crop(img, round((rows - height) / 2), round((columns - width) / 2), height, width)


def resized_crop(
    img: Any, top: int, left: int, height: int, width: int, size: Any,
    interpolation: InterpolationMode = InterpolationMode.BILINEAR, antialias: bool | None = True,
) -> Any:
    """A part of the image in another size."""
    return resize(crop(img, top, left, height, width), size, interpolation, antialias=antialias)


MODES = {"constant": "constant", "edge": "edge", "reflect": "reflect", "symmetric": "symmetric"}


def pad(img: Any, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> Any:
    """The image with an edge around it.

    Parameters
    ----------
    padding : int or sequence of int
        How many pixels: on all sides; to the left and right, above and below; or left, above, right, below.
    fill : number or tuple of numbers
        What is in them if `padding_mode` is "constant": one for all channels, or one each.
    padding_mode : str
        "constant", "edge", "reflect" (without the edge) or "symmetric" (with it).
    """
    if not isinstance(padding, (numbers.Number, tuple, list)):
        raise TypeError("Got inappropriate padding arg")
    values = [int(p) for p in padding] if isinstance(padding, (tuple, list)) else [int(padding)]  # type: ignore[call-overload]
    if len(values) not in (1, 2, 4):
        raise ValueError(f"Padding must be an int or a 1, 2, or 4 element tuple, not a {len(values)} element tuple")
    if padding_mode not in MODES:
        raise ValueError("Padding mode should be either constant, edge, reflect or symmetric")
    left, top, right, bottom = values * (4 // len(values))
    around = (top, bottom), (left, right)
    one = not isinstance(fill, (tuple, list)) or len(fill) == 1

    def function(pixels: Any) -> Any:
        if padding_mode != "constant":
            return at(pixels, *(np.pad(np.arange(n), each, mode=padding_mode)  # type: ignore[call-overload]
                                for n, each in zip(pixels.shape[-2:], around, strict=True)))
        if one or pixels.ndim == 2:
            return _framed(pixels, *around, np.ravel(fill)[0].item())
        if len(fill) != pixels.shape[-3]:
            raise ValueError(f"fill has {len(fill)} numbers for {pixels.shape[-3]} channels; give one, or one for each")
        whole = _framed(pixels, *around)
        whole[...] = np.asarray(fill, pixels.dtype).reshape(-1, 1, 1)
        whole[..., top : top + pixels.shape[-2], left : left + pixels.shape[-1]] = pixels
        return whole

    check_image(img)
    differentiable = one or padding_mode != "constant"
    return function(img) if isinstance(img, Tensor) and differentiable else of_pixels(img, function)


def hflip(img: Any) -> Any:
    """The image with left and right exchanged."""
    check_image(img)
    return img.flip(-1) if isinstance(img, Tensor) else of_pixels(img, lambda pixels: pixels[..., ::-1])


def vflip(img: Any) -> Any:
    """The image upside down."""
    check_image(img)
    return img.flip(-2) if isinstance(img, Tensor) else of_pixels(img, lambda pixels: pixels[..., ::-1, :])


# ---- blur --------------------------------------------------------------------------------------------------------------------


def gaussian_blur(img: Any, kernel_size: Any, sigma: Any = None) -> Any:
    """Each pixel as an average of those around it, weighted by a normal distribution of their distance.

    Parameters
    ----------
    kernel_size : int or pair of int
        How many columns and rows go into it; odd.
    sigma : float or pair of float, optional
        Standard deviations along the rows and along the columns. Default: 0.15 kernel_size + 0.35.
    """
    sizes = [kernel_size] * 2 if isinstance(kernel_size, int) else list(kernel_size)
    if len(sizes) != 2:
        raise ValueError(f"If kernel_size is a sequence its length should be 2. Got {len(sizes)}")
    if any(size <= 0 or size % 2 == 0 for size in sizes):
        raise ValueError(f"kernel_size should have odd and positive integers. Got {sizes}")
    widths = [size * 0.15 + 0.35 for size in sizes] if sigma is None else sigma
    widths = [widths] if isinstance(widths, (int, float)) else list(widths)
    widths = widths * 2 if len(widths) == 1 else widths
    if len(widths) != 2:
        raise ValueError(f"If sigma is a sequence, its length should be 2. Got {len(widths)}")
    if min(widths) <= 0:
        raise ValueError(f"sigma should have positive values. Got {widths}")
    (columns, rows), (across, down) = sizes, widths

    def function(pixels: Any) -> Any:
        values = pixels if pixels.dtype.kind == "f" else pixels.astype(np.float32)
        kernel = np.outer(_bell(rows, down, values.dtype), _bell(columns, across, values.dtype))
        around = F.pad(from_numpy(values.reshape(-1, 1, *pixels.shape[-2:])), [columns // 2] * 2 + [rows // 2] * 2, "reflect")
        result = F.conv2d(around, from_numpy(kernel[None, None])).numpy().reshape(pixels.shape)
        return result if pixels.dtype.kind == "f" else np.rint(result).astype(pixels.dtype)

    return of_pixels(img, function)


def _bell(size: int, sigma: float, kind: Any) -> Any:
    """A normal density at so many places around 0, which add up to 1."""
    values = np.exp(-0.5 * ((np.arange(size, dtype=kind) - (size - 1) // 2) / kind.type(sigma)) ** 2)
    return values / values.sum()


# ---- parts that go -----------------------------------------------------------------------------------------------------------


def erase(img: Any, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Tensor:
    """A tensor image with `v` in the rectangle of height `h` and width `w` whose upper left corner is at row `i`, column `j`."""
    if not isinstance(img, Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(img)}")
    img = img if inplace else img.clone()
    img[..., i : i + h, j : j + w] = v
    return img


__all__ = [
    "InterpolationMode", "adjust_brightness", "adjust_contrast", "adjust_gamma", "adjust_hue", "adjust_saturation", "affine",
    "center_crop", "convert_image_dtype", "crop", "erase", "gaussian_blur", "get_dimensions", "get_image_size", "hflip",
    "normalize", "pad", "pil_to_tensor", "resize", "resized_crop", "rgb_to_grayscale", "rotate", "to_grayscale", "to_pil_image",
    "to_tensor", "vflip",
]  # fmt: skip
