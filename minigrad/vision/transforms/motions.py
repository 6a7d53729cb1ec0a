"""Rotated, moved, scaled and sheared images: of tensors by torchvision's formulas, of arrays and Pillow's images by Pillow."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.tensors.tensor import Tensor
from minigrad.vision.transforms.images import by_pillow, check_image, get_dimensions, of_pixels, pillow
from minigrad.vision.transforms.resampling import InterpolationMode


def rotate(
    img: Any, angle: float, interpolation: InterpolationMode = InterpolationMode.NEAREST, expand: bool = False,
    center: Sequence[float] | None = None, fill: Any = None,
) -> Any:
    """The image, turned counter-clockwise by `angle` degrees.

    Parameters
    ----------
    interpolation : InterpolationMode
        For tensors nearest or bilinear; for others also bicubic.
    expand : bool
        Make the result as large as the turned image.
    center : pair of numbers, optional
        The column and the row to turn around. Default: the middle.
    fill : number or sequence of numbers, optional
        What is where no image was: one number, or one for each channel.
    """
    check_image(img)
    _check_mode(img, interpolation)
    if not isinstance(img, Tensor):
        return by_pillow(img, lambda image: image.rotate(
            angle, _PILLOWS[interpolation], expand, center, fillcolor=_colour(fill, image)))
    _, height, width = get_dimensions(img)
    matrix = _inverse(_from_middle(center, width, height), -angle, (0, 0), 1.0, (0.0, 0.0))
    size = _expanded(matrix, width, height) if expand else (width, height)
    return _transformed(img, matrix, size, interpolation, fill)


def affine(
    img: Any, angle: float, translate: Sequence[int], scale: float, shear: Any,
    interpolation: InterpolationMode = InterpolationMode.NEAREST, fill: Any = None, center: Sequence[float] | None = None,
) -> Any:
    """The image, turned clockwise, scaled, sheared and moved.

    Parameters
    ----------
    angle : float
        Degrees.
    translate : pair of int
        How far to move it to the right and down.
    scale : float
        How much larger it gets.
    shear : number or pair of numbers
        Degrees, along the rows and along the columns.
    interpolation, fill, center
        See `rotate`.

    Raises
    ------
    ValueError
        If `translate` is no pair, or `scale` not positive.
    """
    check_image(img)
    _check_mode(img, interpolation)
    if not isinstance(translate, (list, tuple)):
        raise TypeError("Argument translate should be a sequence")
    if len(translate) != 2:
        raise ValueError("Argument translate should be a sequence of length 2")
    if scale <= 0:
        raise ValueError("Argument scale should be positive")
    shears = (shear, 0.0) if isinstance(shear, numbers.Number) else (*shear, *shear)[:2] if len(shear) == 1 else tuple(shear)
    if len(shears) != 2:
        raise ValueError(f"Shear should be a sequence containing two values. Got {shear}")
    _, height, width = get_dimensions(img)
    if not isinstance(img, Tensor):
        matrix = _inverse(center or (width * 0.5, height * 0.5), angle, translate, scale, shears)
        return by_pillow(img, lambda image: image.transform(
            image.size, pillow().Transform.AFFINE, matrix, _PILLOWS[interpolation], fillcolor=_colour(fill, image)))
    matrix = _inverse(_from_middle(center, width, height), angle, translate, scale, shears)
    return _transformed(img, matrix, (width, height), interpolation, fill)


_PILLOWS = {InterpolationMode.NEAREST: 0, InterpolationMode.BILINEAR: 2, InterpolationMode.BICUBIC: 3}  # Pillow's numbers


def _check_mode(img: Any, interpolation: Any) -> None:
    if not isinstance(interpolation, InterpolationMode):
        raise TypeError(f"Argument interpolation should be a InterpolationMode, got {interpolation!r}")
    if interpolation not in list(_PILLOWS)[: 2 if isinstance(img, Tensor) else 3]:
        raise ValueError(f"Interpolation mode {interpolation.value!r} is unsupported with {type(img).__name__} input")


def _colour(fill: Any, image: Any) -> Any:
    """`fill` as Pillow takes it: a number for one channel, else a tuple."""
    channels = len(image.getbands())
    values: list[Any] = [fill or 0] if fill is None or isinstance(fill, numbers.Number) else list(fill)
    if len(values) not in (1, channels):
        raise ValueError(f"The number of elements in 'fill' does not match the number of channels of the image ({len(values)} != "
                         f"{channels})")
    values = [value if image.mode == "F" else int(value) for value in values]
    return values[0] if channels == 1 else tuple(values * (channels // len(values)))


# ---- matrices ------------------------------------------------------------------------------------------------------------------


def _from_middle(center: Sequence[float] | None, width: int, height: int) -> tuple[float, float]:
    return (0.0, 0.0) if center is None else (center[0] - width * 0.5, center[1] - height * 0.5)


def _inverse(
    center: Sequence[float], angle: float, translate: Sequence[float], scale: float, shear: Sequence[float]
) -> list[float]:
    """Where a pixel of the result comes from: the two rows of C·S⁻¹·C⁻¹·T⁻¹, S being rotation, shear and scale about C."""
    turn, sx, sy = (math.radians(each) for each in (angle, *shear))
    (cx, cy), (tx, ty) = center, translate
    a = math.cos(turn - sy) / math.cos(sy)
    b = -math.cos(turn - sy) * math.tan(sx) / math.cos(sy) - math.sin(turn)
    c = math.sin(turn - sy) / math.cos(sy)
    d = -math.sin(turn - sy) * math.tan(sx) / math.cos(sy) + math.cos(turn)
    rows = [[x / scale for x in row] for row in ([d, -b], [-c, a])]  # of the inverse: the determinant is 1
    return [x for row, middle in zip(rows, (cx, cy), strict=True)
            for x in (*row, row[0] * (-cx - tx) + row[1] * (-cy - ty) + middle)]  # fmt: skip


def _expanded(matrix: list[float], width: int, height: int) -> tuple[int, int]:
    """Width and height of what holds all of the transformed image."""
    corners = np.array([[x * width, y * height, 1] for x in (-0.5, 0.5) for y in (-0.5, 0.5)], np.float32)
    places = corners @ np.array(matrix, np.float32).reshape(2, 3).T + np.array([width * 0.5, height * 0.5], np.float32)
    tolerance = np.float32(1e-4)
    low, high = (np.trunc(each / tolerance) * tolerance for each in (places.min(0), places.max(0)))
    columns, rows = np.ceil(high) - np.floor(low)
    return int(columns), int(rows)


# ---- tensors -------------------------------------------------------------------------------------------------------------------


def _transformed(img: Tensor, matrix: list[float], size: tuple[int, int], mode: InterpolationMode, fill: Any) -> Any:
    """The image seen through a matrix, which takes the places of the result, counted from the middle, to those of the image."""
    channels, height, width = get_dimensions(img)
    if isinstance(fill, (list, tuple)) and len(fill) not in (1, channels):
        raise ValueError("The number of elements in 'fill' cannot broadcast to match the number of channels of the image "
                         f"({len(fill)} != {channels})")

    def function(pixels: Any) -> Any:
        values = pixels if pixels.dtype.kind == "f" else pixels.astype(np.float32)
        columns, rows = _places(matrix, size, (width, height), values.dtype)
        result = _sampled(values, rows, columns, mode)
        if fill is not None:
            share = _sampled(np.ones((height, width), values.dtype), rows, columns, mode)  # of the image in each pixel
            colour = np.asarray(fill, values.dtype).reshape(-1, 1, 1)
            if pixels.ndim == 2:
                colour = colour[0]
            result = np.where(share < 0.5, colour, result) if mode is InterpolationMode.NEAREST else (
                result * share + (1 - share) * colour)
        return result if pixels.dtype.kind == "f" else np.rint(result).astype(pixels.dtype)

    return of_pixels(img, function)


def _places(matrix: list[float], size: tuple[int, int], before: tuple[int, int], kind: Any) -> Any:
    """Columns and rows in the image of each pixel of the result, rounded as `grid_sample` rounds them."""
    x, y = (np.arange(n, dtype=kind) - kind.type((n - 1) * 0.5) for n in size)
    points = np.stack([*np.broadcast_arrays(x, y[:, None]), np.ones(size[::-1], kind)], -1).reshape(-1, 3)
    halves = np.array([0.5 * n for n in before], kind)
    grid = points @ (np.array(matrix, kind).reshape(2, 3).T / halves)
    places = ((grid + 1) * np.array(before, kind) - 1) / 2
    return places[:, 0].reshape(size[::-1]), places[:, 1].reshape(size[::-1])


def _sampled(pixels: Any, rows: Any, columns: Any, mode: InterpolationMode) -> Any:
    """Images (..., height, width) at places between pixels; outside they are 0."""
    height, width = pixels.shape[-2:]

    def at(row: Any, column: Any) -> Any:
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        places = (np.where(inside, each, 0).astype(np.int64) for each in (row, column))
        return pixels[(..., *places)] * inside

    if mode is InterpolationMode.NEAREST:
        return at(np.rint(rows), np.rint(columns))
    top, left = np.floor(rows), np.floor(columns)
    down, right = rows - top, columns - left
    return (at(top, left) * ((1 - right) * (1 - down)) + at(top, left + 1) * (right * (1 - down))
            + at(top + 1, left) * ((1 - right) * down) + at(top + 1, left + 1) * (right * down))  # fmt: skip
