"""Rung 13: an accelerator, if there is one: the model and each batch are moved to it by `.to(dev)`.

Where there is none, the same lines leave everything on the CPU.
"""

import torch
import torch.nn.functional as F
from digits import load
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

dev = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
print(dev, repr(dev), torch.cuda.is_available(), torch.cuda.device_count())


class WrappedDataLoader:
    def __init__(self, dl, func):
        self.dl, self.func = dl, func

    def __len__(self):
        return len(self.dl)

    def __iter__(self):
        for batch in self.dl:
            yield self.func(*batch)


def preprocess(x, y):
    return x.view(-1, 1, 28, 28).to(dev), y.to(dev)


torch.manual_seed(1)
x_train, y_train, x_valid, y_valid = map(torch.tensor, load())
x_train, x_valid = x_train.double(), x_valid.double()
train_dl = WrappedDataLoader(DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True), preprocess)
valid_dl = WrappedDataLoader(DataLoader(TensorDataset(x_valid, y_valid), batch_size=128), preprocess)

layers = []
for inputs, outputs in [(1, 16), (16, 16), (16, 10)]:
    layers += [nn.Conv2d(inputs, outputs, kernel_size=3, stride=2, padding=1), nn.ReLU()]
model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()).double()
model.to(dev)
opt = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
print({p.device for p in model.parameters()}, torch.zeros(2, device=dev).device == dev)

for epoch in range(1):
    for xb, yb in train_dl:
        loss = F.cross_entropy(model(xb), yb)
        loss.backward()
        opt.step()
        opt.zero_grad()
    with torch.no_grad():
        valid_loss = sum(F.cross_entropy(model(xb), yb) for xb, yb in valid_dl).cpu() / len(valid_dl)
    print(epoch, f"validation loss {valid_loss:.3f}")
