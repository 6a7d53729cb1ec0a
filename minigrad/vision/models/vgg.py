"""VGG (Simonyan and Zisserman, 2014): nothing but 3x3 convolutions, ever more channels, and three linear layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad import nn
from minigrad.nn import init
from minigrad.tensors.tensor import Tensor
from minigrad.vision.models.weights import draw_weights, untrained

cfgs: dict[str, list[int | str]] = {  # the paper's columns, as `make_layers` takes them
    "A": [64, "M", 128, "M", *[256] * 2, "M", *[512] * 2, "M", *[512] * 2, "M"],
    "B": [*[64] * 2, "M", *[128] * 2, "M", *[256] * 2, "M", *[512] * 2, "M", *[512] * 2, "M"],
    "D": [*[64] * 2, "M", *[128] * 2, "M", *[256] * 3, "M", *[512] * 3, "M", *[512] * 3, "M"],
    "E": [*[64] * 2, "M", *[128] * 2, "M", *[256] * 4, "M", *[512] * 4, "M", *[512] * 4, "M"],
}


class VGG(nn.Module):
    """Convolutions and a classifier of three linear layers.

    Parameters
    ----------
    features : Module
        The convolutions, with 512 channels at their end.
    num_classes : int
        Outputs.
    init_weights : bool
        Draw the weights as the paper's authors did later, instead of as each layer does.
    dropout : float
        Probability for `Dropout` after the first two linear layers.
    """

    def __init__(self, features: nn.Module, num_classes: int = 1000, init_weights: bool = True, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096), nn.ReLU(True), nn.Dropout(p=dropout),
            nn.Linear(4096, 4096), nn.ReLU(True), nn.Dropout(p=dropout),
            nn.Linear(4096, num_classes),
        )
        if init_weights:
            draw_weights(self, lambda weight: init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu"),
                         lambda weight: init.normal_(weight, 0, 0.01))

    def forward(self, x: Tensor) -> Tensor:
        """The outputs, (batch, num_classes), for images of (batch, 3, height, width)."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def make_layers(cfg: Sequence[int | str], batch_norm: bool = False) -> nn.Sequential:
    """The convolutions: a number stands for one with so many channels, "M" for max pooling."""
    layers: list[nn.Module] = []
    channels = 3
    for item in cfg:
        if item == "M":
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
        else:
            norm = [nn.BatchNorm2d(int(item))] if batch_norm else []
            layers += [nn.Conv2d(channels, int(item), kernel_size=3, padding=1), *norm, nn.ReLU(inplace=True)]
            channels = int(item)
    return nn.Sequential(*layers)


@untrained
def vgg11(progress: bool = True, **kwargs: Any) -> VGG:
    """VGG of 11 layers with weights; keyword arguments as in `VGG`. (There is no download to show the progress of.)"""
    return VGG(make_layers(cfgs["A"]), **kwargs)


@untrained
def vgg11_bn(progress: bool = True, **kwargs: Any) -> VGG:
    """`vgg11` with batch normalisation."""
    return VGG(make_layers(cfgs["A"], batch_norm=True), **kwargs)


@untrained
def vgg13(progress: bool = True, **kwargs: Any) -> VGG:
    """VGG of 13 layers; arguments as in `vgg11`."""
    return VGG(make_layers(cfgs["B"]), **kwargs)


@untrained
def vgg13_bn(progress: bool = True, **kwargs: Any) -> VGG:
    """`vgg13` with batch normalisation."""
    return VGG(make_layers(cfgs["B"], batch_norm=True), **kwargs)


@untrained
def vgg16(progress: bool = True, **kwargs: Any) -> VGG:
    """VGG of 16 layers; arguments as in `vgg11`."""
    return VGG(make_layers(cfgs["D"]), **kwargs)


@untrained
def vgg16_bn(progress: bool = True, **kwargs: Any) -> VGG:
    """`vgg16` with batch normalisation."""
    return VGG(make_layers(cfgs["D"], batch_norm=True), **kwargs)


@untrained
def vgg19(progress: bool = True, **kwargs: Any) -> VGG:
    """VGG of 19 layers; arguments as in `vgg11`."""
    return VGG(make_layers(cfgs["E"]), **kwargs)


@untrained
def vgg19_bn(progress: bool = True, **kwargs: Any) -> VGG:
    """`vgg19` with batch normalisation."""
    return VGG(make_layers(cfgs["E"], batch_norm=True), **kwargs)
