"""Rung 7: a `DataLoader` makes the batches; the loop becomes ``for xb, yb in train_dl``."""

import torch
import torch.nn.functional as F
from digits import load
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
x_train, y_train, x_valid, y_valid = map(torch.tensor, load())
train_ds = TensorDataset(x_train, y_train)
train_dl = DataLoader(train_ds, batch_size=64)
print(len(train_ds), "samples make", len(train_dl), "batches")


class Logistic(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(784, 10)

    def forward(self, xb):
        return self.lin(xb)


def accuracy(out, yb):
    return (torch.argmax(out, dim=1) == yb).float().mean()


def get_model(lr=0.5):
    model = Logistic()
    return model, optim.SGD(model.parameters(), lr=lr)


model, opt = get_model()
loss_func = F.cross_entropy
for _ in range(2):
    for xb, yb in train_dl:
        loss = loss_func(model(xb), yb)
        loss.backward()
        opt.step()
        opt.zero_grad()

print("last batch:", xb.shape, loss_func(model(xb), yb))
print(f"validation accuracy {accuracy(model(x_valid), y_valid).item():.4f}")
