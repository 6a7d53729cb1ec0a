"""SqueezeNet (Iandola et al., 2016): AlexNet's accuracy with a fiftieth of its weights."""

from __future__ import annotations

from typing import Any

from minigrad import nn
from minigrad.nn import init
from minigrad.ops.shape import cat
from minigrad.tensors.tensor import Tensor
from minigrad.vision.models.weights import untrained


class Fire(nn.Module):
    """Few channels by a linear map of each pixel, then many, half of them from 1x1 and half from 3x3 convolutions.

    Parameters
    ----------
    inplanes, squeeze_planes : int
        Channels of the input, and between.
    expand1x1_planes, expand3x3_planes : int
        Channels of the result from either convolution.
    """

    def __init__(self, inplanes: int, squeeze_planes: int, expand1x1_planes: int, expand3x3_planes: int) -> None:
        super().__init__()
        self.inplanes = inplanes
        self.squeeze = nn.Conv2d(inplanes, squeeze_planes, kernel_size=1)
        self.squeeze_activation = nn.ReLU(inplace=True)
        self.expand1x1 = nn.Conv2d(squeeze_planes, expand1x1_planes, kernel_size=1)
        self.expand1x1_activation = nn.ReLU(inplace=True)
        self.expand3x3 = nn.Conv2d(squeeze_planes, expand3x3_planes, kernel_size=3, padding=1)
        self.expand3x3_activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """The block applied to images of (batch, inplanes, height, width)."""
        x = self.squeeze_activation(self.squeeze(x))
        return cat([self.expand1x1_activation(self.expand1x1(x)), self.expand3x3_activation(self.expand3x3(x))], 1)


def _pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True)


class SqueezeNet(nn.Module):
    """A convolution, eight `Fire` blocks, and a convolution whose channels, averaged over the image, are the outputs.

    Parameters
    ----------
    version : "1_0" or "1_1"
        The paper's network, or a later one of less than half the work.
    num_classes : int
        Outputs.
    dropout : float
        Probability for `Dropout` before the last convolution.
    """

    def __init__(self, version: str = "1_0", num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        self.num_classes = num_classes
        if version == "1_0":
            self.features = nn.Sequential(
                nn.Conv2d(3, 96, kernel_size=7, stride=2), nn.ReLU(inplace=True), _pool(),
                Fire(96, 16, 64, 64), Fire(128, 16, 64, 64), Fire(128, 32, 128, 128), _pool(),
                Fire(256, 32, 128, 128), Fire(256, 48, 192, 192), Fire(384, 48, 192, 192), Fire(384, 64, 256, 256), _pool(),
                Fire(512, 64, 256, 256),
            )
        elif version == "1_1":
            self.features = nn.Sequential(
                nn.Conv2d(3, 64, kernel_size=3, stride=2), nn.ReLU(inplace=True), _pool(),
                Fire(64, 16, 64, 64), Fire(128, 16, 64, 64), _pool(),
                Fire(128, 32, 128, 128), Fire(256, 32, 128, 128), _pool(),
                Fire(256, 48, 192, 192), Fire(384, 48, 192, 192), Fire(384, 64, 256, 256), Fire(512, 64, 256, 256),
            )
        else:
            raise ValueError(f"Unsupported SqueezeNet version {version}: 1_0 or 1_1 expected")
        last = nn.Conv2d(512, num_classes, kernel_size=1)
        self.classifier = nn.Sequential(nn.Dropout(p=dropout), last, nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d((1, 1)))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                if module is last:
                    init.normal_(module.weight, mean=0.0, std=0.01)
                else:
                    init.kaiming_uniform_(module.weight)
                if module.bias is not None:
                    init.constant_(module.bias, 0)

    def forward(self, x: Tensor) -> Tensor:
        """The outputs, (batch, num_classes), for images of (batch, 3, height, width)."""
        return self.classifier(self.features(x)).flatten(1)


@untrained
def squeezenet1_0(progress: bool = True, **kwargs: Any) -> SqueezeNet:
    """SqueezeNet as in the paper; keyword arguments as in the class. (There is no download to show the progress of.)"""
    return SqueezeNet("1_0", **kwargs)


@untrained
def squeezenet1_1(progress: bool = True, **kwargs: Any) -> SqueezeNet:
    """SqueezeNet of less than half the work; arguments as in `squeezenet1_0`."""
    return SqueezeNet("1_1", **kwargs)
