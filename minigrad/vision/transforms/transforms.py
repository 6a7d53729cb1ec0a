"""Transforms as objects, to be put one after the other; `functional` has what they do."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.nn import Module
from minigrad.tensors.creation import empty, tensor
from minigrad.tensors.sampling import rand, randint
from minigrad.tensors.tensor import Tensor
from minigrad.vision.transforms import functional as TF
from minigrad.vision.transforms.functional import InterpolationMode, get_image_size, pair

# ---- transforms made of others ---------------------------------------------------------------------------------------------


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


class RandomApply(Module):
    """The given transforms, one after the other, with the probability `p`; else the image as it is."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]], p: float = 0.5) -> None:
        super().__init__()
        self.transforms, self.p = transforms, p

    def forward(self, img: Any) -> Any:
        """The image, transformed or not."""
        return img if self.p < rand(1) else Compose(self.transforms)(img)

    def __repr__(self) -> str:
        return "\n".join([f"{type(self).__name__}(", f"    p={self.p}", *(f"    {t}" for t in self.transforms), ")"])


# ---- to and from tensors -----------------------------------------------------------------------------------------------------


class ToTensor:
    """`functional.to_tensor`: from an array or an image of Pillow to a tensor (channels, height, width) of numbers up to 1."""

    def __call__(self, pic: Any) -> Tensor:
        """The tensor."""
        return TF.to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class PILToTensor:
    """`functional.pil_to_tensor`: from an array or an image of Pillow to a tensor (channels, height, width) of the same values."""

    def __call__(self, pic: Any) -> Tensor:
        """The tensor."""
        return TF.pil_to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ToPILImage:
    """`functional.to_pil_image`: from a tensor or an array to an image of Pillow, which must be installed."""

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def __call__(self, pic: Any) -> Any:
        """The image."""
        return TF.to_pil_image(pic, self.mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.mode is None else f'mode={self.mode}'})"


class ConvertImageDtype(Module):
    """`functional.convert_image_dtype`: a tensor image in another dtype, and in the range of that."""

    def __init__(self, dtype: Any) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, image: Tensor) -> Tensor:
        """The converted image."""
        return TF.convert_image_dtype(image, self.dtype)


class Normalize(Module):
    """`functional.normalize`: (image - mean) / std, for each channel of a tensor (..., channels, height, width).

    Parameters
    ----------
    mean, std : sequence of float
        One per channel, or one for all.
    inplace : bool
        Change the tensor itself.
    """

    def __init__(self, mean: Any, std: Any, inplace: bool = False) -> None:
        super().__init__()
        self.mean, self.std, self.inplace = mean, std, inplace

    def forward(self, tensor: Tensor) -> Tensor:
        """The normalised image."""
        return TF.normalize(tensor, self.mean, self.std, self.inplace)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mean={self.mean}, std={self.std})"


# ---- size and place ----------------------------------------------------------------------------------------------------------


class Resize(Module):
    """`functional.resize`: the image in another size; one number is for its shorter edge."""

    def __init__(
        self, size: Any, interpolation: InterpolationMode = InterpolationMode.BILINEAR, max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        if not isinstance(size, (int, Sequence)):
            raise TypeError(f"Size should be int or sequence. Got {type(size)}")
        if isinstance(size, Sequence) and len(size) not in (1, 2):
            raise ValueError("If size is a sequence, it should have 1 or 2 values")
        self.size, self.interpolation, self.max_size, self.antialias = size, interpolation, max_size, antialias

    def forward(self, img: Any) -> Any:
        """The image in its new size."""
        return TF.resize(img, self.size, self.interpolation, self.max_size, self.antialias)

    def __repr__(self) -> str:
        return (f"{type(self).__name__}(size={self.size}, interpolation={self.interpolation.value}, max_size={self.max_size}, "
                f"antialias={self.antialias})")


class CenterCrop(Module):
    """`functional.center_crop`: the part in the middle."""

    def __init__(self, size: Any) -> None:
        super().__init__()
        self.size = pair(size)

    def forward(self, img: Any) -> Any:
        """The part."""
        return TF.center_crop(img, self.size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size})"


class Pad(Module):
    """`functional.pad`: an edge around the image."""

    def __init__(self, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> None:
        super().__init__()
        self.padding, self.fill, self.padding_mode = padding, fill, padding_mode

    def forward(self, img: Any) -> Any:
        """The image with its edge."""
        return TF.pad(img, self.padding, self.fill, self.padding_mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(padding={self.padding}, fill={self.fill}, padding_mode={self.padding_mode})"


class RandomCrop(Module):
    """A part of the image, anywhere in it.

    Parameters
    ----------
    size : int or pair of int
        Height and width of the part.
    padding : int or sequence of int, optional
        How many pixels to put around the image before, as in `functional.pad`; `fill` and `padding_mode` say what is in them.
    pad_if_needed : bool
        Put pixels around an image that is too small.
    """

    def __init__(
        self, size: Any, padding: Any = None, pad_if_needed: bool = False, fill: Any = 0, padding_mode: str = "constant",
    ) -> None:
        super().__init__()
        self.size, self.padding, self.pad_if_needed = pair(size), padding, pad_if_needed
        self.fill, self.padding_mode = fill, padding_mode

    @staticmethod
    def get_params(img: Any, output_size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Where the part lies, drawn by chance: top, left, height and width."""
        (columns, rows), (height, width) = get_image_size(img), output_size
        if rows < height or columns < width:
            raise ValueError(f"Required crop size {(height, width)} is larger than input image size {(rows, columns)}")
        if (rows, columns) == (height, width):
            return 0, 0, rows, columns
        top = randint(0, rows - height + 1, size=(1,)).item()
        return top, randint(0, columns - width + 1, size=(1,)).item(), height, width

    def forward(self, img: Any) -> Any:
        """The part."""
        if self.padding is not None:
            img = TF.pad(img, self.padding, self.fill, self.padding_mode)
        (columns, rows), (height, width) = get_image_size(img), self.size
        if self.pad_if_needed and columns < width:
            img = TF.pad(img, [width - columns, 0], self.fill, self.padding_mode)
        if self.pad_if_needed and rows < height:
            img = TF.pad(img, [0, height - rows], self.fill, self.padding_mode)
        return TF.crop(img, *self.get_params(img, self.size))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, padding={self.padding})"


class RandomResizedCrop(Module):
    """A part of the image, of a size and a shape drawn by chance, brought to one size.

    Parameters
    ----------
    size : int or pair of int
        Height and width of the result.
    scale, ratio : pair of float
        Limits of the part's area, as a share of the image's, and of its width divided by its height.
    """

    def __init__(
        self, size: Any, scale: Sequence[float] = (0.08, 1.0), ratio: Sequence[float] = (3 / 4, 4 / 3),
        interpolation: InterpolationMode = InterpolationMode.BILINEAR, antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.size, self.scale, self.ratio, self.interpolation, self.antialias = pair(size), scale, ratio, interpolation, antialias

    @staticmethod
    def get_params(img: Any, scale: Sequence[float], ratio: Sequence[float]) -> tuple[int, int, int, int]:
        """Where the part lies: top, left, height and width. After ten that do not fit, the largest in the middle."""
        width, height = get_image_size(img)
        limits = tensor(ratio).log()
        for _ in range(10):
            area = height * width * empty(1).uniform_(scale[0], scale[1]).item()
            aspect = empty(1).uniform_(limits[0], limits[1]).exp().item()
            w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < w <= width and 0 < h <= height:
                top = randint(0, height - h + 1, size=(1,)).item()
                return top, randint(0, width - w + 1, size=(1,)).item(), h, w
        w, h = width, height
        if width / height < min(ratio):
            h = round(width / min(ratio))
        elif width / height > max(ratio):
            w = round(height * max(ratio))
        return (height - h) // 2, (width - w) // 2, h, w

    def forward(self, img: Any) -> Any:
        """The part, resized."""
        part = self.get_params(img, self.scale, self.ratio)
        return TF.resized_crop(img, *part, self.size, self.interpolation, self.antialias)

    def __repr__(self) -> str:
        return (f"{type(self).__name__}(size={self.size}, scale={tuple(round(s, 4) for s in self.scale)}, "
                f"ratio={tuple(round(r, 4) for r in self.ratio)}, interpolation={self.interpolation.value}, "
                f"antialias={self.antialias})")


class RandomHorizontalFlip(Module):
    """The image with left and right exchanged, with the probability `p`."""

    flip = staticmethod(TF.hflip)

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Any) -> Any:
        """The image, flipped or not."""
        return self.flip(img) if rand(1) < self.p else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomVerticalFlip(RandomHorizontalFlip):
    """The image upside down, with the probability `p`."""

    flip = staticmethod(TF.vflip)


# ---- colours -----------------------------------------------------------------------------------------------------------------


class Grayscale(Module):
    """`functional.rgb_to_grayscale`: the luma of a coloured image, in one channel or in three."""

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def forward(self, img: Any) -> Any:
        """The image without colours."""
        return TF.rgb_to_grayscale(img, self.num_output_channels)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_output_channels={self.num_output_channels})"
