"""Images to train on: digits that come with minigrad, and data sets of torchvision's under its names.

`mnist` has MNIST in two forms and sets like it, `cifar` CIFAR-10 and CIFAR-100, `stl10` and `svhn` one each, `folder` images of
your own, `fakedata` noise.
Where torchvision gives an image of Pillow, these give what NumPy would make of it, an array; `ImageFolder` gives Pillow's.
"""

from minigrad.vision.datasets.cifar import CIFAR10, CIFAR100
from minigrad.vision.datasets.fakedata import FakeData
from minigrad.vision.datasets.folder import DatasetFolder, ImageFolder
from minigrad.vision.datasets.mnist import (
    EMNIST,
    KMNIST,
    MNIST,
    MNIST_DIGEST,
    FashionMNIST,
    Splits,
    content_digest,
    load_digits,
    load_mnist,
    read_mnist,
)  # fmt: skip
from minigrad.vision.datasets.stl10 import STL10
from minigrad.vision.datasets.svhn import SVHN
from minigrad.vision.datasets.vision import VisionDataset, data_folder
from minigrad.vision.download import DataError
