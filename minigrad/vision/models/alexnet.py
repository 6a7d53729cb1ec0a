"""AlexNet, in the form of Krizhevsky's "One weird trick" (2014)."""

from __future__ import annotations

from typing import Any

from minigrad import nn
from minigrad.tensors.tensor import Tensor
from minigrad.vision.models.weights import untrained


class AlexNet(nn.Module):
    """Five convolutions and three linear layers.

    Parameters
    ----------
    num_classes : int
        Outputs.
    dropout : float
        Probability for `Dropout` before the first two linear layers.
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(64, 192, kernel_size=5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(192, 384, kernel_size=3, padding=1), nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, kernel_size=3, padding=1), nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, kernel_size=3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(kernel_size=3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout), nn.Linear(256 * 6 * 6, 4096), nn.ReLU(inplace=True),
            nn.Dropout(p=dropout), nn.Linear(4096, 4096), nn.ReLU(inplace=True),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """The outputs, (batch, num_classes), for images of (batch, 3, height, width)."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


@untrained
def alexnet(progress: bool = True, **kwargs: Any) -> AlexNet:
    """AlexNet; keyword arguments as in the class. (There is no download to show the progress of.)"""
    return AlexNet(**kwargs)
