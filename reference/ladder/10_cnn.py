"""Rung 10: a convolutional network: three `nn.Conv2d` of stride 2, each followed by `F.relu`, then `F.avg_pool2d`.

`fit` does not change: it asks nothing of the model but that it turns a batch into scores. SGD takes a momentum.
All in float64, for this training magnifies what is lost in rounding: in float32 two machines part in the second digit.
"""

import numpy as np
import torch
import torch.nn.functional as F
from digits import load
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, kernel_size=3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(16, 16, kernel_size=3, stride=2, padding=1)
        self.conv3 = nn.Conv2d(16, 10, kernel_size=3, stride=2, padding=1)

    def forward(self, xb):
        xb = xb.view(-1, 1, 28, 28)
        xb = F.relu(self.conv1(xb))
        xb = F.relu(self.conv2(xb))
        xb = F.relu(self.conv3(xb))
        xb = F.avg_pool2d(xb, 4)
        return xb.view(-1, xb.size(1))


def loss_batch(model, loss_func, xb, yb, opt=None):
    loss = loss_func(model(xb), yb)
    if opt is not None:
        loss.backward()
        opt.step()
        opt.zero_grad()
    return loss.item(), len(xb)


def fit(epochs, model, loss_func, opt, train_dl, valid_dl):
    for epoch in range(epochs):
        model.train()
        for xb, yb in train_dl:
            loss_batch(model, loss_func, xb, yb, opt)
        model.eval()
        with torch.no_grad():
            losses, sizes = zip(*[loss_batch(model, loss_func, xb, yb) for xb, yb in valid_dl], strict=True)
        print(epoch, f"validation loss {np.sum(np.multiply(losses, sizes)) / np.sum(sizes):.3f}")


torch.manual_seed(1)
x_train, y_train, x_valid, y_valid = map(torch.tensor, load())
x_train, x_valid = x_train.double(), x_valid.double()
train_dl = DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True)
valid_dl = DataLoader(TensorDataset(x_valid, y_valid), batch_size=128)

model = Cnn().double()
print(model, sum(p.numel() for p in model.parameters()), model(x_valid[:5]).shape)
fit(2, model, F.cross_entropy, optim.SGD(model.parameters(), lr=0.1, momentum=0.9), train_dl, valid_dl)
