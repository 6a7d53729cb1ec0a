"""Rung 12: the loader brings images in their shape, and the network takes them in any size.

A wrapper around the loader does the reshaping, so the model no longer assumes 28 × 28; `nn.AdaptiveAvgPool2d` is told
the size of its output instead of its window.
"""

import numpy as np
import torch
import torch.nn.functional as F
from digits import load
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset


class WrappedDataLoader:
    def __init__(self, dl, func):
        self.dl, self.func = dl, func

    def __len__(self):
        return len(self.dl)

    def __iter__(self):
        for batch in self.dl:
            yield self.func(*batch)


def preprocess(x, y):
    return x.view(-1, 1, 28, 28), y


def loss_batch(model, xb, yb, opt=None):
    loss = F.cross_entropy(model(xb), yb)
    if opt is not None:
        loss.backward()
        opt.step()
        opt.zero_grad()
    return loss.item(), len(xb)


torch.manual_seed(1)
x_train, y_train, x_valid, y_valid = map(torch.tensor, load())
x_train, x_valid = x_train.double(), x_valid.double()
train_dl = WrappedDataLoader(DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True), preprocess)
valid_dl = WrappedDataLoader(DataLoader(TensorDataset(x_valid, y_valid), batch_size=128), preprocess)

layers = []
for inputs, outputs in [(1, 16), (16, 16), (16, 10)]:
    layers += [nn.Conv2d(inputs, outputs, kernel_size=3, stride=2, padding=1), nn.ReLU()]
model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()).double()
opt = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
print(model, [tuple(model(torch.zeros(2, 1, size, size).double()).shape) for size in (28, 40)])

for epoch in range(1):
    for xb, yb in train_dl:
        loss_batch(model, xb, yb, opt)
    with torch.no_grad():
        losses, sizes = zip(*[loss_batch(model, xb, yb) for xb, yb in valid_dl], strict=True)
    print(epoch, f"validation loss {np.sum(np.multiply(losses, sizes)) / np.sum(sizes):.3f}")
