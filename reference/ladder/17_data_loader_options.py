"""Rung 17: a `Dataset` of one's own, and what a `DataLoader` can do with it.

Orders other than the usual two come from samplers, batches other than the usual from a `collate_fn`; workers, which are
processes, make batches ahead. They may be started anew from this file, hence the `if __name__` at its end.
"""

import torch
from digits import load_images
from torch.utils import data
from torch.utils.data import DataLoader, Dataset, SubsetRandomSampler, WeightedRandomSampler


class Digits(Dataset):
    def __init__(self, transform=None, target_transform=None):
        self.images, self.labels, _, _ = load_images()
        self.transform, self.target_transform = transform, target_transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        image, label = torch.from_numpy(self.images[index]), int(self.labels[index])
        image = self.transform(image) if self.transform else image
        return image, self.target_transform(label) if self.target_transform else label


def scale(image):
    return image.float() / 255


def pairs(samples):
    return {"images": torch.stack([image for image, _ in samples]), "labels": [label for _, label in samples]}


def greet(worker):
    assert data.get_worker_info().id == worker


def main():
    torch.manual_seed(1)
    ds = Digits(transform=scale)
    print(len(ds), ds[0][0].shape, ds[0][1])
    weights = (torch.from_numpy(ds.labels) == 7).double()
    for name, options in {
        "shuffle": {"batch_size": 8, "shuffle": True, "generator": torch.Generator().manual_seed(2)},
        "sampler": {"batch_size": 8, "sampler": SubsetRandomSampler(range(100))},
        "weights": {"batch_size": 8, "sampler": WeightedRandomSampler(weights, 16)},
        "batch_sampler": {"batch_sampler": data.BatchSampler(data.SequentialSampler(range(20)), 8, drop_last=False)},
        "drop_last": {"batch_size": 3000, "drop_last": True, "pin_memory": torch.accelerator.is_available()},
        "workers": {"batch_size": 500, "shuffle": True, "num_workers": 2, "worker_init_fn": greet, "timeout": 60,
                    "persistent_workers": True, "prefetch_factor": 1},
    }.items():  # fmt: skip
        batches = list(DataLoader(ds, **options))
        images, labels = batches[0]
        print(f"{name}: {len(batches)} batches, the first", tuple(images.shape), labels[:8], f"mean {images.mean():.3f}")
    print({name: len(part) for name, part in next(iter(DataLoader(ds, 4, collate_fn=pairs))).items()})


if __name__ == "__main__":
    main()
