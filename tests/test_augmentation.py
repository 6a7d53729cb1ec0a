"""Images in other colours and places, by chance: torchvision's formulas computed by torch, Pillow's images by Pillow."""

from __future__ import annotations

import colorsys
import math
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance

import minigrad as mg
from minigrad.vision import transforms as T
from minigrad.vision.transforms import InterpolationMode
from minigrad.vision.transforms import functional as TF

from .twins import raised

RANDOM = np.random.default_rng(0)
COLOURS = RANDOM.integers(0, 256, (11, 14, 3), np.uint8)
BYTES = np.ascontiguousarray(COLOURS.transpose(2, 0, 1))
PICTURE = Image.fromarray(COLOURS)
TENSORS = [BYTES, BYTES / np.float32(255), BYTES / 255]
NEAREST, BILINEAR = InterpolationMode.NEAREST, InterpolationMode.BILINEAR

# ---- colours -----------------------------------------------------------------------------------------------------------------


def blended(x: Any, other: Any, factor: float) -> Any:
    return (factor * x + (1 - factor) * other).clamp(0, 1 if x.is_floating_point() else 255).to(x.dtype)


def grey(x: Any) -> Any:
    return (0.2989 * x[0] + 0.587 * x[1] + 0.114 * x[2]).to(x.dtype)[None]


@pytest.mark.parametrize("factor", [0.0, 0.3, 1.0, 1.7])
@pytest.mark.parametrize("array", TENSORS, ids=["bytes", "float32", "float64"])
def test_colours_of_tensors(array: Any, factor: float) -> None:
    x, ours = torch.tensor(array), mg.tensor(array)
    mean = grey(x).to(x.dtype if x.is_floating_point() else torch.float32).mean()
    for function, other in ((TF.adjust_brightness, x * 0), (TF.adjust_contrast, mean), (TF.adjust_saturation, grey(x))):
        np.testing.assert_allclose(function(ours, factor).numpy(), blended(x, other, factor).numpy(), 1e-6)
    gamma = (0.9 * (x if x.is_floating_point() else x.float() / 255) ** factor).clamp(0, 1)
    expected = gamma if x.is_floating_point() else (gamma * (256 - 1e-3)).to(torch.uint8)
    np.testing.assert_allclose(TF.adjust_gamma(ours, factor, 0.9).numpy(), expected.numpy(), 1e-6)


@pytest.mark.parametrize("turn", [-0.5, 0.0, 0.2])
def test_hue_of_tensors(turn: float) -> None:
    pixels = TENSORS[2].reshape(3, -1).T.copy()
    pixels[0] = 0.5  # a grey one
    expected = [colorsys.hsv_to_rgb((h + turn) % 1, s, v) for h, s, v in (colorsys.rgb_to_hsv(*pixel) for pixel in pixels)]
    result = TF.adjust_hue(mg.tensor(pixels.T.reshape(3, 11, 14)), turn)
    assert result.dtype == mg.float64
    np.testing.assert_allclose(result.numpy().reshape(3, -1).T, expected, atol=2e-6)


@pytest.mark.parametrize(("function", "name"), [
    (TF.adjust_brightness, "Brightness"), (TF.adjust_contrast, "Contrast"), (TF.adjust_saturation, "Color"),
])  # fmt: skip
def test_colours_of_pictures_and_arrays(function: Any, name: str) -> None:
    expected = np.asarray(getattr(ImageEnhance, name)(PICTURE).enhance(1.3))
    np.testing.assert_array_equal(np.asarray(function(PICTURE, 1.3)), expected)
    np.testing.assert_array_equal(function(COLOURS, 1.3), expected)


def test_hue_of_pictures() -> None:
    h, s, v = PICTURE.convert("HSV").split()
    turned = Image.fromarray(np.asarray(h) + np.uint8(51))
    expected = np.asarray(Image.merge("HSV", (turned, s, v)).convert("RGB"))
    np.testing.assert_array_equal(TF.adjust_hue(COLOURS, 0.2), expected)
    assert TF.adjust_hue(COLOURS[..., 0], 0.2).shape == (11, 14)
    grey = mg.tensor(BYTES[:1])
    assert TF.adjust_hue(grey, 0.2) is grey


# ---- places ------------------------------------------------------------------------------------------------------------------


def sampled(array: Any, rows: list[float], mode: str, fill: float | None) -> Any:
    """The image through a matrix by torch's `grid_sample`: places are counted from the middle of the image."""
    x = torch.tensor(array)
    kind = x.dtype if x.is_floating_point() else torch.float32
    height, width = x.shape[-2:]
    across, down = (torch.arange(n, dtype=kind) - (n - 1) / 2 for n in (width, height))
    points = torch.stack([*torch.meshgrid(across, down, indexing="xy"), torch.ones(height, width, dtype=kind)], -1)
    grid = points @ (torch.tensor(rows, dtype=kind).reshape(2, 3).T / torch.tensor([width / 2, height / 2], dtype=kind))
    both = torch.cat([x.to(kind), torch.ones(1, height, width, dtype=kind)])[None]
    result = torch.nn.functional.grid_sample(both, grid[None], mode, "zeros", False)[0]
    result, share = result[:-1], result[-1:]
    if fill is not None:
        result = torch.where(share < 0.5, fill, result) if mode == "nearest" else result * share + (1 - share) * fill
    return result.round().to(x.dtype) if not x.is_floating_point() else result


@pytest.mark.parametrize("fill", [None, 0.0, 3.0])
@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@pytest.mark.parametrize("array", TENSORS, ids=["bytes", "float32", "float64"])
def test_tensors_are_moved_as_grid_sample_does(array: Any, mode: str, fill: float | None) -> None:
    turn = math.radians(33)
    rotation = [math.cos(turn), -math.sin(turn), 0.0, math.sin(turn), math.cos(turn), 0.0]
    result = TF.rotate(mg.tensor(array), 33, InterpolationMode(mode), fill=fill)
    np.testing.assert_allclose(result.numpy(), sampled(array, rotation, mode, fill).numpy(), 1e-4, 1e-5)
    # moved by (3, -2) and twice as large, then sheared by 20 degrees: where does a pixel come from?
    shear = [0.5, 0.5 * math.tan(math.radians(20)), 0.0, 0.0, 0.5, 0.0]
    shear[2], shear[5] = -(3 * shear[0] - 2 * shear[1]), -(3 * shear[3] - 2 * shear[4])
    result = TF.affine(mg.tensor(array), 0, (3, -2), 2.0, 20, InterpolationMode(mode), fill)
    np.testing.assert_allclose(result.numpy(), sampled(array, shear, mode, fill).numpy(), 1e-4, 1e-5)


def test_quarter_turns_are_exact() -> None:
    for k in range(4):
        square = BYTES[..., :11]
        np.testing.assert_array_equal(TF.rotate(mg.tensor(square), 90.0 * k).numpy(), np.rot90(square, k, (1, 2)))
        np.testing.assert_array_equal(TF.rotate(COLOURS, 90.0 * k, expand=True), np.rot90(COLOURS, k))
    around = TF.rotate(mg.tensor(BYTES), 180, center=[2.5, 2.5]).numpy()
    np.testing.assert_array_equal(around[:, :5, :5], BYTES[:, 4::-1, 4::-1])
    assert TF.rotate(mg.tensor(BYTES[0]), 45, expand=True, fill=1.0).shape == (19, 18)


def test_pictures_are_moved_by_pillow() -> None:
    expected = np.asarray(PICTURE.rotate(20, Image.Resampling.BILINEAR, True, (3, 4), fillcolor=(1, 2, 3)))
    np.testing.assert_array_equal(TF.rotate(COLOURS, 20, BILINEAR, True, (3, 4), (1, 2, 3)), expected)
    moved = PICTURE.transform(PICTURE.size, Image.Transform.AFFINE, (0.5, 0, 2.0, 0, 0.5, 3.75), 0, fillcolor=(7, 7, 7))
    expected = np.asarray(moved)
    np.testing.assert_array_equal(TF.affine(COLOURS, 0, (3, -2), 2.0, 0.0, fill=7), expected)
    assert np.asarray(TF.affine(PICTURE.convert("L"), 10, [0, 0], 1.0, [5])).shape == (11, 14)


@pytest.mark.parametrize("array", TENSORS, ids=["bytes", "float32", "float64"])
def test_blur_is_a_convolution(array: Any) -> None:
    x = torch.tensor(array)
    kind = x.dtype if x.is_floating_point() else torch.float32
    along, across = (torch.exp(-0.5 * (torch.arange(n, dtype=kind) - n // 2).div(sigma) ** 2) for n, sigma in ((3, 0.8), (5, 1.5)))
    kernel = torch.outer(across / across.sum(), along / along.sum())
    padded = torch.nn.functional.pad(x.to(kind)[:, None], (1, 1, 2, 2), "reflect")
    expected = torch.nn.functional.conv2d(padded, kernel[None, None])[:, 0]
    expected = expected if x.is_floating_point() else expected.round().to(x.dtype)
    np.testing.assert_allclose(TF.gaussian_blur(mg.tensor(array), (3, 5), (0.8, 1.5)).numpy(), expected.numpy(), 1e-5)
    assert mg.equal(TF.gaussian_blur(mg.tensor(array), 5), TF.gaussian_blur(mg.tensor(array), [5, 5], [1.1]))
    if array is BYTES:
        for picture in (COLOURS, PICTURE):
            result = np.asarray(TF.gaussian_blur(picture, (3, 5), (0.8, 1.5)))
            np.testing.assert_array_equal(result, expected.numpy().transpose(1, 2, 0))


# ---- chance ------------------------------------------------------------------------------------------------------------------


def uniform(low: float, high: float) -> float:
    return float(torch.empty(1).uniform_(low, high))


@pytest.mark.parametrize("seed", range(5))
def test_the_same_numbers_are_drawn(seed: int) -> None:
    image = mg.tensor(TENSORS[1])
    for m in (mg, torch):
        m.manual_seed(seed)
    order, *factors = T.ColorJitter.get_params((0.5, 1.5), None, (0, 2), (-0.1, 0.1))
    assert order.tolist() == torch.randperm(4).tolist()
    assert factors == [uniform(0.5, 1.5), None, uniform(0, 2), uniform(-0.1, 0.1)]
    assert T.RandomRotation.get_params([-10, 30]) == uniform(-10, 30)
    assert T.GaussianBlur.get_params(0.1, 2.0) == uniform(0.1, 2.0)
    angle, moved, scale, shear = T.RandomAffine.get_params([0, 5], (0.1, 0.4), (1, 2), [1, 2, 3, 4], [14, 11])
    assert [angle, *moved] == [uniform(0, 5), round(uniform(-1.4, 1.4)), round(uniform(-4.4, 4.4))]
    assert [scale, *shear] == [uniform(1, 2), uniform(1, 2), uniform(3, 4)]
    top, left, height, width, value = T.RandomErasing.get_params(image, (0.1, 0.3), (0.5, 2.0))
    limits = torch.tensor((0.5, 2.0)).log()
    area, aspect = 11 * 14 * uniform(0.1, 0.3), torch.empty(1).uniform_(limits[0], limits[1]).exp().item()
    assert (height, width) == (round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect)))
    np.testing.assert_array_equal(value.numpy(), torch.empty(3, height, width).normal_().numpy())
    assert [top, left] == [torch.randint(0, n + 1, size=(1,)).item() for n in (11 - height, 14 - width)]


def test_what_is_drawn_is_done() -> None:
    image = mg.tensor(TENSORS[1])

    def after(seed: int, function: Any) -> Any:
        mg.manual_seed(seed)
        return function()

    order, *factors = after(1, lambda: T.ColorJitter.get_params((0.5, 1.5), (0.5, 1.5), (0.5, 1.5), (-0.2, 0.2)))
    expected = image
    for i in order.tolist():
        expected = (TF.adjust_brightness, TF.adjust_contrast, TF.adjust_saturation, TF.adjust_hue)[i](expected, factors[i])
    assert mg.equal(after(1, lambda: T.ColorJitter(0.5, 0.5, 0.5, 0.2)(image)), expected)
    angle = after(2, lambda: T.RandomRotation.get_params([-40, 40]))
    assert mg.equal(after(2, lambda: T.RandomRotation(40)(image)), TF.rotate(image, angle, fill=0))
    params = after(3, lambda: T.RandomAffine.get_params([0, 0], (0.3, 0.3), None, None, [14, 11]))
    assert mg.equal(after(3, lambda: T.RandomAffine(0, (0.3, 0.3), fill=1)(image)), TF.affine(image, *params, fill=1))
    erased = after(4, lambda: T.RandomErasing(1.0, value=(0.1, 0.2, 0.3))(image))
    changed = (erased != image).any(0)
    assert 0 < int(changed.sum()) < 11 * 14
    assert {tuple(pixel) for pixel in erased[:, changed].t().tolist()} == {tuple(mg.tensor([0.1, 0.2, 0.3]).tolist())}
    assert T.RandomErasing(0.0)(image) is image
    assert T.RandomErasing(1.0, inplace=True)(image) is image
    for picture in (image, COLOURS, PICTURE):
        assert TF.get_dimensions(T.RandomGrayscale(1.0)(picture)) == [3, 11, 14]
        assert T.RandomGrayscale(0.0)(picture) is picture


def test_texts_and_errors() -> None:
    assert [repr(each) for each in (
        T.ColorJitter(0.4, 0, (0.5, 1), 0.1), T.RandomRotation(10), T.RandomRotation((1, 2), BILINEAR, center=(0, 1)),
        T.RandomAffine(0, (0.1, 0.2), None, 3, fill=1), T.RandomErasing(), T.RandomGrayscale(),
        T.GaussianBlur(3, 1), T.GaussianBlur([3, 5]),
    )] == [
        "ColorJitter(brightness=(0.6, 1.4), contrast=None, saturation=(0.5, 1.0), hue=(-0.1, 0.1))",
        "RandomRotation(degrees=[-10.0, 10.0], interpolation=nearest, expand=False, fill=0)",
        "RandomRotation(degrees=[1.0, 2.0], interpolation=bilinear, expand=False, center=(0, 1), fill=0)",
        "RandomAffine(degrees=[0.0, 0.0], translate=(0.1, 0.2), shear=[-3.0, 3.0], fill=1)",
        "RandomErasing(p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0, inplace=False)", "RandomGrayscale(p=0.1)",
        "GaussianBlur(kernel_size=(3, 3), sigma=(1, 1))", "GaussianBlur(kernel_size=[3, 5], sigma=(0.1, 2.0))",
    ]  # fmt: skip
    image = mg.tensor(BYTES)
    wrong = {
        "ValueError": [
            lambda: T.GaussianBlur(2), lambda: T.GaussianBlur(3, 0), lambda: T.GaussianBlur(3, (2, 1)),
            lambda: T.GaussianBlur(3, "x"), lambda: TF.gaussian_blur(image, 4),
            lambda: TF.gaussian_blur(image, 3, -1), lambda: TF.gaussian_blur(image, (3, 3, 3)),
            lambda: T.ColorJitter(-1), lambda: T.ColorJitter(hue=0.6), lambda: T.RandomRotation(-1), lambda: T.RandomRotation((1,)),
            lambda: T.RandomAffine(0, (2, 0)), lambda: T.RandomAffine(0, scale=(0, 1)), lambda: T.RandomErasing(2),
            lambda: T.RandomErasing(value="x"), lambda: T.RandomErasing(1, value=(1, 2))(image), lambda: TF.adjust_hue(image, 1),
            lambda: TF.adjust_contrast(image, -1), lambda: TF.rotate(image, 1, InterpolationMode.BICUBIC),
            lambda: TF.affine(image, 0, (1,), 1, 0), lambda: TF.affine(image, 0, (1, 1), 0, 0),
            lambda: TF.rotate(image, 1, fill=[1, 2]), lambda: TF.rotate(COLOURS, 1, fill=[1, 2]),
            lambda: TF.affine(image, 0, (1, 1), 1, (1, 2, 3)),
        ],
        "TypeError": [
            lambda: T.ColorJitter("x"), lambda: T.RandomRotation(1, fill={}), lambda: TF.rotate(image, 1, "nearest"),
            lambda: TF.adjust_brightness(image[:2], 1), lambda: TF.adjust_brightness(3, 1),
            lambda: TF.erase(COLOURS, 0, 0, 1, 1, 0),
        ],
    }  # fmt: skip
    for kind, calls in wrong.items():
        assert [raised(call) for call in calls] == [kind] * len(calls)
