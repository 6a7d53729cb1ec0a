"""Residual networks (He et al., 2015): each block computes what to add to its input, so that gradients reach the first layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from minigrad import nn
from minigrad.nn import init
from minigrad.tensors.tensor import Tensor
from minigrad.vision.models.weights import draw_weights, untrained


def conv3x3(in_planes: int, out_planes: int, stride: int = 1, groups: int = 1, dilation: int = 1) -> nn.Conv2d:
    """A 3x3 convolution that keeps height and width (for stride 1), without a bias: a normalisation follows."""
    return nn.Conv2d(in_planes, out_planes, 3, stride, dilation, dilation, groups, bias=False)


def conv1x1(in_planes: int, out_planes: int, stride: int = 1) -> nn.Conv2d:
    """A linear map of the channels of each pixel."""
    return nn.Conv2d(in_planes, out_planes, 1, stride, bias=False)


class BasicBlock(nn.Module):
    """relu(x + f(x)), where f is two 3x3 convolutions.

    Parameters
    ----------
    inplanes, planes : int
        Channels before and after.
    stride : int
        Of the first convolution.
    downsample : Module, optional
        Gives x the shape of f(x). Default: x has it already.
    groups, base_width, dilation : int
        Only 1, 64 and 1 here; `Bottleneck` knows others.
    norm_layer : callable
        Makes the normalisation of so many channels. Default: `BatchNorm2d`.
    """

    expansion: ClassVar[int] = 1

    def __init__(
        self, inplanes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None, groups: int = 1,
        base_width: int = 64, dilation: int = 1, norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if groups != 1 or base_width != 64:
            raise ValueError("BasicBlock only supports groups=1 and base_width=64")
        if dilation > 1:
            raise NotImplementedError("Dilation > 1 not supported in BasicBlock")
        norm_layer = norm_layer or nn.BatchNorm2d
        self.conv1 = conv3x3(inplanes, planes, stride)
        self.bn1 = norm_layer(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = norm_layer(planes)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """The block applied to images of (batch, inplanes, height, width)."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class Bottleneck(nn.Module):
    """relu(x + f(x)), where f is a 3x3 convolution between two linear maps of the channels: fewer before it, more after it.

    Parameters as in `BasicBlock`. The 3x3 convolution has ``planes * base_width / 64`` channels for each of its groups, and
    the result ``planes * expansion``.
    """

    expansion: ClassVar[int] = 4

    def __init__(
        self, inplanes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None, groups: int = 1,
        base_width: int = 64, dilation: int = 1, norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        norm_layer = norm_layer or nn.BatchNorm2d
        width = int(planes * (base_width / 64)) * groups
        self.conv1 = conv1x1(inplanes, width)
        self.bn1 = norm_layer(width)
        self.conv2 = conv3x3(width, width, stride, groups, dilation)
        self.bn2 = norm_layer(width)
        self.conv3 = conv1x1(width, planes * self.expansion)
        self.bn3 = norm_layer(planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """The block applied to images of (batch, inplanes, height, width)."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class ResNet(nn.Module):
    """A convolution, four stages of blocks, each at half the height and width of the one before, and a linear classifier.

    Parameters
    ----------
    block : class
        `BasicBlock` or `Bottleneck`.
    layers : sequence of 4 int
        Blocks of each stage.
    num_classes : int
        Outputs.
    zero_init_residual : bool
        Start with blocks that add nothing.
    groups, width_per_group : int
        Of the 3x3 convolutions in a `Bottleneck`.
    replace_stride_with_dilation : sequence of 3 bool, optional
        Stages, from the second on, that keep height and width and dilate their convolutions instead.
    norm_layer : callable
        Makes the normalisation of so many channels. Default: `BatchNorm2d`.
    """

    def __init__(
        self, block: type[BasicBlock | Bottleneck], layers: Sequence[int], num_classes: int = 1000,
        zero_init_residual: bool = False, groups: int = 1, width_per_group: int = 64,
        replace_stride_with_dilation: Sequence[bool] | None = None, norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        dilate = [False, False, False] if replace_stride_with_dilation is None else replace_stride_with_dilation
        if len(dilate) != 3:
            raise ValueError(f"replace_stride_with_dilation should be None or a 3-element tuple, got {dilate}")
        self._norm_layer = norm_layer or nn.BatchNorm2d
        self.inplanes, self.dilation, self.groups, self.base_width = 64, 1, groups, width_per_group
        self.conv1 = nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = self._norm_layer(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = self._make_layer(block, 64, layers[0])
        self.layer2 = self._make_layer(block, 128, layers[1], 2, dilate[0])
        self.layer3 = self._make_layer(block, 256, layers[2], 2, dilate[1])
        self.layer4 = self._make_layer(block, 512, layers[3], 2, dilate[2])
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        draw_weights(self, lambda weight: init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu"))
        if zero_init_residual:
            for module in self.modules():
                if isinstance(module, BasicBlock | Bottleneck):
                    last = module.bn2 if isinstance(module, BasicBlock) else module.bn3
                    if last.weight is not None:
                        init.constant_(last.weight, 0)

    def _make_layer(
        self, block: type[BasicBlock | Bottleneck], planes: int, blocks: int, stride: int = 1, dilate: bool = False
    ) -> nn.Sequential:
        """One stage; its first block changes the shape."""
        before, out = self.dilation, planes * block.expansion
        if dilate:
            self.dilation, stride = self.dilation * stride, 1
        downsample = None
        if stride != 1 or self.inplanes != out:
            downsample = nn.Sequential(conv1x1(self.inplanes, out, stride), self._norm_layer(out))
        kind: dict[str, Any] = {"groups": self.groups, "base_width": self.base_width, "norm_layer": self._norm_layer}
        first = block(self.inplanes, planes, stride, downsample, dilation=before, **kind)
        self.inplanes = out
        return nn.Sequential(first, *(block(out, planes, dilation=self.dilation, **kind) for _ in range(1, blocks)))

    def forward(self, x: Tensor) -> Tensor:
        """The outputs, (batch, num_classes), for images of (batch, 3, height, width)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


@untrained
def resnet18(progress: bool = True, **kwargs: Any) -> ResNet:
    """ResNet of 18 layers with weights; keyword arguments as in `ResNet`. (There is no download to show the progress of.)"""
    return ResNet(BasicBlock, [2, 2, 2, 2], **kwargs)


@untrained
def resnet34(progress: bool = True, **kwargs: Any) -> ResNet:
    """ResNet of 34 layers; arguments as in `resnet18`."""
    return ResNet(BasicBlock, [3, 4, 6, 3], **kwargs)


@untrained
def resnet50(progress: bool = True, **kwargs: Any) -> ResNet:
    """ResNet of 50 layers; arguments as in `resnet18`."""
    return ResNet(Bottleneck, [3, 4, 6, 3], **kwargs)


@untrained
def resnet101(progress: bool = True, **kwargs: Any) -> ResNet:
    """ResNet of 101 layers; arguments as in `resnet18`."""
    return ResNet(Bottleneck, [3, 4, 23, 3], **kwargs)


@untrained
def resnet152(progress: bool = True, **kwargs: Any) -> ResNet:
    """ResNet of 152 layers; arguments as in `resnet18`."""
    return ResNet(Bottleneck, [3, 8, 36, 3], **kwargs)


@untrained
def resnext50_32x4d(progress: bool = True, **kwargs: Any) -> ResNet:
    """ResNeXt (Xie et al., 2016): `resnet50` with 3x3 convolutions in 32 groups; arguments as in `resnet18`."""
    return ResNet(Bottleneck, [3, 4, 6, 3], groups=32, width_per_group=4, **kwargs)


@untrained
def resnext101_32x8d(progress: bool = True, **kwargs: Any) -> ResNet:
    """ResNeXt of 101 layers, with groups twice as wide; arguments as in `resnet18`."""
    return ResNet(Bottleneck, [3, 4, 23, 3], groups=32, width_per_group=8, **kwargs)


@untrained
def wide_resnet50_2(progress: bool = True, **kwargs: Any) -> ResNet:
    """Wide ResNet (Zagoruyko and Komodakis, 2016): `resnet50` with twice the channels in its 3x3 convolutions."""
    return ResNet(Bottleneck, [3, 4, 6, 3], width_per_group=128, **kwargs)


@untrained
def wide_resnet101_2(progress: bool = True, **kwargs: Any) -> ResNet:
    """Wide ResNet of 101 layers; arguments as in `resnet18`."""
    return ResNet(Bottleneck, [3, 4, 23, 3], width_per_group=128, **kwargs)
