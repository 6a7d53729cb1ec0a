"""What changes images and turns them into tensors, under the names of `torchvision.transforms`.

Images are NumPy arrays, as the datasets here give them, tensors, or images of Pillow: see `functional`.

Examples
--------
>>> import numpy as np
>>> pixels = np.array([[0, 51], [102, 255]], np.uint8)
>>> ToTensor()(pixels)
tensor([[[0.0000, 0.2000],
         [0.4000, 1.0000]]])
>>> Compose([ToTensor(), Normalize((0.5,), (0.5,))])(pixels)
tensor([[[-1.0000, -0.6000],
         [-0.2000,  1.0000]]])
>>> Resize(1)(pixels)
array([[103]], dtype=uint8)
"""

from minigrad.vision.transforms import functional
from minigrad.vision.transforms.augmentation import (
    ColorJitter,
    GaussianBlur,
    RandomAffine,
    RandomErasing,
    RandomGrayscale,
    RandomRotation,
)
from minigrad.vision.transforms.functional import InterpolationMode
from minigrad.vision.transforms.transforms import (
    CenterCrop,
    Compose,
    ConvertImageDtype,
    Grayscale,
    Lambda,
    Normalize,
    Pad,
    PILToTensor,
    RandomApply,
    RandomCrop,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomVerticalFlip,
    Resize,
    ToPILImage,
    ToTensor,
)  # fmt: skip
