"""Convolutions as modules: `functional.conv2d` and its like, with weights of their own."""

from __future__ import annotations

import math
from typing import Any

from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.ops.windows import Ints
from minigrad.tensors.tensor import Tensor


class _ConvNd(Module):
    """What the convolutions have in common; see `Conv2d`."""

    transposed, ndim = False, 2
    padding: Any  # "same", "valid", or numbers

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Ints, stride: Ints = 1, padding: Any = 0, dilation: Ints = 1,
        groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
    ) -> None:
        super().__init__()
        if groups <= 0 or in_channels % groups or out_channels % groups:
            raise ValueError(f"in_channels and out_channels must be divisible by groups, a positive integer, got {in_channels}, "
                             f"{out_channels} and {groups}")
        if padding_mode not in ("zeros", "reflect", "replicate", "circular"):
            raise ValueError(f"padding_mode must be one of 'zeros', 'reflect', 'replicate', 'circular', got {padding_mode!r}")
        if padding_mode != "zeros" and self.transposed:
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        self.in_channels, self.out_channels, self.groups, self.padding_mode = in_channels, out_channels, groups, padding_mode
        self.kernel_size, self.stride, self.dilation = (self._each(n) for n in (kernel_size, stride, dilation))
        self.padding = padding if isinstance(padding, str) else self._each(padding)
        if isinstance(padding, str) and padding not in ("same", "valid"):
            raise ValueError(f"Invalid padding string {padding!r}, should be 'same' or 'valid'")
        if padding == "same" and max(self.stride) > 1:
            raise ValueError("padding='same' is not supported for strided convolutions")
        self.output_padding = self._each(0)
        self._reversed_padding_repeated_twice = self._around()
        self._register_empty(device, dtype, weight=self._weight_shape(), bias=(out_channels,) if bias else None)
        self.reset_parameters()

    def _weight_shape(self) -> tuple[int, ...]:
        channels = (self.in_channels, self.out_channels) if self.transposed else (self.out_channels, self.in_channels)
        return (channels[0], channels[1] // self.groups, *self.kernel_size)

    def _each(self, n: Any) -> tuple[int, ...]:
        return tuple(n) if isinstance(n, (tuple, list)) else (n,) * self.ndim

    def _around(self) -> list[int]:
        """The padding before and after each dimension, as `functional.pad` takes it: last dimension first."""
        pairs = zip(self.padding, self.padding, strict=True)
        if isinstance(self.padding, str):
            totals = [d * (k - 1) * (self.padding == "same") for d, k in zip(self.dilation, self.kernel_size, strict=True)]
            pairs = zip((n // 2 for n in totals), (n - n // 2 for n in totals), strict=True)
        return [n for pair in reversed([*pairs]) for n in pair]

    def reset_parameters(self) -> None:
        """Draw new values for weight and bias."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))  # that is: uniform numbers of ±1/√fan_in
        fan_in = math.prod(self.weight.shape[1:])
        if self.bias is not None and fan_in:
            init.uniform_(self.bias, -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in))

    def forward(self, input: Tensor) -> Tensor:
        """The convolution of the input with the weights."""
        weight, bias, padding = self._part("weight"), self._part("bias"), self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._reversed_padding_repeated_twice, self.padding_mode), 0
        convolve = F.conv1d if self.ndim == 1 else F.conv2d
        return convolve(input, weight, bias, self.stride, padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        """Channels and sizes, those that are not the usual ones."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        zeros, ones = self._each(0), self._each(1)
        usual = {"padding": zeros, "dilation": ones, "output_padding": zeros, "groups": 1}
        text += "".join(f", {name}={value}" for name in usual if (value := getattr(self, name)) != usual[name])
        text += "" if self.bias is not None else ", bias=False"
        return text + ("" if self.padding_mode == "zeros" else f", padding_mode={self.padding_mode}")


class Conv1d(_ConvNd):
    """`functional.conv1d` with weights of its own; arguments and attributes as in `Conv2d`."""

    ndim = 1


class Conv2d(_ConvNd):
    """`functional.conv2d` with weights of its own. From the same seed, the first values are torch's: uniform, ±1/√fan_in.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the input and of the result.
    kernel_size, stride, padding, dilation, groups
        As in `functional.conv2d`.
    bias : bool
        Add a bias.
    padding_mode : str
        What the padding is made of: "zeros"; or "reflect", "replicate" or "circular" as in `functional.pad`.
    dtype : dtype, optional
        Of weight and bias. Default: the default dtype.

    Attributes
    ----------
    weight : Parameter of shape (out_channels, in_channels / groups, *kernel_size)
    bias : Parameter of shape (out_channels), or None

    Raises
    ------
    ValueError
        If the channels cannot be cut into the groups, or the padding is unknown.
    """


class _ConvTransposeNd(_ConvNd):
    """`functional.conv_transpose2d` with weights of its own: of shape (in_channels, out_channels / groups, *kernel_size).

    The other arguments, attributes and errors are as in `Conv2d`.

    Parameters
    ----------
    output_padding : int or sequence of int
        How much larger than the smallest possible size the result is to be.
    """

    transposed = True

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Ints, stride: Ints = 1, padding: Ints = 0,
        output_padding: Ints = 0, groups: int = 1, bias: bool = True, dilation: Ints = 1, padding_mode: str = "zeros",
        device: Any = None, dtype: Any = None,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device,
                         dtype)
        self.output_padding = self._each(output_padding)

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        """The transposed convolution.

        Parameters
        ----------
        output_size : sequence of int, optional
            Length, or height and width, of the result, instead of `output_padding`.

        Raises
        ------
        ValueError
            If no result has this size.
        """
        extra = self.output_padding if output_size is None else self._padding_for(input, output_size)
        weight, bias = self._part("weight"), self._part("bias")
        convolve = F.conv_transpose1d if self.ndim == 1 else F.conv_transpose2d
        return convolve(input, weight, bias, self.stride, self.padding, extra, self.groups, self.dilation)

    def _padding_for(self, input: Tensor, output_size: Any) -> tuple[int, ...]:
        axes = zip(input.shape[-self.ndim :], self.kernel_size, self.stride, self.padding, self.dilation, strict=True)
        least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, k, s, p, d in axes]
        extra = tuple(n - m for n, m in zip(output_size[-self.ndim :], least, strict=True))
        if any(not 0 <= e < max(s, 1) for e, s in zip(extra, self.stride, strict=True)):
            most = [m + s - 1 for m, s in zip(least, self.stride, strict=True)]
            raise ValueError(f"requested an output size of {tuple(output_size)}, but valid sizes range from {least} to {most} (for "
                             f"an input of {list(input.shape[-self.ndim :])})")
        return extra


class ConvTranspose1d(_ConvTransposeNd):
    """`functional.conv_transpose1d` with weights of its own; see `_ConvTransposeNd`."""

    ndim = 1


class ConvTranspose2d(_ConvTransposeNd):
    """`functional.conv_transpose2d` with weights of its own; see `_ConvTransposeNd`."""
