"""Pictures of batches, as in `torchvision.utils`."""

from __future__ import annotations

import os
from typing import IO, Any

from minigrad.autograd import no_grad
from minigrad.ops.shape import cat, stack
from minigrad.tensors.tensor import Tensor
from minigrad.vision.transforms.functional import pillow


@no_grad()
def make_grid(
    tensor: Any, nrow: int = 8, padding: int = 2, normalize: bool = False, value_range: tuple[float, float] | None = None,
    scale_each: bool = False, pad_value: float = 0.0,
) -> Tensor:
    """Images side by side, as one.

    Parameters
    ----------
    tensor : Tensor of shape (n, channels, height, width), or a list of images of one size
        The images. Those of one channel get three.
    nrow : int
        How many stand in a row.
    padding : int
        How many pixels are between them, of the value `pad_value`.
    normalize : bool
        Bring the values into the range 0 to 1: from `value_range`, or from the smallest and largest there are, in each image if
        `scale_each`, else in all of them.

    Returns
    -------
    Tensor of shape (channels, height, width)

    Raises
    ------
    TypeError
        If `tensor` is neither a tensor nor a list of tensors.
    """
    if isinstance(tensor, list) and tensor and all(isinstance(t, Tensor) for t in tensor):
        tensor = stack(tensor)
    if not isinstance(tensor, Tensor):
        raise TypeError(f"tensor or list of tensors expected, got {type(tensor)}")
    while tensor.ndim < 4:
        tensor = tensor.unsqueeze(0)
    if tensor.shape[1] == 1:
        tensor = cat([tensor] * 3, 1)
    if normalize:
        tensor = tensor.clone()
        if value_range is not None and not isinstance(value_range, tuple):
            raise TypeError("value_range has to be a tuple (min, max) if specified. min and max are numbers")
        for images in tensor if scale_each else [tensor]:
            low, high = value_range or (float(images.min()), float(images.max()))
            images.clamp_(min=low, max=high)
            images.sub_(low).div_(max(high - low, 1e-5))

    count, channels, height, width = tensor.shape
    if count == 1:
        return tensor.squeeze(0)
    columns = min(nrow, count)
    rows = -(-count // columns)
    height, width = height + padding, width + padding
    grid = tensor.new_full((channels, height * rows + padding, width * columns + padding), pad_value)
    for k, image in enumerate(tensor):
        top, left = k // columns * height + padding, k % columns * width + padding
        grid[:, top : top + height - padding, left : left + width - padding] = image
    return grid


@no_grad()
def save_image(tensor: Any, fp: str | os.PathLike[str] | IO[bytes], format: str | None = None, **kwargs: Any) -> None:
    """Write images to a file, as `make_grid`, whose other arguments this takes, puts them together. Pillow must be installed.

    Parameters
    ----------
    tensor : Tensor or list of Tensor
        Values from 0 to 1.
    fp : str, path or binary file
        Where to.
    format : str, optional
        Which format, if the name of the file does not say it.
    """
    grid = make_grid(tensor, **kwargs)
    pixels = grid.mul(255).add_(0.5).clamp_(0, 255).permute(1, 2, 0).byte().numpy()
    pillow().fromarray(pixels).save(fp, format=format)
