"""Rung 6: a `TensorDataset` keeps images and labels together, so that one slice gives a batch of both."""

import torch
import torch.nn.functional as F
from digits import load
from torch import nn, optim
from torch.utils.data import TensorDataset

torch.manual_seed(1)
x_train, y_train, x_valid, y_valid = map(torch.tensor, load())
n = len(x_train)
train_ds = TensorDataset(x_train, y_train)
print(len(train_ds), train_ds[0][0].shape, train_ds[0][1], train_ds[10:13][1])


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
bs, epochs = 64, 2
for _ in range(epochs):
    for i in range((n - 1) // bs + 1):
        xb, yb = train_ds[i * bs : i * bs + bs]
        loss = loss_func(model(xb), yb)
        loss.backward()
        opt.step()
        opt.zero_grad()

print("last batch:", loss_func(model(xb), yb))
print(f"validation accuracy {accuracy(model(x_valid), y_valid).item():.4f}")
