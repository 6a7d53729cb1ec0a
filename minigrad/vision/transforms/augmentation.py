"""Transforms by chance: other colours, other places, parts erased. They draw torchvision's random numbers."""

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Sequence
from typing import Any

from minigrad.nn import Module
from minigrad.tensors.creation import empty, tensor
from minigrad.tensors.sampling import rand, randint, randperm
from minigrad.tensors.tensor import Tensor
from minigrad.vision.transforms import functional as TF
from minigrad.vision.transforms.functional import InterpolationMode


def _between(low: float, high: float) -> float:
    return float(empty(1).uniform_(float(low), float(high)))


def _several(name: str, x: Any, *lengths: int) -> list[float]:
    """A range of angles, or anything else that is so many numbers."""
    if not isinstance(x, Sequence):
        raise TypeError(f"{name} should be a sequence of length {' or '.join(map(str, lengths))}.")
    if len(x) not in lengths:
        raise ValueError(f"{name} should be a sequence of length {' or '.join(map(str, lengths))}.")
    return [float(each) for each in x]


def _angles(name: str, x: Any, *lengths: int) -> list[float]:
    if not isinstance(x, numbers.Real):
        return _several(name, x, *lengths)
    if x < 0:
        raise ValueError(f"If {name} is a single number, it must be positive.")
    return [float(-x), float(x)]


def _filling(fill: Any) -> Any:
    if fill is not None and not isinstance(fill, (Sequence, numbers.Number)):
        raise TypeError("Fill should be either a sequence or a number.")
    return 0 if fill is None else fill


class ColorJitter(Module):
    """Brightness, contrast, saturation and hue changed by factors, and in an order, drawn by chance.

    Parameters
    ----------
    brightness, contrast, saturation, hue : float or pair of float
        Limits of the factors; one number is for as much to both sides: of 1, or of 0 for `hue`, which stays within -0.5 and 0.5.
    """

    def __init__(self, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0, hue: Any = 0) -> None:
        super().__init__()
        self.brightness = self._limits("brightness", brightness)
        self.contrast = self._limits("contrast", contrast)
        self.saturation = self._limits("saturation", saturation)
        self.hue = self._limits("hue", hue, 0, (-0.5, 0.5))

    @staticmethod
    def _limits(name: str, value: Any, center: int = 1, bound: tuple[float, float] = (0, math.inf)) -> tuple[float, float] | None:
        if isinstance(value, numbers.Real):
            if value < 0:
                raise ValueError(f"If {name} is a single number, it must be non negative.")
            low, high = center - float(value), center + float(value)
            low = max(low, 0.0) if center else low
        elif isinstance(value, (tuple, list)) and len(value) == 2:
            low, high = map(float, value)
        else:
            raise TypeError(f"{name} should be a single number or a list/tuple with length 2.")
        if not bound[0] <= low <= high <= bound[1]:
            raise ValueError(f"{name} values should be between {bound}, but got {[low, high]}.")
        return None if low == high == center else (low, high)

    @staticmethod
    def get_params(brightness: Any, contrast: Any, saturation: Any, hue: Any) -> tuple[Any, ...]:
        """An order of the four changes, and the factor of each, None for those without limits."""
        order = randperm(4)
        return order, *(None if limits is None else _between(*limits) for limits in (brightness, contrast, saturation, hue))

    def forward(self, img: Any) -> Any:
        """The image in other colours."""
        order, *factors = self.get_params(self.brightness, self.contrast, self.saturation, self.hue)
        changes = TF.adjust_brightness, TF.adjust_contrast, TF.adjust_saturation, TF.adjust_hue
        for i in order.tolist():
            if factors[i] is not None:
                img = changes[i](img, factors[i])
        return img

    def __repr__(self) -> str:
        return (f"{type(self).__name__}(brightness={self.brightness}, contrast={self.contrast}, saturation={self.saturation}, "
                f"hue={self.hue})")


class RandomGrayscale(Module):
    """The image without its colours, in as many channels as before, with the probability `p`."""

    def __init__(self, p: float = 0.1) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Any) -> Any:
        """The image, grey or not."""
        return TF.rgb_to_grayscale(img, TF.get_dimensions(img)[0]) if rand(1) < self.p else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class GaussianBlur(Module):
    """`functional.gaussian_blur` of a width drawn by chance.

    Parameters
    ----------
    kernel_size : int or pair of int
        How many columns and rows go into a pixel; odd.
    sigma : float or pair of float
        The standard deviation, or its limits.
    """

    def __init__(self, kernel_size: Any, sigma: Any = (0.1, 2.0)) -> None:
        super().__init__()
        self.kernel_size = (int(kernel_size),) * 2 if isinstance(kernel_size, (int, float)) else kernel_size
        if len(self.kernel_size) != 2:
            raise ValueError("Kernel size should be a tuple/list of two integers")
        if any(size <= 0 or size % 2 == 0 for size in self.kernel_size):
            raise ValueError("Kernel size value should be an odd and positive number.")
        self.sigma: Any = (sigma, sigma) if isinstance(sigma, numbers.Real) else sigma
        if not isinstance(self.sigma, Sequence) or len(self.sigma) != 2:
            raise ValueError("sigma should be a single number or a list/tuple with length 2.")
        if not 0 < self.sigma[0] <= self.sigma[1]:
            raise ValueError("sigma values should be positive and of the form (min, max).")

    @staticmethod
    def get_params(sigma_min: float, sigma_max: float) -> float:
        """The standard deviation."""
        return _between(sigma_min, sigma_max)

    def forward(self, img: Any) -> Any:
        """The blurred image."""
        return TF.gaussian_blur(img, self.kernel_size, self.get_params(*self.sigma))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(kernel_size={self.kernel_size}, sigma={self.sigma})"


class RandomRotation(Module):
    """The image turned by an angle drawn by chance.

    Parameters
    ----------
    degrees : float or pair of float
        Limits of the angle; one number is for as much to both sides.
    interpolation, expand, center, fill
        See `functional.rotate`.
    """

    def __init__(
        self, degrees: Any, interpolation: InterpolationMode = InterpolationMode.NEAREST, expand: bool = False, center: Any = None,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.degrees, self.interpolation, self.expand = _angles("degrees", degrees, 2), interpolation, expand
        if center is not None:
            _several("center", center, 2)
        self.center, self.fill = center, _filling(fill)

    @staticmethod
    def get_params(degrees: Sequence[float]) -> float:
        """The angle."""
        return _between(*degrees)

    def forward(self, img: Any) -> Any:
        """The turned image."""
        return TF.rotate(img, self.get_params(self.degrees), self.interpolation, self.expand, self.center, self.fill)

    def __repr__(self) -> str:
        center = "" if self.center is None else f", center={self.center}"
        return (f"{type(self).__name__}(degrees={self.degrees}, interpolation={self.interpolation.value}, expand={self.expand}"
                f"{center}, fill={self.fill})")


class RandomAffine(Module):
    """The image turned, moved, scaled and sheared, by amounts drawn by chance.

    Parameters
    ----------
    degrees : float or pair of float
        Limits of the angle; one number is for as much to both sides.
    translate : pair of float, optional
        How far to move it at most, as a share of its width and of its height.
    scale : pair of float, optional
        Limits of the scale.
    shear : float, or 2 or 4 floats, optional
        Limits of the shear along the rows, and of that along the columns.
    interpolation, fill, center
        See `functional.affine`.
    """

    def __init__(
        self, degrees: Any, translate: Any = None, scale: Any = None, shear: Any = None,
        interpolation: InterpolationMode = InterpolationMode.NEAREST, fill: Any = 0, center: Any = None,
    ) -> None:
        super().__init__()
        self.degrees = _angles("degrees", degrees, 2)
        if translate is not None and any(not 0 <= each <= 1 for each in _several("translate", translate, 2)):
            raise ValueError("translation values should be between 0 and 1")
        if scale is not None and any(each <= 0 for each in _several("scale", scale, 2)):
            raise ValueError("scale values should be positive")
        if center is not None:
            _several("center", center, 2)
        self.translate, self.scale, self.center, self.interpolation = translate, scale, center, interpolation
        self.shear = None if shear is None else _angles("shear", shear, 2, 4)
        self.fill = _filling(fill)

    @staticmethod
    def get_params(
        degrees: Sequence[float], translate: Sequence[float] | None, scale_ranges: Sequence[float] | None,
        shears: Sequence[float] | None, img_size: Sequence[int],
    ) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
        """Angle, translation, scale and shear, for an image of so many columns and rows."""
        angle, moved, scale, shear = _between(*degrees), (0, 0), 1.0, (0.0, 0.0)
        if translate is not None:
            far = [float(share * size) for share, size in zip(translate, img_size, strict=True)]
            moved = round(_between(-far[0], far[0])), round(_between(-far[1], far[1]))
        if scale_ranges is not None:
            scale = _between(*scale_ranges)
        if shears is not None:
            shear = _between(*shears[:2]), _between(*shears[2:]) if len(shears) == 4 else 0.0
        return angle, moved, scale, shear

    def forward(self, img: Any) -> Any:
        """The image, turned and moved."""
        params = self.get_params(self.degrees, self.translate, self.scale, self.shear, TF.get_image_size(img))
        return TF.affine(img, *params, interpolation=self.interpolation, fill=self.fill, center=self.center)

    def __repr__(self) -> str:
        given = {"translate": self.translate, "scale": self.scale, "shear": self.shear}
        words = [f"degrees={self.degrees}", *(f"{name}={value}" for name, value in given.items() if value is not None)]
        words += [f"interpolation={self.interpolation.value}"] * (self.interpolation is not InterpolationMode.NEAREST)
        words += [f"fill={self.fill}"] * (self.fill != 0) + [f"center={self.center}"] * (self.center is not None)
        return f"{type(self).__name__}({', '.join(words)})"


class RandomErasing(Module):
    """A tensor image with a rectangle erased, with the probability `p`.

    Parameters
    ----------
    scale, ratio : pair of float
        Limits of the rectangle's area, as a share of the image's, and of its height divided by its width.
    value : number, sequence of numbers or "random"
        What is put there: one number, one for each channel, or normally distributed random ones.
    inplace : bool
        Change the tensor itself.
    """

    def __init__(
        self, p: float = 0.5, scale: Sequence[float] = (0.02, 0.33), ratio: Sequence[float] = (0.3, 3.3), value: Any = 0,
        inplace: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(value, (numbers.Number, str, tuple, list)):
            raise TypeError("Argument value should be either a number or str or a sequence")
        if isinstance(value, str) and value != "random":
            raise ValueError("If value is str, it should be 'random'")
        for name, limits in (("Scale", scale), ("Ratio", ratio)):
            if not isinstance(limits, Sequence):
                raise TypeError(f"{name} should be a sequence")
        if scale[0] > scale[1] or ratio[0] > ratio[1]:
            warnings.warn("Scale and ratio should be of kind (min, max)", stacklevel=2)
        if scale[0] < 0 or scale[1] > 1:
            raise ValueError("Scale should be between 0 and 1")
        if not 0 <= p <= 1:
            raise ValueError("Random erasing probability should be between 0 and 1")
        self.p, self.scale, self.ratio, self.value, self.inplace = p, scale, ratio, value, inplace

    @staticmethod
    def get_params(
        img: Tensor, scale: Sequence[float], ratio: Sequence[float], value: list[float] | None = None,
    ) -> tuple[int, int, int, int, Any]:
        """The rectangle's upper row, left column, height and width, and what to put there; after ten that do not fit, all of it."""
        channels, rows, columns = img.shape[-3:]
        limits = tensor(ratio).log()
        for _ in range(10):
            area = rows * columns * _between(*scale)
            aspect = empty(1).uniform_(limits[0], limits[1]).exp().item()
            height, width = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if height < rows and width < columns:
                what = empty(channels, height, width).normal_() if value is None else tensor(value)[:, None, None]
                top = randint(0, rows - height + 1, size=(1,)).item()
                return top, randint(0, columns - width + 1, size=(1,)).item(), height, width, what
        return 0, 0, rows, columns, img

    def forward(self, img: Tensor) -> Tensor:
        """The image, with a part erased or not."""
        if not rand(1) < self.p:
            return img
        given: Any = self.value if isinstance(self.value, (str, tuple, list)) else [self.value]
        values = None if given == "random" else [float(each) for each in given]
        if values is not None and len(values) not in (1, img.shape[-3]):
            raise ValueError(f"If value is a sequence, it should have either a single value or {img.shape[-3]} (number of input "
                             "channels)")
        return TF.erase(img, *self.get_params(img, self.scale, self.ratio, values), self.inplace)

    def __repr__(self) -> str:
        return (f"{type(self).__name__}(p={self.p}, scale={self.scale}, ratio={self.ratio}, value={self.value}, "
                f"inplace={self.inplace})")
