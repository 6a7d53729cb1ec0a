"""MobileNetV2 (Sandler et al., 2018): few weights and little work, for telephones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minigrad import nn
from minigrad.nn import init
from minigrad.tensors.tensor import Tensor
from minigrad.vision.models.weights import draw_weights, untrained

Norm = Callable[[int], nn.Module]

# For each stage: how many times as many channels inside a block, channels of its result, blocks, stride of the first one.
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


def make_divisible(v: float, divisor: int) -> int:
    """The multiple of `divisor` nearest to v, but at least `divisor` and not less than 90 % of v."""
    near = max(divisor, int(v + divisor / 2) // divisor * divisor)
    return near + divisor if near < 0.9 * v else near


class Conv2dNormActivation(nn.Sequential):
    """A convolution that keeps height and width (for stride 1), then a normalisation, then ReLU6."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1, groups: int = 1,
        norm_layer: Norm = nn.BatchNorm2d,
    ) -> None:
        padding = (kernel_size - 1) // 2
        super().__init__(
            nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False),
            norm_layer(out_channels), nn.ReLU6(inplace=True),
        )
        self.out_channels = out_channels


class InvertedResidual(nn.Module):
    """A block that widens its input, convolves each channel by itself, and narrows it again; added to its input where that fits.

    Parameters
    ----------
    inp, oup : int
        Channels before and after.
    stride : 1 or 2
        Of the convolution.
    expand_ratio : int
        How many times as many channels there are inside.
    norm_layer : callable
        Makes the normalisation of so many channels. Default: `BatchNorm2d`.
    """

    def __init__(self, inp: int, oup: int, stride: int, expand_ratio: int, norm_layer: Norm | None = None) -> None:
        super().__init__()
        if stride not in (1, 2):
            raise ValueError(f"stride should be 1 or 2 instead of {stride}")
        norm_layer = norm_layer or nn.BatchNorm2d
        self.stride = stride
        hidden = round(inp * expand_ratio)
        self.use_res_connect = stride == 1 and inp == oup
        widen = [] if expand_ratio == 1 else [Conv2dNormActivation(inp, hidden, 1, norm_layer=norm_layer)]
        self.conv = nn.Sequential(
            *widen, Conv2dNormActivation(hidden, hidden, stride=stride, groups=hidden, norm_layer=norm_layer),
            nn.Conv2d(hidden, oup, 1, 1, 0, bias=False), norm_layer(oup),
        )
        self.out_channels = oup
        self._is_cn = stride > 1

    def forward(self, x: Tensor) -> Tensor:
        """The block applied to images of (batch, inp, height, width)."""
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


class MobileNetV2(nn.Module):
    """Seven stages of blocks between two convolutions, and a linear classifier.

    Parameters
    ----------
    num_classes : int
        Outputs.
    width_mult : float
        Multiplies the channels of every layer.
    inverted_residual_setting : sequence of 4-tuples, optional
        For each stage: widening inside a block, channels, blocks, stride of the first block. Default: the paper's.
    round_nearest : int
        Channels are multiples of it.
    block : class, optional
        Default: `InvertedResidual`.
    norm_layer : callable, optional
        Makes the normalisation of so many channels. Default: `BatchNorm2d`.
    dropout : float
        Probability for `Dropout` before the classifier.
    """

    def __init__(
        self, num_classes: int = 1000, width_mult: float = 1.0, inverted_residual_setting: Sequence[Sequence[int]] | None = None,
        round_nearest: int = 8, block: Callable[..., nn.Module] | None = None, norm_layer: Norm | None = None, dropout: float = 0.2,
    ) -> None:
        super().__init__()
        block, norm_layer = block or InvertedResidual, norm_layer or nn.BatchNorm2d
        stages = STAGES if inverted_residual_setting is None else inverted_residual_setting
        if len(stages) == 0 or len(stages[0]) != 4:
            raise ValueError(f"inverted_residual_setting should be non-empty or a 4-element list, got {inverted_residual_setting}")
        channels = make_divisible(32 * width_mult, round_nearest)
        self.last_channel = make_divisible(1280 * max(1.0, width_mult), round_nearest)
        features: list[nn.Module] = [Conv2dNormActivation(3, channels, stride=2, norm_layer=norm_layer)]
        for ratio, width, count, stride in stages:
            out = make_divisible(width * width_mult, round_nearest)
            for i in range(count):
                features.append(block(channels, out, stride if i == 0 else 1, expand_ratio=ratio, norm_layer=norm_layer))
                channels = out
        features.append(Conv2dNormActivation(channels, self.last_channel, 1, norm_layer=norm_layer))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(nn.Dropout(p=dropout), nn.Linear(self.last_channel, num_classes))
        draw_weights(self, lambda weight: init.kaiming_normal_(weight, mode="fan_out"),
                     lambda weight: init.normal_(weight, 0, 0.01))

    def forward(self, x: Tensor) -> Tensor:
        """The outputs, (batch, num_classes), for images of (batch, 3, height, width)."""
        return self.classifier(nn.functional.adaptive_avg_pool2d(self.features(x), (1, 1)).flatten(1))


@untrained
def mobilenet_v2(progress: bool = True, **kwargs: Any) -> MobileNetV2:
    """MobileNetV2; keyword arguments as in the class. (There is no download to show the progress of.)"""
    return MobileNetV2(**kwargs)
