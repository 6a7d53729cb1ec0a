"""From images to tensors: what torchvision's transforms are defined to give, computed by torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import minigrad as mg
from minigrad.vision.transforms import Compose, Lambda, Normalize, ToTensor
from tests.twins import assert_same

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (5, 4), np.uint8)
COLOURS = RNG.integers(0, 256, (5, 4, 3), np.uint8)


@pytest.mark.parametrize("image", [PIXELS, PIXELS[::2, ::-1], np.asfortranarray(PIXELS), PIXELS[:0]])
def test_bytes_become_numbers_up_to_one(image: np.ndarray) -> None:
    assert_same(ToTensor()(image), torch.from_numpy(image.copy())[None].float() / 255)


def test_channels_come_first() -> None:
    expected = torch.from_numpy(COLOURS).permute(2, 0, 1).contiguous().float() / 255
    result = ToTensor()(COLOURS)
    assert_same(result, expected)
    assert result.stride() == expected.stride()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int16", "bool"])
def test_other_dtypes_are_left_as_they_are(dtype: str) -> None:
    assert_same(ToTensor()(PIXELS.astype(dtype)), torch.from_numpy(PIXELS.astype(dtype))[None])


def test_bytes_become_the_default_dtype() -> None:
    mg.set_default_dtype(mg.float64)
    try:
        assert_same(ToTensor()(PIXELS), torch.from_numpy(PIXELS)[None].double() / 255)
    finally:
        mg.set_default_dtype(mg.float32)


@pytest.mark.parametrize("image", [[[1, 2]], mg.zeros(2, 2), None])
def test_only_arrays_are_images(image: object) -> None:
    with pytest.raises(TypeError, match="should be an ndarray"):
        ToTensor()(image)


@pytest.mark.parametrize("dimensions", [0, 1, 4])
def test_images_have_two_or_three_dimensions(dimensions: int) -> None:
    with pytest.raises(ValueError, match=f"pic should be 2/3 dimensional. Got {dimensions} dimensions."):
        ToTensor()(np.zeros((2,) * dimensions))


@pytest.mark.parametrize("shape", [(3, 5, 4), (2, 3, 5, 4)])
@pytest.mark.parametrize(("mean", "std"), [((0.1, 0.2, 0.3), (0.5, 1.5, 2.5)), ([0.5], [0.25]), (0.5, 2)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normalize(shape: tuple[int, ...], mean: object, std: object, dtype: str) -> None:
    values = RNG.random(shape).astype(dtype)
    shift, scale = (torch.tensor(numbers, dtype=getattr(torch, dtype)) for numbers in (mean, std))
    if shift.ndim:
        shift, scale = shift[:, None, None], scale[:, None, None]
    expected = torch.from_numpy(values).sub(shift).div(scale)
    image = mg.tensor(values)
    assert_same(Normalize(mean, std)(image), expected)
    np.testing.assert_array_equal(image.numpy(), values)
    assert Normalize(mean, std, inplace=True)(image) is image
    assert_same(image, expected)


def test_normalize_refuses() -> None:
    image = mg.zeros(1, 2, 2)
    for bad, error, message in (
        (np.zeros((1, 2, 2)), TypeError, "img should be Tensor Image. Got <class 'numpy.ndarray'>"),
        (image.to(mg.uint8), TypeError, "Input tensor should be a float tensor. Got torch.uint8."),
        (image[0], ValueError, r"of size \(\.\.\., C, H, W\). Got tensor.size\(\) = torch.Size\(\[2, 2\]\)"),
    ):
        with pytest.raises(error, match=message):
            Normalize((0.5,), (0.5,))(bad)
    with pytest.raises(ValueError, match="std evaluated to zero after conversion to torch"):
        Normalize((0.5,), (1e-60,))(image)


def test_compose_and_lambda() -> None:
    chain = Compose([ToTensor(), Normalize((0.5,), (0.5,)), Lambda(lambda image: image.sum(0))])
    expected = (torch.from_numpy(PIXELS).float() / 255 - 0.5) / 0.5
    assert_same(chain(PIXELS), expected)
    assert repr(chain) == "Compose(\n    ToTensor()\n    Normalize(mean=(0.5,), std=(0.5,))\n    Lambda()\n)"
    assert Compose([])(3) == 3
    assert repr(Compose([])) == "Compose(\n)"
    with pytest.raises(TypeError, match="Argument lambd should be callable, got 'int'"):
        Lambda(3)  # type: ignore[arg-type]
