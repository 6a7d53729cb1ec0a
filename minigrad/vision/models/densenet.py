"""DenseNet (Huang et al., 2016): each layer of a block sees what all layers before it have computed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from minigrad import nn
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.ops.shape import cat
from minigrad.tensors.tensor import Tensor
from minigrad.utils.checkpoint import checkpoint
from minigrad.vision.models.weights import draw_weights, untrained


class _DenseLayer(nn.Module):
    """Two convolutions, each after normalisation and ReLU: 1x1 to ``bn_size * growth_rate`` channels, 3x3 to `growth_rate`.

    Parameters
    ----------
    num_input_features : int
        Channels of all that came before, together.
    growth_rate, bn_size : int
        Channels that the layer adds, and how many times as many there are between its convolutions.
    drop_rate : float
        Probability for dropout of the result.
    memory_efficient : bool
        Keep the input of the first convolution only, and compute what follows anew in backward.
    """

    def __init__(
        self, num_input_features: int, growth_rate: int, bn_size: int, drop_rate: float, memory_efficient: bool = False
    ) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(num_input_features)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(num_input_features, bn_size * growth_rate, kernel_size=1, stride=1, bias=False)
        self.norm2 = nn.BatchNorm2d(bn_size * growth_rate)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(bn_size * growth_rate, growth_rate, kernel_size=3, stride=1, padding=1, bias=False)
        self.drop_rate = float(drop_rate)
        self.memory_efficient = memory_efficient

    def bn_function(self, *inputs: Tensor) -> Tensor:
        """What comes before the 3x3 convolution."""
        return self.conv1(self.relu1(self.norm1(cat(inputs, 1))))

    def forward(self, input: Tensor | Sequence[Tensor]) -> Tensor:
        """The layer's own channels, for those of all layers before it."""
        before = [input] if isinstance(input, Tensor) else input
        if self.memory_efficient and any(x.requires_grad for x in before):
            narrow = checkpoint(self.bn_function, *before, use_reentrant=False)
        else:
            narrow = self.bn_function(*before)
        new = self.conv2(self.relu2(self.norm2(narrow)))
        return F.dropout(new, p=self.drop_rate, training=self.training) if self.drop_rate > 0 else new


class _DenseBlock(nn.ModuleDict):
    """Layers each of which gets the channels of all before it; arguments as in `_DenseLayer`."""

    def __init__(
        self, num_layers: int, num_input_features: int, bn_size: int, growth_rate: int, drop_rate: float,
        memory_efficient: bool = False,
    ) -> None:
        super().__init__()
        for i in range(num_layers):
            features = num_input_features + i * growth_rate
            self.add_module(f"denselayer{i + 1}", _DenseLayer(features, growth_rate, bn_size, drop_rate, memory_efficient))

    def forward(self, init_features: Tensor) -> Tensor:
        """All channels: those of the input and those that the layers add."""
        features = [init_features]
        for layer in self.values():
            features.append(layer(features))
        return cat(features, 1)


class _Transition(nn.Sequential):
    """Fewer channels, and half the height and width."""

    def __init__(self, num_input_features: int, num_output_features: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(num_input_features)
        self.relu = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(num_input_features, num_output_features, kernel_size=1, stride=1, bias=False)
        self.pool = nn.AvgPool2d(kernel_size=2, stride=2)


class DenseNet(nn.Module):
    """A convolution, blocks with transitions between them, and a linear classifier.

    Parameters
    ----------
    growth_rate : int
        Channels that each layer adds.
    block_config : sequence of int
        Layers of each block.
    num_init_features : int
        Channels of the first convolution.
    bn_size : int
        How many times as many channels there are within a layer.
    drop_rate : float
        Probability for dropout after each layer.
    num_classes : int
        Outputs.
    memory_efficient : bool
        Save memory by computing parts of the layers anew in backward.
    """

    def __init__(
        self, growth_rate: int = 32, block_config: Sequence[int] = (6, 12, 24, 16), num_init_features: int = 64, bn_size: int = 4,
        drop_rate: float = 0, num_classes: int = 1000, memory_efficient: bool = False,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(OrderedDict[str, nn.Module]([
            ("conv0", nn.Conv2d(3, num_init_features, kernel_size=7, stride=2, padding=3, bias=False)),
            ("norm0", nn.BatchNorm2d(num_init_features)),
            ("relu0", nn.ReLU(inplace=True)),
            ("pool0", nn.MaxPool2d(kernel_size=3, stride=2, padding=1)),
        ]))
        features = num_init_features
        for i, layers in enumerate(block_config, 1):
            block = _DenseBlock(layers, features, bn_size, growth_rate, drop_rate, memory_efficient)
            self.features.add_module(f"denseblock{i}", block)
            features += layers * growth_rate
            if i < len(block_config):
                self.features.add_module(f"transition{i}", _Transition(features, features // 2))
                features //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(features))
        self.classifier = nn.Linear(features, num_classes)
        draw_weights(self, init.kaiming_normal_, lambda weight: weight)

    def forward(self, x: Tensor) -> Tensor:
        """The outputs, (batch, num_classes), for images of (batch, 3, height, width)."""
        x = F.relu(self.features(x), inplace=True)
        return self.classifier(F.adaptive_avg_pool2d(x, (1, 1)).flatten(1))


@untrained
def densenet121(progress: bool = True, **kwargs: Any) -> DenseNet:
    """DenseNet of 121 layers; keyword arguments as in the class. (There is no download to show the progress of.)"""
    return DenseNet(32, (6, 12, 24, 16), 64, **kwargs)


@untrained
def densenet161(progress: bool = True, **kwargs: Any) -> DenseNet:
    """DenseNet of 161 layers, each of which adds 48 channels; arguments as in `densenet121`."""
    return DenseNet(48, (6, 12, 36, 24), 96, **kwargs)


@untrained
def densenet169(progress: bool = True, **kwargs: Any) -> DenseNet:
    """DenseNet of 169 layers; arguments as in `densenet121`."""
    return DenseNet(32, (6, 12, 32, 32), 64, **kwargs)


@untrained
def densenet201(progress: bool = True, **kwargs: Any) -> DenseNet:
    """DenseNet of 201 layers; arguments as in `densenet121`."""
    return DenseNet(32, (6, 12, 48, 32), 64, **kwargs)
