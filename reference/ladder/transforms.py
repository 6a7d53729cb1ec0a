"""Three of torchvision's transforms, for a torch without torchvision."""

import torch


class ToTensor:
    def __call__(self, pic):
        return torch.from_numpy(pic)[None].float() / 255


class Normalize:
    def __init__(self, mean, std):
        self.mean, self.std = mean, std

    def __call__(self, tensor):
        mean, std = (torch.tensor(numbers)[:, None, None] for numbers in (self.mean, self.std))
        return (tensor - mean) / std


class Compose:
    def __init__(self, transforms):
        self.transforms = transforms

    def __call__(self, pic):
        for transform in self.transforms:
            pic = transform(pic)
        return pic
