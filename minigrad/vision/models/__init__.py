"""Networks for images, under the names of `torchvision.models`; their weights are drawn at random.

`resnet` is the one to read first: its idea, a block that is added to its own input, is in every later network.

Examples
--------
>>> import minigrad as torch
>>> network = resnet18(num_classes=10)
>>> network(torch.zeros(2, 3, 64, 64)).shape
torch.Size([2, 10])
"""

from minigrad.vision.models.alexnet import AlexNet, alexnet
from minigrad.vision.models.densenet import DenseNet, densenet121, densenet161, densenet169, densenet201
from minigrad.vision.models.mobilenetv2 import MobileNetV2, mobilenet_v2
from minigrad.vision.models.resnet import (
    ResNet,
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
    resnext50_32x4d,
    resnext101_32x8d,
    wide_resnet50_2,
    wide_resnet101_2,
)
from minigrad.vision.models.squeezenet import SqueezeNet, squeezenet1_0, squeezenet1_1
from minigrad.vision.models.vgg import VGG, vgg11, vgg11_bn, vgg13, vgg13_bn, vgg16, vgg16_bn, vgg19, vgg19_bn

__all__ = [
    "VGG",
    "AlexNet",
    "DenseNet",
    "MobileNetV2",
    "ResNet",
    "SqueezeNet",
    "alexnet",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
    "mobilenet_v2",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "squeezenet1_0",
    "squeezenet1_1",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
    "wide_resnet50_2",
    "wide_resnet101_2",
]  # fmt: skip
