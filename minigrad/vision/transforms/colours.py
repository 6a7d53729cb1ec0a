"""Functions of colours: of tensors by torchvision's formulas, of arrays and Pillow's images by Pillow."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import float32, get_default_dtype, int32
from minigrad.ops.elementwise import where
from minigrad.ops.shape import stack
from minigrad.tensors.tensor import Tensor
from minigrad.vision.transforms.images import by_pillow, check_image, get_dimensions, is_pillow, pillow


def _largest(dtype: Any) -> float:
    """The value of white."""
    return 1.0 if dtype.is_floating_point else float(np.iinfo(dtype.numpy).max)


def rgb_to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """The luma of a coloured image, by ITU-R 601: 0.299 of red, 0.587 of green and 0.114 of blue; in one channel or in three."""
    if num_output_channels not in (1, 3):
        raise ValueError("num_output_channels should be either 1 or 3")
    check_image(img)
    if isinstance(img, Tensor):
        if img.ndim < 3 or img.shape[-3] not in (1, 3):
            raise TypeError(f"a tensor image needs 1 or 3 channels to lose its colours, got shape {list(img.shape)}")
        gray = img
        if img.shape[-3] == 3:
            red, green, blue = img.unbind(-3)
            gray = (0.2989 * red + 0.587 * green + 0.114 * blue).to(img.dtype).unsqueeze(-3)
        return gray if num_output_channels == 1 else gray.expand(img.shape)  # torchvision does not make three channels of one
    if is_pillow(img):
        gray = img.convert("L")
        return gray if num_output_channels == 1 else pillow().merge("RGB", [gray] * 3)
    luma = img
    if img.ndim == 3:
        parts = img[..., :3].astype(np.int64) @ np.array([19595, 38470, 7471])  # Pillow's, of 2**16
        luma = ((parts + 0x8000) >> 16).astype(np.uint8) if img.shape[2] >= 3 else img[..., 0]
    return luma if num_output_channels == 1 else np.stack([luma] * 3, -1)


to_grayscale = rgb_to_grayscale


def convert_image_dtype(image: Any, dtype: Any = None) -> Tensor:
    """A tensor image in another dtype, its values scaled from the range of the one to that of the other.

    Floating-point numbers range from 0 to 1, integers to the largest of their dtype.
    """
    dtype = get_default_dtype() if dtype is None else dtype
    if image.dtype == dtype:
        return image
    before, after = _largest(image.dtype), _largest(dtype)
    if image.is_floating_point():
        if dtype.is_floating_point:
            return image.to(dtype)
        return image.mul(after + 1 - 1e-3).to(dtype)
    if dtype.is_floating_point:
        return image.to(dtype).div_(before)
    if before > after:
        return (image // int((before + 1) // (after + 1))).to(dtype)
    return image.to(dtype) * int((after + 1) // (before + 1))


# ---- brighter, stronger, other colours -----------------------------------------------------------------------------------------


def _checked(name: str, img: Any, factor: float) -> None:
    if factor < 0:
        raise ValueError(f"{name} ({factor}) is not non-negative.")
    check_image(img)
    if isinstance(img, Tensor) and get_dimensions(img)[0] not in (1, 3):
        raise TypeError(f"Input image tensor permitted channel values are [1, 3], but found {get_dimensions(img)[0]}")


def _enhanced(img: Any, name: str, factor: float) -> Any:
    """What Pillow's class `name` makes of the image."""
    pillow()  # or an error that says what to install
    return by_pillow(img, lambda image: getattr(import_module("PIL.ImageEnhance"), name)(image).enhance(factor))


def _blend(img: Tensor, other: Any, factor: float) -> Tensor:
    """Between `other` (at 0) and the image (at 1), or beyond."""
    return (factor * img + (1.0 - factor) * other).clamp(0, _largest(img.dtype)).to(img.dtype)


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """The image `brightness_factor` times as bright: 0 is black."""
    _checked("brightness_factor", img, brightness_factor)
    if not isinstance(img, Tensor):
        return _enhanced(img, "Brightness", brightness_factor)
    return _blend(img, img * 0, float(brightness_factor))


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """The image with `contrast_factor` times the distance to its average grey: 0 is all grey."""
    _checked("contrast_factor", img, contrast_factor)
    if not isinstance(img, Tensor):
        return _enhanced(img, "Contrast", contrast_factor)
    grey = rgb_to_grayscale(img) if img.ndim > 2 else img
    mean = (grey if img.is_floating_point() else grey.to(float32)).mean((-3, -2, -1)[-img.ndim :], keepdim=True)
    return _blend(img, mean, float(contrast_factor))


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """The image with colours `saturation_factor` times as strong: 0 is black and white."""
    _checked("saturation_factor", img, saturation_factor)
    if not isinstance(img, Tensor):
        return _enhanced(img, "Color", saturation_factor)
    return img if get_dimensions(img)[0] == 1 else _blend(img, rgb_to_grayscale(img), float(saturation_factor))


def adjust_gamma(img: Any, gamma: float, gain: float = 1) -> Any:
    """gain · img^gamma, for values from 0 to 1."""
    if gamma < 0:
        raise ValueError("Gamma should be a non-negative real number")
    check_image(img)
    if isinstance(img, Tensor):
        values = img if img.is_floating_point() else convert_image_dtype(img, float32)
        return convert_image_dtype((gain * values**gamma).clamp(0, 1), img.dtype)
    table = [int((256 - 1e-3) * gain * (i / 255.0) ** gamma) for i in range(256)] * 3
    return by_pillow(img, lambda image: image.convert("RGB").point(table).convert(image.mode))


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """The image with its hues turned by `hue_factor` of the circle of colours, from -0.5 to 0.5."""
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"hue_factor ({hue_factor}) is not in [-0.5, 0.5].")
    _checked("hue_factor", img, 0)
    if not isinstance(img, Tensor):
        return by_pillow(img, lambda image: _turned(image, hue_factor))
    if get_dimensions(img)[0] == 1:
        return img
    hue, saturation, value = _hsv_of_rgb(convert_image_dtype(img, float32))
    return convert_image_dtype(_rgb_of_hsv((hue + hue_factor) % 1.0, saturation, value), img.dtype)


def _turned(image: Any, hue_factor: float) -> Any:
    if image.mode in ("L", "1", "I", "F"):
        return image
    hue, saturation, value = image.convert("HSV").split()
    turned = np.asarray(hue) + np.int32(hue_factor * 255).astype(np.uint8)
    return pillow().merge("HSV", (pillow().fromarray(turned), saturation, value)).convert(image.mode)


def _hsv_of_rgb(img: Tensor) -> tuple[Any, Any, Any]:
    """Hue, saturation and value, each from 0 to 1."""
    red, green, blue = img.unbind(-3)
    largest, smallest = img.amax(-3), img.amin(-3)
    grey, spread = largest == smallest, largest - smallest
    saturation = spread / where(grey, 1.0, largest)
    r, g, b = ((largest - each) / where(grey, 1.0, spread) for each in (red, green, blue))
    is_red, is_green = largest == red, largest == green
    hue = where(is_red, b - g, where(is_green, 2.0 + r - b, 4.0 + g - r))
    return (hue / 6.0 + 1.0).fmod(1.0), saturation, largest


def _rgb_of_hsv(hue: Any, saturation: Any, value: Any) -> Any:
    """Red, green and blue from the six sectors of the circle."""
    sector = (hue * 6.0).floor()
    f = hue * 6.0 - sector
    p, q, t = ((value * (1.0 - saturation * part)).clamp(0.0, 1.0) for part in (1.0, f, 1.0 - f))
    places = (sector.to(int32) % 6).long().unsqueeze(0)
    of_sectors = ((value, q, p, p, t, value), (t, value, value, q, p, p), (p, p, t, value, value, q))
    return stack([stack(each, 0).gather(0, places)[0] for each in of_sectors], -1).movedim(-1, -3)  # as torchvision's lie in memory
