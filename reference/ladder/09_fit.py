"""Rung 9: `loss_batch`, `fit` and `get_data`: with these three, training takes three lines, for any model.

`loss_batch` computes the loss of a batch, and goes a step if it is given an optimiser; `fit` weighs the losses of the
validation batches by their sizes, for the last one may be smaller.
"""

import numpy as np
import torch
import torch.nn.functional as F
from digits import load
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset


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


def get_data(train_ds, valid_ds, bs):
    return DataLoader(train_ds, batch_size=bs, shuffle=True), DataLoader(valid_ds, batch_size=bs * 2)


class Logistic(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(784, 10)

    def forward(self, xb):
        return self.lin(xb)


def get_model(lr=0.5):
    model = Logistic()
    return model, optim.SGD(model.parameters(), lr=lr)


torch.manual_seed(1)
x_train, y_train, x_valid, y_valid = map(torch.tensor, load())
train_dl, valid_dl = get_data(TensorDataset(x_train, y_train), TensorDataset(x_valid, y_valid), bs=64)
model, opt = get_model()
fit(3, model, F.cross_entropy, opt, train_dl, valid_dl)
